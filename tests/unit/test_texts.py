"""Text and numbers without a host."""

from __future__ import annotations

import pytest

from trex.errors import OperationError
from trex.texts import numbers, replaced, split


@pytest.mark.parametrize(
    "text, delimiter, parts",
    [
        ("a:b:c", ":", ["a", "b", "c"]),
        (":a:", ":", ["", "a", ""]),
        ("abc", "", ["", "a", "b", "c", ""]),
        ("", ":", [""]),
        ("", "", ["", ""]),
    ],
)
def test_a_text_is_split_at_each_delimiter(text, delimiter, parts):
    assert split(text, delimiter) == parts


@pytest.mark.parametrize(
    "start, end, step, found",
    [
        (1, 5, 1, [1, 2, 3, 4, 5]),
        (5, 1, 1, []),
        (5, 1, -2, [5, 3, 1]),
        (1, 6, 2, [1, 3, 5]),
        (2**63 - 2, 2**63 - 1, 1, [2**63 - 2, 2**63 - 1]),
    ],
)
def test_numbers_include_both_ends(start, end, step, found):
    assert list(numbers(start, end, step)) == found


def test_a_step_of_zero_is_refused():
    with pytest.raises(OperationError, match="seq: step cannot be zero"):
        numbers(1, 2, 0)


@pytest.mark.parametrize(
    "text, old, new, is_regex, replace_all, result",
    [
        ("aXbX", "X", "$1", False, False, "a$1bX"),
        ("aXbX", "X", "y", False, True, "ayby"),
        ("aXbX", "", "-", False, True, "-a-X-b-X-"),
        ("aXbX", "", "-", False, False, "-aXbX"),
        ("a.b", ".", "-", False, True, "a-b"),
        ("aXbX", "(X)", "<$1>", True, True, "a<X>b<X>"),
        ("aXbX", "X", "y", True, False, "aybX"),
        ("baac", "a*", "-", True, True, "-b-c-"),
        ("über", "b", "-", True, True, "ü-er"),
        ("ab", "(a)|(b)", "[$1$2]", True, True, "[a][b]"),
        ("a\nb", "^", ">", True, True, ">a\nb"),
    ],
)
def test_parts_of_a_text_are_replaced(text, old, new, is_regex, replace_all, result):
    assert replaced(text, old, new, is_regex, replace_all) == result


def test_a_pattern_that_does_not_parse_is_told():
    with pytest.raises(OperationError) as refused:
        replaced("a", "(", "", True, True)
    assert refused.value.kind == "ValidationError"
    assert refused.value.message == (
        "Validation error: Invalid regex pattern: '(' - regex parse error:\n    (\n    ^\nerror: unclosed group"
    )
