"""Parts of sequences, as library functions are told them: a start and a length, or a range.

Owns:  how negative, too large and empty parts are understood.
Never: touches a sequence.

A negative start counts from the end, and is the beginning where it goes beyond it. Ranges never count
from the end. Nothing here is an error.
"""

from __future__ import annotations

from trex.languages.rhai.values import Range
from trex.values import INT_MAX


def offset(length: int, start: int) -> int:
    """Where a sequence of this length is entered: 0..length."""
    if start >= 0:
        return start if start < length else length
    start += length
    return start if start > 0 else 0


def part(length: int, start: int, count: int) -> tuple[int, int]:
    """Start and end of a part; the end is the start where nothing is meant."""
    if start < 0:
        start += length
        if start < 0:
            start = 0
    elif start > length:
        start = length
    if count <= 0:
        return start, start
    end = start + count
    return start, end if end < length else length


def spread(span: Range) -> tuple[int, int]:
    """A range as start and length. An inclusive range that ends before its start covers one element."""
    start = max(span.start, 0)
    end = max(span.end, start)
    if span.inclusive:
        return start, min(end, INT_MAX - 1) - start + 1
    return start, end - start


def spread_exactly(span: Range) -> tuple[int, int]:
    """Like `spread`, but an inclusive range that ends before its start covers nothing."""
    start = max(span.start, 0)
    if span.inclusive:
        return start, min(max(span.end, start - 1), INT_MAX - 1) - start + 1
    return start, max(span.end, start) - start
