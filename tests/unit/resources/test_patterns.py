"""Regular expressions in the dialect that scripts are written in."""

from __future__ import annotations

import pytest

from trex.errors import OperationError
from trex.resources.patterns import matcher, translated


@pytest.mark.parametrize(
    "pattern, found, not_found",
    [
        (r"^\d+$", "1٣", "x"),
        (r"^\D+$", "x", "٣"),
        (r"^\w+$", "übung_1", "a b"),
        (r"^[\w.]+$", "ü.b", "a b"),
        (r"a\sb", "a\u00a0b", "ab"),
        (r"^[\s]$", "\u2003", "x"),
        (r"^\S+$", "ü", "\u2003"),
        (r"^\u{e9}\u00e9\x{e9}\xe9$", "éééé", "e"),
        (r"^[]a]+$", "]a", "b"),
        (r"^[^]a]+$", "b", "]"),
        (r"^[[:alpha:]\d]+$", "a1", "-"),
        (r"^[a\]\-]+$", "]-a", "b"),
        (r"^\p{Greek}+$", "αβ", "ab"),
        (r"^\\d$", r"\d", "5"),
        (r"^.$", "ü", "ab"),
        (r"a{2,3}$", "aa", "a"),
        (r"(?i)^ä$", "Ä", "a"),
        (r"^(?P<x>a)(?:b|c)$", "ab", "ad"),
        (r"x$", "x", "x\ny"),
    ],
)
def test_a_pattern_means_what_it_means_to_scripts(pattern, found, not_found):
    assert matcher(pattern)(found.encode())
    assert not matcher(pattern)(not_found.encode())


def test_case_can_be_ignored_for_the_whole_pattern():
    assert matcher("straße", ignore_case=True)("STRAßE".encode())
    assert not matcher("straße")("STRAßE".encode())


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "[a",
        r"(a)\1",
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        "a**",
        "[a&&b]",
        "[a--b]",
        "[a~~b]",
        "[a[b]]",
        "[[:alpha",
        "x" * 70_000,
    ],
)
def test_what_cannot_be_matched_in_linear_time_or_would_differ_is_refused(pattern):
    with pytest.raises(OperationError) as refused:
        matcher(pattern)
    assert refused.value.kind == "ValidationError"
    assert refused.value.message.startswith("Validation error: Invalid regex pattern: ")


def test_what_is_the_same_in_both_dialects_is_left_alone():
    for pattern in ("a.*b", r"\.", r"[a-z\]]", "(?s:.)", r"\x41", r"\pL"):
        assert translated(pattern) == pattern
