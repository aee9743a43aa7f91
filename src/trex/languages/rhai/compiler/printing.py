"""The lowered form as text: Python that people can read.

Owns:  how each node that `build` makes is written, and how a `Kind` is.
Never: runs in a worker that runs a script: only `trex compile` loads this.

Not `ast.unparse`: what that writes differs from one version of Python to the next, it cannot write every
f-string that can be compiled, and it has no place for comments. What stands here differs from the code in
two things: names are numbered anew, each from 1, so that a change in one place does not rename everything
behind it; and the bounds of integers are written as `INT_MIN` and `INT_MAX`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from trex.languages.rhai.compiler import kinds
from trex.languages.rhai.compiler.kinds import ANY, K_UNIT, Kind
from trex.values import INT_MAX, INT_MIN

_INDENT = "    "
_SOURCE_WIDTH = 100
# A closure's pointer and its maker are named after it, the cell of what it captured after the variable.
_NUMBERED = re.compile(r"(?:(p_|make_)(?=closure_))?(.+)_[0-9]+(_c)?")

# How tightly an expression binds; one inside another needs parentheses where it binds less.
_LOWEST, _CHOICE, _OR, _AND, _NOT, _COMPARISON, _BIT_OR, _BIT_XOR, _BIT_AND, _SHIFT, _SUM, _PRODUCT, _SIGN, _ATOM = (
    range(14)
)
_BINARY: dict[type, tuple[str, int]] = {
    ast.Add: ("+", _SUM),
    ast.Sub: ("-", _SUM),
    ast.Mult: ("*", _PRODUCT),
    ast.Div: ("/", _PRODUCT),
    ast.FloorDiv: ("//", _PRODUCT),
    ast.Mod: ("%", _PRODUCT),
    ast.RShift: (">>", _SHIFT),
    ast.LShift: ("<<", _SHIFT),
    ast.BitAnd: ("&", _BIT_AND),
    ast.BitOr: ("|", _BIT_OR),
    ast.BitXor: ("^", _BIT_XOR),
}
_COMPARE: dict[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


class Printer:
    """One module. `names` are those of the text, by those of the code."""

    def __init__(self, source: str) -> None:
        self.source = source.split("\n")
        self.names: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        # Names that the text contains; those of helpers are among them.
        self.used: set[str] = set()
        self.lines: list[str] = []
        self.level = 0
        self.line = 0

    def name(self, name: str) -> str:
        """A name of the code as the text has it."""
        found = self.names.get(name)
        if found is None:
            numbered = _NUMBERED.fullmatch(name)
            if numbered is None:
                found = name
            elif numbered[1] or numbered[3]:  # these go by the name inside
                before, after = numbered[1] or "", numbered[3] or ""
                found = before + self.name(name[len(before) : len(name) - len(after)]) + after
            else:
                base = numbered[2]
                number = self.counts[base] = self.counts.get(base, 0) + 1
                found = f"{base}_{number}"
            self.names[name] = found
        self.used.add(name)
        return found

    def function(self, node: Any, line: int) -> str:
        """The text of a function of the module, which starts in a line of the script; 0 if the script is all of it."""
        self.lines = []
        self.line = line
        self.statement(node)
        return "\n".join(self.lines)

    # --- statements ---

    def write(self, text: str) -> None:
        self.lines.append(_INDENT * self.level + text)

    def body(self, statements: list[Any]) -> None:
        self.level += 1
        for statement in statements:
            self.statement(statement)
        self.level -= 1

    def statement(self, node: Any) -> None:
        """One statement, below the line of the script that it starts to carry out."""
        line = _line_of(node)
        if line > self.line and line <= len(self.source):
            self.line = line
            self.write(f"# {line}: {_shown_source(self.source[line - 1])}")
        _STATEMENTS[type(node).__name__](self, node)

    def definition(self, node: Any) -> None:
        parameters = ", ".join(self.name(each.arg) for each in node.args.args)
        self.write(f"def {self.name(node.name)}({parameters}):")
        self.body(node.body)

    def return_(self, node: Any) -> None:
        self.write("return" if node.value is None else f"return {self.expression(node.value)}")

    def assign(self, node: Any) -> None:
        targets = "".join(f"{self.expression(target)} = " for target in node.targets)
        self.write(targets + self.expression(node.value))

    def augment(self, node: Any) -> None:
        self.write(f"{self.expression(node.target)} {_BINARY[type(node.op)][0]}= {self.expression(node.value)}")

    def for_(self, node: Any) -> None:
        self.write(f"for {self.expression(node.target)} in {self.expression(node.iter)}:")
        self.body(node.body)
        self.otherwise(node.orelse)

    def while_(self, node: Any) -> None:
        self.write(f"while {self.expression(node.test, _LOWEST)}:")
        self.body(node.body)
        self.otherwise(node.orelse)

    def if_(self, node: Any) -> None:
        word = "if"
        while True:
            self.write(f"{word} {self.expression(node.test, _LOWEST)}:")
            self.body(node.body)
            other = node.orelse
            if len(other) != 1 or type(other[0]).__name__ != "If":
                break
            node, word = other[0], "elif"
        self.otherwise(other)

    def otherwise(self, statements: list[Any]) -> None:
        if statements:
            self.write("else:")
            self.body(statements)

    def raise_(self, node: Any) -> None:
        self.write("raise" if node.exc is None else f"raise {self.expression(node.exc)}")

    def try_(self, node: Any) -> None:
        self.write("try:")
        self.body(node.body)
        for handler in node.handlers:
            caught = "" if handler.type is None else f" {self.expression(handler.type)}"
            self.write(f"except{caught} as {self.name(handler.name)}:" if handler.name else f"except{caught}:")
            self.body(handler.body)
        self.otherwise(node.orelse)
        if node.finalbody:
            self.write("finally:")
            self.body(node.finalbody)

    def global_(self, node: Any) -> None:
        self.write(f"global {', '.join(map(self.name, node.names))}")

    def expression_statement(self, node: Any) -> None:
        self.write(self.expression(node.value))

    def pass_(self, node: Any) -> None:
        self.write("pass")

    def break_(self, node: Any) -> None:
        self.write("break")

    def continue_(self, node: Any) -> None:
        self.write("continue")

    # --- expressions ---

    def expression(self, node: Any, around: int = _CHOICE) -> str:
        """An expression inside one that binds as tightly as `around`."""
        binds, text = _EXPRESSIONS[type(node).__name__](self, node)
        return f"({text})" if binds < around else text

    def listed(self, nodes: list[Any]) -> str:
        return ", ".join(map(self.expression, nodes))

    def name_of(self, node: Any) -> tuple[int, str]:
        return _ATOM, self.name(node.id)

    def constant(self, node: Any) -> tuple[int, str]:
        value = node.value
        if type(value) is int and value in _BOUNDS:
            return _ATOM, _BOUNDS[value]
        if value in _INFINITE and type(value) is float:
            return _ATOM, _INFINITE[value]
        return (_SIGN if type(value) in (int, float) and repr(value)[0] == "-" else _ATOM), repr(value)

    def binary(self, node: Any) -> tuple[int, str]:
        operator, binds = _BINARY[type(node.op)]
        left, right = self.expression(node.left, binds), self.expression(node.right, binds + 1)
        return binds, f"{left} {operator} {right}"

    def unary(self, node: Any) -> tuple[int, str]:
        if type(node.op) is ast.Not:
            return _NOT, f"not {self.expression(node.operand, _NOT)}"
        return _SIGN, f"-{self.expression(node.operand, _ATOM)}"

    def logical(self, node: Any) -> tuple[int, str]:
        word, binds = (" and ", _AND) if type(node.op) is ast.And else (" or ", _OR)
        return binds, word.join(self.expression(each, binds + 1) for each in node.values)

    def compare(self, node: Any) -> tuple[int, str]:
        text = self.expression(node.left, _COMPARISON + 1)
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            text += f" {_COMPARE[type(operator)]} {self.expression(operand, _COMPARISON + 1)}"
        return _COMPARISON, text

    def choose(self, node: Any) -> tuple[int, str]:
        body, test = self.expression(node.body, _OR), self.expression(node.test, _OR)
        return _CHOICE, f"{body} if {test} else {self.expression(node.orelse, _CHOICE)}"

    def walrus(self, node: Any) -> tuple[int, str]:
        return _LOWEST, f"{self.expression(node.target)} := {self.expression(node.value)}"

    def call(self, node: Any) -> tuple[int, str]:
        arguments = ", ".join(self.expression(each, _LOWEST) for each in node.args)
        return _ATOM, f"{self.expression(node.func, _ATOM)}({arguments})"

    def attribute(self, node: Any) -> tuple[int, str]:
        return _ATOM, f"{self.expression(node.value, _ATOM)}.{node.attr}"

    def subscript(self, node: Any) -> tuple[int, str]:
        return _ATOM, f"{self.expression(node.value, _ATOM)}[{self.expression(node.slice)}]"

    def tuple_(self, node: Any) -> tuple[int, str]:
        if not node.elts:
            return _ATOM, "()"
        text = self.listed(node.elts) + ("," if len(node.elts) == 1 else "")
        return (_CHOICE, text) if type(node.ctx) is ast.Store else (_ATOM, f"({text})")

    def list_(self, node: Any) -> tuple[int, str]:
        return _ATOM, f"[{self.listed(node.elts)}]"

    def dict_(self, node: Any) -> tuple[int, str]:
        pairs = zip(node.keys, node.values, strict=True)
        return _ATOM, "{" + ", ".join(f"{self.expression(k)}: {self.expression(v)}" for k, v in pairs) + "}"

    def joined(self, node: Any) -> tuple[int, str]:
        return _ATOM, 'f"' + "".join(map(self.piece, node.values)) + '"'

    def piece(self, node: Any) -> str:
        """A part of an f-string."""
        if type(node).__name__ == "FormattedValue":
            inner = self.expression(node.value)
            return "{ " + inner + "}" if inner[0] == "{" else "{" + inner + "}"
        quoted = repr(node.value + '"')[1:-2]  # with a double quote in it, `repr` encloses it in single quotes
        return quoted.replace("\\'", "'").replace('"', '\\"').replace("{", "{{").replace("}", "}}")


# By the name of the node's class: `build` has subclasses of its own.
_STATEMENTS: dict[str, Callable[[Printer, Any], None]] = {
    "FunctionDef": Printer.definition,
    "Return": Printer.return_,
    "Assign": Printer.assign,
    "AugAssign": Printer.augment,
    "For": Printer.for_,
    "While": Printer.while_,
    "If": Printer.if_,
    "Raise": Printer.raise_,
    "Try": Printer.try_,
    "Global": Printer.global_,
    "Expr": Printer.expression_statement,
    "Pass": Printer.pass_,
    "Break": Printer.break_,
    "Continue": Printer.continue_,
}
_EXPRESSIONS: dict[str, Callable[[Printer, Any], tuple[int, str]]] = {
    "Name": Printer.name_of,
    "Constant": Printer.constant,
    "BinOp": Printer.binary,
    "UnaryOp": Printer.unary,
    "BoolOp": Printer.logical,
    "Compare": Printer.compare,
    "IfExp": Printer.choose,
    "NamedExpr": Printer.walrus,
    "Call": Printer.call,
    "Attribute": Printer.attribute,
    "Subscript": Printer.subscript,
    "Tuple": Printer.tuple_,
    "List": Printer.list_,
    "Dict": Printer.dict_,
    "JoinedStr": Printer.joined,
}

_BOUNDS = {INT_MAX: "INT_MAX", INT_MIN: "INT_MIN"}
_INFINITE = {float("inf"): "1e999", float("-inf"): "-1e999"}


def _line_of(node: Any) -> int:
    """The line of the script where the first located part of a statement stands, blocks in it left out; or 0."""
    # What has no place in the script is at column 0, see `build.at`.
    return min((part.lineno for part in _parts(node) if getattr(part, "col_offset", 0)), default=0)


def _parts(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        for field in part._fields:
            if field in ("body", "orelse", "handlers", "finalbody") and isinstance(part, ast.stmt):
                continue
            value = getattr(part, field, None)
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif type(value) is list:
                waiting.extend(each for each in value if isinstance(each, ast.AST))


def _shown_source(line: str) -> str:
    text = line.strip()
    text = text if len(text) <= _SOURCE_WIDTH else text[: _SOURCE_WIDTH - 3] + "..."
    return "".join(c if c.isprintable() else "?" for c in text)


# --- what is known of values ---

_TYPES = {
    kinds.INT: "int",
    kinds.FLOAT: "float",
    kinds.BOOL: "bool",
    kinds.STR: "string",
    kinds.CHAR: "char",
    kinds.UNIT: "()",
    kinds.ARRAY: "array",
    kinds.MAP: "map",
    kinds.BLOB: "blob",
    kinds.RANGE: "range",
    kinds.FN: "Fn",
    kinds.OTHER: "other",
}


def shown_kind(kind: Kind | None) -> str:
    """What is known of a value, in words: `int 0..=9 | ()`, `array of string`, `map {w: float}`, `any`."""
    if kind is None or not kind.bits:
        return "never"
    if kind.bits == ANY:
        return "any"
    return " | ".join(_shown_type(bit, name, kind) for bit, name in _TYPES.items() if kind.bits & bit)


def _shown_type(bit: int, name: str, kind: Kind) -> str:
    if bit == kinds.INT:
        if kind.low == kind.high:
            return f"int {kind.low}"
        low = "" if kind.low == INT_MIN else str(kind.low)
        high = "" if kind.high == INT_MAX else f"={kind.high}"
        return f"int {low}..{high}" if low or high else "int"
    if bit == kinds.ARRAY and kind.item is not None:
        item = shown_kind(kind.item)
        return f"array of ({item})" if " | " in item else f"array of {item}"
    if bit == kinds.MAP and kind.fields is not None:
        entries = [f"{field}: {shown_kind(each)}" for field, each in kind.fields.items() if field is not None]
        others = kind.fields[None]
        if others != K_UNIT:
            entries.append(f"..: {shown_kind(others)}")
        return f"map {{{', '.join(entries)}}}"
    return name


__all__ = ["Printer", "shown_kind"]
