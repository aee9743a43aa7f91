"""Regular expressions in the dialect that scripts are written in."""

from __future__ import annotations

import random

import pytest

from support.host import Spent
from trex.errors import LimitExceeded, OperationError
from trex.resources.patterns import finder, matcher, replaced


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
        (r"^[a-z&&[^x]]+$", "abc", "x"),
        (r"^[\w--\d]+$", "ab", "a1"),
        (r"^[a-c~~b-d]$", "a", "b"),
        (r"^[a[0-9]]+$", "a1", "b"),
        (r"^[\W\d]+$", "-1", "a"),
        (r"^a**$", "aa", "b"),
        (r"(?x) ^ a  b $ # with spaces", "ab", "a b"),
        (r"^(?i:a)b$", "Ab", "AB"),
        (r"(?U)^a+$", "aa", "b"),
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
        "a{1001}",
        r"\b{start}a",
        "[[:alpha",
        "x" * 70_000,
    ],
)
def test_what_cannot_be_matched_in_linear_time_or_would_differ_is_refused(pattern):
    with pytest.raises(OperationError) as refused:
        matcher(pattern)
    assert refused.value.kind == "ValidationError"
    assert refused.value.message.startswith("Validation error: Invalid regex pattern: ")


def test_one_search_of_many_lines_finds_what_a_search_of_each_finds():
    lines = [b"", b"a", b"ab", b"", b"b a", b"abab", b"c"]
    text = b"\n".join(lines) + b"\n"
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    for pattern in ("a", "^$", "b$", "^a", r"\Aab", r"b\z", "(?-m)^b", "[^a]", "a*", "(?s)a.b", "b\\sa", "^[^c]*$"):
        find, match = finder(pattern), matcher(pattern)
        expected = [start for line, start in zip(lines, starts, strict=True) if match(line)]
        found, position = [], 0
        while position < len(text) and (hit := find(text, position)) and hit.start() < len(text):
            start = text.rfind(b"\n", 0, hit.start()) + 1
            found.append(start)
            position = text.find(b"\n", start) + 1
        assert found == expected, pattern


def test_windows_of_lines_find_the_same_as_the_whole():
    """A pattern of so many instructions that only a few lines are searched at a time."""
    large = "(?:x{30}){30}|^end$|^$"
    text = b"a line\n" * 5000 + b"end\n" + b"a line\n" * 5000 + b"\n"
    find = finder(large)
    first = find(text, 0)
    assert first.start() == 35000
    assert find(text, 35004).start() == len(text) - 1


SLOW = "(?:a|b)*a(?:a|b){900}c"  # needs an instruction for nearly every byte of the text


def test_a_search_ends_when_the_time_of_the_run_is_over():
    """The technique: an expression whose search is one long call that nothing can interrupt."""
    text = bytes(random.Random(1).choices(b"ab", k=2_000_000))
    with pytest.raises(LimitExceeded) as exceeded:
        matcher(SLOW, budget=Spent(seconds=0.2))(text)
    assert exceeded.value.limit == "max_time"


@pytest.mark.parametrize(
    "text, pattern, replacement, first, every",
    [
        ("hello world", "o", "0", "hell0 world", "hell0 w0rld"),
        ("abc", "x*", "-", "-abc", "-a-b-c-"),
        ("baac", "a*", "-", "-baac", "-b-c-"),
        ("üü", "", "-", "-üü", "-ü-ü-"),
        ("ab", "(?P<x>a)(b)?", "[$x$2${2}c$2c$$1$]", "[abbc$1$]", "[abbc$1$]"),
        ("a\nb", "$", "!", "a\nb!", "a\nb!"),
        ("a\nb", "(?m)^", ">", ">a\nb", ">a\n>b"),
        ("abc", "z", "y", "abc", "abc"),
        ("", "^", "x", "x", "x"),
    ],
)
def test_replacing_gives_what_it_gives_in_scripts(text, pattern, replacement, first, every):
    assert replaced(text, pattern, replacement, False, Spent()) == first
    assert replaced(text, pattern, replacement, True, Spent()) == every


def test_what_a_text_grows_by_is_bounded():
    with pytest.raises(LimitExceeded) as exceeded:
        replaced("a" * 10_000, "a", "$0" * 1000, True, Spent(max_read=100_000))
    assert exceeded.value.limit == "max_read"
