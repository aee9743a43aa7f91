"""A directory copied with all that it holds, to another file system, and removed where it was.

Owns:      the order of steps of both, and the knowledge of what was copied.
Relies on: `descent` for the way through the source; `copying` and `attributes` for each entry.
Never:     follows a link, crosses a mount point, copies a device; removes what it has not copied, or what
           has changed since.

Everything goes below a directory that the caller has made, under a name that nobody else knows. Each
file is compared with its source after it was written. For what was copied a hash of its path, inode,
size and time of change is kept: only what still has that hash is removed, so that nothing is lost that
came, or was changed, between copying and removing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from errno import ENAMETOOLONG, ENOTEMPTY, EOVERFLOW, ESTALE
from stat import S_IFIFO, S_IFSOCK

from trex.host import attributes, changes, copying, files, trees
from trex.host.descent import Descent, TreeMoved
from trex.host.files import DIRECTORY, REGULAR, SYMLINK, Descriptor, identity, kind, status
from trex.host.paths import PATH_MAX, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from trex.host.paths import Path
    from trex.host.trees import Step

FIFO, SOCKET = S_IFIFO, S_IFSOCK

MAX_ENTRIES = 1_000_000  # their hashes take some 100 MB


class Changed(OSError):
    """Something is not as it was when it was copied."""

    def __init__(self, path: str) -> None:
        super().__init__(ESTALE, "it changed while it was moved")
        self.path = path


class Entry:
    """One entry of the source: `name` in the open `directory`; `path` is its path from the source."""

    __slots__ = ("directory", "kind", "name", "path")

    def __init__(self, directory: Descriptor, name: str, path: str, kind: int) -> None:
        self.directory, self.name, self.path, self.kind = directory, name, path, kind


def survey(source: Descriptor, judge: Callable[[Entry], None], length: int) -> None:
    """Go through the source once; `judge` is told of each entry, and may raise.

    length: of the longer path of the two tops, in bytes. What would be too long for the kernel is refused here.
    """
    descent = Descent(source)
    path = ""
    while True:
        found = descent.next()
        if found is None:
            if not descent.depth:
                return
            descent.leave()
            path = path[: path.rindex("/")]
            continue
        name, kind_, _ = found
        child = f"{path}/{name}"
        if length + len(encode(child)) >= PATH_MAX:
            raise OSError(ENAMETOOLONG, os.strerror(ENAMETOOLONG))
        judge(Entry(descent.directory, name, child, kind_))
        if kind_ == DIRECTORY:
            descent.enter(name, cross=False)
            path = child


class TreeCopy:
    """The copy of a tree, and what it consists of."""

    __slots__ = ("_copied", "_judge", "_progress", "_source")

    def __init__(self, source: Descriptor, judge: Callable[[Entry], None], progress: Callable[[int], None]) -> None:
        """judge: is told of each entry before it is copied. progress: of how many bytes are written."""
        self._source, self._judge, self._progress = source, judge, progress
        self._copied: set[int] = set()

    def into(self, target: Descriptor) -> None:
        """Copy all that the source holds into the empty directory `target`, and give that its attributes."""
        descent = Descent(self._source)
        here, above = target, list[tuple[int, int]]()
        path = ""
        while True:
            self._progress(0)
            found = descent.next()
            if found is None:
                attributes.take_everything(here, descent.directory, descent.status)
                if not descent.depth:
                    return
                descent.leave()
                path = path[: path.rindex("/")]
                outer = files.open_parent(here)
                if identity(status(outer)) != above.pop():
                    raise TreeMoved
                here = outer
                continue
            name, kind_, _ = found
            entry = Entry(descent.directory, name, f"{path}/{name}", kind_)
            self._judge(entry)
            if kind_ == DIRECTORY:
                raw = encode(name)
                descent.enter(name, cross=False)
                self._remember(entry.path, descent.status)
                os.mkdir(raw, 0o700, dir_fd=here.number)
                above.append(identity(status(here)))
                here = files.open_subdirectory(here, raw, cross=False)
                path = entry.path
            else:
                self._copy(entry, here)

    def _copy(self, entry: Entry, into: Descriptor) -> None:
        name = encode(entry.name)
        source = files.open_name(entry.directory, name)
        before = status(source)
        if kind(before) != entry.kind:
            raise Changed(entry.path)
        if entry.kind == REGULAR:
            self._copy_file(entry, source, before, into, name)
        else:
            if entry.kind == SYMLINK:
                os.symlink(files.link_target(source), name, dir_fd=into.number)
            else:
                os.mknod(name, entry.kind | 0o600, dir_fd=into.number)
            new = files.open_name(into, name)
            if entry.kind == SYMLINK:
                _take_link_attributes(new, before)
            else:
                attributes.take_everything(new, source, before)
        self._remember(entry.path, before)

    def _copy_file(
        self, entry: Entry, source: Descriptor, before: os.stat_result, into: Descriptor, name: bytes
    ) -> None:
        readable = files.reopen(source, os.O_RDONLY)
        new = files.create_file(into, name, os.O_RDWR, 0o600)
        copying.copy(readable, new, self._progress)
        attributes.take_everything(new, readable, before)
        if _mark(status(source)) != _mark(before) or copying.differ(readable, new, lambda _: self._progress(0)):
            raise Changed(entry.path)

    def _remember(self, path: str, found: os.stat_result) -> None:
        if len(self._copied) >= MAX_ENTRIES:
            raise OSError(EOVERFLOW, os.strerror(EOVERFLOW))
        self._copied.add(_hash(path, found))

    def _check(self, directory: Descriptor, name: bytes, path: str) -> None:
        try:
            found = os.stat(name, dir_fd=directory.number, follow_symlinks=False)
        except FileNotFoundError:  # somebody else removed it
            return
        if _hash(path, found) not in self._copied:
            raise Changed(path)

    def remove_source(self, parent: Descriptor, path: Path, removing: Callable[[], None]) -> None:
        """Remove what was copied, and then the directory itself, which is open in `parent`.

        path:     of the source.
        removing: is told before each entry goes.
        """
        name = encode(path.name)
        if not files.denotes(parent, name, identity(status(self._source))):
            raise changes.Replaced

        def judge(step: Step) -> None:
            self._check(step.directory, step.name, step.path[len(path.text) :])
            removing()

        trees.remove_tree(self._source, path, judge)
        removing()
        try:
            files.remove_directory(parent, name)
        except OSError as error:
            if error.errno == ENOTEMPTY:
                raise Changed("/") from error
            raise


def discard(parent: Descriptor, name: bytes, top: Descriptor, path: Path) -> None:
    """Remove a copy that is not complete; `path` is where it was to go."""
    attributes.set_mode(top, 0o700)  # those that were completed have the modes of their sources
    descent = Descent(top)
    while True:
        found = descent.next()
        if found is None:
            if not descent.depth:
                break
            descent.leave()
        elif found[1] == DIRECTORY:
            attributes.set_mode(files.open_subdirectory(descent.directory, encode(found[0]), cross=False), 0o700)
            descent.enter(found[0], cross=False)
    trees.remove_tree(top, path, lambda step: None)
    files.remove_directory(parent, name)


def _mark(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _hash(path: str, found: os.stat_result) -> int:
    """Nobody outside of this process can choose a path so that it has the hash of another."""
    if kind(found) == DIRECTORY:  # its times change with what is removed from it
        return hash((path, found.st_dev, found.st_ino))
    return hash((path, found.st_dev, found.st_ino, found.st_mode, *_mark(found)))


def _take_link_attributes(new: Descriptor, old: os.stat_result) -> None:
    mine = status(new)
    if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
        with suppress(PermissionError):  # it then stays with who moves it, as any file does
            attributes.set_owner(new, old.st_uid, old.st_gid)
    attributes.set_times(new, old.st_atime_ns, old.st_mtime_ns)
