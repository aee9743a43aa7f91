"""Strings and chars: what the functions give, as the language's engine was seen to give it."""

from __future__ import annotations

import pytest

from support.language import call, fresh_run, limited, outcome
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.values import char

ROWS = r"""
    len("añ€") => ["añ€", 3]
    bytes("añ€") => ["añ€", 6]
    is_empty("") => ["", true]
    get("añ€", 1) => ["añ€", 'ñ']
    get("añ€", -1) => ["añ€", '€']
    get("añ€", 3) => ["añ€", ()]
    set("hello", -1, '!') => ["hell!", ()]
    set("hello", 9, '!') => ["hello", ()]
    set("hello", 0, "J") => ! ErrorFunctionNotFound: Function not found: set (&str | ImmutableString | String, i64, &str | ImmutableString | String)
    contains("hello", "ell") => ["hello", true]
    contains("hello", 'z') => ["hello", false]
    contains("hello", 1) => ! ErrorFunctionNotFound: Function not found: contains (&str | ImmutableString | String, i64)
    starts_with("hello", 'h') => ["hello", true]
    ends_with("hello", "lo") => ["hello", true]
    index_of("hello", "l") => ["hello", 2]
    index_of("hello", 'l', 3) => ["hello", 3]
    index_of("hello", "h", -9) => ["hello", 0]
    index_of("hello", "h", 5) => ["hello", -1]
    index_of("", "") => ["", -1]
    sub_string("hello", 1, 3) => ["hello", "ell"]
    sub_string("hello", -3) => ["hello", "llo"]
    sub_string("hello", 9) => ["hello", ""]
    sub_string("hello", 1..3) => ["hello", "el"]
    sub_string("hello", 2..=1) => ["hello", "l"]
    sub_string("hello", -2, 9223372036854775807) => ["hello", "lo"]
    crop("hello", 1, 2) => ["el", ()]
    crop("hello", 9) => ["", ()]
    crop("hello", -2..9) => ["hello", ()]
    split(" a  b ") => [" a  b ", ["a", "b"]]
    split("") => ["", [""]]
    split("   ") => ["   ", []]
    split("a,b,,c", ",") => ["a,b,,c", ["a", "b", "", "c"]]
    split("abc", "") => ["abc", ["", "a", "b", "c", ""]]
    split("a,b,c", ',', 2) => ["a,b,c", ["a", "b,c"]]
    split("abc", "", 3) => ["abc", ["", "a", "bc"]]
    split("abc", 1) => ["abc", ["a", "bc"]]
    split("abc", -1) => ["abc", ["ab", "c"]]
    split("abc", -9) => ["abc", ["", "abc"]]
    split_rev("a,b,c", ",", 2) => ["a,b,c", ["c", "a,b"]]
    split_rev("abc", "", 3) => ["abc", ["", "c", "ab"]]
    to_chars("aé") => ["aé", ['a', 'é']]
    to_blob("aé") => ["aé", blob[97, 195, 169]]
    to_upper("straße") => ["straße", "STRASSE"]
    to_lower("ΑΣ") => ["ΑΣ", "ας"]
    to_upper('ß') => ['ß', 'ß']
    to_lower('É') => ['É', 'é']
    make_upper("aß") => ["ASS", ()]
    make_lower('Q') => ['q', ()]
    trim("\u{a0} x \u{3000}") => ["x", ()]
    append("x", 1.0) => ["x1.0", ()]
    append("x", [1, 'c', "s", ()]) => ["x[1, c, \"s\", ()]", ()]
    append("x", blob[195, 169]) => ["xé", ()]
    replace("aXbX", "X", "--") => ["a--b--", ()]
    replace("ab", "", '.') => [".a.b.", ()]
    replace("", "", "x") => ["", ()]
    remove("banana", 'a') => ["bnn", ()]
    remove("banana", "an") => ["ba", ()]
    truncate("hello", 2) => ["he", ()]
    truncate("hello", -1) => ["", ()]
    pad("ab", 5, "xyz") => ["abxyz", ()]
    pad("ab", 4, 'é') => ["abéé", ()]
    pad("ab", -1, "x") => ["ab", ()]
    pop("abc") => ["ab", 'c']
    pop("") => ["", ()]
    pop("abc", 2) => ["a", "bc"]
    pop("abc", 9) => ["", "abc"]
    clear("abc") => ["", ()]
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_a_function_gives_what_the_engine_gives(row: str) -> None:
    call_text, _, expected = row.strip().partition(" => ")
    assert outcome(call_text) == expected


def test_words_are_cut_at_white_space_of_unicode_only() -> None:
    assert call("split", "a\x1cb\u2003c")[1].v == ["a\x1cb", "c"]


def test_padding_with_nothing_leaves_the_string_as_it_is() -> None:
    assert call("pad", "ab", 1_000_000_000_000, "")[0] == "ab"


def test_what_a_string_would_grow_to_is_measured_before_it_grows() -> None:
    with limited(string=100):
        for name, arguments in (
            ("pad", ("ab", 2**60, "xy")),
            ("pad", ("ab", 60, char("é"))),
            ("replace", ("a" * 20, "a", "b" * 50)),
            ("append", ("a" * 60, "b" * 60)),
            ("to_upper", ("ß" * 50 + "x",)),
        ):
            with pytest.raises(RhaiError, match="Length of string too large"):
                call(name, *arguments)


def test_pieces_of_a_string_are_counted() -> None:
    pieces = call("split", "añ€,b", ",")[1]
    assert (pieces.extra_string, pieces.state) == (7, 1)
    with limited(array=3), pytest.raises(RhaiError, match="Size of array/BLOB too large"):
        call("split", "a b c d", " ")


def test_the_characters_of_a_string_can_be_looped_over_more_than_once() -> None:
    items = call("chars", "aé", 1)[1]
    assert [[c.text for c in items.source] for _ in range(2)] == [["é"], ["é"]]
