"""Integers and floats: signs, roundings, functions of mathematics, and numbers from text and to digits.

Owns:  the functions of numbers but those on bits (`bits`).
Never: lets a float function fail: where Python raises, the result is an infinity or no number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.library.strings import WHITE_SPACE
from trex.languages.rhai.semantics.text import float_digits
from trex.languages.rhai.values import Char
from trex.values import INT_MAX, INT_MIN

_WHOLE = 2.0**52  # from here on every float is whole
_UNSIGNED = 0xFFFF_FFFF_FFFF_FFFF


@function("abs", int, arguments=1)
def abs_int(number: int) -> int:
    if number == INT_MIN:
        raise errors.arithmetic(f"Negation overflow: -{number}")
    return abs(number)


@function("abs", float, arguments=1)
def abs_float(number: float) -> float:
    return abs(number)


@function("sign", int, float, arguments=1)
def sign(number: float) -> int:
    if number != number:
        raise errors.arithmetic("Sign of NaN is undefined")
    return (number > 0) - (number < 0)


@function("is_zero", int, float, arguments=1, getter=True)
def is_zero(number: float) -> bool:
    return number == 0


@function("is_odd", int, arguments=1, getter=True)
def is_odd(number: int) -> bool:
    return number % 2 == 1


@function("is_even", int, arguments=1, getter=True)
def is_even(number: int) -> bool:
    return number % 2 == 0


@function("max", int, float, arguments=2)
def max_(x: Any, y: Any) -> Any:
    kind, other = type(x), type(y)
    if kind is other:
        return x if x >= y else y
    if other is not float and other is not int:
        raise errors.function_not_found("max", x, y)
    x, y = float(x), float(y)
    return x if x >= y else y


@function("min", int, float, arguments=2)
def min_(x: Any, y: Any) -> Any:
    kind, other = type(x), type(y)
    if kind is other:
        return x if x <= y else y
    if other is not float and other is not int:
        raise errors.function_not_found("min", x, y)
    x, y = float(x), float(y)
    return x if x <= y else y


@function("max", str, Char, arguments=2)
def max_text(x: Any, y: Any) -> Any:
    if type(x) is not type(y):
        raise errors.function_not_found("max", x, y)
    if type(x) is str:
        return max(x, y)
    return x if x.text >= y.text else y


@function("min", str, Char, arguments=2)
def min_text(x: Any, y: Any) -> Any:
    if type(x) is not type(y):
        raise errors.function_not_found("min", x, y)
    if type(x) is str:
        return min(x, y)
    return x if x.text <= y.text else y


@function("PI", arguments=0)
def pi() -> float:
    return math.pi


@function("E", arguments=0)
def e() -> float:
    return math.e


@function("to_int", int, arguments=1)
def int_to_int(number: int) -> int:
    return number


@function("to_int", Char, arguments=1)
def char_to_int(character: Char) -> int:
    return ord(character.text)


@function("to_int", float, arguments=1)
def float_to_int(number: float) -> int:
    if -9223372036854775808.0 <= number <= 9223372036854775808.0:
        return min(int(number), INT_MAX)
    if number != number:
        return 0
    raise errors.arithmetic(f"Integer overflow: to_int({_shown(number)})")


def _shown(number: float) -> str:
    if math.isinf(number):
        return "inf" if number > 0 else "-inf"
    return float_digits(number)


@function("to_float", int, float, arguments=1)
def to_float(number: float) -> float:
    return float(number)


def _round_with(round_: Callable[[float], int]) -> Callable[[float], float]:
    def rounded(number: float) -> float:
        if not -_WHOLE < number < _WHOLE:
            return number
        result = float(round_(number))
        # Python's rounded integers lost the sign of a zero.
        return result if result else math.copysign(0.0, number)

    return rounded


def _half_away(number: float) -> int:
    whole = int(number)
    if abs(number - whole) < 0.5:
        return whole
    return whole + 1 if number > 0 else whole - 1


_truncated = _round_with(math.trunc)
for _name, _rounding in (
    ("floor", _round_with(math.floor)),
    ("ceiling", _round_with(math.ceil)),
    ("round", _round_with(_half_away)),
    ("int", _truncated),
):
    function(_name, float, arguments=1, getter=True)(_rounding)


@function("fraction", float, arguments=1, getter=True)
def fraction(number: float) -> float:
    return number - _truncated(number)


@function("is_nan", float, arguments=1, getter=True)
def is_nan(number: float) -> bool:
    return number != number


@function("is_finite", float, arguments=1, getter=True)
def is_finite(number: float) -> bool:
    return math.isfinite(number)


@function("is_infinite", float, arguments=1, getter=True)
def is_infinite(number: float) -> bool:
    return math.isinf(number)


def _total(compute: Callable[[float], float]) -> Callable[[float], float]:
    """A function that gives no number outside its domain, and an infinity where the result is too large."""

    def total(number: float) -> float:
        try:
            return compute(number)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return total


def _logarithm(compute: Callable[[float], float]) -> Callable[[float], float]:
    def total(number: float) -> float:
        if number > 0.0:
            return compute(number)
        return -math.inf if number == 0.0 else math.nan

    return total


def _sinh(number: float) -> float:
    try:
        return math.sinh(number)
    except OverflowError:
        return math.copysign(math.inf, number)


# The inverse hyperbolic functions are defined by these formulas, and not by those of the C library.


def _asinh(number: float) -> float:
    if number == 0.0 or math.isinf(number):
        return number
    size = abs(number)
    inverse = 1.0 / size if size > 5e-309 else math.inf
    return math.copysign(math.log1p(size + size / (math.hypot(1.0, inverse) + inverse)), number)


def _acosh(number: float) -> float:
    if not number >= 1.0:
        return math.nan
    return math.log(number + math.sqrt(number - 1.0) * math.sqrt(number + 1.0))


def _atanh(number: float) -> float:
    if not -1.0 < number < 1.0:
        return math.copysign(math.inf, number) if abs(number) == 1.0 else math.nan
    return 0.5 * math.log1p((2.0 * number) / (1.0 - number))


_ln = _logarithm(math.log)
for _name, _compute in (
    ("sqrt", _total(math.sqrt)),
    ("exp", _total(math.exp)),
    ("ln", _ln),
    ("log", _logarithm(math.log10)),
    ("to_degrees", math.degrees),
    ("to_radians", math.radians),
    ("sin", _total(math.sin)),
    ("cos", _total(math.cos)),
    ("tan", _total(math.tan)),
    ("asin", _total(math.asin)),
    ("acos", _total(math.acos)),
    ("atan", math.atan),
    ("sinh", _sinh),
    ("cosh", _total(math.cosh)),
    ("tanh", math.tanh),
    ("asinh", _asinh),
    ("acosh", _acosh),
    ("atanh", _atanh),
):
    function(_name, float, arguments=1)(_compute)


@function("log", float, arguments=2)
def log(number: float, base: Any) -> float:
    if type(base) is not float:
        raise errors.function_not_found("log", number, base)
    divisor = _ln(base)
    dividend = _ln(number)
    if divisor:
        return dividend / divisor
    return math.copysign(math.inf, dividend) if dividend else math.nan


@function("atan", float, arguments=2)
def atan(y: float, x: Any) -> float:
    if type(x) is not float:
        raise errors.function_not_found("atan", y, x)
    return math.atan2(y, x)


@function("hypot", float, arguments=2)
def hypot(x: float, y: Any) -> float:
    if type(y) is not float:
        raise errors.function_not_found("hypot", x, y)
    return math.hypot(x, y)


@function("parse_int", str, arguments=1)
def parse_int(string: str) -> int:
    text = string.strip(WHITE_SPACE)
    if len(text) < 19 and text.isascii() and text.isdigit():
        return int(text)
    return _parsed(string, text, 10)


@function("parse_int", str, arguments=2)
def parse_int_radix(string: str, radix: Any) -> int:
    if type(radix) is not int:
        raise errors.function_not_found("parse_int", string, radix)
    if not 2 <= radix <= 36:
        raise errors.arithmetic(f"Invalid radix: '{radix}'")
    return _parsed(string, string.strip(WHITE_SPACE), radix)


_DIGITS = {digit: value for value, digit in enumerate("0123456789abcdefghijklmnopqrstuvwxyz")}


def _parsed(string: str, text: str, radix: int) -> int:
    """Read digit by digit, as the first thing that is wrong decides what the error says."""
    negative = text.startswith("-")
    digits = text[1:] if negative or text.startswith("+") else text
    if not digits:
        reason = "invalid digit found in string" if text else "cannot parse integer from empty string"
        raise _not_a_number("integer", string, reason)
    number = 0
    for digit in digits:
        value = _DIGITS.get(digit.lower() if digit.isascii() else digit, radix)
        if value >= radix:
            raise _not_a_number("integer", string, "invalid digit found in string")
        number = number * radix + value
        if number > INT_MAX + negative:
            size = "small" if negative else "large"
            raise _not_a_number("integer", string, f"number too {size} to fit in target type")
    return -number if negative else number


def _not_a_number(kind: str, string: str, reason: str) -> errors.RhaiError:
    return errors.arithmetic(f"Error parsing {kind} number '{string}': {reason}")


@function("parse_float", str, arguments=1)
def parse_float(string: str) -> float:
    text = string.strip(WHITE_SPACE)
    # Python reads more: underscores, digits of all scripts, and control characters around the number.
    if text.isascii() and text.isprintable() and "_" not in text:
        try:
            return float(text)
        except ValueError:
            pass
    reason = "invalid float literal" if text else "cannot parse float from empty string"
    raise _not_a_number("floating-point", string, reason)


@function("to_hex", int, arguments=1)
def to_hex(number: int) -> str:
    return format(number & _UNSIGNED, "x")


@function("to_octal", int, arguments=1)
def to_octal(number: int) -> str:
    return format(number & _UNSIGNED, "o")


@function("to_binary", int, arguments=1)
def to_binary(number: int) -> str:
    return format(number & _UNSIGNED, "b")
