"""Whole trees by descriptor: walk one, remove one.

Owns:      the order of a walk: children before their directory.
Relies on: `descent` for the way down and back.
Never:     follows a link, or crosses a mount point unless told to.
"""

from __future__ import annotations

import os
from errno import ENOTEMPTY

from trex.host.descent import Descent, TreeMoved
from trex.host.files import DIRECTORY, Descriptor, open_subdirectory
from trex.host.paths import Path, encode

__all__ = ["Step", "TreeMoved", "remove_tree", "walk"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TRIES = 3  # to empty a directory in which names appear, or that tells not all of them while it shrinks


class Step:
    """One entry of a walk: `name` inside the open `directory`; `path` is the text of its whole path."""

    __slots__ = ("directory", "is_directory", "name", "path")

    def __init__(self, directory: Descriptor, name: bytes, path: str, is_directory: bool) -> None:
        self.directory = directory
        self.name = name
        self.path = path
        self.is_directory = is_directory


def walk(
    top: Descriptor, path: Path, *, cross: bool = False, entering: Callable[[Step], None] | None = None
) -> Iterator[Step]:
    """Every entry below `top`, whose path is `path`; a directory comes after what it holds.

    cross:    also enter what is mounted there.
    entering: is told of each directory before it is looked into, and may raise.

    The entry may be removed while the walk stands on it. A directory that is moved meanwhile ends
    the walk with `TreeMoved`.
    """
    return _walk(top, "" if path.is_root else path.text, cross, entering)


def _walk(
    top: Descriptor, path: str, cross: bool = False, entering: Callable[[Step], None] | None = None
) -> Iterator[Step]:
    descent = Descent(top)
    while True:
        found = descent.next()
        if found is None:
            if not descent.depth:
                return
            descent.leave(verify=True)
            above, _, name = path.rpartition("/")
            yield Step(descent.directory, encode(name), path, True)
            path = above
            continue
        name, kind, _ = found
        child = f"{path}/{name}"
        if kind == DIRECTORY:
            if entering is not None:
                entering(Step(descent.directory, encode(name), child, True))
            descent.enter(name, cross)
            path = child
        else:
            yield Step(descent.directory, encode(name), child, False)


def remove_tree(
    top: Descriptor, path: Path, judge: Callable[[Step], None], entering: Callable[[Step], None] | None = None
) -> None:
    """Remove everything below `top`; `judge` is asked before each entry and may raise.

    entering: is told of each directory before it is looked into, and may raise.
    """
    _empty(top, "" if path.is_root else path.text, judge, entering, _TRIES)


def _empty(
    top: Descriptor,
    path: str,
    judge: Callable[[Step], None],
    entering: Callable[[Step], None] | None,
    tries: int,
) -> None:
    for step in _walk(top, path, entering=entering):
        judge(step)
        try:
            if step.is_directory:
                os.rmdir(step.name, dir_fd=step.directory.number)
            else:
                os.unlink(step.name, dir_fd=step.directory.number)
        except FileNotFoundError:
            continue  # somebody else removed it
        except OSError as error:
            if error.errno != ENOTEMPTY or not tries:
                raise
            again = open_subdirectory(step.directory, step.name, cross=False)
            _empty(again, step.path, judge, entering, tries - 1)
            os.rmdir(step.name, dir_fd=step.directory.number)
