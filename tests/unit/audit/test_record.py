"""Records as lines."""

from __future__ import annotations

import json

import pytest

from trex.audit.record import Ended, decode, line_of, timestamp


def record(error: str) -> Ended:
    return Ended(run="r", number=1, time="t", previous="", operation="o", result="done", decisions=(), error=error)


@pytest.mark.parametrize(
    "text", ["plain", "é 中", "a\nb\x00\x1b[31m", "\x7f\x9b\u202e\u2028", "\U000e0001\U0001f600", '"\\']
)
def test_a_line_keeps_every_text_and_holds_nothing_that_acts_on_a_terminal(text):
    line = line_of(record(text))
    assert line.endswith(b"\n")
    assert line.decode()[:-1].isprintable()
    assert json.loads(line)["error"] == text
    assert decode(line) == record(text)


def test_what_has_its_default_is_left_out():
    assert b"facts" not in line_of(record("x"))


def test_times_have_microseconds():
    assert timestamp(1_767_225_600_123_456_789) == "2026-01-01T00:00:00.123456Z"
    assert timestamp(1_767_225_601_000_000_000) == "2026-01-01T00:00:01.000000Z"
