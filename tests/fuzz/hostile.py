"""Hostile source texts of up to 64 KiB.

Owns:      the shapes that grow with a number, and the strategies that mix them.
Relies on: the token list and the corpus of the compliance tests.
Never:     says what a text should give; only the invariants of the tests that use it do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from compliance.generate import EXTRA, corpus

SIZE = 64 * 1024

# What opens, what is inside, what closes: repeated, they nest.
NESTING: tuple[tuple[str, str, str], ...] = (
    ("(", "1", ")"), ("[", "1", "]"), ("{", "1", "}"), ("#{a:", "1", "}"), ("f(", "1", ")"), ("x.f(", "1", ")"), ("x[", "1", "]"),
    ("x?[", "1", "]"), ("-", "1", ""), ("- ", "1", ""), ("!", "x", ""), ("+ ", "1", ""), ("1+", "1", ""), ("1**", "1", ""),
    ("1..", "1", ""), ("x??", "1", ""), ("x&&", "y", ""), ("x||", "y", ""), ("1==", "1", ""), ("1 in ", "x", ""), ("1-(", "1", ")"),
    ("|x|", "1", ""), ("|| ", "1", ""), ("if x {", "1", "}"), ("if x {} else ", "if x {}", ""), ("if (", "x", ") {}"),
    ("while x {", "1", "}"), ("while ", "x", "{}"), ("loop {", "1", "}"), ("do {", "1", "} while x;"), ("for i in ", "x", "{}"),
    ("for i in x {", "1", "}"), ("switch x { 1 => ", "1", "}"), ("switch ", "x", " { }"), ("switch x { 1 if ", "x", " => 1 }"),
    ("switch x { [", "1", "] => 1 }"), ("try {", "1", "} catch {}"), ("try {} catch {", "1", "}"), ("`${", "1", "}`"),
    ("return ", "1", ""), ("throw ", "1", ""), ("let x = {", "1", "};"), ("const x = ", "1", ""), ("fn f() {", "1", "}"),
    ("/*", "x", "*/"), ("x.", "y", ""), ("x?.", "y", ""), ("x::", "y", ""), ("x::", "y()", ""), ("x=", "1", ""), ("x+=", "1", ""),
    ("#{a:[", "1", "]}"), ("{[(", "1", ")]}"), ("f!(", "1", ")"), ("export ", "x", ""), ("import ", "x", ""), ("private ", "fn", ""),
    ("eval(", "1", ")"), ("Fn(", "1", ")"), ("this.", "x", ""), ("global::", "x", ""), ("1;{", "", "}"), ("x.call(|| ", "1", ")"),
)  # fmt: skip

# Side by side, without nesting.
REPEATING: tuple[tuple[str, str, str], ...] = (
    ("", "1;", ""), ("", ";", ""), ("", "\n", ""), ("", "x\n", ""), ("", "let x=1;", ""), ("", "fn f(){}", ""), ("[", "1,", "]"),
    ("f(", "1,", ")"), ("#{", "a:1,", "}"), ("switch x {", "1=>1,", "}"), ("switch x {", "0..9=>1,", "}"), ("switch x { 1", "|1", "=>1}"),
    ("fn f(", "a,", "){}"), ("|", "a,", "|1"), ("", "{}", ""), ("", "if x{}", ""), ("", "x;x;", ""), ("", "()", ""), ("", "1 ", ""),
    ("x", ".y", ""), ("x", "[0]", ""), ("x", ".f()", ""), ("x", "?.y", ""), ("1", "+1", ""), ("x", "(1)", ""), ("x", "::y", ""),
    ("true", "&&true", ""), ('""', '+""', ""), ("`", "${1}", "`"), ("`", "${}", "`"), ("`", "$", "`"), ("if x {}", " else if x {}", ""),
    ("import \"x\"", " as x;import \"x\"", ""), ("", "export x;", ""), ("", "//x\n", ""), ("", "/**/", ""), ("", "/// doc\n", ""),
)  # fmt: skip

# One long token, whole or never ended.
LONG: tuple[tuple[str, str, str], ...] = (
    ("", "9", ""), ("0x", "f", ""), ("0b", "1", ""), ("0o", "7", ""), ("1", "_", "1"), ("1.", "9", ""), ("1e", "9", ""), ("1e-", "9", ""),
    ("0.", "0", "1"), ("-", "9", ""), ("", "x", ""), ("", "_", ""), ("", "_", "x"), ("x", "9", ""), ('"', "x", '"'), ('"', "x", ""),
    ('"', '\\"', '"'), ('"', '""', ""), ('"', "\\n", '"'), ('"', "\\", ""), ('"', "\\u0041", '"'), ('"', "\\x", '"'), ("'", "x", "'"),
    ("'", "x", ""), ("`", "x", "`"), ("`", "x", ""), ("`", "``", ""), ("`", "\n", "`"), ("`", "${", ""), ("`${`", "x", ""), ("`", "}", "`"),
    ('#"', "x", '"#'), ('#"', "x", ""), ("", "#", ""), ("", "#", '"'), ("", "#", '"x"'), ('#"', '"', ""), ('##"', '"#', ""),
    ("//", "x", ""), ("/*", "x", ""), ("/*", "*", "/"), ("/*", "/", ""), ("/*", "/*", ""), ("/", "*", "/"), ('"', "\\\n", '"'), ("", "\\", ""),
    ("", ".", ""), ("", "!", ""), ("", "-", ""), ("", "=", ""), ("", "|", ""), ("", "&", ""), ("", "?", ""), ("", ":", ""), ("", "<", ""),
    ("", ">", ""), ("", "*", ""), ("", "(*", ""), ("", "@", ""), ("", "~", ""), ("", "$", ""), ("", "'", ""), ("", '"', ""), ("", "`", ""),
    ("", "\0", ""), ("", " ", ""), ("", "\t", "x"), ("", "\r", "x"), ("", "\x0c", ""), ("", "\u00a0", ""), ("", "\u202e", "x"),
    ("", "é", ""), ("", "\U0001f600", ""), ('"', "\u0301", '"'), ('"', "\0", '"'), ("'", "\u202e", "'"), ("//", "\u202e", ""),
    ("let ", "\u200b", "x"), ("", "\ufeff", "1"), ("", "\U000e0001", ""), ("", "\u2028", ""), ("", "\x85", ""),
)  # fmt: skip

Shape = tuple[str, str, str]
Grow = Callable[[Shape, int], str]


def nested(shape: Shape, size: int) -> str:
    """The shape within itself, as often as the size allows."""
    opening, inside, closing = shape
    times = max(1, (size - len(inside.encode())) // max(1, len((opening + closing).encode())))
    return opening * times + inside + closing * times


def repeated(shape: Shape, size: int) -> str:
    """The middle of the shape, as often as the size allows."""
    opening, middle, closing = shape
    return (
        opening + middle * max(1, (size - len((opening + closing).encode())) // max(1, len(middle.encode()))) + closing
    )


def half_open(shape: Shape, size: int) -> str:
    """The opening of the shape alone, as often as the size allows."""
    return shape[0] * (size // len(shape[0].encode()))


GROWING: tuple[tuple[str, Grow, Shape], ...] = (
    *(("nested", nested, shape) for shape in NESTING),
    *(("half open", half_open, shape) for shape in NESTING),
    *(("repeated", repeated, shape) for shape in (*REPEATING, *LONG)),
)

# Characters that look like something else, turn the reading direction, or mean something to other languages.
STRANGE = "\0\x01\x07\x0b\x1b\x7f\x85\xa0\xad\u0301\u061c\u200b\u200d\u200e\u202a\u202e\u2066\u2069\u2028\ufeff\ufffd\uffff\U0001f600\U000e0001\U0010ffff"
PIECES = (
    *EXTRA, " ", "\n", "\r\n", "\t", '"', "'", "`", "${", "\\", "\\u", "\\x4", "//", "/*", "*/", '#"', '"#', "0x", "0b2", "1e", "1__", "_",
    "9223372036854775808", "-9223372036854775808", "anon$", "__proto__", "__class__", "self", "None", "lambda", "%s", "{0}", "\\N{DIGIT ONE}",
)  # fmt: skip


def _cut(text: str) -> str:
    return text.encode("utf-8", "surrogatepass")[:SIZE].decode("utf-8", "ignore")


@st.composite
def texts(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """Hostile texts: token soup, strange characters, damaged programs, and shapes cut or put inside each other."""
    match draw(st.integers(0, 4)):
        case 0:
            return "".join(draw(st.lists(st.sampled_from(PIECES), max_size=80)))
        case 1:
            alphabet = st.one_of(
                st.sampled_from(STRANGE), st.sampled_from("x1\"'`${}()[]#/*\\ \n"), st.characters(codec="utf-8")
            )
            return str(draw(st.text(alphabet, max_size=80)))
        case 2:
            text = "\n".join(draw(st.lists(st.sampled_from(corpus()), min_size=1, max_size=4)))
            for _ in range(draw(st.integers(1, 4))):
                at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
                text = text[:at] + draw(st.sampled_from((*PIECES, *STRANGE, ""))) + text[at + length :]
            return _cut(text)
        case 3:
            _, grow, shape = draw(st.sampled_from(GROWING))
            text = grow(shape, draw(st.sampled_from((8, 200, 3000, SIZE))))
            return _cut(text[draw(st.integers(0, min(20, len(text)))) :])
        case _:
            (_, outer, first), (_, inner, second) = draw(st.sampled_from(GROWING)), draw(st.sampled_from(GROWING))
            inside = inner(second, draw(st.sampled_from((8, 100, 1000))))
            return _cut(outer((first[0], inside, first[2]), draw(st.sampled_from((200, 2000, 30000)))))
