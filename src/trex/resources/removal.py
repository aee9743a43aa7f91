"""Things that may be removed, and how: whole, verified, and judged one by one.

Owns:      what is checked before a name goes, and what is said when it cannot.
Relies on: `trex.host.changes` and `trex.host.trees`.
Never:     follows a link, crosses a mount point, or removes anything of a tree before all of it is
           permitted; tells what is in a directory that may be neither removed nor read.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from errno import EBUSY, ENOENT, ENOTEMPTY, EXDEV
from typing import TYPE_CHECKING

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.errors import AccessDenied
from trex.host import changes, files, trees
from trex.host.paths import encode
from trex.resources import failures
from trex.resources.carried import told
from trex.resources.file_system import DELETE, Directory

if TYPE_CHECKING:
    from trex.catalogue.access import Gate
    from trex.host.files import Identity
    from trex.host.paths import Path
    from trex.host.trees import Step


class Removal:
    """Something that may be removed now."""

    __slots__ = ()

    @abstractmethod
    def remove(self, force: bool, recursive: bool) -> None:
        """Remove it. `force`: that it is gone already is fine. `recursive`: with what it holds."""


class NothingThere(Removal):
    """A name that denotes nothing."""

    __slots__ = ()

    def remove(self, force: bool, recursive: bool) -> None:
        if not force:
            raise FileNotFoundError(ENOENT, "")


class FileRemoval(Removal):
    """A file or symbolic link, by the name under which it was judged."""

    __slots__ = ("_directory", "_identity", "_path")

    def __init__(self, directory: Directory, path: Path, identity: Identity) -> None:
        self._directory, self._path, self._identity = directory, path, identity

    def remove(self, force: bool, recursive: bool) -> None:
        name = encode(self._path.name)
        try:
            changes.remove_file(self._directory.descriptor, name, self._identity)
        except changes.Replaced:
            if _is_there(self._directory, name):
                raise
            if not force:
                raise failures.not_found(self._directory.path) from None
        except OSError as error:
            raise failures.file_failed(f"Error removing file: {failures.os_text(error)}", self._path) from error


class DirectoryRemoval(Removal):
    """A directory, by its descriptor: wherever its name is now, it must still be the judged one."""

    __slots__ = ("_directory", "_gate")

    def __init__(self, directory: Directory, gate: Gate) -> None:
        self._directory, self._gate = directory, gate

    def remove(self, force: bool, recursive: bool) -> None:
        directory = self._directory
        status = files.status(directory.descriptor)
        if status.st_nlink == 0:
            if not force:
                raise failures.not_found(directory.path)
            return
        directory.check_place()
        if directory.path.is_root:
            raise failures.directory_failed("Error removing directory", directory.path)
        parent = files.open_parent(directory.descriptor)
        name = encode(directory.path.name)
        emptying = _Emptying(self._gate)
        try:
            # Not across a mount point: what is mounted would be emptied, and then refuse to go.
            named = files.open_subdirectory(parent, name, cross=False)
            if files.identity(files.status(named)) != files.identity(status):
                raise failures.moved(directory.path)
            if recursive:
                emptying.empty(directory)
            # An empty directory is all that this can remove: if the name was swapped since, at worst
            # an empty one goes that stands where a removal was permitted.
            files.remove_directory(parent, name)
        except OSError as error:
            if error.errno == ENOTEMPTY and not recursive:
                raise failures.not_empty(directory.path) from error
            reason = "Error removing directory"
            if error.errno in (EXDEV, EBUSY):
                reason += ", a file system is mounted in it"
            if emptying.removed:
                reason += f", {emptying.removed} of its entries are gone"
            raise failures.directory_failed(f"{reason}: {failures.os_text(error)}", directory.path) from error


# So many entries are remembered between asking for all of them and doing it; of a larger tree the others
# are asked for twice.
REMEMBERED = 50_000


class _Emptying:
    """The removal of all that a directory holds: first asked for as a whole, then done.

    removed: how many entries are gone.
    """

    __slots__ = ("_gate", "_judged", "_reached", "_top", "removed")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._judged: set[int] = set()  # hashes of paths: nobody outside of this process can choose them
        self._reached = self.removed = 0
        self._top = "/"

    def empty(self, directory: Directory) -> None:
        """Ask for everything in it, then remove it; what appears in between is asked for too.

        A directory is asked for before it is looked into: what it holds is nobody's business if it stays.
        """
        self._top = directory.path.text
        for step in trees.walk(directory.descriptor, directory.path, entering=self._judge):
            self._judge(step)
        try:
            trees.remove_tree(directory.descriptor, directory.path, self._next, self._judge)
        except AccessDenied as denied:
            if not self.removed:
                raise
            text = f"Error removing directory, {self.removed} of its entries are gone: {denied.message}"
            raise failures.directory_failed(text, directory.path) from denied

    def _judge(self, step: Step) -> None:
        self._gate.budget.check_time()
        key = hash((step.path, step.is_directory))
        if key not in self._judged:
            entity = (directory_entity if step.is_directory else file_entity)(step.path)
            answer = self._gate.ask(DELETE, entity)
            if isinstance(answer, AccessDenied):
                raise told(self._gate, self._top, step.path, answer)
            if len(self._judged) < REMEMBERED:
                self._judged.add(key)

    def _next(self, step: Step) -> None:
        """Before an entry is removed: the one before it is gone."""
        self.removed = self._reached
        self._judge(step)
        self._reached += 1


def _is_there(directory: Directory, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=directory.descriptor.number, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
