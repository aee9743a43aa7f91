"""What loops and `switch` ask at run time.

Owns:  what can be iterated, and the equality of `switch`.
Never: gives out a container's own storage where the loop could change it; the compiler sees to that.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from math import copysign
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.values import Array, Blob, Char, FnPtr, Items, Map, Range, Timestamp, char


def iterate(value: Any) -> Iterable[Any]:
    """A Python iterable of what a `for` loop over the value gives."""
    kind = type(value)
    if kind is Array:
        return value.v  # type: ignore[no-any-return]
    if kind is Range:
        return range(value.start, value.end + value.inclusive)
    if kind is str:
        return map(char, value)
    if kind is Items:
        return value.source  # type: ignore[no-any-return]
    if kind is Blob:
        return bytes(value.v)
    raise errors.not_iterable()


class Steps:
    """The steps that a run may still take: an iterator that all its loops draw from."""

    def __init__(self, count: int) -> None:
        self.left: Iterator[Any] = itertools.repeat(True, count)


def same(subject: Any, literal: Any) -> bool:
    """Whether the subject of a `switch` is this literal: type for type, by value."""
    kind = type(subject)
    if kind is not type(literal):
        return False
    if kind is Char:
        return bool(subject.text == literal.text)
    if kind is Array:
        return len(subject.v) == len(literal.v) and all(map(same, subject.v, literal.v))
    if kind is Map:
        return subject.v.keys() == literal.v.keys() and all(same(subject.v[key], literal.v[key]) for key in literal.v)
    if kind is Range:
        return (subject.start, subject.end, subject.inclusive) == (literal.start, literal.end, literal.inclusive)
    if kind is float:
        return bool(subject == literal) and copysign(1.0, subject) == copysign(1.0, literal)
    if kind is FnPtr:
        # Only what `Fn` made knows nothing but a name.
        return subject.code is None and not subject.curry and bool(subject.name == literal.name)
    if kind is Blob or kind is Timestamp:
        return False
    return bool(subject == literal)


def in_case(subject: Any, case: Range) -> bool:
    """Whether a range case matches: a number within it, or an equal range."""
    kind = type(subject)
    if kind is int or kind is float:
        return bool(case.start <= subject <= case.end if case.inclusive else case.start <= subject < case.end)
    return kind is Range and same(subject, case)
