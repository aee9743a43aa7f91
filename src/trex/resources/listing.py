"""The entries of a directory that may be listed.

Owns:      reading a directory under a bound.
Relies on: a directory that was authorized for `read`.
Never:     opens or follows an entry.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trex.host import files
from trex.resources.file_system import Directory, Entry, entry_type
from trex.resources.shapes import ENTRY_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.catalogue.access import Budget
    from trex.values import Constant

# What an entry takes on its way to the script beside its name: type, inode, handle.
_ENTRY_SIZE = 64

_TYPE_FILE, _TYPE_DIR, _TYPE_SYMLINK = ENTRY_TYPE["FILE"], ENTRY_TYPE["DIR"], ENTRY_TYPE["SYMLINK"]
_SIGNED = 1 << 63


class Listing:
    """A directory that may be read."""

    __slots__ = ("_budget", "directory")

    def __init__(self, directory: Directory, budget: Budget) -> None:
        self.directory, self._budget = directory, budget

    def entries(self) -> Iterator[Entry]:
        """Every entry but `.` and `..`, in the kernel's order."""
        budget = self._budget
        with files.reopen(self.directory.descriptor, os.O_RDONLY | os.O_DIRECTORY) as readable:
            for count, found in enumerate(files.entries(readable)):
                name = files.entry_name(found)
                budget.read(len(name) + _ENTRY_SIZE)
                if not count & 0xFF:
                    budget.check_time()
                inode = found.inode()
                if inode >= _SIGNED:  # scripts know signed numbers only; it stays one number per inode
                    inode -= 2 * _SIGNED
                kind = _type(found)
                if kind is not None:
                    yield Entry(self.directory, name, kind, inode)


def _type(found: os.DirEntry[str]) -> Constant | None:
    if found.is_symlink():
        return _TYPE_SYMLINK
    if found.is_dir(follow_symlinks=False):
        return _TYPE_DIR
    if found.is_file(follow_symlinks=False):
        return _TYPE_FILE
    try:
        return entry_type(found.stat(follow_symlinks=False))
    except FileNotFoundError:  # it was removed since the listing began
        return None
