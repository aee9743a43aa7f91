"""Paths that scripts pass to commands: what they name, opened and authorized.

Owns:      the sequence of checks of each command, one class per way of naming a thing.
Relies on: `file_system` for opening, the gate for permits.
Never:     makes a system call before the first permit, changes anything (that is the operation's
           part, on what it is given), or tells apart what is not there and what is not permitted.

`open` on a directory is asked for the name as given, and again for the path that was found where
links led elsewhere. A last component that is a link is never followed.
"""

from __future__ import annotations

import os
from errno import EEXIST, ENOENT, ENOTDIR
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import Need, Resource
from trex.errors import AccessDenied
from trex.host import files, paths
from trex.host.paths import Path, PathRefused, encode
from trex.resources import content, failures, removal
from trex.resources.content import ReadableContent
from trex.resources.file_system import (
    CREATE,
    DELETE,
    OPEN,
    READ,
    WRITE,
    Directory,
    check_regular,
    find_name,
    follow_directory,
    followed,
    strict_directory,
)
from trex.resources.listing import Listing

if TYPE_CHECKING:
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor

_GIVEN = "the directory that holds it, as given and as found"


def parse(text: str) -> Path:
    """The normal form of a path, or what scripts see of a text that is none."""
    try:
        return paths.parse(text)
    except PathRefused as refused:
        raise failures.from_path(refused) from None


class PathArgument(Resource):
    """A path of something inside a directory: not `/`, and not empty."""

    kind = "file"
    sample = "/sample/name"

    def check(self, argument: str) -> Path:
        if not argument or not argument.strip("/"):
            raise failures.invalid_arguments(f"Invalid {self.kind} path: {argument}")
        return parse(argument)


