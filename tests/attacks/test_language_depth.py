"""Depth: recursion and nesting beyond every stack end in an answer, and never in a crash of the process.

CPython's own stack is the C stack of the process in many places: comparing, printing, copying and freeing what is nested,
and calling back from functions written in C. The engine stands in a child process, whose death is the failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from compliance import engines

DEEP = 100_000
SIZES = {"max_string_size": 1 << 22, "max_array_size": 1 << 22, "max_map_size": 1 << 22}
# What the host may ask for is no permission to overflow our own stack.
LEVELS = (64, 1000, 5000, 0)


@pytest.fixture(scope="module")
def engine() -> Iterator[engines.Engine]:
    """An engine of this module's own, because a crash ends it."""
    with engines.ours() as made:
        yield made


def ask(engine: engines.Engine, script: str, **limits: int) -> dict[str, Any]:
    """The answer; the same process must give the next one too."""
    pid = engine.pid
    answer = engine.ask({"script": script, "limits": SIZES | {"max_operations": 2_000_000} | limits}, 60.0)
    assert "lost" not in answer, (script, answer)
    assert engine.ask({"script": "40 + 2"}, 60.0)["value"] == {"t": "int", "v": 42}
    assert engine.pid == pid
    return answer


RECURSION = (
    "fn f(n) { f(n + 1) } f(0)", "fn f(n) { 1 + f(n + 1) } f(0)", "fn f(n) { g(n) } fn g(n) { f(n + 1) } f(0)", "let f = |f| f.call(f); f.call(f)",
    "fn f() { this.f() } let x = 1; x.f()", "fn f(x) { [x].map(|y| f(y)) } f(1)", "fn f(x) { [x, x].sort(|a, b| f(a)) } f(1)", "fn f(x) { [x].filter(|y| f(y)) } f(1)",
    "fn f(x) { [x].reduce(|s, y| f(y), 0) } f(1)", "fn f(x) { #{a: x}.filter(|k| f(k)) } f(1)", 'fn f(x) { Fn("f").call(x) } f(1)', "fn f(x) { f!(x) } f(1)",
    "let m = #{}; m.f = || this.f(); m.f()", "fn f(x) { `${f(x)}` } f(1)", "fn f(x) { [f(x)] } f(1)", "fn f(x) { #{a: f(x)} } f(1)", "fn f(x) { if f(x) { 1 } } f(1)",
    "fn f(x) { for i in f(x) { } } f(1)", "fn f(x) { switch f(x) { 1 => 2 } } f(1)", "fn f(x) { try { f(x) } catch { f(x) } } f(1)", "fn f(x) { let a = [1]; a[f(x)] = 1; } f(1)",
    "fn f(x) { let a = [1]; a[0] += f(x); } f(1)", "fn f(x) { x = f(x); x } f(1)", "fn f(x) { throw f(x) } f(1)", "fn f(x) { return f(x); } f(1)", "fn f(x) { x.call(x) } f(|x| x.call(x))",
    "fn f(x) { let y = x; [1, 2, 3].index_of(|z| f(y)) } f(1)", "fn f(x) { let a = [1, 2]; a.retain(|z| f(x)) } f(1)", "fn f(x) { let a = [2]; a.for_each(|| f(x)) } f(1)",
)  # fmt: skip
BY_TEXT = ('let s = "eval(s)"; eval(s)', 'fn f() { eval("f()") } f()', 'fn f(x) { [x].map(|y| eval("f(y)")) } f(1)')


@pytest.mark.parametrize("levels", LEVELS)
def test_recursion_ends_in_a_stack_overflow_of_the_language(engine: engines.Engine, levels: int) -> None:
    """Recursion of every kind, with levels of the default, of thousands, and without a bound: Python's stack, and C's."""
    for script in RECURSION:
        for around in ("{}", "{} + 1") if script.endswith(")") and levels == 1000 else ("{}",):
            answer = ask(engine, around.format(script), max_call_levels=levels)
            assert answer["error"]["kind"] in ("ErrorStackOverflow", "ErrorTooManyOperations"), (script, answer)
    for script in BY_TEXT:
        answer = ask(engine, script, max_call_levels=levels)
        assert answer["error"]["kind"] in ("ErrorStackOverflow", "ErrorParsing"), (script, answer)


NESTING = (
    "let x = []; for i in 0..@ { x = [x]; }", "let x = #{}; for i in 0..@ { x = #{a: x}; }", "let x = []; for i in 0..@ { x = #{a: [x, 1], b: 2}; }",
    "let x = [1]; for i in 0..@ { let y = []; y.push(x); x = y; }", "let x = || 1; for i in 0..@ { let y = x; x = || y; }", "let x = || 1; for i in 0..@ { x = (|a| a).curry(x); }",
    "let x = []; for i in 0..@ { let y = x; x = [|| y]; }", "let x = []; for i in 0..@ { try { throw x } catch (e) { x = [e]; } }",
)  # fmt: skip
USES = (
    "1", "x", "x = (); 1", "let y = x; y == x", "x == [[x]]", "x != x", "`${x}`", "print(x)", "debug(x)", "x.to_string()", "x.to_debug()", "x.to_json()", "type_of(x)", "throw x",
    "try { throw x } catch (e) { e }", "try { x.nope() } catch (e) { `${e}` }", "let y = x; y.push(1); y.len()", "[x, x].contains(x)", "[x].index_of(x)", "x in [x]", "[x].dedup()",
    "let a = [x, x]; a.dedup(); a", "[x, x].sort()", "x < x", "x + x", "let a = [x]; a.push(x); a.append(a); a.len()", "#{a: x}.to_json()", "#{a: x} + #{b: x}", "let f = || x; f.call()",
    "let y = x; y[0] = 1; 1", "let y = x; y.a = 1; 1", "switch x { 1 => 2, _ => 3 }", "fn f(x) { x } f(x)", "is_shared(x)", "[x].map(|y| y)", "x.is_empty()", "exit(x)", "x[0]", "x.call()",
    "let a = []; a.pad(100, x); a == a", "for i in 0..100 { let y = x; y.push(i); }",
)  # fmt: skip


@pytest.mark.parametrize("nesting", NESTING)
def test_what_is_nested_deep_can_be_used_and_dropped(engine: engines.Engine, nesting: str) -> None:
    """A hundred thousand containers within each other: compared, printed, copied, thrown, sent out, and freed."""
    made = nesting.replace("@", str(DEEP // 10))
    uses = USES if "TREX_ATTACK_TRIES" in os.environ else USES[NESTING.index(nesting) % 2 :: 2]
    for use in uses:
        answer = ask(engine, f"{made} {use}")
        assert answer["ok"] or answer["error"]["kind"].startswith("Error"), (use, answer)
    answer = ask(engine, f"{nesting.replace('@', str(DEEP))} x = (); 1")
    assert answer["ok"] or answer["error"]["kind"] == "ErrorDataTooLarge"


def test_a_request_that_is_nested_deep_is_refused(engine: engines.Engine) -> None:
    """Arguments nested deeper than any stack, before the script sees them."""
    for depth in (100, 2000, 50_000):
        for opening, closing in (('{"t":"array","v":[', "]}"), ('{"t":"map","v":{"a":', "}}")):
            value = opening * depth + '{"t":"int","v":1}' + closing * depth
            answer = engine.ask_bytes(f'{{"script": "type_of(x)", "scope": {{"x": {value}}}}}'.encode(), 60.0)
            assert "lost" not in answer
            assert answer["ok"] or answer["error"]["kind"] in ("BadRequest", "ErrorStackOverflow")
