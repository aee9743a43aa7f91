"""BLOBs: bytes, and numbers and text in them.

Owns:  the blob functions.
Never: changes a blob that others hold, or makes one larger than its limit.

A byte is given and taken as an integer: stored modulo 256, read as 0..255. Out of range reads zero.
"""

from __future__ import annotations

import struct
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.library.spans import offset, part, spread
from trex.languages.rhai.semantics.arithmetic import check_text, decoded
from trex.languages.rhai.semantics.containers import array_of
from trex.languages.rhai.semantics.sizes import LIMITS, expect_array
from trex.languages.rhai.values import Array, Blob, Char, Range


@function("blob", arguments=0)
def blob() -> Blob:
    return Blob(bytearray())


@function("blob", int, arguments=1)
def blob_of_zeros(size: int) -> Blob:
    size = max(size, 0)
    expect_array(size)
    return Blob(bytearray(size))


@function("blob", int, arguments=2)
def blob_of(size: int, value: Any) -> Blob:
    if type(value) is not int:
        raise errors.function_not_found("blob", size, value)
    size = max(size, 0)
    expect_array(size)
    return Blob(bytearray((value & 0xFF,)) * size)


@function("len", Blob, arguments=1, effect="pure", getter=True)
def length(blob: Blob) -> int:
    return len(blob.v)


@function("is_empty", Blob, arguments=1, effect="pure", getter=True)
def is_empty(blob: Blob) -> bool:
    return not blob.v


@function("contains", Blob, arguments=2, effect="pure")
def contains(blob: Blob, value: Any) -> bool:
    if type(value) is not int:
        raise errors.function_not_found("contains", blob, value)
    return value & 0xFF in blob.v


@function("get", Blob, arguments=2, effect="pure")
def get(blob: Blob, index: Any) -> int:
    if type(index) is not int:
        raise errors.function_not_found("get", blob, index)
    at = offset(len(blob.v), index)
    return blob.v[at] if at < len(blob.v) else 0


@function("set", Blob, arguments=3, effect="change")
def set_(blob: Blob, index: Any, value: Any) -> None:
    if type(index) is not int or type(value) is not int:
        raise errors.function_not_found("set", blob, index, value)
    at = offset(len(blob.v), index)
    if at < len(blob.v):
        blob.v[at] = value & 0xFF


@function("push", Blob, arguments=2, effect="change")
def push(blob: Blob, value: Any) -> None:
    if type(value) is not int:
        raise errors.function_not_found("push", blob, value)
    blob.v.append(value & 0xFF)
    if len(blob.v) > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")


@function("append", Blob, arguments=2, effect="change")
def append(blob: Blob, value: Any) -> None:
    kind = type(value)
    if kind is int:
        push(blob, value)
        return
    if kind is Blob:
        more: bytes | bytearray = value.v
    elif kind is str:
        more = value.encode()
    elif kind is Char:
        more = value.text.encode()
    else:
        raise errors.function_not_found("append", blob, value)
    expect_array(len(blob.v) + len(more))
    blob.v += more


@function("insert", Blob, arguments=3, effect="change")
def insert(blob: Blob, index: Any, value: Any) -> None:
    if type(index) is not int or type(value) is not int:
        raise errors.function_not_found("insert", blob, index, value)
    expect_array(len(blob.v) + 1)
    blob.v.insert(offset(len(blob.v), index), value & 0xFF)


@function("pad", Blob, arguments=3, effect="change")
def pad(blob: Blob, size: Any, value: Any) -> None:
    if type(size) is not int or type(value) is not int:
        raise errors.function_not_found("pad", blob, size, value)
    if size > LIMITS.array:
        raise errors.too_large("Size of BLOB")
    blob.v += bytes((value & 0xFF,)) * (size - len(blob.v))


@function("pop", Blob, arguments=1, effect="change")
def pop(blob: Blob) -> int:
    return blob.v.pop() if blob.v else 0


