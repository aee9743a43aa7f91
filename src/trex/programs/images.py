"""What a file is as a program: a binary with its loader, or a script with its interpreter.

Owns:      the reading of `#!` lines and of ELF program headers, as the kernel reads them.
Relies on: a descriptor of the file that was authorized; nothing is opened here.
Never:     reads more than a few pages; believes an offset or a size that the file tells.

The attack this stops: the kernel opens an interpreter and a loader by name at the moment of the
exec. Known beforehand, the interpreter is opened and judged like the program itself and executed by
descriptor, and a confined program's loader is the only file that its rules let it execute.
"""

from __future__ import annotations

import os
import struct

from msgspec import Struct

_LINE = 256  # BINPRM_BUF_SIZE: what the kernel reads of a file to see what it is
_PATH_MAX = 4096
_HEADERS = 64  # program headers; a linker makes a dozen

_LOADER = 3  # PT_INTERP
_BLANK = b" \t"


class Script(Struct, frozen=True):
    """A file that begins with `#!`: its interpreter, and the one argument that may stand behind it."""

    interpreter: bytes
    argument: bytes | None


class Binary(Struct, frozen=True):
    """An ELF file: its loader, if it is linked dynamically, and the width of its addresses."""

    loader: bytes | None
    bits: int


class NoProgram(Exception):
    """The kernel would not execute this."""


def image(descriptor: int) -> Script | Binary | None:
    """What the file is; None for a format that only the kernel may know. Raises `NoProgram`."""
    beginning = os.pread(descriptor, _LINE, 0)
    if beginning.startswith(b"#!"):
        return _script(beginning)
    if beginning.startswith(b"\x7fELF"):
        return _binary(descriptor, beginning)
    return None


def _script(beginning: bytes) -> Script:
    line, end, _ = beginning[2:].partition(b"\n")
    if not end and len(beginning) == _LINE:
        # No end in sight: the last byte is not looked at, and at least the interpreter's name must be whole.
        line = line[:-1]
        if not any(each in line.lstrip(_BLANK) for each in b" \t\0"):
            raise NoProgram
    line = line.partition(b"\0")[0].strip(_BLANK)
    for at, byte in enumerate(line):
        if byte in _BLANK:
            return Script(line[:at], line[at:].lstrip(_BLANK) or None)
    if not line:
        raise NoProgram
    return Script(line, None)


def _binary(descriptor: int, beginning: bytes) -> Binary:
    if len(beginning) < 52 or beginning[4] not in (1, 2) or beginning[5] not in (1, 2):
        raise NoProgram
    wide = beginning[4] == 2
    order = "<" if beginning[5] == 1 else ">"
    if wide and len(beginning) < 64:
        raise NoProgram
    # e_phoff, e_phentsize, e_phnum
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), beginning, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", beginning, 54 if wide else 42)
    if size != (56 if wide else 32) or not 0 < count <= _HEADERS or table > 1 << 40:
        raise NoProgram
    headers = os.pread(descriptor, size * count, table)
    for at in range(0, len(headers) - size + 1, size):
        if struct.unpack_from(order + "I", headers, at)[0] == _LOADER:
            return Binary(_loader(descriptor, headers, at, order, wide), 64 if wide else 32)
    return Binary(None, 64 if wide else 32)


def _loader(descriptor: int, headers: bytes, at: int, order: str, wide: bool) -> bytes:
    if wide:
        (offset,) = struct.unpack_from(order + "Q", headers, at + 8)
        (length,) = struct.unpack_from(order + "Q", headers, at + 32)
    else:
        (offset,) = struct.unpack_from(order + "I", headers, at + 4)
        (length,) = struct.unpack_from(order + "I", headers, at + 16)
    if not 2 <= length <= _PATH_MAX or offset > 1 << 40:
        raise NoProgram
    path = os.pread(descriptor, length, offset)
    if len(path) != length or not path.endswith(b"\0"):
        raise NoProgram
    return path.partition(b"\0")[0]
