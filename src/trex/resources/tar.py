"""Tar archives as a stream: one member after the other, and what is no member that we extract.

Owns:      headers (POSIX ustar and pax, GNU, and the oldest form), their checks and bounds.
Relies on: an iterator of blocks; nothing is ever sought, so a pipe would do.
Never:     touches a file, resolves a name, or keeps more than one block and one extended header.

An archive is a sequence of 512-byte headers, each followed by as many bytes as it says, filled up
to 512. What does not fit a header comes in a header of its own before it: a long name (GNU `L`,
`K`), or records of `key=value` (pax `x`; `g` for all that follow). Two headers of zeros end it.

Tools disagree about malformed archives, and what one lists another extracts. So nothing is guessed
here: a header that is not exactly what it should be, a directory with content, or anything behind
the end fails, and the failure says at which member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trex.host.paths import PATH_MAX, decode
from trex.resources import failures
from trex.resources.compressed import cut_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.errors import OperationError

MAX_MEMBERS = 200_000
MAX_EXTENDED = 1 << 20  # bytes of one extended header
MAX_SIZE = (1 << 63) - 1

_HEADER = 512
_ZEROS = bytes(_HEADER)
_SPARSE = "GNU.sparse"
_SECOND = 1_000_000_000
_MAX_TIME = 1 << 33  # seconds: to the year 2242, beyond what most file systems take

_FILES = frozenset("0\0007")  # the last one is a file in one piece, on systems that had such

# What extended headers may say that matters here; the rest (attributes, comments) is not kept.
_KEPT = frozenset(("path", "size", "mtime", "uname", "gname"))

_REFUSED = {
    "1": "a hard link",
    "2": "a symbolic link",
    "3": "a character device",
    "4": "a block device",
    "6": "a FIFO",
    "S": "a sparse file",
    "M": "a part of a file that began in another archive",
    "V": "a volume's label",
    "D": "a directory with a list of what it held",
}


class Member:
    """A file or directory of an archive.

    name:        as the archive has it, not judged in any way.
    number:      counted from 1.
    modified:    nanoseconds since 1970.
    user, group: names; empty where the archive has none.
    """

    __slots__ = ("group", "is_directory", "mode", "modified", "name", "number", "size", "user")

    def __init__(self, number: int, name: bytes, is_directory: bool, size: int, header: _Header) -> None:
        self.number, self.name, self.is_directory, self.size = number, name, is_directory, size
        self.mode, self.modified = header.mode, header.modified
        self.user, self.group = header.user, header.group

    @property
    def shown(self) -> str:
        """The name for an error's text."""
        return decode(self.name)


class MemberRefused(Exception):
    """This member is not extracted, whoever asks.

    failure: what the script sees of it, without the member.
    """

    def __init__(self, number: int, name: bytes, failure: OperationError) -> None:
        super().__init__(number, name)
        self.number, self.name, self.failure = number, name, failure

    @property
    def shown(self) -> str:
        """The name for an error's text."""
        return decode(self.name)


