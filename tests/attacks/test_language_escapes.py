"""Escapes: the known ways out of sandboxes that run in Python, tried from scripts. None has a foothold.

What a script computes with is a closed set of types, none of which Python can be talked into looking
up by a text: there is no attribute access by name, no format mini-language, no object of an exception,
frame or class. See `docs/explanation/language-boundary.md`.
"""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from compliance.generate import corpus
from compliance.programs import load_all
from support.boundary import SIZES, check_message, check_value, run
from support.language import value as value_of
from trex.languages.rhai.compiler.code import HELPERS
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.evaluate import evaluate
from trex.languages.rhai.parser import Options
from trex.languages.rhai.semantics import exceptions
from trex.languages.rhai.semantics.containers import array_of, map_of
from trex.languages.rhai.semantics.methods import native_reference
from trex.languages.rhai.semantics.sizes import set_limits
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.session import Session
from trex.languages.rhai.values import Array, Blob, FnPtr, Map, char
from trex.limits import LanguageLimits

ROOT = Path(__file__).resolve().parents[2]

SPELLS = (
    # classes and their relatives
    '"".__class__.__mro__[1].__subclasses__()', "().__class__.__base__", "[].__class__", "#{}.__class__.__name__", "1.__class__",
    'let c = "__class__"; #{}[c]', 'let x = 5; x["__class__"]', '"abc"["__class__"]', "type_of(1).__class__", "let f = || 1; f.__class__()",
    '[]["__class__"]["__base__"]', "timestamp().__reduce__()", "(0..1).__reduce_ex__(2)", "'a'.__init__.__globals__",
    # functions, code, frames, generators
    "let f = |x| x; f.__globals__", "let f = |x| x; f.__code__.co_consts", "let f = || 1; f.code", "let f = || 1; f.captures",
    "fn f() { 1 } f.__globals__", 'let f = Fn("f"); f.code.co_code', "fn f() { gi_frame } f()", "[1].map(|x| x.gi_frame.f_back)",
    "let g = [1, 2].iter(); g.gi_frame", "for x in 0..3 { x.gi_frame.f_back.f_back.f_globals }", "print.__self__", "len.__module__",
    "let f = || 1; f.curry(1).args", "this.__dict__", "let x = 1; let f = || x; f.captures[0].v", "let x = 1; let f = || x; f.__closure__[0].cell_contents",
    # exceptions and tracebacks
    "try { 1 / 0 } catch (e) { e.__traceback__.tb_frame.f_back.f_builtins }", "try { 1 / 0 } catch (e) { e.args }",
    "try { [][5] } catch (e) { e.with_traceback(()) }", "try { throw #{} } catch (e) { e.__cause__.tb_frame }",
    "try { nope } catch (e) { probe(e).obj.__class__ }", "try { nope() } catch (e) { probe(e).name.__globals__ }",
    "try { let a = []; a.x.y.z() } catch (e) { probe(e); e.add_note(\"x\") }", "try { throw } catch (e) { probe(e).__context__ }",
    # imports
    'import "os"; os::system("id")', 'import "os" as os; os::system("id")', 'import "builtins" as b; b::open("/etc/passwd")',
    'import "/etc/passwd" as m;', 'import "../../../etc/passwd" as m;', 'import "trex.host" as h; h::x', "__import__(\"os\")", "os::system(\"id\")",
    'import "sys" as sys; sys::modules', '__builtins__["open"]', "globals()", "vars(1)", "dir()", "locals()", "open(\"/etc/passwd\")",
    "breakpoint()", "input()", "exec(\"1\")", "compile(\"1\", \"\", \"eval\")", "getattr(1, \"real\")", "setattr(1, \"real\", 2)", "type(1)",
    "type(\"X\", [], #{})", "super()", "object()", "memoryview(1)", "help()", "id(1)", "hash(1)", "delattr(1, \"x\")", "sys", "os", "__builtins__",
    # by a text: eval, pointers, calls
    'eval("__import__(\'os\')")', 'eval("__builtins__")', 'eval("HELPERS")', 'eval("import os")', 'eval("1 if True else 2")', 'eval("lambda: 1")',
    'eval("x = 1; def f(): pass")', 'eval("\\n\\t__class__")', 'Fn("__import__").call("os")', 'Fn("exec").call("1")', 'Fn("print.__self__").call()',
    'Fn("call").call(1)', 'Fn("eval").call("1")', 'Fn("anon$0").call()', 'call("open", "/etc/passwd")', 'Fn("native_call").call("x")',
    'Fn("check_steps").call()', 'Fn("evaluate_text").call("1")', 'Fn("").call()', 'Fn("type").call(1)', 'Fn("Array").call(1)', 'Fn("f_f_1").call()',
    'is_def_fn("open", 1)', 'is_def_var("__builtins__")', 'Fn("len").call("abc").real', 'let f = Fn("__class__"); f.call([])', "f!()", 'Fn("f")!()',
    # names of the generated code
    "STEPS", "check_steps()", "evaluate_text(\"1\")", "Cell(1)", "Array([])", "HELPERS", "depth", "late", "scope", "native_call(\"print\", 1)",
    "CATCHABLE", "ATOMS", "UNBOUND", "FnPtr(\"x\")", "main_1(#{})", "compress([1], [1])", "Thrown(1)", "catch_(1)", "copy([])", "share([])",
    # hooks: hash, comparison, iteration, conversion, deletion
    "#{__hash__: || 1, __eq__: |x| true} == #{}", "let m = #{__eq__: |x| probe(x)}; [m].contains(m)", "let m = #{__iter__: || [1]}; for x in m { x }",
    "let m = #{__index__: || 1}; [1, 2][m]", "let m = #{__str__: || \"x\", to_string: || 5}; `${m}`", "let m = #{__len__: || -1}; m.len()",
    "let m = #{__bool__: || true}; if m { 1 }", "let m = #{__call__: || 1}; m()", "let m = #{__lt__: |x| true}; [m, m].sort()",
    "let m = #{__add__: |x| 1}; m + 1", "let m = #{__contains__: |x| true}; 5 in m", "let m = #{__del__: || probe(this)}; m = 1;",
    "let m = #{__getattr__: |x| 1}; m.zzz.y", "let m = #{__format__: |x| 1}; \"\" + m", "let m = #{__exit__: |x| true}; m.__exit__(1)",
    "let m = #{__class__: 5}; m.__class__ + 1", "let m = #{v: 1, state: 2, order: 3, extra_array: 4}; m.v + m.state + m.order",
    # format strings
    '"{0.__class__}".format(1)', '"%s".format(1)', '"{}".format_map(#{})', '`{0.__class__.__mro__}`', '`${"{0.__class__}"}`', '"%(x)s" % #{x: 1}',
    '"%n" % 5', '`{x!r:>{y}}`', 'let x = "{depth}"; `${x}{x}`', "`{depth} {late} {__builtins__}`", '"{:>9999999999}".to_string()', '`\\N{DIGIT ONE}`',
    # odds and ends
    "let x = 1; x.v", "let a = [1]; a.v", "let m = #{}; m.v.v", "let a = []; a.state = 0; a", "let b = blob(3); b.v", "let r = 0..3; r.start = 5; r",
    "let t = timestamp(); t.nanoseconds", "let f = || 1; f.name = \"x\"; f", "let f = || 1; f.direct = 7; f.call()", "'a'.text", "let c = 'a'; c.text = \"ab\"; c",
    "1.real", "1.imag", "1.0.hex()", "1.0.fromhex(\"0x1\")", "1.bit_length()", "true.real", "\"abc\".encode()", "\"a\".join([\"b\"])", "\"x\".translate(#{})",
    "[].append.__self__", "[1].sort(Fn(\"__import__\"))", "[\"os\"].map(Fn(\"__import__\"))", "[\"os\"].map(Fn(\"exec\"))", "[1].reduce(Fn(\"getattr\"))",
    "[1].filter(\"__import__\")", "\"x\".sort(|a, b| __import__(\"os\"))", "blob().__class__", "#{}.to_json().__class__", "parse_json(\"__import__\")",
    'parse_json("{\\"__class__\\": 1}").__class__', 'parse_json("{\\"__reduce__\\": [1]}")', 'parse_json("[\\"\\\\ud800\\"]")', "parse_json(\"1\").real",
)  # fmt: skip

