"""Statements: where values go, branches, jumps.

Owns:  the lowering of statements other than loops and errors, and the destinations of their values.
Never: evaluates a statement's value when nobody wants it.

A statement is lowered *to* a destination: `None` drops its value, `RETURN` returns it from the Python
function, any other text is the name that receives it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.chains import Chains
from trex.languages.rhai.compiler.expressions import LOWER
from trex.languages.rhai.compiler.frame import UNIT_VALUE, Value
from trex.languages.rhai.compiler.kinds import K_ANY, K_NEVER, K_UNIT, Kind, kind_of
from trex.languages.rhai.semantics.sizes import UNLIMITED
from trex.languages.rhai.syntax import (
    Assign,
    Binary,
    Block,
    Case,
    Export,
    If,
    Import,
    Let,
    Name,
    Qualified,
    Return,
    StatementExpression,
    Switch,
    This,
    Variable,
)
from trex.languages.rhai.values import Array, Char, Map, Range

RETURN = "<return>"

# Cases of a `switch` that are one `if .. elif ..` in Python.
_LONGEST_CHAIN = 24


class Result:
    """What is known of the value that a statement left at its destination."""

    __slots__ = ("kind", "owned")

    def __init__(self, kind: Kind, owned: bool = True) -> None:
        self.kind = kind
        self.owned = owned


UNIT_RESULT = Result(K_UNIT)
NO_RESULT = Result(K_NEVER)


def either(first: Result, second: Result) -> Result:
    return Result(k.join(first.kind, second.kind), first.owned and second.owned)


class Statements(Chains):
    """Lowering of statements; `lower_to` is the entry."""

    def lower_to(self, node: Any, destination: str | None) -> Result:  # type: ignore[override]
        """Emit a statement; its value goes to the destination."""
        method = LOWER_TO.get(type(node))
        if method is not None:
            return method(self, node, destination)
        return self.deliver(self.lower(node), destination)

    def deliver(self, value: Value, destination: str | None) -> Result:
        """A value to its destination."""
        if destination is None:
            if not value.simple:
                self.emit(b.expression(value.node))
        elif destination == RETURN:
            self.emit(b.return_(self.returned(value)))
        else:
            self.emit(b.assign_name(destination, value.node))
        return Result(value.kind, value.owned)

    def returned(self, value: Value) -> Any:
        """A value that leaves the function: a variable that dies with it need not be marked."""
        if not self.code_name:
            return value.node
        node = value.node
        if value.simple and b.is_name(node) and node.id in self.dying:
            return node
        return self.stored(value)

    dying: set[str]

    # --- blocks and branches ---

    def block(self, node: Block, destination: str | None) -> Result:
        statements = node.statements
        if not statements:
            return self.deliver(UNIT_VALUE, destination)
        if node.evaluates:
            return self.evaluating_block(node, destination)
        for statement in statements[:-1]:
            self.lower_to(statement, None)
        return self.lower_to(statements[-1], destination)

    def evaluating_block(self, node: Block, destination: str | None) -> Result:
        """A block whose variables are not all known: those that `eval` declares in it end with it."""
        late = b.load("late")
        before = self.temporary()
        self.emit(b.assign_name(before, b.call("enter_block", [late], 0)))
        body, result = self.branch(Block(node.statements, node.position), destination)
        self.emit(b.try_finally(body, [b.expression(b.call("leave_block", [late, b.load(before)], 0))]))
        return result

    def branch(self, node: Any, destination: str | None) -> tuple[list[Any], Result]:
        """The statements of a branch, apart."""
        result: list[Result] = []
        if node is None:
            body = self.nested(lambda: result.append(self.deliver(UNIT_VALUE, destination)))
        else:
            body = self.nested(lambda: result.append(self.lower_to(node, destination)))
        return body, result[0]

    def if_(self, node: If, destination: str | None) -> Result:
        test = self.condition(self.lower(node.condition), node.condition.position)
        body, first = self.branch(node.body, destination)
        if node.other is None and destination is None:
            self.emit(b.if_(test, body, []))
            return UNIT_RESULT
        other, second = self.branch(node.other, destination)
        self.emit(b.if_(test, body, other))
        return either(first, second)

    def switch(self, node: Switch, destination: str | None) -> Result:
        """First the exact cases in order, then the ranges, then the default; each with its guard."""
        subject = self.lower(node.subject)
        if b.is_constant(subject.node) or not (subject.simple and subject.fixed):
            # A literal too: Python's compiler warns of a comparison with `is` of two of them.
            subject = self.held(Value(subject.node, subject.kind, subject.owned))
        exact = [c for c in node.cases if c.values and any(type(v) is not Range for v in c.values)]
        ranges = [c for c in node.cases if any(type(v) is Range for v in c.values)]
        default = next((c for c in node.cases if not c.values), None)
        results: list[Result] = []
        simple = all(c.guard is None for c in node.cases)
        if simple:
            chain: list[tuple[Any, Case]] = [(self.exact_test(subject, c), c) for c in exact]
            chain += [(self.range_test(subject, c), c) for c in ranges]
            bodies = [(test, *self.branch(case.body, destination)) for test, case in chain]
            last, result = self.branch(default.body if default is not None else None, destination)
            results.append(result)
            results += [result for _, _, result in bodies]
            self.out.extend(self.one_of_many([(test, body) for test, body, _ in bodies], last))
        else:
            results = self.guarded_switch(subject, exact, ranges, default, destination)
        total = results[0]
        for result in results[1:]:
            total = either(total, result)
        return total

    def one_of_many(self, cases: list[tuple[Any, list[Any]]], default: list[Any]) -> list[Any]:
        """`if test: body elif ..: else: default`. Python nests these, so long ones are cut into pieces."""
        if len(cases) <= _LONGEST_CHAIN:
            chain = default
            for test, body in reversed(cases):
                chain = [b.if_(test, body, chain)]
            return chain
        taken = self.temporary()
        statements: list[Any] = [b.assign_name(taken, b.TRUE)]
        for start in range(0, len(cases), _LONGEST_CHAIN):
            # Where no test of a piece holds, the flag says so to the next one.
            piece = self.one_of_many(cases[start : start + _LONGEST_CHAIN], [b.assign_name(taken, b.FALSE)])
            if start:
                piece = [b.if_(b.not_(b.load(taken)), [b.assign_name(taken, b.TRUE), *piece], [])]
            statements += piece
        return [*statements, b.if_(b.not_(b.load(taken)), default, [])]

    def guarded_switch(
        self, subject: Value, exact: list[Case], ranges: list[Case], default: Case | None, destination: str | None
    ) -> list[Result]:
        """With guards a case may be passed over: a flag tells whether one was taken."""
        taken = self.temporary()
        self.emit(b.assign_name(taken, b.FALSE))
        results: list[Result] = []
        tests = [(self.exact_test, c) for c in exact] + [(self.range_test, c) for c in ranges]
        for make_test, case in tests:

            def fill(case: Case = case) -> None:
                if case.guard is None:
                    self.emit(b.assign_name(taken, b.TRUE))
                    results.append(self.lower_to(case.body, destination))
                    return
                guard = self.condition(self.lower(case.guard), case.guard.position)
                body, result = self.branch(case.body, destination)
                results.append(result)
                self.emit(b.if_(guard, [b.assign_name(taken, b.TRUE), *body], []))

            test = b.and_([b.not_(b.load(taken)), make_test(subject, case)])
            self.emit(b.if_(test, self.nested(fill), []))
        body, result = self.branch(default.body if default is not None else None, destination)
        results.append(result)
        self.emit(b.if_(b.not_(b.load(taken)), body, []))
        return results

    def exact_test(self, subject: Value, case: Case) -> Any:
        """Whether the subject is one of the case's literals, type for type."""
        tests: list[Any] = []
        bits = subject.kind.bits
        integers = [v for v in case.values if type(v) is int]
        strings = [v for v in case.values if type(v) is str]
        if integers and bits & k.INT:
            tests.append(self.one_of(subject, integers, "int", bits == k.INT))
        if strings and bits & k.STR:
            tests.append(self.one_of(subject, strings, "str", True))
        characters = [v.text for v in case.values if type(v) is Char]
        if characters and bits & k.CHAR:
            text = Value(b.attribute(subject.node, "text"), k.K_STR, True, True, True)
            equal = self.one_of(text, characters, "str", True)
            tests.append(equal if bits == k.CHAR else b.and_([self.type_test(subject.node, "Char"), equal]))
        for value in case.values:
            kind = type(value)
            if kind in (int, str, Char, Range):
                continue
            if value is None or kind is bool:
                tests.append(b.compare(subject.node, "is", b.const(value)))
            else:
                literal = self.link.thing("case", _as_value(value))
                tests.append(b.call("same", [subject.node, b.load(literal)], case.position))
        return b.or_(tests) if tests else b.FALSE

    def one_of(self, subject: Value, values: list[Any], name: str, certain: bool) -> Any:
        if len(values) == 1:
            equal = b.compare(subject.node, "==", b.const(values[0]))
        else:
            equal = b.compare(subject.node, "in", b.load(self.link.thing("cases", frozenset(values))))
            if not certain or name == "str":
                certain = subject.kind.bits in (k.INT, k.STR)
        if certain:
            return equal
        test = b.compare(b.apply("type", [subject.node]), "is", b.load(name))
        return b.and_([test, equal])

    def range_test(self, subject: Value, case: Case) -> Any:
        found = [self.link.thing("range", value) for value in case.values if type(value) is Range]
        if subject.kind.bits == k.INT:
            tests = []
            for value in case.values:
                if type(value) is Range:
                    top = value.end if value.inclusive else value.end - 1
                    tests.append(b.between(b.const(value.start), subject.node, b.const(top)))
            return b.or_(tests)
        return b.or_([b.call("in_case", [subject.node, b.load(name)], case.position) for name in found])

    # --- variables ---

    def let(self, node: Let, destination: str | None) -> Result:
        variable = node.variable
        if self.is_full(variable, node.keyword):
            return NO_RESULT
        value = UNIT_VALUE if node.value is None else self.lower(node.value)
        self.define(variable, self.stored(value))
        if variable.constant and variable in self.link.globals:
            name = b.const(variable.name)
            self.emit(b.expression(b.call("define_global", [name, self.read(variable, node.position).node], 0)))
        if node.exported is not None:
            self.export_name(variable, node.exported)
        return self.deliver(UNIT_VALUE, destination) if destination is not None else UNIT_RESULT

    def exceeds(self, variable: Variable) -> bool:
        """Whether this variable would be one too many."""
        limit = self.link.limits.max_variables
        return bool(limit) and variable.count + len(self.function.captures) > limit

    def is_full(self, variable: Variable, position: int) -> bool:
        """Whether there is no room for one more variable; then the code says so."""
        if not self.exceeds(variable):
            return False
        self.emit(b.raise_(b.call("too_many_variables", [], position), position))
        return True

    def define(self, variable: Variable, node: Any) -> None:
        """A fresh variable with a value."""
        slot = self.slot(variable)
        if variable.captured:
            node = b.call("Cell", [node], 0)
        self.emit(b.assign_name(slot, node))
        if self.link.keeps_scope and variable in self.link.top:
            self.emit(b.assign(b.subscript_store(b.load("scope"), b.const(variable.name), 0), b.load(slot)))

    def assignment(self, node: Assign, destination: str | None) -> Result:
        target = node.target
        kind = type(target)
        if kind is Name:
            self.assign_name(target, node)
        elif kind is This:
            self.assign_cell(b.load("this"), node)
        elif kind is Qualified:
            self.emit(b.expression(self.lower(node.value).node))
            self.emit(b.expression(self.lower(target).node))
            self.emit(b.expression(b.call("refuse_constant", [b.const(target.name)], target.position)))
        else:
            self.store_into(target, node.operator, node.value, node.position)
        return self.deliver(UNIT_VALUE, destination) if destination is not None else UNIT_RESULT

    def assign_name(self, target: Name, node: Assign) -> None:
        variable = target.variable
        if variable is None:
            cell = self.link.caller_scope(target.name)
            if cell is not None and target.name not in self.link.scope_constants:
                self.assign_cell(b.load(cell), node)
                return
            value = self.lower(node.value)
            self.emit(b.expression(value.node))
            if cell is not None:
                self.emit(b.expression(b.call("refuse_constant", [b.const(target.name)], target.position)))
                return
            if self.link.evaluates:
                late = b.call("late_cell", [b.load("late"), b.const(target.name)], target.position)
                self.assign_cell(self.held(Value(late)).node, node)
                return
            # A function of this name is a constant.
            refusal = "refuse_constant" if self.link.is_function(target.name) else "unknown_variable"
            self.emit(b.expression(b.call(refusal, [b.const(target.name)], target.position)))
            return
        if variable.constant:
            self.emit(b.expression(self.lower(node.value).node))
            self.emit(b.expression(b.call("refuse_constant", [b.const(variable.name)], target.position)))
            return
        if variable.captured:
            self.assign_cell(b.load(self.slot(variable)), node)
            return
        slot = self.slot(variable)
        value_node = node.value
        if node.operator is None:
            if self.appends(variable, value_node):
                # `s = s + e` is `s += e`.
                value = self.lower(value_node.right)
                self.append_text(variable, slot, value, value_node.position)
                return
            self.emit(b.assign_name(slot, self.stored(self.lower(value_node))))
            return
        value = self.lower(value_node)
        old = self.read(variable, target.position)
        if node.operator == "+" and old.kind.bits & k.STR and self.is_hot():
            self.append_text(variable, slot, value, node.position)
            return
        if not value.simple and not b.is_computed(value.node):
            value = self.held(value)
        if value.kind.bits & k.CONTAINER:
            value = Value(self.stored(value), value.kind)
        result = self.operate(node.operator, old, value, node.position, True)
        self.emit(b.assign_name(slot, result.node))

    def appends(self, variable: Variable, value: Any) -> bool:
        """Whether `variable = value` appends text to a variable that certainly holds text."""
        return (
            type(value) is Binary
            and value.operator == "+"
            and type(value.left) is Name
            and value.left.variable is variable
            and kind_of(variable).bits == k.STR
        )

    def append_text(self, variable: Variable, slot: str, value: Value, position: int) -> None:
        """`variable += value` where the variable may hold text: CPython extends a string in place."""
        left = b.load(slot)
        bits = kind_of(variable).bits
        if not value.simple:
            value = self.held(value) if bits != k.STR or value.kind.bits != k.STR else value
        right = value.node
        if bits == k.STR and value.kind.bits != k.STR:
            right = b.call("joined_text" if value.kind.bits & k.BLOB else "text", [right], position)
        limit = self.link.limits.max_string_size
        fast: list[Any] = [b.augment(b.store(slot), "+", right)]
        if limit and limit < UNLIMITED:
            long = b.compare(self.length(left), ">", b.const(limit // 4))
            fast.append(b.if_(long, [b.expression(b.call("check_string", [left], position))], []))
        if bits == k.STR:
            self.out.extend(fast)
            return
        old = Value(left, kind_of(variable), False, True)
        stored = Value(self.stored(value), value.kind, True, value.simple, value.fixed)
        if bits & k.INT and value.kind.bits & k.INT:
            # More often a sum than a text.
            slow = [b.assign_name(slot, self.helper("+", old, stored, position, True))]
            if self.loop_depth and bits & k.FLOAT and value.kind.bits & k.FLOAT:
                floats = [self.type_test(node, "float") for node in (left, right)]
                slow = [b.if_(b.and_(floats), [b.augment(b.store(slot), "+", right)], slow)]
        else:
            slow = [b.assign_name(slot, self.operate("+", old, stored, position, True).node)]
        if value.kind.bits & k.STR:
            tests = [self.type_test(left, "str")]
            if value.kind.bits != k.STR:
                tests.append(self.type_test(right, "str"))
            slow = [b.if_(b.and_(tests), fast, slow)]
        if bits & k.INT and value.kind.bits & k.INT:
            slow = [self.sum_first(variable, slot, value, position, slow)]
        self.out.extend(slow)

    def sum_first(self, variable: Variable, slot: str, value: Value, position: int, other: list[Any]) -> Any:
        """Ask for integers first."""
        kind = kind_of(variable)
        old = Value(b.load(slot), self.integer_part(kind), False, True)
        new = Value(value.node, self.integer_part(value.kind), True, True, value.fixed)
        integers = [] if kind.bits == k.INT else [self.type_test(old.node, "int")]
        if value.kind.bits != k.INT:
            integers.append(self.type_test(new.node, "int"))
        total = b.assign_name(slot, self.checked("+", old, new, position, True).node)
        return b.if_(b.and_(integers), [total], other)

    @staticmethod
    def type_test(node: Any, name: str) -> Any:
        return b.compare(b.apply("type", [node]), "is", b.load(name))

    def assign_cell(self, cell: Any, node: Assign) -> None:
        """To a shared variable or `this`."""
        value = self.lower(node.value)
        target = b.at(b.attribute_store(cell, "v"), node.target.position)
        if node.operator is None:
            self.emit(b.assign_at(target, self.stored(value), node.target.position))
            return
        stored = self.stored(value)
        value = Value(stored, value.kind, True, value.simple and stored is value.node, value.fixed)
        value = value if value.simple else self.held(value)
        old = self.held(Value(b.attribute_at(cell, "v", node.target.position), K_ANY, False))
        result = self.operate(node.operator, old, value, node.position, True)
        self.emit(b.assign_at(target, result.node, node.target.position))

    # --- jumps ---

    def return_(self, node: Return, destination: str | None) -> Result:
        value = UNIT_VALUE if node.value is None else self.lower(node.value)
        self.emit(b.return_(self.returned(value)))
        return NO_RESULT

    # --- modules ---

    def import_(self, node: Import, destination: str | None) -> Result:
        path = self.lower(node.path)
        alias = b.const(node.alias)
        self.emit(b.expression(b.call("import_module", [path.node, alias, self.level], node.path.position)))
        return self.deliver(UNIT_VALUE, destination) if destination is not None else UNIT_RESULT

    def export(self, node: Export, destination: str | None) -> Result:
        variable = node.name.variable
        if variable is None:
            unknown = b.call("unknown_variable", [b.const(node.name.name)], node.name.position)
            self.emit(b.expression(unknown))
        else:
            self.export_name(variable, node.alias)
        return self.deliver(UNIT_VALUE, destination) if destination is not None else UNIT_RESULT

    def export_name(self, variable: Variable, alias: str) -> None:
        """The variable's final value is published when the module ends: remember where it will be."""
        self.link.exports.append((alias, variable))

    def expression_to(self, node: StatementExpression, destination: str | None) -> Result:
        return self.lower_to(node.statement, destination)

    def statement_expression(self, node: StatementExpression) -> Value:
        """A statement where a value is wanted."""
        statement = node.statement
        if type(statement) is Block and len(statement.statements) == 1:
            only = statement.statements[0]
            if type(only) in LOWER:
                return self.lower(only)
        if type(statement) is If and statement.other is not None:
            inline = self.inline_if(statement)
            if inline is not None:
                return inline
        name = self.temporary()
        result = self.lower_to(statement, name)
        kind = result.kind if result.kind.bits else K_ANY
        return Value(b.load(name), kind, result.owned, True, True)

    def inline_if(self, node: If) -> Value | None:
        """`a if c else b`, where neither branch needs statements of its own."""
        branches = []
        for branch in (node.body, node.other):
            if type(branch) is not Block or len(branch.statements) != 1:
                return None
            only = branch.statements[0]
            if type(only) not in LOWER:
                return None
            branches.append(only)
        test = self.condition(self.lower(node.condition), node.condition.position)
        values: list[Value] = []
        first = self.nested(lambda: values.append(self.lower(branches[0])))
        second = self.nested(lambda: values.append(self.lower(branches[1])))
        kind = k.join(values[0].kind, values[1].kind)
        owned = values[0].owned and values[1].owned
        if not first and not second:
            return Value(b.choose(test, values[0].node, values[1].node), kind, owned)
        name = self.temporary()
        first.append(b.assign_name(name, values[0].node))
        second.append(b.assign_name(name, values[1].node))
        self.emit(b.if_(test, first, second))
        return Value(b.load(name), kind, owned, True, True)


def _as_value(literal: Any) -> Any:
    """A literal of a case as a value of the language."""
    if type(literal) is list:
        return Array([_as_value(item) for item in literal])
    if type(literal) is dict:
        return Map({key: _as_value(value) for key, value in literal.items()})
    return literal


LOWER[StatementExpression] = Statements.statement_expression

LOWER_TO: dict[type, Callable[[Any, Any, str | None], Result]] = {
    Block: Statements.block,
    If: Statements.if_,
    Switch: Statements.switch,
    Let: Statements.let,
    Assign: Statements.assignment,
    Return: Statements.return_,
    Import: Statements.import_,
    Export: Statements.export,
    StatementExpression: Statements.expression_to,
}
