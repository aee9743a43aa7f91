"""Generated requests, so that both engines meet what nobody thought of.

Owns:      the strategies `statements` (whole programs), `chains` (operators without parentheses), `calls` (library
           functions), `literals` (numbers, strings, chars and their text forms), `mutants` (token by token changes to
           the corpus, for the parser) and `runs` (the same, run).
Relies on: `writer` for whole programs, hypothesis for drawing and shrinking.
Never:     asks for what cannot end or depends on time, or for what the reference engine is known to get wrong: `pad` with
           an empty string, and a text as the argument of an array's `index_of`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from . import programs
from .signatures import CALLS
from .writer import ALL_BINARY, ARITHMETIC, COMPARING, KINDS, LEAVES, Writer

Request = dict[str, Any]

# A limit on operations also turns off the oracle's optimiser, which drops failing expressions at will.
LIMITS = {"max_operations": 2_000_000, "max_expr_depth": 0, "max_function_expr_depth": 0}


@st.composite
def statements(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Request:
    """Whole programs."""
    return {"script": Writer(draw).program(), "limits": LIMITS}


# Operands and operators that go together most of the time; the last row mixes everything.
CHAINS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("1", "2", "3", "7", "0", "-1", "10", "64"), ("+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^")),
    (("1", "2", "3", "0", "-1", "()"), ("+", "-", "*", "<", "<=", ">", ">=", "==", "!=", "??", "**")),
    (("true", "false", "1 < 2", "2 < 1", "1 == 1"), ("&&", "||", "&", "|", "^", "==", "!=", "<", ">=")),
    (("1", "2.5", "0.5", "3", "0.1", "-2.0", "1e3"), ("+", "-", "*", "/", "%", "**", "<", "==", ">=")),
    (('"a"', '"b"', "'c'", "1", "()", "[1]"), ("+", "-", "==", "<", "??", "in", "!in")),
    (("1", "2", "[1, 2]", "0..3", "[[1]]", "true"), ("in", "!in", "+", "==", "..", "..=", "&&", "??")),
    (tuple(leaf for kind in KINDS if kind != "fn" for leaf in LEAVES[kind]), ALL_BINARY),
)


@st.composite
def chains(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Request:
    """Operators one after the other, for their precedence, associativity and pairs of types."""
    operands, operators = draw(st.sampled_from(CHAINS))
    prefixes = ("", "", "", "", "-", "!", "- ") if len(operators) == len(ALL_BINARY) else ("",)
    text = draw(st.sampled_from(operands))
    for _ in range(draw(st.integers(1, 6))):
        operator, prefix = draw(st.sampled_from(operators)), draw(st.sampled_from(prefixes))
        text += f" {operator} {prefix}{draw(st.sampled_from(operands))}"
    return {"script": text, "api": "expression", "limits": LIMITS}


TEXT = st.text(st.sampled_from("ab, lé日\U0001f600\n\"'\\0-"), max_size=8)
SMALL = st.integers(-12, 12)
WHOLE = st.one_of(SMALL, st.integers(-(2**63), 2**63 - 1))
FLOAT = st.one_of(st.sampled_from((0.0, 1.5, -2.5, 1e16, 1e-5)), st.floats(allow_nan=False, allow_infinity=False))


def _quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\0": "\\x00"}
    return '"' + "".join(escapes.get(c, c) for c in text) + '"'


def _array(items: list[str]) -> str:
    return f"[{', '.join(items)}]"


ARGUMENTS: dict[str, st.SearchStrategy[str]] = {
    "small": SMALL.map(str),
    "int": WHOLE.map(lambda n: f"({n})" if n > -(2**63) else f"({n + 1} - 1)"),
    "float": FLOAT.map(lambda x: f"({x!r})"),
    "string": TEXT.map(_quoted),
    "text": TEXT.filter(len).map(_quoted),
    "char": st.sampled_from(("'a'", "'l'", "' '", "'é'", "'\U0001f600'")),
    "bool": st.sampled_from(("false", "true")),
    "array": st.lists(st.sampled_from(("1", "2", "3", "2.0", '"a"', "'b'", "()", "[1]")), max_size=5).map(_array),
    "ints": st.lists(SMALL.map(str), max_size=6).map(_array),
    "map": st.dictionaries(st.sampled_from("abcd"), st.sampled_from(("1", '"x"', "()")), max_size=3).map(
        lambda m: "#{" + ", ".join(f"{k}: {v}" for k, v in m.items()) + "}"
    ),
    "blob": TEXT.map(lambda t: f"{_quoted(t)}.to_blob()"),
    "range": st.tuples(SMALL, st.sampled_from(("..", "..=")), SMALL).map(lambda r: f"{r[0]}{r[1]}{r[2]}"),
    "bits": st.tuples(st.integers(-2, 66), st.sampled_from(("..", "..=")), st.integers(-2, 66)).map(
        lambda r: f"{r[0]}{r[1]}{r[2]}"
    ),
    "test": st.sampled_from(("|x| x == 2", "|x, i| i > 1", "|| this == 1", "|x| true", "|x| ()")),
    "change": st.sampled_from(("|x| [x]", "|x, i| i", "|| this", "|x| `${x}`")),
    "fold": st.sampled_from(("|a, x| a + x", "|a, x, i| a + i", "|a| a")),
    "order": st.sampled_from(("|x, y| x - y", "|x, y| y - x", "|x, y| x < y", "|x, y| x > y")),
    "key": st.sampled_from(('"a"', '"b"', '"zz"', '""')),
    "pick": st.sampled_from(("|k, v| v == 1", '|k| k == "a"', "|k, v| true", "|k| this == 1")),
    "radix": st.integers(-1, 38).map(str),
    "number text": st.from_regex(r"\A[ +-]?[0-9a-z_.]{0,6}([eE][+-]?[0-9]{1,3})?[ ]?\Z").map(_quoted),
}


@st.composite
def calls(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Request:
    """One function of the library, most often with arguments that it takes, and what it leaves of its receiver."""
    receiver, name, *kinds = draw(st.sampled_from(CALLS))
    if draw(st.integers(0, 24)) == 24:
        kinds = [
            draw(st.sampled_from(("string", "small", "float", "array", "char", "range")))
            for _ in range(draw(st.integers(0, 2)))
        ]
    arguments = [draw(ARGUMENTS[kind]) for kind in kinds]
    endless = name == "pad" and len(arguments) != 2
    by_name = name == "index_of" and receiver == "array" and '"' in "".join(arguments)
    if endless or by_name:
        arguments = ["1", "1"]
    subject = draw(ARGUMENTS[receiver])
    in_method_style = draw(st.integers(0, 3)) < 3
    call = f"x.{name}({', '.join(arguments)})" if in_method_style else f"{name}({', '.join(['x', *arguments])})"
    return {"script": f"let x = {subject}; let r = {call}; [r, x]", "limits": LIMITS}


@st.composite
def literals(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Request:
    """Numbers, strings and chars as they are written, and as they are shown."""
    match draw(st.integers(0, 6)):
        case 0:
            text = draw(FLOAT.map(repr))
            script = f'let x = {text}; [x, `${{x}}`, x.to_debug(), `${{[x]}}`, -x, x + 1, x * 3, x / 7, x % 1.5, x < 1, parse_float("{text}")]'
        case 1:
            script = draw(st.from_regex(r"\A-?[0-9][0-9_]{0,12}(\.[0-9_]{0,6})?([eE][+-]?[0-9]{0,3})?[a-z.;]?\Z"))
        case 2:
            script = draw(st.from_regex(r"\A[- ]{0,2}0[xXoObB][0-9a-fA-F_]{0,18}[g.;]?\Z"))
        case 3:
            body = draw(st.from_regex(r"\A(a|é|\\[nrtx\"'`u\\0]|[0-9a-f]{2}|\"\"|''|\n| )*\Z"))
            quote = draw(st.sampled_from(('"', "'", "`")))
            script = f"{quote}{body}{quote}"
        case 4:
            script = draw(
                TEXT.map(
                    lambda t: f"let s = {_quoted(t)}; [s.len, s.bytes, s.to_debug(), `${{[s]}}`, s == s.to_upper()]"
                )
            )
        case 5:
            a, b = draw(ARGUMENTS["int"]), draw(ARGUMENTS["int"])
            script = f"let a = {a}; let b = {b}; a {draw(st.sampled_from((*ARITHMETIC, *COMPARING)))} b"
        case _:
            a, b = draw(ARGUMENTS["float"]), draw(ARGUMENTS[draw(st.sampled_from(("float", "int")))])
            script = f"let a = {a}; let b = {b}; a {draw(st.sampled_from((*ARITHMETIC[:6], *COMPARING)))} b"
    return {"script": script, "limits": LIMITS}


TOKEN = re.compile(
    r"""\s+|//[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`$]*`|[A-Za-z_]\w*|\d[\w]*(?:\.\d+)?|
    \*\*=|<<=|>>=|\.\.=|::|=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\?\[|\*\*|<<|>>|[-+*/%&|^]=|\.\.|\#\{|.""",
    re.VERBOSE | re.DOTALL,
)
EXTRA = (
    ";", "(", ")", "{", "}", "[", "]", ",", ".", "=", "+", "-", "|", "||", "=>", ":", "::", "..", "#{", "!", "?", "let", "const",
    "fn", "if", "else", "for", "in", "while", "loop", "do", "until", "switch", "_", "try", "catch", "throw", "return", "break",
    "continue", "import", "export", "as", "private", "this", "x", "f", "1", "1.5", '"s"', "'c'", "`b`", "()", "true", "match",
    "print", "eval", "Fn", "global", "~", "@", "->", "===", "\n",
)  # fmt: skip


