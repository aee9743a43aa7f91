"""Bits of integers: what the functions give, as the language's engine was seen to give it."""

from __future__ import annotations

import pytest

from support.language import call, fresh_run, outcome

ROWS = r"""
    get_bit(10, 1) => [10, true]
    get_bit(-1, -1) => [-1, true]
    get_bit(0, 64) => ! ErrorBitFieldBounds: Bit-field index 64 out of bounds: only 64 bits in bit-field
    set_bit(0, -1, true) => [-9223372036854775808, ()]
    set_bit(-1, 0, false) => [-2, ()]
    get_bits(10, 1, 3) => [10, 5]
    get_bits(-1, 60, 4) => [-1, 15]
    get_bits(-1, 1, 99) => [-1, 9223372036854775807]
    get_bits(-1, 0, 0) => [-1, 0]
    get_bits(10, 1..=3) => [10, 5]
    get_bits(10, 3..1) => [10, 0]
    get_bits(10, 0..=64) => ! ErrorBitFieldBounds: Bit-field index 64 out of bounds: only 64 bits in bit-field
    set_bits(0, 0..4, 22) => [6, ()]
    set_bits(-1, 60, 4, 0) => [1152921504606846975, ()]
    set_bits(0, -4, 4, 9) => [-8070450532247928832, ()]
    set_bits(5, 0, 64, -7) => [-7, ()]
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_a_function_gives_what_the_engine_gives(row: str) -> None:
    call_text, _, expected = row.strip().partition(" => ")
    assert outcome(call_text) == expected


def test_bits_can_be_looped_over_from_any_place() -> None:
    assert call("bits", 5, -64, 4)[1].source == [True, False, True, False]
