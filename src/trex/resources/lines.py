"""Which lines of a file: from the start, from the end, or around a line.

Owns:      the meaning of `count` and `start`.
Relies on: `Content` for lines and bounds.
Never:     keeps more lines than the result may hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trex.errors import OperationError

if TYPE_CHECKING:
    from trex.resources.content import Content


def selected(content: Content, count: int | None, start: int | None) -> list[str]:
    """The lines that `count` and `start` choose.

    count > 0: so many from line `start` (1 if not given). count < 0: so many that end with line
    `start` (the last one if not given, or if there are fewer lines). No count: all from `start`.
    """
    if count is None and start is None:
        raise OperationError("IoErrorKind", "InvalidArguments", "Invalid arguments: No read line mode specified")
    if count == 0:
        return []
    if count is None or count > 0:
        return _from(content, start or 1, count)
    return [content.kept(content.decoded(line)) for line in content.last_lines(-count, start)]


def _from(content: Content, start: int, count: int | None) -> list[str]:
    kept: list[str] = []
    for number, line in enumerate(content.lines(), 1):
        if number >= start:
            kept.append(content.kept(line))
            if count is not None and len(kept) == count:
                break
    return kept
