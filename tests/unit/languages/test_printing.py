"""The lowered form as text: every node that the compiler makes can be written, and every kind."""

from __future__ import annotations

import ast

import pytest

from trex.languages.rhai.compiler import build, printing
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.kinds import Kind, join
from trex.languages.rhai.compiler.printing import Printer, shown_kind


def test_every_node_that_build_makes_can_be_written() -> None:
    made = {each.__name__ for each in vars(build).values() if isinstance(each, type) and "lineno" in vars(each)}
    inside_others = {"ExceptHandler", "FormattedValue", "arg"}
    assert made - inside_others == printing._STATEMENTS.keys() | printing._EXPRESSIONS.keys()


def text(expression: str) -> str:
    """An expression of Python, written by us."""
    return Printer("").expression(ast.parse(expression, mode="eval").body, printing._LOWEST)


@pytest.mark.parametrize(
    "expression",
    [
        "a + b * c",
        "(a + b) * c",
        "a - (b - c)",
        "a - b - c",
        "-a",
        "-(a + b)",
        "-(-a)",
        "not a and b or c",
        "not (a and b)",
        "(a or b) and c",
        "a < b <= c",
        "(a < b) == c",
        "not a == b",
        "(not a) == b",
        "a if b else c if d else e",
        "(a if b else c) if d else e",
        "(a if b else c) + d",
        "a & b | c ^ d << e >> f",
        "a & (b | c)",
        "f(a := b)",
        "(a := b) + c",
        "[(a := b), c]",
        "f((a, b), (a,), ())",
        "a.b[c].d(e)",
        "(a + b).c",
        "{a: b, 'c': [d]}",
        "a[(b, c)]",
        "a is b is not c in d",
        "'a\\n\"b\\x00'",
        "a - -1",
        "1.5 + 1e+300",
        "None if True else False",
    ],
)
def test_an_expression_means_the_same_when_it_is_read_again(expression: str) -> None:
    assert ast.dump(ast.parse(text(expression))) == ast.dump(ast.parse(expression))


@pytest.mark.parametrize("expression", ["a + b * c", "(a + b) * c", "a if b else c", "f(a := b)", "not a", "-a"])
def test_no_parentheses_are_written_without_need(expression: str) -> None:
    assert text(expression) == expression


@pytest.mark.parametrize("content", ["plain", "{x}", 'a"b', "a'b", "a\nb\\c", "\x00\u202e", "é🙂"])
def test_the_text_of_an_f_string_is_kept(content: str) -> None:
    node = build.joined([build.const(content), build.formatted(build.load("x_7"))])
    written = Printer("").expression(node)
    assert written.isprintable()
    read = ast.parse(written, mode="eval").body
    assert isinstance(read, ast.JoinedStr)
    assert "".join(part.value for part in read.values if isinstance(part, ast.Constant)) == content


def test_names_are_numbered_anew_and_keep_apart() -> None:
    printer = Printer("")
    names = ["x_17", "x_9", "y_3", "x_17", "t4", "add", "closure_5", "p_closure_5", "make_closure_5", "x_9_c", "a_b_2"]
    assert [printer.name(name) for name in names] == (
        ["x_1", "x_2", "y_1", "x_1", "t4", "add", "closure_1", "p_closure_1", "make_closure_1", "x_2_c", "a_b_1"]
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (k.K_ANY, "any"),
        (k.K_NEVER, "never"),
        (None, "never"),
        (k.K_INT, "int"),
        (Kind(k.INT, 0, 9), "int 0..=9"),
        (Kind(k.INT, 5, 5), "int 5"),
        (Kind(k.INT, low=0), "int 0.."),
        (Kind(k.INT, high=9), "int ..=9"),
        (join(k.K_STR, k.K_UNIT), "string | ()"),
        (k.K_STRINGS, "array of string"),
        (k.array_of([join(k.K_INT, k.K_UNIT)]), "array of (int | ())"),
        (k.K_ARRAY, "array"),
        (k.map_of([("a", k.K_INT)]), "map {a: int}"),
        (k.with_element(k.map_of([]), [k.K_STR], 0, lambda _: k.K_INT), "map {..: int | ()}"),
        (k.K_MAP, "map"),
    ],
)
def test_what_is_known_is_said_in_words(kind: Kind | None, words: str) -> None:
    assert shown_kind(kind) == words
