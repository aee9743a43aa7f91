"""Arrays through functions of the script: `map`, `filter`, `reduce` and their like.

Owns:  the loops over elements that call back.
Relies on: `callbacks` for the form of the call.
Never: swallows an error of a callback, but for `dedup`, whose comparer then says "different".

Every loop has the usual case first: a compiled function of one parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.arrays import drained, retained
from trex.languages.rhai.library.callbacks import (
    LEVELS,
    by_forms,
    element_call,
    left,
    marked,
    of_element,
    settle,
    taking,
    with_this,
)
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.library.spans import offset, spread
from trex.languages.rhai.semantics.calls import invoke, on_this
from trex.languages.rhai.semantics.comparison import eq, index_from
from trex.languages.rhai.semantics.containers import WEIGHTY, array_of, own, recount, share
from trex.languages.rhai.semantics.exceptions import CATCHABLE, catchable
from trex.languages.rhai.semantics.pointers import make_pointer
from trex.languages.rhai.semantics.sizes import weigh
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.values import NESTED, THIS_CELL, Array, Cell, FnPtr, Range


def _function(name: str, array: Array, f: Any, *others: Any) -> FnPtr:
    """The callback, which may be given by its name; anything else is no overload of `name`."""
    if type(f) is FnPtr:
        return f
    if type(f) is str:
        return make_pointer(f)
    raise errors.function_not_found(name, array, f, *others)


@function("map", Array, arguments=2, effect="pure", calls=True)
def map_(array: Array, f: Any, depth: int) -> Array:
    if type(f) is not FnPtr:
        f = _function("map", array, f)
    code = of_element(f)
    if code is not None:
        level = depth + LEVELS
        return array_of([code(item, level) for item in array.v])
    items, call = element_call("map", array, f, depth)
    return array_of([call(index) for index in range(len(items))])


@function("filter", Array, arguments=2, effect="pure", calls=True)
def filter_(array: Array, f: Any, depth: int) -> Array:
    if type(f) is not FnPtr:
        f = _function("filter", array, f)
    code = of_element(f)
    if code is not None:
        level = depth + LEVELS
        kept = [item for item in array.v if code(item, level) is True]
        return array_of(marked(kept)) if array.state & NESTED else Array(kept)
    items, call = element_call("filter", array, f, depth)
    # What the callback leaves in `this` is what is kept, so the element is read after the call.
    return array_of([share(items[index]) for index in range(len(items)) if call(index) is True])


def _search(name: str, array: Array, f: FnPtr, start: int, depth: int) -> tuple[int, Any]:
    """The index of the first element from start on that f accepts, and the element; -1 where there is none."""
    code = of_element(f)
    if code is not None:
        items = array.v
        level = depth + LEVELS
        for index in range(start, len(items)):
            if code(items[index], level) is True:
                return index, items[index]
        return -1, None
    items, call = element_call(name, array, f, depth)
    for index in range(start, len(items)):
        if call(index) is True:
            return index, items[index]
    return -1, None


def _index_of(array: Array, wanted: Any, start: int, depth: int) -> int:
    if type(wanted) is str and ((wanted, 1) in RUN.functions or (wanted, 2) in RUN.functions):
        wanted = make_pointer(wanted)
    if type(wanted) is FnPtr:
        return _search("index_of", array, wanted, start, depth)[0]
    return index_from(array.v, wanted, start)


@function("index_of", Array, arguments=2, effect="pure", calls=True)
def index_of(array: Array, wanted: Any, depth: int) -> int:
    return _index_of(array, wanted, 0, depth)


@function("index_of", Array, arguments=3, effect="pure", calls=True)
def index_of_from(array: Array, wanted: Any, start: Any, depth: int) -> int:
    if type(start) is not int:
        raise errors.function_not_found("index_of", array, wanted, start)
    return _index_of(array, wanted, offset(len(array.v), start), depth)


@function("find", Array, arguments=2, effect="pure", calls=True)
def find(array: Array, f: Any, depth: int) -> Any:
    if type(f) is not FnPtr:
        raise errors.function_not_found("find", array, f)
    return share(_search("index_of", array, f, 0, depth)[1])


@function("find", Array, arguments=3, effect="pure", calls=True)
def find_from(array: Array, f: Any, start: Any, depth: int) -> Any:
    if type(f) is not FnPtr or type(start) is not int:
        raise errors.function_not_found("find", array, f, start)
    return share(_search("index_of", array, f, offset(len(array.v), start), depth)[1])


def _first_result(array: Array, f: FnPtr, start: int, depth: int) -> Any:
    """The first result of f, from start on, that is not unit."""
    items, call = element_call("find_map", array, f, depth)
    for index in range(start, len(items)):
        value = call(index)
        if value is not None:
            return value
    return None


@function("find_map", Array, arguments=2, effect="pure", calls=True)
def find_map(array: Array, f: Any, depth: int) -> Any:
    if type(f) is not FnPtr:
        raise errors.function_not_found("find_map", array, f)
    return _first_result(array, f, 0, depth)


@function("find_map", Array, arguments=3, effect="pure", calls=True)
def find_map_from(array: Array, f: Any, start: Any, depth: int) -> Any:
    if type(f) is not FnPtr or type(start) is not int:
        raise errors.function_not_found("find_map", array, f, start)
    return _first_result(array, f, offset(len(array.v), start), depth)


@function("some", Array, arguments=2, effect="pure", calls=True)
def some(array: Array, f: Any, depth: int) -> bool:
    return _search("some", array, _function("some", array, f), 0, depth)[0] >= 0


@function("all", Array, arguments=2, effect="pure", calls=True)
def all_(array: Array, f: Any, depth: int) -> bool:
    f = _function("all", array, f)
    code = of_element(f)
    if code is not None:
        level = depth + LEVELS
        return all(code(item, level) is True for item in array.v)
    items, call = element_call("all", array, f, depth)
    return all(call(index) is True for index in range(len(items)))


@function("for_each", Array, arguments=2, effect="change", calls=True)
def for_each(array: Array, f: Any, depth: int) -> None:
    if type(f) is not FnPtr:
        raise errors.function_not_found("for_each", array, f)
    level = depth + LEVELS
    count = left(f)
    indexes = range(len(array.v))
    if f.this != THIS_CELL:
        plain = of_element(f) if count == 0 else None
        if plain is not None:
            for item in array.v:
                plain(item, level)
            return
        if count == 1 and not f.this:
            numbered: Any = taking(f, 1)
            for index in indexes:
                numbered(index, level)
            return
    code = on_this(f)
    curry = [share(value) for value in f.curry]
    if count > 1 or count < 0:
        for index in indexes:
            with_this(
                array,
                index,
                lambda cell, index=index: by_forms(  # type: ignore[misc]
                    "for_each", f, level, (((), cell), ((index,), cell))
                ),
            )
        return
    items = array.v
    cell = Cell(None)
    for index, item in enumerate(items):
        before = weigh(item) if type(item) in WEIGHTY else None
        cell.v = item
        try:
            if count:
                code(cell, *curry, index, level)
            else:
                code(cell, *curry, level)
        finally:
            item = cell.v
            if before is not None or type(item) in WEIGHTY:
                settle(array, index, before, cell)
            else:
                items[index] = item


def _fold(name: str, array: Array, f: FnPtr, result: Any, indexes: range, depth: int) -> Any:
    level = depth + LEVELS
    items = array.v
    count = left(f)
    if count == 2 or count == 3:
        code: Callable[..., Any] = taking(f, count)  # type: ignore[assignment]
        if count == 2:
            for index in indexes:
                result = code(result, items[index], level)
        else:
            for index in indexes:
                result = code(result, items[index], index, level)
        return result

    array = own(array)

    if count == 1 and not f.this:
        code = taking(f, 1)  # type: ignore[assignment]
        for _ in indexes:
            result = code(result, level)
        return result

    def step(cell: Cell, result: Any, index: int) -> Any:
        if count == 1:
            return on_this(f)(cell, *[share(value) for value in f.curry], result, level)
        item = share(cell.v)
        forms = (((result,), cell), ((result, item), None), ((result, item, index), None))
        return by_forms(name, f, level, forms)

    for index in indexes:
        result = with_this(array, index, lambda cell, index=index, result=result: step(cell, result, index))  # type: ignore[misc]
    return result


@function("reduce", Array, arguments=2, effect="pure", calls=True)
def reduce_(array: Array, f: Any, depth: int) -> Any:
    return _fold("reduce", array, _function("reduce", array, f), None, range(len(array.v)), depth)


@function("reduce", Array, arguments=3, effect="pure", calls=True)
def reduce_from(array: Array, f: Any, initial: Any, depth: int) -> Any:
    return _fold("reduce", array, _function("reduce", array, f, initial), initial, range(len(array.v)), depth)


@function("reduce_rev", Array, arguments=2, effect="pure", calls=True)
def reduce_rev(array: Array, f: Any, depth: int) -> Any:
    indexes = range(len(array.v) - 1, -1, -1)
    return _fold("reduce_rev", array, _function("reduce_rev", array, f), None, indexes, depth)


@function("reduce_rev", Array, arguments=3, effect="pure", calls=True)
def reduce_rev_from(array: Array, f: Any, initial: Any, depth: int) -> Any:
    indexes = range(len(array.v) - 1, -1, -1)
    return _fold("reduce_rev", array, _function("reduce_rev", array, f, initial), initial, indexes, depth)


@function("zip", Array, arguments=3, effect="pure", calls=True)
def zip_(array: Array, other: Any, f: Any, depth: int) -> Array:
    if type(other) is not Array or type(f) is not FnPtr:
        raise errors.function_not_found("zip", array, other, f)
    level = depth + LEVELS
    pairs = zip(array.v, other.v, strict=False)
    count = left(f)
    code = taking(f, count)
    if count == 2 and code is not None:
        return array_of([code(x, y, level) for x, y in pairs])
    if count == 3 and code is not None:
        return array_of([code(x, y, index, level) for index, (x, y) in enumerate(pairs)])
    return array_of(
        [by_forms("zip", f, level, (((x, y), None), ((x, y, index), None))) for index, (x, y) in enumerate(pairs)]
    )


@function("drain", Array, arguments=2, effect="change", calls=True)
def drain(array: Array, what: Any, depth: int) -> Array:
    if type(what) is Range:
        return drained(array, *spread(what))
    return _sorted_out("drain", array, _function("drain", array, what), True, depth)


@function("retain", Array, arguments=2, effect="change", calls=True)
def retain(array: Array, what: Any, depth: int) -> Array:
    if type(what) is Range:
        return retained(array, *spread(what))
    return _sorted_out("retain", array, _function("retain", array, what), False, depth)


def _sorted_out(name: str, array: Array, f: FnPtr, accepted: bool, depth: int) -> Array:
    """Remove and return the elements that f accepts, or those that it does not.

    Where the callback fails, what was removed so far is gone and the rest stays.
    """
    items, call = element_call(name, array, f, depth)
    kept: list[Any] = []
    removed: list[Any] = []
    done = 0
    try:
        for index in range(len(items)):
            verdict = call(index) is True
            (removed if verdict is accepted else kept).append(items[index])
            done = index + 1
    finally:
        items[:] = kept + items[done:]
        if array.state & NESTED:
            recount(array)
    return array_of(removed)


@function("dedup", Array, arguments=1, effect="change")
def dedup(array: Array) -> None:
    _dedup(array, eq)


@function("dedup", Array, arguments=2, effect="change", calls=True)
def dedup_by(array: Array, f: Any, depth: int) -> None:
    f = _function("dedup", array, f)
    level = depth + LEVELS
    code = taking(f, 2)
    if code is not None:
        _dedup(array, lambda x, y: code(x, y, level))
    else:
        _dedup(array, lambda x, y: invoke(f, (share(x), share(y)), level))


def _dedup(array: Array, same: Callable[[Any, Any], Any]) -> None:
    """Drop every element that is the same as the one kept before it."""
    items = array.v
    if not items:
        return
    kept = [items[0]]
    for item in items[1:]:
        try:
            if same(kept[-1], item) is True:
                continue
        except CATCHABLE as error:
            if not catchable(error):
                raise
        kept.append(item)
    array.v[:] = kept
    if array.state & NESTED:
        recount(array)
