"""System calls of a process on its way to becoming another program.

Owns:      execution by descriptor, credentials, capabilities kept across a change of user, namespaces,
           rules of Landlock, a filter that is loaded from bytes.
Relies on: `kernel` for the calls; buffers that were made before the fork.
Never:     decides what a program may do: `trex.programs` does. A worker loads none of this.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from _signal import SIG_DFL, SIG_SETMASK, pthread_sigmask  # type: ignore[import-not-found]  # half of `signal`, without its enumerations
from _signal import signal as set_handler

from trex.isolation import kernel

PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT_RAISE = 2

_AT_EMPTY_PATH = 0x1000
_CLOSE_ON_EXEC = 0x4  # CLOSE_RANGE_CLOEXEC
_NEW_PIDS = 0x20000000  # CLONE_NEWPID
_RULE_PATH_BENEATH = 1
_SET_MODE_FILTER = 1
_CAPABILITY_VERSION = 0x20080522
# Kept by the C library for itself; its `posix_spawn` leaves the first one ignored in whatever it starts.
_INTERNAL_SIGNALS = [number for number in range(1, signal.NSIG) if number not in signal.valid_signals()]
_NO_ACTION = bytes(32)  # struct sigaction of the kernel: SIG_DFL, no flags, no mask
_SIGNALS = [int(number) for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]


class Texts:
    """An array of C strings that ends in NULL, ready before a fork."""

    __slots__ = ("array",)

    def __init__(self, texts: list[bytes]) -> None:
        self.array = (ctypes.c_char_p * (len(texts) + 1))(*texts, None)


def execute(program: int, arguments: Texts, environment: Texts) -> None:
    """Become the program that a descriptor is open on. Returns never, or raises `OSError`."""
    kernel.call("execveat", program, b"", arguments.array, environment.array, _AT_EMPTY_PATH)


def close_all_on_exec(first: int) -> None:
    """Let no descriptor from `first` on pass the next exec (Linux 5.11)."""
    kernel.call("close_range", first, 0xFFFFFFFF, _CLOSE_ON_EXEC)


def enter_pid_namespace(process: int) -> None:
    """Let the next child be born in the pid namespace of a process, by pidfd."""
    kernel.call("setns", process, _NEW_PIDS)


def default_signals() -> None:
    """What a program expects to find: every signal does what it does by default, and none is blocked."""
    for number in _SIGNALS:
        set_handler(number, SIG_DFL)
    for number in _INTERNAL_SIGNALS:
        kernel.call("rt_sigaction", number, _NO_ACTION, 0, 8)
    pthread_sigmask(SIG_SETMASK, ())


# --- credentials ---


def become(uid: int, gid: int, groups: list[int] | None, capabilities: int) -> None:
    """Take on a user and group; `groups` None leaves the further ones as they are.

    capabilities: a bit mask of those that survive the change and the exec.
    """
    if groups is not None:
        os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    if capabilities:
        kernel.prctl(PR_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)
    if capabilities:
        kernel.prctl(PR_SET_KEEPCAPS, 0)


def pass_on(capabilities: int) -> None:
    """Let exactly these capabilities pass an exec (inheritable and ambient). Raises `OSError` if one is not ours."""
    kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    effective, permitted, _ = kernel.capabilities()
    set_capabilities(effective | capabilities & permitted, permitted, capabilities)
    for number in range(64):
        if capabilities >> number & 1:
            kernel.prctl(kernel.PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number)


def set_capabilities(effective: int, permitted: int, inheritable: int) -> None:
    """Set the three sets of this thread, as bit masks."""
    header = ctypes.create_string_buffer(_CAPABILITY_VERSION.to_bytes(4, "little") + bytes(4), 8)
    sets = (effective, permitted, inheritable)
    words = [each & 0xFFFFFFFF for each in sets] + [each >> 32 for each in sets]
    kernel.call("capset", header, ctypes.create_string_buffer(struct.pack("=6I", *words), 24))


def bound(keep: int) -> None:
    """Take every other capability out of what this process and its children can ever get. Needs CAP_SETPCAP."""
    for number in range(64):
        if not keep >> number & 1:
            try:
                kernel.prctl(kernel.PR_CAPBSET_DROP, number)
            except OSError as error:
                if error.errno == 22:  # EINVAL: a capability that this kernel does not have
                    return
                raise


# --- Landlock and seccomp ---


def make_ruleset(files: int, network: int, scopes: int) -> int:
    """A descriptor of a ruleset that handles these rights. Raises `OSError`."""
    attributes = struct.pack("=3Q", files, network, scopes)
    # An older kernel refuses a structure that is longer than its own, unless the rest is zero.
    return kernel.call("landlock_create_ruleset", attributes, len(attributes), 0)


def allow(ruleset: int, place: int, rights: int) -> None:
    """Add a rule: these rights on what the descriptor `place` is open on, and on all below a directory."""
    kernel.call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, place), 0)


class LoadableFilter:
    """A filter program with its structure, ready before a fork."""

    __slots__ = ("_program", "_structure")

    def __init__(self, code: bytes) -> None:
        self._program = ctypes.create_string_buffer(code, len(code))
        self._structure = struct.pack("=H6xQ", len(code) // 8, ctypes.addressof(self._program))

    def load(self) -> None:
        """Filter this process and its children, for good. Raises `OSError`."""
        kernel.call("seccomp", _SET_MODE_FILTER, 0, self._structure)
