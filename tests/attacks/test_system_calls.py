"""P4: whatever number and arguments a broken interpreter puts into a system call, only the list works.

Each try is a process of its own, because a refused call kills.
"""

from __future__ import annotations

import platform
import signal
from collections.abc import Callable

import pytest

from trex.isolation.profile import SOFT
from trex.isolation.seccomp import NUMBERS

from .conftest import Ending

MACHINE = platform.machine()
NAMES = {number: name for name, number in NUMBERS[MACHINE].items()}
# The newest kernels are at about 470; numbers that no kernel has yet are refused the same way.
HIGHEST = 500

KILLED = -signal.SIGSYS
EPERM = 1

# Of the allow-list, these accept arguments that are all zero (and mostly fail, harmlessly).
WORK_WITH_ZEROS = {
    "munmap",
    "brk",
    "mremap",
    "mprotect",
    "clock_gettime",
    "clock_nanosleep",
    "restart_syscall",
    "getrandom",
}

# Newer kernels ask no filter about these two (uretprobe since Linux 6.14, uprobe since 6.18): they
# belong to the trampolines of the kernel's own probes, and do nothing from anywhere else but
# raise SIGILL or fail.
PROBES = {335, 336} if MACHINE == "x86_64" else set()

x86_only = pytest.mark.skipif(MACHINE != "x86_64", reason="an x86-64 way in")

Inside = Callable[..., Ending]


def test_of_every_number_only_the_listed_ones_survive(inside: Inside) -> None:
    """Number enumeration, as an exploit does to find a forgotten call."""
    worked, soft, killed, ended = set(), set(), set(), set()
    for number in range(HIGHEST):
        ending = inside(f"result = list(raw({number}, 0, 0, 0, 0, 0, 0))")
        name = NAMES.get(number, str(number))
        refused = number in PROBES and (ending.status == -signal.SIGILL or (ending.value or [0])[0] == -1)
        if ending.status == KILLED or refused:
            killed.add(name)
        elif ending.status == 0:
            ended.add(name)
        elif ending.value == [-1, EPERM]:
            soft.add(name)
        else:
            assert ending.value is not None, (name, ending)
            worked.add(name)
    assert worked == WORK_WITH_ZEROS
    assert soft == {name for name in SOFT if name in NUMBERS[MACHINE]}
    assert ended == {"exit_group"}
    assert len(killed) == HIGHEST - len(worked) - len(soft) - len(ended)


@x86_only
@pytest.mark.parametrize("number", [0, 1, 2, 39, 41, 45, 57, 59, 512, 520, 545])
def test_x32_numbers_kill(inside: Inside, number: int) -> None:
    """The x32 ABI: the same architecture, numbers with bit 30 set, and other structures."""
    assert inside(f"raw({number} | 0x40000000, 3, 0, 0, 0, 0, 0)").status == KILLED


@pytest.mark.parametrize("number", [-1, -2, 2**31, 2**31 - 1, 0xFFFFFFFF, 1 << 32 | 57])
def test_numbers_outside_of_any_table_kill(inside: Inside, number: int) -> None:
    """Sign extension and truncation of the number, between the filter's view and the kernel's."""
    assert inside(f"raw({number}, 0, 0, 0, 0, 0, 0)").status == KILLED


@x86_only
def test_a_32_bit_entry_kills(inside: Inside) -> None:
    """`int 0x80` enters the 32-bit table from 64-bit code, where numbers mean other calls.

    No executable memory can be made for it, so the two bytes are looked for in the C library.
    """
    ending = inside(
        """
info = ctypes.c_void_p * 4
class Info(ctypes.Structure):
    _fields_ = [("file", ctypes.c_char_p), ("base", ctypes.c_void_p), ("name", ctypes.c_char_p), ("address", ctypes.c_void_p)]
found = Info()
LIBC.dladdr(ctypes.cast(LIBC.abort, ctypes.c_void_p), ctypes.byref(found))
# The text segment lies around `abort`: read what is certainly mapped there.
start = ctypes.cast(LIBC.abort, ctypes.c_void_p).value & ~0xfff
text = ctypes.string_at(start, 0x100000)
at = text.find(bytes([0xcd, 0x80]))
assert at >= 0, "no such bytes"
ctypes.CFUNCTYPE(ctypes.c_long)(start + at)()
"""
    )
    if ending.failed is not None:
        pytest.skip("this C library has no such bytes near enough")
    assert ending.status == KILLED


@x86_only
def test_the_vsyscall_page_gives_no_call(inside: Inside) -> None:
    """vsyscall: a fixed address with a gettimeofday that enters the kernel by emulation."""
    ending = inside(
        """
buffer = ctypes.create_string_buffer(64)
result = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)(0xffffffffff600000)(ctypes.addressof(buffer), None)
"""
    )
    assert ending.status in (KILLED, -signal.SIGSEGV)  # a kernel without the page faults


SYS = NUMBERS[MACHINE]
MEMORY = "memory = ctypes.create_string_buffer(4096); address = ctypes.addressof(memory)\n"


