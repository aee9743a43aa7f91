"""Raw system calls that Python does not offer, for locking a process.

Owns:      the C library handle of this package and the numbers of the calls made with it.
Relies on: ctypes; the calls below take integers and buffers of ours only.
Never:     is used after the lock: the filter refuses every one of these calls.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Numbers differ between architectures only for calls older than 2019 (Linux 5.0).
_NUMBERS = {
    "x86_64": {"rt_sigaction": 13, "capget": 125, "capset": 126, "setns": 308, "seccomp": 317, "execveat": 322},
    "aarch64": {"capget": 90, "capset": 91, "rt_sigaction": 134, "setns": 268, "seccomp": 277, "execveat": 281},
}
_COMMON = {
    "close_range": 436,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}

MACHINE = os.uname().machine
CALLS: dict[str, int] = {**_NUMBERS.get(MACHINE, {}), **_COMMON}

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_prctl = _libc.prctl
_prctl.restype = ctypes.c_int
_prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]

PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_GET_SECCOMP = 21
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


def call(name: str, *arguments: int | bytes | ctypes.Array[Any]) -> int:
    """Make a system call of `CALLS`. Raises `OSError` as the functions of `os` do.

    Integers are passed as 64 bits: the variadic `syscall` would otherwise leave the upper half of
    its registers undefined. Buffers must outlive the call, which they do as arguments.
    """
    number = CALLS.get(name)
    if number is None:
        raise OSError(38, f"no number for {name} on {MACHINE}")  # ENOSYS
    plain = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result: int = _syscall(ctypes.c_long(number), *plain)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return result


def prctl(option: int, first: int = 0, second: int = 0, third: int = 0, fourth: int = 0) -> int:
    """Make a `prctl` call. Raises `OSError`."""
    result: int = _prctl(option, first, second, third, fourth)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), f"prctl {option}")
    return result


def close_range(first: int, last: int) -> None:
    """Close every descriptor from `first` to `last`, both included (Linux 5.9)."""
    call("close_range", first, last, 0)


def clear_environment() -> None:
    """Drop the C library's view of the environment."""
    _libc.clearenv()


_CAPABILITY_VERSION = 0x20080522  # two 32-bit words of each set


def capabilities() -> tuple[int, int, int]:
    """The effective, permitted and inheritable sets of this thread, as bit masks."""
    header = ctypes.create_string_buffer(_CAPABILITY_VERSION.to_bytes(4, "little") + bytes(4), 8)
    data = ctypes.create_string_buffer(24)
    call("capget", header, data)
    words = [int.from_bytes(data.raw[at : at + 4], "little") for at in range(0, 24, 4)]
    effective, permitted, inheritable = (words[at] | words[at + 3] << 32 for at in range(3))
    return effective, permitted, inheritable


def drop_capabilities() -> None:
    """Empty the effective, permitted and inheritable sets. Nobody needs a privilege for that."""
    header = ctypes.create_string_buffer(_CAPABILITY_VERSION.to_bytes(4, "little") + bytes(4), 8)
    call("capset", header, ctypes.create_string_buffer(24))
