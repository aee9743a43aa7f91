"""What types and bounds the variables of a program have.

Algorithm. Every variable starts as "never". One walk through the program computes the kind of every
expression from what is known of its variables, and joins into a variable all that is assigned to it. The
walk goes statement by statement and remembers which of them read a variable; when more becomes known of
it, they are visited again, until nothing changes. A bound that keeps moving becomes that of 64 bits, and a
variable that does not settle becomes `ANY`, so that this ends. Parameters join the arguments of all direct
calls, as long as the function cannot be called in any other way.

What is known reaches into arrays and object maps: their values belong to one variable, so that every
change of an element is a statement about a variable.

Owns:  `Variable.kind`, `Function.returns`.
Relies on: `kinds` for the rules.
Never: changes the tree otherwise. A variable that the caller sees is `ANY`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.kinds import K_ANY, K_NEVER, K_UNIT, Kind, Step, join, root_of
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.library.registry import Overloads
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

# After so many changes of one variable, bounds that move are given up, and then all that is known of it.
WIDENED_AFTER = 3
FORGOTTEN_AFTER = 30

# What is visited again: a method of `Inference`, its node, the function it is in.
Unit = tuple[Callable[["Inference", Any], object], Any, Function]


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
        everything = [program.main, *program.functions, *program.closures]
        self.everything = everything
        self.loop_results: list[Kind] = []
        self.function = program.main
        self.unit: Unit = (Inference.statement, program.main.body, program.main)
        # Variables and functions -> the units that read them; how often each has changed.
        self.readers: dict[Variable | Function, dict[int, Unit]] = {}
        self.changes: dict[Variable | Function, int] = {}
        self.waiting: deque[Unit] = deque()
        self.queued: set[int] = set()

    def run(self) -> None:
        """Fill in all kinds."""
        for function in self.everything:
            function.returns = K_NEVER
            free = not self.typed_calls or function.closure or function.receiver is not None
            for param in function.params:
                param.kind = K_ANY if free or param.open else K_NEVER
            for inner, _, _ in function.captures.values():
                inner.kind = K_ANY
        for variable in self.program.outer.values():
            variable.kind = K_ANY
        self.statement(self.program.main.body)
        for function in self.everything[1:]:
            self.function = function
            self.body(function.body)
        while self.waiting:
            unit = self.waiting.popleft()
            self.queued.discard(id(unit[1]))
            method, node, self.function = unit
            self.unit = unit
            method(self, node)

    # --- what depends on what ---

    def part(self, method: Callable[[Inference, Any], object], node: Any) -> None:
        """Visit a part of a statement that can be visited again by itself."""
        saved, self.unit = self.unit, (method, node, self.function)
        method(self, node)
        self.unit = saved

    def read_by(self, source: Variable | Function) -> None:
        """The part being visited depends on a variable, or on what a function returns."""
        readers = self.readers.get(source)
        if readers is None:
            self.readers[source] = {id(self.unit[1]): self.unit}
        else:
            readers[id(self.unit[1])] = self.unit

    def changed(self, source: Variable | Function, old: Kind, new: Kind) -> Kind:
        """Note a change, and give what is to be known from now on."""
        count = self.changes[source] = self.changes.get(source, 0) + 1
        if count > WIDENED_AFTER:
            new = K_ANY if count > FORGOTTEN_AFTER else k.widened(old, new)
        self.read_again(source)
        return new

    def read_again(self, source: Variable | Function) -> None:
        """Have everything visited again that depends on this."""
        for number, unit in self.readers.get(source, {}).items():
            if number not in self.queued:
                self.queued.add(number)
                self.waiting.append(unit)

    def returns(self, kind: Kind) -> None:
        """The function may return a value of this kind."""
        function = self.function
        new = join(function.returns, kind)
        if new is not function.returns and new != function.returns:
            function.returns = self.changed(function, function.returns, new)

    def assign(self, variable: Variable, kind: Kind) -> None:
        """A variable is given a value of this kind."""
        variable = root_of(variable)
        if variable.open or variable.role == "outer" or variable.role == "capture":
            kind = K_ANY
        old = variable.kind or K_NEVER
        new = join(old, kind)
        if new is not old and new != old:
            variable.kind = self.changed(variable, old, new)

    # --- statements whose value nobody wants ---

    def statement(self, node: Any) -> None:
        """A statement where its value is dropped."""
        method = _STATEMENTS.get(type(node))
        if method is not None:
            method(self, node)
        elif type(node) in _VISITORS:
            self.part(Inference.visit, node)

    def body(self, node: Block) -> None:
        """The body of a function, whose last statement is what it returns."""
        statements = node.statements
        for statement in statements[:-1]:
            self.statement(statement)
        if statements:
            self.part(Inference.tail, statements[-1])
        else:
            self.returns(K_UNIT)

    def tail(self, node: Any) -> None:
        self.returns(self.visit(node))

    def block_statement(self, node: Block) -> None:
        for statement in node.statements:
            self.statement(statement)

    def if_statement(self, node: If) -> None:
        self.part(Inference.visit, node.condition)
        self.statement(node.body)
        if node.other is not None:
            self.statement(node.other)

    def switch_statement(self, node: Switch) -> None:
        self.part(Inference.visit, node.subject)
        for case in node.cases:
            if case.guard is not None:
                self.part(Inference.visit, case.guard)
            self.statement(case.body)

    def while_statement(self, node: While | Do) -> None:
        if node.condition is not None:
            self.part(Inference.visit, node.condition)
        self.loop_results.append(K_UNIT)
        self.statement(node.body)
        self.loop_results.pop()

    def for_statement(self, node: For) -> None:
        self.part(Inference.for_header, node)
        self.loop_results.append(K_UNIT)
        self.statement(node.body)
        self.loop_results.pop()

    def try_statement(self, node: Try) -> None:
        self.statement(node.body)
        if node.variable is not None:
            self.assign(node.variable, K_ANY)
        self.statement(node.handler)

    # --- expressions ---

    def visit(self, node: Any) -> Kind:
        """The kind of an expression, or of the value that a statement leaves."""
        return _VISITORS[type(node)](self, node)

    def visit_all(self, nodes: list[Any]) -> list[Kind]:
        return [_VISITORS[type(node)](self, node) for node in nodes]

    def literal(self, node: Literal) -> Kind:
        return k.of_literal(node.value)

    def interpolation(self, node: Interpolation) -> Kind:
        self.visit_all(node.parts)
        return k.K_STR

    def array(self, node: ArrayLiteral) -> Kind:
        return k.array_of(self.visit_all(node.items))

    def map(self, node: MapLiteral) -> Kind:
        return k.map_of([(name, self.visit(value)) for name, value in node.entries])

    def name(self, node: Name) -> Kind:
        variable = node.variable
        if variable is None:
            return K_ANY
        variable = root_of(variable)
        if variable.kind is not K_ANY:
            self.read_by(variable)
        return variable.kind or K_NEVER

    def anything(self, node: Any) -> Kind:
        return K_ANY

    def this(self, node: This) -> Kind:
        return self.link.this_kind(self.function)

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
        return join(k.without_unit(left), right)

    def call(self, node: Call) -> Kind:
        arguments = self.visit_all(node.arguments)
        if node.path:
            return K_ANY
        function = self.functions.get((node.name, len(arguments)))
        if function is not None:
            return self.direct_call(function, arguments)
        if not arguments:
            return K_ANY
        self.method_called(node.arguments[0], [], node.name, arguments[0], arguments[1:])
        if node.name == "call" and len(arguments) > 1:
            self.method_called(node.arguments[1], [], "call", arguments[1], arguments[2:])
        return self.link.result_of(node.name, len(arguments), arguments[0])

    def direct_call(self, function: Function, arguments: list[Kind]) -> Kind:
        if self.typed_calls:
            for param, kind in zip(function.params, arguments, strict=True):
                self.assign(param, kind)
        self.read_by(function)
        return function.returns  # type: ignore[no-any-return]

    def chain(self, node: Chain) -> Kind:
        kind = self.visit(node.root)
        elvis = False
        # The steps from the root, as long as what stands there is a place.
        place: list[Step] | None = []
        for step in node.steps:
            step_type = type(step)
            if step.elvis:
                elvis = True
                kind = k.without_unit(kind)
            if step_type is MethodStep:
                arguments = self.visit_all(step.arguments)
                key = (step.name, len(arguments))
                self.link.method_calls.add(key)
                if place is not None:
                    self.method_called(node.root, place, step.name, kind, arguments)
                    place = None
                function = self.functions.get(key)
                if function is not None and self.typed_calls:
                    for param, argument in zip(function.params, arguments, strict=True):
                        self.assign(param, argument)
                if key in self.methods:
                    for method in self.link.methods(*key):
                        self.read_by(method)
                    kind = self.link.method_result(*key, kind)
                elif k.may_hold(kind, step.name):
                    kind = K_ANY
                else:
                    kind = self.link.result_of(step.name, len(arguments) + 1, kind)
            else:
                to: Step = self.step_of(step)
                if place is not None:
                    place.append(to)
                kind = k.element(kind, to)
        return join(kind, K_UNIT) if elvis else kind

    def step_of(self, step: Any) -> Step:
        """Where a step that is no method leads."""
        if type(step) is not IndexStep:
            return step.name  # type: ignore[no-any-return]
        index = self.visit(step.index)
        if type(step.index) is Literal and type(step.index.value) is str:
            return step.index.value
        return index

    def statement_expression(self, node: StatementExpression) -> Kind:
        return self.visit(node.statement)

    def closure(self, node: Closure) -> Kind:
        return k.K_FN

    # --- changes ---

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
                    value = self.updated(node.operator, old, value)
                self.assign(target.variable, value)
        elif type(target) is Chain:
            self.visit(target.root)
            steps = [self.step_of(step) for step in target.steps]
            operator = node.operator
            if operator is None:
                self.place_changed(target.root, steps, lambda _: value)
            else:
                self.place_changed(target.root, steps, lambda old: self.updated(operator, old, value))
        else:
            self.visit(target)
        return K_UNIT

    @staticmethod
    def updated(operator: str, old: Kind, value: Kind) -> Kind:
        return k.assigned(operator, old, value) if old.bits and value.bits else K_NEVER

    def place_changed(self, root: Any, steps: list[Step], change: Callable[[Kind], Kind]) -> None:
        """What stands at a place becomes what `change` makes of it."""
        if type(root) is not Name or root.variable is None:
            return
        variable = root_of(root.variable)
        if variable.kind is not K_ANY:
            self.read_by(variable)
            if variable.kind is not None:
                self.assign(variable, k.with_element(variable.kind, steps, 0, change))

    def method_called(self, root: Any, steps: list[Step], name: str, receiver: Kind, arguments: list[Kind]) -> None:
        """A method may change its receiver; where `this` is assigned, even its type."""
        count = len(arguments)
        for method in self.link.methods(name, count):
            self.read_by(method)
        may_change = self.link.may_change(name, count, receiver)
        if type(root) is This:
            if may_change and not self.function.changes_this:
                self.function.changes_this = True
                self.read_again(self.function)
            return
        if type(root) is not Name or root.variable is None:
            return
        overloads = self.link.overloads(name, count + 1)
        if may_change:
            root.variable.changed = root_of(root.variable).changed = True
        elif not (overloads and self.link.changed_by_callbacks(overloads)) and not k.may_hold(receiver, name):
            return
        if self.program.assigns_this or name in ("take", "call"):
            self.place_changed(root, steps, lambda _: K_ANY)
            return
        self.place_changed(root, steps, lambda old: self.after_method(name, overloads, old, arguments))

    def after_method(self, name: str, overloads: Overloads | None, old: Kind, arguments: list[Kind]) -> Kind:
        """What a receiver may be after a method was called on it."""
        of_library = overloads is not None and not self.link.has_method(name, len(arguments))
        known = old.bits == k.ARRAY and old.item is not None
        if of_library and known and not self.link.changed_by_callbacks(overloads):  # type: ignore[arg-type]
            if name in k.KEEPS_ELEMENTS:
                return old
            if name in k.ADDS_ELEMENT and arguments and arguments[-1].bits:
                return k.array_of([old.item, arguments[-1]])  # type: ignore[list-item]
        return k.contents_forgotten(old)

    # --- statements that leave a value ---

    def block(self, node: Block) -> Kind:
        kind = K_UNIT
        for statement in node.statements:
            kind = self.visit(statement)
        return kind

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
        self.for_header(node)
        return self.loop(node.body)

    def for_header(self, node: For) -> None:
        """What a loop runs over, and what its variables are."""
        self.assign(node.variable, self.item_of(node.iterable))
        if node.counter is not None:
            self.assign(node.counter, k.K_LENGTH)

    def item_of(self, iterable: Any) -> Kind:
        """What the items of an iterable are."""
        if type(iterable) is Binary and iterable.operator in ("..", "..="):
            low, high = self.visit(iterable.left), self.visit(iterable.right)
            if low.bits != k.INT or high.bits != k.INT:
                return k.K_INT if low.bits and high.bits else K_NEVER
            top = high.high - (iterable.operator == "..")
            # An empty range gives no item; its bounds must still be in order.
            return Kind(k.INT, low.low, max(low.low, top))
        kind = self.visit(iterable)
        if (
            type(iterable) is Call
            and iterable.name == "range"
            and not iterable.path
            and ("range", len(iterable.arguments)) not in self.functions
        ):
            bounds = self.visit_all(iterable.arguments)
            if len(bounds) >= 2 and all(bound.bits == k.INT for bound in bounds):
                ends = bounds[:2]
                return Kind(k.INT, min(b.low for b in ends), max(b.high for b in ends))
            return Kind(k.NUMBER)
        if kind.bits == k.STR:
            return k.K_CHAR
        if kind.bits == k.ARRAY:
            return K_ANY if kind.item is None else kind.item
        if kind.bits == k.BLOB:
            return k.K_BYTE
        if kind.bits == k.RANGE:
            return k.K_INT
        return K_ANY if kind.bits else K_NEVER

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


_STATEMENTS: dict[type, Callable[[Inference, Any], None]] = {
    Block: Inference.block_statement,
    If: Inference.if_statement,
    Switch: Inference.switch_statement,
    While: Inference.while_statement,
    Do: Inference.while_statement,
    For: Inference.for_statement,
    Try: Inference.try_statement,
}

_VISITORS: dict[type, Callable[[Inference, Any], Kind]] = {
    Literal: Inference.literal,
    Interpolation: Inference.interpolation,
    ArrayLiteral: Inference.array,
    MapLiteral: Inference.map,
    Name: Inference.name,
    Qualified: Inference.anything,
    This: Inference.this,
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