@pytest.mark.parametrize(
    ("technique", "source"),
    [
        ("executable memory", f"raw({SYS['mmap']}, 0, 4096, 7, 0x22, -1, 0)"),
        ("executable memory, not writable", f"raw({SYS['mmap']}, 0, 4096, 5, 0x22, -1, 0)"),
        ("memory made executable", f"raw({SYS['mprotect']}, address & ~0xfff, 4096, 5)"),
        ("memory made executable with a high bit", f"raw({SYS['mprotect']}, address & ~0xfff, 4096, 1 << 40 | 4)"),
        ("mapping the socket", f"raw({SYS['mmap']}, 0, 4096, 1, 2, 3, 0)"),
        ("shared memory", f"raw({SYS['mmap']}, 0, 4096, 3, 0x21, -1, 0)"),
        ("mapping at a chosen address", f"raw({SYS['mmap']}, 0x10000, 4096, 3, 0x32, -1, 0)"),
        ("mapping that grows down", f"raw({SYS['mmap']}, 0, 4096, 3, 0x122, -1, 0)"),
        ("moving a mapping to a chosen address", f"raw({SYS['mremap']}, address & ~0xfff, 4096, 4096, 3, 0x10000)"),
        ("receive on another descriptor", f"raw({SYS['recvfrom']}, 0, address, 16, 0, 0, 0)"),
        ("receive the sender's address", f"raw({SYS['recvfrom']}, 3, address, 16, 0, address + 64, address + 128)"),
        ("peek and other flags", f"raw({SYS['recvfrom']}, 3, address, 16, 2, 0, 0)"),
        ("send on another descriptor", f"raw({SYS['sendto']}, 2, address, 16, 0, 0, 0)"),
        ("send to another address", f"raw({SYS['sendto']}, 3, address, 16, 0, address + 64, 16)"),
        ("out-of-band data", f"raw({SYS['sendto']}, 3, address, 16, 1, 0, 0)"),
        ("another process's CPU clock", f"raw({SYS['clock_gettime']}, -6 - 8 * 1, address)"),
        ("a sleep on such a clock", f"raw({SYS['clock_nanosleep']}, -6 - 8 * 1, 0, address, 0)"),
        ("merging pages (a side channel)", f"raw({SYS['madvise']}, address & ~0xfff, 4096, 12)"),
        ("huge pages", f"raw({SYS['madvise']}, address & ~0xfff, 4096, 14)"),
        ("blocking random", f"raw({SYS['getrandom']}, address, 16, 2)"),
    ],
)
def test_a_listed_call_with_another_argument_kills(inside: Inside, technique: str, source: str) -> None:
    """Calls that are needed, used for something else."""
    assert inside(MEMORY + source).status == KILLED, technique


@pytest.mark.parametrize(
    ("technique", "source"),
    [
        ("fork", "os.fork()"),
        ("thread", "threading.Thread(target=print).start()"),
        ("signal to init", "os.kill(1, 0)"),
        ("signal to the process group", "os.killpg(0, 15)"),
        ("exec", "os.execv('/bin/true', ['true'])"),
        ("memfd", "os.memfd_create('x')"),
        ("pipe", "os.pipe()"),
        ("socket pair", "socket.socketpair()"),
        ("descriptor passing", "host._socket.sendmsg([b'x'], [(1, 1, b'\\3\\0\\0\\0')])"),
        ("receiving descriptors", "host._socket.recvmsg(10, 100)"),
        ("duplicate", "os.dup(3)"),
        ("epoll", "select.epoll()"),
        ("poll", "select.poll().poll(0)"),
        ("own pid", "os.getpid()"),
        ("user id", "os.setuid(0)"),
        ("root directory", "os.chroot('/')"),
        ("working directory", "os.chdir('/')"),
        ("mount", "LIBC.mount(b'x', b'/', b'tmpfs', 0, None)"),
        ("namespaces", "LIBC.unshare(0x10000000)"),
        ("resource limits", "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"),
        ("another process's limits", "resource.prlimit(1, resource.RLIMIT_CORE)"),
        ("a signal handler", "signal.signal(signal.SIGUSR1, print)"),
        ("an interval timer", "signal.setitimer(signal.ITIMER_REAL, 1)"),
        ("io_uring", "raw(425, 8, 0)"),
        ("ptrace", "LIBC.ptrace(16, 1, None, None)"),
        ("bpf", "raw(321, 0, 0, 0)"),
        ("userfaultfd", "raw(323, 1)"),
        ("keyrings", "LIBC.syscall(250, 0, 0, 0)"),
        ("another process's memory", "LIBC.process_vm_readv(1, None, 0, None, 0, 0)"),
        ("prctl", "LIBC.prctl(4, 1, 0, 0, 0)"),
        ("another filter", "LIBC.prctl(22, 2, 0, 0, 0)"),
        ("pidfd of init", "os.pidfd_open(1)"),
        ("CPU placement", "os.sched_setaffinity(0, {0})"),
        ("scheduling", "os.nice(-1)"),
        ("system V memory", "LIBC.shmget(0, 4096, 0o1600)"),
        ("abort", "os.abort()"),
    ],
)
def test_a_call_that_is_not_listed_kills(inside: Inside, technique: str, source: str) -> None:
    """The usual ways to gain something, by the functions that people know."""
    assert inside(source).status == KILLED, technique
