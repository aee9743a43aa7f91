"""What scripts and error messages call the types of values.

Owns:  the two spellings: `type_of`, and the one in signatures of missing functions.
Never: converts a value.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai.values import Array, Blob, Char, Constant, FnPtr, Items, Map, Object, Range, Timestamp

NAMES: dict[type, str] = {
    type(None): "()",
    bool: "bool",
    int: "i64",
    float: "f64",
    str: "string",
    Char: "char",
    Array: "array",
    Map: "map",
    Blob: "blob",
    FnPtr: "Fn",
    Timestamp: "timestamp",
    Items: "range",
}

STRING_IN_SIGNATURE = "&str | ImmutableString | String"


def type_name(value: Any) -> str:
    """The name that `type_of` gives."""
    name = NAMES.get(type(value))
    if name is not None:
        return name
    kind = type(value)
    if kind is Range:
        return "range=" if value.inclusive else "range"
    if kind is Object or kind is Constant:
        return str(value.type)
    return str(value.type_name)


def internal_type_name(value: Any) -> str:
    """The name in mismatch errors, which spell ranges differently."""
    if type(value) is Range:
        return f"core::ops::range::Range{'Inclusive' if value.inclusive else ''}<i64>"
    return type_name(value)


def signature(name: str, arguments: tuple[Any, ...]) -> str:
    """`name (type, type)` as missing functions are reported."""
    types = (STRING_IN_SIGNATURE if type(value) is str else type_name(value) for value in arguments)
    return f"{name} ({', '.join(types)})"
