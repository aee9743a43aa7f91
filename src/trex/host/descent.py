"""The way down a tree and back: which directories of it are open, and what of them is unread.

Owns:      the open directories of a walk, however deep it goes: the deepest `OPEN` of them keep their
           place in the listing; those above are closed, with what is unread of them in memory.
Relies on: `files` for opening; directories being listed in the kernel's own order.
Never:     follows a link, recurses, decides what is entered, or goes up to a directory that is not the
           one it came down from.

A closed directory is found again through `..` of the one below it, and must then be the very inode
that was entered. A directory that somebody moves during the walk thus ends the walk, and nothing
outside of the tree is reached.
"""

from __future__ import annotations

import os
from errno import ENOMEM, ESTALE

from trex.host import files
from trex.host.files import DIRECTORY, REGULAR, SYMLINK, Descriptor, entry_name, identity, open_parent, status
from trex.host.paths import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = 16  # directories; each takes two descriptors and the kernel's buffer of 32 KiB
MAX_UNREAD = 1_000_000  # entries of directories that were closed: some 100 MB

# The name, the file type (`files.DIRECTORY` …, 0 if nothing is known) and the number of the inode.
Found = tuple[str, int, int]


class TreeMoved(OSError):
    """A directory was moved while the tree below it was walked."""

    def __init__(self) -> None:
        super().__init__(ESTALE, "a directory was moved while it was walked")


class _Level:
    """One directory on the way; `descriptor` is None while it is closed."""

    __slots__ = ("count", "descriptor", "found", "status")

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor: Descriptor | None = descriptor
        self.status = status(descriptor)
        self.found: Iterator[Found] = _listing(descriptor)
        self.count = 0  # of the entries in memory


class Descent:
    """A walk's place in a tree."""

    __slots__ = ("_levels", "_opened", "_top", "_unread")

    def __init__(self, top: Descriptor) -> None:
        """At `top`, which stays open as long as this does."""
        self._top = top
        self._levels = [_Level(files.reopen(top, os.O_RDONLY | os.O_DIRECTORY))]
        self._opened = 0  # the first of the levels that is open, or may be
        self._unread = 0

    @property
    def depth(self) -> int:
        """How many levels below the top."""
        return len(self._levels) - 1

    @property
    def directory(self) -> Descriptor:
        """The directory where the walk is, open for reading."""
        descriptor = self._levels[-1].descriptor
        assert descriptor is not None, "the deepest directory is always open"
        return descriptor

    @property
    def status(self) -> os.stat_result:
        """The status that the directory had when it was entered."""
        return self._levels[-1].status

    def next(self) -> Found | None:
        """The next entry of the directory where the walk is; None at its end."""
        return next(self._levels[-1].found, None)

    def enter(self, name: str, cross: bool = True) -> None:
        """Go down to the directory of that name; without `cross`, not to a mount point. May raise OSError."""
        self._levels.append(_Level(files.open_listing(self.directory, encode(name), cross)))
        if len(self._levels) - self._opened > OPEN:
            self._close_first()

    def leave(self, verify: bool = False) -> None:
        """Go up again.

        Raises `TreeMoved` if what is above is not where the walk came from. With `verify` that is
        looked at even if it is still open.
        """
        left = self._levels.pop()
        level = self._levels[-1]
        if verify or level.descriptor is None:
            assert left.descriptor is not None, "the deepest directory is always open"
            above = open_parent(left.descriptor)
            if identity(status(above)) != identity(level.status):
                raise TreeMoved
        if level.descriptor is None:
            # The top is the caller's: it is found again by its own descriptor.
            level.descriptor = files.reopen(above if len(self._levels) > 1 else self._top, os.O_RDONLY | os.O_DIRECTORY)
            self._unread -= level.count
            level.count = 0
            self._opened = len(self._levels) - 1

    def fold(self) -> None:
        """Close all but the deepest directory: the walk goes on elsewhere for a while."""
        while self._opened < len(self._levels) - 1:
            self._close_first()

    def _close_first(self) -> None:
        """Close the highest open directory, and keep what is unread of it."""
        level = self._levels[self._opened]
        unread = []
        for found in level.found:
            unread.append(found)
            if self._unread + len(unread) > MAX_UNREAD:
                raise OSError(ENOMEM, os.strerror(ENOMEM))
        level.count = len(unread)
        self._unread += level.count
        level.found, level.descriptor = iter(unread), None
        self._opened += 1


def _listing(directory: Descriptor) -> Iterator[Found]:
    with os.scandir(directory.number) as found:
        for entry in found:
            kind = _kind(entry)
            if kind is not None:
                yield entry_name(entry), kind, entry.inode()


def _kind(entry: os.DirEntry[str]) -> int | None:
    """The file type of an entry; None if it is gone. Most file systems tell it with the name."""
    if entry.is_file(follow_symlinks=False):
        return REGULAR
    if entry.is_dir(follow_symlinks=False):
        return DIRECTORY
    if entry.is_symlink():
        return SYMLINK
    try:
        return files.kind(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return None
    except OSError:
        return 0
