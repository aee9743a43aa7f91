"""Seccomp: a filter program made from the profile, for this architecture.

Owns:      the numbers of system calls, the assembly of the filter (classic BPF), loading it.
Relies on: the allow-list and its conditions in `profile`.
Never:     allows by default; lets a call of another architecture or of the x32 ABI through.

The program, top to bottom: kill unless the architecture is ours; kill x32 numbers; for each allowed
call, in the order of the profile, jump past its block unless the number is its own, check each
condition, allow or kill; give EPERM for the soft ones; kill.

A condition compares the two 32-bit halves of a 64-bit argument, after masking. Of an argument that
the kernel reads as an int, only the lower half is compared, because the upper one means nothing.
"""

from __future__ import annotations

import ctypes
import struct
import sys

from msgspec import Struct

from trex.isolation import kernel
from trex.isolation.profile import ALLOWED, SOFT, Argument, Call

# Numbers of the calls in the profile; a call that an architecture does not have is absent.
NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "mmap": 9, "mprotect": 10,
        "munmap": 11, "brk": 12, "mremap": 25, "madvise": 28, "socket": 41, "sendto": 44, "recvfrom": 45,
        "getcwd": 79, "readlink": 89, "restart_syscall": 219, "clock_gettime": 228, "clock_nanosleep": 230,
        "exit_group": 231, "openat": 257, "newfstatat": 262, "readlinkat": 267, "getrandom": 318, "statx": 332,
    },
    "aarch64": {
        "getcwd": 17, "openat": 56, "close": 57, "write": 64, "readlinkat": 78, "newfstatat": 79, "fstat": 80,
        "exit_group": 94, "clock_gettime": 113, "clock_nanosleep": 115, "restart_syscall": 128, "socket": 198,
        "sendto": 206, "recvfrom": 207, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226,
        "madvise": 233, "getrandom": 278, "statx": 291,
    },
}  # fmt: skip  # a table, several entries a line

# AUDIT_ARCH_*: ELF machine, 64 bits, little endian.
AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000

KILL_PROCESS = 0x80000000
ERRNO_EPERM = 0x00050000 | 1
ALLOW = 0x7FFF0000

# Classic BPF (linux/bpf_common.h): load a word of the call's data, mask it, compare it, return.
LOAD, AND, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
# struct seccomp_data: number, architecture, instruction pointer (8 bytes), six arguments (8 each).
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16

_SET_MODE_FILTER, _GET_ACTION_AVAILABLE = 1, 2


class Instruction(Struct, frozen=True):
    """One instruction; jumps count the instructions to skip."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0


def program(machine: str) -> list[Instruction]:
    """The filter for an architecture. Raises `KeyError` for one without a table."""
    numbers = NUMBERS[machine]
    lines = [
        Instruction(LOAD, ARCHITECTURE_AT),
        Instruction(JUMP_IF_EQUAL, AUDIT_ARCHITECTURES[machine], if_true=1),
        Instruction(RETURN, KILL_PROCESS),
        Instruction(LOAD, NUMBER_AT),
    ]
    if machine == "x86_64":
        # The same architecture value, other structures: a second door with its own numbers.
        lines += [Instruction(JUMP_IF_AT_LEAST, X32_BIT, if_false=1), Instruction(RETURN, KILL_PROCESS)]
    for call in ALLOWED:
        block = _conditions(call)
        lines += [Instruction(JUMP_IF_EQUAL, numbers[call.name], if_false=len(block)), *block]
    for name in SOFT:
        if name in numbers:
            lines += [Instruction(JUMP_IF_EQUAL, numbers[name], if_false=1), Instruction(RETURN, ERRNO_EPERM)]
    return [*lines, Instruction(RETURN, KILL_PROCESS)]


def _conditions(call: Call) -> list[Instruction]:
    """Check the arguments, then allow; the last line kills and every failed check jumps to it."""
    checks = [half for argument in call.arguments for half in _halves(argument)]
    lines: list[Instruction] = []
    left = sum(3 if mask != 0xFFFFFFFF else 2 for _, mask, _ in checks) + 1  # lines before the kill
    for offset, mask, value in checks:
        lines.append(Instruction(LOAD, offset))
        left -= 1
        if mask != 0xFFFFFFFF:
            lines.append(Instruction(AND, mask))
            left -= 1
        left -= 1
        lines.append(Instruction(JUMP_IF_EQUAL, value, if_false=left))
    lines.append(Instruction(RETURN, ALLOW))
    return [*lines, Instruction(RETURN, KILL_PROCESS)] if checks else lines


def _halves(argument: Argument) -> list[tuple[int, int, int]]:
    """Offset, mask and expected value of each half to compare; both architectures are little endian."""
    offset = ARGUMENTS_AT + 8 * argument.index
    keep = ~argument.ignore
    halves = [(offset, keep & 0xFFFFFFFF, argument.value & 0xFFFFFFFF)]
    if argument.bits == 64:
        halves.append((offset + 4, keep >> 32 & 0xFFFFFFFF, argument.value >> 32))
    return halves


def assemble(lines: list[Instruction]) -> bytes:
    """The program as an array of `struct sock_filter`."""
    return b"".join(struct.pack("=HBBI", line.code, line.if_true, line.if_false, line.value) for line in lines)


def unavailable() -> str | None:
    """Why this kernel or machine has no such filter; None where it has."""
    if kernel.MACHINE not in NUMBERS or sys.byteorder != "little":
        return f"no table of system calls for {kernel.MACHINE}"
    try:
        for action in (KILL_PROCESS, ERRNO_EPERM & 0xFFFF0000):
            kernel.call("seccomp", _GET_ACTION_AVAILABLE, 0, struct.pack("=I", action))
    except OSError as problem:
        return f"the kernel has no filter with the needed actions ({problem.strerror})"
    return None


class Filter:
    """An assembled filter, ready to be loaded; made before anything is taken away."""

    __slots__ = ("_program", "_structure", "size")

    def __init__(self) -> None:
        code = assemble(program(kernel.MACHINE))
        self.size = len(code) // 8
        self._program = ctypes.create_string_buffer(code, len(code))
        # struct sock_fprog: a 16-bit count, padding, a pointer.
        pointer = ctypes.addressof(self._program)
        self._structure = struct.pack("=H6xQ", self.size, pointer)

    def load(self) -> None:
        """Filter this process from now on, for good. Raises `OSError`."""
        kernel.call("seccomp", _SET_MODE_FILTER, 0, self._structure)


_prepared: Filter | None = None


def prepared() -> Filter:
    """The filter, assembled once in the life of a process and inherited by its children."""
    global _prepared
    if _prepared is None:
        _prepared = Filter()
    return _prepared
