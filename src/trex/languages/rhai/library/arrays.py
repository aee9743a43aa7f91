"""Arrays: their elements and parts, read, added, replaced and removed.

Owns:  the array functions that call nothing of the script.
Never: changes an array that others hold: what is changed here was made the caller's own.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.library.spans import offset, part, spread
from trex.languages.rhai.semantics.comparison import array_contains
from trex.languages.rhai.semantics.containers import (
    CONTAINERS,
    WEIGHTY,
    array_extend,
    array_insert,
    array_of,
    array_remove,
    array_set,
    gain,
    lose,
    share,
)
from trex.languages.rhai.semantics.sizes import LIMITS, check_array, weigh
from trex.languages.rhai.values import NESTED, SHARED, Array, Range


@function("len", Array, arguments=1, effect="pure", getter=True)
def length(array: Array) -> int:
    return len(array.v)


@function("is_empty", Array, arguments=1, effect="pure", getter=True)
def is_empty(array: Array) -> bool:
    return not array.v


@function("get", Array, arguments=2, effect="read")
def get(array: Array, index: Any) -> Any:
    if type(index) is not int:
        raise errors.function_not_found("get", array, index)
    items = array.v
    if not 0 <= index < len(items):
        index = offset(len(items), index)
        if index == len(items):
            return None
    item = items[index]
    if type(item) in CONTAINERS:
        item.state |= SHARED
    return item


@function("set", Array, arguments=3, effect="change")
def set_(array: Array, index: Any, value: Any) -> None:
    if type(index) is not int:
        raise errors.function_not_found("set", array, index, value)
    at = offset(len(array.v), index)
    if at < len(array.v):
        array_set(array, at, value)


@function("push", Array, arguments=2, effect="change")
def push(array: Array, value: Any) -> None:
    items = array.v
    items.append(value)
    if type(value) in WEIGHTY:
        gain(array, value)
        check_array(array)
    elif array.state:
        check_array(array)
    elif len(items) > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")


@function("append", Array, arguments=2, effect="change")
def append(array: Array, other: Any) -> None:
    if type(other) is not Array:
        raise errors.function_not_found("append", array, other)
    array_extend(array, other)


@function("insert", Array, arguments=3, effect="change")
def insert(array: Array, index: Any, value: Any) -> None:
    if type(index) is not int:
        raise errors.function_not_found("insert", array, index, value)
    array_insert(array, offset(len(array.v), index), value)


@function("pad", Array, arguments=3, effect="change")
def pad(array: Array, size: Any, value: Any) -> None:
    if type(size) is not int:
        raise errors.function_not_found("pad", array, size, value)
    count = size - len(array.v)
    if count <= 0:
        return
    arrays, maps, strings = weigh(value)
    if array.extra_string + strings * count > LIMITS.string:
        raise errors.too_large("Length of string")
    if size + array.extra_array + arrays * count > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    if array.extra_map + maps * count > LIMITS.map:
        raise errors.too_large("Size of object map")
    if type(value) in WEIGHTY:
        share(value)
        array.state |= NESTED
        array.extra_array += arrays * count
        array.extra_map += maps * count
        array.extra_string += strings * count
    array.v.extend([value] * count)


@function("pop", Array, arguments=1, effect="change")
def pop(array: Array) -> Any:
    items = array.v
    if not items:
        return None
    value = items.pop()
    if array.state:
        lose(array, value)
    return value


@function("shift", Array, arguments=1, effect="change")
def shift(array: Array) -> Any:
    return array_remove(array, 0) if array.v else None


@function("remove", Array, arguments=2, effect="change")
def remove(array: Array, index: Any) -> Any:
    if type(index) is not int:
        raise errors.function_not_found("remove", array, index)
    size = len(array.v)
    return array_remove(array, index) if -size <= index < size else None


@function("clear", Array, arguments=1, effect="change")
def clear(array: Array) -> None:
    array.v.clear()
    array.state &= SHARED
    array.extra_array = array.extra_map = array.extra_string = 0


@function("reverse", Array, arguments=1, effect="change")
def reverse(array: Array) -> None:
    array.v.reverse()


def cut(array: Array, start: int, end: int) -> list[Any]:
    """Remove and return the elements from start to end."""
    removed = array.v[start:end]
    del array.v[start:end]
    if array.state:
        for item in removed:
            if type(item) in WEIGHTY:
                lose(array, item)
    return removed


def made_of(items: list[Any], origin: Array) -> Array:
    """A new array of elements that were in another one."""
    return array_of(items) if origin.state & NESTED else Array(items)


@function("truncate", Array, arguments=2, effect="change")
def truncate(array: Array, size: Any) -> None:
    if type(size) is not int:
        raise errors.function_not_found("truncate", array, size)
    cut(array, max(size, 0), len(array.v))


@function("chop", Array, arguments=2, effect="change")
def chop(array: Array, size: Any) -> None:
    if type(size) is not int:
        raise errors.function_not_found("chop", array, size)
    cut(array, 0, max(len(array.v) - max(size, 0), 0))


def _extracted(array: Array, start: int, count: int) -> Array:
    begin, end = part(len(array.v), start, count)
    items = array.v[begin:end]
    if not array.state & NESTED:
        return Array(items)
    for item in items:
        if type(item) in CONTAINERS:
            item.state |= SHARED
    return array_of(items)


@function("extract", Array, arguments=2, effect="read")
def extract_from(array: Array, start: Any) -> Array:
    if type(start) is int:
        return _extracted(array, start, len(array.v))
    if type(start) is Range:
        return _extracted(array, *spread(start))
    raise errors.function_not_found("extract", array, start)


@function("extract", Array, arguments=3, effect="read")
def extract(array: Array, start: Any, count: Any) -> Array:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("extract", array, start, count)
    return _extracted(array, start, count)


def _splice(array: Array, start: int, count: int, other: Array) -> None:
    begin, end = part(len(array.v), start, count)
    cut(array, begin, end)
    tail = array.v[begin:]
    del array.v[begin:]
    array_extend(array, other)
    array.v.extend(tail)
    check_array(array)


@function("splice", Array, arguments=3, effect="change")
def splice_range(array: Array, span: Any, other: Any) -> None:
    if type(span) is not Range or type(other) is not Array:
        raise errors.function_not_found("splice", array, span, other)
    _splice(array, *spread(span), other)


@function("splice", Array, arguments=4, effect="change")
def splice(array: Array, start: Any, count: Any, other: Any) -> None:
    if type(start) is not int or type(count) is not int or type(other) is not Array:
        raise errors.function_not_found("splice", array, start, count, other)
    _splice(array, start, count, other)


@function("split", Array, arguments=2, effect="change")
def split(array: Array, index: Any) -> Array:
    if type(index) is not int:
        raise errors.function_not_found("split", array, index)
    origin = array.state
    tail = cut(array, offset(len(array.v), index), len(array.v))
    return array_of(tail) if origin & NESTED else Array(tail)


def drained(array: Array, start: int, count: int) -> Array:
    """Remove a part and return it."""
    return made_of(cut(array, *part(len(array.v), start, count)), array)


def retained(array: Array, start: int, count: int) -> Array:
    """Keep a part and return the rest; where the part is empty, nothing happens."""
    begin, end = part(len(array.v), start, count)
    if begin == end:
        return Array([])
    rest = cut(array, end, len(array.v))
    return made_of(cut(array, 0, begin) + rest, array)


@function("drain", Array, arguments=3, effect="change")
def drain(array: Array, start: Any, count: Any) -> Array:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("drain", array, start, count)
    return drained(array, start, count)


@function("retain", Array, arguments=3, effect="change")
def retain(array: Array, start: Any, count: Any) -> Array:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("retain", array, start, count)
    return retained(array, start, count)


@function("contains", Array, arguments=2, effect="pure")
def contains(array: Array, value: Any) -> bool:
    return array_contains(array, value)