@function("shift", Blob, arguments=1, effect="change")
def shift(blob: Blob) -> int:
    return blob.v.pop(0) if blob.v else 0


@function("remove", Blob, arguments=2, effect="change")
def remove(blob: Blob, index: Any) -> int:
    if type(index) is not int:
        raise errors.function_not_found("remove", blob, index)
    return blob.v.pop(index) if -len(blob.v) <= index < len(blob.v) else 0


@function("clear", Blob, arguments=1, effect="change")
def clear(blob: Blob) -> None:
    blob.v.clear()


@function("reverse", Blob, arguments=1, effect="change")
def reverse(blob: Blob) -> None:
    blob.v.reverse()


@function("truncate", Blob, arguments=2, effect="change")
def truncate(blob: Blob, size: Any) -> None:
    if type(size) is not int:
        raise errors.function_not_found("truncate", blob, size)
    del blob.v[max(size, 0) :]


@function("chop", Blob, arguments=2, effect="change")
def chop(blob: Blob, size: Any) -> None:
    if type(size) is not int:
        raise errors.function_not_found("chop", blob, size)
    del blob.v[: max(len(blob.v) - max(size, 0), 0)]


def _copied(blob: Blob, start: int, count: int) -> Blob:
    begin, end = part(len(blob.v), start, count)
    return Blob(blob.v[begin:end])


@function("extract", Blob, arguments=2, effect="read")
def extract_from(blob: Blob, start: Any) -> Blob:
    if type(start) is int:
        return Blob(blob.v[offset(len(blob.v), start) :])
    if type(start) is Range:
        return _copied(blob, *spread(start))
    raise errors.function_not_found("extract", blob, start)


@function("extract", Blob, arguments=3, effect="read")
def extract(blob: Blob, start: Any, count: Any) -> Blob:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("extract", blob, start, count)
    return _copied(blob, start, count)


def _splice(blob: Blob, start: int, count: int, other: Blob) -> None:
    begin, end = part(len(blob.v), start, count)
    expect_array(len(blob.v) - (end - begin) + len(other.v))
    if begin == end:
        blob.v += other.v
    else:
        blob.v[begin:end] = other.v


@function("splice", Blob, arguments=3, effect="change")
def splice_range(blob: Blob, span: Any, other: Any) -> None:
    if type(span) is not Range or type(other) is not Blob:
        raise errors.function_not_found("splice", blob, span, other)
    _splice(blob, *spread(span), other)


@function("splice", Blob, arguments=4, effect="change")
def splice(blob: Blob, start: Any, count: Any, other: Any) -> None:
    if type(start) is not int or type(count) is not int or type(other) is not Blob:
        raise errors.function_not_found("splice", blob, start, count, other)
    _splice(blob, start, count, other)


def _cut(blob: Blob, begin: int, end: int) -> bytearray:
    removed = blob.v[begin:end]
    del blob.v[begin:end]
    return removed


@function("split", Blob, arguments=2, effect="change")
def split(blob: Blob, index: Any) -> Blob:
    if type(index) is not int:
        raise errors.function_not_found("split", blob, index)
    return Blob(_cut(blob, offset(len(blob.v), index), len(blob.v)))


def _drained(blob: Blob, start: int, count: int) -> Blob:
    return Blob(_cut(blob, *part(len(blob.v), start, count)))


def _retained(blob: Blob, start: int, count: int) -> Blob:
    if count <= 0:
        return Blob(bytearray())
    begin, end = part(len(blob.v), start, count)
    rest = _cut(blob, end, len(blob.v))
    return Blob(_cut(blob, 0, begin) + rest)


# The depth is there for the functions of the same name on arrays and maps, which may call back.
@function("drain", Blob, arguments=2, effect="change", calls=True)
def drain_range(blob: Blob, span: Any, depth: int) -> Blob:
    if type(span) is not Range:
        raise errors.function_not_found("drain", blob, span)
    return _drained(blob, *spread(span))


