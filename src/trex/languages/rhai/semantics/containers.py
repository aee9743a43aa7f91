"""Changing containers: ownership, element counts and size limits in one place.

Owns:  every store into and removal from an `Array` or `Map` that keeps `state` and the `extra_*`
       counts exact. The library and the operators change containers through these functions, or by
       changing `v` wholesale and calling `recount`.
Never: decides whether a receiver may be changed; callers pass containers that are theirs (`own`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.semantics.sizes import LIMITS, check_array, check_map, utf8_size, weigh
from trex.languages.rhai.values import NESTED, SHARED, Array, Blob, Map

CONTAINERS = frozenset({Array, Map, Blob})
WEIGHTY = frozenset({Array, Map, Blob, str})

_MANY = 16  # elements from which on a look at all types pays


def share(value: Any) -> Any:
    """The value, marked as held in more than one place. Use it wherever a copy is stored or returned."""
    if type(value) in CONTAINERS:
        value.state |= SHARED
    return value


def own(value: Any) -> Any:
    """The value itself where it may be changed in place, else a shallow copy that may be."""
    if type(value) not in CONTAINERS or value.state < SHARED:
        return value
    return copy(value)


def copy(value: Any) -> Any:
    """A shallow copy that nobody else holds; what is nested in it becomes marked."""
    kind = type(value)
    if kind is Blob:
        return Blob(value.v[:])
    nested = value.state & NESTED
    if nested:
        for item in value.v if kind is Array else value.v.values():
            if type(item) in CONTAINERS:
                item.state |= SHARED
    if kind is Array:
        return Array(value.v[:], nested, value.extra_array, value.extra_map, value.extra_string)
    return Map(value.v.copy(), nested, value.extra_array, value.extra_map, value.extra_string, value.order)


def array_of(items: list[Any]) -> Array:
    """A new array that owns `items`: counted, checked against the limits."""
    array = Array(items)
    try:
        recount(array)
    except errors.RhaiError as error:
        raise _at_part(error, items, 1, 0) from None
    return array


def strings_of(items: list[str]) -> Array:
    """A new array that owns these strings: counted, checked against the limits."""
    array = Array(items, NESTED, 0, 0, utf8_size("".join(items)))
    return check_array(array)


def map_of(entries: dict[str, Any]) -> Map:
    """A new map that owns `entries`: counted, checked against the limits."""
    made = Map(entries)
    try:
        recount(made)
    except errors.RhaiError as error:
        raise _at_part(error, list(entries.values()), 0, 1) from None
    return made


def _at_part(error: errors.RhaiError, values: list[Any], array: int, map: int) -> errors.RhaiError:
    """Say which element makes a new container too large, where each adds this to arrays and maps."""
    arrays = maps = strings = 0
    for part, value in enumerate(values):
        a, m, s = weigh(value)
        # A blob weighs one more inside a container than on its own.
        arrays += a + array - (type(value) is Blob)
        maps += m + map
        strings += s
        if arrays > LIMITS.array or maps > LIMITS.map or strings > LIMITS.string:
            return errors.of_part(error, part)
    return error


def array_made(items: list[Any]) -> Array:
    """A new array that owns `items`, counted but not checked."""
    array = Array(items)
    count(array)
    return array


def map_made(entries: dict[str, Any]) -> Map:
    """A new map that owns `entries`, counted but not checked."""
    made = Map(entries)
    count(made)
    return made


def recount(container: Array | Map) -> None:
    """Make the counts exact after `v` was changed wholesale, and check the limits. O(n)."""
    count(container)
    if type(container) is Array:
        check_array(container)
    else:
        check_map(container)  # type: ignore[arg-type]


def count(container: Array | Map) -> None:
    """Make the counts exact. O(n)."""
    values: Collection[Any] = container.v if type(container) is Array else container.v.values()  # type: ignore[union-attr]
    if type(container) is Map:
        container.order = None
    arrays = maps = strings = 0
    weighty = False
    if len(values) > _MANY:
        # One pass of Python's own tells whether there is anything to count.
        kinds = set(map(type, values))
        weighty = not WEIGHTY.isdisjoint(kinds)
        if weighty and len(kinds) == 1 and str in kinds:
            strings = utf8_size("".join(values))
            values = ()
        elif not weighty:
            values = ()
    for value in values:
        kind = type(value)
        if kind in WEIGHTY:
            weighty = True
            if kind is str:
                strings += len(value) if value.isascii() else len(value.encode())
            else:
                a, m, s = weigh(value)
                arrays += a
                maps += m
                strings += s
    container.extra_array, container.extra_map, container.extra_string = arrays, maps, strings
    container.state = container.state & SHARED | weighty


def gain(container: Array | Map, value: Any) -> None:
    """Count a weighty value that is about to be, or was, stored."""
    container.state |= NESTED
    if type(value) is str:
        container.extra_string += len(value) if value.isascii() else len(value.encode())
        return
    a, m, s = weigh(value)
    container.extra_array += a
    container.extra_map += m
    container.extra_string += s


def lose(container: Array | Map, value: Any) -> None:
    """Count out a value that was removed or replaced."""
    kind = type(value)
    if kind is str:
        container.extra_string -= len(value) if value.isascii() else len(value.encode())
    elif kind in CONTAINERS:
        a, m, s = weigh(value)
        container.extra_array -= a
        container.extra_map -= m
        container.extra_string -= s


def array_push(array: Array, value: Any) -> None:
    """Append one value that the array may keep (already marked where it is held elsewhere)."""
    items = array.v
    items.append(value)
    if type(value) is str:
        if not array.state & NESTED:
            array.state |= NESTED
        size = array.extra_string + (len(value) if value.isascii() else len(value.encode()))
        array.extra_string = size
        if size > LIMITS.string:
            raise errors.too_large("Length of string")
    elif type(value) in CONTAINERS:
        gain(array, value)
        check_array(array)
        return
    if len(items) + array.extra_array > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")


def array_set(array: Array, index: int, value: Any) -> None:
    """Replace the element at an index that exists."""
    items = array.v
    if array.state:
        lose(array, items[index])
    items[index] = value
    if type(value) in WEIGHTY:
        gain(array, value)
        check_array(array)


def array_insert(array: Array, index: int, value: Any) -> None:
    """Insert before an index in 0..len."""
    array.v.insert(index, value)
    if type(value) in WEIGHTY:
        gain(array, value)
    check_array(array)


def array_remove(array: Array, index: int) -> Any:
    """Remove and return the element at an index that exists."""
    value = array.v.pop(index)
    lose(array, value)
    return value


def array_extend(array: Array, other: Array) -> None:
    """Append the elements of `other`, which keeps them."""
    items = other.v
    if other.state & NESTED:
        for item in items:
            if type(item) in CONTAINERS:
                item.state |= SHARED
        array.extra_array += other.extra_array
        array.extra_map += other.extra_map
        array.extra_string += other.extra_string
        array.state |= NESTED
    array.v.extend(items)
    check_array(array)


def map_set(map: Map, key: str, value: Any) -> None:
    """Store an entry that the map may keep (already marked where it is held elsewhere)."""
    entries = map.v
    if map.state:
        lose(map, entries.get(key))
    entries[key] = value
    if type(value) in WEIGHTY:
        gain(map, value)
        check_map(map)
    elif len(entries) + map.extra_map > LIMITS.map:
        raise errors.too_large("Size of object map")


def map_remove(map: Map, key: str) -> Any:
    """Remove an entry and return its value; None where there is none."""
    entries = map.v
    if key not in entries:
        return None
    value = entries.pop(key)
    map.order = None
    lose(map, value)
    return value


def keys(map: Map) -> list[str]:
    """The keys in order. The list belongs to the map: do not change it."""
    order = map.order
    if order is None or len(order) != len(map.v):
        # Code-point order is the byte order of UTF-8.
        order = map.order = sorted(map.v)
    return order


def map_extend(map: Map, other: Map) -> None:
    """Store the entries of `other`, which keeps them; they win over entries of the same name."""
    if other is map:
        return
    entries = map.v
    added = other.v
    if map.state and not entries.keys().isdisjoint(added):
        for key in added:
            lose(map, entries.get(key))
    if other.state & NESTED:
        for item in added.values():
            if type(item) in CONTAINERS:
                item.state |= SHARED
        map.extra_array += other.extra_array
        map.extra_map += other.extra_map
        map.extra_string += other.extra_string
        map.state |= NESTED
    entries.update(added)
    check_map(map)
