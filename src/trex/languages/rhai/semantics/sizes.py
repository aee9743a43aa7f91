"""How large values are, and how large they may be.

Owns:  the size limits in force, and the checks against them.
Never: changes a value.

Strings count UTF-8 bytes; arrays and blobs their elements, maps their entries, nested ones included.
A limit of 0 in a request means none, which is `UNLIMITED` here, so that a check is one comparison.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.values import Array, Blob, Map

UNLIMITED = 2**62


class Sizes:
    """The size limits of the run in this process."""

    __slots__ = ("array", "map", "string")

    def __init__(self) -> None:
        self.array = self.map = self.string = UNLIMITED


LIMITS = Sizes()


def set_limits(string: int, array: int, map: int) -> None:
    """Limits in bytes, elements and entries; 0 is none."""
    LIMITS.string = string or UNLIMITED
    LIMITS.array = array or UNLIMITED
    LIMITS.map = map or UNLIMITED


def utf8_size(text: str) -> int:
    """Bytes of a string in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def weigh(value: Any) -> tuple[int, int, int]:
    """What a value contributes to the container that holds it: (array, map, string)."""
    kind = type(value)
    if kind is str:
        return 0, 0, utf8_size(value)
    if kind is Array:
        return len(value.v) + value.extra_array, value.extra_map, value.extra_string
    if kind is Map:
        return value.extra_array, len(value.v) + value.extra_map, value.extra_string
    if kind is Blob:
        return 1 + len(value.v), 0, 0
    return 0, 0, 0


def check_string(text: str) -> str:
    """The string itself, or the size error."""
    if len(text) * 4 > LIMITS.string and utf8_size(text) > LIMITS.string:
        raise errors.too_large("Length of string")
    return text


def check_pieces(text: str, pieces: tuple[Any, ...]) -> str:
    """Like `check_string`, for what was put together of these texts and numbers; says which was one too many."""
    if len(text) * 4 > LIMITS.string and utf8_size(text) > LIMITS.string:
        total = 0
        for part, piece in enumerate(pieces):
            total += utf8_size(str(piece))
            if total > LIMITS.string:
                raise errors.of_part(errors.too_large("Length of string"), part)
    return text


def expect_string(bytes_: int) -> None:
    """Refuse a string of this size before it is built."""
    if bytes_ > LIMITS.string:
        raise errors.too_large("Length of string")


def expect_array(elements: int) -> None:
    """Refuse an array or blob of this many elements before it is built."""
    if elements > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")


def check_array(array: Array) -> Array:
    """The array itself, or the size error."""
    if array.extra_string > LIMITS.string:
        raise errors.too_large("Length of string")
    if len(array.v) + array.extra_array > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    if array.extra_map > LIMITS.map:
        raise errors.too_large("Size of object map")
    return array


def check_map(map: Map) -> Map:
    """The map itself, or the size error."""
    if map.extra_string > LIMITS.string:
        raise errors.too_large("Length of string")
    if map.extra_array > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    if len(map.v) + map.extra_map > LIMITS.map:
        raise errors.too_large("Size of object map")
    return map


def check_blob(blob: Blob) -> Blob:
    """The blob itself, or the size error."""
    if len(blob.v) > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    return blob


def check(value: Any) -> Any:
    """The value itself, or the size error; for values of any type."""
    kind = type(value)
    if kind is str:
        return check_string(value)
    if kind is Array:
        return check_array(value)
    if kind is Map:
        return check_map(value)
    if kind is Blob:
        return check_blob(value)
    return value
