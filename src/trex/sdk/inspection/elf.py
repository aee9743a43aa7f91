"""The ELF format, as far as it is asked for: program headers, notes, and text at an address.

Owns:      reading it in small pieces, and what is no such file.
Relies on: `ReadableContent` for bytes at a position and for the time that is left.
Never:     maps the file (one that is cut off meanwhile would end the process), believes a number
           in it without a bound, or keeps more than a few kilobytes.

A file says where its program headers are, and each of those where a segment is, in the file and in
memory. The notes of a core dump hold the auxiliary vector, in which the kernel told the program by
which path it was started; that is an address in the memory that the other segments hold.
"""

from __future__ import annotations

from struct import Struct, calcsize
from typing import TYPE_CHECKING

from trex.host.paths import decode
from trex.resources import failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.errors import OperationError
    from trex.resources.content import ReadableContent

MAX_HEADERS = 1 << 18  # four times as many as a process may have mappings
MAX_NOTES = 1 << 18
MAX_TEXT = 4096  # of a path, with its final NUL
_MAX_VECTOR = 64 * 1024

_LOAD, _INTERP, _NOTE = 1, 3, 4  # kinds of segments
_AUXV = 6  # a kind of note
_AT_NULL, _AT_PLATFORM, _AT_EXECFN = 0, 15, 31
_MANY = 0xFFFF  # the number of program headers is in the first section header


class Segment:
    """One segment: where it is in the file and in memory."""

    __slots__ = ("address", "in_file", "in_memory", "kind", "offset")

    def __init__(self, kind: int, offset: int, address: int, in_file: int, in_memory: int) -> None:
        self.kind, self.offset, self.address = kind, offset, address
        self.in_file, self.in_memory = in_file, in_memory


class Elf:
    """One ELF file. Raises `OperationError` where it is malformed."""

    def __init__(self, file: ReadableContent) -> None:
        self._file, self._size = file, file.size
        start = file.at(0, 64)
        if len(start) < 16:
            raise _malformed("Malformed entity: Too small")
        if start[:4] != b"\x7fELF":
            raise _malformed("it does not start as such a file does")
        if start[4] not in (1, 2) or start[5] not in (1, 2):
            raise _malformed("neither 32 nor 64 bits, or of no byte order")
        self.is_64bit = start[4] == 2
        order = "<" if start[5] == 1 else ">"
        self._word = Struct(order + ("QQ" if self.is_64bit else "II"))
        self._note = Struct(order + "III")
        self._segment = Struct(order + ("IIQQQQQQ" if self.is_64bit else "IIIIIIII"))
        # type, machine, version, entry, program headers, section headers, flags, and six sizes
        layout = order + ("HHIQQQIHHHHHH" if self.is_64bit else "HHIIIIIHHHHHH")
        if len(start) < 16 + calcsize(layout):
            raise _malformed("its header is cut off")
        header = Struct(layout).unpack_from(start, 16)
        self.kind: int = header[0]
        self._headers, sections, size, self._count = header[4], header[5], header[8], header[9]
        section_size, section_count = header[10], header[11]
        if section_count and sections + section_count * section_size > self._size:
            raise _malformed("its section headers are outside of the file")
        if self._count == _MANY:
            where = sections + (44 if self.is_64bit else 28)
            (self._count,) = Struct(order + "I").unpack(self._exactly(where, 4))
        if self._count > MAX_HEADERS:
            raise _malformed(f"it has {self._count} program headers")
        if self._count and size != self._segment.size:
            raise _malformed("its program headers are of another size")
        if self._count and self._headers + self._count * size > self._size:
            raise _malformed("its program headers are outside of the file")

    def segments(self) -> Iterator[Segment]:
        """All segments, in the order of their headers."""
        size = self._segment.size
        for first in range(0, self._count, 256):
            count = min(256, self._count - first)
            self._file.budget.check_time()
            block = self._exactly(self._headers + first * size, count * size)
            for fields in self._segment.iter_unpack(block):
                if self.is_64bit:
                    kind, _, offset, address, _, in_file, in_memory, _ = fields
                else:
                    kind, offset, address, _, in_file, in_memory, _, _ = fields
                yield Segment(kind, offset, address, in_file, in_memory)

    def interpreter(self) -> str | None:
        """The path of the loader that starts this program."""
        for segment in self.segments():
            if segment.kind == _INTERP:
                if segment.in_file > MAX_TEXT:
                    raise _malformed("the path of its interpreter is too long")
                return decode(self._exactly(segment.offset, segment.in_file).partition(b"\0")[0])
        return None

    def started_as(self) -> tuple[str | None, str | None]:
        """Of a core dump: the path that the program was started by, and the kind of processor."""
        execfn = platform = None
        for kind, address in self._vector():
            if kind == _AT_EXECFN:
                execfn = self._text(address)
            elif kind == _AT_PLATFORM:
                platform = self._text(address)
        return execfn, platform

    def _vector(self) -> list[tuple[int, int]]:
        for segment in self.segments():
            if segment.kind == _NOTE:
                found = self._vector_in(segment)
                if found is not None:
                    return found
        return []

    def _vector_in(self, notes: Segment) -> list[tuple[int, int]] | None:
        position, end = notes.offset, notes.offset + notes.in_file
        for number in range(MAX_NOTES):
            if not number & 0xFF:
                self._file.budget.check_time()
            if position + self._note.size > end:
                return None
            name_size, size, kind = self._note.unpack(self._exactly(position, self._note.size))
            content = position + self._note.size + (name_size + 3 & ~3)
            if kind == _AUXV:
                if size > _MAX_VECTOR:
                    raise _malformed("its auxiliary vector is too long")
                data = self._exactly(content, size - size % self._word.size)
                vector = []
                for entry in self._word.iter_unpack(data):
                    if entry[0] == _AT_NULL:
                        break
                    vector.append(entry)
                return vector
            position = content + (size + 3 & ~3)
        raise _malformed("it has too many notes")

    def _text(self, address: int) -> str | None:
        """The text at an address of the dumped memory, if the dump has it."""
        for segment in self.segments():
            inside = address - segment.address
            if segment.kind == _LOAD and 0 <= inside < segment.in_memory:
                if inside >= segment.in_file or segment.offset + inside >= self._size:
                    return None
                size = min(MAX_TEXT, segment.in_file - inside)
                text, end, _ = self._file.at(segment.offset + inside, size).partition(b"\0")
                return decode(text) if end else None
        return None

    def _exactly(self, position: int, size: int) -> bytes:
        data = self._file.at(position, size) if position + size <= self._size else b""
        if len(data) != size:
            raise _malformed("it is cut off")
        return data


def _malformed(what: str) -> OperationError:
    return failures.failure("ValidationError", f"Validation error: Failed to parse ELF file: {what}")
