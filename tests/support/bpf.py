"""The kernel's machine for classic BPF, as far as filters of system calls use it: for architectures that are not this one."""

from __future__ import annotations

import struct

from trex.isolation.seccomp import Instruction


def verdict(lines: list[Instruction], number: int, arguments: tuple[int, ...] = (), architecture: int = 0) -> int:
    """What the kernel's machine would return for a system call."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *(value % 2**64 for value in padded))
    accumulator = at = 0
    while True:
        line = lines[at]
        at += 1
        if line.code == 0x20:
            accumulator = int.from_bytes(data[line.value : line.value + 4], "little")
        elif line.code == 0x54:
            accumulator &= line.value
        elif line.code == 0x15:
            at += line.if_true if accumulator == line.value else line.if_false
        elif line.code == 0x35:
            at += line.if_true if accumulator >= line.value else line.if_false
        else:
            assert line.code == 0x06
            return line.value
