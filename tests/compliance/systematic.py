"""Programs by table: every operator on every pair of types, every library function on every type of receiver.

Owns:      the tables. A program evaluates one operator or function on one left operand and many others, catches
           every error as its message, and gives the array of all results.
Relies on: nothing; it only writes text.
Never:     uses what depends on time, or could allocate without bound in an engine without limits.

The operands go through parameters of a function, so an engine cannot decide anything about them before it runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from .programs import Program
from .signatures import CALLS, TYPICAL
from .signatures import RECEIVERS as TYPICAL_RECEIVERS

SAMPLES = (
    "()", "true", "false",
    "0", "1", "7", "-3", "64", "9223372036854775807", "-9223372036854775808",
    "0.0", "1.5", "-2.5", "7.0", "1e300", "0.0 / 0.0", "1.0 / 0.0",
    "'a'", "'é'", '""', '"a"', '"abc"', '"añ€"',
    "[]", "[1, 2]", "#{}", "#{a: 1}", "blob(2, 97)", "1..3", "1..=3", 'Fn("g")', "timestamp()",
)  # fmt: skip

# One of each type, for places where two samples of a type would say the same.
TYPES = ("()", "true", "-3", "1.5", "'a'", '"abc"', "[1, 2]", "#{a: 1}", "blob(2, 97)", "1..3", "1..=3", 'Fn("g")')

BINARY = (
    "+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=",
    "in", "!in", "..", "..=", "&&", "||", "??",
)  # fmt: skip
ASSIGNING = ("+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=")
PREFIX = ("-", "+", "!", "- -", "!!")

# Functions and getters of one value. `print` and `debug` are told apart by what is printed.
UNARY_FUNCTIONS = (
    "to_string", "to_debug", "type_of", "is_shared", "abs", "sign", "is_zero", "is_odd", "is_even", "to_int", "to_float",
    "floor", "ceiling", "round", "int", "fraction", "is_nan", "is_finite", "is_infinite", "sqrt", "exp", "ln", "log",
    "to_degrees", "to_radians", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh",
    "atanh", "parse_int", "parse_float", "to_hex", "to_octal", "to_binary", "len", "bytes", "is_empty", "split",
    "to_chars", "to_blob", "to_upper", "to_lower", "make_upper", "make_lower", "trim", "clear", "pop", "shift", "reverse",
    "dedup", "sort", "sort_desc", "order", "order_desc", "to_array", "as_string", "keys", "values", "to_json", "start",
    "end", "is_inclusive", "is_exclusive", "name", "is_anonymous", "parse_json", "chars", "bits", "take", "nonsense",
)  # fmt: skip
GETTERS = (
    "len", "is_empty", "bytes", "chars", "bits", "is_zero", "is_odd", "is_even", "floor", "ceiling", "round", "int",
    "fraction", "is_nan", "is_finite", "is_infinite", "start", "end", "is_inclusive", "is_exclusive", "name",
    "is_anonymous", "tag", "abs", "nonsense",
)  # fmt: skip

# Functions of a receiver and one value. The huge integers stay away from those that allocate by number.
BINARY_FUNCTIONS = (
    "max", "min", "log", "atan", "hypot", "parse_int", "get_bit", "bits", "get_bits", "get", "contains", "starts_with",
    "ends_with", "index_of", "sub_string", "crop", "split", "split_rev", "chars", "append", "remove", "truncate", "chop",
    "push", "extract", "drain", "retain", "mixin", "fill_with", "map", "filter", "find", "some", "all", "sort", "set_tag",
    "range", "pop", "concat",
)  # fmt: skip
RECEIVERS = (
    "5", "1.5", "'x'", '""', '"hello"', '"añ€ 𝄞b"', "[]", "[1, 2, 3]", '[1, "a", 2.0, \'c\', ()]', "#{}", "#{a: 1, b: 2}",
    "blob()", "blob(3, 97)", "1..4", "1..=4",
)  # fmt: skip

STARTS = ("-9", "-2", "-1", "0", "1", "3", "9", "9223372036854775807", "-9223372036854775808")
LENGTHS = ("-1", "0", "1", "2", "9", "9223372036854775807", "-9223372036854775808")
RANGES = (
    "0..2", "0..=2", "1..1", "1..=1", "3..1", "3..=1", "-2..2", "-2..=-1", "9..12", "9..=12", "..", "1..", "..2", "..=2",
)  # fmt: skip
PART_RECEIVERS = ('""', '"hello"', '"añ€ 𝄞b"', "[]", "[1, 2, 3, 4]", "blob()", "blob_of(5)", "0b1011010", "-1")
START_LENGTH = ("sub_string", "crop", "chars", "extract", "drain", "retain", "get_bits", "bits", "parse_le_int", "parse_be_int")  # fmt: skip

TIME = "timestamp()"
HUGE, TINY = "9223372036854775807", "-9223372036854775808"
# What goes into functions as an argument: less than all samples, because the tables multiply.
ARGUMENTS = (
    "()", "true", "0", "2", "-1", HUGE, TINY, "1.5", "0.0 / 0.0", "'l'", '""', '"l"', '"a"', "[1]", "#{b: 3, c: 4}",
    "blob(2, 97)", "1..3", "1..=3", 'Fn("g")',
)  # fmt: skip
PLACES = (
    "0", "1", "2", "-1", "99", "0..2", "1..=2", '"a"', '"new"', "'a'", "1.0", "()", "..", "3..1", "-2..",
)  # fmt: skip
TEXTS = (
    r'''"q\"b\\n\n\t\r\x00\x07\x7f\u0301\u200b\U0001F600'"''', r"'\n'", r"'\''", "-0.0", "1e15", "1e16", "1e-4", "1e-5",
    "123456789.125", "9999999827968.0", "9999999827969.0", "1e13", "1e-13", "1e-14", "9.9999998e-14", "0.1 + 0.2",
    "1.0 / 3.0", "1e21", "1.7976931348623157e308", "5e-324", "blob(9, 200)", "1..", "..3", "range(1, 9, 2)",
    '"a".chars()', "5.bits()", r'#{"": 1, "a b": 2, "é": 3, "q\"": 4}', "[[[]], [#{}], #{a: [#{b: ()}]}]",
    """[-0.0, 1e13, 1e-14, 'é', "é"]""",
)  # fmt: skip


def collections() -> Iterator[tuple[str, Iterable[Program]]]:
    """The tables as topics with programs."""
    yield "table_operators", _operators()
    yield "table_op_assignment", _op_assignments()
    yield "table_prefix", _prefix()
    yield "table_functions_of_one", _functions_of_one()
    yield "table_functions_of_two", _functions_of_two()
    yield "table_parts", _parts()
    yield "table_indexing", _indexing()
    yield "table_loops", _loops()
    yield "table_text", _text()
    yield "table_switch", _switch()
    yield "table_arguments", _arguments()
    yield "table_places", _places()
    yield "table_callbacks", _callbacks()
    yield "table_constants_by_type", _constants()


def _program(topic: str, title: str, script: str) -> Program:
    return Program(f"table_{topic}", title, {"script": script}, None)


def _table(body: str, *columns: Iterable[str], before: str = "") -> str:
    """A script that runs `body` with x, y, z taking every combination of the values of the columns."""
    names = "xyz"[: len(columns)]
    script = f"{before}fn t({', '.join(names)}) {{ try {{ {body} }} catch (e) {{ return e.message; }} }}\nlet r = [];\n"
    for name, values in zip(names, columns, strict=True):
        script += f"for {name} in [{', '.join(values)}] {{ "
    return f"{script}r.push(t({', '.join(names)})); {'}' * len(columns)}\nr"


def _others(left: str) -> list[str]:
    # Two timestamps differ by the time that passed between them.
    return [right for right in SAMPLES if not left == right == TIME]


def _operators() -> Iterator[Program]:
    for operator, left in product(BINARY, SAMPLES):
        script = _table(f"return x {operator} y;", [left], _others(left))
        yield _program("operators", f"{left} {operator} anything", script)


def _op_assignments() -> Iterator[Program]:
    for operator, left in product(ASSIGNING, SAMPLES):
        script = _table(f"x {operator} y; return x;", [left], _others(left))
        yield _program("op_assignment", f"{left} {operator} anything", script)


def _prefix() -> Iterator[Program]:
    for operator in PREFIX:
        yield _program("prefix", f"prefix {operator}", _table(f"return {operator} x;", SAMPLES))


def _functions_of_one() -> Iterator[Program]:
    for name in UNARY_FUNCTIONS:
        for call in (f"x.{name}()", f"{name}(x)"):
            yield _program("functions_of_one", call, _table(f"let v = {call}; return [v, x];", SAMPLES))
    for name in GETTERS:
        yield _program("functions_of_one", f"x.{name}", _table(f"return x.{name};", SAMPLES))
        yield _program("functions_of_one", f"x.{name} = 1", _table(f"x.{name} = 1; return x;", SAMPLES))


def _functions_of_two() -> Iterator[Program]:
    for name, receiver in product(BINARY_FUNCTIONS, RECEIVERS):
        script = _table(f"let v = x.{name}(y); return [v, x];", [receiver], ARGUMENTS, before="fn g(x) { true }\n")
        yield _program("functions_of_two", f"{receiver}.{name}(y)", script)


BLOB = "fn blob_of(n) { let b = blob(n); for i in 0..n { b[i] = 10 * i + 1; } b }\n"
COLLECT = 'if type_of(v) == "range" { let l = []; for i in v { l.push(i); } v = l; }'


def _parts() -> Iterator[Program]:
    def part(title: str, body: str, *columns: Iterable[str]) -> Program:
        return _program("parts", title, _table(body, *columns, before=BLOB if "blob_of" in str(columns) else ""))

    for name, receiver in product(START_LENGTH, PART_RECEIVERS):
        body = f"let v = x.{name}(y, z); {COLLECT} return [v, x];"
        yield part(f"{receiver}.{name}(start, len)", body, [receiver], STARTS, LENGTHS)
        body = f"let v = x.{name}(y); {COLLECT} return [v, x];"
        yield part(f"{receiver}.{name}(range)", body, [receiver], STARTS + RANGES)
    for receiver, new in (
        ("[1, 2, 3, 4]", "[8, 9]"),
        ("[]", "[8]"),
        ("blob_of(4)", "blob(2, 9)"),
        ("blob()", "blob(1)"),
    ):
        body = f"x.splice(y, z, {new}); return x;"
        yield part(f"{receiver}.splice(start, len, {new})", body, [receiver], STARTS, LENGTHS)
        yield part(f"{receiver}.splice(range, {new})", f"x.splice(y, {new}); return x;", [receiver], RANGES)
    for name, value in product(("write_le", "write_be"), ("0x0102030405060708", "-2", "1.5")):
        body = f"x.{name}(y, z, {value}); return x;"
        yield part(f"{name}(start, len, {value})", body, ["blob_of(10)"], STARTS, (*LENGTHS, "8"))
    for name, value in product(("write_utf8", "write_ascii"), ('"hello"', '"é€x"', '""')):
        body = f"x.{name}(y, z, {value}); return x;"
        yield part(f"{name}(start, len, {value})", body, ["blob_of(6)"], STARTS, LENGTHS)
    for name, receiver in product(
        ("get", "set", "insert", "remove", "split", "truncate", "chop"), ("[]", "[1, 2, 3, 4]", "blob()", "blob_of(4)")
    ):
        value = ", 77" if name in ("set", "insert") else ""
        body = f"let v = x.{name}(y{value}); return [v, x];"
        yield part(f"{receiver}.{name}(start)", body, [receiver], (*STARTS, "4"))
    for receiver in ('""', '"hello"', '"añ€ 𝄞b"'):
        yield part(f"{receiver}.set(i, c)", "x.set(y, '!'); return [x, x.get(y)];", [receiver], STARTS)
        body = "return [x.index_of(y, z), x.split(y, z), x.split_rev(y, z)];"
        yield part(f"{receiver}.index_of(x, start)", body, [receiver], ('"l"', "'l'", '""', '"€ "'), STARTS)
    for receiver in ("[]", "[1, 2, 3, 2, 1]"):
        body = 'return [x.index_of(y, z), x.find(|e| e == y, z), x.find_map(|e| if e == y { "f" }, z)];'
        yield part(f"{receiver}.index_of(x, start), find, find_map", body, [receiver], ("1", "2", "9"), STARTS)
    for receiver, value in (
        ("[1]", "0"), ("[]", "()"), ("blob_of(2)", "300"), ('"ab"', "'-'"), ('"ab"', '"xyz"'), ('""', '"é€"'),
    ):  # fmt: skip
        counts = ("-5", "0", "1", "2", "3", "7", "1.0", '"a"')
        yield part(f"{receiver}.pad(n, {value})", f"x.pad(y, {value}); return x;", [receiver], counts)
    for first, last in (("0", "4"), ("0", "-4"), ("-5", "4"), ("3", "3"), ("3", "0"), ("0.0", "1.0"), ("1.0", "-1.5")):
        body = f"let l = []; for i in range({first}, {last}, x) {{ l.push(i); }} return l;"
        steps = ("1", "-1", "2", "-3", "0", HUGE, TINY, "'a'", "1.0", "0.5", "-0.5", "0.3", "0.0")
        yield part(f"range({first}, {last}, step)", body, steps)


def _indexing() -> Iterator[Program]:
    for receiver in (*RECEIVERS, "()", "true", 'Fn("g")', "0b1010", "-1"):
        indexes = tuple(dict.fromkeys((*ARGUMENTS, *STARTS, *RANGES)))
        yield _program("indexing", f"{receiver}[y]", _table("return x[y];", [receiver], indexes))
        yield _program("indexing", f"{receiver}?[y]", _table("return x?[y];", [receiver], TYPES))
        # A negative index into a string writes at another place than it reads from: a defect, not compared here.
        places = [y for y in PLACES if not (y.startswith("-") and receiver.startswith('"'))]
        script = _table("x[y] = z; return x;", [receiver], places, TYPES)
        yield _program("indexing", f"{receiver}[y] = z", script)


def _loops() -> Iterator[Program]:
    body = "let l = []; for (e, i) in x { l.push(e); l.push(i); } return l;"
    yield _program("loops", "for over anything", _table(body, SAMPLES))
    yield _program("loops", "while on anything", _table("while x { return 1; } return 2;", SAMPLES))
    yield _program("loops", "if on anything", _table("if x { return 1; } return 2;", SAMPLES))
    body = "do { if x == true { return 1; } } while x; return 2;"
    yield _program("loops", "do while on anything", _table(body, SAMPLES))
    body = "try { throw x; } catch (v) { return [v, type_of(v), v == x]; }"
    yield _program("loops", "throw anything", _table(body, SAMPLES))
    for sample in SAMPLES:
        yield _program("loops", f"throw {sample} uncaught", f"throw {sample}")
        yield _program("loops", f"throw {sample} within a container", f"throw [{sample}, #{{k: {sample}}}]")


def _text() -> Iterator[Program]:
    forms = '[x.to_string(), x.to_debug(), `<${x}>`, `${[x]}`, "" + x, x + ""]'
    for sample in SAMPLES + TEXTS:
        script = f"let x = {sample}; print(x); print([x]); print(#{{x: x}});\n{forms}"
        yield _program("text", f"text of {sample}", script)


def _switch() -> Iterator[Program]:
    cases = ("()", "true", "1", "-3", "7", "7.0", "1.5", "'a'", '"a"', '"abc"', "[1, 2]", "#{a: 1}", "[]", "#{}")
    arms = ", ".join(f"{case} => {number}" for number, case in enumerate(cases))
    tail = '0..=6 => "low", 64..65 => "edge", -10..0 => "negative", _ => "none"'
    script = _table(f"return switch x {{ {arms}, {tail} }};", SAMPLES)
    yield _program("switch", "switch on anything", script)
    for case in cases:
        yield _program("switch", f"only {case}", _table(f"return switch x {{ {case} => 1 }};", SAMPLES))


def _arguments() -> Iterator[Program]:
    lists = ("", "1", "1, 2", "1, 'a', \"s\"", "(), true, 1.5, [], #{}", '1..2, 1..=2, blob(), Fn("f")')
    for name, arguments in product(("foo", "len", "push", "call", "to_string"), lists):
        yield _program("arguments", f"{name}({arguments})", f"{name}({arguments})")
        yield _program("arguments", f"x.{name}({arguments})", f"let x = 5; x.{name}({arguments})")
        yield _program("arguments", f"f.{name}({arguments})", f"fn f(a) {{ a }} f.{name}({arguments})")


# Where a receiver may live; {r} is the receiver, {f} the function, {a} its arguments.
PLACES_OF_RECEIVERS = (
    "let x = {r}; let v = x.{f}({a}); r.push([v, x]);",
    "let x = {r}; let v = {f}(x{c}{a}); r.push([v, x]);",
    "const X = {r}; let v = X.{f}({a}); r.push([v, X]);",
    "const X = {r}; let v = {f}(X{c}{a}); r.push([v, X]);",
    "let x = {r}; let g = || x; let v = x.{f}({a}); r.push([v, x, g.call()]);",
    "let x = {r}; let g = || x; let v = {f}(x{c}{a}); r.push([v, x, g.call()]);",
    "let x = [0, {r}]; let v = x[1].{f}({a}); r.push([v, x]);",
    "let x = #{{p: {r}}}; let v = x.p.{f}({a}); r.push([v, x]);",
    "let x = [#{{p: [{r}]}}]; let v = x[0].p[-1].{f}({a}); r.push([v, x]);",
    "let x = {r}; let v = x.m(); r.push([v, x]);",
    "let x = [{r}]; let v = x[0].m(); r.push([v, x]);",
    "r.push(({r}).{f}({a}));",
    "let x = {r}; let v = x?.{f}({a}); r.push([v, x]);",
    "let x = {r}; let y = x; let v = y.{f}({a}); r.push([v, x, y]);",
    'let x = {r}; let p = Fn("{f}"); let v = x.call(p{c}{a}); r.push([v, x]);',
    'let x = {r}; let p = Fn("{f}"); let v = p.call(x{c}{a}); r.push([v, x]);',
)


def _places() -> Iterator[Program]:
    for sort, name, *sorts in CALLS:
        # `parse_json` as a value of a function pointer and JSON of iterators say nothing about places.
        arguments = ", ".join(TYPICAL[sort] for sort in sorts)
        fill = {"r": TYPICAL_RECEIVERS[sort], "f": name, "a": arguments, "c": ", " if arguments else ""}
        steps = "\n".join(
            f"try {{ {place.format(**fill)} }} catch (e) {{ r.push(e.message); }}" for place in PLACES_OF_RECEIVERS
        )
        before = BLOB if sort == "blob" else ""
        script = f"{before}fn m() {{ this.{name}({arguments}) }}\nlet r = [];\n{steps}\nr"
        yield _program("places", f"{sort}.{name}({', '.join(sorts)})", script)


CALLBACK_METHODS = (
    "[1, 2, 3].map({})", "[1, 2, 3].filter({})", "[1, 2, 3].find({})", "[1, 2, 3].find_map({})", "[1, 2, 3].some({})",
    "[1, 2, 3].all({})", "[1, 2, 3].index_of({})", "[1, 2, 3].for_each({})", "[1, 2, 3].reduce({})", "[1, 2, 3].reduce({}, 10)",
    "[1, 2, 3].reduce_rev({})", "[1, 2, 3].reduce_rev({}, 10)", "[1, 2, 3].zip([4, 5], {})", "[1, 2, 3].sort({})",
    "[1, 2, 3].sort_by({})", "[3, 1, 2].order({})", "[3, 1, 2].order_by({})", "[1, 2, 3].dedup({})", "[1, 2, 3].drain({})",
    "[1, 2, 3].retain({})", "#{{a: 1, b: 2}}.map({})", "#{{a: 1, b: 2}}.filter({})", "#{{a: 1, b: 2}}.drain({})",
    "#{{a: 1, b: 2}}.retain({})", "#{{a: 1}}.call({})", "5.call({})", "5.call({}, 6)", "call({}, 6)", "call({}, 6, 7)",
    "[[1], [2, 3]].map({})", '["b", "a"].map({})',
)  # fmt: skip
CALLBACKS = (
    "|| 1", "|| this", "|| this == 2", "|a| a", "|a| a == 2", "|a| true", "|a| ()", "|a| [this, a]", "|a, b| a", "|a, b| b", "|a, b| a - b",
    "|a, b| a == b", "|a, b| [a, b]", "|a, b, c| c", "|a, b, c, d| d", "f0", "f1", "f2", "f3", 'Fn("f1")', 'Fn("abs")', 'Fn("len")',
    'Fn("max")', 'Fn("to_string")', 'Fn("nope")', '"f1"', '"f2"', '"nope"', "5", "()", "f2.curry(5)", "(|a, b| [a, b]).curry(5)", "p2",
)  # fmt: skip


def _callbacks() -> Iterator[Program]:
    functions = "fn f0() { this } fn f1(a) { a == 2 } fn f2(a, b) { a - b } fn f3(a, b, c) { [a, b, c] }\nlet k = 5; let p2 = |a| [k, a];\nlet r = [];"
    for method in CALLBACK_METHODS:
        # A comparer that holds no order may be refused or not, and a text given to `index_of` changed its meaning since.
        unordered = (".sort", ".order", ".dedup")
        chosen = [
            callback
            for callback in CALLBACKS
            if not (
                any(word in method for word in unordered)
                and callback in ("|a, b| b", "|a, b| a == b", "|a, b| a", 'Fn("max")')
            )
            and not ("index_of" in method and callback.startswith('"'))
        ]
        steps = "\n".join(
            f"try {{ let v = {method.format(callback)}; r.push(v); }} catch (e) {{ r.push(e.message); }}"
            for callback in chosen
        )
        yield _program("callbacks", method.format("callback"), f"{functions}\n{steps}\nr")


def _constants() -> Iterator[Program]:
    # The ways to change a constant, on a constant of every type.
    changes = (
        "X[0] = 1", "X[0] += 1", 'X["a"] = 1', "X.a = 1", "X.a += 1", "X[0][0] = 1", "X.a.b = 1", "X[0].a = 1", "X?.a = 1", "X?[0] = 1",
        "X.m()", "X.n()", "X[0].m()", "X.a.m()", "X.take()", "X.tag = 1", "X.set_tag(1)", "X.push(1)", "X.call(|| this = 1)",
        "X[1..2] = 1", "X[0] = 'x'", "X[0] = true",
    )  # fmt: skip
    for sample in TYPES:
        steps = "\n".join(f"try {{ {change}; r.push(X); }} catch (e) {{ r.push(e.message); }}" for change in changes)
        script = f"fn m() {{ this = 1; }} fn n() {{ this.a = 1; }}\nfn run(x) {{ const X = x; let r = [];\n{steps}\nr }}\nrun({sample})"
        yield _program("constants_by_type", f"changes of a constant {sample}", script)
