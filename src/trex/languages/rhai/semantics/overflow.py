"""Inline integer arithmetic that left 64 bits: word the error.

Owns:  nothing else. The left operand is recovered from the exact result, so that the fast path keeps one
       operand only. Errors of operators have no position, those of op-assignments have one (`_at`).
Never: returns; the caller has found the result out of bounds.
"""

from __future__ import annotations

from typing import NoReturn

from trex.languages.rhai.errors import arithmetic


def add_overflow(result: int, right: int) -> NoReturn:
    """`x + y` left 64 bits."""
    raise arithmetic(f"Addition overflow: {result - right} + {right}", False)


def sub_overflow(result: int, right: int) -> NoReturn:
    """`x - y` left 64 bits."""
    raise arithmetic(f"Subtraction overflow: {result + right} - {right}", False)


def mul_overflow(result: int, right: int) -> NoReturn:
    """`x * y` left 64 bits."""
    raise arithmetic(f"Multiplication overflow: {result // right} * {right}", False)


def add_overflow_at(result: int, right: int) -> NoReturn:
    """`x += y` left 64 bits."""
    raise arithmetic(f"Addition overflow: {result - right} + {right}")


def sub_overflow_at(result: int, right: int) -> NoReturn:
    """`x -= y` left 64 bits."""
    raise arithmetic(f"Subtraction overflow: {result + right} - {right}")


def mul_overflow_at(result: int, right: int) -> NoReturn:
    """`x *= y` left 64 bits."""
    raise arithmetic(f"Multiplication overflow: {result // right} * {right}")
