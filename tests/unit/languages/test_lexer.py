"""Text to tokens: where each is, what numbers and strings are worth, what is no token."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trex.languages.rhai.lexer import tokenize
from trex.languages.rhai.positions import column_of, line_of
from trex.languages.rhai.tokens import CHARACTER, END, ERROR, KEYWORDS, RESERVED, SYMBOLS
from trex.languages.rhai.values import Char


def places(text: str) -> list[tuple[str, int | None, int | None]]:
    """The tokens with line and column, the end left out."""
    tokens = tokenize(text)
    found = zip(tokens.kinds, tokens.positions, strict=True)
    return [(kind, line_of(position), column_of(position)) for kind, position in found if kind != END]


def values(text: str) -> list[Any]:
    tokens = tokenize(text)
    assert tokens.kinds[-1] == END, tokens.values[-1]
    return tokens.values[:-1]


def error(text: str, **options: Any) -> tuple[str, str]:
    tokens = tokenize(text, **options)
    assert tokens.kinds[-1] == ERROR, tokens.kinds
    found: tuple[str, str] = tokens.values[-1]
    return found


# --- positions ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("let x", [("let", 1, 1), ("identifier", 1, 5)]),
        ("a\nb", [("identifier", 1, 1), ("identifier", 2, 1)]),
        ("a\r\n\tb", [("identifier", 1, 1), ("identifier", 2, 2)]),
        ("a // x\nb", [("identifier", 1, 1), ("identifier", 2, 1)]),
        ("/* \n /* \n */ */ b", [("identifier", 3, 8)]),
        ('"é🙂" b', [("string", 1, 1), ("identifier", 1, 6)]),
        ("`a\nb` c", [("string", 1, 1), ("identifier", 2, 4)]),
        ("`a${b}c`", [("fragment", 1, 1), ("{", 1, 4), ("identifier", 1, 5), ("}", 1, 6), ("string", 1, 7)]),
        ("a..=b", [("identifier", 1, 1), ("..=", 1, 2), ("identifier", 1, 5)]),
        ("a!inb", [("identifier", 1, 1), ("!", 1, 2), ("identifier", 1, 3)]),
        ("a !in b", [("identifier", 1, 1), ("!in", 1, 3), ("identifier", 1, 7)]),
        ("é", [("error", 1, 1)]),
        ("a\n  é", [("identifier", 1, 1), ("error", 2, 3)]),
    ],
)
def test_each_token_is_where_it_starts(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert places(text) == expected


WORDS = st.sampled_from([*sorted(KEYWORDS), *sorted(SYMBOLS - {"!in"}), "name", "_x", "12", "1.5", "\n", "\r\n", "  "])


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, max_size=20).map(" ".join))
def test_a_word_or_symbol_stands_at_its_position(text: str) -> None:
    lines = text.split("\n")
    for kind, line, column in places(text):
        assert line is not None
        assert column is not None
        if kind in KEYWORDS or kind in SYMBOLS:
            assert lines[line - 1][column - 1 :].startswith(kind)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab_1.0xe\"'`${}\\/*#-+ \n\r\té🙂\0!?:=<"), max_size=40))
def test_any_text_becomes_tokens_in_the_order_of_their_places(text: str) -> None:
    tokens = tokenize(text)
    assert tokens.kinds[-1] in (END, ERROR)
    assert END not in tokens.kinds[:-1]
    assert ERROR not in tokens.kinds[:-1]
    assert len(tokens.kinds) == len(tokens.values) == len(tokens.positions)
    assert tokens.positions[:-1] == sorted(tokens.positions[:-1])


# --- numbers ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1_000", 1000),
        ("1__0_", 10),
        ("007", 7),
        ("0xff", 255),
        ("0XFF", 255),
        ("0o17", 15),
        ("0b1010", 10),
        ("0b1_1", 3),
        ("0xffffffffffffffff", -1),
        ("0x8000000000000000", -(2**63)),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", 2.0**63),
        ("99999999999999999999", 1e20),
        ("1.5", 1.5),
        ("1. ", 1.0),
        ("1.5e3", 1500.0),
        ("2E-2", 0.02),
        ("1e5", 100000.0),
        ("1e400", float("inf")),
        ("-1.5", -1.5),
    ],
)
def test_a_number_has_its_value_and_type(text: str, value: float) -> None:
    found = values(text)
    assert found == [value]
    assert type(found[0]) is type(value)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("1.foo", ["integer", ".", "identifier"]),
        ("1..2", ["integer", "..", "integer"]),
        ("1.5.2", ["float", ".", "integer"]),
        ("x-5", ["identifier", "-", "integer"]),
        ("5 -5", ["integer", "-", "integer"]),
        ("(-5)", ["(", "integer", ")"]),
        ("return -5", ["return", "integer"]),
        ("- 5", ["-", "integer"]),
        ("-x", ["-", "identifier"]),
    ],
)
def test_dots_and_signs_belong_to_a_number_only_where_they_can(text: str, kinds: list[str]) -> None:
    assert tokenize(text).kinds[:-1] == kinds


@pytest.mark.parametrize("text", ["0x", "0b", "0o", "0x1ffffffffffffffff", "1e+", "-0xff"])
def test_a_number_that_is_none_is_malformed(text: str) -> None:
    assert error(text)[0] == "MalformedNumber"


# --- strings and characters ---


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        (r'"a\t\r\n\\\"b"', 'a\t\r\n\\"b'),
        (r'"\x41\u00e9\U0001F600"', "Aé😀"),
        ('"a""b"', 'a"b'),
        ('"a\\\nb"', "ab"),
        ('"${x}"', "${x}"),
        ("`a\nb`", "a\nb"),
        ("`\na`", "a"),
        ("`a``b`", "a`b"),
        (r"`\n`", r"\n"),
        ('#"a\\n"#', "a\\n"),
        ('##"a"#b"##', 'a"#b'),
    ],
)
def test_a_string_has_its_value(text: str, value: str) -> None:
    assert values(text) == [value]


def test_an_interpolated_string_is_pieces_with_tokens_between() -> None:
    inner = ["fragment", "{", "integer", "}", "string"]
    tokens = tokenize("`a${1 + `b${2}`}c${#{x: {3}}}`")
    outer = ["fragment", "{", "#{", "identifier", ":", "{", "integer", "}", "}", "}", "string"]
    assert tokens.kinds[:-1] == ["fragment", "{", "integer", "+", *inner, "}", *outer]
    assert [value for value in tokens.values if type(value) is str] == ["a", "b", "", "c", "x", ""]


def test_a_character_is_a_value_of_its_own() -> None:
    tokens = tokenize(r"'x' '\'' '\u00e9' '😀'")
    assert tokens.kinds[:-1] == [CHARACTER] * 4
    assert tokens.values[:-1] == [Char("x"), Char("'"), Char("é"), Char("😀")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('"abc', "UnterminatedString"),
        ('"a\nb"', "UnterminatedString"),
        ("`abc", "UnterminatedString"),
        ("`a${1}b", "UnterminatedString"),
        ('#"abc"', "UnterminatedString"),
        (r'"\q"', "MalformedEscapeSequence"),
        (r'"\x4"', "MalformedEscapeSequence"),
        (r'"\ud800"', "MalformedEscapeSequence"),
        ("''", "MalformedChar"),
        ("'ab'", "MalformedChar"),
        ("'a", "UnterminatedString"),
    ],
)
def test_a_string_that_is_none_says_why(text: str, kind: str) -> None:
    assert error(text)[0] == kind


def test_a_string_may_be_too_long() -> None:
    for text in ('"aaaa"', "`aaaa`", '"aa\\u0061a"', '#"aaaa"#', '"éé"'):
        assert tokenize(text, max_string=4).kinds[-1] == END
        assert error(text, max_string=3)[0] == "StringTooLong"


# --- comments and words ---


@pytest.mark.parametrize("text", ["// a", "/// a\n", "/* a */", "/* /* */ */", "/* open", "/** a */", "//", "/**/"])
def test_comments_are_no_tokens(text: str) -> None:
    assert values(text) == []


def test_a_word_switched_off_is_reserved_or_an_error() -> None:
    assert tokenize("let x", disabled=frozenset({"let"})).kinds[0] == RESERVED
    assert error("eval(1)", disabled=frozenset({"eval"})) == ("ImproperSymbol", "reserved keyword 'eval' is disabled")
    assert tokenize("eval(1)").kinds[0] == RESERVED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a === b", "JavaScript"),
        ("a -> b", "C++"),
        ("a := 1", "Go or Pascal"),
        ("f::<T>", "Rust"),
        ("(* a *)", "Pascal"),
    ],
)
def test_a_symbol_of_another_language_is_said_to_be_one(text: str, words: str) -> None:
    kind, message = error(text)
    assert kind == "ImproperSymbol"
    assert words in message


@pytest.mark.parametrize("text", ["__1", "_1", "__"])
def test_a_name_needs_a_letter_first(text: str) -> None:
    assert error(text)[0] == "MalformedIdentifier"
