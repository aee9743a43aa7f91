"""JSON: `to_json` of maps, and `parse_json`.

Owns:  how values are written as JSON, and which texts are read.
Relies on: `json_scanner` for texts that are more than strict JSON.
Never: writes what is no JSON: chars and whatever JSON has no form for become strings, NaN and infinities null.

The language reads JSON with its own parser, so that comments, trailing commas and constant expressions
pass, while some escapes of JSON do not. Most texts are strict JSON, for which there is a fast decoder; the
scanner takes the rest, and whatever is wrong, to say where.
"""

from __future__ import annotations

from typing import Any

from msgspec import DecodeError
from msgspec.json import decode

from trex.languages.rhai import errors
from trex.languages.rhai.library.json_scanner import MAX_DEPTH, scan
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.semantics.arithmetic import check_text
from trex.languages.rhai.semantics.containers import array_of, keys, map_of
from trex.languages.rhai.semantics.sizes import LIMITS
from trex.languages.rhai.semantics.text import debug, float_debug
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import Array, Blob, Char, FnPtr, Map
from trex.values import INT_MAX, INT_MIN

_ESCAPES: dict[int, str] = {
    **{code: f"\\u{code:04x}" for code in (*range(0x20), 0x7F)},
    0x09: "\\t",
    0x0A: "\\n",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}

# Escapes that JSON has and the language has not; the halves of surrogate pairs among them.
_OTHER_ESCAPES = ("\\/", "\\b", "\\f", "\\ud", "\\uD")


def _quoted(string: str) -> str:
    if string.isascii() and string.isprintable() and '"' not in string and "\\" not in string:
        return f'"{string}"'
    return f'"{string.translate(_ESCAPES)}"'


def _written(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return _quoted(value)
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        return float_debug(value) if value - value == 0.0 else "null"
    if kind is Array:
        return f"[{','.join([_written(item) for item in value.v])}]"
    if kind is Map:
        entries = value.v
        return f"{{{','.join([f'{_quoted(key)}:{_written(entries[key])}' for key in keys(value)])}}}"
    if value is None:
        return "null"
    if kind is Char:
        return _quoted(value.text)
    if kind is Blob:
        return f"[{','.join(map(str, value.v))}]"
    if kind is FnPtr:
        if not value.curry:
            return _quoted(value.name)
        return f"[{','.join([_quoted(value.name), *map(_written, value.curry)])}]"
    return _quoted(debug(value))


@function("to_json", Map, arguments=1, effect="pure")
def to_json(map: Map) -> str:
    try:
        return check_text(_written(map))
    except RecursionError:
        raise errors.stack_overflow() from None


class _Unfit(Exception):
    """The text has to be scanned after all."""


class _Reader:
    """Makes values of what the decoder gives, and counts what shows whether a name stood twice."""

    __slots__ = ("colons", "entries")

    def __init__(self) -> None:
        self.entries = 0
        self.colons = 0  # in strings

    def value(self, x: Any, depth: int) -> Any:
        kind = type(x)
        if kind is str:
            self.colons += x.count(":")
            return x
        if kind is int:
            return x if INT_MIN <= x <= INT_MAX else float(x)
        if kind is dict:
            if depth >= MAX_DEPTH:
                raise _Unfit
            self.entries += len(x)
            for key, item in x.items():
                if ":" in key:
                    self.colons += key.count(":")
                if type(item) is not bool and item is not None:
                    x[key] = self.value(item, depth + 1)
            return map_of(x)
        if kind is list:
            if depth >= MAX_DEPTH or len(x) >= LIMITS.array:
                raise _Unfit
            return array_of([self.value(item, depth + 1) for item in x])
        return x


def _decoded(text: str) -> Any:
    if "\\" in text and any(escape in text for escape in _OTHER_ESCAPES):
        raise _Unfit
    try:
        plain = decode(text)
    except (DecodeError, RecursionError):
        raise _Unfit from None
    reader = _Reader()
    try:
        value = reader.value(plain, 0)
    except errors.RhaiError:
        # Something is too large: the scanner says what and where.
        raise _Unfit from None
    if text.count(":") != reader.entries + reader.colons:
        # A name stood twice and one of its entries is lost, or a colon was escaped.
        raise _Unfit
    return value


@function("parse_json", str, arguments=1)
def parse_json(text: str) -> Map:
    try:
        value = _decoded(text)
    except _Unfit:
        value = scan(text)
    if type(value) is not Map:
        raise errors.mismatch_output(type_name(value), "map")
    return value
