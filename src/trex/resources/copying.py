"""One regular file copied into another: by path and by handle.

Owns:      the sequence of checks of `cp` and `copy`, and the way of a content into its destination.
Relies on: `trex.host.copying` for the bytes, `trex.host.changes` for the step that publishes them.
Never:     leaves a part of a content under the destination's name, unless no other file can take its
           place; what was written is then said exactly.

A destination that exists is replaced by a new file with its mode, owner and labels, in one step. It is
written in place where that cannot be: in a directory that this process may not write, or where the
file has several names, which are to go on showing the same content.
"""

from __future__ import annotations

import os
from errno import ENOENT
from stat import S_IMODE
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import Need
from trex.host import attributes, changes, copying, files
from trex.host.paths import Path, encode
from trex.resources import content, failures
from trex.resources.changed import CHMOD
from trex.resources.file_system import (
    CREATE,
    OPEN,
    READ,
    WRITE,
    Directory,
    File,
    check_regular,
    find_name,
    strict_directory,
)
from trex.resources.held import HeldFile
from trex.resources.named import PathArgument

if TYPE_CHECKING:
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor

_NEW_MODE = 0o666  # of a destination that is made; the umask applies


class Destination:
    """A name that gets a content: of a file that is there, or free.

    writable: the file that is there, open for writing: proof that this process may write it.
    """

    __slots__ = ("_gate", "_home", "_path", "_status", "_writable")

    def __init__(self, gate: Gate, home: Directory, path: Path, writable: Descriptor | None) -> None:
        self._gate, self._home, self._path, self._writable = gate, home, path, writable
        self._status = None if writable is None else files.status(writable)

    def must_be_empty(self) -> None:
        """Fail if there is a content that would be lost."""
        if self._status is not None and self._status.st_size:
            text = f"Destination file not empty: File: {self._path.text}, Size: {self._status.st_size} bytes"
            raise failures.failure("DestinationFileNotEmptyError", text)

    def permit_mode(self, source: os.stat_result) -> None:
        """Ask for the change of mode that comes with preserving it, if it is one."""
        mode = _NEW_MODE & ~files.umask() if self._status is None else S_IMODE(self._status.st_mode)
        if mode & attributes.PERMISSION_BITS != S_IMODE(source.st_mode) & attributes.PERMISSION_BITS:
            self._gate.permit(CHMOD, file_entity(self._path.text))

    def is_same(self, source: os.stat_result) -> bool:
        """Whether the source is the file that is there."""
        return self._status is not None and files.identity(self._status) == files.identity(source)

    def fill(self, source: Descriptor, preserve: bool) -> Descriptor | None:
        """Give it the content of the source; the file that has the name then, if that is another one."""
        if self._status is not None and self._status.st_nlink > 1:
            self._in_place(source, preserve)
            return None
        try:
            return self._replaced(source, preserve)
        except OSError as error:
            if error.errno not in content.IN_PLACE or self._writable is None:
                raise
        self._in_place(source, preserve)
        return None

    def _replaced(self, source: Descriptor, preserve: bool) -> Descriptor:
        home, name = self._home.descriptor, encode(self._path.name)
        new = changes.NewFile(home, _NEW_MODE if self._status is None else 0o600)
        try:
            before = files.status(source)
            copying.copy(source, new.descriptor, self._count)
            if self._status is not None and self._writable is not None:
                new.take_over(self._status, ownership=True)
                attributes.take_extended(new.descriptor, self._writable)
            if preserve:
                attributes.take_mode_and_times(new.descriptor, before)
            new.finish()
            if self._status is not None:
                new.publish_over(name, files.identity(self._status))
            elif not new.publish(name):
                raise FileExistsError(17, os.strerror(17))
            return content.by_name(home, name, new.descriptor)
        finally:
            new.discard()

    def _in_place(self, source: Descriptor, preserve: bool) -> None:
        assert self._writable is not None, "only what exists is written in place"
        number = self._writable.number
        before = files.status(source)
        written = 0

        def count(size: int) -> None:
            nonlocal written
            self._count(size)
            written += size

        content.reserve(number, os.fstat(number).st_size, before.st_size)
        try:
            size = copying.copy(source, self._writable, count, empty=False)
            os.ftruncate(number, size)
            if preserve:
                attributes.take_mode_and_times(self._writable, before)
            os.fsync(number)
        except OSError as error:
            if not written:
                raise
            raise failures.file_failed(
                f"its first {written} bytes were written over, then: {failures.os_text(error)}", self._path
            ) from error

    def _count(self, size: int) -> None:
        self._gate.budget.check_time()
        self._gate.budget.write(size)


# --- by path ---