KINDS = frozenset(
    "ErrorParsing ErrorVariableNotFound ErrorFunctionNotFound ErrorModuleNotFound ErrorDotExpr ErrorIndexingType ErrorRuntime"
    " ErrorMismatchDataType ErrorArithmetic ErrorArrayBounds ErrorStringBounds ErrorFor ErrorUnboundThis ErrorPropertyNotFound"
    " ErrorNonPureMethodCallOnConstant ErrorAssignmentToConstant ErrorMismatchOutputType ErrorTooManyOperations ErrorStackOverflow"
    " ErrorDataTooLarge ErrorBitFieldBounds ErrorTooManyVariables ErrorTooManyModules ErrorDataRace".split()
)
# Around a spell: at the program level, in a function, a closure, a callback, a handler, an interpolation, `eval`.
AROUND = (
    "{}", "fn spell() {{ {} }} spell()", "let spell = || {{ {} }}; spell.call()", "[1].map(|_x| {{ {} }})", "try {{ throw 1 }} catch {{ {} }}",
    "`${{ {} }}`", "switch 1 {{ 1 => {{ {} }}, _ => 0 }}", "try {{ {} }} catch (problem) {{ probe(problem); probe(`${{problem}}`) }}",
)  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_a_spell_has_no_effect(around: str) -> None:
    """Classes, frames, generators, tracebacks, imports, hooks and format fields, as known from other sandboxes."""
    for spell in SPELLS:
        if "fn f" in spell and around != "{}":
            continue
        ended = run(around.format(spell))
        ended.generated.check()
        assert ended.error is None or ended.error in KINDS, (spell, ended.error)


