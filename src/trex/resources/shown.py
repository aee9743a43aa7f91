"""Files whose content is shown to a script: in full, or redacted where only that is permitted.

Owns:      the choice between the two, by path and by handle; files that are edited.
Relies on: `redaction` for what is shown of a file that may not be read.
Never:     gives a content for writing that was redacted: what is hidden would be lost.

`read` is asked for first. Only where it is denied is `redacted_read` asked for, and where that is
denied too the script sees the first denial.
"""

from __future__ import annotations

import os
from errno import ENOENT
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import file as file_entity
from trex.authorization.vocabulary import action
from trex.catalogue.declare import Need
from trex.errors import AccessDenied
from trex.host import files
from trex.host.paths import encode
from trex.resources import content, failures
from trex.resources.content import ReadableContent
from trex.resources.file_system import OPEN, READ, WRITE, Directory, File, check_regular, find_name, follow_directory
from trex.resources.held import HeldFile
from trex.resources.named import PathArgument
from trex.resources.redaction import RedactedContent, dictionary_itself

if TYPE_CHECKING:
    from trex.authorization.entities import Entity
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor
    from trex.host.paths import Path

REDACTED_READ = action("file_system", "redacted_read")

Shown = ReadableContent | RedactedContent


def is_shown_in_full(gate: Gate, entity: Entity) -> bool:
    """Whether the file may be read; False: only redacted. Raises the denial of `read` where neither is permitted."""
    reading = gate.ask(READ, entity)
    if not isinstance(reading, AccessDenied):
        return True
    if isinstance(gate.ask(REDACTED_READ, entity), AccessDenied):
        raise reading
    return False


def view(gate: Gate, descriptor: Descriptor, in_full: bool) -> Shown:
    """The content as it is shown."""
    whole = ReadableContent(descriptor, gate.budget)
    if in_full:
        return whole
    gate.redaction.load()
    if gate.redaction.is_itself(files.identity(files.status(descriptor))):
        raise dictionary_itself()
    return RedactedContent(whole, gate.redaction, gate.budget)


_SHOWN_NEEDS = (
    Need(READ, "File", "the file"),
    Need(REDACTED_READ, "File", "the file", "where `read` is not permitted; lines are then shown or replaced"),
)


class FileToShow(PathArgument):
    """A regular file that a command shows."""

    needs = (
        Need(OPEN, "Dir", "the directory that holds it, as given and as found"),
        Need(OPEN, "File", "the file"),
        *_SHOWN_NEEDS,
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> Shown:
        _, path, descriptor, _ = _opened(gate, argument)
        in_full = is_shown_in_full(gate, file_entity(path.text))
        return view(gate, files.reopen(descriptor, os.O_RDONLY), in_full)


def _opened(gate: Gate, argument: Path, writing: bool = False) -> tuple[Directory, Path, Descriptor, os.stat_result]:
    directory = follow_directory(argument.parent, gate)
    path = directory.path.child(argument.name)
    found = find_name(directory, path, gate.permit(OPEN, file_entity(path.text)))
    if found is None:
        raise FileNotFoundError(ENOENT, "")
    descriptor, status = found
    check_regular(status, path, writing)
    return directory, path, descriptor, status


class OpenedToShow(HeldFile):
    """An open file to show."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> Shown:
        in_full = is_shown_in_full(gate, argument.entity)
        if not argument.readable:
            raise failures.not_opened_for("read", argument.path)
        argument.check_place()
        argument.page = 0
        return view(gate, argument.descriptor, in_full)


# --- files that are edited ---


class EditedFile:
    """A regular file whose text is changed, or only shown changed."""

    __slots__ = ("_directory", "_gate", "_path", "_writable", "content")

    def __init__(
        self,
        content: Shown,
        gate: Gate,
        directory: Directory,
        path: Path,
        writable: Descriptor | None,
    ) -> None:
        self.content = content
        self._gate, self._directory, self._path, self._writable = gate, directory, path, writable

    def save(self, text: str) -> None:
        """Make this its content, if it is to be changed."""
        if self._writable is None:
            return
        data = text.encode()
        self._gate.budget.write(len(data))
        identity = files.identity(files.status(self._writable))
        home, name = self._directory.descriptor, encode(self._path.name)
        content.replace(home, name, identity, self._writable, data, self._path, ownership=True)


class FileToEdit(PathArgument):
    """A regular file that `sed` shows changed, or changes."""

    uses = ("flags",)
    needs = (
        Need(OPEN, "Dir", "the directory that holds it, as given and as found"),
        Need(OPEN, "File", "the file"),
        Need(READ, "File", "the file"),
        Need(REDACTED_READ, "File", "the file", "without `in_place`, where `read` is not permitted"),
        Need(WRITE, "File", "the file", "with `in_place`"),
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> EditedFile:
        (flags,) = used
        directory, path, descriptor, _ = _opened(gate, argument, writing=flags.in_place)
        entity = file_entity(path.text)
        if not flags.in_place:
            shown = view(gate, files.reopen(descriptor, os.O_RDONLY), is_shown_in_full(gate, entity))
            return EditedFile(shown, gate, directory, path, None)
        gate.permit(READ, entity)  # in full: what is written back must be all of it
        gate.permit(WRITE, entity)
        writable = files.reopen(descriptor, os.O_RDWR)
        return EditedFile(ReadableContent(writable, gate.budget), gate, directory, path, writable)


ShownFile = Annotated[Shown, FileToShow()]
FileShown = Annotated[Shown, OpenedToShow(*_SHOWN_NEEDS)]
FileEdited = Annotated[EditedFile, FileToEdit()]
