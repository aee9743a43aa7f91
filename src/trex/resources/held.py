"""What scripts hold and pass back: directories, files and entries, opened and used.

Owns:      the sequence of checks of the handle API, one class per way of getting or using a handle.
Relies on: `file_system` for what is held; the broker to turn a handle's number into it.
Never:     makes a system call before the first permit of a call, or changes anything itself.

Using a handle asks for the action on the path under which the object was judged, and then checks
that the object still has it.
"""

from __future__ import annotations

import os
from errno import EISDIR, ELOOP, ENOENT
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Struct

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import CATALOGUE, Need, Resource
from trex.errors import AccessDenied
from trex.host import files, paths
from trex.host.paths import Path, PathRefused, decode, encode
from trex.resources import content, failures, removal
from trex.resources.content import ReadableContent
from trex.resources.file_system import (
    CREATE,
    DELETE,
    OPEN,
    READ,
    STAT,
    WRITE,
    Directory,
    Entry,
    File,
    check_regular,
    entry_type,
    find_name,
    followed,
    strict_directory,
)
from trex.resources.listing import Listing
from trex.resources.named import NewDirectory, parse
from trex.resources.shapes import ENTRY_TYPE, DirConfig, OpenDirOptions, OpenFileOptions

if TYPE_CHECKING:
    from trex.catalogue.access import Gate, Permit
    from trex.host.files import Descriptor, Identity

_LINKS = 40  # as many as the kernel follows


# --- getting a directory ---


class DirectoryPlace:
    """A directory that is open already, or can be made now."""

    __slots__ = ("_new", "_opened", "_path")

    def __init__(self, path: Path, opened: Directory | None, new: NewDirectory | None) -> None:
        self._path, self._opened, self._new = path, opened, new

    def open(self) -> Directory:
        """The directory, made if that was wanted."""
        if self._opened is not None:
            return self._opened
        if self._new is None:
            raise failures.directory_not_opened("failed to create directory", self._path)
        try:
            return self._new.make()
        except FileExistsError as error:
            raise failures.directory_not_opened("failed to create directory", self._path) from error


class ConfiguredDirectory(Resource):
    """A directory by the path of a `DirConfig`."""

    type = "DirConfig"
    uses = ("options",)
    sample: Any = MappingProxyType({"path": "/sample"})
    needs = (
        Need(OPEN, "Dir", "the directory; with `follow_symlinks`, as given and as found"),
        Need(CREATE, "Dir", "the directory, and each missing one above it", "with `create`"),
    )

    def check(self, argument: Any) -> Path:
        return parse(CATALOGUE.options_converter(DirConfig)(argument).path)

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> DirectoryPlace:
        options: OpenDirOptions
        (options,) = used
        entity = directory_entity(argument.text)
        opening = gate.permit(OPEN, entity)
        if options.create:
            gate.permit(CREATE, entity)
        if options.follow_symlinks:
            return DirectoryPlace(argument, followed(argument, opening, gate), None)
        if not options.create:
            return DirectoryPlace(argument, strict_directory(argument, opening), None)
        if options.recursive:
            return _recursive(argument, opening, gate)
        parent = argument.parent
        if argument.is_root:
            return DirectoryPlace(argument, None, None)
        try:
            above = Directory(files.open_directory(parent, follow=False), parent)
        except OSError as error:
            raise failures.directory_not_opened("failed to open parent", parent) from error
        return DirectoryPlace(argument, None, NewDirectory(above, [argument.name], must_be_new=True))


def _recursive(path: Path, permit: Permit, gate: Gate) -> DirectoryPlace:
    try:
        return DirectoryPlace(path, strict_directory(path, permit), None)
    except FileNotFoundError:
        pass
    missing = [path.name]
    level = path.parent
    while True:
        try:
            base = Directory(files.open_directory(level, follow=False), level)
            break
        except FileNotFoundError:
            missing.append(level.name)
            gate.permit(CREATE, directory_entity(level.text))
            level = level.parent
        except OSError as error:
            raise failures.not_a_directory(path) from error
    missing.reverse()
    return DirectoryPlace(path, None, NewDirectory(base, missing))


# --- getting a file ---


