"""A directory that an archive is extracted into: each member judged, then made.

Owns:      the checks that each member takes, where it may go, and how it is made there.
Relies on: `trex.host` for effects by descriptor; whoever reads the archive for its members.
Never:     leaves the directory, follows a link, sets a bit that lends the owner's rights, or makes
           anything that was not judged before.

A member's name is taken apart here and walked component by component: each directory on the way is
opened inside the one before, without following a link, so that neither the archive nor somebody
who works in the tree at the same time leads out of it. A file is written without a name and gets
it when it is complete; one that stands there is replaced as a whole. Modes and times of directories
come last, because a directory that may not be written takes no files.

Waiting for the disk after each file would cost more than all the rest. So it is waited for once, at
the end, and before that only where an old file is replaced, which a crash of the machine must not
leave empty.
"""

from __future__ import annotations

import os
from errno import ELOOP, ENAMETOOLONG, ENOTDIR, EPERM
from time import time_ns
from typing import TYPE_CHECKING, Annotated, Any

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.authorization.vocabulary import action
from trex.catalogue.declare import Need
from trex.host import changes, files
from trex.host.paths import NAME_MAX, PATH_MAX, decode, encode
from trex.resources import failures
from trex.resources.file_system import CREATE, OPEN, WRITE, Directory, check_regular
from trex.resources.held import HeldDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trex.catalogue.access import Gate
    from trex.errors import OperationError
    from trex.host.files import Descriptor, Identity
    from trex.host.paths import Path
    from trex.resources.shapes import ExtractArchiveOptions
    from trex.resources.tar import Member

CHMOD = action("file_system", "chmod")
CHOWN = action("file_system", "chown")

MAX_DEPTH = 128  # directories in one another, each of which is held open


class Destination:
    """A directory to extract into. First `judge` every member, then `make` each, then `finish`."""

    __slots__ = ("_directory", "_gate", "_judged", "_keep", "_made", "_open", "_size", "_unsynced")

    def __init__(self, directory: Directory, gate: Gate, keep: ExtractArchiveOptions) -> None:
        self._directory, self._gate, self._keep = directory, gate, keep
        self._judged: set[str] = set()  # paths; of directories with a slash behind
        self._size = 0
        self._open = [_Level("", directory.descriptor, directory.path)]
        self._made: dict[str, tuple[Identity, Member]] = {}  # directories that still get their attributes
        self._unsynced: dict[int, Descriptor] = {}  # by device: a descriptor on each file system

    # --- before anything is made ---

    def judge(self, member: Member) -> None:
        """Ask for everything that making this member will take."""
        self._gate.budget.check_time()
        names = _names(member)
        path = self._directory.path
        for name in names if member.is_directory else names[:-1]:
            path = path.child(name)
            if path.text + "/" not in self._judged:
                self._gate.permit(CREATE, directory_entity(path.text))
                self._judge_once(path.text + "/", path.text)
        if member.is_directory:
            entity = directory_entity(path.text)
            self._gate.permit(OPEN, entity)
            self._judged.add(path.text + "/")
        else:
            path = path.child(names[-1])
            entity = file_entity(path.text)
            self._gate.permit(CREATE, entity)
            self._gate.permit(WRITE, entity)
            self._judge_once(path.text, path.text + "/")
        if self._keep.preserve_permissions:
            self._gate.permit(CHMOD, entity)
        if self._keep.preserve_ownership:
            self._gate.permit(CHOWN, entity)
            _owner(member)  # also to fail now if there is no such user or group here
        if len(path.encoded()) >= PATH_MAX:
            raise OSError(ENAMETOOLONG, "")
        self._size += member.size

    def _judge_once(self, key: str, other: str) -> None:
        if other in self._judged:
            raise failures.invalid_path("the name of a file and of a directory in one archive")
        self._judged.add(key)

    def begin(self) -> None:
        """Every member has been judged: count what will be written."""
        self._gate.budget.write(self._size)
        self._directory.check_place()

    # --- making ---

    def make(self, member: Member, content: Iterable[memoryview]) -> None:
        """Make this member, as it was judged."""
        names = _names(member)
        path = self._directory.path
        for name in names:
            path = path.child(name)
        self._size -= member.size
        if path.text + "/" * member.is_directory not in self._judged or self._size < 0:
            raise changed()
        if member.is_directory:
            level = self._enter(names, path)
            self._made[path.text] = files.identity(files.status(level.descriptor)), member
        else:
            self._file(self._enter(names[:-1], path.parent), path, member, content)

    def _enter(self, names: list[str], path: Path, make: bool = True) -> _Level:
        """The open directory of these names below the top; what is missing on the way is made."""
        common = 0
        while common < len(names) and common + 1 < len(self._open) and self._open[common + 1].name == names[common]:
            common += 1
        del self._open[common + 1 :]
        for name in names[common:]:
            above = self._open[-1]
            self._open.append(_Level(name, _directory(above, name, make), above.path.child(name)))
        level = self._open[-1]
        # Somebody may have moved it since it was opened: it is then none of the tree that was judged.
        if not files.is_at(level.descriptor, path):
            raise failures.moved(path)
        return level

    def _file(self, home: _Level, path: Path, member: Member, content: Iterable[memoryview]) -> None:
        keep = self._keep
        new = changes.NewFile(home.descriptor, 0o600 if keep.preserve_permissions else 0o666)
        try:
            for piece in content:
                self._gate.budget.check_time()
                new.write(piece)
            _attribute(new.descriptor.number, member, keep)
            name = encode(path.name)
            if not new.publish(name, durable=False):
                found = files.open_name(home.descriptor, name)
                status = files.status(found)
                check_regular(status, path, writing=True)
                new.finish()
                new.publish_over(name, files.identity(status), durable=False)
            self._unsynced.setdefault(home.device, new.descriptor)
        finally:
            new.discard()

    def finish(self) -> None:
        """Give directories their attributes, those inside before those around them, and wait for the disk."""
        below = len(self._directory.path.parts)
        for text in sorted(self._made, reverse=True):
            identity, member = self._made[text]
            self._gate.budget.check_time()
            path = self._directory.path
            for name in _names(member):
                path = path.child(name)
            level = self._enter(list(path.parts[below:]), path, make=False)
            if files.identity(files.status(level.descriptor)) != identity:
                raise failures.moved(path)
            _attribute(f"/proc/self/fd/{level.descriptor.number}", member, self._keep)
        for descriptor in self._unsynced.values():
            changes.sync_file_system(descriptor)
        changes.sync(self._directory.descriptor)