def test_a_spell_in_an_argument_is_a_text() -> None:
    """Values from outside: a text stays a text wherever it goes."""
    for spell in SPELLS:
        ended = run(
            "print(x); [x, #{k: x}, `${x}`, [x].map(|y| y)[0], x + \"\", x == `${x}`, x in #{}, x.len()]", {"x": spell}
        )  # fmt: skip
        assert ended.printed == [spell]
        first, second, *rest = ended.value.v
        assert [first, second.v["k"], *rest[:3]] == [spell] * 5
        assert rest[3:] == [True, False, len(spell)]


TEXTS = (
    "{0.__class__}", "{}", "{{", "}}", "%s", "%n%n%n", "%(x)s", "${x}", "${1+1}", "`", "\\", "\\N{DIGIT ONE}", "\\u0041", "\0", "a\0b", "\n", "\r\n",
    "\t", "'", '"', '"""', "'''", "#{", "//", "/*", "\u202e", "\u2028", "\x85", "\ufeff", "\ufffe", "\U0010ffff", "é", "e\u0301", "ﬁ", "İ", "ß", "ŉ",
    "𝟙", "٣", "Ⅷ", "\u200b", "\x1b[31m", "<script>", "$(id)", "__class__", "\ud7ff\ue000", "\U0001f600" * 3, "x" * 1000,
)  # fmt: skip

