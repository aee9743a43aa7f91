"""The comparison itself: what it reads, what it takes as the same, and what it tells apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from . import compare, notation, programs
from .engines import encode


@pytest.mark.parametrize(
    "text",
    ["5", "-5", "5.0", "inf", "-inf", "NaN", "()", "true", "'c'", r"'\''", '"s"', r'"q\"\n\u{7f}"', "[]", '[1, ["a"]]',
     '#{a: 1, "b c": #{}}', "blob[0, 255]", "1..5", "-1..=5", "[1..2, 3]", "Fn(f)", "<timestamp>"],
)  # fmt: skip
def test_a_value_reads_back_as_it_is_shown(text: str) -> None:
    assert notation.show(notation.parse(text)) == text


@pytest.mark.parametrize("text", ["", "5 6", "[1", "#{a 1}", "nope", "1..", '"open'])
def test_text_that_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(notation.NotationError):
        notation.parse(text)


@pytest.mark.parametrize(
    ("left", "right"), [("5", "5.0"), ("0.0", "-0.0"), ("'a'", '"a"'), ("1..5", "1..=5"), ("[1]", "[1.0]")]
)
def test_values_of_different_types_are_never_the_same(left: str, right: str) -> None:
    assert not notation.same(notation.parse(left), notation.parse(right))


def test_true_is_not_one() -> None:
    assert not notation.same({"t": "int", "v": 1}, {"t": "int", "v": True})


def test_not_a_number_is_the_same_as_itself() -> None:
    assert notation.same(notation.parse("[NaN]"), notation.parse("[NaN]"))


def test_a_file_splits_into_programs_with_titles_requests_and_expectations(tmp_path: Path) -> None:
    path = tmp_path / "sums.rhai"
    path.write_text(
        '//# Sums\n//: {"api": "expression"}\n1 + 1 //=> 2\n---\nlet x = 1;\nx / 0  //!> ErrorArithmetic: by zero\n'
    )
    first, second = programs.load(path)
    assert (first.topic, first.title, first.request) == ("sums", "Sums", {"script": "1 + 1", "api": "expression"})
    assert first.expectation == programs.Expectation({"t": "int", "v": 2})
    assert (second.title, second.request) == ("Sums", {"script": "let x = 1;\nx / 0"})
    assert second.expectation == programs.Expectation(None, "ErrorArithmetic", "by zero")


def test_an_empty_program_has_to_say_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.rhai"
    path.write_text("1\n---\n\n---\n2\n")
    with pytest.raises(ValueError, match="an empty program"):
        list(programs.load(path))


@pytest.mark.parametrize(
    ("text", "line"), [("\b\f", r'"\u0008\u000c"'), (r"\b", r'"\\b"'), ("😀", '"😀"'), ("\\\b", r'"\\\u0008"')]
)
def test_requests_spell_strings_so_that_every_engine_reads_them(text: str, line: str) -> None:
    assert encode({"script": text}).decode() == f'{{"script": {line}}}'


def failed(**error: Any) -> compare.Answer:
    return {
        "ok": False,
        "error": {"kind": "ErrorRuntime", "chain": ["ErrorRuntime"], "message": "Runtime error"} | error,
    }


def test_names_of_anonymous_functions_are_the_same_whatever_their_hash() -> None:
    left, right = (failed(message=f"Function not found: anon${digits} ()") for digits in ("0" * 16, "f" * 16))
    assert not compare.differences(compare.normalise(left), compare.normalise(right))


def test_a_position_of_its_own_is_a_difference() -> None:
    left, right = (compare.normalise(failed(line=1, position=position)) for position in (1, 2))
    assert compare.differences(left, right) == {"position": (1, 2)}


def test_how_far_a_program_came_does_not_matter_when_it_did_too_much() -> None:
    left, right = (
        {"ok": False, "printed": lines, "error": {"kind": "ErrorTooManyOperations", "message": f"line {len(lines)}"}}
        for lines in ([], ["x"])
    )
    assert compare.normalise(left) == compare.normalise(right)


def test_the_lexical_detail_of_an_oracle_is_the_lex_of_the_protocol() -> None:
    oracle = failed(kind="ErrorParsing", parse="BadInput", parse_detail='BadInput(MalformedNumber("x"))')
    ours = failed(kind="ErrorParsing", parse="BadInput", lex="MalformedNumber")
    assert not compare.differences(compare.normalise(oracle), compare.normalise(ours))
