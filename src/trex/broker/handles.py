"""What a script holds: numbers that the broker gave out, and the resource behind each.

Owns:      the numbers of one run, how many may be held at once, and their end.
Relies on: the worker to say what the script dropped; nothing depends on it but the bound.
Never:     lets a number mean anything but what it was given for: unknown, released or of another
           type ends the worker. A number is given once, so a release can never meet a new meaning.

A number is a name, not an authority: what is done with it is authorized each time.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from trex.errors import LimitExceeded, OperationError, ProtocolViolation
from trex.values import Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trex.broker.gate import CallGate
    from trex.catalogue.access import Kept
    from trex.interface import ObjectType

CURSOR = "Cursor"

# Items of a walk that cross at once: few at first, for scripts that look for one thing and stop.
FIRST_BATCH, LARGEST_BATCH = 16, 256


@runtime_checkable
class PartOf(Protocol):
    """Something that scripts hold by what it is a part of, such as an entry by its directory."""

    @classmethod
    def of(cls, whole: Any, fields: dict[str, Any]) -> Any:
        """It again, from the whole and the fields that a worker sent. Raises `ProtocolViolation`."""

    def whole(self) -> Any:
        """What the broker has to keep."""

    def fields(self) -> dict[str, Any]:
        """What the script sees of it."""


class Cursor:
    """A walk that has been started: items are taken from it when the worker asks."""

    __slots__ = ("_failure", "_items", "_size", "gate")

    def __init__(self, items: Iterator[Any], gate: CallGate) -> None:
        self._items, self.gate = items, gate
        self._failure: Exception | None = None
        self._size = FIRST_BATCH

    def take(self) -> list[Any]:
        """The next items, none at the end. A failure comes after the items that were found before it."""
        if self._failure is not None:
            raise self._failure
        taken: list[Any] = []
        try:
            for item in islice(self._items, self._size):
                taken.append(item)
        except (OperationError, OSError) as failure:
            if not taken:
                raise
            self._failure = failure
        self._size = min(2 * self._size, LARGEST_BATCH)
        return taken


class Handles:
    """The handles of one run."""

    def __init__(self, types: Mapping[type, ObjectType], limit: int) -> None:
        self._types = {cls: shown.name for cls, shown in types.items()} | {Cursor: CURSOR}
        self._parts = {shown.name: cls for cls, shown in types.items() if issubclass(cls, PartOf)}
        self._limit = limit
        self._held: dict[int, tuple[str, Any]] = {}
        self._numbers: dict[int, int] = {}  # by what is held: how many numbers it has
        self._kept: list[Kept] = []
        self._last = 0

    def __len__(self) -> int:
        return len(self._held)

    def reply(self) -> Reply:
        """Numbers for the objects of one reply."""
        return Reply(self)

    def give(self, type_name: str, resource: Any) -> int:
        """A new number for a resource. One that is held already takes nothing more by another number."""
        numbers = self._numbers.get(id(resource), 0)
        if not numbers and len(self._numbers) >= self._limit:
            raise LimitExceeded("max_handles", self._limit)
        self._numbers[id(resource)] = numbers + 1
        self._last += 1
        self._held[self._last] = type_name, resource
        return self._last

    def resource(self, value: Object) -> Any:
        """What is behind an object that the worker sent."""
        entry = self._held.get(value.handle) if value.handle is not None else None
        if entry is None or entry[0] != value.type:
            raise ProtocolViolation(f"handle {value.handle} is not a {value.type} of this run")
        part = self._parts.get(value.type)
        return entry[1] if part is None else part.of(entry[1], value.fields)

    def resources(self, values: list[Any]) -> list[Any]:
        """The values of an array, with what is behind each object that stands for something held."""
        return [self.resource(each) if type(each) is Object and each.handle is not None else each for each in values]

    def release(self, numbers: Iterable[int]) -> None:
        """The script dropped these."""
        for number in numbers:
            entry = self._held.pop(number, None)
            if entry is None:
                raise ProtocolViolation(f"handle {number} was released, but is not held")
            key = id(entry[1])
            self._numbers[key] -= 1
            if not self._numbers[key]:
                del self._numbers[key]

    def keep(self, thing: Kept) -> None:
        """Something that goes on behind the script's back; there may be as many as handles."""
        self._kept = [each for each in self._kept if not each.is_over()]
        self._kept.append(thing)
        if len(self._kept) > self._limit:
            raise LimitExceeded("max_handles", self._limit, "programs that were left running")

    def close(self) -> None:
        """The end of the run: nothing is held any more, and what was left behind ends."""
        self._held.clear()
        self._numbers.clear()
        kept, self._kept = self._kept, []
        for thing in kept:
            thing.close()


class Reply:
    """The objects of one reply; parts of the same whole share a number."""

    __slots__ = ("_handles", "_wholes")

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._wholes: dict[int, int] = {}

    def issue(self, resource: Any) -> Object:
        """The object that stands for a resource in the worker."""
        type_name = self._handles._types[type(resource)]
        if type_name not in self._handles._parts:
            return Object(type_name, {}, self._handles.give(type_name, resource))
        whole = resource.whole()
        number = self._wholes.get(id(whole))
        if number is None:
            number = self._wholes[id(whole)] = self._handles.give(type_name, whole)
        return Object(type_name, resource.fields(), number)
