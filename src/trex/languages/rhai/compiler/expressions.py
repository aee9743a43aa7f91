"""Expressions: literals, names, operators, closures.

Owns:  the lowering of every expression that is not a call or a chain.
Relies on: `frame` for order, `arithmetic` for operators.
Never: emits the statements of a branch outside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.arithmetic import Arithmetic
from trex.languages.rhai.compiler.frame import UNIT_VALUE, Value, Weight
from trex.languages.rhai.compiler.kinds import K_ANY, Kind, kind_of
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.parser.checks import is_constant
from trex.languages.rhai.semantics.sizes import UNLIMITED
from trex.languages.rhai.syntax import (
    ArrayLiteral,
    Binary,
    Block,
    Closure,
    Function,
    Interpolation,
    Literal,
    Logical,
    MapLiteral,
    Name,
    Qualified,
    StatementExpression,
    This,
    Unary,
    Variable,
)
from trex.languages.rhai.values import NESTED, THIS_CELL, Char
from trex.values import INT_MIN

WEIGHTLESS = ~(k.CONTAINER | k.STR) & k.ANY
_CONTAINER_OR_UNKNOWN = k.CONTAINER


class Expressions(Arithmetic):
    """Lowering of expressions; `lower` is the entry."""

    link: Link
    function: Function
    code_name: str
    lower_to: Callable[[Any, Any], None]

    def lower(self, node: Any) -> Value:
        """A Python expression for an expression of the script."""
        return LOWER[type(node)](self, node)

    def stored(self, value: Value) -> Any:
        """The value for a place that keeps it: marked, where somebody else holds it and it may be a container."""
        if value.owned or not value.kind.bits & _CONTAINER_OR_UNKNOWN:
            return value.node
        node = value.node
        if not self.is_hot() or value.kind.bits == value.kind.bits & k.CONTAINER:
            return b.call("share", [node], 0)
        first = node
        if not value.simple:
            name = self.temporary()
            first, node = b.walrus(name, node), b.load(name)
        test = b.compare(b.apply("type", [first]), "in", b.load("ATOMS"))
        return b.choose(test, node, b.call("share", [node], 0))

    # --- atoms ---

    def literal(self, node: Literal) -> Value:
        value = node.value
        if value is None:
            return UNIT_VALUE
        if type(value) is Char:
            return Value(b.load(self.link.constant(value)), k.K_CHAR, simple=True, fixed=True)
        return Value(b.const(value), k.of_literal(value), simple=True, fixed=True)

    def name(self, node: Name) -> Value:
        variable = node.variable
        if variable is None:
            return self.free_name(node)
        return self.read(variable, node.position)

    def read(self, variable: Variable, position: int) -> Value:
        """The value of a variable."""
        slot = self.slot(variable)
        kind = k.known(kind_of(variable))
        if variable.captured:
            node = b.attribute_at(b.load(slot), "v", position)
            return Value(node, kind, owned=False)
        fixed = not variable.assigned and not variable.changed and variable.role != "loop"
        return Value(b.load(slot), kind, owned=False, simple=True, fixed=fixed)

    def slot(self, variable: Variable) -> str:
        """The variable's name in the generated code."""
        if not variable.slot:
            variable.slot = self.link.slot(variable.name)
        return variable.slot

    def free_name(self, node: Name) -> Value:
        """A name that no declaration introduces: a function of the script, or an error when it is reached."""
        inline = self.link.caller_scope(node.name)
        if inline is not None:
            return Value(b.attribute_at(b.load(inline), "v", node.position), K_ANY, owned=False)
        if self.link.evaluates:
            return Value(b.call("late_variable", [b.load("late"), b.const(node.name)], node.position), owned=False)
        if self.link.is_function(node.name):
            return self.function_value(node.name)
        # At once: what comes later in the text is not evaluated any more.
        return self.held(Value(b.call("unknown_variable", [b.const(node.name)], node.position)))

    def function_value(self, name: str) -> Value:
        """The bare name of a function of the script."""
        return Value(b.call("named_function", [b.const(name)], 0), k.K_FN)

    def qualified(self, node: Qualified) -> Value:
        path = b.const("::".join(node.path))
        return Value(b.call("module_variable", [path, b.const(node.name)], node.path_position), owned=False)

    def this(self, node: This) -> Value:
        kind = self.link.this_kind(self.function)
        if self.function.this != THIS_CELL:
            if self.function.receiver is not None:
                return Value(b.load("this"), kind, owned=False, simple=True, fixed=True)
            bound = b.compare(b.load("this"), "is not", b.load("UNBOUND"))
            missing = b.call("unbound_this", [], node.position)
            return Value(b.choose(bound, b.load("this"), missing), K_ANY, owned=False)
        return Value(b.attribute_at(b.load("this"), "v", node.position), kind, owned=False)

    # --- constructors ---

    def interpolation(self, node: Interpolation) -> Value:
        values = self.operands(node.parts, self.lower)
        limited = bool(self.link.limits.max_string_size)
        parts: list[Any] = []
        pieces: list[Any] = []
        for value in values:
            piece = value.node
            if b.is_constant(piece) and type(piece.value) is str:
                parts.append(piece)
                pieces.append(piece)
                continue
            if value.kind.bits not in (k.STR, k.INT):
                piece = b.call("text", [piece], node.position)
            if limited and not b.is_simple(piece):
                # Kept, so that the error can say which piece was one too many.
                name = self.temporary()
                piece = b.walrus(name, piece)
                pieces.append(b.load(name))
            else:
                pieces.append(piece)
            parts.append(b.formatted(piece))
        if not limited:
            return Value(b.joined(parts), k.K_STR)
        self.note_parts(node.position, [part.position for part in node.parts])
        return self.sized_string(b.joined(parts), node.position, "check_pieces", b.tuple_(pieces))

    def sized_string(self, node: Any, position: int, check: str, pieces: Any = None) -> Value:
        """A new string, checked against the limit."""
        limit = self.link.limits.max_string_size
        if not limit:
            return Value(node, k.K_STR)
        name = self.temporary()
        short = b.compare(self.length(b.walrus(name, node)), "<=", b.const(limit // 4))
        arguments = [b.load(name)] if pieces is None else [b.load(name), pieces]
        return Value(b.choose(short, b.load(name), b.call(check, arguments, position)), k.K_STR)

    def note_parts(self, position: int, parts: list[int]) -> None:
        """Remember where the parts of an operation stand, for errors that are about one of them."""
        self.link.part_positions(self.code_name or self.link.main, position, tuple(parts))

    @staticmethod
    def length(node: Any) -> Any:
        return b.apply("len", [node])

    def array(self, node: ArrayLiteral) -> Value:
        values = self.operands(node.items, self.lower)
        kind = k.array_of(value.kind for value in values)
        items = b.list_([self.stored(value) for value in values])
        weight = self.known_weight(values, len(values), 0)
        if weight is not None:
            return Value(self.weighed("Array", items, values, weight, node.position), kind, weight=weight)
        # What is all literals was measured when it was written.
        helper = "array_made" if is_constant(node) else "array_of"
        if helper == "array_of" and self.link.sized:
            self.note_parts(node.position, [item.position for item in node.items])
        return Value(b.call(helper, [items], node.position), kind)

    def map(self, node: MapLiteral) -> Value:
        values = self.operands([value for _, value in node.entries], self.lower)
        kind = k.map_of((key, value.kind) for (key, _), value in zip(node.entries, values, strict=True))
        entries = b.dict_([b.const(key) for key, _ in node.entries], [self.stored(value) for value in values])
        weight = self.known_weight(values, 0, len(values))
        if weight is not None:
            return Value(self.weighed("Map", entries, values, weight, node.position), kind, weight=weight)
        helper = "map_made" if is_constant(node) else "map_of"
        if helper == "map_of" and self.link.sized:
            self.note_parts(node.position, [value.position for _, value in node.entries])
        return Value(b.call(helper, [entries], node.position), kind)

    @staticmethod
    def weight_of(value: Value) -> Weight | None:
        """What a value weighs in a container, where that is known."""
        if not value.kind.bits & ~WEIGHTLESS:
            return 0, 0, 0
        if b.is_text(value.node):
            return 0, 0, len(value.node.value.encode())
        return value.weight

    def known_weight(self, values: list[Value], array: int, map: int) -> Weight | None:
        """What a new container of so many elements or entries weighs; None where that is unknown or too much."""
        string = 0
        for value in values:
            weight = self.weight_of(value)
            if weight is None:
                return None
            array += weight[0]
            map += weight[1]
            string += weight[2]
        limits = self.link.limits
        sizes = (limits.max_array_size, array), (limits.max_map_size, map), (limits.max_string_size, string)
        return None if any(limit and size > limit for limit, size in sizes) else (array, map, string)

    @staticmethod
    def weighed(name: str, content: Any, values: list[Value], weight: Weight, position: int) -> Any:
        """A new `Array` or `Map` with its `state` and counts."""
        if not any(value.kind.bits & ~WEIGHTLESS for value in values):
            return b.call(name, [content], position)
        array, map, string = weight
        if name == "Array":
            array -= len(values)
        else:
            map -= len(values)
        return b.call(name, [content, b.const(NESTED), b.const(array), b.const(map), b.const(string)], position)

    def closure(self, node: Closure) -> Value:
        function = node.function
        prototype = self.link.closure(function)
        if not function.captures:
            return Value(b.load(prototype), k.K_FN, simple=True, fixed=True)
        cells: list[Any] = []
        for name, (_, outside, named_at) in function.captures.items():
            if outside is not None:
                cells.append(b.load(self.slot(outside)))
            elif (cell := self.link.caller_scope(name)) is not None:
                cells.append(b.load(cell))
            elif self.link.evaluates:
                cells.append(b.call("late_cell", [b.load("late"), b.const(name)], named_at))
            else:
                # Also the name of a function, if that is defined further down: so far nobody knows it.
                cells.append(b.call("unknown_variable", [b.const(name)], named_at))
        return Value(b.call("close_over", [b.load(prototype), *cells], node.position), k.K_FN)

    # --- operators ---

    def unary(self, node: Unary) -> Value:
        operand = self.lower(node.operand)
        bits = operand.kind.bits
        if node.operator == "!":
            if bits == k.BOOL:
                return Value(b.not_(operand.node), k.K_BOOL)
            return Value(b.call("not_", [operand.node], node.position), k.K_BOOL)
        if bits == k.FLOAT or (bits == k.INT and operand.kind.low > INT_MIN):
            if node.operator == "+":
                return operand
            kind = k.integer(-operand.kind.high, -operand.kind.low) if bits == k.INT else k.K_FLOAT
            return Value(b.negate(operand.node), kind)
        helper = "neg" if node.operator == "-" else "pos"
        kind = k.K_INT if bits == k.INT else Kind(k.NUMBER | k.OTHER)
        return Value(b.call(helper, [operand.node], node.position), kind)

    def binary(self, node: Binary) -> Value:
        left, right = self.operands([node.left, node.right], self.lower)
        value = self.operate(node.operator, left, right, node.position)
        if node.operator == "+" and value.kind.bits == k.STR and left.kind.bits == right.kind.bits == k.STR:
            return self.sized_string(b.binary(left.node, "+", right.node), node.position, "joined")
        return value

    def logical(self, node: Logical) -> Value:
        if node.operator == "??":
            return self.coalesce(node)
        left = self.condition(self.lower(node.left), node.left.position)
        result: list[Any] = []
        statements = self.nested(lambda: result.append(self.condition(self.lower(node.right), node.right.position)))
        if not statements:
            make = b.and_ if node.operator == "&&" else b.or_
            return Value(make([left, result[0]]), k.K_BOOL)
        name = self.temporary()
        self.emit(b.assign_name(name, left))
        statements.append(b.assign_name(name, result[0]))
        test = b.load(name) if node.operator == "&&" else b.not_(b.load(name))
        self.emit(b.if_(test, statements, []))
        return Value(b.load(name), k.K_BOOL, True, True, True)

    def coalesce(self, node: Logical) -> Value:
        left = self.lower(node.left)
        if not left.kind.bits & k.UNIT:
            return left
        result: list[Value] = []
        statements = self.nested(lambda: result.append(self.lower(node.right)))
        right = result[0]
        kind = k.join(k.without_unit(left.kind), right.kind)
        owned = left.owned and right.owned
        name = self.temporary()
        if not statements:
            test = b.compare(b.walrus(name, left.node), "is not", b.NONE)
            return Value(b.choose(test, b.load(name), right.node), kind, owned)
        self.emit(b.assign_name(name, left.node))
        statements.append(b.assign_name(name, right.node))
        self.emit(b.if_(b.compare(b.load(name), "is", b.NONE), statements, []))
        return Value(b.load(name), kind, owned, True, True)

    def statement_expression(self, node: StatementExpression) -> Value:
        statement = node.statement
        if type(statement) is Block and len(statement.statements) == 1:
            only = statement.statements[0]
            if type(only) in LOWER:
                return self.lower(only)
        name = self.temporary()
        self.lower_to(statement, name)
        return Value(b.load(name), K_ANY, False, True, True)


def limited(limit: int) -> bool:
    """Whether a size limit is in force."""
    return bool(limit) and limit < UNLIMITED


LOWER: dict[type, Callable[[Any, Any], Value]] = {
    Literal: Expressions.literal,
    Name: Expressions.name,
    Qualified: Expressions.qualified,
    This: Expressions.this,
    Interpolation: Expressions.interpolation,
    ArrayLiteral: Expressions.array,
    MapLiteral: Expressions.map,
    Closure: Expressions.closure,
    Unary: Expressions.unary,
    Binary: Expressions.binary,
    Logical: Expressions.logical,
    StatementExpression: Expressions.statement_expression,
}