class FileToRead(PathArgument):
    """A regular file that a command reads."""

    needs = (
        Need(OPEN, "Dir", _GIVEN),
        Need(OPEN, "File", "the file"),
        Need(READ, "File", "the file"),
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> ReadableContent:
        directory = follow_directory(argument.parent, gate)
        path = directory.path.child(argument.name)
        entity = file_entity(path.text)
        found = find_name(directory, path, gate.permit(OPEN, entity))
        if found is None:
            raise FileNotFoundError(ENOENT, "")
        descriptor, status = found
        check_regular(status, path, writing=False)
        gate.permit(READ, entity)
        return ReadableContent(files.reopen(descriptor, os.O_RDONLY), gate.budget)


class WritableFile:
    """A regular file that may be written, or the free name of one."""

    __slots__ = ("_directory", "_found", "_gate", "_path")

    def __init__(
        self, directory: Directory, path: Path, found: tuple[Descriptor, os.stat_result] | None, gate: Gate
    ) -> None:
        self._directory, self._path, self._found, self._gate = directory, path, found, gate

    def append(self, data: bytes) -> None:
        """Add at the end; a missing file is made."""
        self._gate.budget.write(len(data))
        if not self._create(data):
            descriptor = self._writable(os.O_APPEND)
            content.append(descriptor, data, self._path)

    def replace(self, data: bytes) -> None:
        """Make this the content; a missing file is made."""
        self._gate.budget.write(len(data))
        if not self._create(data):
            descriptor = self._writable(0)
            identity = files.identity(os.fstat(descriptor.number))
            home, name = self._directory.descriptor, encode(self._path.name)
            content.replace(home, name, identity, descriptor, data, self._path, ownership=True)

    def _create(self, data: bytes) -> bool:
        """Make the file if it is not there; False if it is."""
        if self._found is not None:
            return False
        if content.create(self._directory.descriptor, encode(self._path.name), data):
            return True
        # Somebody made it meanwhile: it is then the existing file of that name, which was judged.
        descriptor = files.open_name(self._directory.descriptor, encode(self._path.name))
        status = files.status(descriptor)
        check_regular(status, self._path, writing=True)
        self._found = descriptor, status
        return False

    def _writable(self, flags: int) -> Descriptor:
        if self._found is None:
            raise AssertionError("there is no file to write to")
        return files.reopen(self._found[0], os.O_WRONLY | flags)


class FileToWrite(PathArgument):
    """A regular file that a command writes or makes."""

    needs = (
        Need(OPEN, "Dir", _GIVEN),
        Need(OPEN, "File", "the file"),
        Need(CREATE, "File", "the file"),
        Need(WRITE, "File", "the file"),
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> WritableFile:
        directory = follow_directory(argument.parent, gate)
        path = directory.path.child(argument.name)
        entity = file_entity(path.text)
        opening = gate.permit(OPEN, entity)
        gate.permit(CREATE, entity)
        found = find_name(directory, path, opening)
        if found is not None:
            check_regular(found[1], path, writing=True)
        gate.permit(WRITE, entity)
        return WritableFile(directory, path, found, gate)


class TouchedFile:
    """A regular file whose times may be set, or the free name of one."""

    __slots__ = ("_directory", "_found", "_path")

    def __init__(self, directory: Directory, path: Path, found: tuple[Descriptor, os.stat_result] | None) -> None:
        self._directory, self._path, self._found = directory, path, found

    def touch(self) -> None:
        """Set its times to now, or make it empty."""
        found = self._found
        if found is None:
            name = encode(self._path.name)
            try:
                files.create_file(self._directory.descriptor, name, os.O_WRONLY, 0o666)
                return
            except FileExistsError:  # made meanwhile: then it is the file of that name
                descriptor = files.open_name(self._directory.descriptor, name)
                check_regular(files.status(descriptor), self._path, writing=True)
        else:
            descriptor = found[0]
        files.touch(descriptor)


class FileToTouch(PathArgument):
    """A regular file to make, or to bring up to date. No symbolic link anywhere on the way."""

    needs = (
        Need(OPEN, "Dir", "the directory that holds it"),
        Need(OPEN, "File", "the file"),
        Need(CREATE, "File", "the file"),
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> TouchedFile:
        parent = argument.parent
        directory = strict_directory(parent, gate.permit(OPEN, directory_entity(parent.text)))
        path = directory.path.child(argument.name)
        entity = file_entity(path.text)
        opening = gate.permit(OPEN, entity)
        gate.permit(CREATE, entity)
        found = find_name(directory, path, opening)
        if found is not None:
            check_regular(found[1], path, writing=True)
        return TouchedFile(directory, path, found)


class DirectoryToList(Resource):
    """A directory that a command lists; a link to one is followed."""

    sample = "/sample"
    needs = (
        Need(OPEN, "Dir", "the directory, as given and as found"),
        Need(READ, "Dir", "the directory"),
    )

    def check(self, argument: str) -> Path:
        return parse(argument)

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> Listing:
        directory = follow_directory(argument, gate)
        gate.permit(READ, directory.entity)
        return Listing(directory, gate.budget)


class NewDirectory:
    """Directories that may be made, one in the other, below one that is open."""

    __slots__ = ("_base", "_must_be_new", "_names")

    def __init__(self, base: Directory, names: list[str], must_be_new: bool = False) -> None:
        self._base, self._names, self._must_be_new = base, names, must_be_new

    def make(self) -> Directory:
        """Make those that are missing, all or none; give the last one."""
        made: list[tuple[Descriptor, bytes]] = []
        current, path = self._base.descriptor, self._base.path
        try:
            for name in self._names:
                raw = encode(name)
                if files.make_directory(current, raw):
                    made.append((current, raw))
                elif self._must_be_new:
                    raise FileExistsError(EEXIST, "")
                path = path.child(name)
                try:
                    current = files.open_subdirectory(current, raw)
                except NotADirectoryError:
                    raise FileExistsError(EEXIST, "") from None
        except OSError:
            for directory, raw in reversed(made):
                files.remove_directory(directory, raw)
            raise
        return Directory(current, path)


class DirectoryToMake(PathArgument):
    """A directory to make; with the flag `parents`, also those above it that are missing."""

    kind = "directory"
    sample = "/sample/name"
    uses = ("flags",)
    needs = (
        Need(OPEN, "Dir", "the deepest directory above it that exists, as given and as found"),
        Need(CREATE, "Dir", "every directory that is missing"),
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> NewDirectory:
        (flags,) = used
        if flags.parents:
            base, missing = deepest(argument, gate)
        else:
            base, missing = follow_directory(argument.parent, gate), [argument.name]
        path = base.path
        for name in missing:
            path = path.child(name)
            gate.permit(CREATE, directory_entity(path.text))
        return NewDirectory(base, missing)


def deepest(path: Path, gate: Gate) -> tuple[Directory, list[str]]:
    """The deepest directory on the way to `path` that exists, and the names that are missing below it.

    Whether a level exists is only looked at after `open` or `create` on it was permitted.
    """
    missing: list[str] = []
    level = path
    while True:
        entity = directory_entity(level.text)
        opening = gate.ask(OPEN, entity)
        if type(opening) is AccessDenied:
            creating = gate.ask(CREATE, entity)
            if type(creating) is AccessDenied:
                raise opening if missing else creating
        try:
            descriptor = files.open_directory(level, follow=True)
        except OSError as error:
            _judge_where_it_leads(level, gate)
            if error.errno == ENOTDIR:
                files.open_object(level)  # fails in the same way if something above it is a file
                raise FileExistsError(EEXIST, "") from None
            if error.errno != ENOENT:
                raise
            missing.append(level.name)
            level = level.parent
            continue
        descriptor.close()  # also because an error holds its frame, and so what is open in it
        if isinstance(opening, AccessDenied):
            raise opening
        missing.reverse()
        return followed(level, opening, gate), missing


def _judge_where_it_leads(level: Path, gate: Gate) -> None:
    """As in `followed`: a link must not tell whether its hidden target is there."""
    leads_to = files.resolve_text(level)
    if leads_to.text != level.text:
        entity = directory_entity(leads_to.text)
        opening = gate.ask(OPEN, entity, named=level.text)
        if isinstance(opening, AccessDenied) and isinstance(gate.ask(CREATE, entity, named=level.text), AccessDenied):
            raise opening


class ThingToRemove(PathArgument):
    """A file, a symbolic link or a directory; a last component that is a link is not followed.

    Nothing is known of the name before a permit, not even whether it is a directory. So the way of
    a file is asked for first (`open` on its directory), and if that is not permitted the way of a
    directory (`open` on itself).
    """

    needs = (
        Need(OPEN, "Dir", _GIVEN, "for a file or link; for a directory, that or the directory itself"),
        Need(OPEN, "File", "the file or link", "for a file or link"),
        Need(OPEN, "Dir", "the directory, as given and as found", "for a directory"),
        Need(DELETE, "File", "the file or link", "for a file or link"),
        Need(DELETE, "Dir", "the directory, and with `recursive` everything in it", "for a directory"),
    )

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> removal.Removal:
        parent = argument.parent
        way = gate.ask(OPEN, directory_entity(parent.text))
        if isinstance(way, AccessDenied):
            return self._directory(gate, argument, way)
        directory = followed(parent, way, gate)
        path = directory.path.child(argument.name)
        entity = file_entity(path.text)
        opening = gate.ask(OPEN, entity)
        permit = opening
        if isinstance(permit, AccessDenied):
            permit = gate.ask(OPEN, directory_entity(path.text))
            if isinstance(permit, AccessDenied):
                raise opening if isinstance(opening, AccessDenied) else permit
        found = find_name(directory, path, permit)
        if found is None:
            return removal.NothingThere()
        descriptor, status = found
        if files.kind(status) == files.DIRECTORY:
            as_directory = directory_entity(path.text)
            if permit is opening:
                gate.permit(OPEN, as_directory)
            gate.permit(DELETE, as_directory)
            return removal.DirectoryRemoval(Directory(descriptor, path), gate)
        descriptor.close()
        if isinstance(opening, AccessDenied):
            raise opening
        gate.permit(DELETE, entity)
        return removal.FileRemoval(directory, path, files.identity(status))

    def _directory(self, gate: Gate, argument: Path, denied: AccessDenied) -> removal.Removal:
        permit = gate.ask(OPEN, directory_entity(argument.text))
        if isinstance(permit, AccessDenied):
            raise denied
        try:
            descriptor = files.open_object(argument)
        except FileNotFoundError:
            return removal.NothingThere()
        if files.kind(files.status(descriptor)) != files.DIRECTORY:
            descriptor.close()
            raise denied
        real = files.real_path(descriptor)
        entity = directory_entity(real.text)
        if real.text != argument.text:
            gate.permit(OPEN, entity, named=argument.text)
        gate.permit(DELETE, entity)
        return removal.DirectoryRemoval(Directory(descriptor, real), gate)


ReadableFile = Annotated[ReadableContent, FileToRead()]
WrittenFile = Annotated[WritableFile, FileToWrite()]
FileTouched = Annotated[TouchedFile, FileToTouch()]
ListedDirectory = Annotated[Listing, DirectoryToList()]
DirectoryMade = Annotated[NewDirectory, DirectoryToMake()]
Removed = Annotated[removal.Removal, ThingToRemove()]
