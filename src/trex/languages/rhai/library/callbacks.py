"""Functions of the script that library functions call: which form they are called in, and what `this` is.

Owns:  the choice of the form by the number of declared parameters, changes to an element through `this`,
       and the wrapper around a function that fits no form.
Relies on: `semantics.calls` for the calls themselves.
Never: decides what to do with a result.

A library function offers more than a callback must take: of an array's element, the element as `this`,
or the element, or the element and its index. For functions with code the number of parameters that
are not curried selects the form (`taking`, `element_call`). Others are looked up by name, and the forms are
tried one after the other until there is such a function.

The usual case has no call between the loop and the script: `taking(f, 1)` is the compiled function
itself, and the loop calls it with the element and the level.

What is passed to a function of the script needs no mark: a function marks the parameters that it changes or
keeps. What is given back and also stays where it was does (`marked`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.semantics.calls import UNBOUND, invoke, on_this
from trex.languages.rhai.semantics.containers import CONTAINERS, WEIGHTY, own, share
from trex.languages.rhai.semantics.exceptions import CATCHABLE, passes_script, passing
from trex.languages.rhai.semantics.sizes import check_array, check_map, weigh
from trex.languages.rhai.values import NESTED, SHARED, THIS_CELL, THIS_VALUE, Array, Cell, FnPtr, Map

# A callback of a library function runs two levels below the caller of that function.
LEVELS = 2


def marked(items: list[Any]) -> list[Any]:
    """The same list, with the containers in it marked as held in more than one place."""
    for item in items:
        if type(item) in CONTAINERS:
            item.state |= SHARED
    return items


def left(f: FnPtr) -> int:
    """How many values a call must give; -1 for a function that is known by name only."""
    return f.params - len(f.curry) if f.code is not None else -1


def taking(f: FnPtr, count: int) -> Callable[..., Any] | None:
    """The function as one of `count` values and a level, without `this`; None where it takes another number."""
    code: Callable[..., Any] | None = f.code
    if f.direct == count:
        return code
    if code is None or f.params - len(f.curry) != count:
        return None
    if f.this:
        code = partial(code, UNBOUND)
    if f.curry:
        code = partial(code, *[share(value) for value in f.curry])
    return code


def of_element(f: FnPtr) -> Callable[[Any, int], Any] | None:
    """The function as one of an element and a level, where it cannot change the element.

    It takes the element, or reads it as `this`, or does without; None where it has another form.
    """
    code: Any = f.code
    if f.direct == 1 or f.bound == 0:
        return code  # type: ignore[no-any-return]
    count = left(f)
    if count == 1:
        return taking(f, 1)
    if count != 0 or f.this == THIS_CELL:
        return None
    curry = [share(value) for value in f.curry]
    if f.this == THIS_VALUE:
        return lambda item, level: code(item, *curry, level)
    return lambda item, level: code(*curry, level)


def _none_found(error: errors.RhaiError, f: FnPtr) -> bool:
    """Whether the error says that there is no function like this one, and not one that was missing further down."""
    named = error.kind == "ErrorFunctionNotFound" and str(error.details.get("function", "")).startswith(f.name)
    return named and not passes_script(error)


def by_forms(function: str, f: FnPtr, level: int, forms: tuple[tuple[tuple[Any, ...], Cell | None], ...]) -> Any:
    """Call in the first of the forms (arguments, `this`) for which there is a function."""
    last = forms[-1]
    for form in forms:
        arguments, this = form
        try:
            return invoke(f, tuple(map(share, arguments)), level, this)
        except CATCHABLE as error:
            if form is last or not (isinstance(error, errors.RhaiError) and _none_found(error, f)):
                raise passing(error, function) from None
    return None


def settle(container: Array | Map, key: Any, before: tuple[int, int, int] | None, cell: Cell) -> None:
    """Put back what a callback left in `this`, and count what changed.

    before: what the element weighed, or None where it weighs nothing.
    """
    value = cell.v
    container.v[key] = value
    if before is None and type(value) not in WEIGHTY:
        return
    array, map, string = weigh(value)
    a, m, s = before or (0, 0, 0)
    container.extra_array += array - a
    container.extra_map += map - m
    container.extra_string += string - s
    container.state |= NESTED
    if type(container) is Array:
        check_array(container)
    else:
        check_map(container)  # type: ignore[arg-type]


def with_this(container: Array | Map, key: Any, call: Callable[[Cell], Any]) -> Any:
    """Call with an element as `this`."""
    value = container.v[key]
    before = weigh(value) if type(value) in WEIGHTY else None
    cell = Cell(value)
    try:
        return call(cell)
    finally:
        settle(container, key, before, cell)


def element_call(function: str, array: Array, f: FnPtr, depth: int) -> tuple[list[Any], Callable[[int], Any]]:
    """How to call with one element of an array, by its index: `this`, or (element), or (element, index).

    Also gives the elements as the callback leaves them. Where others hold the array too, those are of a copy,
    and what the callback changes through `this` is changed there only.
    """
    level = depth + LEVELS
    count = left(f)
    code: Any = of_element(f)
    if code is not None:
        items = array.v
        return items, lambda index: code(items[index], level)
    if count == 2:
        items = array.v
        code = taking(f, 2)
        return items, lambda index: code(items[index], index, level)
    array = own(array)
    if count == 0:
        code = on_this(f)
        curry = [share(value) for value in f.curry]
        return array.v, lambda index: with_this(array, index, lambda cell: code(cell, *curry, level))

    def call(index: int) -> Any:
        def attempt(cell: Cell) -> Any:
            item = cell.v
            return by_forms(function, f, level, (((), cell), ((item,), None), ((item, index), None)))

        return with_this(array, index, attempt)

    return array.v, call
