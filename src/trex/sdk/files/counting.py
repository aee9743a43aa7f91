"""Counting what a file holds, block by block.

Owns:      `WordCount` and the counting that `wc` and `counts` share.
Relies on: `Content` for blocks; nothing here takes a path.
Never:     keeps what it counted.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.resources.content import Content

_SPACES = b" \t\n\r\x0b\x0c"
# Every byte as a blank or an `x`: a word starts at each ` x`, which is counted without making the words.
_SHAPES = bytes(0x20 if byte in _SPACES else 0x78 for byte in range(256))


@CATALOGUE.record(map=(("line_count", "line_count"), ("word_count", "word_count"), ("byte_count", "byte_count")))
class WordCount(Struct, frozen=True):
    """What was counted in a file."""

    line_count: Annotated[int, "newline characters"]
    word_count: Annotated[int, "runs of anything but spaces, tabs and line ends"]
    byte_count: Annotated[int, "bytes"]


def counted_in(content: Content, words: bool = True) -> WordCount:
    """Lines, words and bytes; without `words`, which take the longest, there are none."""
    line_count = word_count = byte_count = 0
    in_word = False
    for block in content.blocks():
        line_count += block.count(b"\n")
        byte_count += len(block)
        if words:
            word_count += block.translate(_SHAPES).count(b" x")
            if not in_word and block[0] not in _SPACES:
                word_count += 1  # it starts with the block, and not in the last one
            in_word = block[-1] not in _SPACES
    return WordCount(line_count, word_count, byte_count)
