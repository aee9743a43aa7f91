"""Proof from inside: each layer is tried after the lock, not assumed from calls that succeeded.

Owns:      what counts as proof of each layer, and what a kernel offers before any lock.
Relies on: being called in the process that is locked, before (`before_filter`) and after
           (`after_filter`) the filter of system calls.
Never:     changes anything; a probe that succeeds in doing what it must not raises `Unproven`.
"""

from __future__ import annotations

import _socket
import fcntl
import os

from trex.isolation import kernel, landlock, rlimits, seccomp
from trex.isolation.profile import SOCKET

_EPERM, _EBADF, _EACCES = 1, 9, 13
# The kernel has closed every descriptor but one by range; the first hundred are tried one by one.
_TRIED_DESCRIPTORS = 100


class Unproven(Exception):
    """A layer was put in place and yet does not hold."""


def only_the_socket_is_open() -> None:
    """Try to use each of the lowest descriptors."""
    for descriptor in range(_TRIED_DESCRIPTORS):
        try:
            fcntl.fcntl(descriptor, fcntl.F_GETFD)
        except OSError as problem:
            if problem.errno == _EBADF and descriptor != SOCKET:
                continue
            raise Unproven(f"descriptor {descriptor}: {problem.strerror}") from None
        if descriptor != SOCKET:
            raise Unproven(f"descriptor {descriptor} is open")


def environment_is_empty() -> None:
    """Look where this process and its C library would look."""
    if os.environ:
        raise Unproven("the environment has variables")


def session_is_its_own() -> None:
    """A session leader without a controlling terminal, in the root directory."""
    if os.getsid(0) != os.getpid():
        raise Unproven("the session is somebody else's")


def is_nobody_special() -> None:
    """No uid or gid of root, no supplementary groups of root's."""
    if 0 in os.getresuid() or 0 in os.getresgid():
        raise Unproven("a user or group id is 0")


def has_no_capability() -> None:
    """Ask the kernel for the three sets."""
    if any(kernel.capabilities()):
        raise Unproven("a capability is left")


def is_undumpable() -> None:
    """Ask the kernel; a core file or ptrace would need 1."""
    if kernel.prctl(kernel.PR_GET_DUMPABLE) != 0:
        raise Unproven("the process is dumpable")


def gains_no_privileges() -> None:
    """Ask the kernel."""
    if kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS) != 1:
        raise Unproven("no_new_privs is not set")


def limits_hold(limits: dict[str, int]) -> None:
    """Read every limit back."""
    loose = rlimits.is_set(limits)
    if loose is not None:
        raise Unproven(f"{loose} is not what was set")


def files_are_denied() -> None:
    """Try to list the root directory, which anybody may without Landlock."""
    _denied("/", os.O_RDONLY | os.O_DIRECTORY, _EACCES)


def system_calls_are_filtered() -> None:
    """Try an open and a socket: not reached any more, whatever other layers would say."""
    _denied("/", os.O_RDONLY | os.O_DIRECTORY, _EPERM)
    try:
        _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    except OSError as problem:
        if problem.errno == _EPERM:
            return
        raise Unproven(f"a socket: {problem.strerror}") from None
    raise Unproven("a socket can be made")


def _denied(path: str, flags: int, expected: int) -> None:
    try:
        os.open(path, flags)
    except OSError as problem:
        if problem.errno == expected:
            return
        raise Unproven(f"opening {path}: {problem.strerror}") from None
    raise Unproven(f"{path} can be opened")


def kernel_report() -> list[tuple[str, str, str]]:
    """What this kernel and user offer: layer, `"available"` or `"missing"`, detail.

    For people and for a first look; what counts is the proof that each worker gives.
    """
    return [
        ("descriptors", *_tried(lambda: kernel.close_range(0xFFFFFFFF, 0xFFFFFFFF), "close_range")),
        ("environment", "available", "always"),
        ("session", "available", "always"),
        ("limits", *_tried(rlimits.memory_in_use, "resource limits, measured from /proc")),
        ("user", *_user()),
        ("capabilities", *_tried(kernel.capabilities, "capget, capset")),
        ("undumpable", "available", "always"),
        ("parent", *_tried(lambda: os.close(os.pidfd_open(os.getpid())), "parent-death signal, pidfd")),
        ("no_new_privileges", *_tried(lambda: kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS), "prctl")),
        ("landlock", *_landlock()),
        ("seccomp", *_seccomp()),
    ]


def _tried(attempt: object, detail: str) -> tuple[str, str]:
    try:
        attempt()  # type: ignore[operator]  # any callable
    except OSError as problem:
        return "missing", f"{detail}: {problem.strerror}"
    return "available", detail


def _user() -> tuple[str, str]:
    if 0 not in os.getresuid():
        return "available", f"workers run as uid {os.getuid()}, which started them"
    return "available", "workers run as a uid of the dynamic range, which owns nothing"


def _landlock() -> tuple[str, str]:
    try:
        return "available", f"abi {landlock.abi()}"
    except OSError as problem:
        hint = "switched off at boot (lsm=)" if problem.errno == 95 else "Linux 5.13 has it"
        return "missing", f"{problem.strerror}: {hint}"


def _seccomp() -> tuple[str, str]:
    reason = seccomp.unavailable()
    return ("missing", reason) if reason else ("available", f"{kernel.MACHINE}, allow-list of system calls")
