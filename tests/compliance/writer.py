"""Writes random programs of the language, one choice after the other.

Owns:      the grammar that it walks down, with a wish (`int`, `string` ...) for the type of each expression. Now and then
           the wish is dropped, so ill-typed programs are as common as they are in life.
Relies on: a `draw` function for every choice; the first option of every list is the simplest one, for shrinking.
Never:     writes what cannot end (loops count in a variable nobody else may touch, functions call only earlier ones),
           what depends on time or hashes, or what the reference engine is known to get wrong: a single negative index into
           a string on the left of an assignment, guards beside ranges in one `switch`, `switch` on a captured variable.

Every program ends in an array of its variables, so that a wrong store shows even where nothing reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

KINDS = ("int", "bool", "string", "array", "map", "float", "char", "unit", "range", "fn")

LEAVES: dict[str, tuple[str, ...]] = {
    "int": ("0", "1", "2", "-1", "7", "10", "63", "64", "-64", "255", "0xff", "9223372036854775807", "-9223372036854775808"),
    "float": ("0.0", "1.0", "-1.5", "0.1", "2.5", "1e10", "1e300", "-0.0", "1e-7", "(0.0 / 0.0)", "(1.0 / 0.0)"),
    "bool": ("false", "true"),
    "string": ('""', '"a"', '"abc"', '"a b"', '"héllo"', '"日本"', '"x\\n\\"y"', "`t`", '"12"', '#"r"#'),
    "char": ("'a'", "'b'", "'é'", "'\\n'", "'0'"),
    "array": ("[]", "[1]", "[1, 2, 3]", "[3, 1, 2]", '["a", "b"]', "[1, 2.0, 'c', \"d\", ()]", "[[1], [2, [3]]]"),
    "map": ("#{}", "#{a: 1}", "#{a: 1, b: 2}", '#{b: "x", a: [1, 2]}', "#{c: #{a: 1}}"),
    "unit": ("()",),
    "range": ("0..3", "0..=3", "1..2", "3..1", "-2..2"),
    "fn": ("|x| x", "|x| x + 1", "|| 5", "|x, y| [x, y]", "|| this"),
}  # fmt: skip

ARITHMETIC = ("+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^")
COMPARING = ("==", "!=", "<", "<=", ">", ">=")
ASSIGNING = ("+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=")
ALL_BINARY = (*ARITHMETIC, *COMPARING, "&&", "||", "??", "in", "!in", "..", "..=")


@cache
def _integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


class Writer:
    """Writes one program, drawing every choice."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.scopes: list[dict[str, str]] = [{}]
        self.constants: set[str] = set()
        self.functions: list[tuple[str, int, str]] = []
        self.fuel = 40
        self.names = 0
        self.loops = 0
        self.in_loop = False
        self.in_function = False
        self.closures = bool(self.number(0, 1))

    # Choices

    def number(self, low: int, high: int) -> int:
        return int(self.draw(_integers(low, high)))

    def pick(self, options: Sequence[T]) -> T:
        return options[self.number(0, len(options) - 1)] if len(options) > 1 else options[0]

    def rarely(self, one_in: int) -> bool:
        return self.number(0, one_in - 1) == one_in - 1

    # Names

    def fresh(self, letter: str = "v") -> str:
        self.names += 1
        return f"{letter}{self.names}"

    def visible(self, kind: str | None = None, assignable: bool = False) -> list[str]:
        found: dict[str, str] = {}
        for scope in self.scopes:
            found |= scope
        return [
            name
            for name, its in found.items()
            if (kind is None or its == kind) and not (assignable and name in self.constants)
        ]

    # Expressions

    def leaf(self, kind: str) -> str:
        names = self.visible(kind)
        options = LEAVES[kind] if self.closures or kind != "fn" else ('Fn("nope")',)
        at = self.number(0, len(options) + 3 * len(names) - 1)
        return options[at] if at < len(options) else names[(at - len(options)) % len(names)]

    def expression(self, kind: str, depth: int = 3) -> str:
        """The text of an expression that most often has the kind."""
        self.fuel -= 1
        if self.rarely(30):
            kind = self.pick(KINDS)
        if depth <= 0 or self.fuel <= 0 or self.number(0, 3) == 0:
            return self.leaf(kind)
        general = (self.conditional, self.block, self.elvis, self.selection, self.indexed, self.called)
        makers: tuple[Callable[[str, int], str], ...] = (getattr(self, f"make_{kind}"),) * 6 + general
        text = self.pick(makers)(kind, depth - 1)
        return f"({text})" if self.number(0, 2) == 1 else text

    def make_int(self, kind: str, depth: int) -> str:
        match self.number(0, 9):
            case 0 | 1 | 2 | 3:
                return f"{self.expression('int', depth)} {self.pick(ARITHMETIC)} {self.expression('int', depth)}"
            case 4:
                return f"{self.pick(('-', '- ', '+'))}{self.operand('int', depth)}"
            case 5:
                return f"{self.operand('string', depth)}{self.pick(('.len', '.len()', '.bytes', '[0].to_int()'))}"
            case 6:
                return f"{self.operand('array', depth)}{self.pick(('.len', '.len()', '[0]', '[-1]', '.index_of(2)'))}"
            case 7:
                return self.operand("map", depth) + self.pick((".len()", ".a", '["b"]', '.get("a")'))
            case 8:
                return f"{self.pick(('max', 'min'))}({self.expression('int', depth)}, {self.expression('int', depth)})"
            case _:
                return (
                    f"{self.operand('int', depth)}{self.pick(('.abs()', '.sign()', '[0..4]', '.to_float().to_int()'))}"
                )

    def make_float(self, kind: str, depth: int) -> str:
        match self.number(0, 3):
            case 0 | 1:
                sides = [self.expression(self.pick(("float", "int")), depth), self.expression("float", depth)]
                if self.number(0, 1):
                    sides.reverse()
                return f"{sides[0]} {self.pick(ARITHMETIC[:6])} {sides[1]}"
            case 2:
                return f"{self.operand('float', depth)}{self.pick(('.floor()', '.round()', '.fraction', '.abs()', '.ceiling'))}"
            case _:
                return f"{self.operand('int', depth)}.to_float()"

    def make_bool(self, kind: str, depth: int) -> str:
        match self.number(0, 7):
            case 0 | 1:
                return f"{self.expression('int', depth)} {self.pick(COMPARING)} {self.expression('int', depth)}"
            case 2:
                side = self.pick(KINDS)
                return f"{self.expression(side, depth)} {self.pick(COMPARING)} {self.expression(side, depth)}"
            case 3:
                return f"{self.expression(self.pick(KINDS), depth)} == {self.expression(self.pick(KINDS), depth)}"
            case 4:
                return f"{self.expression('bool', depth)} {self.pick(('&&', '||', '&', '|', '^'))} {self.expression('bool', depth)}"
            case 5:
                return f"!{self.operand('bool', depth)}"
            case 6:
                container = self.pick(("array", "string", "map", "range"))
                item = {"array": "int", "string": "string", "map": "string", "range": "int"}[container]
                return f"{self.expression(item, depth)} {self.pick(('in', '!in'))} {self.expression(container, depth)}"
            case _:
                name = self.pick(self.visible() or ["nope"])
                return self.pick((f'is_def_var("{name}")', f"{self.operand('array', depth)}.is_empty()"))

    def make_string(self, kind: str, depth: int) -> str:
        match self.number(0, 7):
            case 0 | 1:
                return f"{self.expression('string', depth)} + {self.expression(self.pick(KINDS), depth)}"
            case 2:
                return f"{self.expression(self.pick(('int', 'char', 'bool', 'float')), depth)} + {self.expression('string', depth)}"
            case 3:
                parts = [f"${{{self.expression(self.pick(KINDS), depth)}}}" for _ in range(self.number(1, 2))]
                return f"`<{'-'.join(parts)}>`"
            case 4:
                end = self.pick(("[0..2]", "[1..=1]", "[-2..]", ".to_upper()", ".sub_string(1)", ".sub_string(-2, 1)"))
                return f"{self.operand('string', depth)}{end}"
            case 5:
                return f"{self.operand(self.pick(KINDS), depth)}.{self.pick(('to_string', 'to_debug', 'type_of'))}()"
            case 6:
                return f"{self.expression('string', depth)} - {self.expression(self.pick(('string', 'char')), depth)}"
            case _:
                return f"{self.operand('int', depth)}.{self.pick(('to_hex', 'to_binary', 'to_octal'))}()"

    def make_char(self, kind: str, depth: int) -> str:
        return f"{self.operand('string', depth)}[{self.expression('int', depth)}]"

    def make_array(self, kind: str, depth: int) -> str:
        match self.number(0, 6):
            case 0 | 1:
                return f"[{', '.join(self.expression(self.pick(KINDS), depth) for _ in range(self.number(0, 3)))}]"
            case 2:
                return f"{self.expression('array', depth)} + {self.expression('array', depth)}"
            case 3:
                end = self.pick((".extract(1)", ".extract(0, 2)", ".extract(1..=2)", ".order()", ".filter(|x| x == 1)"))
                return f"{self.operand('array', depth)}{end}"
            case 4:
                if not self.closures:
                    return f"{self.operand('map', depth)}.{self.pick(('keys', 'values'))}()"
                return f"{self.operand('array', depth)}.{self.pick(('map', 'filter'))}({self.closure('any', depth)})"
            case 5:
                return self.operand("string", depth) + self.pick(
                    (".split()", '.split("l")', ".to_chars()", ".split(1)")
                )
            case _:
                return f"{self.operand('map', depth)}.{self.pick(('keys', 'values'))}()"

    def make_map(self, kind: str, depth: int) -> str:
        if self.number(0, 2) < 2:
            names = self.pick((("a",), ("b", "a"), (), ("a", "c")))
            return "#{" + ", ".join(f"{name}: {self.expression(self.pick(KINDS), depth)}" for name in names) + "}"
        return f"{self.expression('map', depth)} + {self.expression('map', depth)}"

    def make_unit(self, kind: str, depth: int) -> str:
        return self.pick(("()", f"{self.operand('map', depth)}.zz", f"if {self.expression('bool', depth)} {{ }}"))

    def make_range(self, kind: str, depth: int) -> str:
        return f"{self.expression('int', depth)}{self.pick(('..', '..='))}{self.expression('int', depth)}"

    def make_fn(self, kind: str, depth: int) -> str:
        return self.closure("any", depth) if self.closures else 'Fn("abs")'

    def operand(self, kind: str, depth: int) -> str:
        """An expression that something may follow or precede."""
        text = self.expression(kind, depth)
        return text if re.fullmatch(r"[\w]+|\[.*\]|\"[^\"\\]*\"", text) and not text[0].isdigit() else f"({text})"

    def conditional(self, kind: str, depth: int) -> str:
        text = f"if {self.expression('bool', depth)} {{ {self.expression(kind, depth)} }}"
        return text + (f" else {{ {self.expression(kind, depth)} }}" if self.number(0, 3) else "")

    def block(self, kind: str, depth: int) -> str:
        self.scopes.append({})
        first = self.declare(depth) + " " if self.number(0, 1) else ""
        text = f"{{ {first}{self.expression(kind, depth)}{self.pick(('', ';'))} }}"
        self.scopes.pop()
        return text

    def elvis(self, kind: str, depth: int) -> str:
        match self.number(0, 2):
            case 0:
                return f"{self.expression(self.pick(('unit', kind)), depth)} ?? {self.expression(kind, depth)}"
            case 1:
                return f"{self.operand('map', depth)}?.{self.pick(('a', 'b', 'zz'))}"
            case _:
                return f"{self.operand(self.pick(('unit', 'array')), depth)}?[{self.expression('int', depth)}]"

    def selection(self, kind: str, depth: int) -> str:
        subject_kind = self.pick(("int", "string", "char", "bool", "float"))
        subject = self.expression(subject_kind, depth)
        # A captured variable as the subject matches nothing in the reference engine; passing it on copies it.
        subject = f"id({subject})" if self.closures else subject
        cases = []
        ranges = subject_kind == "int" and self.number(0, 2) == 2
        for _ in range(self.number(1, 3)):
            values = [self.pick(LEAVES[subject_kind][:7]) for _ in range(self.number(1, 2))]
            values = [value for value in values if "(" not in value] or ["1"]
            guard = f" if {self.expression('bool', depth)}" if not ranges and self.rarely(4) else ""
            cases.append(f"{' | '.join(values)}{guard} => {self.expression(kind, depth)}")
        if ranges:
            cases += [f"{value} => {self.expression(kind, depth)}" for value in ("0..3", "3..=9")]
        if self.number(0, 3):
            cases.append(f"_ => {self.expression(kind, depth)}")
        return f"switch {subject} {{ {', '.join(cases)} }}"

    def indexed(self, kind: str, depth: int) -> str:
        container, index = self.pick(
            (("array", "int"), ("map", "string"), ("string", "int"), ("int", "int"), ("string", "range"))
        )
        return f"{self.operand(container, depth)}[{self.expression(index, depth)}]"

    def called(self, kind: str, depth: int) -> str:
        fitting = [function for function in self.functions if function[2] == kind] or self.functions
        if fitting and self.number(0, 2) < 2:
            name, count, _ = self.pick(fitting)
            count += self.rarely(20)
            arguments = [self.expression(self.pick(("int", "int", "string", "array")), depth) for _ in range(count)]
            if self.rarely(4):
                return f"{self.operand('int', depth)}.{name}({', '.join(arguments[1:])})"
            return f"{name}({', '.join(arguments)})"
        if self.closures:
            arguments = [self.expression("int", depth) for _ in range(self.number(0, 2))]
            return f"{self.operand('fn', depth)}.call({', '.join(arguments)})"
        return self.leaf(kind)

    def closure(self, kind: str, depth: int) -> str:
        names = ["x", "y"][: self.number(0, 2)]
        outer = (self.in_loop, self.in_function)
        self.in_loop, self.in_function = False, True
        self.scopes.append(dict.fromkeys(names, "int"))
        if self.number(0, 2) == 2:
            body = self.statement_block(depth, 2)
        else:
            body = self.expression(self.pick(KINDS) if kind == "any" else kind, depth)
        self.scopes.pop()
        self.in_loop, self.in_function = outer
        return f"|{', '.join(names)}| {body}" if names else f"|| {body}"

    # Statements

    def declare(self, depth: int) -> str:
        kind = self.pick(KINDS)
        value = self.expression(kind, depth)
        redeclared = self.visible()
        name = self.pick(redeclared) if redeclared and self.rarely(8) else self.fresh()
        constant = self.rarely(8)
        self.constants.discard(name)
        if constant:
            self.constants.add(name)
        self.scopes[-1][name] = kind
        return f"{'const' if constant else 'let'} {name} = {value};"

    def assign(self, depth: int) -> str:
        kind = self.pick(KINDS)
        names = self.visible(kind, assignable=not self.rarely(40)) or self.visible(assignable=True)
        if not names:
            return self.declare(depth)
        name = self.pick(names)
        if self.number(0, 1):
            return f"{name} = {self.expression(kind, depth)};"
        other = kind if self.number(0, 3) else self.pick(KINDS)
        return f"{name} {self.pick(ASSIGNING)} {self.expression(other, depth)};"

    def store(self, depth: int) -> str:
        container = self.pick(("array", "map", "string"))
        names = self.visible(container, assignable=not self.rarely(40))
        if not names:
            return self.declare(depth)
        name = self.pick(names)
        match container:
            case "array":
                place = self.pick(("[0]", "[1]", "[-1]", "[0][0]", "[0].a"))
            case "map":
                place = self.pick((".a", '["b"]', ".new", ".a.b", ".a[0]", "?.a", ".c?.d"))
            case _:
                return f"{name}{self.pick(('[0]', '[1]'))} = {self.expression('char', depth)};"
        operator = "=" if self.number(0, 2) else self.pick(ASSIGNING)
        return f"{name}{place} {operator} {self.expression(self.pick(KINDS), depth)};"

    def mutate(self, depth: int) -> str:
        kind = self.pick(("array", "string", "map"))
        names = self.visible(kind)
        if not names:
            return self.declare(depth)
        any_value = self.expression(self.pick(KINDS), depth)
        options = {
            "array": (f"push({any_value})", "pop()", "shift()", "reverse()", "sort()", f"insert(1, {any_value})", "remove(0)",
                      "truncate(2)", "dedup()", f"append({self.leaf('array')})", "clear()", "drain(0, 1)", "retain(0..2)",
                      "splice(1, 1, [8, 9])", "pad(3, 0)", "chop(1)"),
            "string": (f"append({any_value})", "trim()", "pop()", 'replace("a", "b")', "clear()", "truncate(1)", "crop(1)",
                       "make_upper()", "remove('a')", "pad(5, '-')"),
            "map": (f'set("k", {any_value})', 'remove("a")', "clear()", f"mixin({self.leaf('map')})", f"fill_with({self.leaf('map')})"),
        }[kind]  # fmt: skip
        return f"{self.pick(names)}.{self.pick(options)};"

    def each(self, depth: int) -> str:
        names = self.visible("array")
        if not names or not self.closures:
            return self.declare(depth)
        self.scopes.append({})
        body = self.pick((f"this = {self.leaf('int')}", f"this += {self.leaf('int')}", "{ this }"))
        self.scopes.pop()
        return f"{self.pick(names)}.for_each(|{self.pick(('', 'i'))}| {body});"

    def statement_block(self, depth: int, most: int = 3) -> str:
        self.scopes.append({})
        body = " ".join(self.statement(depth) for _ in range(self.number(0, most)))
        self.scopes.pop()
        return f"{{ {body} }}"

    def loop(self, depth: int) -> str:
        if self.loops >= 3:
            return self.assign(depth)
        self.loops += 1
        counter = self.fresh("n")
        outer, self.in_loop = self.in_loop, True
        enough = f"{counter} += 1; if {counter} > {self.number(1, 3)} {{ break; }}"
        match self.number(0, 4):
            case 0:
                name = self.pick(("i", "e"))
                over = self.expression(self.pick(("array", "range", "string")), 1)
                # The bounds of a range are anybody's guess.
                self.scopes.append({name: "int"})
                text = f"let {counter} = 0; for {name} in {over} {{ {enough} {self.statement_block(depth)} }}"
                self.scopes.pop()
            case 1:
                self.scopes.append({"e": "int", "i": "int"})
                body = self.statement_block(depth)
                text = f"let {counter} = 0; for (e, i) in {self.expression('array', 1)} {{ {enough} {body} }}"
                self.scopes.pop()
            case 2:
                condition = self.expression("bool", depth)
                text = f"let {counter} = 0; while {condition} {{ {enough} {self.statement_block(depth)} }}"
            case 3:
                text = f"let {counter} = 0; loop {{ {enough} {self.statement_block(depth)} }}"
            case _:
                body = self.statement_block(depth)
                ending = f"{self.pick(('while', 'until'))} {self.expression('bool', depth)};"
                text = f"let {counter} = 0; do {{ {enough} {body} }} {ending}"
        self.in_loop = outer
        self.loops -= 1
        return text

    def branch(self, depth: int) -> str:
        text = f"if {self.expression('bool', depth)} {self.statement_block(depth)}"
        if self.number(0, 1):
            text += f" else if {self.expression('bool', depth)} {self.statement_block(depth)}" if self.rarely(3) else ""
            text += f" else {self.statement_block(depth)}"
        return text

    def attempt(self, depth: int) -> str:
        body = self.statement_block(depth)
        if self.number(0, 1):
            return f'try {body} catch (err) {{ log.push(if type_of(err) == "map" {{ err.message }} else {{ err }}); }}'
        return f"try {body} catch {self.statement_block(depth)}"

    def leave(self, depth: int) -> str:
        options = ["throw", "exit"] if self.rarely(3) else []
        options += ["return"] if self.in_function or self.rarely(4) else []
        options += ["break", "continue", "break"] if self.in_loop else []
        match self.pick(options or ["log"]):
            case "throw":
                return f"throw {self.expression(self.pick(KINDS), depth)};"
            case "exit":
                return f"exit({self.expression(self.pick(KINDS), depth)});"
            case "return":
                return f"return {self.expression(self.pick(KINDS), depth)};"
            case "break":
                return self.pick(("break;", f"break {self.leaf('int')};"))
            case "continue":
                return "continue;"
            case _:
                return f"log.push({self.leaf('int')});"

    def say(self, depth: int) -> str:
        return f"print({self.expression(self.pick(KINDS), depth)});"

    def evaluate(self, depth: int) -> str:
        return f"{self.expression(self.pick(KINDS), depth)};"

    def statement(self, depth: int = 3) -> str:
        """The text of a statement with all the punctuation that it needs."""
        self.fuel -= 1
        simple: tuple[Callable[[int], str], ...] = (
            self.declare,
            self.assign,
            self.mutate,
            self.store,
            self.evaluate,
            self.say,
        )
        nested: tuple[Callable[[int], str], ...] = (self.branch, self.loop, self.attempt, self.leave, self.each)
        if depth <= 0 or self.fuel <= 0:
            return self.pick(simple)(0)
        return self.pick((*simple, *nested, self.declare))(depth - 1)

    def function(self) -> str:
        names = ["a", "b"][: self.number(0, 2)]
        kind = self.pick(KINDS[:5])
        name = f"f{len(self.functions)}"
        scopes, self.scopes = self.scopes, [dict.fromkeys(names, self.pick(("int", "string", "array")))]
        outer, self.in_function = self.in_function, True
        body = " ".join(self.statement(2) for _ in range(self.number(0, 2)))
        text = f"fn {name}({', '.join(names)}) {{ let log = []; {body} {self.expression(kind, 2)} }}"
        self.scopes, self.in_function = scopes, outer
        self.functions.append((name, len(names), kind))
        return text

    def program(self) -> str:
        """The text of a whole program."""
        parts = [self.function() for _ in range(self.number(0, 2))]
        parts.append("let log = [];")
        if self.closures:
            parts.append("fn id(x) { x }")
        self.fuel = 40
        parts += [self.statement() for _ in range(self.number(1, 6))]
        parts.append(f"[{', '.join(['log', *self.scopes[0]])}]")
        return self.pick((" ", "\n")).join(parts)
