"""An open file that gets a new content of any size, made piece by piece.

Owns:      the way of a stream into a file: aside first, then in the file's place.
Relies on: `trex.host.changes` for files that nobody sees until they are complete.
Never:     lets a reader see a part of the new content, unless no other file can take the place of
           this one; what was written is then said exactly.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

from trex.catalogue.declare import Need
from trex.host import attributes, changes, files
from trex.host.paths import encode
from trex.resources import content, failures
from trex.resources.file_system import WRITE, File
from trex.resources.held import HeldFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trex.catalogue.access import Gate
    from trex.resources.content import ReadableContent


class OutputFile:
    """An open file to fill."""

    __slots__ = ("_file", "_gate")

    def __init__(self, file: File, gate: Gate) -> None:
        self._file, self._gate = file, gate

    def fill(self, blocks: Iterable[bytes]) -> None:
        """Make this its content. The handle then stands for the file that has it."""
        file = self._file
        file.home.check_place()
        home, name = file.home.descriptor, encode(file.path.name)
        status = files.status(file.descriptor)
        try:
            new = changes.NewFile(home, 0o600)
        except OSError as error:
            if error.errno not in content.IN_PLACE:
                raise
            self._overwrite(blocks)
            return
        try:
            for block in blocks:
                self._gate.budget.write(len(block))
                new.write(block)
            new.finish()
            try:
                new.take_over(status, ownership=True)
                attributes.take_extended(new.descriptor, file.descriptor)
                new.publish_over(name, file.identity)
            except OSError as error:
                if error.errno not in content.IN_PLACE:
                    raise
                self._overwrite(_blocks_of(new))
                return
            file.take(content.by_name(home, name, new.descriptor))
        finally:
            new.discard()

    def _overwrite(self, blocks: Iterable[bytes]) -> None:
        number = self._file.descriptor.number
        written = 0
        try:
            for block in blocks:
                view = memoryview(block)
                while view:
                    count = os.pwrite(number, view, written)
                    written += count
                    view = view[count:]
            os.ftruncate(number, written)
            os.fsync(number)
        except OSError as error:
            if not written:
                raise
            raise failures.file_failed(
                f"its first {written} bytes were written over, then: {failures.os_text(error)}", self._file.path
            ) from error


def _blocks_of(new: changes.NewFile) -> Iterable[bytes]:
    position = 0
    while block := files.read_at(new.descriptor, content.BLOCK, position):
        position += len(block)
        yield block


class OpenedToFill(HeldFile):
    """An open file that gets what is made of another one."""

    uses = ("file",)

    def acquire(self, gate: Gate, argument: File, *used: Any) -> OutputFile:
        source: ReadableContent
        (source,) = used
        gate.permit(WRITE, argument.entity).require(WRITE, argument.path.text)
        if not argument.writable:
            raise failures.not_opened_for("write", argument.path)
        argument.check_place()
        if source.is_same(argument.descriptor):
            raise failures.invalid_arguments("the source and the destination are the same file")
        return OutputFile(argument, gate)


FileFilled = Annotated[OutputFile, OpenedToFill(Need(WRITE, "File", "the destination"))]
