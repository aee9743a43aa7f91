"""Whole trees by descriptor: walk one, remove one.

Owns:      the order of a walk (children before their directory), and how it finds its way back up.
Relies on: `files` for every step; one descriptor is open at a time, however deep the tree.
Never:     follows a link, crosses a mount point, or goes up to a directory that is not the one it
           came down from.

A directory is left through `..`, and must then be the very inode that was entered: a directory
that somebody moves during the walk ends the walk, so that nothing outside the tree is reached.
"""

from __future__ import annotations

import os
from errno import ESTALE

from trex.host.files import (
    Descriptor,
    Identity,
    entries,
    identity,
    open_parent,
    open_subdirectory,
    reopen,
    status,
)
from trex.host.paths import PATH_MAX, Path, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TreeMoved(OSError):
    """A directory was moved while the tree below it was walked."""

    def __init__(self) -> None:
        super().__init__(ESTALE, "a directory was moved while it was walked")


class Step:
    """One entry of a walk: `name` inside the open `directory`."""

    __slots__ = ("directory", "is_directory", "name", "path")

    def __init__(self, directory: Descriptor, name: bytes, path: Path, is_directory: bool) -> None:
        self.directory = directory
        self.name = name
        self.path = path
        self.is_directory = is_directory


def walk(top: Descriptor, path: Path) -> Iterator[Step]:
    """Every entry below `top`, whose path is `path`; a directory comes after what it holds.

    The entry of a directory may be removed while the walk stands on it.
    """
    current = top
    pending = _listing(top)
    above: list[tuple[Identity, list[tuple[bytes, bool]], bytes, Path]] = []
    while True:
        if pending:
            name, is_directory = pending.pop()
            child = path.child(decode(name))
            if len(child.text) >= PATH_MAX:
                raise OSError(36, os.strerror(36))
            if not is_directory:
                yield Step(current, name, child, False)
                continue
            below = open_subdirectory(current, name, cross=False)
            above.append((identity(status(current)), pending, name, path))
            current, path, pending = below, child, _listing(below)
            continue
        if not above:
            return
        expected, pending, name, parent_path = above.pop()
        # The descriptor of the top is the caller's; all others are found again through "..".
        parent = open_parent(current) if above else top
        if identity(status(parent)) != expected or (not above and not _is_parent(top, current)):
            raise TreeMoved
        yield Step(parent, name, path, True)
        current, path = parent, parent_path


def remove_tree(top: Descriptor, path: Path, judge: Callable[[Step], None]) -> None:
    """Remove everything below `top`; `judge` is asked before each entry and may raise."""
    for step in walk(top, path):
        judge(step)
        if step.is_directory:
            os.rmdir(step.name, dir_fd=step.directory.number)
        else:
            os.unlink(step.name, dir_fd=step.directory.number)


def _listing(directory: Descriptor) -> list[tuple[bytes, bool]]:
    with reopen(directory, os.O_RDONLY | os.O_DIRECTORY) as readable:
        return [(os.fsencode(entry.name), entry.is_dir(follow_symlinks=False)) for entry in entries(readable)]


def _is_parent(parent: Descriptor, child: Descriptor) -> bool:
    return identity(status(open_parent(child))) == identity(status(parent))
