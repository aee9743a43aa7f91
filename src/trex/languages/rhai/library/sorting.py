"""Sorting arrays: `sort`, `sort_desc`, `order` and their like.

Owns:  the order of elements without a comparer, and what the results of a comparer mean.
Never: moves an element before all comparisons are made: a comparer that fails leaves the array whole.

Sorting is stable. A comparer that gives neither a number nor a boolean, or fails, makes two elements equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.callbacks import LEVELS, marked, taking
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.semantics.calls import invoke
from trex.languages.rhai.semantics.containers import array_of, share
from trex.languages.rhai.semantics.exceptions import CATCHABLE, catchable
from trex.languages.rhai.semantics.pointers import make_pointer
from trex.languages.rhai.typenames import internal_type_name
from trex.languages.rhai.values import NESTED, Array, Char, FnPtr

_NATURAL = frozenset({int, float, str, bool})


def _in_order(items: list[Any], descending: bool) -> list[Any]:
    """The elements by their own order, which those of one simple type have."""
    if len(items) <= 1:
        return items[:]
    kind = type(items[0])
    if len(set(map(type, items))) != 1:
        raise errors.no_function("elements of different types cannot be sorted")
    if kind in _NATURAL:
        return sorted(items, reverse=descending)
    if kind is Char:
        return sorted(items, key=lambda item: item.text, reverse=descending)
    if items[0] is None:
        return items[:]
    name = internal_type_name(items[0])
    if any(internal_type_name(item) != name for item in items):
        raise errors.no_function("elements of different types cannot be sorted")
    raise errors.no_function(f"elements of {name} cannot be sorted")


def _by(array: Array, f: FnPtr, depth: int) -> list[Any]:
    """The elements as a comparer of the script orders them."""
    level = depth + LEVELS
    code = taking(f, 2)
    compare: Callable[[Any, Any], Any]
    if code is not None:

        def compare(x: Any, y: Any) -> Any:
            return code(x, y, level)

    else:

        def compare(x: Any, y: Any) -> Any:
            return invoke(f, (share(x), share(y)), level)

    def verdict(x: Any, y: Any) -> int:
        try:
            result = compare(x, y)
        except CATCHABLE as error:
            if not catchable(error):
                raise
            return 0
        if type(result) is int:
            return result
        if type(result) is bool:
            return -1 if result else 1
        return 0

    return sorted(array.v, key=cmp_to_key(verdict))


@function("sort", Array, arguments=1, effect="change")
def sort(array: Array) -> None:
    array.v[:] = _in_order(array.v, False)


@function("sort_desc", Array, arguments=1, effect="change")
def sort_desc(array: Array) -> None:
    array.v[:] = _in_order(array.v, True)


@function("sort", Array, arguments=2, effect="change", calls=True)
def sort_with(array: Array, f: Any, depth: int) -> None:
    if type(f) is str:
        f = make_pointer(f)
    elif type(f) is not FnPtr:
        raise errors.function_not_found("sort", array, f)
    array.v[:] = _by(array, f, depth)


@function("sort_by", Array, arguments=2, effect="change", calls=True)
def sort_by(array: Array, f: Any, depth: int) -> None:
    if type(f) is not FnPtr:
        raise errors.function_not_found("sort_by", array, f)
    array.v[:] = _by(array, f, depth)


def _ordered(array: Array, items: list[Any]) -> Array:
    return array_of(marked(items)) if array.state & NESTED else Array(items)


@function("order", Array, arguments=1, effect="read")
def order(array: Array) -> Array:
    return _ordered(array, _in_order(array.v, False))


@function("order_desc", Array, arguments=1, effect="read")
def order_desc(array: Array) -> Array:
    return _ordered(array, _in_order(array.v, True))


@function("order", Array, arguments=2, effect="read", calls=True)
def order_with(array: Array, f: Any, depth: int) -> Array:
    if type(f) is not FnPtr:
        raise errors.function_not_found("order", array, f)
    return _ordered(array, _by(array, f, depth))


@function("order_by", Array, arguments=2, effect="read", calls=True)
def order_by(array: Array, f: Any, depth: int) -> Array:
    if type(f) is not FnPtr:
        raise errors.function_not_found("order_by", array, f)
    return _ordered(array, _by(array, f, depth))
