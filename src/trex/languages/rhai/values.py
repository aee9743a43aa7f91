"""The values of a running script.

Owns:  the types that are not Python's own, and what their slots mean.
Never: looks inside a value on behalf of an operator or a library function.

| type            | here                                                                    |
|-----------------|-------------------------------------------------------------------------|
| unit            | `None`                                                                  |
| bool, i64, f64  | `bool`, `int` (always within 64 bits), `float`                          |
| string          | `str` without surrogates                                                |
| char            | `Char` (equal chars may be different objects: compare `.text`)          |
| array, map, blob| `Array` around a `list`, `Map` around a `dict`, `Blob` around `bytearray`|
| range, range=   | `Range`                                                                 |
| iterator values | `Items`                                                                 |
| function        | `FnPtr`                                                                 |
| timestamp       | `Timestamp`                                                             |
| host values     | `Object`, `Constant` of `trex.values`, and `Builder` of the bindings    |

Types are told apart by `type(x) is T`: none of these is subclassed, and `bool` is not an `int` here.

Value semantics without copying. A script copies a container whenever it assigns, passes or stores it.
Here a copy is the same object, marked: whoever would change a *marked* container must first replace it,
in the place it changes, by a shallow copy (`containers.own`), whose nested containers become marked in
turn. So `state` has two bits:

* `SHARED` (2): more than one place may hold this object; it must not be changed in place. Never cleared.
* `NESTED` (1): it holds strings or containers, so that the `extra_*` counts matter.

`state == 0` is the fast case: sole owner, scalars only. A changed element then needs no bookkeeping.

Sizes. The limits on arrays, maps and strings count nested values too. Each container carries what its
elements contribute beyond their own number: `extra_array` elements of nested arrays and blobs (a nested
blob counts one more than its bytes), `extra_map` entries of nested maps, `extra_string` UTF-8 bytes.
Every function that stores into or removes from a container keeps them exact.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from trex.values import Char, Constant, Object

__all__ = [
    "NESTED",
    "NO_THIS",
    "SHARED",
    "THIS_CELL",
    "THIS_VALUE",
    "Array",
    "Blob",
    "Cell",
    "Char",
    "Constant",
    "FnPtr",
    "Items",
    "Map",
    "Object",
    "Range",
    "This",
    "Timestamp",
    "char",
]

NESTED = 1
SHARED = 2

NO_THIS = 0  # a function that does not name `this`
THIS_VALUE = 1  # one that only reads it: it takes the value
THIS_CELL = 2  # one that may change it: it takes a cell


class Array(Struct, eq=False):
    """An array. `v` is its elements."""

    v: list[Any]
    state: int = 0
    extra_array: int = 0
    extra_map: int = 0
    extra_string: int = 0


class Map(Struct, eq=False):
    """An object map. `v` is its entries in any order; `order` is a sorted list of its keys, or None.

    `order` is valid when it is as long as `v`: whoever removes an entry resets it.
    """

    v: dict[str, Any]
    state: int = 0
    extra_array: int = 0
    extra_map: int = 0
    extra_string: int = 0
    order: list[str] | None = None


class Blob(Struct, eq=False):
    """A byte array. Holds no values, so only `SHARED` is ever set."""

    v: bytearray
    state: int = 0


class Range(Struct, frozen=True, eq=False):
    """`start..end`, or `start..=end` when inclusive."""

    start: int
    end: int
    inclusive: bool


class Items(Struct, eq=False):
    """What `range(a, b, step)`, `s.chars(..)` and `n.bits(..)` give: something to loop over.

    `source` is a Python sequence or range of values.
    """

    source: Any


class Timestamp(Struct, frozen=True, eq=False):
    """A moment of the monotonic clock, in nanoseconds."""

    nanoseconds: int


class This(Struct, eq=False):
    """The cell of a `this` that is no variable: never locked, never captured."""

    shared: ClassVar[bool] = False
    v: Any


class Cell:
    """A variable that closures share, or a `this`. `v` is its value.

    While a method runs on the value by reference, the cell is *locked*: `v` is deleted, and any
    access ends in the data-race error. `shared` is set once a closure has captured it.
    """

    __slots__ = ("shared", "v")

    v: Any
    shared: bool

    def __init__(self, v: Any) -> None:
        self.v = v
        self.shared = False

    def __getattr__(self, name: str) -> Any:
        # Reached only when the slot is empty.
        from trex.languages.rhai import errors

        raise errors.data_race()


class FnPtr:
    """A pointer to a function: a closure, `Fn("name")`, or the bare name of a function.

    name:      what the script calls it; closures have a generated name.
    code:      the compiled function, or None: then it is looked up by name when called.
    params:    declared parameters, without captures; -1 where `code` is None.
    this:      what `code` takes for `this` before its parameters: `NO_THIS`, `THIS_VALUE` or `THIS_CELL`.
    curry:     values given by `curry`, before the arguments of a call.
    captures:  the cells of the variables that the closure captured.
    direct:    how many arguments `code` takes as it is, the depth apart; -1 where it takes anything else.
    bound:     twice the number of arguments that it takes behind `this`, and one more where that is a cell;
               -1 where it takes anything else.
    """

    __slots__ = ("bound", "captures", "code", "curry", "direct", "name", "params", "this")

    def __init__(
        self,
        name: str,
        code: Any = None,
        params: int = -1,
        this: int = NO_THIS,
        curry: tuple[Any, ...] = (),
        captures: tuple[Cell, ...] = (),
    ) -> None:
        self.name = name
        self.code = code
        self.params = params
        self.this = this
        self.curry = curry
        self.captures = captures
        self.direct = -1 if code is None or this or curry else params
        self.bound = -1 if code is None or not this or curry else params * 2 + (this == THIS_CELL)


class _Chars(dict[str, Char]):
    """One `Char` per character, made on first use, for as many as are worth keeping."""

    def __missing__(self, text: str) -> Char:
        made = Char(text)
        if len(self) < 4096:
            self[text] = made
        return made


CHARS = _Chars()
char = CHARS.__getitem__
