"""The operators that compute: `+ - * / % ** << >> & | ^`, the ranges, and the prefix operators.

Owns:  what each gives for each pair of types, and which pairs it refuses.
Never: assigns (`assignment`) or compares (`comparison`).

Every function tries the most frequent pairs first; compiled code has two integers inline already.
Pairs that need more than Python's operators, and those of types outside the language's core, are in
`RARE`, where the modules of those types put them (`pair`).
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign, fmod, inf, nan
from math import pow as float_pow
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.positions import NOWHERE
from trex.languages.rhai.semantics.containers import array_extend, copy, map_extend
from trex.languages.rhai.semantics.sizes import LIMITS, utf8_size
from trex.languages.rhai.semantics.text import text
from trex.languages.rhai.values import Array, Blob, Char, Map, Range
from trex.values import INT_MAX, INT_MIN

Operation = Callable[[Any, Any], Any]

# (operator, type of the left, type of the right) -> what it does
RARE: dict[tuple[str, type, type], Operation] = {}


def pair(operator: str, left: type, right: type) -> Callable[[Operation], Operation]:
    """Declare what an operator does for a pair of types."""

    def declare(operation: Operation) -> Operation:
        RARE[operator, left, right] = operation
        return operation

    return declare


def _rare(operator: str, x: Any, y: Any) -> Any:
    operation = RARE.get((operator, type(x), type(y)))
    if operation is None:
        raise errors.function_not_found(operator, x, y)
    return operation(x, y)


def joined(result: str) -> str:
    """The result of joining strings, or the size error; joining by a built-in operator, it has no position."""
    if len(result) * 4 > LIMITS.string and utf8_size(result) > LIMITS.string:
        error = errors.too_large("Length of string")
        error.position = NOWHERE
        raise error
    return result


def add(x: Any, y: Any) -> Any:
    """`x + y`"""
    left, right = type(x), type(y)
    if left is int and right is int:
        result = x + y
        if INT_MIN <= result <= INT_MAX:
            return result
        raise errors.arithmetic(f"Addition overflow: {x} + {y}", known_position=False)
    if left is float:
        if right is float or right is int:
            return x + y
    elif left is str:
        if right is str:
            return joined(x + y)
        if right is Char:
            return joined(x + y.text)
        return x if y is None else append_text(x, y)
    elif left is int and right is float:
        return x + y
    if right is str:
        if left is Char:
            return joined(x.text + y)
        return y if x is None else _prepend_text(x, y)
    return _rare("+", x, y)


def append_text(x: str, y: Any) -> str:
    """`string + anything`, which is not among the built-in pairs."""
    return check_text(x + joined_text(y))


def _prepend_text(x: Any, y: str) -> str:
    return check_text(joined_text(x) + y)


def joined_text(value: Any) -> str:
    """What of a value becomes part of a string it is added to."""
    return decoded(value) if type(value) is Blob else text(value)


def check_text(result: str) -> str:
    """A string that a function made, or the size error."""
    if len(result) * 4 > LIMITS.string and utf8_size(result) > LIMITS.string:
        raise errors.too_large("Length of string")
    return result


def decoded(blob: Blob) -> str:
    """The bytes as UTF-8, with replacement characters for what is none."""
    return blob.v.decode("utf-8", "replace")


def sub(x: Any, y: Any) -> Any:
    """`x - y`"""
    left, right = type(x), type(y)
    if left is int and right is int:
        result = x - y
        if INT_MIN <= result <= INT_MAX:
            return result
        raise errors.arithmetic(f"Subtraction overflow: {x} - {y}", known_position=False)
    if left is float:
        if right is float or right is int:
            return x - y
    elif left is int:
        if right is float:
            return x - y
    elif left is str:
        if right is str:
            return without(x, y)
        if right is Char:
            return x.replace(y.text, "")
    return _rare("-", x, y)


def without(x: str, y: str) -> str:
    """`x` without any occurrence of `y`; an empty string minus a string is that string."""
    if not x:
        return y
    return x.replace(y, "") if y else x


def mul(x: Any, y: Any) -> Any:
    """`x * y`"""
    left, right = type(x), type(y)
    if left is int and right is int:
        result = x * y
        if INT_MIN <= result <= INT_MAX:
            return result
        raise errors.arithmetic(f"Multiplication overflow: {x} * {y}", known_position=False)
    if (left is float and (right is float or right is int)) or (left is int and right is float):
        return x * y
    return _rare("*", x, y)


def div(x: Any, y: Any, known_position: bool = False) -> Any:
    """`x / y`"""
    left, right = type(x), type(y)
    if left is int and right is int:
        if y == 0:
            raise errors.arithmetic(f"Division by zero: {x} / {y}", known_position)
        result = x // y
        if result < 0:
            # Toward zero, where Python goes down.
            return result + 1 if result * y != x else result
        if result > INT_MAX:
            raise errors.arithmetic(f"Division overflow: {x} / {y}", known_position)
        return result
    if (left is float and (right is float or right is int)) or (left is int and right is float):
        if y:
            return x / y
        if x == 0 or x != x:
            return nan
        return copysign(inf, x) * copysign(1.0, y)
    return _rare("/", x, y)


def mod(x: Any, y: Any, known_position: bool = False) -> Any:
    """`x % y`, with the sign of `x`."""
    left, right = type(x), type(y)
    if left is int and right is int:
        if y == 0 or (y == -1 and x == INT_MIN):
            raise errors.arithmetic(f"Modulo division by zero or overflow: {x} % {y}", known_position)
        result = x % y
        return result - y if result and (x < 0) != (y < 0) else result
    if (left is float and (right is float or right is int)) or (left is int and right is float):
        try:
            return fmod(x, y)
        except ValueError:
            return nan
    return _rare("%", x, y)


def power(x: Any, y: Any, known_position: bool = False) -> Any:
    """`x ** y`"""
    left, right = type(x), type(y)
    if left is int and right is int:
        if y < 0:
            raise errors.arithmetic(f"Integer raised to a negative power: {x} ** {y}", known_position)
        if y <= 63:
            result = x**y
            if INT_MIN <= result <= INT_MAX:
                return result
        elif y <= 0xFFFFFFFF and -1 <= x <= 1:
            return x if y % 2 else x * x
        raise errors.arithmetic(f"Exponential overflow: {x} ** {y}", known_position)
    if (left is float and (right is float or right is int)) or (left is int and right is float):
        return _float_power(float(x), float(y))
    return _rare("**", x, y)


def _float_power(x: float, y: float) -> float:
    """IEEE `pow`, which fails for nothing; Python's raises where the result is infinite or no number."""
    try:
        return float_pow(x, y)
    except OverflowError:
        return -inf if x < 0 and y % 2 == 1 else inf
    except ValueError:
        if x == 0:
            return copysign(inf, x) if y % 2 == 1 else inf
        return nan


