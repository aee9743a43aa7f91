"""Directories that are moved with all that they hold, on one file system or to another.

Owns:      what is asked for a move, which of two places it goes to, and what is said when it fails half way.
Relies on: `trex.host.moves` for the verified rename, `trex.host.tree_copies` where it cannot be a rename.
Never:     replaces a directory that is not empty; takes a name that leads elsewhere; removes anything of
           the source before all of it is copied, verified, on the disk and in its place.

The directory must be in the one that it is moved from, and goes under one name into another. Where an
empty directory has that name it is replaced, which takes `delete` on it; where one has it that is not
empty, the moved directory goes into it, and the move to there is asked for as well. What it holds comes along
under new names: `carried` says what may stop that.

To another file system, everything is asked for first: to read and delete each entry, to make it at its
new place. Then the tree is copied under a private name, with the attributes of each entry, put in its
place in one step, and only then removed where it was; what came or was changed meanwhile stays there.
A broker that is killed on the way leaves a directory whose name starts with `changes.PRIVATE`, or
what is left of the source beside its whole copy.
"""

from __future__ import annotations

import os
from errno import EINVAL, ENOTEMPTY, EXDEV
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import Need
from trex.errors import OperationError
from trex.host import changes, files, moves, tree_copies
from trex.host.files import DIRECTORY, REGULAR, SYMLINK
from trex.host.paths import PathRefused, component
from trex.host.tree_copies import FIFO, SOCKET, Changed, TreeCopy
from trex.resources import failures
from trex.resources.carried import MOVE, judge_tree
from trex.resources.file_system import CREATE, DELETE, OPEN, READ, STAT, WRITE, Directory, find_name, type_of
from trex.resources.held import HeldDirectory
from trex.resources.moving import Place
from trex.resources.removal import REMEMBERED

if TYPE_CHECKING:
    from trex.authorization.entities import Action
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor, Identity
    from trex.host.paths import Path
    from trex.host.tree_copies import Entry

# What is asked about an entry that is copied: of the source, and of what is made.
_ASKED: dict[int, tuple[tuple[Action, ...], tuple[Action, ...]]] = {
    DIRECTORY: ((OPEN, READ, DELETE), (CREATE, OPEN)),
    REGULAR: ((OPEN, READ, DELETE), (OPEN, CREATE, WRITE)),
    SYMLINK: ((OPEN, READ, DELETE), (CREATE,)),
    FIFO: ((STAT, DELETE), (CREATE,)),
    SOCKET: ((STAT, DELETE), (CREATE,)),
}


class DirectoryMove:
    """A directory that may be moved; its handle follows it."""

    __slots__ = ("_directory", "_gate", "_judged", "_source", "_target")

    def __init__(self, gate: Gate, directory: Directory, source: Place, target: Place) -> None:
        self._gate, self._directory, self._source, self._target = gate, directory, source, target
        self._judged: set[int] = set()  # hashes of paths: nobody outside of this process can choose them

    def move(self, verbose: bool) -> Directory:
        """Do it, and give the handle."""
        source, target = self._source.path, self._target.path
        descriptor = self._directory.descriptor
        judge_tree(self._gate, descriptor, source, target, _destination(target))
        try:
            moves.move_directory(self._source.named(), self._target.named())
        except changes.Replaced:
            raise
        except OSError as error:
            if error.errno != EXDEV:
                raise self._failed(error) from error
            descriptor = self._across()
        self._directory.settle(target, descriptor)
        if verbose:
            self._gate.report.log("INFO", f"Moved from '{source.text}' to '{target.text}'", self._gate.line)
        return self._directory

    def _failed(self, error: OSError) -> OperationError:
        source, target = self._source.path, self._target.path
        if error.errno == ENOTEMPTY:
            return failures.not_empty(target)
        where = f" at {source.text}{error.path}" if isinstance(error, Changed) else ""
        reason = f"Error moving dir {source.name} from '{source.text}' to '{target.text}'"
        told = error.strerror if isinstance(error, Changed) else failures.os_text(error)
        return failures.directory_failed(f"{reason}: {told}{where}", source)

    # --- to another file system ---

    def _across(self) -> Descriptor:
        gate, source, target = self._gate, self._source, self._target
        gate.permit(READ, target.home.entity)
        for action in (READ, DELETE):
            gate.permit(action, directory_entity(source.path.text))
        held = self._directory.descriptor
        length = max(len(path.encoded()) for path in (source.path, target.path))
        copy = TreeCopy(held, self._judge, self._count)
        try:
            tree_copies.survey(held, self._judge, length)
            new = self._put(copy)
        except changes.Replaced:
            raise
        except OSError as error:
            raise self._failed(error) from error
        self._remove(copy)
        return new

    def _put(self, copy: TreeCopy) -> Descriptor:
        """Make the copy and give it its name; whatever fails, nothing of it is left."""
        home, private = self._target.home.descriptor, changes.private_name()
        os.mkdir(private, 0o700, dir_fd=home.number)
        new = files.open_subdirectory(home, private)
        is_placed = False
        try:
            copy.into(new)
            with files.reopen(new, os.O_RDONLY | os.O_DIRECTORY) as readable:
                changes.sync_file_system(readable)
            made = moves.Named(home, private, files.identity(files.status(new)))
            moves.move_directory(made, self._target.named())
            is_placed = True
        finally:
            if not is_placed:
                tree_copies.discard(home, private, new, self._target.path)
        return new

    def _remove(self, copy: TreeCopy) -> None:
        source, gate = self._source, self._gate
        gate.facts["copied_to"] = self._target.path.text
        gone = 0

        def removing() -> None:
            nonlocal gone
            gate.facts["removed"] = gone
            gate.budget.check_time()
            gone += 1

        try:
            copy.remove_source(source.home.descriptor, source.path, removing)
        except OSError as error:
            told = f"{error.strerror}: {source.path.text}{error.path}" if isinstance(error, Changed) else ""
            reason = (
                f"it was copied to {self._target.path.text}, but not removed as a whole, "
                f"{gate.facts.get('removed', 0)} of its entries are gone: {told or failures.os_text(error)}"
            )
            raise failures.directory_failed(reason, source.path) from error
        gate.facts["removed"] = gone

    def _judge(self, entry: Entry) -> None:
        asked = _ASKED.get(entry.kind)
        if asked is None:
            shown = type_of(entry.kind).name.title().replace("_", "")
            raise failures.unsupported(f"{shown} directory entry is not supported")
        key = hash((entry.path, entry.kind))
        if key in self._judged:
            return
        entity = directory_entity if entry.kind == DIRECTORY else file_entity
        for place, actions in zip((self._source, self._target), asked, strict=True):
            resource = entity(place.path.text + entry.path)
            for action in actions:
                self._gate.permit(action, resource)
        if len(self._judged) < REMEMBERED:
            self._judged.add(key)

    def _count(self, size: int) -> None:
        self._gate.budget.check_time()
        if size:
            self._gate.budget.write(size)


