"""What is inferred of the variables of a program: the words of `trex compile`, and that they hold when it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest

from compliance.programs import load_all
from golden.test_lowered import NoHost
from support.knowledge import allows
from trex.interface import Interface
from trex.languages.rhai import listing
from trex.languages.rhai.compiler.kinds import K_ANY, Kind, kind_of
from trex.languages.rhai.errors import Exit, ParseError, RhaiError
from trex.languages.rhai.evaluate import ENGINE_LIMITS
from trex.languages.rhai.parser import Options
from trex.languages.rhai.semantics.exceptions import SCRIPT
from trex.languages.rhai.session import Session
from trex.languages.rhai.values import Cell
from trex.limits import LanguageLimits
from trex.protocol.messages import Finished, Start
from trex.runner.compile import Function, Listing

TESTS = Path(__file__).parents[2]


def functions(script: str) -> list[Function]:
    answer = listing.execute(Start(script, {}, Interface(), LanguageLimits(), check=True), NoHost())
    assert isinstance(answer, Finished), answer.message
    return msgspec.convert(answer.value, Listing).functions


def known(script: str) -> dict[str, str]:
    """What is known of the variables of a program, by name; of several of one name, the last."""
    return {variable.name: variable.kind for function in functions(script) for variable in function.variables}


# Each program, what is known of its variables, and what its functions return.
CASES = [
    # literals and operators
    ("let x = 5;", {"x": "int 5"}),
    ("let x = -5; let y = x * 3;", {"x": "int -5", "y": "int -15"}),
    ("let x = 1.5; let y = x + 1; let z = x < 2.0;", {"x": "float", "y": "float", "z": "bool"}),
    ("let x = \"a\"; let y = 'c'; let z = x + y;", {"x": "string", "y": "char", "z": "string"}),
    ("let x = (); let y = [1, 2]; let z = #{a: 1, b: \"x\"};", {"x": "()", "y": "array of int 1..=2", "z": "map {a: int 1, b: string}"}),
    ("let x = 0..5; let y = |a| a; let z = `${x}`;", {"x": "range", "y": "Fn", "z": "string"}),
    ("let x = [1, \"a\"];", {"x": "array of (int 1 | string)"}),
    ("let x = 9223372036854775807 + 0; let y = -9223372036854775807 - 1;", {"x": "int 9223372036854775807", "y": "int -9223372036854775808"}),
    # several assignments
    ("let x = 1; x = 5;", {"x": "int 1..=5"}),
    ("let x = 1; if x > 0 { x = \"a\"; }", {"x": "int 1 | string"}),
    ("let x; x = 1;", {"x": "int 1 | ()"}),
    # loops: bounds that move are given up, those that do not are kept
    ("let n = 0; while n < 10 { n += 1; }", {"n": "int 0.."}),
    ("let n = 10; while n > 0 { n -= 1; }", {"n": "int ..=10"}),
    ("let n = 0; for i in 0..10 { n = i; }", {"n": "int 0..=9", "i": "int 0..=9"}),
    ("for i in 0..=10 { }", {"i": "int 0..=10"}),
    ("for i in range(3, 8) { }", {"i": "int 3..=8"}),
    ("for (x, i) in [\"a\"] { }", {"x": "string", "i": "int 0..=1099511627776"}),
    ("for c in \"abc\" { }", {"c": "char"}),
    ("for b in blob(3, 0) { }", {"b": "int 0..=255"}),
    # containers: what is known reaches into them
    ("let a = []; a.push(1); a.push(2);", {"a": "array of int 1..=2"}),
    ("let a = [1]; a[0] = \"x\";", {"a": "array of (int 1 | string)"}),
    ("let a = [1]; let x = a[0]; let y = a.pop();", {"x": "int 1", "y": "int 1 | ()"}),
    ("let m = #{a: 1}; m.b = \"x\"; let v = m.b;", {"m": "map {a: int 1, b: string | ()}", "v": "string | ()"}),
    ("let m = #{a: 1}; let k = \"b\" + \"\"; m[k] = 2;", {"m": "map {a: int 1..=2, ..: int 2 | ()}"}),
    ("let m = #{a: [1]}; m.a.push(7); let v = m.a[0];", {"v": "int 1..=7"}),
    ("let m = #{}; m += \"x\";", {"m": "string | map"}),
    ("let a = [1, 2, 3]; let r = a.chop(1);", {"a": "array of int 1..=3", "r": "any"}),
    ("let a = [1, 2]; let b = a.filter(|x| x > 1);", {"b": "array of int 1..=2"}),
    # what changes in unknown ways
    ("let a = [1]; let f = |x| { x.push(2) }; f.call(a);", {"a": "array of int 1", "x": "any"}),
    ("let a = [1]; fn f() { this.push(\"a\") } a.f();", {"a": "array", "this": "any"}),
    ("let a = [1]; fn f() { this = 1 } a.f();", {"a": "any"}),
    ("let x = 1; let f = || { x = \"a\"; };", {"x": "int 1 | string"}),
    ("let a = [1]; try { } catch (e) { let x = e; }", {"e": "any", "x": "any"}),
    # functions
    ("fn f(a) { a + 1 } let x = f(1); let y = f(5);", {"a": "int 1..=5", "x": "int 2..=6"}),
    ("fn f(a) { a } f(1); f(\"x\");", {"a": "int 1 | string"}),
    ("fn f(a) { a } 1.f(2);", {"a": "int 2"}),
    # through pointers another form is called, compiled for anything
    ("fn f(a) { a } let g = f; g.call(1);", {"a": "never"}),
    ("fn f(a) { a } let g = Fn(\"f\"); g.call(1); f(2);", {"a": "int 2"}),
    ("fn int.f(a) { this + a } 1.f(2);", {"this": "int", "a": "any"}),
    ("fn f(n) { if n < 2 { 1 } else { n * f(n - 1) } } let x = f(5);", {"n": "int ..=5", "x": "int"}),
    ("fn f() { throw 1 } let x = f();", {"x": "never"}),
    ("fn f() { return 1; } fn g() { } let x = f(); let y = g();", {"x": "int 1", "y": "()"}),
    ("fn f(a) { [a, a] } let x = f(1)[0];", {"x": "int 1"}),
    ("let x = nowhere();", {"x": "any"}),
    # values of statements
    ("let x = if 1 > 0 { 1 } else { 2 };", {"x": "int 1..=2"}),
    ("let x = loop { break 7; };", {"x": "int 7 | ()"}),
    ("let x = switch 1 { 1 => \"a\", _ => 'b' };", {"x": "string | char"}),
    ("let x = { let y = 1; y + 1 };", {"x": "int 2"}),
    ("let x = () ?? 3;", {"x": "int 3"}),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), CASES, ids=[script for script, _ in CASES])
def test_what_is_known(script: str, expected: dict[str, str]) -> None:
    found = known(script)
    assert {name: found[name] for name in expected} == expected


def test_what_functions_return_is_known() -> None:
    found = functions('fn f(a) { a * 2 } fn g() { } fn h(x) { if x { 1 } else { "a" } } f(4); g(); h(true);')
    assert {each.name: each.returns for each in found if each.name} == {
        "f": "int 8",
        "g": "()",
        "h": "int 1 | string",
    }


# --- what is inferred holds ---


class Witness:
    """Runs a program and looks at its variables whenever one of its functions goes on to another line, or ends."""

    def __init__(self, script: str, options: Options) -> None:
        self.session = Session(ENGINE_LIMITS, options)
        self.compiled = self.session.compile(script)
        self.wrong: list[str] = []
        program = self.compiled.program
        self.kinds: dict[str, Kind] = {}
        for function in [program.main, *program.functions, *program.closures]:
            for variable, _ in listing._variables(function, self.compiled.link):
                if variable.slot and variable.slot != "this":
                    self.kinds[variable.slot] = K_ANY if variable.open else kind_of(variable)

    def run(self) -> None:
        before = sys.gettrace()
        sys.settrace(self.trace)
        try:
            self.compiled.main({})
        except (RhaiError, ParseError, IndexError, Exit, RecursionError):
            pass
        finally:
            sys.settrace(before)

    def trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != SCRIPT or frame.f_code.co_name not in self.compiled.globals:
            return None
        if event in ("line", "return"):
            for name, value in frame.f_locals.items():
                kind = self.kinds.get(name)
                content = value.v if isinstance(value, Cell) else value
                if kind is not None and not allows(kind, content):
                    self.wrong.append(f"{name} is {content!r}, not {kind}")
        return self.trace


def scripts() -> list[tuple[str, str]]:
    """The examples of the language's description, and the recorded programs of the compiler."""
    found = [(path.stem, path.read_text()) for path in sorted((TESTS / "golden").glob("*.rhai"))]
    for program in load_all(TESTS / "compliance/specification"):
        request = program.request
        if request.keys() <= {"script", "options"} and "timestamp" not in request["script"]:
            found.append((f"{program.topic}-{program.digest}", request["script"]))
    return found


SCRIPTS = scripts()


@pytest.mark.parametrize("script", [script for _, script in SCRIPTS], ids=[name for name, _ in SCRIPTS])
def test_what_is_inferred_holds_whenever_the_program_runs(script: str) -> None:
    try:
        witness = Witness(script, Options())
    except ParseError:
        return
    witness.run()
    assert witness.wrong == []
