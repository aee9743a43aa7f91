"""The op-assignments: what `x op= y` stores into `x`.

Owns:  the forms that change in place, and those whose result differs from `x = x op y`.
Never: stores; the caller puts what is returned where `x` was.

A container is changed in place where it is nobody else's. The right side may be kept: the caller marks
it where it is still held elsewhere. Errors have a position here, unlike those of the built-in operators.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.semantics import arithmetic
from trex.languages.rhai.semantics.arithmetic import (
    add,
    append_text,
    bit_and,
    bit_or,
    bit_xor,
    check_text,
    mul,
    shl,
    shr,
    sub,
)
from trex.languages.rhai.semantics.containers import array_extend, array_push, map_extend, own
from trex.languages.rhai.semantics.sizes import LIMITS
from trex.languages.rhai.values import Array, Blob, Char, Map
from trex.values import INT_MAX, INT_MIN

__all__ = [
    "assign_add",
    "assign_bit_and",
    "assign_bit_or",
    "assign_bit_xor",
    "assign_div",
    "assign_mod",
    "assign_mul",
    "assign_power",
    "assign_shl",
    "assign_shr",
    "assign_sub",
]


def assign_add(x: Any, y: Any) -> Any:
    """`x += y`"""
    left, right = type(x), type(y)
    if left is int:
        if right is int:
            result = x + y
            if INT_MIN <= result <= INT_MAX:
                return result
            raise errors.arithmetic(f"Addition overflow: {x} + {y}")
    elif left is str:
        if right is str:
            return check_text(x + y)
        if right is Char:
            return check_text(x + y.text)
        return x if y is None else append_text(x, y)
    elif left is Array:
        array = own(x)
        if right is Array:
            array_extend(array, y)
        else:
            array_push(array, y)
        return array
    elif left is Map:
        if right is Map:
            map = own(x)
            map_extend(map, y)
            return map
    elif left is Blob:
        return _extend_blob(x, y)
    elif left is Char and right is str and not y:
        return x
    return add(x, y)


def _extend_blob(x: Blob, y: Any) -> Any:
    right = type(y)
    if right is int:
        more: bytes | bytearray = bytes((y & 0xFF,))
    elif right is Blob:
        more = y.v
    elif right is Char:
        more = y.text.encode()
    elif right is str:
        more = y.encode()
    else:
        return add(x, y)
    if len(x.v) + len(more) > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    blob = own(x)
    blob.v += more
    return blob


def assign_sub(x: Any, y: Any) -> Any:
    """`x -= y`"""
    if type(x) is int and type(y) is int:
        result = x - y
        if INT_MIN <= result <= INT_MAX:
            return result
        raise errors.arithmetic(f"Subtraction overflow: {x} - {y}")
    return sub(x, y)


def assign_mul(x: Any, y: Any) -> Any:
    """`x *= y`"""
    if type(x) is int and type(y) is int:
        result = x * y
        if INT_MIN <= result <= INT_MAX:
            return result
        raise errors.arithmetic(f"Multiplication overflow: {x} * {y}")
    return mul(x, y)


def assign_div(x: Any, y: Any) -> Any:
    """`x /= y`"""
    return arithmetic.div(x, y, True)


def assign_mod(x: Any, y: Any) -> Any:
    """`x %= y`"""
    return arithmetic.mod(x, y, True)


def assign_power(x: Any, y: Any) -> Any:
    """`x **= y`"""
    return arithmetic.power(x, y, True)


assign_shl = shl
assign_shr = shr
assign_bit_and = bit_and
assign_bit_or = bit_or
assign_bit_xor = bit_xor
