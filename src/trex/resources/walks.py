"""Walks: every entry below a directory, each directory judged before it is entered.

Owns:      what is asked on the way, which entries a walk passes over, and what it says about those that
           it cannot read.
Relies on: `trex.host.descent` for the way down and back; the gate for permits.
Never:     follows a link that it was not told to follow; enters a directory twice where it follows links;
           keeps anything of what it has passed.

In the order of the kernel's listing, a directory before what it holds. A directory must be
permitted `open` to be seen at all, and `read` to be entered; what is denied is passed over, and the
denials are in the audit and in the outcome. What the host refuses is told in the log.

A walk that follows links asks for each of them: `stat` on the link, then `open` on the link's own
path and on what it leads to, and `stat` on that. What was found there is what the entry stands for
from then on: its name is the link's, its place is where the link led.
"""

from __future__ import annotations

import os
from errno import ELOOP
from typing import TYPE_CHECKING

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.errors import AccessDenied
from trex.host import files
from trex.host.descent import Descent
from trex.host.files import DIRECTORY, REGULAR, SYMLINK
from trex.host.paths import PATH_MAX, encode, from_kernel
from trex.resources import failures, patterns
from trex.resources.file_system import OPEN, READ, STAT, Directory, Entry, strict_directory, type_of
from trex.resources.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trex.authorization.entities import Action, Entity
    from trex.catalogue.access import Gate
    from trex.host.files import Descriptor, Identity

MAX_NESTED = 40  # links to directories that were followed to get to a place: as many as the kernel follows
_TOLD = 20  # problems that a walk tells one by one

_SIGNED = 1 << 63
_ENTRY_SIZE = 64  # what it takes on its way to the script beside its name and place


class Found:
    """One entry of a walk. The walk must still stand on it when its status is asked for.

    depth:   1 for what the top itself holds.
    path:    its directory's path and its name.
    kind:    the bits of a mode that tell the type; of what a followed link leads to.
    leaving: all that the directory holds has been seen; only walks with `leaving` give such.
    real:    where a followed link led to.
    """

    __slots__ = ("_directory", "_status", "depth", "inode", "kind", "leaving", "name", "path", "real")

    def __init__(self, directory: Descriptor, depth: int, name: str, path: str, kind: int, inode: int) -> None:
        self._directory: Descriptor | None = directory
        self.depth = depth
        self.name, self.path, self.kind, self.inode = name, path, kind, inode
        self.real = ""
        self.leaving = False
        self._status: os.stat_result | None = None

    @property
    def is_directory(self) -> bool:
        return self.kind == DIRECTORY

    @property
    def home(self) -> Descriptor:
        """The directory that holds it."""
        assert self._directory is not None, "the walk stands on it"
        return self._directory

    def enter(self) -> None:
        """The walk goes on inside of it. What holds it need not stay open for that."""
        self._directory = None

    def leave(self, directory: Descriptor) -> None:
        """The walk stands on it again, in `directory`; all that it holds has been seen."""
        self._directory, self.leaving = directory, True
        if not self.real:
            self._status = None

    def led_to(self, real: str, status: os.stat_result) -> None:
        """It is a link that was followed."""
        self.real, self._status = real, status
        self.kind, self.inode = files.kind(status), status.st_ino

    def status(self) -> os.stat_result:
        """What the kernel says of it now. Raises FileNotFoundError if it is gone, or is of another type."""
        if self._status is None:
            status = os.stat(encode(self.name), dir_fd=self.home.number, follow_symlinks=False)
            if self.kind and files.kind(status) != self.kind:
                raise FileNotFoundError  # it was judged as something else
            self._status = status
        return self._status

    def open(self) -> Descriptor:
        """The object itself, without an effect on it; as judged, or FileNotFoundError."""
        descriptor = files.open_name(self.home, encode(self.name))
        if self.kind and files.kind(files.status(descriptor)) != self.kind:
            raise FileNotFoundError
        return descriptor