class FilePlace:
    """A regular file that can be opened now, or the free name of one that can be made."""

    __slots__ = ("_found", "_home", "_link", "_link_home", "_link_identity", "_mode", "_options", "_path")

    def __init__(self, link_home: Directory, link: Path, options: OpenFileOptions, where: _Where) -> None:
        self._link_home, self._link, self._options = link_home, link, options
        self._home, self._path, self._found = where.home, where.path, where.found
        self._link_identity = where.link_identity
        base = 0o644 if options.follow_symlinks else 0o666
        self._mode = base if options.permissions is None else options.permissions & 0o777

    def open(self) -> File:
        """The file, made if that was wanted and it was missing."""
        options = self._options
        writes = options.write or options.create
        access = os.O_RDONLY if not writes else os.O_RDWR if options.read else os.O_WRONLY
        name = encode(self._path.name)
        if self._found is not None:
            descriptor = files.reopen(self._found, access)
        else:
            try:
                descriptor = files.create_file(self._home.descriptor, name, access, self._mode)
            except FileExistsError:  # made meanwhile: then it is the file of that name
                found = files.open_name(self._home.descriptor, name)
                check_regular(files.status(found), self._path, writes)
                descriptor = files.reopen(found, access)
        identity = files.identity(files.status(descriptor))
        file = File(descriptor, identity, self._home, self._path, options.read, writes)
        file.link_home, file.link = self._link_home.as_judged(), self._link
        file.link_identity = self._link_identity or identity
        return file


class _Where(Struct):
    """Where a name led: the directory and path of the file itself, and the file if there is one."""

    home: Directory
    path: Path
    found: Descriptor | None
    status: os.stat_result | None
    link_identity: Identity | None = None


def place_of_file(gate: Gate, directory: Directory, name: str, options: OpenFileOptions) -> FilePlace:
    """Judge `name` inside an open directory, and what it leads to if links are to be followed."""
    path = directory.path.child(name)
    entity = file_entity(path.text)
    opening = gate.permit(OPEN, entity)
    if options.create:
        gate.permit(CREATE, entity)
    if not (options.read or options.write or options.create):
        raise failures.invalid_arguments(
            "Invalid open file options: at least one of read, write or create flags must be true"
        )
    directory.check_place()
    missing = "IoError"
    if options.follow_symlinks:
        where, missing = _led_to(gate, directory, path, options), "RustixError"
    else:
        found = find_name(directory, path, opening)
        where = _Where(directory, path, *(found or (None, None)))
    if where.status is not None:
        check_regular(where.status, where.path, options.write or options.create)
    elif not options.create:
        raise failures.from_os(OSError(ENOENT, ""), missing)
    return FilePlace(directory, path, options, where)


def _led_to(gate: Gate, directory: Directory, path: Path, options: OpenFileOptions) -> _Where:
    try:
        where = _resolve(directory, path)
    except OSError as error:
        # As in `followed`: what cannot be reached must be permitted before that is said.
        leads_to = files.resolve_text(path)
        if leads_to.text != path.text:
            gate.permit(OPEN, file_entity(leads_to.text), named=path.text)
        raise failures.from_os(error, "RustixError") from error
    if where.path.text != path.text:
        entity = file_entity(where.path.text)
        gate.permit(OPEN, entity, named=path.text)
        if where.found is None and options.create:
            gate.permit(CREATE, entity, named=path.text)
    return where


def _resolve(directory: Directory, path: Path) -> _Where:
    """Follow links from `path` one by one, so that also a missing target has a known place."""
    home, at = directory, path
    link_identity: Identity | None = None
    for _ in range(_LINKS):
        try:
            found = files.open_name(home.descriptor, encode(at.name))
        except FileNotFoundError:
            return _Where(home, at, None, None, link_identity)
        status = files.status(found)
        link_identity = link_identity or files.identity(status)
        if files.kind(status) != files.SYMLINK:
            return _Where(home, at, found, status, link_identity)
        above, slash, name = files.link_target(found).rpartition(b"/")
        if name in (b"", b".", b".."):
            raise OSError(EISDIR, os.strerror(EISDIR))
        if slash:
            descriptor = files.follow_directory(home.descriptor, above or b"/")
            home = Directory(descriptor, files.real_path(descriptor))
        at = home.path.child(decode(name))
    raise OSError(ELOOP, os.strerror(ELOOP))


