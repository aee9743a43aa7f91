"""Texts: whatever a script's text is, reading, compiling and starting it ends in an answer, for a price in proportion.

Shapes that nest, repeat or never end, of sizes that grow, go the whole way from text to the first step. What it costs is
counted: calls within the interpreter, and bytes. `make fuzz` mixes the shapes for as long as one likes.
"""

from __future__ import annotations

import os
import sys
import tracemalloc
from typing import Any

import pytest

from compliance.conftest import ours as ours
from compliance.engines import Engine
from fuzz.hostile import GROWING
from support.boundary import run
from trex.languages.rhai.errors import Exit, ParseError, RhaiError
from trex.languages.rhai.parser import Options
from trex.languages.rhai.session import Session
from trex.limits import LanguageLimits

ONE_STEP = LanguageLimits(max_steps=1, max_string_size=1 << 20, max_array_size=1 << 20, max_map_size=1 << 20)
# No bound on depth but the parser's own.
UNBOUNDED = LanguageLimits(max_steps=1, max_expr_depth=0, max_function_expr_depth=0, max_call_levels=0)


def cost(text: str, limits: LanguageLimits) -> tuple[int, int]:
    """What a text costs from reading it to its first step: (calls, bytes at the peak)."""
    calls = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    session = Session(limits, Options())
    tracemalloc.start()
    sys.setprofile(note)
    try:
        session.compile(text).main({})
    except (ParseError, RhaiError, IndexError, RecursionError, Exit):
        pass
    finally:
        sys.setprofile(None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return calls, peak


# `make attacks` looks at longer texts, and at each under both kinds of limits.
THOROUGH = "TREX_ATTACK_TRIES" in os.environ
SMALL, LARGE = (3000, 6000) if THOROUGH else (600, 1200)
# What does not depend on the text, and what is only noticed above it.
BASE_CALLS, BASE_BYTES = 2000, 300_000


@pytest.mark.parametrize("sort", sorted({row[0] for row in GROWING}))
@pytest.mark.parametrize("part", range(4))
def test_a_text_costs_in_proportion_to_its_length(sort: str, part: int) -> None:
    """Quadratic or exponential work and memory in the lexer, the parser, name resolution, inference and code generation."""
    rows = [row for row in GROWING if row[0] == sort][part::4]
    for at, (_, grow, shape) in enumerate(rows):
        for limits in (ONE_STEP, UNBOUNDED) if THOROUGH else ((ONE_STEP, UNBOUNDED)[at % 2],):
            (calls, peak), (more_calls, more_peak) = (cost(grow(shape, size), limits) for size in (SMALL, LARGE))
            assert more_calls <= 2.3 * calls + BASE_CALLS, shape
            assert more_peak <= 2.3 * peak + BASE_BYTES, shape


BULK = {
    "statements": "x = x + 1;\n" * 6000, "declarations": "".join(f"let v{at} = {at};\n" for at in range(4000)), "functions": "".join(f"fn f{at}(a) {{ a + {at} }}\n" for at in range(2500)),
    "calls of functions": "".join(f"fn f{at}(a) {{ a }}\nf{at}(1);\n" for at in range(1200)), "elements": "[" + "1, " * 30_000 + "]", "names in a literal": "[" + "x, " * 20_000 + "]",
    "texts in a literal": "[" + '"abc", ' * 20_000 + "]", "entries": "#{" + ", ".join(f"k{at}: {at}" for at in range(8000)) + "}", "arguments": "abs(" + "1, " * 10_000 + "1)",
    "parameters": "fn f(" + ", ".join(f"p{at}" for at in range(5000)) + ") { p0 } 1", "cases": "switch x { " + ", ".join(f"{at} => {at}" for at in range(6000)) + ", _ => 0 }",
    "ranges": "switch x { " + ", ".join(f"{at}..{at + 2} => {at}" for at in range(3000)) + ", _ => 0 }", "alternatives": "switch x { " + " | ".join(map(str, range(8000))) + " => 1, _ => 0 }",
    "interpolations": "`" + "${x} " * 8000 + "`", "a text": '"' + "a" * 900_000 + '"', "escapes": '"' + "\\u0041" * 100_000 + '"', "an interpolated text": "`" + "a\n" * 300_000 + "${x}`",
    "comments": "/* c */ // d\n" * 30_000 + "x", "nested comments": "/*" * 100_000, "documents": "/// d\n" * 20_000 + "fn f() {}", "closures": "let f = || x;\n" * 2000,
    "captures": "".join(f"let v{at} = {at};\n" for at in range(500)) + "let f = || [" + ", ".join(f"v{at}" for at in range(500)) + "]; f.call()",
    "blocks": "{ let y = x; }\n" * 5000, "loops": "for i in 0..1 { x += i; }\n" * 1500, "handlers": "try { x } catch (e) { e }\n" * 1500, "imports": 'import "m" as m;\n' * 2000,
    "names": "".join(f"name{at};\n" for at in range(5000)), "a name": "a" * 900_000, "a number": "9" * 900_000, "a fraction": "0." + "0" * 900_000 + "1", "methods": "x.abs();\n" * 5000,
    "properties": "let m = #{};\n" + "".join(f"m.p{at} = {at};\n" for at in range(3000)), "constants": "".join(f"const C{at} = {at}.5;\n" for at in range(3000)),
    "shadowing": "let x = x + 1;\n" * 4000, "typed functions": "".join(f"fn int.f{at}() {{ this }}\n" for at in range(2000)), "texts that differ": "".join(f'let s = "text {at}";\n' for at in range(4000)),
}  # fmt: skip


@pytest.mark.parametrize("what", BULK)
def test_a_text_with_very_many_parts_is_compiled(what: str, ours: Engine) -> None:
    """Tens of thousands of statements, functions, elements, cases: CPython's compiler has bounds that are met by none."""
    limits = {"max_operations": 20_000, "max_functions": 0, "max_variables": 0}
    answer = ours.ask({"script": "let x = 1;\n" + BULK[what], "limits": limits}, 60.0)
    assert "lost" not in answer
    if not answer["ok"]:
        assert answer["error"]["kind"] in (
            "ErrorParsing",
            "ErrorVariableNotFound",
            "ErrorModuleNotFound",
            "ErrorFunctionNotFound",
        ), answer


@pytest.mark.parametrize(
    "limits", [ONE_STEP, UNBOUNDED, LanguageLimits(max_expr_depth=0, max_function_expr_depth=0, max_steps=100)]
)
def test_what_cpython_does_not_compile_is_a_syntax_error(limits: LanguageLimits) -> None:
    """Bounds of CPython's compiler: blocks within blocks, its stack, `SyntaxError`, `RecursionError`, `MemoryError`."""
    for depth in (5, 19, 20, 21, 22, 30, 60, 90, 300):
        for opening, closing in (("for i in 0..1 {", "}"), ("while true {", "}"), ("loop {", "}"), ("try {", "} catch {}"), ("try {} catch {", "}"), ("if true {", "}"),
                                 ("switch 1 { 1 => {", "} }"), ("for i in 0..1 { try {", "} catch (e) {} }"), ("let f = |x| {", "};"), ("try { throw 1 } catch (e) { for i in 0..1 {", "} }")):  # fmt: skip
            for shape in ("{}", "fn f() {{ {} }} f()", "let f = || {{ {} }}; f.call()"):
                ended = run(shape.format(opening * depth + "1;" + closing * depth), limits=limits)
                ended.generated.check()
                assert ended.error in (None, "ErrorParsing", "ErrorTooManyOperations", "ErrorRuntime"), (depth, opening)