def changed() -> OperationError:
    """What is made is not what was judged."""
    return failures.failure("FileError", "File error: the archive was changed while it was extracted")


class _Level:
    """A directory on the way to a member, held open."""

    __slots__ = ("descriptor", "device", "name", "path")

    def __init__(self, name: str, descriptor: Descriptor, path: Path) -> None:
        self.name, self.descriptor, self.path = name, descriptor, path
        self.device = files.status(descriptor).st_dev


def _directory(above: _Level, name: str, make: bool) -> Descriptor:
    raw = encode(name)
    try:
        try:
            return files.open_subdirectory(above.descriptor, raw)
        except FileNotFoundError:
            if not make:
                raise
        files.make_directory(above.descriptor, raw)
        return files.open_subdirectory(above.descriptor, raw)
    except OSError as error:
        if error.errno in (ENOTDIR, ELOOP):
            raise failures.not_a_directory(above.path.child(name)) from None
        raise


def _names(member: Member) -> list[str]:
    """The components of a member's name; none for the directory itself that is extracted into."""
    if member.name.startswith(b"/"):
        raise failures.invalid_path("an absolute name in an archive")
    parts = [part for part in member.name.split(b"/") if part not in (b"", b".")]
    if b".." in parts:
        raise failures.invalid_path("a name in an archive that leads out of it")
    if any(len(part) > NAME_MAX for part in parts):
        raise OSError(ENAMETOOLONG, "")
    if len(parts) > MAX_DEPTH:
        raise failures.invalid_path(f"a name in an archive with more than {MAX_DEPTH} components")
    if not parts and not member.is_directory:
        raise failures.invalid_path("a file in an archive that has the name of the directory")
    return [decode(part) for part in parts]


def _attribute(target: int | str, member: Member, keep: ExtractArchiveOptions) -> None:
    """Give what was made its owner, mode and time: the mode last, because a change of owner clears bits of it."""
    if keep.preserve_ownership:
        user, group = _owner(member)
        if (user, group) != (-1, -1):
            try:
                os.chown(target, user, group)
            except OSError as error:
                if error.errno == EPERM:
                    raise failures.may_not_chown() from error
                raise
    if keep.preserve_permissions:
        os.chmod(target, member.mode & 0o777)
    if keep.preserve_timestamps:
        os.utime(target, ns=(time_ns(), member.modified))


def _owner(member: Member) -> tuple[int, int]:
    """The numbers here of a member's user and group; -1 where the archive names none."""
    from grp import getgrnam
    from pwd import getpwnam

    user = group = -1
    try:
        if member.user:
            user = getpwnam(member.user).pw_uid
    except KeyError:
        raise failures.unknown_account("user mapping found for uid", member.user) from None
    try:
        if member.group:
            group = getgrnam(member.group).gr_gid
    except KeyError:
        raise failures.unknown_account("group mapping found for gid", member.group) from None
    return user, group


class DirectoryToFill(HeldDirectory):
    """An open directory that an archive is extracted into."""

    uses = ("options",)

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> Destination:
        (options,) = used
        return Destination(argument, gate, options)


DirectoryFilled = Annotated[
    Destination,
    DirectoryToFill(
        Need(CREATE, "Dir", "every directory of the archive, and those that its members are in"),
        Need(CREATE, "File", "every file"),
        Need(WRITE, "File", "every file"),
        Need(OPEN, "Dir", "every directory of the archive"),
        Need(CHMOD, "File", "every file; every directory of the archive as `Dir`", "with `preserve_permissions`"),
        Need(CHOWN, "File", "every file; every directory of the archive as `Dir`", "with `preserve_ownership`"),
    ),
]
