"""What a locked process may still do: rules as data, a reason per line.

Owns:  the layers, the resource limits, the allow-list of system calls with the arguments that each
       may have, the calls that fail softly, and what is taken away through Landlock.
Never: makes a system call; `lockdown` and its neighbours carry out what stands here.

The allow-list comes from tracing real work (computation, large and small allocations up to
exhaustion, recursion, clocks, sleep, formatting, garbage collection, exit) on CPython 3.11 to
3.13 with glibc. Whatever is not listed kills the process.
"""

from __future__ import annotations

from msgspec import Struct

# The one descriptor of a worker. A fixed number keeps the filter the same for every worker. It is
# not below 3: C libraries write complaints to 1 and 2.
SOCKET = 3

# --- layers ---


class Layer(Struct, frozen=True):
    """One layer of isolation; `optional` ones may be named by a degraded mode."""

    name: str
    reason: str
    optional: bool = False


LAYERS = (
    Layer("descriptors", "a descriptor is authority: only the socket to the broker stays open"),
    Layer("environment", "variables hold secrets of whoever started us"),
    Layer("session", "no terminal to push input into, no signals of the terminal, no working directory"),
    Layer("limits", "memory, CPU time and every other resource that the kernel counts"),
    Layer("user", "a uid that owns nothing; started by an ordinary user, that user's", optional=True),
    Layer("capabilities", "no part of root's power, now or later", optional=True),
    Layer("undumpable", "no core file with a script's data, no ptrace and no /proc access by the same uid"),
    Layer("parent", "a worker does not outlive its broker"),
    Layer("no_new_privileges", "no exec could raise privileges; also what lets users install filters"),
    Layer("landlock", "no file, no TCP port, no abstract socket, no signal outside; by object", optional=True),
    Layer("seccomp", "no system call but the listed ones; by number and argument", optional=True),
)

# --- resource limits ---

MIB = 1024 * 1024
# What the interpreter needs beside the script to report that memory ran out.
RESERVE = 4 * MIB
# Deep recursion in C (parser, decoder, repr) ends in Python's own limit long before this.
STACK = 64 * MIB


class ResourceLimit(Struct, frozen=True):
    """`name` as in the module `resource`; soft and hard limit are the same."""

    name: str
    value: int
    reason: str


# RLIMIT_DATA, RLIMIT_AS and RLIMIT_CPU depend on the run and are computed in `limits`.
RESOURCE_LIMITS = (
    ResourceLimit("RLIMIT_STACK", STACK, "deep recursion faults instead of eating memory"),
    ResourceLimit("RLIMIT_CORE", 0, "no core file"),
    ResourceLimit("RLIMIT_FSIZE", 0, "no file grows"),
    ResourceLimit("RLIMIT_NOFILE", 0, "no new descriptor; the open socket keeps working"),
    ResourceLimit("RLIMIT_NPROC", 0, "no fork, no thread"),
    ResourceLimit("RLIMIT_MEMLOCK", 0, "no memory withheld from the rest of the machine"),
    ResourceLimit("RLIMIT_MSGQUEUE", 0, "no message queue in kernel memory"),
    ResourceLimit("RLIMIT_SIGPENDING", 0, "no queue of signals in kernel memory"),
    ResourceLimit("RLIMIT_NICE", 0, "no higher priority"),
    ResourceLimit("RLIMIT_RTPRIO", 0, "no real-time priority"),
)

# --- system calls ---


class Argument(Struct, frozen=True):
    """A condition on one argument: its bits outside `ignore` equal `value`.

    bits: 32 for what the kernel reads as an int, where the upper half may be garbage; 64 otherwise.
    """

    index: int
    value: int = 0
    ignore: int = 0
    bits: int = 64


class Call(Struct, frozen=True):
    """A system call that works, if all its conditions hold; otherwise it kills."""

    name: str
    reason: str
    arguments: tuple[Argument, ...] = ()


_PROT_READ_WRITE = 0x1 | 0x2
_MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20
_MAP_NORESERVE = 0x4000
_MREMAP_MAYMOVE = 0x1
_GRND_NONBLOCK = 0x1
_MADV_DONTNEED = 4

_ON_THE_SOCKET = Argument(0, SOCKET, bits=32)
_NO_ADDRESS = Argument(4)

