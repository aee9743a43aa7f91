"""Values as text: the print form, the debug form, and the form inside error messages.

Owns:  the three forms of every type, and how floats and strings are written.
Never: checks a size; whoever keeps a text does.

| form     | used by                                            | differs in                                     |
|----------|----------------------------------------------------|------------------------------------------------|
| print    | `print`, `to_string`, interpolation, `string + x`  | strings raw, unit empty, floats easier to read |
| debug    | `debug`, `to_debug`, and whatever containers hold  | strings quoted, floats exact and short         |
| internal | the messages of errors                             | chars in containers quoted, functions by kind  |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.semantics.containers import keys
from trex.languages.rhai.semantics.printable import escaped
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import Array, Blob, Char, Constant, FnPtr, Items, Map, Range, Timestamp
from trex.values import INT_MAX

# Beyond these the print form of a float is scientific. They are 1e13 and 1e-13 rounded to 32 bits.
_LARGEST_PLAIN = 9999999827968.0
_SMALLEST_PLAIN = 9.999999824516700e-14

_ESCAPES = {
    **{code: f"\\u{{{code:x}}}" for code in (*range(0x20), 0x7F)},
    0x00: "\\0",
    0x09: "\\t",
    0x0A: "\\n",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}


def text(value: Any) -> str:
    """The print form."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value)
    if kind is Char:
        return value.text  # type: ignore[no-any-return]
    if kind is float:
        return float_text(value)
    if value is None:
        return ""
    return debug(value)


def debug(value: Any) -> str:
    """The debug form."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is str:
        return quoted(value)
    form = _DEBUG.get(kind)
    if form is None:
        return type_name(value)
    try:
        return form(value)
    except RecursionError:
        # As deep as only a container nested thousands of times in itself can be.
        raise errors.stack_overflow() from None


def error_text(value: Any) -> str:
    """The form in error messages: as printed, but containers show what their elements are."""
    kind = type(value)
    if kind is Array or kind is Map:
        try:
            return _internal(value)
        except RecursionError:
            raise errors.stack_overflow() from None
    return text(value)


def quoted(string: str) -> str:
    """A string in double quotes, with everything escaped that does not print."""
    if string.isascii():
        if string.isprintable() and '"' not in string and "\\" not in string:
            return f'"{string}"'
        return f'"{string.translate(_ESCAPES)}"'
    parts = [_ESCAPES.get(ord(c), c) if c < "\x80" else (f"\\u{{{ord(c):x}}}" if escaped(c) else c) for c in string]
    return f'"{"".join(parts)}"'


class _Keys(dict[str, str]):
    """Names of entries in double quotes, for as many short ones as are worth keeping."""

    def __missing__(self, name: str) -> str:
        made = quoted(name)
        if len(self) < 4096 and len(name) < 64:
            self[name] = made
        return made


_KEYS = _Keys()


def float_text(number: float) -> str:
    """The print form of a float."""
    if number == 0.0:
        return "0.0"
    magnitude = abs(number)
    if magnitude <= _LARGEST_PLAIN:
        if magnitude >= _SMALLEST_PLAIN:
            shortest = repr(number)
            return shortest if len(shortest) < 17 and "e" not in shortest else _plain(_rounded(number, shortest))
    elif magnitude == _INFINITY:
        return "inf" if number > 0 else "-inf"
    elif magnitude != magnitude:
        return "NaN"
    return _scientific(_rounded(number, repr(number)))


def float_debug(number: float) -> str:
    """The debug form of a float: the shortest text that reads back as the same number."""
    shortest = _rounded(number, repr(number))
    if "e" in shortest:
        return _scientific(shortest)
    return "NaN" if shortest == "nan" else shortest


def float_digits(number: float) -> str:
    """A float without exponent and without `.0`, as messages about numbers that are too large show it."""
    if number != number:
        return "NaN"
    plain = _plain(_rounded(number, repr(number)))
    return plain[:-2] if plain.endswith(".0") else plain


_INFINITY = float("inf")
_INTEGERS = {int}


def _rounded(number: float, shortest: str) -> str:
    """The shortest text, rounded up where two texts of that length are equally near.

    `repr` takes the even one then. It can happen only to fractions that end one binary digit beyond
    the decimals shown: n / 2^f has exactly f decimals, and the last of them is a 5.
    """
    if len(shortest) < 17 or "e" in shortest:
        return shortest
    decimals = len(shortest) - shortest.index(".") - 1
    numerator, denominator = abs(number).as_integer_ratio()
    if denominator != 1 << (decimals + 1):
        return shortest
    digits = str((numerator * 5 ** (decimals + 1) + 5) // 10).rjust(decimals + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"


def _split(shortest: str) -> tuple[str, str, int]:
    """A float's sign, significant digits, and the place of the point from the start of the digits."""
    sign = "-" if shortest[0] == "-" else ""
    mantissa, _, exponent = shortest[len(sign) :].partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return sign, digits.rstrip("0"), point


def _plain(shortest: str) -> str:
    """`1.5e-07` as `0.00000015`."""
    if "e" not in shortest:
        return shortest
    sign, digits, point = _split(shortest)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"


def _scientific(shortest: str) -> str:
    """`1e+16` as `1e16`, and `12345678901234.5` as `1.23456789012345e13`."""
    sign, digits, point = _split(shortest)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1}"


def _array(value: Array) -> str:
    items = value.v
    if set(map(type, items)) == _INTEGERS:
        return repr(items)
    return f"[{', '.join([str(x) if type(x) is int else debug(x) for x in items])}]"


def _map(value: Map) -> str:
    entries = value.v
    return f"#{{{', '.join([f'{_KEYS[key]}: {debug(entries[key])}' for key in keys(value)])}}}"


def _blob(value: Blob) -> str:
    # `hex` with a separator groups from the end, or from the start for a negative width.
    return f"[{value.v.hex(' ', -8)}]"


def _range(value: Range) -> str:
    dots = "..=" if value.inclusive else ".."
    return f"{value.start}{dots}{'' if value.end == INT_MAX else value.end}"


def _constant(value: Constant) -> str:
    return value.name


_DEBUG: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: "()",
    bool: lambda value: "true" if value else "false",
    float: float_debug,
    Char: lambda value: value.text,
    Array: _array,
    Map: _map,
    Blob: _blob,
    Range: _range,
    FnPtr: lambda value: f"Fn({value.name})",
    Timestamp: lambda value: "<timestamp>",
    Items: lambda value: "range",
    Constant: _constant,
}


def set_text(kind: type, form: Callable[[Any], str]) -> None:
    """Let values of this type, which the language itself does not know, have a text."""
    _DEBUG[kind] = form


def _internal(value: Any) -> str:
    kind = type(value)
    if kind is Array:
        return f"[{', '.join([_internal(x) for x in value.v])}]"
    if kind is Map:
        return f"#{{{', '.join([f'{quoted(key)}: {_internal(value.v[key])}' for key in keys(value)])}}}"
    if kind is Char:
        shown = value.text
        return "'\"'" if shown == '"' else "'\\''" if shown == "'" else f"'{quoted(shown)[1:-1]}'"
    if kind is FnPtr:
        link = "*+" if value.code is not None else ""
        captured = [f"{_internal(cell.v)} (shared)" for cell in value.captures]
        return f"Fn{link}({', '.join([quoted(value.name), *captured, *map(_internal, value.curry)])})"
    return debug(value)