class DirectoryToMove(HeldDirectory):
    """The open directory that holds one which is moved."""

    uses = ("directory", "destination", "name")

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> DirectoryMove:
        directory: Directory
        destination: Directory
        directory, destination, text = used
        try:
            name = component(text)
        except PathRefused as refused:
            raise failures.from_path(refused) from None
        path = directory.path
        found = _judged(gate, path, destination, name)
        if path.is_root or path.parent != argument.path:
            raise failures.invalid_arguments(f"{path.text} is not in {argument.path.text}")
        for held in (argument, directory, destination):
            held.check_place()
        if (found.path.text + "/").startswith(path.text + "/") and found.path != path:
            reason = f"Error moving dir {path.name} from '{path.text}' to '{found.path.text}'"
            raise failures.directory_failed(f"{reason}: {failures.os_text(OSError(EINVAL, ''))}", path)
        identity = files.identity(files.status(directory.descriptor))
        return DirectoryMove(gate, directory, Place(argument, path, identity), _free(gate, path, identity, found))


def _destination(at: Path) -> dict[str, Any]:
    """Where it goes, as policies see it."""
    return {"destination": {"path": at.text, "name": at.name, "parent_path": at.parent.text}}


def _judged(gate: Gate, source: Path, home: Directory, name: str) -> Place:
    """A place to move to, permitted; what stands there is not known yet."""
    at = home.path.child(name)
    gate.permit(MOVE, directory_entity(source.text), _destination(at))
    entity = directory_entity(at.text)
    gate.permit(CREATE, entity)
    gate.permit(OPEN, entity)
    return Place(home, at, None)


def _free(gate: Gate, source: Path, identity: Identity, place: Place, is_inner: bool = False) -> Place:
    """The place, if it can be taken; if a directory with entries stands there, the place in it."""
    entity = directory_entity(place.path.text)
    found = find_name(place.home, place.path, gate.permit(OPEN, entity))
    if found is None:
        return place
    descriptor, status = found
    if files.kind(status) != DIRECTORY:
        reason = f"Error moving dir {source.name} from '{source.text}' to '{place.path.text}'"
        raise failures.directory_failed(f"{reason}: it is no directory", source)
    there = files.identity(status)
    if there == identity:
        return Place(place.home, place.path, there)
    if _is_empty(descriptor):
        gate.permit(DELETE, entity)
        return Place(place.home, place.path, there)
    if is_inner:
        raise failures.not_empty(place.path)
    inner = _judged(gate, source, Directory(descriptor, place.path), source.name)
    return _free(gate, source, identity, inner, is_inner=True)


def _is_empty(directory: Descriptor) -> bool:
    with files.reopen(directory, os.O_RDONLY | os.O_DIRECTORY) as readable, os.scandir(readable.number) as found:
        return next(found, None) is None


DirectoryMoved = Annotated[
    DirectoryMove,
    DirectoryToMove(
        Need(MOVE, "Dir", "the directory that is moved; the context says where to"),
        Need(CREATE, "Dir", "the destination"),
        Need(OPEN, "Dir", "the destination"),
        Need(MOVE, "File", "each entry in it, as `Dir` if it is a directory", "where a policy forbids that"),
        Need(CREATE, "File", "each of their new names", "where a policy forbids that"),
        Need(DELETE, "Dir", "the destination", "where an empty directory is replaced"),
        Need(READ, "Dir", "the directory that it goes to", "to another file system"),
        Need(OPEN, "Dir", "each directory in it, and what is made of it", "to another file system"),
        Need(READ, "Dir", "the directory and each one in it", "to another file system"),
        Need(DELETE, "Dir", "the directory and each one in it", "to another file system"),
        Need(CREATE, "Dir", "what is made of each directory in it", "to another file system"),
        Need(OPEN, "File", "each file and link in it, and what is made of a file", "to another file system"),
        Need(READ, "File", "each file and link in it", "to another file system"),
        Need(STAT, "File", "each FIFO and socket in it", "to another file system"),
        Need(DELETE, "File", "each of these", "to another file system"),
        Need(CREATE, "File", "what is made of each of these", "to another file system"),
        Need(WRITE, "File", "what is made of each file in it", "to another file system"),
    ),
]