# The first ones are checked first: they make up a round trip to the broker.
ALLOWED = (
    Call("recvfrom", "receive from the broker", (_ON_THE_SOCKET, Argument(3, bits=32), _NO_ADDRESS)),
    Call(
        "sendto", "send to the broker; no destination but the peer", (_ON_THE_SOCKET, Argument(3, bits=32), _NO_ADDRESS)
    ),
    Call(
        "mmap",
        "memory: private, anonymous, where the kernel likes, never executable",
        (
            Argument(2, 0, ignore=_PROT_READ_WRITE),
            Argument(3, _MAP_PRIVATE_ANONYMOUS, ignore=_MAP_NORESERVE),
        ),
    ),
    Call("munmap", "give memory back"),
    Call("brk", "small memory"),
    Call("mremap", "grow large blocks without a copy", (Argument(3, 0, ignore=_MREMAP_MAYMOVE),)),
    Call(
        "mprotect",
        "the C library's second heap when the first is exhausted; never executable",
        (Argument(2, 0, ignore=_PROT_READ_WRITE),),
    ),
    Call("madvise", "give back part of a heap", (Argument(2, _MADV_DONTNEED, bits=32),)),
    # A clock of another process has a negative id, made of its pid.
    Call(
        "clock_gettime",
        "clocks of the system, where reading them needs the kernel",
        (Argument(0, 0, ignore=0xF, bits=32),),
    ),
    Call("clock_nanosleep", "sleep, within the broker's deadline", (Argument(0, 0, ignore=0xF, bits=32),)),
    Call("restart_syscall", "go on with a sleep after the process was stopped and continued"),
    Call("getrandom", "random text; seeds", (Argument(2, 0, ignore=_GRND_NONBLOCK, bits=32),)),
    Call("exit_group", "end"),
)

# These fail with EPERM instead of killing. Each has a caller that probes and copes; none has an
# effect, since none is carried out.
SOFT = {
    "openat": "an import of a module that was not loaded before the lock is an ImportError",
    "open": "the same, by older C libraries",
    "newfstatat": "an import looks for files",
    "stat": "the same, by older C libraries",
    "lstat": "the same, by older C libraries",
    "statx": "the same, by newer C libraries",
    "fstat": "what an import does before it reads",
    "readlink": "paths made absolute",
    "readlinkat": "paths made absolute",
    "getcwd": "paths made absolute",
    "socket": "so that the proof of the filter can try it and live to tell",
    "write": "complaints of the C library and the interpreter on descriptor 2",
    "close": "objects that held descriptors before the lock",
}

# --- Landlock: rights that are taken away, by the version of the interface that introduced them ---


class LandlockRights(Struct, frozen=True):
    """Rights that an ABI version added, as bit masks; no rule gives any of them back."""

    abi: int
    files: int
    network: int
    scopes: int
    reason: str


LANDLOCK_RIGHTS = (
    LandlockRights(1, (1 << 13) - 1, 0, 0, "execute, read, write, list, create and remove of every kind"),
    LandlockRights(2, 1 << 13, 0, 0, "link and rename across directories"),
    LandlockRights(3, 1 << 14, 0, 0, "truncate"),
    LandlockRights(4, 0, 0b11, 0, "bind and connect TCP"),
    LandlockRights(5, 1 << 15, 0, 0, "ioctl on devices"),
    LandlockRights(6, 0, 0, 0b11, "abstract unix sockets and signals of processes outside"),
)


def optional_layers(isolation: str) -> frozenset[str]:
    """The layers that may be missing: none for `"strict"`, those named by `"degraded:a,b"`.

    Raises `ValueError` with a sentence for anything else.
    """
    if isolation == "strict":
        return frozenset()
    mode, colon, names = isolation.partition(":")
    named = frozenset(name.strip() for name in names.split(",") if name.strip())
    if mode != "degraded" or not colon or not named:
        raise ValueError(f"isolation is 'strict' or 'degraded:' and layers, not '{isolation}'")
    allowed = {layer.name for layer in LAYERS if layer.optional}
    unknown = sorted(named - allowed)
    if unknown:
        raise ValueError(
            f"no layer that may be missing is called '{unknown[0]}'; those are {', '.join(sorted(allowed))}"
        )
    return named
