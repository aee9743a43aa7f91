"""Ranges and other things to loop over.

Owns:  the properties of ranges, and `range(from, to, step)`.
Never: makes a list where a Python range will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.semantics.comparison import contains as is_in
from trex.languages.rhai.semantics.exceptions import passing
from trex.languages.rhai.values import Items, Range
from trex.values import INT_MAX, INT_MIN


@function("start", Range, arguments=1, effect="pure", getter=True)
def start(span: Range) -> int:
    return span.start


@function("end", Range, arguments=1, effect="pure", getter=True)
def end(span: Range) -> int:
    return span.end


@function("is_inclusive", Range, arguments=1, effect="pure", getter=True)
def is_inclusive(span: Range) -> bool:
    return span.inclusive


@function("is_exclusive", Range, arguments=1, effect="pure", getter=True)
def is_exclusive(span: Range) -> bool:
    return not span.inclusive


@function("is_empty", Range, arguments=1, effect="pure", getter=True)
def is_empty(span: Range) -> bool:
    return span.start > span.end if span.inclusive else span.start >= span.end


@function("contains", Range, arguments=2, effect="read")
def contains(span: Range, value: Any) -> bool:
    return is_in(span, value)


@function("range", int, arguments=2)
def range_(first: int, to: Any) -> Range:
    if type(to) is not int:
        raise errors.function_not_found("range", first, to)
    return Range(first, to, False)


@function("range", Range, arguments=2)
def range_by(span: Range, step: Any) -> Items:
    if type(step) is not int or span.inclusive:
        raise errors.function_not_found("range", span, step)
    return _stepped(span.start, span.end, step)


@function("range", int, float, arguments=3)
def range_from(first: Any, to: Any, step: Any) -> Items:
    kind = type(first)
    if type(to) is not kind or type(step) is not kind:
        raise errors.function_not_found("range", first, to, step)
    return _stepped(first, to, step) if kind is int else _stepped_floats(first, to, step)


def _zero_step() -> BaseException:
    return passing(errors.arithmetic("step value cannot be zero", known_position=False), "range")


def _stepped(first: int, to: int, step: int) -> Items:
    if step == 0:
        raise _zero_step()
    items = range(first, to, step)
    # The end of the integers also ends it: the number before which the next step fails is not given.
    if items and not INT_MIN <= items[-1] + step <= INT_MAX:
        items = items[:-1]
    return Items(items)


class FloatSteps:
    """Floats from one on, each the sum of the one before and the step, up or down to a bound that is left out."""

    __slots__ = ("first", "step", "to")

    def __init__(self, first: float, to: float, step: float) -> None:
        self.first, self.to, self.step = first, to, step

    def __iter__(self) -> Iterator[float]:
        value, to, step = self.first, self.to, self.step
        if step > 0:
            while value < to:
                yield value
                value += step
        elif step < 0:
            while value > to:
                yield value
                value += step


def _stepped_floats(first: float, to: float, step: float) -> Items:
    if first + step == first:
        raise _zero_step()
    return Items(FloatSteps(first, to, step))
