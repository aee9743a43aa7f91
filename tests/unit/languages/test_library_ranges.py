"""Ranges: what the functions give, as the language's engine was seen to give it."""

from __future__ import annotations

from typing import Any

import pytest

from support.language import call, fresh_run, outcome
from trex.languages.rhai.errors import RhaiError
from trex.values import INT_MAX

ROWS = r"""
    start(1..5) => [1..5, 1]
    end(1..=5) => [1..=5, 5]
    is_inclusive(1..=5) => [1..=5, true]
    is_exclusive(1..=5) => [1..=5, false]
    is_empty(3..1) => [3..1, true]
    is_empty(1..=1) => [1..=1, false]
    contains(1..5, 5) => [1..5, false]
    contains(1..=5, 5) => [1..=5, true]
    contains(1..5, 1.0) => ! ErrorFunctionNotFound: Function not found: contains (range, f64)
    range(1, 5) => [1, 1..5]
    range(1, 5, 0) => ! ErrorArithmetic: step value cannot be zero
    range(0..5, 0) => ! ErrorArithmetic: step value cannot be zero
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_a_function_gives_what_the_engine_gives(row: str) -> None:
    call_text, _, expected = row.strip().partition(" => ")
    assert outcome(call_text) == expected


@pytest.mark.parametrize(
    ("first", "to", "step", "items"),
    [
        (10, 0, -3, [10, 7, 4, 1]),
        (0, 5, -1, []),
        (0, INT_MAX, 2**62, [0]),
        (0.0, 1.0, 0.5, [0.0, 0.5]),
        (1.0, 0.0, -0.25, [1.0, 0.75, 0.5, 0.25]),
        (0.0, float("nan"), 1.0, []),
    ],
)
def test_steps_go_up_or_down_and_leave_the_end_out(first: Any, to: Any, step: Any, items: list[Any]) -> None:
    assert list(call("range", first, to, step)[1].source) == items


def test_a_step_that_changes_nothing_is_refused() -> None:
    with pytest.raises(RhaiError, match="step value cannot be zero"):
        call("range", 1e300, 2e300, 1.0)
