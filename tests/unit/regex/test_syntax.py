"""The syntax of regular expressions in scripts: what parses, and the sentence for what does not."""

from __future__ import annotations

import pytest

from trex.regex.syntax import MAX_NESTING, Character, Class, PatternInvalid, Place, Repeat, parse

# Texts of Rust's own parser, by which scripts may tell them apart.
INVALID = [
    ("(", 0, "unclosed group"),
    ("a)", 1, "unopened group"),
    ("[a", 0, "unclosed character class"),
    ("[b-a]", 1, "invalid character class range, the start must be <= the end"),
    (r"[a-\d]", 3, "invalid range boundary, must be a literal"),
    (r"[\b]", 1, "invalid escape sequence found in character class"),
    (r"\q", 0, "unrecognized escape sequence"),
    (r"\Z", 0, "unrecognized escape sequence"),
    (r"\Qa", 0, "unrecognized escape sequence"),
    (r"(a)\1", 3, "backreferences are not supported"),
    (r"\07", 0, "backreferences are not supported"),
    ("(?=a)", 0, "look-around, including look-ahead and look-behind, is not supported"),
    ("(?<!a)", 0, "look-around, including look-ahead and look-behind, is not supported"),
    ("*a", 0, "repetition operator missing expression"),
    ("a|*", 2, "repetition operator missing expression"),
    ("{", 0, "repetition operator missing expression"),
    ("a{", 1, "unclosed counted repetition"),
    ("a{x}", 2, "repetition quantifier expects a valid decimal"),
    ("a{,2}", 2, "repetition quantifier expects a valid decimal"),
    ("a{3,1}", 1, "invalid repetition count range, the start must be <= the end"),
    ("(?P<>x)", 4, "empty capture group name"),
    ("(?P<a", 5, "unclosed capture group name"),
    ("(?<1>a)", 3, "invalid capture group character"),
    ("(?<a>)(?<a>)", 9, "duplicate capture group name"),
    ("(?z)", 2, "unrecognized flag"),
    ("(?ii)", 3, "duplicate flag"),
    ("(?i", 3, "expected flag but got end of regex"),
    ("(?-)", 2, "dangling flag negation operator"),
    ("(?-i-s)", 4, "flag negation operator repeated"),
    (r"\x{110000}", 0, "hexadecimal literal is not a Unicode scalar value"),
    (r"\x{d800}", 0, "hexadecimal literal is not a Unicode scalar value"),
    (r"\xzz", 2, "invalid hexadecimal digit"),
    (r"\x{}", 0, "hexadecimal literal empty"),
    (r"\x4", 0, "incomplete escape sequence, reached end of pattern prematurely"),
    ("\\", 0, "incomplete escape sequence, reached end of pattern prematurely"),
    (r"\p{^Lu}", 0, "Unicode property not found"),
    (r"\p{", 0, "invalid Unicode character class"),
]


@pytest.mark.parametrize("pattern, start, reason", INVALID)
def test_a_text_that_is_no_pattern_is_refused_with_its_place(pattern, start, reason):
    with pytest.raises(PatternInvalid) as refused:
        parse(pattern)
    assert (refused.value.start, refused.value.reason) == (start, reason)


def test_the_sentence_shows_the_place():
    with pytest.raises(PatternInvalid) as refused:
        parse("ab(c")
    assert str(refused.value) == "regex parse error:\n    ab(c\n      ^\nerror: unclosed group"


@pytest.mark.parametrize("pattern", ["(" * (MAX_NESTING + 1), "[" * (MAX_NESTING + 1), "a" + "*" * 9])
def test_nesting_is_bounded(pattern):
    with pytest.raises(PatternInvalid, match="exceed the maximum number"):
        parse(pattern)


def test_as_much_nesting_as_is_allowed_parses_and_can_be_written():
    from trex.regex import for_python, for_re2

    pattern = "(a|b(?:" * (MAX_NESTING // 2) + "c" + ")*)?" * (MAX_NESTING // 2)
    parsed = parse(pattern)
    assert for_re2.write(parsed)
    assert for_python.write(parsed, ascii=False)


def test_flags_hold_to_the_end_of_their_group():
    inner, outer = parse("(?:(?i)a)a").tree.parts
    assert inner.parts == (Character("a", fold=True),)
    assert outer == Character("a")


def test_a_flag_swaps_what_is_greedy():
    assert parse("(?U)a+").tree == Repeat(Character("a"), 1, None, greedy=False)
    assert parse("(?U)a+?").tree == Repeat(Character("a"), 1, None, greedy=True)


def test_anchors_depend_on_the_flag_for_many_lines():
    assert parse("^").tree == Place("text_start")
    assert parse("(?m)$").tree == Place("line_end")


def test_groups_are_numbered_and_named():
    parsed = parse("(a)(?:b)(?P<x>c)(?<y>d)")
    assert (parsed.groups, parsed.names) == (3, {"x": 2, "y": 3})


def test_the_flag_for_spaces_ignores_spaces_and_comments():
    assert parse("(?x) a \\  # a space follows").tree.parts == (Character("a"), Character(" "))


def test_brackets_may_start_with_a_bracket_or_hyphens():
    assert isinstance(parse("[]a]").tree, Class)
    assert isinstance(parse("[--/]").tree, Class)