_OPEN_FILE_NEEDS = (
    Need(OPEN, "File", "the file; with `follow_symlinks`, as named and as found"),
    Need(CREATE, "File", "the file, as named and where links lead to", "with `create`"),
)


class FileInDirectory(Resource):
    """A file by its name inside an open directory."""

    uses = ("directory", "options")
    sample = "name"
    needs = _OPEN_FILE_NEEDS

    def check(self, argument: str) -> str:
        try:
            return paths.component(argument)
        except PathRefused as refused:
            raise failures.from_path(refused) from None

    def acquire(self, gate: Gate, argument: str, *used: Any) -> FilePlace:
        directory, options = used
        return place_of_file(gate, directory, argument, options)


# --- using what is held ---


class Held(Resource):
    """A handle. `check` gets what the broker holds under its number."""

    def __init__(self, *needs: Need) -> None:
        self.needs = needs
        self.sample = self.type

    def check(self, argument: Any) -> Any:
        return argument


class HeldDirectory(Held):
    """An open directory, to be used as a place for others."""

    type = "Dir"

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> Any:
        return argument


class DirectoryToRead(HeldDirectory):
    """An open directory to list."""

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> Listing:
        gate.permit(READ, argument.entity)
        argument.check_place()
        return Listing(argument, gate.budget)


class DirectoryToDelete(HeldDirectory):
    """An open directory to remove."""

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> removal.Removal:
        gate.permit(DELETE, argument.entity)
        return removal.DirectoryRemoval(argument, gate)


class Seen(Struct, frozen=True):
    """What the kernel says of an object; `target` is the text of a symbolic link that may be read."""

    status: os.stat_result
    target: str | None = None


class DirectoryToSee(HeldDirectory):
    """An open directory whose status is read."""

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> Seen:
        gate.permit(STAT, argument.entity)
        argument.check_place()
        return Seen(files.status(argument.descriptor))


class HeldFile(Held):
    """An open file."""

    type = "File"


class FileToSee(HeldFile):
    """An open file whose status is read."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> Seen:
        gate.permit(STAT, argument.entity)
        argument.check_place()
        return Seen(files.status(argument.descriptor))


class OpenedToRead(HeldFile):
    """An open file to read."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> ReadableContent:
        gate.permit(READ, argument.entity)
        if not argument.readable:
            raise failures.not_opened_for("read", argument.path)
        argument.check_place()
        argument.page = 0
        return ReadableContent(argument.descriptor, gate.budget)


class ReplaceableFile:
    """An open file whose content may be replaced."""

    __slots__ = ("_file", "_gate")

    def __init__(self, file: File, gate: Gate) -> None:
        self._file, self._gate = file, gate

    def replace(self, data: bytes, ownership: bool) -> File:
        """Give its name a new content; the result is the file that has the name now."""
        file = self._file
        self._gate.budget.write(len(data))
        file.home.check_place()
        descriptor = content.replace(
            file.home.descriptor, encode(file.path.name), file.identity, file.descriptor, data, file.path, ownership
        )
        identity = files.identity(files.status(descriptor))
        new = File(descriptor, identity, file.home, file.path, file.readable, file.writable)
        new.link, new.link_home = file.link, file.link_home
        new.link_identity = identity if file.link_identity == file.identity else file.link_identity
        return new


class OpenedToWrite(HeldFile):
    """An open file to write."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> ReplaceableFile:
        gate.permit(WRITE, argument.entity)
        if not argument.writable:
            raise failures.not_opened_for("write", argument.path)
        argument.check_place()
        return ReplaceableFile(argument, gate)


class OpenedToDelete(HeldFile):
    """An open file, or the link that led to it, to remove by name."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> removal.Removal:
        entity = file_entity(argument.link.text)
        gate.permit(DELETE, entity)
        argument.link_home.check_place()
        return removal.FileRemoval(argument.link_home, argument.link, argument.link_identity)


# --- entries of a listing ---


