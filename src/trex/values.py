"""The closed set of values that cross a process boundary.

Owns:  the value types that are not already Python's own: `Char`, `Object`, `Constant`.
Never: interprets a value; imports nothing of ours.

A value is one of: `None`, `bool`, `int` (64-bit signed), `float`, `str`, `bytes`, `list` of values,
`dict` of `str` to values, `Char`, `Object`, `Constant`. Languages map these onto their own types,
and operations take and return them.
"""

from __future__ import annotations

from typing import Any

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1


class Char:
    """One Unicode scalar value, distinct from a string of length one."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Char and other.text == self.text

    def __hash__(self) -> int:
        return hash((Char, self.text))

    def __repr__(self) -> str:
        return f"Char({self.text!r})"


class Object:
    """A value of a type that the interface declares: a record, a built option set, or a handle.

    type:   the declared name, such as `"Metadata"` or `"File"`.
    fields: the data that came with it, by field name.
    handle: the number of a resource held by the broker, or None. It is a name, not an
            authority: the broker refuses numbers that it did not give to this run.
    """

    __slots__ = ("fields", "handle", "type")

    def __init__(self, type: str, fields: dict[str, Any], handle: int | None = None) -> None:
        self.type = type
        self.fields = fields
        self.handle = handle

    def __repr__(self) -> str:
        return f"Object({self.type!r}, {self.fields!r}, {self.handle!r})"


class Constant:
    """A member of a declared module: an enumeration constant or a flag, such as `tail::n(5)`.

    type:      the declared product type, such as `"EntryType"` or `"TailFlag"`.
    name:      the member's canonical name.
    arguments: what a member with parameters was given.
    denial:    for an error kind that a denial raised, the number of that denial in the audit
               record; scripts cannot make one up, and equality ignores it.
    """

    __slots__ = ("arguments", "denial", "name", "type")

    def __init__(self, type: str, name: str, arguments: tuple[Any, ...] = (), denial: int | None = None) -> None:
        self.type = type
        self.name = name
        self.arguments = arguments
        self.denial = denial

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is Constant
            and other.type == self.type
            and other.name == self.name
            and other.arguments == self.arguments
        )

    def __hash__(self) -> int:
        return hash((Constant, self.type, self.name))

    def __repr__(self) -> str:
        return f"Constant({self.type!r}, {self.name!r}, {self.arguments!r})"
