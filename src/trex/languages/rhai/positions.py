"""Positions in a script, as one number each.

Owns:  the packing: line times 2^20 plus column, both 1-based, columns counted in characters.
Never: knows what stands there.

0 means "no position". Generated code carries line and column in its own location table, so that a
running script pays nothing for them.
"""

from __future__ import annotations

COLUMN_BITS = 20
COLUMN_MASK = (1 << COLUMN_BITS) - 1
NOWHERE = 0


def pack(line: int, column: int) -> int:
    """The position of a line and a column."""
    return (line << COLUMN_BITS) | min(column, COLUMN_MASK)


def line_of(position: int) -> int | None:
    """The line, or None for `NOWHERE`."""
    return position >> COLUMN_BITS or None


def column_of(position: int) -> int | None:
    """The column, or None for `NOWHERE`."""
    return (position & COLUMN_MASK) or None


def describe(position: int) -> str:
    """` (line L, position C)`, or nothing for `NOWHERE`."""
    if not position:
        return ""
    return f" (line {position >> COLUMN_BITS}, position {position & COLUMN_MASK})"
