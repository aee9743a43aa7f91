"""The operators that compare: `== != < <= > >=` and `in`.

Owns:  equality and order of every pair of types, and the tolerance between floats.
Never: computes (`arithmetic`).

Floats, and an integer beside a float, compare with a relative tolerance of 2^-52. Every comparison in
which a NaN or an infinity takes part is false, but for a zero and a NaN, which are equal.

Two values of different types that are not both numbers are unequal, and neither is less; a blob before
a char is the one exception, an error. Of the same type, what has no equality or no order is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.semantics.containers import keys
from trex.languages.rhai.values import Array, Blob, Char, Constant, Map, Object, Range, Timestamp

EPSILON = 2.0**-52

# Types whose values have an order: how to get something that Python orders the same way.
ORDER_KEYS: dict[type, Callable[[Any], Any]] = {
    Timestamp: lambda value: value.nanoseconds,
}

# Types whose values can be equal, without Python's own equality.
EQUALITIES: dict[type, Callable[[Any, Any], bool]] = {}


def eq(x: Any, y: Any) -> bool:
    """`x == y`"""
    left, right = type(x), type(y)
    if left is right:
        if left is int or left is str or left is bool:
            return x == y  # type: ignore[no-any-return]
        if left is Char:
            return x.text == y.text  # type: ignore[no-any-return]
        if left is float:
            return _near(x, y)
        if x is None:
            return True
        return _same_type_equal(left, x, y)
    if (left is float and right is int) or (left is int and right is float):
        return _near(float(x), float(y))
    if left is Char and right is str:
        return bool(x.text == y)
    if left is str and right is Char:
        return bool(x == y.text)
    if left is Blob and right is Char:
        raise errors.function_not_found("==", x, y)
    return False


def ne(x: Any, y: Any) -> bool:
    """`x != y`"""
    left, right = type(x), type(y)
    if left is right:
        if left is int or left is str or left is bool:
            return x != y  # type: ignore[no-any-return]
        if left is Char:
            return x.text != y.text  # type: ignore[no-any-return]
        if left is float:
            return _far(x, y)
        if x is None:
            return False
        if left is Range and x.inclusive != y.inclusive:
            return True
        return not _same_type_equal(left, x, y, "!=")
    if (left is float and right is int) or (left is int and right is float):
        return _far(float(x), float(y))
    if left is Blob and right is Char:
        raise errors.function_not_found("!=", x, y)
    return not eq(x, y)


def lt(x: Any, y: Any) -> bool:
    """`x < y`"""
    left, right = type(x), type(y)
    if left is right:
        if left is int or left is str or left is bool:
            return x < y  # type: ignore[no-any-return]
        if left is Char:
            return x.text < y.text  # type: ignore[no-any-return]
        if left is float:
            return _less(x, y)
    elif (left is float and right is int) or (left is int and right is float):
        return _less(float(x), float(y))
    order = _keys("<", left, right, x, y)
    return order is not None and order[0] < order[1]


def le(x: Any, y: Any) -> bool:
    """`x <= y`"""
    left, right = type(x), type(y)
    if left is right:
        if left is int or left is str or left is bool:
            return x <= y  # type: ignore[no-any-return]
        if left is Char:
            return x.text <= y.text  # type: ignore[no-any-return]
        if left is float:
            return _at_most(x, y)
    elif (left is float and right is int) or (left is int and right is float):
        return _at_most(float(x), float(y))
    order = _keys("<=", left, right, x, y)
    return order is not None and order[0] <= order[1]


def gt(x: Any, y: Any) -> bool:
    """`x > y`"""
    left, right = type(x), type(y)
    if left is right:
        if left is int or left is str or left is bool:
            return x > y  # type: ignore[no-any-return]
        if left is Char:
            return x.text > y.text  # type: ignore[no-any-return]
        if left is float:
            return _less(y, x)
    elif (left is float and right is int) or (left is int and right is float):
        return _less(float(y), float(x))
    order = _keys(">", left, right, x, y)
    return order is not None and order[0] > order[1]


def ge(x: Any, y: Any) -> bool:
    """`x >= y`"""
    left, right = type(x), type(y)
    if left is right:
        if left is int or left is str or left is bool:
            return x >= y  # type: ignore[no-any-return]
        if left is Char:
            return x.text >= y.text  # type: ignore[no-any-return]
        if left is float:
            return _at_most(y, x)
    elif (left is float and right is int) or (left is int and right is float):
        return _at_most(float(y), float(x))
    order = _keys(">=", left, right, x, y)
    return order is not None and order[0] >= order[1]


# The language defines these by the quotient of the difference and the larger magnitude, or 1 where the
# product of the two is zero. Multiplying by a power of two instead of dividing gives the same answers.


def _near(x: float, y: float) -> bool:
    difference = x - y
    if difference == 0.0:
        return True
    if difference < 0.0:
        difference = -difference
    product = x * y
    if product == 0.0:
        return difference <= EPSILON
    if product != product:
        return _zero_and_nan(x, y)
    first, second = abs(x), abs(y)
    return difference <= EPSILON * (first if first > second else second) and difference != inf


def _far(x: float, y: float) -> bool:
    difference = x - y
    if difference < 0.0:
        difference = -difference
    product = x * y
    if product == 0.0:
        return difference > EPSILON
    first, second = abs(x), abs(y)
    return difference > EPSILON * (first if first > second else second)


def _less(x: float, y: float) -> bool:
    if not x < y:
        return False
    product = x * y
    if product == 0.0:
        return y - x > EPSILON
    first, second = abs(x), abs(y)
    return y - x > EPSILON * (first if first > second else second)


def _at_most(x: float, y: float) -> bool:
    if x <= y:
        return y != inf and x != -inf
    product = x * y
    if product == 0.0:
        return x - y < EPSILON
    first, second = abs(x), abs(y)
    return x - y < EPSILON * (first if first > second else second) or _zero_and_nan(x, y)


def _zero_and_nan(x: float, y: float) -> bool:
    """The one pair with a NaN that counts as equal: the larger of a zero and a NaN is the zero."""
    return (x == 0.0 and y != y) or (y == 0.0 and x != x)


def _same_type_equal(kind: type, x: Any, y: Any, operator: str = "==") -> bool:
    """Whether two values of one type, none of Python's own, are equal."""
    key = ORDER_KEYS.get(kind)
    if key is not None:
        return bool(key(x) == key(y))
    equality = EQUALITIES.get(kind)
    if equality is None:
        if kind is Object and x.type != y.type:
            return False
        raise errors.function_not_found(operator, x, y)
    try:
        return equality(x, y)
    except RecursionError:
        raise errors.stack_overflow() from None


