"""One file moved: by path and by handle, on one file system or across.

Owns:      the sequence of checks of `mv` and `move`, and what a move across file systems consists of.
Relies on: `trex.host.moves` for the verified rename, `trex.host.copying` where it cannot be a rename.
Never:     replaces a file that the policy lets this script neither write nor delete; deletes a source
           before its copy is complete, verified and published.

Across file systems the file is copied with all its attributes, compared with the source, put in its
place in one step, and only then is the source removed, if it still is the file that was copied.
"""

from __future__ import annotations

import os
from errno import EACCES, ENOENT, EPERM, EXDEV
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import Need
from trex.errors import AccessDenied
from trex.host import attributes, changes, copying, files, moves
from trex.host.paths import Path, PathRefused, component, encode
from trex.resources import content, failures
from trex.resources.carried import MOVE, judge_file
from trex.resources.file_system import (
    CREATE,
    DELETE,
    OPEN,
    READ,
    STAT,
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
    from trex.host.files import Descriptor, Identity


class Place:
    """A name in an open directory, with the path that it was judged by and what stands there."""

    __slots__ = ("home", "identity", "path")

    def __init__(self, home: Directory, path: Path, identity: Identity | None) -> None:
        self.home, self.path, self.identity = home, path, identity

    def named(self) -> moves.Named:
        return moves.Named(self.home.descriptor, encode(self.path.name), self.identity)


class Move:
    """A file that may be moved.

    held: the file itself, however it is open; None where its content may not be read through it, so that
          it cannot go to another file system.
    """

    __slots__ = ("_gate", "_held", "_source", "_target")

    def __init__(self, gate: Gate, source: Place, target: Place, held: Descriptor | None) -> None:
        self._gate, self._source, self._target, self._held = gate, source, target, held

    def move(self, backup: bool, verbose: bool) -> Descriptor | None:
        """Do it. The result is the new file, where the move had to make one."""
        new = None
        try:
            moves.move(self._source.named(), self._target.named())
        except changes.Replaced:
            raise
        except OSError as error:
            if error.errno in (EACCES, EPERM):
                raise failures.invalid_path(failures.os_text(error)) from error
            if error.errno != EXDEV:
                raise self._failed() from error
            new = self._across(backup)
        if verbose:
            text = f"Moved from '{self._source.path.text}' to '{self._target.path.text}'"
            self._gate.report.log("INFO", text, self._gate.line)
        return new

    def _failed(self) -> Exception:
        source, target = self._source.path, self._target.path
        return failures.file_failed(f"Error moving file {source.name} from '{source.text}' to '{target.text}'", source)

    def _across(self, backup: bool) -> Descriptor | None:
        gate, source, target = self._gate, self._source, self._target
        gate.permit(READ, file_entity(source.path.text))
        if backup:
            gate.permit(STAT, file_entity(source.path.text))
        gate.permit(WRITE, file_entity(target.path.text))
        gate.permit(DELETE, file_entity(source.path.text))
        if self._is_link():
            self._link_across()
            return None
        if self._held is None:
            raise failures.not_opened_for("read", source.path)
        readable = files.reopen(self._held, os.O_RDONLY)
        home, name = target.home.descriptor, encode(target.path.name)
        new = changes.NewFile(home, 0o600)
        try:
            self._copy(readable, new.descriptor)
            new.finish()
            if target.identity is not None:
                new.publish_over(name, target.identity)
            elif not new.publish(name):
                raise FileExistsError(17, os.strerror(17))
            self._remove_source()
            return content.by_name(home, name, new.descriptor)
        finally:
            new.discard()

    def _is_link(self) -> bool:
        source = self._source.named()
        found = os.stat(source.name, dir_fd=source.directory.number, follow_symlinks=False)
        if files.identity(found) != source.identity:
            raise changes.Replaced
        return files.kind(found) == files.SYMLINK

    def _link_across(self) -> None:
        source, target = self._source.named(), self._target.named()
        text = os.readlink(source.name, dir_fd=source.directory.number)
        try:
            os.symlink(text, target.name, dir_fd=target.directory.number)
        except FileExistsError as error:
            raise self._failed() from error
        self._remove_source()

    def _copy(self, source: Descriptor, new: Descriptor) -> None:
        before = files.status(source)
        copying.copy(source, new, self._count)
        attributes.take_everything(new, source, before)
        after = files.status(source)
        same = (before.st_size, before.st_mtime_ns, before.st_ctime_ns) == (
            after.st_size,
            after.st_mtime_ns,
            after.st_ctime_ns,
        )
        if not same or copying.differ(source, new, lambda _: self._gate.budget.check_time()):
            raise failures.file_failed("it changed while it was copied; it was not moved", self._source.path)

    def _remove_source(self) -> None:
        source = self._source
        assert source.identity is not None, "it was there"
        try:
            changes.remove_file(source.home.descriptor, encode(source.path.name), source.identity)
        except OSError as error:
            reason = f"it was copied to {self._target.path.text}, but not removed: {failures.os_text(error)}"
            raise failures.file_failed(reason, source.path) from error

    def _count(self, size: int) -> None:
        self._gate.budget.check_time()
        self._gate.budget.write(size)


def _judged_target(gate: Gate, source: Path, identity: Identity, home: Directory, name: str) -> Place:
    """Ask for the move, and for what it may replace."""
    at = home.path.child(name)
    entity = file_entity(at.text)
    destination = {"path": at.text, "name": name, "parent_path": home.path.text}
    gate.permit(MOVE, file_entity(source.text), {"destination": destination})
    gate.permit(CREATE, entity)
    judge_file(gate, source, at)
    found = find_name(home, at, gate.permit(OPEN, entity))
    if found is None:
        return Place(home, at, None)
    descriptor, status = found
    descriptor.close()
    if files.kind(status) == files.DIRECTORY:
        reason = f"Error moving file {source.name} from '{source.text}' to '{at.text}'"
        raise failures.file_failed(reason, source)
    there = files.identity(status)
    if there != identity:
        # What is replaced is lost: that is as if it were written over, or deleted.
        writing = gate.ask(WRITE, entity)
        if isinstance(writing, AccessDenied) and isinstance(gate.ask(DELETE, entity), AccessDenied):
            raise writing
    return Place(home, at, there)


_TARGET_NEEDS = (
    Need(CREATE, "File", "the destination"),
    Need(OPEN, "File", "the destination"),
    Need(WRITE, "File", "the destination", "where something is replaced; or `delete`"),
    Need(READ, "File", "the source", "to another file system"),
    Need(STAT, "File", "the source", "to another file system, with `backup`"),
    Need(WRITE, "File", "the destination", "to another file system"),
    Need(DELETE, "File", "the source", "to another file system"),
)


class FileToMove(PathArgument):
    """A file to move, and where to. No symbolic link anywhere on the way."""

    kind = "source"
    uses = ("target",)
    needs = (
        Need(OPEN, "Dir", "the directory that holds the source"),
        Need(OPEN, "File", "the source"),
        Need(OPEN, "Dir", "the directory that holds the destination"),
        Need(MOVE, "File", "the source; the context says where to"),
        *_TARGET_NEEDS,
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> Move:
        target: Path
        (target,) = used
        home = strict_directory(argument.parent, gate.permit(OPEN, directory_entity(argument.parent.text)))
        path = home.path.child(argument.name)
        found = find_name(home, path, gate.permit(OPEN, file_entity(path.text)))
        if found is None:
            raise FileNotFoundError(ENOENT, "")
        descriptor, status = found
        check_regular(status, path, writing=True)
        identity = files.identity(status)
        parent = strict_directory(target.parent, gate.permit(OPEN, directory_entity(target.parent.text)))
        place = _judged_target(gate, path, identity, parent, target.name)
        return Move(gate, Place(home, path, identity), place, descriptor)


class HeldMove:
    """An open file that may be moved; its handle follows it."""

    __slots__ = ("_file", "_move", "_target")

    def __init__(self, file: File, move: Move, target: Place) -> None:
        self._file, self._move, self._target = file, move, target

    def move(self, backup: bool, verbose: bool) -> File:
        """Do it, and give the handle."""
        file, target = self._file, self._target
        new = self._move.move(backup, verbose)
        if new is not None:
            file.take(new)
        file.settle(target.home, target.path)
        return file


class OpenedToMove(HeldFile):
    """An open file, or the link that led to it, to move by name."""

    uses = ("directory", "name")

    def acquire(self, gate: Gate, argument: File, *used: Any) -> HeldMove:
        directory: Directory
        directory, text = used
        try:
            name = component(text)
        except PathRefused as refused:
            raise failures.from_path(refused) from None
        place = _judged_target(gate, argument.link, argument.link_identity, directory, name)
        argument.link_home.check_place()
        directory.check_place()
        source = Place(argument.link_home, argument.link, argument.link_identity)
        held = argument.descriptor if argument.readable and argument.link == argument.path else None
        return HeldMove(argument, Move(gate, source, place, held), place)


SourceMoved = Annotated[Move, FileToMove()]
FileMoved = Annotated[HeldMove, OpenedToMove(Need(MOVE, "File", "the file; the context says where to"), *_TARGET_NEEDS)]
