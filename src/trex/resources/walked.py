"""Directories that are walked: by path or by handle, with the permits that each way takes.

Owns:      what is asked about the top of a tree; below it, `walks` asks.
Relies on: `file_system` for opening.
Never:     begins a walk of a directory that may not be read: that is an error, not an empty result.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Struct

from trex.catalogue.declare import Need, Resource
from trex.host import files
from trex.resources.file_system import OPEN, READ, STAT, Directory, File, follow_directory
from trex.resources.held import HeldDirectory, HeldFile
from trex.resources.named import parse
from trex.resources.walks import Tree

if TYPE_CHECKING:
    from trex.authorization.entities import Action
    from trex.catalogue.access import Gate
    from trex.host.paths import Path

_BELOW = (
    Need(OPEN, "Dir", "each directory below it", "to be seen; what is denied is passed over"),
    Need(READ, "Dir", "each directory below it", "to be entered"),
)


class TreeByPath(Resource):
    """A directory that a command looks through; a link to one is followed."""

    sample = "/sample"

    def __init__(self, purpose: str, asked: tuple[Action, ...], *below: Need) -> None:
        """For the command `purpose`, which asks for these actions on the directory once it is open."""
        self._purpose, self._asked = purpose, asked
        self.needs = (
            Need(OPEN, "Dir", "the directory, as given and as found"),
            *(Need(action, "Dir", "the directory") for action in asked),
            *below,
        )

    def check(self, argument: str) -> Path:
        return parse(argument)

    def acquire(self, gate: Gate, argument: Path, *used: Any) -> Tree:
        directory = follow_directory(argument, gate)
        for action in self._asked:
            gate.permit(action, directory.entity).require(action, directory.path.text)
        return Tree(directory, gate, self._purpose)


class HeldTree(HeldDirectory):
    """An open directory to walk."""

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> Tree:
        gate.permit(READ, argument.entity).require(READ, argument.path.text)
        argument.check_place()
        return Tree(argument, gate, "find")


_MEASURED = (
    *_BELOW,
    Need(OPEN, "File", "each file and link", "to be counted"),
    Need(STAT, "File", "each entry; as `Dir` if it is a directory", "to be counted; what is denied is passed over"),
)


class HeldTreeToMeasure(HeldDirectory):
    """An open directory whose size is told."""

    def acquire(self, gate: Gate, argument: Directory, *used: Any) -> Tree:
        gate.permit(STAT, argument.entity).require(STAT, argument.path.text)
        gate.permit(READ, argument.entity).require(READ, argument.path.text)
        argument.check_place()
        return Tree(argument, gate, "disk_usage")


class Measured(Struct, frozen=True):
    """A file's status, and the path under which it was judged."""

    path: str
    status: os.stat_result


class FileToMeasure(HeldFile):
    """An open file whose size is told."""

    def acquire(self, gate: Gate, argument: File, *used: Any) -> Measured:
        gate.permit(STAT, argument.entity).require(STAT, argument.path.text)
        argument.check_place()
        return Measured(argument.path.text, files.status(argument.descriptor))


TreeListed = Annotated[
    Tree,
    TreeByPath(
        "ls",
        (READ,),
        Need(OPEN, "Dir", "each directory in it", "with `long` or `recursive`"),
        Need(OPEN, "File", "each file and link", "with `long`"),
        Need(STAT, "File", "each entry; as `Dir` if it is a directory", "with `long`"),
        Need(READ, "File", "each link, for what it holds", "with `long`"),
        Need(READ, "Dir", "each directory in it", "with `recursive`"),
    ),
]
TreeSearched = Annotated[
    Tree,
    TreeByPath(
        "find_files",
        (READ,),
        Need(OPEN, "Dir", "each directory below it", "to be found; what is denied is passed over"),
        Need(READ, "Dir", "each directory below it", "with `recursive`"),
    ),
]
TreeWalked = Annotated[
    Tree,
    HeldTree(
        Need(READ, "Dir", "the directory"),
        *_BELOW,
        Need(OPEN, "File", "each file and link", "to look at size or times"),
        Need(STAT, "File", "each entry; as `Dir` if it is a directory", "to look at size or times"),
        Need(STAT, "File", "each link", "with `follow_symlinks`"),
        Need(OPEN, "File", "each link, and what it leads to; as `Dir` if that is one", "with `follow_symlinks`"),
        Need(STAT, "File", "what a link leads to; as `Dir` if that is one", "with `follow_symlinks`"),
    ),
]
TreeMeasured = Annotated[Tree, TreeByPath("du", (STAT, READ), *_MEASURED)]
HeldTreeMeasured = Annotated[
    Tree, HeldTreeToMeasure(Need(STAT, "Dir", "the directory"), Need(READ, "Dir", "the directory"), *_MEASURED)
]
FileMeasured = Annotated[Measured, FileToMeasure(Need(STAT, "File", "the file"))]
