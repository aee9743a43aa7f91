"""Dates: the calendar, both formats, arithmetic, and errors that scripts can catch."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.language import call, fresh_run, limited, shown
from trex.languages.rhai.errors import RhaiError, Thrown
from trex.languages.rhai.library import datetimes
from trex.languages.rhai.library.datetime_formats import read, written
from trex.languages.rhai.library.moments import FIRST, LAST, DateTime, moment_of, of_moment, weekday
from trex.languages.rhai.semantics import operators
from trex.languages.rhai.semantics.indexing import get_property
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.semantics.text import text
from trex.languages.rhai.values import Constant

RFC3339 = Constant("DateTimeFormat", "RFC3339")
RFC2822 = Constant("DateTimeFormat", "RFC2822")


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()
    datetimes.install()


def failure_of(name: str, *arguments: Any) -> tuple[str, str]:
    """The kind and the message of the map that a script catches."""
    with pytest.raises(Thrown) as failure:
        call(name, *arguments)
    caught = failure.value.value.v
    assert caught["source"] == "CommonUtilsErrorKind"
    return caught["kind"].name, caught["message"]


@given(st.integers(-62135596800, LAST))
def test_the_calendar_is_that_of_python_where_that_reaches(seconds: int) -> None:
    date = of_moment(seconds, 5)
    known = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    assert (date.year, date.month, date.day) == (known.year, known.month, known.day)
    assert (date.hour, date.minute, date.second) == (known.hour, known.minute, known.second)
    assert (moment_of(date), weekday(date)) == ((seconds, 5), known.weekday())


@given(st.integers(FIRST, LAST))
def test_every_moment_is_one_date(seconds: int) -> None:
    assert moment_of(of_moment(seconds, 0)) == (seconds, 0)


@pytest.mark.parametrize(
    ("given_text", "form", "utc"),
    [
        ("2025-10-21T14:30:00Z", "RFC3339", "2025-10-21T14:30:00Z"),
        ("2025-10-21 14:30:00.50+02:00", "RFC3339", "2025-10-21T12:30:00.5Z"),
        ("2024-02-29t23:59:59.1234567899-00:30", "RFC3339", "2024-03-01T00:29:59.123456789Z"),
        ("2016-12-31T23:59:60Z", "RFC3339", "2016-12-31T23:59:59.999999999Z"),
        ("Tue, 21 Oct 2025 14:30:00 +0000", "RFC2822", "2025-10-21T14:30:00Z"),
        ("21 oct 2025 14:30 EST", "RFC2822", "2025-10-21T19:30:00Z"),
        ("Tue,21 Oct 25 (a (nested \\) one)) 14:30:00\r\n -0130", "RFC2822", "2025-10-21T16:00:00Z"),
    ],
)
def test_a_text_is_read_as_the_moment_it_names(given_text: str, form: str, utc: str) -> None:
    assert written(of_moment(*read(given_text, form)), "RFC3339") == utc


@pytest.mark.parametrize(
    ("given_text", "form"),
    [
        ("", RFC3339),
        ("2025-10-21", RFC3339),
        ("2025-10-21T14:30:00", RFC3339),
        ("2025-13-21T14:30:00Z", RFC3339),
        ("2025-02-30T14:30:00Z", RFC3339),
        ("2025-10-21T24:00:00Z", RFC3339),
        ("2025-10-21T14:30:00.Z", RFC3339),
        ("2025-10-21T14:30:60Z", RFC3339),
        ("٢٠٢٥-10-21T14:30:00Z", RFC3339),
        ("", RFC2822),
        ("Foo, 21 Oct 2025 14:30:00 +0000", RFC2822),
        ("21 Oct 2025 14:30:00", RFC2822),
        ("21 Oct 2025 14:30:00 (open +0000", RFC2822),
        ("(" * 100_000, RFC2822),
    ],
)
def test_a_text_that_is_no_date_is_an_error_of_the_script(given_text: str, form: Constant) -> None:
    kind, message = failure_of("parse_datetime", given_text, form)
    assert kind == "ParseError"
    assert message.startswith(f"Parse Error: Failed to parse {form.name} datetime from '{given_text}': ")


def test_dates_are_written_in_both_formats() -> None:
    date = call("from_epoch_nanos", 1761057000, 120_000_000)[1]
    assert call("to_string", date, RFC3339)[1] == "2025-10-21T14:30:00.12Z"
    assert call("to_string", date, RFC2822)[1] == "Tue, 21 Oct 2025 14:30:00 +0000"
    assert text(date) == "2025-10-21T14:30:00.12Z"
    assert [call(name, date)[1] for name in ("month_str", "month_str_short", "epoch_seconds", "nanos")] == [
        "October",
        "Oct",
        1761057000,
        120_000_000,
    ]


def test_a_date_before_1900_has_no_text_of_the_mail_format() -> None:
    assert failure_of("to_string", call("from_epoch_seconds", -3_000_000_000)[1], RFC2822)[0] == "FormatError"


def test_a_date_keeps_what_it_was_given_until_somebody_needs_the_moment() -> None:
    date = call("DateTime", 2025, 257, 1, 0, 0, 0, 0)[1]
    assert get_property(date, "month") == 257
    assert failure_of("epoch_seconds", date) == (
        "InvalidArguments",
        "Invalid arguments: Invalid time component: month must be in the range 1..=12",
    )
    assert failure_of("month_str", date)[1] == "Invalid arguments: Invalid month: 257. Must be 1-12"
    for operation in (operators.eq, operators.lt, operators.sub):
        with pytest.raises(Thrown):
            operation(date, date)
    assert text(date) == "DateTime(2025, 257, 1, 0, 0, 0, 0)"


def test_negative_parts_are_refused_with_a_text() -> None:
    with pytest.raises(Thrown) as failure:
        call("DateTime", 2025, -1, 1, 0, 0, 0, 0)
    assert shown(failure.value.value) == '"out of range integral type conversion attempted"'


def test_arithmetic_keeps_the_nanoseconds_and_stays_within_the_calendar() -> None:
    date = call("from_epoch_nanos", 100, 7)[1]
    later = operators.add(date, 5)
    assert moment_of(later) == (105, 7)
    assert moment_of(operators.sub(date, 100)) == (0, 7)
    assert operators.sub(later, date) == 5
    assert operators.gt(later, date)
    assert operators.eq(date, DateTime(1970, 1, 1, 0, 1, 40, 7))
    for by in (2**63 - 1, -(2**63)):
        with pytest.raises(Thrown):
            operators.add(date, by)


def test_seconds_and_nanoseconds_out_of_range_are_refused() -> None:
    assert failure_of("from_epoch_seconds", LAST + 1)[0] == "InvalidArguments"
    assert failure_of("from_epoch_nanos", 0, 10**9)[1] == (
        "Invalid arguments: Invalid nanos portion: 1000000000. Must be 0-999,999,999"
    )


def test_now_is_now() -> None:
    now = call("now_nanos")[1]
    assert abs(moment_of(now)[0] - datetime.datetime.now(datetime.UTC).timestamp()) < 5
    assert call("now")[1].nanosecond == 0


def test_random_text_has_letters_and_digits_and_the_length_asked_for() -> None:
    assert [len(call("random_alphanumeric", n)[1]) for n in (0, 1, -3, 5000)] == [0, 1, 16, 5000]
    assert call("random_alphanumeric", 5000)[1].isalnum()
    assert call("random_alphanumeric", 5000)[1].isascii()
    with limited(string=100), pytest.raises(RhaiError, match="Length of string too large"):
        call("random_alphanumeric", 2**60)


def test_the_constants_are_members_of_modules() -> None:
    assert RUN.constants["DateTimeFormat"].member("RFC3339") == RFC3339
    with pytest.raises(RhaiError, match="Variable not found: DateTimeFormat::ISO"):
        RUN.constants["DateTimeFormat"].member("ISO")
    with pytest.raises(RhaiError, match="Function not found: to_string"):
        call("to_string", call("now")[1], Constant("Other", "RFC3339"))


def test_the_language_alone_has_no_dates() -> None:
    fresh_run()
    assert ("from_epoch_seconds", 1) not in RUN.natives
    assert "now" not in RUN.nullary
