"""Several open files in one argument.

Owns:      the checks of an array of handles: each file is judged as if it came alone.
Relies on: the broker to put what it holds in the place of each handle.
Never:     passes over an element that is no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from trex.catalogue.declare import Need, Resource
from trex.resources import failures
from trex.resources.content import ReadableContent
from trex.resources.file_system import READ, File
from trex.resources.held import OpenedToRead

if TYPE_CHECKING:
    from trex.catalogue.access import Gate


class SeveralToRead(Resource):
    """An array of open files to read."""

    type = "array"
    many = True
    needs = (Need(READ, "File", "each file"),)
    sample: Any = ()

    def check(self, argument: list[Any]) -> list[File]:
        if not all(type(each) is File for each in argument):
            raise failures.invalid_arguments("Array with non-file-handle elements")
        return argument

    def acquire(self, gate: Gate, argument: list[File], *used: Any) -> list[ReadableContent]:
        return [OpenedToRead().acquire(gate, each) for each in argument]


FilesRead = Annotated[list[ReadableContent], SeveralToRead()]
