"""Limits: every way to make a value, a stack or a run larger ends exactly at its limit, and costs what it should.

Each path is tried with one less than the limit, the limit, and one more. Costs are counted, not timed: calls within the
interpreter and elements handled, at a size and at twice that size.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from types import FrameType
from typing import Any

import pytest

from support.boundary import run
from trex.languages.rhai.evaluate import ENGINE_LIMITS, to_value
from trex.languages.rhai.parser import Options
from trex.languages.rhai.semantics import containers
from trex.languages.rhai.session import Session
from trex.languages.rhai.values import Array, Blob, Map
from trex.limits import MIB, LanguageLimits, Limits
from trex.runner.request import Request, Source
from trex.runner.run import run as run_whole
from trex.runner.supervise import Supervisor

LIMIT = 24

# Each makes a string, or texts held together, of `@` bytes: `most` has one less, `less` two less, `one` is one byte.
STRINGS = (
    "one + most", "most + one", "most + 'a'", "'a' + most", "most + 5", "5 + most", "most + true.to_string()[0]", "`${most}a`", "`a${most}`",
    "`${most}${one}`", "`${one}${most}`", "let s = most; s += one; s", "let s = most; s += 'a'; s", "let s = most; s += 5; s",
    "let s = most; s.append(one); s", "let s = most; s.append('a'); s", "let s = most; s.append(5); s", "let s = \"\"; s.pad(@, 'a'); s",
    'let s = ""; s.pad(@, "a"); s', 'let s = one; s.pad(@, "ab"); s', 'let s = "b" + less; s.replace("b", "cd"); s',
    "let s = most; s.crop(0); s += one; s", "most.to_upper() + one", "let s = most; s.make_upper(); s += one; s",
    "let s = \"\"; for i in 0..@ { s += 'a'; } s", 'let s = ""; for i in 0..@ { s += "a"; } s', 'let s = ""; for i in 0..@ { s = `${s}a`; } s',
    'fn f(s) { s + "a" } f(most)', 'let f = |s| s + "a"; f.call(most)', 'let s = most; let f = || { s += "a"; }; f.call(); s',
    'let a = [most]; a[0] += "a"; a[0]', 'let m = #{k: most}; m.k += "a"; m.k', 'let m = #{k: most}; m.k.append("a"); m.k', "[most, one]",
    "#{a: most, b: one}", "let a = [most]; a.push(one); a", "let a = [most]; a += one; a", "let a = [most]; a.insert(0, one); a",
    "let a = [most, 1]; a[1] = one; a", "let m = #{a: most}; m.b = one; m", 'let m = #{a: most}; m["b"] = one; m',
    'let m = #{a: most}; m.set("b", one); m', "let a = [most, []]; a[1].push(one); a", "let a = [most, #{}]; a[1].k = one; a",
    "let m = #{a: most, b: []}; m.b.push(one); m", "let m = #{a: most, b: #{}}; m.b.c = one; m", "let m = #{a: most}; m.mixin(#{b: one}); m",
    "let m = #{a: most}; m += #{b: one}; m", "#{a: most} + #{b: one}", "let m = #{a: most}; m.fill_with(#{b: one}); m", "[most] + [one]",
    "let a = [most]; a += [one]; a", "let a = [most]; a.append([one]); a", "let a = [most]; a.splice(0, 0, [one]); a",
    "let a = [one]; a.pad(@, one); a", '[most].map(|x| x + "a")', '[most, ""].map(|x| if x == "" { "a" } else { x })',
    "let a = [most, [1]]; a[1][0] = one; a", "let a = [1, 2]; a[0] = most; a[1] = one; a", "let a = [most]; let b = a; b.push(one); b",
    "let f = |x| [x, one]; f.call(most)", 'most.split("zz") + [one]', "#{a: quoted}.to_json()", "let a = [most]; a.shift() + one",
    "most.sub_string(0) + one", '[most].reduce(|s, x| x + "a")', '[one, most].reduce(|s, x| s + x, "")', "switch 1 { 1 => most + one }",
    "if true { most + one }", 'let t = most + one; t = ""; t', "return most + one;", 'most + one == ""', "let s = most; let t = s + one; s",
    "let o = #{a: #{b: most}}; o.a.b += one; o.a.b", "let o = [[most]]; o[0][0] += one; o[0][0]", 'fn g() { this += "a"; } let s = most; s.g(); s',
    'fn g() { this.append("a") } let s = most; s.g(); s', 'eval("most + one")', 'let s = most; eval("s += one"); s',
    'const C = most; fn f() { global::C + "a" } f()', "most - 'z' + one", 'let s = most; s -= "z"; s += one; s',
    'let s = ""; for c in most { s += c; } s + one', "print(most + one)", "type_of(most + one)", "most in [most + one]",
)  # fmt: skip

# Each makes an array or blob of `@` elements, nested ones included: `most` has one less, `less` two, `few` three,
# `half` half of them, `one` one; `bytes`, `fewer_bytes`, `few_bytes` and `one_byte` are blobs.
ARRAYS = (
    "let a = most; a.push(1); a", "let a = most; a += 1; a", "let a = most; a.insert(0, 1); a", "let a = most; a.insert(99, 1); a", "most + [1]",
    "[1] + most", "let a = most; a += [1]; a", "let a = most; a.append([1]); a", "let a = most; a.append(one); a", "let a = []; a.pad(@, 1); a",
    "let a = most; a.splice(0, 0, [1]); a", "let a = most; a.splice(0..0, [1]); a", "let a = most; a.splice(0, 1, [1, 2]); a",
    "let a = []; for i in 0..@ { a.push(i); } a", "let a = []; for i in 0..@ { a += i; } a", "let a = []; for i in 0..@ { a += [i]; } a",
    "let a = []; for i in 0..@ { a = a + [i]; } a", "[less, 1]", "[1, less]", "[most]", "[[less]]", "#{a: most, b: one}",
    "let m = #{a: most}; m.b = one; m", 'let m = #{a: most}; m["b"] = one; m', "let m = #{a: most}; m.a.push(1); m",
    'let m = #{a: most}; m.set("b", one); m', "let m = #{a: most}; m.mixin(#{b: one}); m", "#{a: most} + #{b: one}",
    "let m = #{a: most}; m += #{b: one}; m", "let m = #{a: most}; m.fill_with(#{b: one}); m", "let a = [less]; a[0].push(1); a",
    "let a = [1, less]; a[0] = []; a", "let a = [0, few]; a[0] = [1]; a", "let a = [[], few]; a[0] = [1]; a", "let a = [[few]]; a[0].push(1); a",
    "let a = [[few]]; a[0][0].push(1); a", "let a = [#{}, few]; a[0].k = [1]; a", "let a = [#{k: less}]; a[0].k.push(1); a", "let b = blob(@); b",
    "let b = bytes; b.push(1); b", "let b = bytes; b.insert(0, 1); b", "let b = blob(); b.pad(@, 1); b", "bytes + one_byte",
    "let b = bytes; b += one_byte; b", "let b = bytes; b += 1; b", "let b = bytes; b.append(one_byte); b", "let b = bytes; b.append(1); b",
    'let b = bytes; b.append("a"); b', "let b = bytes; b += 'a'; b", "let b = bytes; b.splice(0, 0, one_byte); b", "[fewer_bytes]", "[few_bytes, 1]",
    "let a = [1]; a.push(few_bytes); a", "let a = [few_bytes]; a[0].push(1); a", "#{k: bytes}", "let m = #{k: fewer_bytes}; m.k.push(1); m",
    "let m = #{}; m.k = bytes; m", "letters.to_blob()", "letters.to_chars()", 'listed.split(",")', "listed.split(',')", 'listed.split_rev(",")',
    "all.keys()", "all.values()", "let a = most; let f = || a.push(1); f.call(); a", "fn f() { this.push(1) } let a = most; a.f(); a",
    "fn f(a) { a.push(1); a } f(most)", "let f = |a| { a.push(1); a }; f.call(most)", "most.filter(|x| true) + one",
    "let a = most; a.drain(|x| false); a.push(1); a", "let a = most; a.extract(0) + one", "let a = most; a.chop(99); a.push(3); a",
    "let a = []; for x in 0..@ { a.insert(0, x); } a", "let a = most; a.set(0, [1]); a",
    "let a = most; a[0] = [1]; a", 'let a = most; eval("a.push(1)"); a', "let o = #{p: #{q: most}}; o.p.q.push(1); o",
    "let a = most; let b = a; b.push(1); a", "try { let a = most; a.push(1); } catch { } 5", "let a = most; a.sort(); a.push(1); a",
    "most == most + [1]", 'let f = Fn("push"); let a = most; f.call(a, 1); a', "let a = most; for i in 0..1 { a.push(i) } a",
    "let a = most; a.push(1); a.pop(); a", "let a = most; while true { a.push(1); break; } a",
)  # fmt: skip

# Each makes a map, or maps within each other, of `@` entries; the names as above.
MAPS = (
    "let m = most; m.z = 1; m", 'let m = most; m["z"] = 1; m', 'let m = most; m.set("z", 1); m', "let m = most; m.mixin(#{z: 1}); m",
    "let m = most; m += #{z: 1}; m", "most + #{z: 1}", "#{z: 1} + most", "let m = most; m.fill_with(#{z: 1}); m",
    "let m = #{}; for i in 0..@ { m[`k${i}`] = i; } m", "let m = #{}; for i in 0..@ { m.set(`k${i}`, i); } m", "#{a: less, b: 1}", "[most, #{a: 1}]",
    "let a = [most]; a.push(#{z: 1}); a", "let a = [most]; a[0].z = 1; a", "let a = [most, #{}]; a[1].z = 1; a", "let m = #{a: less}; m.a.z = 1; m",
    "let m = #{a: less}; m.z = 1; m", "let m = #{a: #{b: few}}; m.a.b.z = 1; m", "let m = #{a: less}; m.z = #{}; m",
    "let m = #{a: few}; m.z = #{y: 1}; m", "let m = #{a: [less]}; m.a[0].z = 1; m",
    "let f = || most; let m = f.call(); m.z = 1; m", "let m = most; let f = || { m.z = 1; }; f.call(); m",
    "fn f() { this.z = 1; } let m = most; m.f(); m", "fn f(m) { m.z = 1; m } f(most)", 'let m = most; m.remove("k0"); m.z = 1; m.y = 2; m',
    "let m = most; m.k0 = #{z: 1}; m", 'let m = most; eval("m.z = 1"); m', "let m = most; m.filter(|k, v| true) + #{z: 1}",
    "let a = []; a.push(most); a[0].z = 1; a", "let a = [1]; a[0] = most; a.push(#{z: 1}); a", "let a = []; a.append([most, #{a: 1}]); a",
    "let m = most; m?.z = 1; m",
)  # fmt: skip


def entries(count: int) -> Map:
    return Map({f"k{at}": at for at in range(count)})


def numbers(count: int) -> Array:
    return Array([7] * count)


def scope(kind: str, size: int, letter: str = "a") -> dict[str, Any]:
    """The values that a path starts from."""
    if kind == "string":
        bytes_ = len(letter.encode())
        most = letter * ((size - 1) // bytes_) + "a" * ((size - 1) % bytes_)
        return {"most": most, "one": "a", "less": "a" * (size - 2), "quoted": "a" * (size - 8)}
    if kind == "map":
        json = "{" + ",".join(f'"k{at}":{at}' for at in range(size)) + "}"
        return {
            "most": entries(size - 1),
            "less": entries(size - 2),
            "few": entries(size - 3),
            "half": entries(size // 2),
            "json": json,
        }
    blobs = {
        name: Blob(bytearray(b"a" * count))
        for name, count in (("bytes", size - 1), ("fewer_bytes", size - 2), ("few_bytes", size - 3), ("one_byte", 1))
    }
    texts = {"letters": "a" * size, "listed": ",".join("a" * size), "numbers": ",".join("1" * size)}
    arrays = {
        "most": numbers(size - 1),
        "less": numbers(size - 2),
        "few": numbers(size - 3),
        "half": numbers(size // 2),
        "one": numbers(1),
    }
    return {**blobs, **texts, **arrays, "all": entries(size)}


PATHS = [
    *(("string", "a", path) for path in STRINGS), *(("string", "é", path) for path in STRINGS), *(("string", "\U0001f600", path) for path in STRINGS),
    *(("array", "a", path) for path in ARRAYS), *(("map", "a", path) for path in MAPS),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "letter", "path"), PATHS)
def test_a_value_grows_to_its_limit_and_no_further(kind: str, letter: str, path: str) -> None:
    """Literals, operators, assignments to places, functions of the library, closures, modules of the host, `eval`."""
    limits = LanguageLimits(
        max_string_size=LIMIT if kind == "string" else 0, max_array_size=LIMIT if kind == "array" else 0, max_map_size=LIMIT if kind == "map" else 0
    )  # fmt: skip
    found = [
        run(path.replace("@", str(size)), scope(kind, size, letter), limits=limits).error
        for size in range(LIMIT - 1, LIMIT + 3)
    ]
    thrown = "ErrorRuntime" if path.startswith("throw") else None
    if path.endswith(".x"):
        thrown = "ErrorDotExpr"
    assert found == [thrown, thrown, "ErrorDataTooLarge", "ErrorDataTooLarge"]


@pytest.mark.parametrize(
    ("literal", "limit"),
    [
        ('"' + "a" * 24 + '"', "max_string_size"), ("`" + "a" * 24 + "`", "max_string_size"), ('#"' + "a" * 24 + '"#', "max_string_size"),
        ('"' + "é" * 12 + '"', "max_string_size"), ('"' + "\\u00e9" * 12 + '"', "max_string_size"), ("`" + "😀" * 6 + "`", "max_string_size"),
        ("[" + "1," * 23 + "]", "max_array_size"), ("#{" + ",".join(f"a{at}: 1" for at in range(24)) + "}", "max_map_size"),
    ],
)  # fmt: skip
def test_a_literal_that_is_too_large_is_a_syntax_error(literal: str, limit: str) -> None:
    """Literals are refused before anything runs."""
    assert run(literal, limits=LanguageLimits(**{limit: 24})).error is None
    assert run(literal, limits=LanguageLimits(**{limit: 23})).error == "ErrorParsing"
    assert run(literal, limits=LanguageLimits(**{limit: 0})).error is None


def test_json_is_held_to_what_literals_are() -> None:
    """Data of a size that a literal may not have. As in a literal, an array must stay below its limit."""
    for script, kind, limit, most in (
        ('parse_json(`{"a":[${numbers}]}`)', "array", "max_array_size", LIMIT - 1),
        ("parse_json(json)", "map", "max_map_size", LIMIT),
    ):
        limits = LanguageLimits(**{limit: LIMIT})
        assert run(script, scope(kind, most), limits=limits).error is None
        assert run(script, scope(kind, most + 1), limits=limits).error == "ErrorParsing"


def smallest(limit: str, script: str, modules: dict[str, str] | None = None) -> tuple[int, str | None]:
    """The smallest limit under which a script succeeds, and the error under one less."""
    before = None
    for value in range(1, 40):
        error = run(script, None, modules, LanguageLimits(**{limit: value})).error
        if error is None:
            return value, before
        before = error
    raise AssertionError(f"{script} never succeeds: {before}")


# `for` draws a step for the look that finds nothing more.
@pytest.mark.parametrize(
    ("script", "steps"),
    [
        ("for i in 0..7 {}", 8), ("for i in [1, 2, 3, 4, 5, 6, 7] { i; }", 8), ("for (x, i) in 0..7 {}", 8), ("let n = 0; while n < 7 { n += 1; }", 8),
        ("let n = 0; loop { n += 1; if n == 7 { break; } }", 7), ("let n = 0; do { n += 1; } while n < 7;", 7), ("let n = 0; do { n += 1; } until n == 7;", 7),
        ("fn f() {} f(); f(); f(); f(); f(); f(); f();", 7), ("let f = || 1; for i in 0..7 { f.call(); }", 15), ("[1, 2, 3, 4, 5, 6, 7].map(|x| x)", 7),
        ("[1, 2, 3, 4, 5, 6, 7].filter(|x| true)", 7), ("fn f(n) { if n > 0 { f(n - 1) } } f(6)", 7), ('for c in "abcdefg" {}', 8), ("for i in range(0, 7) {}", 8),
        ("for i in range(0, 14, 2) {}", 8), ("for i in 5.bits(0..7) {}", 8), ("for i in blob(7) {}", 8), ("[1, 2, 3, 4, 5, 6, 7].for_each(|| 1)", 7),
        ("[1, 2, 3, 4, 5, 6, 7].reduce(|s, x| s, 0)", 7), ("for i in 0..3 { for j in 0..2 {} }", 13), ("fn f() { 1 } for i in 0..7 { i.f(); }", 15),
        ("let m = #{f: || 1}; for i in 0..7 { m.f(); }", 15), ("while false {} if true { loop { break; } } fn f() {} f()", 3),
    ],
)  # fmt: skip
def test_steps_are_turns_and_calls(script: str, steps: int) -> None:
    """`max_steps`: each turn of a loop and each call of a function counts, whatever stands in it."""
    assert smallest("max_steps", script) == (steps, "ErrorTooManyOperations")


@pytest.mark.parametrize(
    ("script", "levels"),
    [
        ("fn f(n) { if n == 0 { 0 } else { f(n - 1) } } f(5)", 6), ("fn f(n) { if n == 0 { 0 } else { this.f(n - 1) } } let x = 1; x.f(5)", 6),
        ("let f = |n, f| if n == 0 { 0 } else { f.call(n - 1, f) }; f.call(5, f)", 6), ("fn f(n) { if n == 0 { 0 } else { [1].map(|x| f(n - 1)) } } f(3)", 10),
        ('fn f(n) { if n == 0 { 0 } else { Fn("f").call(n - 1) } } f(5)', 6), ("fn f(n) { if n == 0 { 0 } else { call(f, n - 1) } } f(5)", 6),
        ("fn f(n) { if n == 0 { 0 } else { f!(n - 1) } } f(5)", 6), ("fn int.f(n) { if n == 0 { 0 } else { this.f(n - 1) } } 1.f(5)", 6),
        ("fn f(n) { if n == 0 { 0 } else { let g = || f(n - 1); g.call() } } f(3)", 7), ("[1].map(|x| [2].map(|y| y))", 4),
        ("fn a() { b() } fn b() { c() } fn c() { 1 } a()", 3), ("fn f() { this.g() } fn g() { this.h() } fn h() { 1 } let x = 5; x.f()", 3),
        ("let m = #{f: |n| if n == 0 { 0 } else { this.f(n - 1) }}; m.f(5)", 6), ("[1, 2].filter(|x| [x].some(|y| y == 2))", 4), ("fn f(x) { x } [1].map(f)", 2),
        ('fn f() { 1 } eval("f()")', 2), ('fn f(n) { if n > 0 { eval("f(n - 1)") } } f(3)', 7), ('fn f() { eval("g()") } fn g() { 1 } f()', 3),
        ("fn f(x, y) { x - y } [3, 1].sort(|a, b| f(a, b))", 3), ("let f = |x| x + 1; fn g(h) { h.call(1) } g(f)", 2), ('import "m" as m; m::f()', 2),
    ],
)  # fmt: skip
def test_call_levels_are_counted_on_every_way_to_call(script: str, levels: int) -> None:
    """Recursion by name, method, pointer, callback, closure, map, module and `eval`."""
    assert smallest("max_call_levels", script, {"m": "fn g() { 1 } fn f() { g() }"}) == (levels, "ErrorStackOverflow")


@pytest.mark.parametrize(
    ("script", "variables"),
    [
        ("let a = 1; let b = 2; let c = 3; a", 3), ("const a = 1; const b = 2; a", 2), ("fn f(a, b, c) { 1 } f(1, 2, 3)", 3),
        ("fn f(a, b, c) { let d = 1; d } f(1, 2, 3)", 4), ("let f = |x| { let y = x; y }; f.call(1)", 2), ("let a = 1; let f = || { let b = a; b }; f.call()", 2),
        ('let a = 1; eval("let b = 2; let c = 3;"); a', 3), ("[1].map(|x| { let y = 1; y })", 2), ("let a = 1; switch a { 1 => { let b = 2; b } }", 2),
        ("for i in 0..2 { let x = i; let y = x; }", 3), ("let a = 1; { let b = 2; } { let c = 2; } a", 2), ("try { throw 1 } catch (e) { let x = e; }", 2),
    ],
)  # fmt: skip
def test_variables_are_counted_where_they_are_in_scope(script: str, variables: int) -> None:
    """`max_variables`, in every kind of block and function."""
    assert smallest("max_variables", script) == (variables, "ErrorTooManyVariables")


@pytest.mark.parametrize(
    ("script", "functions"),
    [
        ("fn a() {} fn b() {} fn c() {} 1", 3), ("let f = || 1; let g = || 2; 1", 2), ("fn a() {} fn a(x) {} 1", 2),
        ("fn a() {} let f = || 1; [1].map(|x| x)", 3), ("fn int.a() {} fn string.a() {} 1", 2),
    ],
)  # fmt: skip
def test_functions_are_counted_with_closures(script: str, functions: int) -> None:
    """`max_functions`: too many are a syntax error."""
    assert smallest("max_functions", script) == (functions, "ErrorParsing")


def test_modules_are_counted_once_each() -> None:
    """`max_modules`: imports of imports count, importing again does not."""
    modules = {"a": 'import "b" as b; fn f() { 1 }', "b": 'import "c" as c; fn f() { 1 }', "c": "fn f() { 1 }"}
    assert smallest("max_modules", 'import "a" as a; import "a" as x; import "c" as c; 1', modules) == (
        3,
        "ErrorTooManyModules",
    )
    circle = {"a": 'import "b" as b;', "b": 'import "a" as a;'}
    assert run('import "a" as a;', None, circle).error == "ErrorModuleNotFound"


# What is repeated, what stands in the middle, what closes; how often within limits of 64 and of 20, and in functions.
DEPTHS = (
    ("x + ", "x", "", 62, 18, 60), ("x && ", "x", "", 62, 18, 60), ("x ?? ", "x", "", 62, 18, 60), ("- ", "x", "", 62, 18, 60), ("!", "true", "", 62, 18, 60),
    ("(", "x", ")", 31, 9, 30), ("{", "x", "}", 31, 9, 30), ("abs(", "x", ")", 31, 9, 30), ("switch x { _ => ", "x", "}", 31, 9, 30),
    ("if true {", "x", "}", 20, 6, 20), ("while false {", "x", "}", 20, 6, 20), ("for i in 0..0 {", "x", "}", 20, 6, 20), ("try {", "x", "} catch {}", 20, 6, 20),
    ("[", "x", "]", 20, 6, 20), ("#{a:", "x", "}", 20, 6, 20), ("[0][", "0", "]", 20, 6, 20), ("||", "x", "", 20, 6, 20), ("`${", "x", "}`", 15, 4, 15),
)  # fmt: skip


@pytest.mark.parametrize(("opening", "inside", "closing", "large", "small", "in_function"), DEPTHS)
def test_expressions_nest_to_their_limit(
    opening: str, inside: str, closing: str, large: int, small: int, in_function: int
) -> None:
    """`max_expr_depth` and `max_function_expr_depth`, for everything that nests."""
    for limit, times, shape in (
        (64, large, "let x = 1; {}"),
        (20, small, "let x = 1; {}"),
        (64, in_function, "fn f() {{ let x = 1; {} }} 1"),
    ):
        session = Session(LanguageLimits(max_expr_depth=limit, max_function_expr_depth=limit), Options())
        session.parse(shape.format(opening * times + inside + closing * times))
        deeper = shape.format(opening * (times + 1) + inside + closing * (times + 1))
        assert run(deeper, limits=session.limits).error == "ErrorParsing"


BRIEF = LanguageLimits(max_steps=20_000, max_string_size=20_000, max_array_size=20_000, max_map_size=20_000)
ENDLESS = (
    "loop {}", "while true {}", "do {} while true;", "do {} until false;", "for i in 0..9223372036854775807 {}", "for i in range(0, 9223372036854775807) {}",
    "let x = 0; loop { x += 1; continue; }", "fn f() { f() } f()", "fn f() { g() } fn g() { f() } f()", "let f = |f| f.call(f); f.call(f)",
    "let a = []; a.pad(20000, 1); loop { a.map(|x| x); }", "fn f(a) { a.map(|x| f([x])) } f([1, 2])", "let a = []; a.pad(20000, 1); a.sort(|x, y| { loop {} })",
    "let a = []; a.pad(20000, 1); loop { a.sort(|x, y| 1); }", "let s = \"\"; loop { s += \"x\"; }", "let s = \"x\"; loop { s += s; }", "let a = []; loop { a.push(1); }",
    "let a = [1]; loop { a += a; }", "let m = #{}; let n = 0; loop { m[`${n}`] = n; n += 1; }", "let a = [0]; for x in a { a.push(x); } loop {}",
    "let a = []; loop { a = [a]; }", "let m = #{}; loop { m = #{m: m}; }", "let f = || 1; loop { f = f.curry(1); }", "let a = []; loop { a = [a, a]; }",
    "loop { try { throw 1 } catch { continue } }", "fn f() { try { f() } catch { f() } } f()", "loop { try { loop {} } catch {} }", "let x = 0; loop { x = `${x}0`; }",
    "let b = blob(); loop { b.push(1); }", "let b = blob(1); loop { b += b; }", "loop { parse_json(\"{}\"); }", "for i in 0..500 { eval(\"1\"); } loop {}", "eval(\"loop {}\")",
    "let s = \"eval(s)\"; eval(s)", "let m = #{f: || this.f()}; m.f()", "fn f() { this.f() } let x = 1; x.f()", "let f = || 1; f = || f.call(); f.call()",
    "let a = [1]; loop { a.splice(0, 0, a); }", "let a = [3]; loop { a.insert(0, a[0]); }", "let s = \"ab\"; loop { s.replace(\"a\", \"aa\"); }", "import \"m\" as m;",
    "let a = [1, 2, 3]; a.retain(|x| { loop {} })", "switch 1 { 1 => { loop {} } }", "let r = 0..9223372036854775807; for x in r { r = 0..1; }",
)  # fmt: skip


@pytest.mark.parametrize("script", ENDLESS)
def test_what_never_ends_is_ended(script: str) -> None:
    """Endless loops, recursion, callbacks and growth: each ends by steps, levels or sizes, and no `catch` stops that."""
    scripts = [script, f"try {{ {script} }} catch {{ }} 1"] if "fn " not in script else [script]
    found = {run(each, None, {"m": "loop {}"}, BRIEF).error for each in scripts}
    assert found <= {"ErrorTooManyOperations", "ErrorStackOverflow", "ErrorDataTooLarge"}


# --- costs ---


class Work:
    """What the interpreter does: calls of functions, and elements that are counted or copied."""

    def __init__(self) -> None:
        self.calls = self.elements = 0

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "c_call"):
            self.calls += 1
            if event == "call" and frame.f_code in COUNTING:
                held = frame.f_locals.get("container", frame.f_locals.get("value"))
                if type(held) in (Array, Map, Blob):
                    self.elements += len(held.v)


COUNTING = {containers.count.__code__, containers.copy.__code__, containers.recount.__code__}


def work_of(script: str) -> tuple[int, int]:
    session = Session(LanguageLimits(), Options())
    compiled = session.compile(script)
    work = Work()
    sys.setprofile(work.note)
    try:
        compiled.main({})
    finally:
        sys.setprofile(None)
    return work.calls, work.elements


@pytest.mark.parametrize(
    "script",
    [
        "let a = []; for i in 0..@ { a.push(i); }", "let a = []; for i in 0..@ { a += i; }", "let a = []; for i in 0..@ { a.push(`${i}`); }",
        "let a = []; for i in 0..@ { a.push([i]); }", "let a = []; for i in 0..@ { a += [i]; }", "let a = [[]]; for i in 0..@ { a[0].push(i); }",
        "let m = #{}; for i in 0..@ { m[`${i}`] = i; }", "let m = #{}; for i in 0..@ { m.set(`${i}`, [i]); }", "let m = #{l: []}; for i in 0..@ { m.l.push(i); }",
        "let m = #{a: #{b: []}}; for i in 0..@ { m.a.b.push(`${i}`); }", "let b = blob(); for i in 0..@ { b.push(i); }", "let a = []; for i in 0..@ { a.append([i]); }",
        "let a = []; for i in 0..@ { a.insert(a.len(), i); }", "let a = []; for i in 0..@ { a.push(i); a[i] += 1; }", "let a = []; a.pad(@, 0); for i in 0..@ { a[i] = `${i}`; }",
        "let a = []; a.pad(@, 0); for i in 0..@ { a[i] = [i]; a[i][0] += 1; }", "let a = []; for i in 0..@ { a.push(i); } for i in 0..@ { a.pop(); }",
        "let m = #{}; for i in 0..@ { m[`${i}`] = i; } for i in 0..@ { m.remove(`${i}`); }", "fn put(x) { this.push(x); } let a = []; for i in 0..@ { a.put(i); }",
        "let a = []; let f = |x| a.push(x); for i in 0..@ { f.call(i); }", "let o = #{a: [], push: |x| this.a.push(x)}; for i in 0..@ { o.push(i); }",
        "let a = []; a.pad(@, 1); a.map(|x| [x]); a.filter(|x| x > 1); a.reduce(|s, x| s + x, 0)", "let s = \"\"; for i in 0..@ { s += \"x\"; }",
        "let a = []; for i in 0..@ { a.push(i); } let n = 0; for x in a { n += x; }", "let a = []; for i in 0..@ { a.push(#{i: i}); } for x in a { x.i; }",
        "let a = []; for i in 0..@ { a.push(#{i: i}); } for i in 0..@ { a[i].i += 1; }", "let a = []; for i in 0..@ { a.push(i); } let q = 0; while a.len() > 0 { q += a.pop(); }",
    ],
)  # fmt: skip
def test_building_takes_work_in_proportion(script: str) -> None:
    """Quadratic growth: with all limits on, twice the elements take twice the work, for every way to add one."""
    work_of(script.replace("@", "10"))
    (calls, elements), (twice_calls, twice_elements) = (work_of(script.replace("@", str(size))) for size in (500, 1000))
    assert twice_calls <= 2.1 * calls + 100
    assert twice_elements <= 2.1 * elements + 100


@pytest.mark.parametrize(
    ("script", "plain"),
    [
        ("let a = []; for i in 0..@ { a.push(i * 1000); } a", lambda n: [i * 1000 for i in range(n)]),
        ("let a = []; for i in 0..@ { a.push(i * 0.5); } a", lambda n: [i * 0.5 for i in range(n)]),
        ("let a = []; for i in 0..@ { a.push(`item ${i}`); } a", lambda n: [f"item {i}" for i in range(n)]),
        ("let m = #{}; for i in 0..@ { m[`k${i}`] = i * 1000; } m", lambda n: {f"k{i}": i * 1000 for i in range(n)}),
        ("let a = []; a.pad(@, 7); a", lambda n: [7] * n),
        ("let b = blob(); for i in 0..@ { b.push(i % 256); } b", lambda n: bytearray(i % 256 for i in range(n))),
        ('let a = []; let s = "abcdefghij"; for i in 0..@ { a.push(s[i % 10]); } a', lambda n: ["abcdefghij"[i % 10] for i in range(n)]),
    ],
)  # fmt: skip
def test_a_large_value_takes_little_more_memory_than_python_needs(script: str, plain: Any) -> None:
    """Memory: a million small things must not cost more than half as much again as they do in plain Python."""
    count = 20_000
    compiled = Session(LanguageLimits(), Options()).compile(script.replace("@", str(count)))
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        value = compiled.main({})
        ours = tracemalloc.get_traced_memory()[0] - before
        before = tracemalloc.get_traced_memory()[0]
        reference = plain(count)
        theirs = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(value.v) == len(reference)
    assert ours <= 1.5 * theirs + 4096


@pytest.mark.parametrize(
    "script",
    [
     "let a = []; loop { let x = a; a = [x, || x]; }", "let all = #{}; let n = 0; loop { all[`${n}`] = n..n; n += 1; }",
        "let keep = []; loop { try { [][5] } catch (e) { keep.push(e); } }", "let x = []; x.pad(3000000, 1); let all = []; for i in 0..30 { let y = x; y.push(1); all.push(|| y); }",
    ],
)  # fmt: skip
def test_memory_that_no_size_bounds_ends_the_run_as_a_limit(script: str) -> None:
    """Memory bombs of many small values: the outcome names the limit, whatever allocation failed; scripts cannot catch it."""
    with Supervisor() as supervisor:
        for around in ("{}", "try {{ {} }} catch (e) {{ return 5; }}"):
            outcome = run_whole(
                Request(
                    Source(text=around.format(script)),
                    Source(text=""),
                    limits=Limits(max_memory=24 * MIB, max_time=30.0),
                ),
                supervisor,
            )
            assert (outcome.code, outcome.error.limit, outcome.exit_code) == ("limit_exceeded", "max_memory", 4)


def test_values_from_outside_are_held_to_the_limits_too() -> None:
    """Arguments and answers of the host that are larger than a script may make them."""
    typed = {"t": "array", "v": [{"t": "string", "v": "abc"}] * 5}
    Session(ENGINE_LIMITS, Options())
    assert len(to_value(typed).v) == 5
    for limits in (LanguageLimits(max_array_size=4), LanguageLimits(max_string_size=14)):
        Session(limits, Options())
        with pytest.raises(Exception, match="too large"):
            to_value(typed)
