"""Patterns of file names, as the reference's library understands them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trex.errors import OperationError
from trex.resources.globs import MAX_PATTERN, matcher

NAMES = ["a", "A", "b", "ab", "aB", "x]y", "x-y", "a*b", "[z", "é", "É", ".dot", "line\nbreak", "\\"]


def matched(pattern: str, ignore_case: bool = False) -> list[str]:
    match = matcher(pattern, ignore_case)
    return [name for name in NAMES if match(name)]


@pytest.mark.parametrize(
    "pattern, names",
    [
        ("*", NAMES),
        ("**", NAMES),
        ("**/**", NAMES),
        ("", []),
        ("?", ["a", "A", "b", "é", "É", "\\"]),
        ("??", ["ab", "aB", "[z"]),
        ("*dot", [".dot"]),
        ("a*", ["a", "ab", "aB", "a*b"]),
        ("**/a", ["a"]),
        ("a/**", []),
        ("a/b", []),
        ("x[]]y", ["x]y"]),
        ("x[]a]y", ["x]y"]),
        ("x[!a]y", ["x]y", "x-y"]),
        ("x[a-]y", ["x-y"]),
        ("x[-a]y", ["x-y"]),
        ("x[!-]y", ["x]y"]),
        ("[a-b]", ["a", "b"]),
        ("[b-a]", []),
        ("[!b-a]", ["a", "A", "b", "é", "É", "\\"]),
        ("a[*]b", ["a*b"]),
        ("[[]z", ["[z"]),
        ("[^a]", ["a"]),
        ("[é]", ["é"]),
        ("{a,b}", []),
        ("\\*", ["\\"]),
        ("line*break", ["line\nbreak"]),
        ("line?break", ["line\nbreak"]),
    ],
)
def test_a_pattern_matches_these_names(pattern, names):
    assert matched(pattern) == names


@pytest.mark.parametrize(
    "pattern, names",
    [
        ("AB", ["ab", "aB"]),
        ("[A]B", ["ab", "aB"]),
        ("[A-B]b", ["ab", "aB"]),
        ("[!a]b", []),
        ("é", ["é"]),
        ("[Z-a]b", ["ab", "aB"]),
    ],
)
def test_a_pattern_may_ignore_the_case_of_ascii_letters(pattern, names):
    assert matched(pattern, ignore_case=True) == names


@pytest.mark.parametrize(
    "pattern, position, reason",
    [
        ("***", 2, "wildcards are either regular `*` or recursive `**`"),
        ("a**", 0, "recursive wildcards must form a single path component"),
        ("ab**/c", 1, "recursive wildcards must form a single path component"),
        ("**a", 2, "recursive wildcards must form a single path component"),
        ("[a", 0, "invalid range pattern"),
        ("a[", 1, "invalid range pattern"),
        ("[!", 0, "invalid range pattern"),
        ("[]", 0, "invalid range pattern"),
        ("[!]", 0, "invalid range pattern"),
        ("[a-", 0, "invalid range pattern"),
        ("x" * (MAX_PATTERN + 1), MAX_PATTERN, f"longer than {MAX_PATTERN} characters"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place(pattern, position, reason):
    with pytest.raises(OperationError) as refused:
        matcher(pattern)
    text = f"Validation error: Invalid glob pattern: - Pattern syntax error near position {position}: {reason}"
    assert (refused.value.kind, refused.value.message) == ("ValidationError", text)


@settings(max_examples=200, deadline=None)
@given(st.text("ab*?[]!-é/", max_size=12), st.text("ab*[]-é", min_size=1, max_size=8))
def test_any_text_is_a_pattern_or_refused(pattern, name):
    with contextlib.suppress(OperationError):
        matcher(pattern)(name)


def test_many_wildcards_take_little_time():
    assert not matcher("*a" * 1000)("a" * 255 + "b")
