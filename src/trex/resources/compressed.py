"""Gzip data, block by block: what is packed in it, and packing.

Owns:      members one after the other, their headers and checks, and what is no gzip data.
Relies on: zlib for a member; the content that is unpacked for blocks and the budget.
Never:     ends without a word where the data does; keeps more than one block; goes on after the
           deadline. What comes out is bounded by whoever keeps it, and Deflate itself makes at most
           1032 bytes of one.

A gzip file is a sequence of members (RFC 1952, 2.2), as appending to a compressed log makes it.
After the last one only zeros may follow, which tapes and block devices add.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from trex.resources import failures
from trex.resources.content import BLOCK, Content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.errors import OperationError

MAGIC = b"\x1f\x8b"

_GZIP = 16 + zlib.MAX_WBITS  # with zlib's reading of headers and checks
_HEADER, _TRAILER = 10, 8  # bytes, without a name

# Input goes to zlib in small pieces: what follows the end of a member is copied by zlib each time,
# and a file of nothing but tiny members would have it copied over and over.
_PIECE = 32 * 1024


class Unpacked(Content):
    """What is packed in gzip data."""

    __slots__ = ("_packed",)

    def __init__(self, packed: Content) -> None:
        super().__init__(packed.budget)
        self._packed = packed

    def blocks(self) -> Iterator[bytes]:
        """All of it, block by block, through all members. Fails where the data is damaged or cut off."""
        member = zlib.decompressobj(_GZIP)
        in_member, finished = False, 0  # whether a member has begun, and how many have ended
        given = 0  # bytes of the member, to tell whether its header is complete
        for block in self._packed.blocks():
            for start in range(0, len(block), _PIECE):
                data = block[start : start + _PIECE]
                while data:
                    if not in_member:
                        if finished:
                            data = data.lstrip(b"\0")
                            if not data:
                                break
                        member, in_member, given = zlib.decompressobj(_GZIP), True, 0
                    given += len(data)
                    try:
                        unpacked = member.decompress(data, BLOCK)
                    except zlib.error as error:
                        raise _damaged(error, finished) from None
                    data = member.unconsumed_tail
                    if member.eof:
                        data, in_member = member.unused_data, False
                        finished += 1
                    self.budget.check_time()
                    if unpacked:
                        yield unpacked
        while in_member:  # zlib may hold back what it has unpacked until it is asked again
            unpacked = member.decompress(b"", BLOCK)
            if member.eof:
                return
            if not unpacked:
                raise _cut_off_in(member, given)
            yield unpacked
        if not finished:
            raise cut_off()


def packed(content: Content, level: int) -> Iterator[bytes]:
    """The content as one gzip member, block by block. Its header has no name and no time."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
    for block in content.blocks():
        if made := compressor.compress(block):
            yield made
    yield compressor.flush()


def _cut_off_in(member: zlib._Decompress, given: int) -> OperationError:
    """Whether the data ends in what is packed, or before or behind it: there it takes any eight bytes more."""
    if given >= _HEADER:
        try:
            member.decompress(bytes(_TRAILER))
        except zlib.error as error:
            if "incorrect" in str(error):
                return cut_off()
        if not member.eof:
            return failures.failure("IoError", "incomplete deflate stream")
    return cut_off()


def cut_off() -> OperationError:
    """The data ends before it is complete."""
    return failures.failure("IoError", "unexpected end of file")


def not_gzip() -> OperationError:
    return failures.failure("IoError", "invalid gzip header")


def _damaged(error: zlib.error, finished: int) -> OperationError:
    text = str(error)
    if "header" in text or "compression method" in text or "window size" in text:
        if finished:
            return failures.failure("IoError", f"invalid gzip header after {finished} complete members")
        return not_gzip()
    if "incorrect data check" in text or "incorrect length check" in text:
        return failures.failure("IoError", "corrupt gzip stream does not have a matching checksum")
    return failures.failure("IoError", "corrupt deflate stream")
