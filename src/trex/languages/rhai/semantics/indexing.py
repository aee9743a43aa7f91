"""Elements, characters, bits and properties: `x[i]` and `x.name`, read and written.

Owns:  what an index or a property name means for each type, and the errors of those that do not fit.
Never: marks what it reads (who keeps it does), makes a container its caller's own, or writes back into
       the place where the container came from.

Writing takes a container that may be changed, and returns what to store in its place: the same object,
or for strings and integers the new value.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.semantics.containers import WEIGHTY, array_set, map_set
from trex.languages.rhai.semantics.sizes import check_string
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.semantics.text import error_text
from trex.languages.rhai.typenames import internal_type_name
from trex.languages.rhai.values import Array, Blob, Char, Map, Range, char
from trex.values import INT_MAX

# What has an index.
INDEXED = frozenset({Array, Map, Blob, str, int})


def index(container: Any, i: Any) -> Any:
    """`container[i]`"""
    kind = type(container)
    if kind is Array:
        if type(i) is not int:
            raise errors.mismatch(internal_type_name(i), "i64")
        try:
            return container.v[i]
        except IndexError:
            raise errors.array_bounds(i, len(container.v)) from None
    if kind is Map:
        if type(i) is not str:
            raise errors.mismatch(internal_type_name(i), "string")
        entries = container.v
        if i in entries:
            return entries[i]
        if RUN.strict_properties:
            raise errors.property_not_found(i)
        return None
    if kind is str:
        if type(i) is int:
            try:
                return char(container[i])
            except IndexError:
                raise errors.string_bounds(i, len(container)) from None
        if type(i) is Range:
            return _substring(container, i)
        raise errors.mismatch(internal_type_name(i), "i64")
    if kind is int:
        if type(i) is int:
            return bool(container >> _bit(i) & 1)
        if type(i) is Range:
            shift, mask = _bits(i)
            return (container & mask) >> shift
        raise errors.mismatch(internal_type_name(i), "i64")
    if kind is Blob:
        if type(i) is not int:
            raise errors.mismatch(internal_type_name(i), "i64")
        try:
            return container.v[i]
        except IndexError:
            raise errors.array_bounds(i, len(container.v)) from None
    raise errors.no_indexer(container, i)


def store_index(container: Any, i: Any, value: Any) -> Any:
    """`container[i] = value`; returns the container, or what replaces it."""
    kind = type(container)
    if kind is Array:
        if type(i) is not int:
            raise errors.mismatch(internal_type_name(i), "i64")
        items = container.v
        length = len(items)
        if not -length <= i < length:
            raise errors.array_bounds(i, length)
        if container.state or type(value) in WEIGHTY:
            array_set(container, i, value)
        else:
            items[i] = value
        return container
    if kind is Map:
        if type(i) is not str:
            raise errors.mismatch(internal_type_name(i), "string")
        map_set(container, i, value)
        return container
    if kind is str:
        if type(i) is int:
            return _with_char(container, i, value)
        if type(i) is Range:
            return _with_slice(container, i, value)
        raise errors.mismatch(internal_type_name(i), "i64")
    if kind is int:
        if type(i) is int:
            return _with_bit(container, i, value)
        if type(i) is Range:
            return _with_bits(container, i, value)
        raise errors.mismatch(internal_type_name(i), "i64")
    if kind is Blob:
        if type(i) is not int:
            raise errors.mismatch(internal_type_name(i), "i64")
        if not -len(container.v) <= i < len(container.v):
            raise errors.array_bounds(i, len(container.v))
        if type(value) is not int:
            raise errors.misfit(internal_type_name(value), "INT")
        container.v[i] = value & 0xFF
        return container
    raise errors.no_index_setter(container, i, value)


def get_property(value: Any, name: str) -> Any:
    """`value.name`"""
    kind = type(value)
    if kind is Map:
        entries = value.v
        if name in entries:
            return entries[name]
        if RUN.strict_properties:
            raise errors.property_not_found(name)
        return None
    getters = RUN.getters.get(kind)
    if getters is not None:
        getter = getters.get(name)
        if getter is not None:
            return getter(value)
    raise errors.unknown_property(name, value)


def set_property(container: Any, name: str, value: Any) -> Any:
    """`container.name = value`; returns the container."""
    if type(container) is not Map:
        raise errors.unwritable_property(name, container, value)
    map_set(container, name, value)
    return container


def _slice(string: str, span: Range) -> tuple[int, int]:
    """Where a range of a string starts and ends; the end may lie beyond, or before the start."""
    length = len(string)
    start, end = span.start, span.end
    if start < 0:
        if -start > length:
            raise errors.string_bounds(start, length)
        start += length
    if end < 0:
        end = max(end + length, 0)
    return start, end


def _substring(string: str, span: Range) -> str:
    if not string:
        return ""
    start, end = _slice(string, span)
    if not span.inclusive:
        return string[start:end] if end > start else ""
    if end > start:
        return string[start : end + 1]
    # One character is none, but for the only one of a string.
    return string if start == 0 and end >= len(string) - 1 else ""


def _with_char(string: str, i: int, value: Any) -> str:
    length = len(string)
    if not -length <= i < length:
        raise errors.string_bounds(i, length)
    if type(value) is not Char:
        raise errors.misfit(internal_type_name(value), "char")
    if i < 0:
        i += length
    return check_string(f"{string[:i]}{value.text}{string[i + 1 :]}")


def _with_slice(string: str, span: Range, value: Any) -> str:
    if not string:
        return error_text(value)
    start, end = _slice(string, span)
    if span.inclusive:
        end = min(end, len(string) - 1) + 1
    return check_string(f"{string[:start]}{error_text(value)}{string[end:]}")


def _bit(i: int) -> int:
    """The place of one bit, counted from the top where negative."""
    if not -64 <= i < 64:
        raise errors.bit_bounds(i)
    return i if i >= 0 else i + 64


def _bits(span: Range) -> tuple[int, int]:
    """The shift and the mask (as a signed integer) of a range of bits."""
    start, end = span.start, span.end
    if not 0 <= start < 64:
        raise errors.bit_bounds(start)
    if end == INT_MAX:
        end = 64
    elif span.inclusive:
        if not 0 <= end < 64:
            raise errors.bit_bounds(end)
        end += 1
    elif not 0 <= end <= 64:
        raise errors.bit_bounds(end)
    if end <= start:
        return 0, 0
    mask = ((1 << (end - start)) - 1) << start
    return start, mask - (1 << 64) if end == 64 else mask


def _with_bit(number: int, i: int, value: Any) -> int:
    place = _bit(i)
    if type(value) is not bool:
        raise errors.misfit(internal_type_name(value), "bool")
    # Bit 63 is the sign.
    mask = 1 << place if place < 63 else -(1 << 63)
    return number | mask if value else number & ~mask


def _with_bits(number: int, span: Range, value: Any) -> int:
    shift, mask = _bits(span)
    if type(value) is not int:
        raise errors.misfit(internal_type_name(value), "integer")
    result = number & ~mask | (value << shift) & mask
    if mask < 0:
        # Bits shifted beyond the sign are lost.
        result = ((result + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)
    return result