class Archive:
    """The members of one archive, in its order; each may be read until the next one is asked for."""

    __slots__ = ("_checked", "_content", "_padding", "_stream")

    def __init__(self, blocks: Iterator[bytes], checked: bool) -> None:
        """checked: the blocks cannot end early unnoticed, so that the two headers of zeros may be missing."""
        self._stream, self._checked = _Stream(blocks), checked
        self._content = self._padding = 0  # of the current member, what has not been read yet

    def __iter__(self) -> Iterator[Member]:
        number = 0
        common: dict[str, bytes] = {}  # of global extended headers
        while True:
            special: dict[str, bytes] = {}  # of headers that speak of the next member
            while True:
                self._skip()
                raw = self._stream.read(_HEADER)
                if raw == _ZEROS or not raw:
                    if special:
                        raise _malformed(number + 1, "a long name or extended header without a member")
                    self._end(bool(raw) or (self._checked and number > 0))
                    return
                header = _Header(raw, number + 1)
                if header.type == "g":
                    common |= _records(self._extended(header, number + 1), number + 1)
                    if "path" in common or "size" in common:
                        raise _malformed(number + 1, "one name or size for all members")
                elif header.type == "x":
                    special |= _records(self._extended(header, number + 1), number + 1)
                elif header.type in ("L", "K"):
                    text = self._extended(header, number + 1).rstrip(b"\0")
                    if header.type == "L":
                        special["path"] = text
                else:
                    break
            number += 1
            if number > MAX_MEMBERS:
                raise failures.failure("ValidationError", f"Validation error: more than {MAX_MEMBERS} members")
            yield self._member(header, common | special, number)

    def content(self) -> Iterator[memoryview]:
        """The content of the current member."""
        while self._content:
            piece = self._stream.piece(self._content)
            self._content -= len(piece)
            yield piece

    def _member(self, header: _Header, extended: dict[str, bytes], number: int) -> Member:
        header.extend(extended, number)
        name = header.name
        is_directory = header.type == "5" or (header.type in _FILES and name.endswith(b"/"))
        if not is_directory and header.type not in _FILES:
            what = _REFUSED.get(header.type, f"of an unknown kind ({header.type!r})")
            raise MemberRefused(number, name, failures.unsupported(f"{what} is not extracted"))
        if _SPARSE in extended:
            raise MemberRefused(number, name, failures.unsupported("a sparse file is not extracted"))
        if is_directory and header.size:
            raise _malformed(number, "a directory with content")
        self._content = header.size
        self._padding = -header.size % _HEADER
        return Member(number, name, is_directory, header.size, header)

    def _extended(self, header: _Header, number: int) -> bytes:
        if header.size > MAX_EXTENDED:
            raise _malformed(number, f"an extended header of {header.size} bytes")
        data = self._stream.read(header.size)
        if len(data) < header.size:
            raise cut_off()
        self._padding = -header.size % _HEADER
        return data

    def _skip(self) -> None:
        """Leave the current member: what was not read of it, and what fills it up."""
        for _ in self.content():
            pass
        while self._padding:
            self._padding -= len(self._stream.piece(self._padding))

    def _end(self, marked: bool) -> None:
        """Nothing may follow: members behind the end would not be extracted, and nobody would know."""
        if not marked:
            raise cut_off()
        for block in self._stream.rest():
            if block.count(0) != len(block):
                raise failures.failure("IoError", "invalid tar archive: something follows its end")


