"""Where library functions are declared and found.

Owns:  the tables from name, argument count and type of the first argument to the implementation.
Never: implements a function.

One implementation serves one name, one number of arguments and one or more types of the first
argument. It checks the types of the others itself and raises `errors.function_not_found` for what the
language has no overload for.

How an implementation is called, by `effect`:

* `value`:   `f(receiver, *arguments) -> result`. Takes its receiver by value.
* `pure`:    the same, by reference but without changing it: allowed on constants.
* `read`:    the same, changes nothing, yet the language refuses it on constants.
* `change`:  `f(receiver, *arguments) -> result` changes an `Array`, `Map`, `Blob` or cell-like value
             in place. The caller passes a container that may be changed.
* `replace`: `f(receiver, *arguments) -> (new receiver, result)`, for immutable receivers.

With `calls=True` the implementation takes one more argument at the end: the call depth, for
`semantics.calls.call_back`.

Arguments may be kept: callers mark containers that are still held elsewhere. Results are the caller's:
an implementation marks (`containers.share`) what it returns and still holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from trex.languages.rhai import errors

Effect = Literal["value", "pure", "read", "change", "replace"]
Implementation = Callable[..., Any]

ANY = object  # stands for every type as the first argument


class Overloads(dict[type, Implementation]):
    """Implementations of one name and argument count, by type of the first argument."""

    __slots__ = ("calls", "changes", "effects", "name")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.effects: dict[type, Effect] = {}
        self.calls = False
        # Whether any of them may change its receiver.
        self.changes = False

    def add(self, kind: type, implementation: Implementation, effect: Effect) -> None:
        """The implementation for a type, in place of another one."""
        self[kind] = implementation
        self.effects[kind] = effect
        self.changes = self.changes or effect in ("change", "replace")

    def extended(self) -> Overloads:
        """A copy, to add to."""
        copy = Overloads(self.name)
        copy.update(self)
        copy.effects.update(self.effects)
        copy.calls, copy.changes = self.calls, self.changes
        return copy

    def __missing__(self, kind: type) -> Implementation:
        """What to call for a type without an entry of its own: the one for any type, or the error."""
        found = self.get(ANY)
        if found is not None:
            return found
        name = self.name
        extra = self.calls

        def missing(*arguments: Any) -> Any:
            raise errors.function_not_found(name, *(arguments[:-1] if extra else arguments))

        return missing


# (name, number of arguments, receiver included) -> overloads
FUNCTIONS: dict[tuple[str, int], Overloads] = {}

# type -> name -> getter(value)
GETTERS: dict[type, dict[str, Implementation]] = {}

# (name, ()) with no arguments
NULLARY: dict[str, Implementation] = {}


def function(
    name: str, *receivers: type, arguments: int, effect: Effect = "value", calls: bool = False, getter: bool = False
) -> Callable[[Implementation], Implementation]:
    """Declare an implementation of `name` taking `arguments` values, the receiver included.

    receivers: types of the first argument; `ANY` for every type that has no entry of its own.
    getter:    also readable as the property `name`.
    """

    def declare(implementation: Implementation) -> Implementation:
        if arguments == 0:
            NULLARY[name] = implementation
            return implementation
        overloads = FUNCTIONS.get((name, arguments))
        if overloads is None:
            overloads = FUNCTIONS[name, arguments] = Overloads(name)
        overloads.calls |= calls
        for receiver in receivers:
            overloads.add(receiver, implementation, effect)
            if getter:
                GETTERS.setdefault(receiver, {})[name] = implementation
        return implementation

    return declare
