"""Integers as fields of 64 bits.

Owns:  the functions on single bits and runs of bits.
Never: looks at bits by index (`semantics.indexing`).

Bits count from the lowest; negative positions from the top, -1 being the sign. A start outside -64..63 is an
error, a length that goes beyond the top is cut.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.library.spans import spread_exactly
from trex.languages.rhai.values import Items, Range
from trex.values import INT_MAX

_SIZE = 64


def _place(bit: int) -> int:
    if not -_SIZE <= bit < _SIZE:
        raise errors.bit_bounds(bit)
    return bit if bit >= 0 else bit + _SIZE


def _signed(number: int) -> int:
    """The integer that has these 64 bits."""
    return number if number <= INT_MAX else number - (1 << _SIZE)


def _run(span: Range) -> tuple[int, int]:
    """A range as start and length; unlike elsewhere an inclusive one must end within the integer."""
    last = max(span.end, max(span.start, 0) - 1)
    if span.inclusive and last >= _SIZE:
        raise errors.bit_bounds(last)
    return spread_exactly(span)


@function("get_bit", int, arguments=2)
def get_bit(number: int, bit: Any) -> bool:
    if type(bit) is not int:
        raise errors.function_not_found("get_bit", number, bit)
    return bool(number >> _place(bit) & 1)


@function("set_bit", int, arguments=3, effect="replace")
def set_bit(number: int, bit: Any, value: Any) -> tuple[int, None]:
    if type(bit) is not int or type(value) is not bool:
        raise errors.function_not_found("set_bit", number, bit, value)
    return _with(number, _place(bit), 1, int(value)), None


def _with(number: int, place: int, count: int, value: int) -> int:
    """The number with `count` bits from `place` on replaced by the low bits of the value."""
    mask = (1 << count) - 1
    return _signed((number & ~(mask << place) | (value & mask) << place) & ((1 << _SIZE) - 1))


def _bits(number: int, start: int, count: int) -> int:
    if count <= 0:
        return 0
    place = _place(start)
    return _signed(number >> place & ((1 << min(count, _SIZE - place)) - 1))


@function("get_bits", int, arguments=2)
def get_bits_range(number: int, span: Any) -> int:
    if type(span) is not Range:
        raise errors.function_not_found("get_bits", number, span)
    return _bits(number, *_run(span))


@function("get_bits", int, arguments=3)
def get_bits(number: int, start: Any, count: Any) -> int:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("get_bits", number, start, count)
    return _bits(number, start, count)


def _replaced(number: int, start: int, count: int, value: int) -> int:
    if count <= 0:
        return number
    place = _place(start)
    return _with(number, place, min(count, _SIZE - place), value)


@function("set_bits", int, arguments=3, effect="replace")
def set_bits_range(number: int, span: Any, value: Any) -> tuple[int, None]:
    if type(span) is not Range or type(value) is not int:
        raise errors.function_not_found("set_bits", number, span, value)
    return _replaced(number, *_run(span), value), None


@function("set_bits", int, arguments=4, effect="replace")
def set_bits(number: int, start: Any, count: Any, value: Any) -> tuple[int, None]:
    if type(start) is not int or type(count) is not int or type(value) is not int:
        raise errors.function_not_found("set_bits", number, start, count, value)
    return _replaced(number, start, count, value), None


def _each(number: int, start: int, count: int) -> Items:
    place = _place(start)
    number >>= place
    return Items([bool(number >> bit & 1) for bit in range(max(0, min(count, _SIZE - place)))])


@function("bits", int, arguments=1, getter=True)
def bits(number: int) -> Items:
    return _each(number, 0, _SIZE)


@function("bits", int, arguments=2)
def bits_from(number: int, start: Any) -> Items:
    if type(start) is int:
        return _each(number, start, _SIZE)
    if type(start) is Range:
        return _each(number, *spread_exactly(start))
    raise errors.function_not_found("bits", number, start)


@function("bits", int, arguments=3)
def bits_part(number: int, start: Any, count: Any) -> Items:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("bits", number, start, count)
    return _each(number, start, count)
