"""The walls of a confined program, as the policy draws them: which places, which rights.

Owns:      going from what the policy permits on whole trees to places that are open by descriptor.
Relies on: `Reach` for what holds on everything below a directory; `Confinement` to bind rules to objects.
Never:     gives a right on anything that the policy may deny; follows a link in a path that a policy names.

Rules of Landlock only add: there is no "all but". Where a policy permits a directory and forbids a part
of it, the directory's entries are looked at one by one, and those that are free become places of their
own. What is made beside them later is not among them. Rights that hold neither on a whole tree nor
on a single file that is there now cannot be drawn at all, and are not given: a program is refused there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trex.authorization import reach as rights_of
from trex.host import files, paths
from trex.host.paths import Path, PathRefused
from trex.programs.confinement import Confinement, Permitted
from trex.programs.profile import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.authorization.reach import Reach
    from trex.catalogue.access import Budget
    from trex.host.files import Descriptor

# Entries looked at one by one, and places given, for one program: a policy that needs more of them
# than this is not drawn completely.
MAX_ENTRIES = 10_000
MAX_PLACES = 2_000

_ON_A_FILE = rights_of.READ | rights_of.WRITE | rights_of.EXECUTE
_ATTRIBUTES = ("chmod", "chown", "set_x_attr", "read", "write")


class Walls:
    """Walls in the making.

    places:     how many were given.
    incomplete: whether there were too many to look at.
    """

    def __init__(self, reach: Reach, budget: Budget) -> None:
        self._reach, self._budget = reach, budget
        self.places = self._entries = 0
        self.incomplete = False
        self._done: set[str] = set()
        self._names = frozenset(reach.named())
        network = reach.network()
        self._everything = everything = network and reach.tree("/") == rights_of.ALL
        actions = frozenset(verb for verb in _ATTRIBUTES if reach.everywhere(verb))
        self.confinement = Confinement(Permitted(actions, network, everything))

    def draw(self, dynamic: bool) -> None:
        """Give every place that the policy permits, and those that a program is lost without.

        dynamic: whether the program is linked to libraries.
        """
        for place in PLACES:
            if dynamic or not place.dynamic:
                self._common(place.path, place.rights)
        for text in ("/", *self._reach.named()):
            path = _normal(text)
            if path is not None:
                self._at(path)
                if text == "/" and self._everything:
                    return

    def allow(self, descriptor: Descriptor, rights: int) -> None:
        """Give a place that is open: the program itself, its loader, its script."""
        status = files.status(descriptor)
        self.confinement.allow(descriptor.number, files.kind(status) == files.DIRECTORY, rights)
        self.places += 1

    # --- what policies name ---

    def _at(self, path: Path) -> None:
        try:
            found = files.open_strictly(path)
        except OSError:  # not there, or a link on the way: nothing that a script could open by this name
            return
        self._object(found, path)

    def _object(self, found: Descriptor, path: Path) -> None:
        """Give what holds on one object, and look into a directory where more may hold on its parts."""
        kind = files.kind(files.status(found))
        if path.text in self._done or kind == files.SYMLINK or not self._has_room():
            return
        self._done.add(path.text)
        if kind == files.REGULAR:
            self._give(found, False, self._reach.file(path.text))
        elif kind == files.DIRECTORY:
            self._give(found, True, self._reach.tree(path.text))
            named = path.text in self._names or path.is_root or self._reach.speaks_below(path.text)
            if named and self._reach.may_hold_on_more(path.text):
                for name, entry in self._entries_of(found):
                    self._object(entry, path.child(paths.decode(name)))

    # --- what every program needs ---

    def _common(self, text: str, rights: int) -> None:
        try:
            found = files.follow_object(text.encode())
            path = files.real_path(found)
        except OSError:  # this host has no such place
            return
        self._free(found, path, rights)

    def _free(self, found: Descriptor, path: Path, rights: int) -> None:
        """Give an object, or as much of a directory as no policy forbids."""
        status = files.status(found)
        whole = files.kind(status) == files.DIRECTORY
        if files.kind(status) == files.SYMLINK or not self._has_room():
            return
        if self._reach.is_free(path.text, whole):
            self._give(found, whole, rights)
        elif whole and self._reach.speaks_below(path.text):
            for name, entry in self._entries_of(found):
                self._free(entry, path.child(paths.decode(name)), rights)

    # --- both ---

    def _give(self, found: Descriptor, whole: bool, rights: int) -> None:
        if not whole:
            rights &= _ON_A_FILE
        if rights:
            self.confinement.allow(found.number, whole, rights)
            self.places += 1

    def _entries_of(self, directory: Descriptor) -> Iterator[tuple[bytes, Descriptor]]:
        """The entries of a directory, opened without effect."""
        try:
            readable = files.reopen(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:  # we may not list it
            return
        with readable:
            for found in files.entries(readable):
                if not self._has_room():
                    return
                self._entries += 1
                name = os.fsencode(found.name)
                try:
                    entry = files.open_name(directory, name)
                except OSError:  # gone since it was listed
                    continue
                yield name, entry

    def _has_room(self) -> bool:
        self._budget.check_time()
        if self._entries >= MAX_ENTRIES or self.places >= MAX_PLACES:
            self.incomplete = True
        return not self.incomplete


def _normal(text: str) -> Path | None:
    """The path of an id; None for one that no object ever has."""
    try:
        path = paths.parse(text)
    except PathRefused:
        return None
    return path if path.text == text else None