class Copy:
    """A file that may be copied to a destination."""

    __slots__ = ("_destination", "_source")

    def __init__(self, source: Descriptor, destination: Destination) -> None:
        self._source, self._destination = source, destination

    def copy(self, preserve: bool) -> None:
        """Do it."""
        if not self._destination.is_same(files.status(self._source)):
            self._destination.fill(self._source, preserve)


class TargetName(PathArgument):
    """The path that something is copied or moved to; judged together with what goes there."""

    kind = "destination"
    sample = "/sample/target"

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> Path:
        return argument


class FileToCopy(PathArgument):
    """A file to copy, and where to. No symbolic link anywhere on the way."""

    kind = "source"
    uses = ("flags", "target")
    needs = (
        Need(OPEN, "Dir", "the directory that holds the source"),
        Need(OPEN, "File", "the source"),
        Need(OPEN, "Dir", "the directory that holds the destination"),
        Need(OPEN, "File", "the destination"),
        Need(CREATE, "File", "the destination"),
        Need(READ, "File", "the source"),
        Need(WRITE, "File", "the destination"),
        Need(CHMOD, "File", "the destination", "with `preserve`, where that changes its permissions"),
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> Copy:
        flags, target = used
        source, status, path = _strictly_opened(gate, argument, writing=False)
        if source is None or status is None:
            raise FileNotFoundError(ENOENT, "")
        home, at, found = _destination_found(gate, target)
        entity = file_entity(at.text)
        gate.permit(READ, file_entity(path.text))
        gate.permit(WRITE, entity)
        readable = files.reopen(source, os.O_RDONLY)
        writable = None if found is None else files.reopen(found, os.O_WRONLY)
        destination = Destination(gate, home, at, writable)
        if not flags.force:
            destination.must_be_empty()
        if flags.preserve:
            destination.permit_mode(status)
        return Copy(readable, destination)


def _strictly_opened(
    gate: Gate, argument: Path, writing: bool
) -> tuple[Descriptor | None, os.stat_result | None, Path]:
    directory = strict_directory(argument.parent, gate.permit(OPEN, directory_entity(argument.parent.text)))
    path = directory.path.child(argument.name)
    found = find_name(directory, path, gate.permit(OPEN, file_entity(path.text)))
    if found is None:
        return None, None, path
    check_regular(found[1], path, writing)
    return found[0], found[1], path


def _destination_found(gate: Gate, target: Path) -> tuple[Directory, Path, Descriptor | None]:
    home = strict_directory(target.parent, gate.permit(OPEN, directory_entity(target.parent.text)))
    at = home.path.child(target.name)
    entity = file_entity(at.text)
    opening = gate.permit(OPEN, entity)
    gate.permit(CREATE, entity)
    found = find_name(home, at, opening)
    if found is None:
        return home, at, None
    check_regular(found[1], at, writing=True)
    return home, at, found[0]


# --- by handle ---


class OpenedToCopy(HeldFile):
    """An open file to copy."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> File:
        gate.permit(READ, argument.entity)
        if not argument.readable:
            raise failures.not_opened_for("read", argument.path)
        argument.check_place()
        argument.page = 0
        return argument


class ReceivingFile:
    """An open file that gets the content of another one."""

    __slots__ = ("_file", "_gate")

    def __init__(self, file: File, gate: Gate) -> None:
        self._file, self._gate = file, gate

    def receive(self, source: File, force: bool, preserve: bool) -> File:
        """Copy the source into it. The handle then stands for the file that has the content."""
        file = self._file
        file.home.check_place()
        destination = Destination(self._gate, file.home, file.path, file.descriptor)
        if not force:
            destination.must_be_empty()
        status = files.status(source.descriptor)
        if preserve:
            destination.permit_mode(status)
        if not destination.is_same(status):
            new = destination.fill(source.descriptor, preserve)
            if new is not None:
                file.take(new)
        file.page = 0
        return file


class OpenedToReceive(HeldFile):
    """An open file that gets a content."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> ReceivingFile:
        gate.permit(WRITE, argument.entity)
        if not argument.writable:
            raise failures.not_opened_for("write", argument.path)
        argument.check_place()
        return ReceivingFile(argument, gate)


SourceCopied = Annotated[Copy, FileToCopy()]
Target = Annotated[Path, TargetName()]
FileCopied = Annotated[File, OpenedToCopy(Need(READ, "File", "the file"))]
FileReceiving = Annotated[
    ReceivingFile,
    OpenedToReceive(
        Need(WRITE, "File", "the destination"),
        Need(CHMOD, "File", "the destination", "with `preserve`, where that changes its permissions"),
    ),
]