# Each gives back the text that it gets as `x`, by another way.
WAYS = (
    "x", "`${x}`", "`${`${x}`}`", 'x + ""', '"" + x', "x.to_string()", "[x][0]", "#{a: x}.a", "let m = #{}; m[x] = 1; m.keys()[0]",
    "let r; try { throw x } catch (e) { r = e } r", "let r; try { throw #{e: x} } catch (e) { r = e.e } r", "parse_json(#{a: x}.to_json()).a", "(|| x).call()",
    "let f = |a| a; f.call(x)", "fn f(a) { a } f(x)", "fn f() { this } x.f()", "x.to_blob().as_string()", "let s = \"\"; for c in x { s += c; } s",
    "let s = \"\"; for c in x.to_chars() { s.append(c); } s", "let s = x; s += \"!\"; s.pop(); s", "x.sub_string(0)", "let s = x; s.replace(\"zzz\", \"y\"); s",
    "[x].map(|s| s).filter(|s| true)[0]", "let a = [x, x]; a.dedup(); a[0]", "switch x { 1 => 2, _ => x }", "let a = [x]; a.sort(); a[0]",
    "x ?? 1", "if true { x }", "{ x }", "eval(\"x\")", "Fn(\"to_string\").call(x)", "let s = \"\"; s.pad(0, \"x\"); s + x", "exit(x)", "(x).type_of(); x",
    "let f = |a, b| b; f.curry(x).call(x)", "let s = \"a\"; s[0] = 'a'; s.crop(1); s += x; s", "let m = #{a: x}; let n = #{}; n.mixin(m); n.a",
    "let a = []; a.push(x); a.insert(0, x); a.shift()", "global::c", "print(x); x", "debug(x); x", "throw x", "nope ?? x", "x.split(\"\\uFDD0\")[0]",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_text_comes_through_unchanged(way: str) -> None:
    """No text is a format, an escape, a name or a command to anything that it passes through."""
    if way == "global::c":
        way = "const c = x; fn f() { global::c } f()"
    for text in TEXTS:
        ended = run(way, {"x": text, "nope": None})
        if "throw x" in way and ended.error == "ErrorRuntime":
            assert text in ended.message
        else:
            assert ended.error is None, (text, ended.message)
        assert ended.value == text


def test_no_text_holds_half_a_pair() -> None:
    """Surrogates: what cannot be sent to anyone is never made, by literals, numbers, bytes or JSON."""
    makers = (
        '"\\ud800"', '"\\u{d800}"', '"\\U0000d800"', "'\\udfff'", '"\\ud83d\\ude00"', 'parse_json("\\"\\\\ud800\\"")', 'parse_json("[\\"\\\\udc00x\\"]")',
        'parse_json("{\\"\\\\ud800\\": 1}")', "0xd800.to_char()", "to_char(0xd800)", "char(0xd800)", "'\\ud7ff' + 1", "let c = '\\ud7ff'; c += 1; c",
        "blob(3, 0xed).as_string()", 'let b = blob(); b.push(0xed); b.push(0xa0); b.push(0x80); b.as_string()', "[0xd800].to_chars()",
        "0xd7ff..0xe001", "('\\ud7ff'..'\\ue000')", '"\\xed\\xa0\\x80"', '"\\U00110000"', "'\\U00110000'", "to_char(-1)", "to_char(0x110000)",
    )  # fmt: skip
    for maker in makers:
        for script in (
            maker,
            f"probe({maker})",
            f"try {{ {maker} }} catch (e) {{ probe(e) }}",
            f"let x = {maker}; for c in x {{ probe(c); }} `${{x}}`",
        ):
            assert run(script).error in (*KINDS, None)
    for line in (
        b'{"script": "\\ud800"}',
        b'{"script": "1", "scope": {"x": {"t": "string", "v": "\\ud800"}}}',
        b'{"script": "\xed\xa0\x80"}',
    ):
        assert b"BadRequest" in evaluate(line)


FAILURES = (
    "1 / 0", "1 % 0", "1 << -1", "1 << 64", "9223372036854775807 + 1", "-9223372036854775808 - 1", "- -9223372036854775808 - 1", "2 ** 64", "2 ** -1",
    "9223372036854775807 * 2", "let x = 9223372036854775807; x += 1; x", "(-9223372036854775808).abs()", "0 ** -1", "1e308 * 10", "1.0 / 0", "(0.0/0.0).to_int()",
    "1e300.to_int()", "[1][5]", "[1][-5]", "\"a\"[5]", "\"\"[0]", "let a = [1]; a[9] = 1", "let s = \"a\"; s[9] = 'b'", "5[64]", "let n = 5; n[64] = true",
    "let b = blob(1); b[5]", "let b = blob(1); b[0] = 256; b", "1 + \"a\" - 2", "[] - 1", "#{} < 1", "!5", "-\"a\"", "if 5 {}", "while 5 {}", "for x in 5 {}",
    "nope", "nope()", "nope.x", "let m = #{}; m.x.y", "let m = #{}; m.x.y = 1", "let m = #{}; m[1]", "let x = (); x.y", "let x = (); x[0]", "().nope()",
    "this", "this.x", "fn f() { this.x } f()", "const c = 1; c = 2", "const a = [1]; a[0] = 2", "const a = [1]; a.push(1)", "throw", "throw [1, #{a: 'x'}]",
    "throw || 1", "throw timestamp()", "throw 1..2", "Fn(5)", "Fn(\"1x\")", "Fn(\"nope\").call()", "(|x| x).call()", "(|x| x).call(1, 2)", "5.call()",
    "import \"nope\" as m;", "import 5 as m;", "m::x", "m::f()", "parse_json(\"{\")", "parse_json(\"[1e999]\")", "parse_int(\"x\")", "parse_int(\"9\", 99)",
    "parse_float(\"x\")", "\"a\".pad(9999999999, \"x\")", "blob(99999999999)", "blob(-5)", "[].pad(99999999, 1)", "let a = []; loop { a.push(a); }",
    "fn f() { f() } f()", "fn f(x) { [x].map(|y| f(y)) } f(1)", "loop {}", "[3, \"a\"].sort()", "[3, 1].sort(|a, b| nope)", "[1].map(|x| x / 0)",
    "[1].reduce(|a| throw a, 1)", "range(0, 10, 0)", "range(5)", "for x in range(0, 5, -1) {}", "let x = 1; let f = || x; x = f; f.call().call().call()",
    "let a = [1]; a.retain(|x| a.push(x))", "let a = [1, 2]; a.map(|x| { a = 5; a.push(1) })", "let m = #{}; m.f = || this.f(); m.f()",
    "let a = [1]; for x in a { a.push(x); if a.len() > 10000 { throw a } }", "exit(1 / 0)", "eval(\"1 +\")", "eval(5)", "eval(\"nope\")", "eval(\"fn f() {}\")",
    "eval(\"eval(\\\"eval(\\\\\\\"1 +\\\\\\\")\\\")\")", "let x = []; for i in 0..5000 { x = [x]; } x.to_string()", "let x = []; for i in 0..5000 { x = [x]; } x == x",
    "let x = []; for i in 0..5000 { x = [x]; } x.to_json()", "let x = #{}; for i in 0..5000 { x = #{a: x}; } throw x", "let x = #{}; for i in 0..5000 { x = #{a: x}; } x",
    "let x = #{}; for i in 0..5000 { x = #{a: x}; } x.to_json()", "let f = || 1; for i in 0..9 { f = f.curry(f); } throw f", "let f = || 1; for i in 0..9 { f = f.curry(f); } `${f}`",
    "\"x\".to_int()", "timestamp() - 1e300", "timestamp() + 9223372036854775807", "sleep(-1)", "\"abc\".sub_string(9223372036854775807, 9223372036854775807)",
    "[1].extract(-9223372036854775808, 9223372036854775807)", "5.get_bits(-64, 99)", "'a' * 5", "\"a\" * 5", "bits(5, -99, 99)", "let x; x.push(1)", "9223372036854775807..9223372036854775807 + 1",
)  # fmt: skip


@pytest.mark.parametrize("limits", [SIZES, LanguageLimits(), LanguageLimits(max_steps=50_000, max_call_levels=0, max_expr_depth=0)],
                         ids=["small", "default", "unlimited"])  # fmt: skip
def test_what_fails_in_python_fails_as_the_language_does(limits: LanguageLimits) -> None:
    """Exceptions: each kind that CPython raises while a script runs; none comes out, nor can be caught as what it is."""
    for failure in FAILURES:
        if limits.max_string_size > 10**7 and (
            "loop" in failure or "pad(" in failure or "blob(9" in failure or "f()" in failure
        ):
            continue  # bounded by steps and sizes only, which here are too large for a test
        for script in (failure, f"try {{ {failure} }} catch (e) {{ probe(e); probe(`${{e}}`); e }}", f"[1].map(|z| {{ {failure} }})",
                       f"fn inner() {{ {failure} }} try {{ inner() }} catch (e) {{ throw probe(e) }}"):  # fmt: skip
            ended = run(script, limits=limits)
            assert ended.error is None or ended.error in KINDS, (script, ended.error)


def test_a_caught_error_is_a_map_of_texts_and_numbers() -> None:
    """An exception object, its traceback or a frame as the value of `catch (e)`."""
    for failure in FAILURES[:80]:
        ended = run(f"try {{ {failure} }} catch (e) {{ return [1, e]; }} 2")
        if (
            ended.error is None
            and type(ended.value) is Array
            and ended.value.v[:1] == [1]
            and not failure.startswith("throw")
        ):
            caught = ended.value.v[1]
            assert type(caught) in (Map, str), failure
            if type(caught) is Map:
                assert {type(item) for item in caught.v.values()} <= {str, int, type(None)}, failure


# --- what is generated, for everything that there is ---


def sources() -> list[Any]:
    """All programs that the project has: those of tests, of the specification, and benches."""
    files = sorted((ROOT / "bench" / "rhai").glob("*.rhai")) + sorted((ROOT / "examples").rglob("*.rhai"))
    recorded = [
        program
        for folder in ("tests/scripts/language", "tests/compliance/specification")
        for program in load_all(ROOT / folder)
    ]
    return [file.read_text() for file in files] + [program.request["script"] for program in recorded]


def test_generated_code_loads_locals_the_linked_table_and_helpers_only() -> None:
    """For every program that the project has: no attribute, global or import in the code but a fixed set."""
    compiled = 0
    for source in sources():
        ended = (
            run("if false { " + source + "\n}")
            if len(source) < 400 and "fn " not in source
            else run(source, limits=BRIEF)
        )
        ended.generated.check()
        compiled += len(ended.generated.trees)
    assert compiled > 1000
    assert HELPERS["__builtins__"] == {}


BRIEF = LanguageLimits(max_steps=300, max_string_size=100_000, max_array_size=10_000, max_map_size=10_000)


def test_values_stay_within_the_closed_set_of_types() -> None:
    """For every small program of the tests: its value, what it throws and prints."""
    for source in corpus():
        ended = run(source, limits=BRIEF)
        assert ended.error is None or ended.error in KINDS | {"ErrorTooManyModules"}, source


# --- the library, called with everything ---

SAMPLES = (
    "()", "true", "0", "1", "-1", "7", "64", "9223372036854775807", "-9223372036854775808", "0.0", "-0.5", "1e300", "NaN", "inf", "'a'", "'\U0001f600'",
    '""', '"a"', '"añ€ x"', "[]", "[1, 2]", '["a", 1.5, ()]', "#{}", "#{a: 1, b: [2]}", "blob()", "blob(1, 255)", "0..3", "3..=-9",
    "-9223372036854775808..=9223372036854775807",
)  # fmt: skip


# One array nested thousands of times, which nobody changes.
DEEP: list[Any] = []


def samples() -> list[Any]:
    """Values of all types, awkward ones among them; fresh, because functions change them."""
    set_limits(0, 0, 0)
    made: list[Any] = []
    for shown in SAMPLES:
        try:
            made.append(value_of(shown))
        except (ValueError, KeyError):
            made.append(
                {
                    "blob()": Blob(bytearray()),
                    "blob(1, 255)": Blob(bytearray(b"\xff")),
                    "NaN": float("nan"),
                    "inf": float("inf"),
                }[shown]
            )
    if not DEEP:
        DEEP.append(array_of([]))
        for _ in range(3000):
            DEEP[0] = array_of([DEEP[0]])
    set_limits(SMALL.max_string_size, SMALL.max_array_size, SMALL.max_map_size)
    wide = map_of({chr(0x100 + at): at for at in range(50)})
    failing = FnPtr("fails", lambda *arguments: (_ for _ in ()).throw(RhaiError("ErrorRuntime", "refused")), 1)
    return [
        *made,
        DEEP[0],
        wide,
        char("\0"),
        "\0" * 9,
        FnPtr("len"),
        FnPtr("nope"),
        FnPtr("f", lambda x, depth: x, 1),
        FnPtr("g", lambda x, y, depth: y, 2),
        failing,
    ]


def torture(name: str, count: int, tries: int, chance: random.Random) -> None:
    """Call a function of the library with many arguments. Only its own errors may come out, and values of the language."""
    pool = samples()
    choices = itertools.product(range(len(pool)), repeat=count)
    if len(pool) ** count > tries:
        choices = iter([tuple(chance.randrange(len(pool)) for _ in range(count)) for _ in range(tries)])
    for chosen in choices:
        fresh = (
            samples()
            if any(type(pool[at]) in (Array, Map, Blob) for at in chosen[:1]) and RUN.natives[name, count].changes
            else pool
        )
        arguments = [fresh[at] for at in chosen]
        problem = ""
        receiver = result = None
        try:
            receiver, result = native_reference(RUN.natives[name, count], arguments[0], tuple(arguments[1:]), 1)
        except RhaiError as error:
            check_message(exceptions.message(error), "")
            problem = error.kind
        assert problem in ("", *KINDS), (name, chosen)
        check_value(receiver)
        check_value(result)


SMALL = LanguageLimits(max_steps=1000, max_string_size=2000, max_array_size=300, max_map_size=300)


@pytest.mark.parametrize("letters", ["abc", "defgh", "ijklm", "nopqr", "stuvwxyz"])
def test_no_function_of_the_library_fails_as_python_does(letters: str) -> None:
    """Exceptions of Python out of a library function: wrong types, huge numbers, deep and empty containers."""
    chance = random.Random(letters)
    for name, count in sorted(RUN.natives):
        if name[:1].lower() in letters and name not in ("sleep", "exit"):
            Session(SMALL, Options())
            torture(name, count, 250, chance)


def test_no_operator_fails_as_python_does() -> None:
    """The same for what operators, subscripts and properties do."""
    operators = "+ - * / % ** << >> & | ^ == != < <= > >= .. ..= in !in && || ??".split()
    pool = {f"x{at}": value for at, value in enumerate(samples()) if value is not DEEP[0]}
    names = ", ".join(pool)
    for operator in operators:
        script = f"for x in [{names}] {{ for y in [{names}] {{ try {{ probe(x {operator} y) }} catch (e) {{ probe(e) }} }} }}"
        assert run(script, pool, limits=BRIEF_LOOPS).error is None, operator
        if operator[-1] not in "=.n&|?" or operator in ("&", "|"):
            script = script.replace(f"probe(x {operator} y)", f"let z = x; z {operator}= y; probe(z)")
            assert run(script, pool, limits=BRIEF_LOOPS).error is None, operator
    for use in ("x[y]", "let z = x; z[y] = y; z", "let z = x; z[y] += 1; z", "-x", "!x", "x.call(y)", "x[y][y]", "x?[y]", "for z in x { break }", "if x {}",
                "switch x { 1 => 1, 0..9 => 2, _ => 3 }", "`${x}`", "#{a: x}.to_json()", "x.len", "x.a", "let z = x; z.a = y; z", "x.curry(y)", "[x].sort()",
                "[x, y].sort()", "[x, y].contains(x)", "Fn(\"f\").call(x)", "type_of(x)", "is_shared(x)", "debug(x)", "eval(x)"):  # fmt: skip
        script = (
            f"for x in [{names}] {{ for y in [{names}] {{ try {{ probe({{ {use} }}) }} catch (e) {{ probe(e) }} }} }}"
        )
        assert run(script, pool, limits=BRIEF_LOOPS).error is None, use
        for around in (
            f"let x = deep; for y in [{names}] {{ {use} }}",
            f"let y = deep; for x in [{names}] {{ try {{ {use} }} catch {{ }} }}",
        ):
            ended = run(around, {**pool, "deep": DEEP[0]}, limits=BRIEF_LOOPS)
            assert ended.error in (*KINDS, None), use


BRIEF_LOOPS = LanguageLimits(max_steps=100_000, max_string_size=2000, max_array_size=6000, max_map_size=300)