class _Stream:
    """Bytes in the order they come, in pieces of the size that is asked for."""

    __slots__ = ("_block", "_blocks", "_position")

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._position = 0

    def _fill(self) -> bool:
        while self._position >= len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._block, self._position = block, 0
        return True

    def read(self, size: int) -> bytes:
        """So many bytes; nothing at the end. An end in the middle fails."""
        start = self._position
        data = self._block[start : start + size]
        self._position = start + len(data)
        if len(data) == size:
            return data
        pieces = [data]
        missing = size - len(data)
        while missing and self._fill():
            piece = self._block[self._position : self._position + missing]
            self._position += len(piece)
            missing -= len(piece)
            pieces.append(piece)
        if missing and missing != size:
            raise cut_off()
        return b"".join(pieces)

    def piece(self, size: int) -> memoryview:
        """The next bytes, at most so many, at least one."""
        if not self._fill():
            raise cut_off()
        piece = memoryview(self._block)[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def rest(self) -> Iterator[bytes]:
        """All that is left."""
        while self._fill():
            block, start = self._block, self._position
            self._position = len(block)
            yield block[start:]


class _Header:
    """The fields of one header."""

    __slots__ = ("group", "mode", "modified", "name", "size", "type", "user")

    def __init__(self, raw: bytes, number: int) -> None:
        expected = _number(raw[148:156], "check sum", number)
        # The sum is over the header with blanks in its place; some old tools sum signed bytes.
        total = sum(raw) - sum(raw[148:156]) + 8 * 0x20
        if total != expected and total - 256 * sum(byte > 127 for byte in raw[:148] + raw[156:]) != expected:
            raise _malformed(number, "its check sum is wrong")
        self.name = _text(raw[0:100])
        self.mode = _number(raw[100:108], "mode", number) & 0o7777
        self.size = _number(raw[124:136], "size", number)
        self.modified = _number(raw[136:148], "time", number, signed=True) * _SECOND
        self.type = chr(raw[156])
        self.user = self.group = ""
        magic = raw[257:265]
        if magic.startswith(b"ustar"):
            self.user, self.group = decode(_text(raw[265:297])), decode(_text(raw[297:329]))
            if magic.startswith(b"ustar\0") and (prefix := _text(raw[345:500])):
                self.name = prefix + b"/" + self.name

    def extend(self, records: dict[str, bytes], number: int) -> None:
        """Let extended headers say what does not fit into this one, and judge what it says now.

        A record without a value takes back what an earlier one said.
        """
        records = {key: value for key, value in records.items() if value}
        if "path" in records:
            self.name = records["path"]
        if "size" in records:
            if not records["size"].isdigit() or len(records["size"]) > 20:
                raise _malformed(number, "its size is no number")
            self.size = int(records["size"])
        if "mtime" in records:
            self.modified = _time(records["mtime"], number)
        if "uname" in records:
            self.user = decode(records["uname"])
        if "gname" in records:
            self.group = decode(records["gname"])
        if self.size > MAX_SIZE:
            raise _malformed(number, "its size is out of range")
        if abs(self.modified) > _MAX_TIME * _SECOND:
            raise _malformed(number, "its time is out of range")
        if not self.name or b"\0" in self.name or len(self.name) >= PATH_MAX:
            raise _malformed(number, "its name is empty, too long, or has a NUL byte")


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes, what: str, number: int, signed: bool = False) -> int:
    """A number in octal digits, or in base 256 if the first bit is set."""
    first = field[0]
    if first == 0x80:
        return int.from_bytes(field[1:], "big")
    if first == 0xFF and signed:
        return int.from_bytes(field, "big", signed=True)
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if len(digits.strip(b"01234567")):
        raise _malformed(number, f"its {what} is no number")
    return int(digits, 8)


def _records(data: bytes, number: int) -> dict[str, bytes]:
    """The records of a pax header: `length key=value`, each ending in a newline."""
    records: dict[str, bytes] = {}
    position = 0
    while position < len(data):
        blank = data.find(b" ", position, position + 12)
        digits = data[position : max(blank, position)]
        end = position + int(digits) if digits.isdigit() else 0
        key, equals, value = data[blank + 1 : end - 1].partition(b"=")
        # The end is behind the blank, so that every record is a step forward.
        if not blank + 2 < end <= len(data) or not key or not equals or data[end - 1 : end] != b"\n":
            raise _malformed(number, "an extended header that does not parse")
        name = decode(key)
        if name.startswith(_SPARSE):
            records[_SPARSE] = value
        elif name in _KEPT:
            records[name] = value
        position = end
    return records


def _time(text: bytes, number: int) -> int:
    """Seconds with a fraction, such as `-1.5`, in nanoseconds."""
    negative = text.startswith(b"-")
    whole, _, fraction = text.removeprefix(b"-").partition(b".")
    if not whole.isdigit() or len(whole) > 12 or (fraction and not fraction.isdigit()):
        raise _malformed(number, "its time is no number")
    nanoseconds = int(whole) * _SECOND + int(fraction[:9].ljust(9, b"0") or b"0")
    return -nanoseconds if negative else nanoseconds


def _malformed(number: int, what: str) -> OperationError:
    return failures.failure("IoError", f"invalid tar archive, member {number}: {what}")
