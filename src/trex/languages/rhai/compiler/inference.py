"""What types and bounds the variables of a program have.

Algorithm. Every variable starts as "never". Each pass walks the program in order, computes the kind of
every expression from what is known of its variables, and joins into a variable all that is assigned to
it. Passes repeat until nothing changes; from the third on, a bound that still moves becomes that of 64
bits, so that the passes end. Parameters join the arguments of all direct calls, as long as the function
cannot be called in any other way.

Owns:  `Variable.kinds/low/high`, `Function.returns/low/high`.
Relies on: `kinds` for the rules.
Never: changes the tree otherwise. A variable that a closure shares, or that the caller sees, is `ANY`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.kinds import K_ANY, K_NEVER, K_UNIT, Kind, join
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.syntax import (
    ArrayLiteral,
    Assign,
    Binary,
    Block,
    Break,
    Call,
    Chain,
    Closure,
    Continue,
    Do,
    Export,
    For,
    Function,
    If,
    Import,
    IndexStep,
    Interpolation,
    Let,
    Literal,
    Logical,
    MapLiteral,
    MethodStep,
    Name,
    Program,
    Qualified,
    Return,
    StatementExpression,
    Switch,
    This,
    Throw,
    Try,
    Unary,
    Variable,
    While,
)
from trex.values import INT_MAX, INT_MIN

MOST_PASSES = 8


def root_of(variable: Variable) -> Variable:
    """The variable whose cell a capture shares; any other variable itself."""
    while variable.root is not None:
        variable = variable.root
    return variable


def kind_of(variable: Variable) -> Kind:
    """What is known of a variable."""
    variable = root_of(variable)
    return Kind(variable.kinds, variable.low, variable.high)


class Inference:
    """One program. Call `run` once."""

    def __init__(self, program: Program, link: Link) -> None:
        self.program = program
        self.link = link
        self.typed_calls = link.typed_calls
        self.functions: dict[tuple[str, int], Function] = {}
        self.methods: set[tuple[str, int]] = set()
        for function in program.functions:
            self.methods.add((function.name, len(function.params)))
            if function.receiver is None:
                self.functions[function.name, len(function.params)] = function
        self.changed = False
        self.widen = False
        self.loop_results: list[Kind] = []
        self.function = program.main

    def run(self) -> None:
        program = self.program
        everything = [program.main, *program.functions, *program.closures]
        for function in everything:
            function.returns, function.low, function.high = K_NEVER
            for param in function.params:
                free = not self.typed_calls or function.closure or function.receiver is not None
                param.kinds, param.low, param.high = K_ANY if free or param.open else K_NEVER
            for inner, _ in function.captures.values():
                inner.kinds, inner.low, inner.high = K_ANY
        for variable in program.outer.values():
            variable.kinds, variable.low, variable.high = K_ANY
        for number in range(MOST_PASSES):
            self.changed = False
            self.widen = number >= 2
            for function in everything:
                self.visit_function(function)
            if not self.changed:
                return
        # Not settled: nothing is known, which is always true.
        for function in everything:
            function.returns, function.low, function.high = K_ANY
            for param in function.params:
                param.kinds, param.low, param.high = K_ANY
        self.forget(program)

    def forget(self, program: Program) -> None:
        """Make every variable `ANY`."""

        def assign(variable: Variable, kind: Kind) -> None:
            variable.kinds, variable.low, variable.high = K_ANY

        self.assign = assign  # type: ignore[method-assign]
        for function in [program.main, *program.functions, *program.closures]:
            self.visit_function(function)

    def visit_function(self, function: Function) -> None:
        self.function = function
        result = self.visit(function.body)
        self.returns(result)

    def returns(self, kind: Kind) -> None:
        function = self.function
        old = Kind(function.returns, function.low, function.high)
        new = self.joined(old, kind)
        if new != old:
            function.returns, function.low, function.high = new
            self.changed = True

    def joined(self, old: Kind, new: Kind) -> Kind:
        bits = old.bits | new.bits
        low, high = min(old.low, new.low), max(old.high, new.high)
        if self.widen:
            if low < old.low and old.bits & k.INT:
                low = INT_MIN
            if high > old.high and old.bits & k.INT:
                high = INT_MAX
        return Kind(bits, low, high)

    def assign(self, variable: Variable, kind: Kind) -> None:
        """A variable is given a value of this kind."""
        variable = root_of(variable)
        if variable.open or variable.role == "outer" or variable.role == "capture":
            kind = K_ANY
        old = kind_of(variable) if variable.kinds else K_NEVER
        new = self.joined(old, kind)
        if new != old:
            variable.kinds, variable.low, variable.high = new
            self.changed = True

    def visit(self, node: Any) -> Kind:
        """The kind of an expression, or of the value that a statement leaves."""
        return _VISITORS[type(node)](self, node)

    def visit_all(self, nodes: list[Any]) -> None:
        for node in nodes:
            self.visit(node)

    # --- expressions ---

    def literal(self, node: Literal) -> Kind:
        return k.of_literal(node.value)

    def interpolation(self, node: Interpolation) -> Kind:
        self.visit_all(node.parts)
        return k.K_STR

    def array(self, node: ArrayLiteral) -> Kind:
        self.visit_all(node.items)
        return k.K_ARRAY

    def map(self, node: MapLiteral) -> Kind:
        for _, value in node.entries:
            self.visit(value)
        return k.K_MAP

    def name(self, node: Name) -> Kind:
        variable = node.variable
        if variable is None:
            return K_ANY
        kind = kind_of(variable)
        return kind if kind.bits else K_NEVER

    def anything(self, node: Any) -> Kind:
        return K_ANY

    def unary(self, node: Unary) -> Kind:
        operand = self.visit(node.operand)
        if node.operator == "!":
            return k.K_BOOL
        if operand.bits == k.INT:
            return operand if node.operator == "+" else k.integer(-operand.high, -operand.low)
        if operand.bits == k.FLOAT:
            return operand
        return Kind(k.NUMBER | k.OTHER)

    def binary(self, node: Binary) -> Kind:
        left = self.visit(node.left)
        right = self.visit(node.right)
        if not left.bits or not right.bits:
            return K_NEVER
        return k.binary(node.operator, left, right)

    def logical(self, node: Logical) -> Kind:
        left = self.visit(node.left)
        right = self.visit(node.right)
        if node.operator != "??":
            return k.K_BOOL
        return join(Kind(left.bits & ~k.UNIT, left.low, left.high), right)

    def call(self, node: Call) -> Kind:
        arguments = [self.visit(argument) for argument in node.arguments]
        if node.path:
            return K_ANY
        function = self.functions.get((node.name, len(arguments)))
        if function is not None:
            return self.direct_call(function, arguments)
        if not arguments:
            return K_ANY
        self.method_called(node.arguments[0], node.name, len(arguments) - 1)
        if node.name == "call" and len(arguments) > 1:
            self.method_called(node.arguments[1], "call", 1)
        return k.of_call(node.name, arguments[0])

    def direct_call(self, function: Function, arguments: list[Kind]) -> Kind:
        if self.typed_calls:
            for param, kind in zip(function.params, arguments, strict=True):
                self.assign(param, kind)
        if not function.returns:
            return K_NEVER
        return Kind(function.returns, function.low, function.high)

    def chain(self, node: Chain) -> Kind:
        kind = self.visit(node.root)
        elvis = False
        for step in node.steps:
            step_type = type(step)
            elvis = elvis or step.elvis
            if step_type is MethodStep:
                arguments = [self.visit(argument) for argument in step.arguments]
                key = (step.name, len(arguments))
                self.link.method_calls.add(key)
                self.method_called(node.root, step.name, len(arguments))
                function = self.functions.get(key)
                if function is not None and self.typed_calls:
                    for param, argument in zip(function.params, arguments, strict=True):
                        self.assign(param, argument)
                kind = K_ANY if key in self.methods or kind.bits & (k.MAP | k.OTHER) else k.of_call(step.name, kind)
            elif step_type is IndexStep:
                index = self.visit(step.index)
                kind = (k.K_CHAR if index.bits == k.INT else Kind(k.CHAR | k.STR)) if kind.bits == k.STR else K_ANY
            elif kind.bits == k.STR and step.name == "len":
                kind = k.K_LENGTH
            else:
                kind = K_ANY
        return join(kind, K_UNIT) if elvis else kind

    def statement_expression(self, node: StatementExpression) -> Kind:
        return self.visit(node.statement)

    def closure(self, node: Closure) -> Kind:
        return k.K_FN

    # --- statements ---

    def block(self, node: Block) -> Kind:
        kind = K_UNIT
        for statement in node.statements:
            kind = self.visit(statement)
        return kind

    def let(self, node: Let) -> Kind:
        self.assign(node.variable, K_UNIT if node.value is None else self.visit(node.value))
        return K_UNIT

    def assignment(self, node: Assign) -> Kind:
        value = self.visit(node.value)
        target = node.target
        if type(target) is Name:
            if target.variable is not None:
                if node.operator is not None:
                    old = self.name(target)
                    if node.operator == "+" and old.bits & k.CONTAINER:
                        # A container is extended in place, so a parameter or an element must be marked first.
                        target.variable.changed = True
                    value = k.assigned(node.operator, old, value) if old.bits and value.bits else K_NEVER
                self.assign(target.variable, value)
        else:
            self.visit(target)
            if type(target) is Chain and type(target.root) is Name and target.root.variable is not None:
                self.element_assigned(target.root.variable)
        return K_UNIT

    def method_called(self, root: Any, name: str, count: int) -> None:
        """A method may change its receiver: integers within their type, anything where `this` is assigned."""
        if type(root) is This and self.link.may_change(name, count):
            self.function.changes_this = True
        if type(root) is Name and root.variable is not None and self.link.may_change(name, count):
            root.variable.changed = root_of(root.variable).changed = True
            if self.program.assigns_this or name == "take":
                self.assign(root.variable, K_ANY)
            else:
                self.element_assigned(root.variable)

    def element_assigned(self, variable: Variable) -> None:
        """A store into an integer or string changes its value, but not its type."""
        if root_of(variable).kinds & k.INT:
            self.assign(variable, Kind(root_of(variable).kinds))

    def if_(self, node: If) -> Kind:
        self.visit(node.condition)
        body = self.visit(node.body)
        other = K_UNIT if node.other is None else self.visit(node.other)
        return join(body, other)

    def switch(self, node: Switch) -> Kind:
        self.visit(node.subject)
        kind = K_NEVER
        default = False
        for case in node.cases:
            if case.guard is not None:
                self.visit(case.guard)
            default = default or not case.values
            kind = join(kind, self.visit(case.body))
        return kind if default else join(kind, K_UNIT)

    def while_(self, node: While) -> Kind:
        if node.condition is not None:
            self.visit(node.condition)
        return self.loop(node.body)

    def do(self, node: Do) -> Kind:
        result = self.loop(node.body)
        self.visit(node.condition)
        return result

    def loop(self, body: Block) -> Kind:
        self.loop_results.append(K_UNIT)
        self.visit(body)
        return self.loop_results.pop()

    def for_(self, node: For) -> Kind:
        iterable = node.iterable
        kind = self.visit(iterable)
        if type(iterable) is Binary and iterable.operator in ("..", "..="):
            low, high = self.visit(iterable.left), self.visit(iterable.right)
            inclusive = iterable.operator == "..="
            item = k.K_INT
            if low.bits == k.INT and high.bits == k.INT:
                top = high.high - (not inclusive)
                # An empty range gives no item; its bounds must still be in order.
                item = Kind(k.INT, low.low, max(low.low, top))
        elif (
            type(iterable) is Call
            and iterable.name == "range"
            and not iterable.path
            and ("range", len(iterable.arguments)) not in self.functions
        ):
            bounds = [self.visit(argument) for argument in iterable.arguments]
            item = Kind(k.NUMBER)
            if len(bounds) >= 2 and all(bound.bits == k.INT for bound in bounds):
                ends = [*bounds[:2]]
                item = Kind(k.INT, min(b.low for b in ends), max(b.high for b in ends))
        elif kind.bits == k.STR:
            item = k.K_CHAR
        elif kind.bits == k.RANGE or kind.bits == k.BLOB:
            item = k.K_INT
        else:
            item = K_ANY
        self.assign(node.variable, item)
        if node.counter is not None:
            self.assign(node.counter, k.K_LENGTH)
        return self.loop(node.body)

    def break_(self, node: Break) -> Kind:
        if node.value is not None:
            kind = self.visit(node.value)
            if self.loop_results:
                self.loop_results[-1] = join(self.loop_results[-1], kind)
        return K_NEVER

    def continue_(self, node: Continue) -> Kind:
        return K_NEVER

    def return_(self, node: Return) -> Kind:
        self.returns(K_UNIT if node.value is None else self.visit(node.value))
        return K_NEVER

    def throw(self, node: Throw) -> Kind:
        if node.value is not None:
            self.visit(node.value)
        return K_NEVER

    def try_(self, node: Try) -> Kind:
        kind = self.visit(node.body)
        if node.variable is not None:
            self.assign(node.variable, K_ANY)
        self.visit(node.handler)
        return join(kind, K_UNIT)

    def import_(self, node: Import) -> Kind:
        self.visit(node.path)
        return K_UNIT

    def export(self, node: Export) -> Kind:
        return K_UNIT


_VISITORS: dict[type, Callable[[Inference, Any], Kind]] = {
    Literal: Inference.literal,
    Interpolation: Inference.interpolation,
    ArrayLiteral: Inference.array,
    MapLiteral: Inference.map,
    Name: Inference.name,
    Qualified: Inference.anything,
    This: Inference.anything,
    Call: Inference.call,
    Unary: Inference.unary,
    Binary: Inference.binary,
    Logical: Inference.logical,
    Chain: Inference.chain,
    StatementExpression: Inference.statement_expression,
    Closure: Inference.closure,
    Let: Inference.let,
    Assign: Inference.assignment,
    Block: Inference.block,
    If: Inference.if_,
    Switch: Inference.switch,
    While: Inference.while_,
    Do: Inference.do,
    For: Inference.for_,
    Break: Inference.break_,
    Continue: Inference.continue_,
    Return: Inference.return_,
    Throw: Inference.throw,
    Try: Inference.try_,
    Import: Inference.import_,
    Export: Inference.export,
}
