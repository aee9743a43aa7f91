"""Files and directories as resources: what is held open, under which path it was judged.

Owns:      the Cedar actions and entities of files, and the three things that scripts hold:
           `Directory`, `File`, `Entry`.
Relies on: `trex.host` to open without effect; the gate for permits.
Never:     opens by a path that was not permitted, or decides.

Every object has one id: the path in normal form under which it was judged. What is held keeps that
path, and before it is used again it must still have it: something that was moved since would
otherwise be judged by a name that is not its own any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.authorization.vocabulary import action
from trex.catalogue.declare import CATALOGUE
from trex.errors import ProtocolViolation
from trex.host import files
from trex.host.paths import PathRefused, component, encode
from trex.host.paths import parse as parse_path
from trex.resources import failures
from trex.resources.shapes import ENTRY_TYPE, EntryFields

if TYPE_CHECKING:
    import os

    from trex.catalogue.access import Gate, Permit
    from trex.host.files import Descriptor, Identity
    from trex.host.paths import Path
    from trex.values import Constant

OPEN = action("file_system", "open")
READ = action("file_system", "read")
WRITE = action("file_system", "write")
CREATE = action("file_system", "create")
DELETE = action("file_system", "delete")
STAT = action("file_system", "stat")

_KINDS = {
    files.REGULAR: ENTRY_TYPE["FILE"],
    files.DIRECTORY: ENTRY_TYPE["DIR"],
    files.SYMLINK: ENTRY_TYPE["SYMLINK"],
    0o010000: ENTRY_TYPE["FIFO"],
    0o140000: ENTRY_TYPE["SOCKET"],
    0o020000: ENTRY_TYPE["CHAR_DEVICE"],
    0o060000: ENTRY_TYPE["BLOCK_DEVICE"],
}


_UNKNOWN = ENTRY_TYPE["UNKNOWN"]
_ENTRY_TYPES = frozenset(_KINDS.values()) | {_UNKNOWN}


def entry_type(found: os.stat_result) -> Constant:
    """The type of an object, as scripts name it."""
    return type_of(files.kind(found))


def type_of(kind: int) -> Constant:
    """The same for the bits of a mode that tell it."""
    return _KINDS.get(kind, _UNKNOWN)


@CATALOGUE.handle("Dir")
class Directory:
    """An open directory.

    path: under which it was judged, links resolved.
    """

    __slots__ = ("descriptor", "entity", "path")

    def __init__(self, descriptor: Descriptor, path: Path) -> None:
        self.descriptor, self.path = descriptor, path
        self.entity = directory_entity(path.text)

    def check_place(self) -> None:
        """Fail if the directory was moved since it was judged."""
        if not files.is_at(self.descriptor, self.path):
            raise failures.moved(self.path)

    def as_judged(self) -> Directory:
        """The directory under the path that it has now, for what was opened in it: that path it keeps."""
        return Directory(self.descriptor, self.path)

    def settle(self, path: Path, descriptor: Descriptor) -> None:
        """It was moved: this is its path now, and the directory itself, if a copy had to take its place."""
        self.path, self.descriptor = path, descriptor
        self.entity = directory_entity(path.text)


@CATALOGUE.handle("File")
class File:
    """An open file.

    path:      of the file itself, links resolved: what reading and writing is judged by.
    home:      the directory that holds it, where a new content takes its place.
    link:      under which it was opened: what deleting is judged by. The same, unless a link led to it.
    link_home: the directory that holds that name, and `link_identity` what stood there.
    page:      where the next page starts that is read; everything else reads and writes from the start.
    """

    __slots__ = (
        "descriptor", "entity", "home", "identity", "link", "link_home", "link_identity", "page", "path", "readable",
        "writable",
    )  # fmt: skip

    def __init__(
        self,
        descriptor: Descriptor,
        identity: Identity,
        home: Directory,
        path: Path,
        readable: bool,
        writable: bool,
    ) -> None:
        self.descriptor, self.identity = descriptor, identity
        home = home.as_judged()
        self.home, self.path = home, path
        self.readable, self.writable = readable, writable
        self.link, self.link_home, self.link_identity = path, home, identity
        self.entity = file_entity(path.text)
        self.page = 0

    def check_place(self) -> None:
        """Fail if the file was moved since it was judged. One that was deleted is still itself."""
        if not files.is_at(self.descriptor, self.path):
            raise failures.moved(self.path)

    def take(self, descriptor: Descriptor) -> None:
        """Stand for the file that has its name now, in place of the one that it was opened as."""
        identity = files.identity(files.status(descriptor))
        if self.link_identity == self.identity:
            self.link_identity = identity
        self.descriptor, self.identity = descriptor, identity

    def settle(self, home: Directory, path: Path) -> None:
        """It was moved: its name, or that of the link which led to it, is now this one."""
        home = home.as_judged()
        if self.link == self.path:
            self.home, self.path, self.entity = home, path, file_entity(path.text)
        self.link_home, self.link = home, path


@CATALOGUE.handle("DirEntry", map=(("name", "name"), ("type", "type:text"), ("inode", "inode")))
class Entry:
    """One entry of a directory that was listed or walked; it is not open.

    What it is now is judged when it is opened; `type` is what the listing said, and only decides
    which kind of entity the policy is asked about first.

    directory: that was listed, or the top of the walk, which is open.
    folder:    the path of the directory that holds it, where that is another; it is opened again, and
               judged again, when the entry is used.
    real:      its name in there, where a link of the name `name` led to it.
    line:      what `ls` with `long` shows of it.
    """

    Fields = EntryFields

    __slots__ = ("directory", "folder", "inode", "line", "name", "real", "type")

    def __init__(
        self, directory: Directory, name: str, type: Constant, inode: int, folder: str = "", real: str = ""
    ) -> None:
        self.directory, self.name, self.type, self.inode = directory, name, type, inode
        self.folder, self.real = folder, real
        self.line: str | None = None

    @property
    def path(self) -> Path:
        """Where it is."""
        folder = self._folder_path() if self.folder else self.directory.path
        return folder.child(self.real or self.name)

    def _folder_path(self) -> Path:
        try:
            return parse_path(self.folder)
        except PathRefused as refused:  # deeper than the kernel's longest path
            raise failures.from_path(refused) from None

    def home(self, gate: Gate) -> Directory:
        """The directory that holds it."""
        if not self.folder:
            return self.directory
        path = self._folder_path()
        return strict_directory(path, gate.permit(OPEN, directory_entity(path.text)))

    def whole(self) -> Directory:
        """The broker keeps the directory; one number stands for all entries of a listing."""
        return self.directory

    def fields(self) -> dict[str, Any]:
        """What the script sees of it without asking, and where it is."""
        fields: dict[str, Any] = {"name": self.name, "inode": self.inode, "type": self.type}
        if self.folder:
            fields["in"] = self.folder
        if self.real:
            fields["at"] = self.real
        if self.line is not None:
            fields["long"] = self.line
        return fields

    @classmethod
    def of(cls, whole: Directory, fields: dict[str, Any]) -> Entry:
        """It again. A place that was not listed is as good as any: it is judged when it is opened."""
        name, inode, type_ = fields.get("name"), fields.get("inode"), fields.get("type")
        folder, real = fields.get("in", ""), fields.get("at", "")
        if type(name) is not str or type(inode) is not int or type_ not in _ENTRY_TYPES:
            raise ProtocolViolation("an entry without its name, inode or type")
        if type(folder) is not str or type(real) is not str:
            raise ProtocolViolation("an entry that is nowhere")
        try:
            return cls(whole, component(name), type_, inode, folder, component(real) if real else "")
        except PathRefused:
            raise ProtocolViolation(f"an entry cannot be called {name!r}") from None


# --- opening; each function takes the permit for exactly what it opens ---


def follow_directory(path: Path, gate: Gate) -> Directory:
    """The directory at a path, links followed: judged as named, and again as found."""
    return followed(path, gate.permit(OPEN, directory_entity(path.text)), gate)


def followed(path: Path, permit: Permit, gate: Gate) -> Directory:
    """As `follow_directory`, with the permit for the name in hand."""
    permit.require(OPEN, path.text)
    try:
        descriptor = files.open_directory(path, follow=True)
    except OSError:
        # What links lead to must be permitted before it is said that it is missing; otherwise a
        # link to a hidden place would tell whether anything is there.
        leads_to = files.resolve_text(path)
        if leads_to.text != path.text:
            gate.permit(OPEN, directory_entity(leads_to.text), named=path.text)
        raise
    real = files.real_path(descriptor)
    if real.text != path.text:
        gate.permit(OPEN, directory_entity(real.text), named=path.text)
    return Directory(descriptor, real)


def strict_directory(path: Path, permit: Permit) -> Directory:
    """The directory at a path without any symbolic link, so that the name is its real path."""
    permit.require(OPEN, path.text)
    try:
        return Directory(files.open_directory(path, follow=False), path)
    except OSError as error:
        if error.errno in _LINK_OR_FILE:
            raise failures.not_a_directory(path) from error
        raise


_LINK_OR_FILE = (20, 40)  # ENOTDIR, ELOOP


def find_name(directory: Directory, path: Path, permit: Permit) -> tuple[Descriptor, os.stat_result] | None:
    """What `path` names inside the open directory, not followed; None if nothing is there."""
    permit.require(OPEN, path.text)
    try:
        found = files.open_name(directory.descriptor, encode(path.name))
    except FileNotFoundError:
        return None
    return found, files.status(found)


def check_regular(status: os.stat_result, path: Path, writing: bool) -> None:
    """Fail unless it is a regular file; the reasons differ as they do when the kernel opens it."""
    kind = files.kind(status)
    if kind == files.REGULAR:
        return
    if kind == files.SYMLINK:
        raise failures.is_a_symlink(path)
    if kind == files.DIRECTORY and writing:
        raise IsADirectoryError(21, "")
    raise failures.not_a_file()
