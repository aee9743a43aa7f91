"""Open files that are read page by page.

Owns:      where the next page starts, which is a number beside the handle, not the kernel's position.
Relies on: a file that was authorized; the budget of the run.
Never:     moves on when a page could not be given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from trex.catalogue.declare import Need
from trex.host import files
from trex.resources import failures
from trex.resources.content import BLOCK, LINE, ReadableContent, split_lines
from trex.resources.file_system import READ, File
from trex.resources.held import HeldFile

if TYPE_CHECKING:
    from trex.catalogue.access import Gate


class PagedFile:
    """An open file whose next lines may be read."""

    __slots__ = ("_content", "_file")

    def __init__(self, file: File, content: ReadableContent) -> None:
        self._file, self._content = file, content

    def next(self, count: int) -> list[str]:
        """The next lines, at most so many; none at the end."""
        budget = self._content.budget
        start = position = self._file.page
        pieces: list[bytes] = []
        missing = count
        while missing and (block := files.read_at(self._file.descriptor, BLOCK, position)):
            budget.check_time()
            newlines = block.count(b"\n")
            if newlines >= missing:
                block = block[: _end_of_line(block, missing)]
                newlines = missing
            missing -= newlines
            position += len(block)
            pieces.append(block)
            self._content.check_held(position - start + (count - missing) * LINE)
        page = [self._content.kept(self._content.decoded(line)) for line in split_lines(b"".join(pieces))]
        self._file.page = position
        return page


def _end_of_line(block: bytes, number: int) -> int:
    """Where the line of that number ends, its end included; there are that many."""
    position = 0
    for _ in range(number):
        position = block.index(b"\n", position) + 1
    return position


class OpenedToPage(HeldFile):
    """An open file to read page by page."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> PagedFile:
        gate.permit(READ, argument.entity)
        if not argument.readable:
            raise failures.not_opened_for("read", argument.path)
        argument.check_place()
        return PagedFile(argument, ReadableContent(argument.descriptor, gate.budget))


FilePaged = Annotated[PagedFile, OpenedToPage(Need(READ, "File", "the file"))]