@function("drain", Blob, arguments=3, effect="change")
def drain(blob: Blob, start: Any, count: Any) -> Blob:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("drain", blob, start, count)
    return _drained(blob, start, count)


@function("retain", Blob, arguments=2, effect="change", calls=True)
def retain_range(blob: Blob, span: Any, depth: int) -> Blob:
    if type(span) is not Range:
        raise errors.function_not_found("retain", blob, span)
    return _retained(blob, *spread(span))


@function("retain", Blob, arguments=3, effect="change")
def retain(blob: Blob, start: Any, count: Any) -> Blob:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("retain", blob, start, count)
    return _retained(blob, start, count)


@function("to_array", Blob, arguments=1, effect="pure")
def to_array(blob: Blob) -> Array:
    return array_of(list(blob.v))


@function("as_string", Blob, arguments=1)
def as_string(blob: Blob) -> str:
    return check_text(decoded(blob))


_NUMBER = 8


def _parsed(blob: Blob, start: int, count: int) -> bytes:
    """The bytes of a number, with zeros after them."""
    begin, end = part(len(blob.v), start, count)
    return bytes(blob.v[begin : min(end, begin + _NUMBER)]).ljust(_NUMBER, b"\0")


def _written(blob: Blob, start: int, count: int, encoded: bytes) -> None:
    """Overwrite a part with as many of the bytes as fit."""
    begin, end = part(len(blob.v), start, count)
    encoded = encoded[: end - begin]
    blob.v[begin : begin + len(encoded)] = encoded


def _declare_number(name: str, form: str) -> None:
    """A function that reads a number, from a range or from a start and a length."""
    layout = struct.Struct(form)

    @function(name, Blob, arguments=2, effect="pure")
    def from_range(blob: Blob, span: Any) -> Any:
        if type(span) is not Range:
            raise errors.function_not_found(name, blob, span)
        return layout.unpack(_parsed(blob, *spread(span)))[0]

    @function(name, Blob, arguments=3, effect="pure")
    def from_part(blob: Blob, start: Any, count: Any) -> Any:
        if type(start) is not int or type(count) is not int:
            raise errors.function_not_found(name, blob, start, count)
        return layout.unpack(_parsed(blob, start, count))[0]


for _name, _form in (
    ("parse_le_int", "<q"),
    ("parse_be_int", ">q"),
    ("parse_le_float", "<d"),
    ("parse_be_float", ">d"),
):
    _declare_number(_name, _form)


def _encoded_le(value: Any) -> bytes | None:
    return struct.pack("<q" if type(value) is int else "<d", value) if type(value) in (int, float) else None


def _encoded_be(value: Any) -> bytes | None:
    return struct.pack(">q" if type(value) is int else ">d", value) if type(value) in (int, float) else None


def _encoded_utf8(value: Any) -> bytes | None:
    return value.encode() if type(value) is str else None


def _encoded_ascii(value: Any) -> bytes | None:
    return value.encode("ascii", "ignore") if type(value) is str else None


def _declare_writer(name: str, encoded: Any) -> None:
    """A function that writes a value into a range, or into a part given by start and length."""

    @function(name, Blob, arguments=3, effect="change")
    def into_range(blob: Blob, span: Any, value: Any) -> None:
        content = encoded(value)
        if type(span) is not Range or content is None:
            raise errors.function_not_found(name, blob, span, value)
        _written(blob, *spread(span), content)

    @function(name, Blob, arguments=4, effect="change")
    def into_part(blob: Blob, start: Any, count: Any, value: Any) -> None:
        content = encoded(value)
        if type(start) is not int or type(count) is not int or content is None:
            raise errors.function_not_found(name, blob, start, count, value)
        _written(blob, start, count, content)


for _name, _encoder in (
    ("write_le", _encoded_le),
    ("write_be", _encoded_be),
    ("write_utf8", _encoded_utf8),
    ("write_ascii", _encoded_ascii),
):
    _declare_writer(_name, _encoder)
