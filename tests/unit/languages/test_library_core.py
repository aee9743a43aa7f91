"""Functions on any value: output, text, `take`, waiting, and what the script defines; timestamps and pointers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from support.language import call, fresh_run, function, shown, value
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.semantics import operators
from trex.languages.rhai.semantics.indexing import get_property
from trex.languages.rhai.semantics.state import RUN, ScriptFunction
from trex.languages.rhai.values import NO_THIS, THIS_VALUE, FnPtr, Timestamp
from trex.limits import LanguageLimits

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


class Listener:
    """A host that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int | None]] = []

    def call(self, operation: str, arguments: list[Any], line: int | None) -> Any:
        raise AssertionError(operation)

    def log(self, level: str, message: str, line: int | None) -> None:
        self.heard.append((level, message, line))


def test_print_uses_the_print_form_and_debug_the_debug_form() -> None:
    host = Listener()
    RUN.begin(LanguageLimits(), host)
    printed: list[str] = []
    RUN.print = printed.append
    call("print", value("['a', \"b\"]"))
    call("print", "x")
    call("print")
    call("debug", "x")
    assert printed == ['[a, "b"]', "x", ""]
    assert host.heard == [("DEBUG", '"x"', None)]


def test_take_leaves_unit_behind() -> None:
    array = value("[1]")
    assert call("take", array) == (None, array)


def test_waiting_for_nothing_returns_at_once() -> None:
    before = time.monotonic()
    for seconds in (0, -5, 0.0, -1.0, float("nan"), float("inf")):
        call("sleep", seconds)
    assert time.monotonic() - before < 1


def test_no_value_has_a_tag() -> None:
    assert call("tag", 5)[1] == 0
    assert get_property("x", "tag") == 0
    assert get_property(value("#{}"), "tag") is None


def test_functions_of_the_script_are_described() -> None:
    RUN.functions["f", 2] = ScriptFunction("f", ("a", "b"), None, NO_THIS, None, True)
    RUN.typed["i64", "g", 0] = ScriptFunction("g", (), None, THIS_VALUE, "i64", False)
    described = '[#{access: "private", is_anonymous: false, name: "f", params: ["a", "b"]}'
    other = '#{access: "public", is_anonymous: false, name: "g", params: [], this_type: "i64"}]'
    assert shown(call("get_fn_metadata_list")[1]) == f"{described}, {other}"
    assert shown(call("get_fn_metadata_list", "f")[1]) == f"{described}]"
    assert shown(call("get_fn_metadata_list", "f", 1)[1]) == "[]"


def test_a_pointer_knows_its_name() -> None:
    assert get_property(FnPtr("f"), "name") == "f"
    assert get_property(FnPtr("f"), "is_anonymous") is False
    assert call("is_anonymous", function(None, 0))[1] is True


# --- timestamps ---


def test_time_passes() -> None:
    now = call("timestamp")[1]
    assert get_property(now, "elapsed") >= 0
    with pytest.raises(RhaiError, match="Time-stamp is later than now"):
        get_property(operators.add(now, 1000), "elapsed")


def test_timestamps_are_shifted_by_seconds_of_whole_milliseconds() -> None:
    start = Timestamp(5 * SECOND)
    assert operators.add(start, 2).nanoseconds == 7 * SECOND
    assert operators.sub(start, 2.0019).nanoseconds == 5 * SECOND - 2001 * 1_000_000
    assert operators.add(start, -1.5).nanoseconds == 3_500_000_000
    assert operators.assign_sub(start, -1).nanoseconds == 6 * SECOND
    assert operators.add(start, float("nan")).nanoseconds == 5 * SECOND


def test_the_difference_of_timestamps_has_a_sign() -> None:
    assert operators.sub(Timestamp(0), Timestamp(SECOND // 2)) == -0.5


def test_timestamps_are_compared() -> None:
    early, late = Timestamp(1), Timestamp(2)
    assert operators.lt(early, late)
    assert operators.ge(late, early)
    assert operators.eq(early, Timestamp(1))
    assert not operators.eq(early, 1)


@pytest.mark.parametrize(
    ("operation", "by", "sentence"),
    [
        (operators.add, 2**63 - 1, "Timestamp overflow when adding 9223372036854775807 second(s)"),
        (operators.sub, -(2**63), "Timestamp overflow when subtracting -9223372036854775808 second(s)"),
        (operators.add, 1e20, "Integer overflow for timestamp add: 100000000000000000000"),
        (operators.sub, 1e20, "Integer overflow for timestamp subtract: 100000000000000000000"),
    ],
)
def test_a_timestamp_beyond_all_time_is_an_error(operation: Any, by: Any, sentence: str) -> None:
    with pytest.raises(RhaiError) as failure:
        operation(Timestamp(5 * SECOND), by)
    assert failure.value.message == sentence