class Tree:
    """A directory that may be read, with all that is below it.

    purpose:  what the log calls a walk of it.
    problems: how much of it the host refused.
    denied:   how many questions about what is below it were denied.
    """

    __slots__ = ("_gate", "denied", "directory", "problems", "purpose")

    def __init__(self, directory: Directory, gate: Gate, purpose: str) -> None:
        self.directory, self._gate, self.purpose = directory, gate, purpose
        self.problems = self.denied = 0

    def walk(
        self,
        max_depth: int | None = None,
        *,
        follow: bool = False,
        leaving: bool = False,
        hidden: bool = True,
        closed: bool = False,
        device: int | None = None,
    ) -> Iterator[Found]:
        """Every entry.

        max_depth: directories at this depth are not entered; what they hold is one deeper.
        follow:    what links lead to, instead of the links.
        leaving:   give each directory once more, after what it holds.
        hidden:    also names that start with a dot.
        closed:    also directories that may not be opened, as the listing above told of them.
        device:    only what is on this one.
        """
        budget = self._gate.budget
        descent = Descent(self.directory.descriptor)
        path = "" if self.directory.path.is_root else self.directory.path.text
        outer: list[tuple[Descent, str]] = []
        entered: list[Found] = []
        seen: set[Identity] = {files.identity(descent.status)}
        count = 0
        while True:
            count += 1
            if not count & 0x7F:
                budget.check_time()
            try:
                found = descent.next()
            except OSError as error:
                self.problem(path, f"it could not be read to its end: {failures.os_text(error)}")
                found = None
            if found is None:
                if not entered:
                    self._summarize()
                    return
                left = entered.pop()
                if descent.depth:
                    descent.leave()
                    path = path[: path.rindex("/")]
                else:
                    descent, path = outer.pop()
                if leaving:
                    left.leave(descent.directory)
                    yield left
                continue
            name, kind, inode = found
            if not hidden and name.startswith("."):
                continue
            step = Found(descent.directory, len(entered) + 1, name, f"{path}/{name}", kind, inode)
            target: Descriptor | None = None
            if kind == SYMLINK and follow:
                target = self._follow(step)
                if target is None:
                    continue
            is_open = target is not None or kind != DIRECTORY or self.may(OPEN, directory_entity(step.path))
            if not is_open and not closed:
                continue
            if not step.is_directory:
                yield step
                continue
            if device is not None and self._is_elsewhere(step, device):
                continue
            yield step
            place = step.real or step.path
            inside: Descent | None = None
            if is_open and (max_depth is None or step.depth < max_depth) and self.may(READ, directory_entity(place)):
                if target is not None:
                    inside = self._entered_link(step, target, seen, len(outer))
                elif self._enter(step, descent, seen if follow else None):
                    inside = descent
            if inside is None:
                if leaving:
                    step.leaving = True
                    yield step
                continue
            step.enter()
            if inside is not descent:
                descent.fold()
                outer.append((descent, path))
                descent = inside
            path = place if place != "/" else ""
            entered.append(step)

    def open(self, path: str) -> Directory:
        """A directory that the walk has passed, judged and opened again."""
        place = from_kernel(encode(path))
        return strict_directory(place, self._gate.permit(OPEN, directory_entity(path)))

    def listing(self) -> Listing:
        """What the directory itself holds, without asking about any of it."""
        return Listing(self.directory, self._gate.budget)

    def may(self, action: Action, entity: Entity) -> bool:
        """Whether that is permitted below the top; a denial is recorded, and the walk goes on."""
        if isinstance(self._gate.ask(action, entity), AccessDenied):
            self.denied += 1
            return False
        return True

    def entry(self, found: Found) -> Entry:
        """What a script holds of it."""
        inode = found.inode
        if inode >= _SIGNED:  # scripts know signed numbers only; it stays one number per inode
            inode -= 2 * _SIGNED
        # A link to the root leads to no name; it can only be followed again.
        place = found.real if found.real not in ("", "/") else found.path
        folder, _, name = place.rpartition("/")
        folder = folder or "/"
        if folder == self.directory.path.text:
            folder = ""
        self._gate.budget.read(len(found.name) + len(folder) + _ENTRY_SIZE)
        return Entry(self.directory, found.name, type_of(found.kind), inode, folder, "" if name == found.name else name)

    def status(self, found: Found) -> os.stat_result:
        """Its status, judged as that of an entry is: `open` and `stat`, where it can be opened."""
        if not found.real:
            if found.is_directory:
                self._gate.permit(STAT, directory_entity(found.path))
            else:
                entity = file_entity(found.path)
                if found.kind in (REGULAR, SYMLINK):
                    self._gate.permit(OPEN, entity)
                self._gate.permit(STAT, entity)
        return found.status()

    def target(self, found: Found) -> bytes | None:
        """What a symbolic link holds, where reading it is permitted."""
        if isinstance(self._gate.ask(READ, file_entity(found.path)), AccessDenied):
            return None
        return files.link_target(found.open())

    def count(self, text: str) -> None:
        """Count a text that goes to the script."""
        self._gate.budget.read(len(text) if text.isascii() else len(text.encode()))

    def expression(self, pattern: str) -> Callable[[bytes], object]:
        """A regular expression, searched for within the run's time."""
        return patterns.matcher(pattern, budget=self._gate.budget)

    def problem(self, path: str, reason: str) -> None:
        """Tell in the log what the host refused. After `_TOLD` of them only how many there were."""
        self.problems += 1
        if self.problems <= _TOLD:
            self._gate.report.log("WARN", f"{self.purpose}: {path or '/'}: {reason}", self._gate.line)

    def _summarize(self) -> None:
        if self.problems > _TOLD:
            text = f"{self.purpose}: {self.problems - _TOLD} more problems"
            self._gate.report.log("WARN", text, self._gate.line)

    def _enter(self, step: Found, descent: Descent, seen: set[Identity] | None) -> bool:
        """Go down into a directory, which must be where it was judged to be."""
        try:
            descent.enter(step.name)
            path = encode(step.path)
            # Longer paths are told by no kernel; those above have been checked, and each was entered from them.
            if len(path) < PATH_MAX and not files.stands_at(descent.directory, path):
                descent.leave()
                self.problem(step.path, "it was moved after it was authorized")
                return False
        except FileNotFoundError:  # it was removed meanwhile
            return False
        except OSError as error:
            self.problem(step.path, f"it could not be entered: {failures.os_text(error)}")
            return False
        if seen is not None:
            identity = files.identity(descent.status)
            if identity in seen:
                descent.leave()
                return False
            seen.add(identity)
        return True

    def _is_elsewhere(self, step: Found, device: int) -> bool:
        try:
            return step.status().st_dev != device
        except OSError:
            return True

    def _follow(self, step: Found) -> Descriptor | None:
        """What a link leads to, if all that is asked about it is permitted."""
        gate = self._gate
        if isinstance(gate.ask(STAT, file_entity(step.path)), AccessDenied):
            return None
        try:
            target = files.follow_name(step.home, encode(step.name))
            real = files.real_path(target)
        except OSError as error:
            # What cannot be reached must be permitted before that is said.
            leads_to = files.resolve_text(from_kernel(encode(step.path)))
            if not isinstance(gate.ask(OPEN, file_entity(leads_to.text), named=step.path), AccessDenied):
                self.problem(step.path, f"the link could not be followed: {failures.os_text(error)}")
            return None
        step.led_to(real.text, files.status(target))
        entity = directory_entity if step.is_directory else file_entity
        for action, path in ((OPEN, step.path), (OPEN, real.text), (STAT, real.text)):
            if isinstance(gate.ask(action, entity(path), named=step.path), AccessDenied):
                return None
        return target

    def _entered_link(self, step: Found, target: Descriptor, seen: set[Identity], nested: int) -> Descent | None:
        """A walk of the directory that a link leads to, if it was not walked yet."""
        if nested >= MAX_NESTED:
            self.problem(step.path, f"it is not entered: {failures.os_text(OSError(ELOOP, ''))}")
            return None
        identity = files.identity(files.status(target))
        if identity in seen:
            return None
        try:
            inside = Descent(target)
        except OSError as error:
            self.problem(step.path, f"it could not be entered: {failures.os_text(error)}")
            return None
        seen.add(identity)
        return inside