def shl(x: Any, y: Any) -> Any:
    """`x << y`"""
    if type(x) is int and type(y) is int:
        if y < 0:
            return x >> min(-y, 63)
        if y > 63:
            return 0
        result = (x << y) & 0xFFFF_FFFF_FFFF_FFFF
        return result if result <= INT_MAX else result - 0x1_0000_0000_0000_0000
    return _rare("<<", x, y)


def shr(x: Any, y: Any) -> Any:
    """`x >> y`"""
    if type(x) is int and type(y) is int:
        return x >> min(y, 63) if y >= 0 else shl(x, -y)
    return _rare(">>", x, y)


def bit_and(x: Any, y: Any) -> Any:
    """`x & y`"""
    kind = type(x)
    if kind is type(y) and (kind is int or kind is bool):
        return x & y
    return _rare("&", x, y)


def bit_or(x: Any, y: Any) -> Any:
    """`x | y`"""
    kind = type(x)
    if kind is type(y) and (kind is int or kind is bool):
        return x | y
    return _rare("|", x, y)


def bit_xor(x: Any, y: Any) -> Any:
    """`x ^ y`"""
    kind = type(x)
    if kind is type(y) and (kind is int or kind is bool):
        return x ^ y
    return _rare("^", x, y)


def range_exclusive(x: Any, y: Any) -> Range:
    """`x..y`"""
    return _range("..", x, y, False)


def range_inclusive(x: Any, y: Any) -> Range:
    """`x..=y`"""
    return _range("..=", x, y, True)


def _range(operator: str, x: Any, y: Any, inclusive: bool) -> Range:
    if type(x) is int:
        if type(y) is int:
            return Range(x, y, inclusive)
        if y is None:
            return Range(x, INT_MAX, inclusive)
    elif x is None and type(y) is int:
        return Range(0, y, inclusive)
    raise errors.function_not_found(operator, x, y)


def neg(x: Any) -> Any:
    """`-x`"""
    kind = type(x)
    if kind is int:
        if x == INT_MIN:
            raise errors.arithmetic(f"Negation overflow: -{x}")
        return -x
    if kind is float:
        return -x
    raise errors.function_not_found("-", x)


def pos(x: Any) -> Any:
    """`+x`"""
    if type(x) is int or type(x) is float:
        return x
    raise errors.function_not_found("+", x)


def not_(x: Any) -> bool:
    """`!x`"""
    if type(x) is bool:
        return not x
    raise errors.function_not_found("!", x)


@pair("+", Char, Char)
def _join_chars(x: Char, y: Char) -> str:
    return joined(x.text + y.text)


@pair("+", Array, Array)
def _join_arrays(x: Array, y: Array) -> Array:
    made = copy(x)
    array_extend(made, y)
    return made  # type: ignore[no-any-return]


@pair("+", Map, Map)
def _join_maps(x: Map, y: Map) -> Map:
    made = copy(x)
    map_extend(made, y)
    return made  # type: ignore[no-any-return]


@pair("+", Blob, Blob)
def _join_blobs(x: Blob, y: Blob) -> Blob:
    return _joined_blob(x.v, y.v)


@pair("+", Blob, Char)
def _join_blob_char(x: Blob, y: Char) -> Blob:
    return _joined_blob(x.v, y.text.encode())


def _joined_blob(x: bytearray, y: bytes | bytearray) -> Blob:
    if len(x) + len(y) > LIMITS.array:
        error = errors.too_large("Size of array/BLOB")
        error.position = NOWHERE
        raise error
    return Blob(x + y)
