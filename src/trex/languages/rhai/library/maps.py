"""Object maps: their entries, read, stored, merged, removed, and passed to functions of the script.

Owns:  the map functions but `to_json`.
Never: changes a map that others hold: what is changed here was made the caller's own.

Whatever a script can see of the order of entries is the order of the keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.callbacks import LEVELS, by_forms, left, marked, taking, with_this
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.semantics.calls import on_this
from trex.languages.rhai.semantics.containers import (
    CONTAINERS,
    array_of,
    keys,
    map_extend,
    map_of,
    map_remove,
    map_set,
    own,
    recount,
    share,
    strings_of,
)
from trex.languages.rhai.semantics.sizes import LIMITS
from trex.languages.rhai.values import NESTED, SHARED, Array, FnPtr, Map


@function("len", Map, arguments=1, effect="pure")
def length(map: Map) -> int:
    return len(map.v)


@function("is_empty", Map, arguments=1, effect="pure")
def is_empty(map: Map) -> bool:
    return not map.v


@function("contains", Map, arguments=2, effect="pure")
def contains(map: Map, key: Any) -> bool:
    if type(key) is not str:
        raise errors.function_not_found("contains", map, key)
    return key in map.v


@function("get", Map, arguments=2, effect="pure")
def get(map: Map, key: Any) -> Any:
    if type(key) is not str:
        raise errors.function_not_found("get", map, key)
    value = map.v.get(key)
    if type(value) in CONTAINERS:
        value.state |= SHARED  # type: ignore[union-attr]
    return value


@function("set", Map, arguments=3, effect="change")
def set_(map: Map, key: Any, value: Any) -> None:
    if type(key) is not str:
        raise errors.function_not_found("set", map, key, value)
    map_set(map, key, value)


@function("remove", Map, arguments=2, effect="change")
def remove(map: Map, key: Any) -> Any:
    if type(key) is not str:
        raise errors.function_not_found("remove", map, key)
    return map_remove(map, key)


@function("clear", Map, arguments=1, effect="change")
def clear(map: Map) -> None:
    map.v.clear()
    map.order = None
    map.state &= SHARED
    map.extra_array = map.extra_map = map.extra_string = 0


@function("mixin", Map, arguments=2, effect="change")
def mixin(map: Map, other: Any) -> None:
    if type(other) is not Map:
        raise errors.function_not_found("mixin", map, other)
    map_extend(map, other)


@function("fill_with", Map, arguments=2, effect="change")
def fill_with(map: Map, other: Any) -> None:
    if type(other) is not Map:
        raise errors.function_not_found("fill_with", map, other)
    entries = map.v
    for key, value in other.v.items():
        if key not in entries:
            map_set(map, key, share(value))


@function("keys", Map, arguments=1, effect="pure")
def keys_(map: Map) -> Array:
    return strings_of(keys(map)[:])


@function("values", Map, arguments=1, effect="pure")
def values(map: Map) -> Array:
    entries = map.v
    items = [entries[key] for key in keys(map)]
    if map.state & NESTED:
        return array_of(marked(items))
    if len(items) > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    return Array(items)


def _entry_call(function: str, map: Map, f: FnPtr, depth: int) -> tuple[dict[str, Any], Callable[[str], Any]]:
    """How to call with one entry, by its key: (key, value), or (key) with the value as `this`.

    Also gives the entries as the callback leaves them; where others hold the map too, those of a copy.
    """
    level = depth + LEVELS
    count = left(f)
    if count == 2:
        entries = map.v
        plain: Any = taking(f, 2)
        return entries, lambda key: plain(key, entries[key], level)
    if count == 1 and not f.this:
        plain = taking(f, 1)
        return map.v, lambda key: plain(key, level)
    map = own(map)
    if count == 1:
        code = on_this(f)
        curry = [share(value) for value in f.curry]
        return map.v, lambda key: with_this(map, key, lambda cell: code(cell, *curry, key, level))
    return map.v, lambda key: with_this(
        map, key, lambda cell: by_forms(function, f, level, (((key,), cell), ((key, share(cell.v)), None)))
    )


@function("map", Map, arguments=2, effect="pure", calls=True)
def map_(map: Map, f: Any, depth: int) -> Map:
    if type(f) is not FnPtr:
        raise errors.function_not_found("map", map, f)
    _, call = _entry_call("filter", map, f, depth)
    return map_of({key: call(key) for key in keys(map)[:]})


@function("filter", Map, arguments=2, effect="pure", calls=True)
def filter_(map: Map, f: Any, depth: int) -> Map:
    if type(f) is not FnPtr:
        raise errors.function_not_found("filter", map, f)
    entries, call = _entry_call("filter", map, f, depth)
    return map_of({key: share(entries[key]) for key in keys(map)[:] if call(key) is True})


@function("drain", Map, arguments=2, effect="change", calls=True)
def drain(map: Map, f: Any, depth: int) -> Map:
    return _sorted_out("drain", map, f, True, depth)


@function("retain", Map, arguments=2, effect="change", calls=True)
def retain(map: Map, f: Any, depth: int) -> Map:
    return _sorted_out("retain", map, f, False, depth)


def _sorted_out(name: str, map: Map, f: Any, accepted: bool, depth: int) -> Map:
    """Remove and return the entries that f accepts, or those that it does not.

    Where the callback fails, what was removed so far is gone and the rest stays.
    """
    if type(f) is not FnPtr:
        raise errors.function_not_found(name, map, f)
    entries, call = _entry_call(name, map, f, depth)
    removed: dict[str, Any] = {}
    try:
        for key in keys(map)[:]:
            if (call(key) is True) is accepted:
                removed[key] = entries[key]
    finally:
        for key in removed:
            del entries[key]
        map.order = None
        if map.state & NESTED:
            recount(map)
    return map_of(removed)