@cache
def corpus() -> tuple[str, ...]:
    """The scripts of the program files, as a stock to change."""
    folder = Path(__file__).parent.parent / "scripts" / "language"
    scripts = {program.request["script"] for program in programs.load_all(folder)}
    return tuple(sorted((script for script in scripts if 3 < len(script) < 400), key=lambda s: (len(s), s)))


def _changed(draw: Callable[[st.SearchStrategy[Any]], Any]) -> str:
    """A program of the corpus with tokens dropped, doubled, swapped, replaced or taken from another one."""
    tokens = TOKEN.findall(draw(st.sampled_from(corpus())))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(tokens) - 1)))
        match draw(st.integers(0, 4)):
            case 0:
                del tokens[at : at + 1]
            case 1:
                tokens[at:at] = tokens[at : at + 1]
            case 2:
                tokens[at : at + 2] = reversed(tokens[at : at + 2])
            case 3:
                tokens[at : at + draw(st.integers(0, 1))] = [draw(st.sampled_from(EXTRA))]
            case _:
                other = TOKEN.findall(draw(st.sampled_from(corpus())))
                start = draw(st.integers(0, max(0, len(other) - 1)))
                tokens[at:at] = other[start : start + draw(st.integers(1, 4))]
    return "".join(tokens)


@st.composite
def mutants(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Request:
    """Changed programs, only parsed."""
    request: Request = {"script": _changed(draw), "api": "compile"}
    if draw(st.integers(0, 3)) == 3:
        request["options"] = {"strict_variables": True}
    return request


# Around a changed program, so that it runs as the body of something.
FRAMES = ("{}", "{}", "{}", "fn zz() {{ {} }} zz()", "let zz = || {{ {} }};\nzz.call()", "try {{ {} }} catch (e) {{ e }}", "for q in 0..2 {{ {} }}")  # fmt: skip

# What depends on time, or where the engines are known to differ.
KNOWN = re.compile(r"timestamp|sleep|elapsed|pad\(|index_of|rand|json|tag|in blob|\\\$|\?\[|\bX\b|\bMY\b")


@st.composite
def runs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Request:
    """Changed programs, run; for the survey, as what they meet may be an intended difference."""
    script = draw(st.sampled_from(FRAMES)).format(_changed(draw))
    script = script if draw(st.booleans()) else script.replace(" ", "\n", draw(st.integers(0, 9)))
    if KNOWN.search(script):
        script = "()"
    return {
        "script": script,
        "limits": {"max_operations": 20_000, "max_string_size": 100_000, "max_array_size": 100_000},
    }
