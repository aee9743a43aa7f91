"""Dates in a script that runs with a host, from the source text to the value."""

from __future__ import annotations

from typing import Any

import pytest

from trex.interface import Interface
from trex.languages.rhai import execute
from trex.limits import LanguageLimits
from trex.protocol.messages import Failed, Finished, Start


class Nowhere:
    """A host without operations."""

    def call(self, operation: str, arguments: list[Any], line: int | None) -> Any:
        raise AssertionError(operation)

    def log(self, level: str, message: str, line: int | None) -> None:
        raise AssertionError(message)

    def release(self, handles: list[int]) -> None:
        raise AssertionError(handles)


def run(script: str) -> Finished | Failed:
    return execute(Start(script, {}, Interface(), LanguageLimits(), {}), Nowhere())


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ('parse_datetime("2025-10-21T14:30:00+02:00", DateTimeFormat::RFC3339).to_string(DateTimeFormat::RFC2822)', "Tue, 21 Oct 2025 12:30:00 +0000"),
        ("let d = DateTime(2024, 2, 28, 23, 59, 59, 5) + 2; [d.day, d.second, d.nanosecond, d - from_epoch_seconds(0)]", [29, 1, 5, 1709164801]),
        ("[now() > from_epoch_seconds(0), random_alphanumeric(3).len, `${from_epoch_seconds(0)}`]", [True, 3, "1970-01-01T00:00:00Z"]),
        ("try { DateTime(2025, 13, 1, 0, 0, 0, 0) - 1 } catch (e) { return [e.kind == CommonUtilsErrorKind::InvalidArguments, e.source] }", [True, "CommonUtilsErrorKind"]),
        ("[type_of(now()), type_of(5.to_string()), [1].to_string()]", ["DateTime", "string", "[1]"]),
    ],
)  # fmt: skip
def test_a_script_has_dates(script: str, value: Any) -> None:
    ended = run(script)
    assert isinstance(ended, Finished), ended
    assert ended.value == value


def test_a_format_that_does_not_exist_is_an_error_of_the_script() -> None:
    ended = run("now().to_string(DateTimeFormat::ISO)")
    assert isinstance(ended, Failed)
    assert ended.message.startswith("Variable not found: DateTimeFormat::ISO")