class HeldEntry(Held):
    """An entry of a directory that was listed."""

    type = "DirEntry"


class EntryAsFile(HeldEntry):
    """An entry, opened as a file."""

    uses = ("options",)

    def acquire(self, gate: Gate, argument: Entry, *used: Any) -> FilePlace:
        (options,) = used
        return place_of_file(gate, argument.home(gate), argument.path.name, options)


class EntryAsDirectory(HeldEntry):
    """An entry, opened as a directory."""

    uses = ("options",)

    def acquire(self, gate: Gate, argument: Entry, *used: Any) -> DirectoryPlace:
        options: OpenDirOptions
        (options,) = used
        path = argument.path
        home = argument.home(gate)
        opening = gate.permit(OPEN, directory_entity(path.text))
        home.check_place()
        if options.follow_symlinks:
            return DirectoryPlace(path, followed(path, opening, gate), None)
        found = find_name(home, path, opening)
        if found is None:
            raise FileNotFoundError(ENOENT, "")
        descriptor, status = found
        if files.kind(status) != files.DIRECTORY:
            raise failures.not_a_directory(path)
        return DirectoryPlace(path, Directory(descriptor, path), None)


_OPENED_TO_SEE = (ENTRY_TYPE["FILE"], ENTRY_TYPE["SYMLINK"])


class EntryToSee(HeldEntry):
    """An entry whose status is read; it is not followed."""

    def acquire(self, gate: Gate, argument: Entry, *used: Any) -> Seen:
        path = argument.path
        home = argument.home(gate)
        is_directory = argument.type == ENTRY_TYPE["DIR"]
        entity = directory_entity(path.text) if is_directory else file_entity(path.text)
        if is_directory or argument.type in _OPENED_TO_SEE:
            gate.permit(OPEN, entity)
        gate.permit(STAT, entity)
        shows_target = False
        if argument.type == ENTRY_TYPE["SYMLINK"]:
            reading = gate.ask(READ, entity)
            shows_target = not isinstance(reading, AccessDenied)
        home.check_place()
        found = files.open_name(home.descriptor, encode(path.name))
        status = files.status(found)
        if entry_type(status) != argument.type:
            text = f"Entry type mismatch: it is no {argument.type.name} any more: {path.text}"
            raise failures.failure("EntryTypeMismatchError", text)
        return Seen(status, decode(files.link_target(found)) if shows_target else None)


DirectoryConfigured = Annotated[DirectoryPlace, ConfiguredDirectory()]
FileNamed = Annotated[FilePlace, FileInDirectory()]
DirectoryHeld = Annotated[Directory, HeldDirectory()]
DirectoryRead = Annotated[Listing, DirectoryToRead(Need(READ, "Dir", "the directory"))]
DirectorySeen = Annotated[Seen, DirectoryToSee(Need(STAT, "Dir", "the directory"))]
DirectoryDeleted = Annotated[
    removal.Removal, DirectoryToDelete(Need(DELETE, "Dir", "the directory, and with `recursive` everything in it"))
]
FileSeen = Annotated[Seen, FileToSee(Need(STAT, "File", "the file"))]
FileRead = Annotated[ReadableContent, OpenedToRead(Need(READ, "File", "the file"))]
FileWritten = Annotated[ReplaceableFile, OpenedToWrite(Need(WRITE, "File", "the file"))]
FileDeleted = Annotated[
    removal.Removal, OpenedToDelete(Need(DELETE, "File", "the file, under the name it was opened by"))
]
EntryFile = Annotated[FilePlace, EntryAsFile(*_OPEN_FILE_NEEDS)]
EntryDirectory = Annotated[
    DirectoryPlace, EntryAsDirectory(Need(OPEN, "Dir", "the directory; with `follow_symlinks`, as named and as found"))
]
EntrySeen = Annotated[
    Seen,
    EntryToSee(
        Need(OPEN, "Dir", "the entry", "if it is a directory"),
        Need(OPEN, "File", "the entry", "if it is a file or symbolic link"),
        Need(STAT, "File", "the entry; as `Dir` if it is a directory"),
        Need(READ, "File", "the entry", "for the target of a symbolic link, which is otherwise left out"),
    ),
]