def _keys(operator: str, left: type, right: type, x: Any, y: Any) -> tuple[Any, Any] | None:
    """What to compare instead of two values; None where neither is less than the other."""
    if left is right:
        if x is None or ((left is Object or left is Constant) and x.type != y.type):
            return None
        key = ORDER_KEYS.get(left)
        if key is None:
            raise errors.function_not_found(operator, x, y)
        return key(x), key(y)
    if left is Char and right is str:
        return x.text, y
    if left is str and right is Char:
        return x, y.text
    if left is Blob and right is Char:
        raise errors.function_not_found(operator, x, y)
    return None


def _arrays_equal(x: Array, y: Array) -> bool:
    first, second = x.v, y.v
    if len(first) != len(second):
        return False
    for p, q in zip(first, second, strict=True):
        if type(p) is int and type(q) is int:
            if p != q:
                return False
        elif not element_equal(p, q):
            return False
    return True


def element_equal(p: Any, q: Any) -> bool:
    """Equality of array elements, where those of different types are unequal without exception."""
    kind = type(p)
    if (kind is Range and type(q) is Range and p.inclusive != q.inclusive) or (kind is Blob and type(q) is Char):
        return False
    return eq(p, q)


def _maps_equal(x: Map, y: Map) -> bool:
    first, second = x.v, y.v
    if len(first) != len(second):
        return False
    # In order, because the first difference decides before what cannot be compared is reached.
    return all(key in second and eq(first[key], second[key]) for key in keys(x))


def _ranges_equal(x: Range, y: Range) -> bool:
    if x.inclusive != y.inclusive:
        raise errors.function_not_found("==", x, y)
    return x.start == y.start and x.end == y.end


EQUALITIES[Array] = _arrays_equal
EQUALITIES[Map] = _maps_equal
EQUALITIES[Blob] = lambda x, y: bool(x.v == y.v)
EQUALITIES[Range] = _ranges_equal
EQUALITIES[Constant] = lambda x, y: bool(x == y)


def contains(container: Any, item: Any) -> bool:
    """`item in container`"""
    kind, right = type(container), type(item)
    if kind is Array:
        return array_contains(container, item)
    if kind is str:
        if right is str:
            return item in container
        if right is Char:
            return item.text in container
    elif kind is Map:
        if right is str:
            return item in container.v
    elif right is int:
        if kind is Range:
            return bool(
                container.start <= item <= container.end
                if container.inclusive
                else container.start <= item < container.end
            )
        if kind is Blob:
            return item & 0xFF in container.v
    raise errors.function_not_found("contains", container, item)


def array_contains(array: Array, item: Any) -> bool:
    """Whether some element equals this."""
    return index_from(array.v, item, 0) >= 0


def index_from(items: list[Any], item: Any, start: int) -> int:
    """Where the first element from `start` on is that equals `item`, or -1."""
    kind = type(item)
    if kind is int:
        # Python compares what is no number by identity, and a bool like a number.
        for index, element in enumerate(items[start:] if start else items, start):
            if element == item:
                if type(element) is int or type(element) is float:
                    return index
            elif type(element) is float and _near(element, float(item)):
                return index
        return -1
    if kind is str and len(item) != 1:
        # No char equals it, so Python's own equality is ours.
        try:
            return items.index(item, start)
        except ValueError:
            return -1
    for index in range(start, len(items)):
        if element_equal(items[index], item):
            return index
    return -1
