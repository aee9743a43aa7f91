"""Loops: `loop`, `while`, `do`, `for`, and the jumps inside them.

Owns:  how a loop counts its turns, and what a `for` loop iterates over.
Never: lets a loop see the changes it makes to what it iterates over.

Turns are counted without a counter: where a limit on steps is in force, all loops draw from one shared
iterator, `STEPS`, of as many items as the run may take. A `while` is then a Python `for` over it, and a
`for` runs over both at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.frame import UNIT_VALUE, Value
from trex.languages.rhai.compiler.kinds import K_ANY, K_UNIT, kind_of
from trex.languages.rhai.compiler.statements import LOWER_TO, NO_RESULT, RETURN, Result, Statements
from trex.languages.rhai.parser.checks import start_of
from trex.languages.rhai.syntax import Binary, Break, Call, Chain, Continue, Do, For, Name, This, While
from trex.languages.rhai.values import THIS_CELL
from trex.values import INT_MAX


class Loop:
    """A loop that is being lowered: where `break value` puts its value."""

    __slots__ = ("destination", "kind", "owned")

    def __init__(self, destination: str | None) -> None:
        self.destination = destination
        self.kind = K_UNIT
        self.owned = True


class Loops(Statements):
    """Lowering of loops."""

    loops: list[Loop]

    def begin(self, destination: str | None) -> tuple[Loop, str | None]:
        """Enter a loop; its value is unit unless a `break` says otherwise."""
        name = destination
        if destination == RETURN:
            name = self.temporary()
        if name is not None:
            self.emit(b.assign_name(name, b.NONE))
        loop = Loop(name)
        self.loops.append(loop)
        self.loop_depth += 1
        return loop, name

    def end(self, loop: Loop, name: str | None, destination: str | None) -> Result:
        self.loops.pop()
        self.loop_depth -= 1
        if destination == RETURN and name is not None:
            return self.deliver(Value(b.load(name), loop.kind, loop.owned, True, True), RETURN)
        return Result(loop.kind, loop.owned)

    @property
    def counted(self) -> bool:
        return bool(self.link.limits.max_steps)

    def out_of_steps(self, position: int) -> list[Any]:
        """What follows a loop over `STEPS` that came to its end."""
        return [b.raise_(b.call("too_many_operations", [], position), position)]

    def turns(self, body: list[Any], position: int) -> None:
        """An endless Python loop around the body."""
        if self.counted:
            self.emit(b.at(b.for_(b.store("_"), b.load("STEPS"), body, self.out_of_steps(position)), position))
        else:
            self.emit(b.at(b.while_(b.TRUE, body), position))

    def while_(self, node: While, destination: str | None) -> Result:
        loop, name = self.begin(destination)
        condition = node.condition
        if condition is None:
            self.turns(self.nested(lambda: self.lower_to(node.body, None)), node.position)
            return self.end(loop, name, destination)
        tests: list[Any] = []
        before = self.nested(lambda: tests.append(self.condition(self.lower(condition), condition.position)))
        body = self.nested(lambda: self.lower_to(node.body, None))
        if not before and not self.counted:
            self.emit(b.at(b.while_(tests[0], body), node.position))
        else:
            self.turns([*before, b.if_(b.not_(tests[0]), [b.BREAK], []), *body], node.position)
        return self.end(loop, name, destination)

    def do(self, node: Do, destination: str | None) -> Result:
        loop, name = self.begin(destination)

        def fill() -> None:
            self.lower_to(node.body, None)
            # `continue` starts the next turn without asking the condition, as in Python.
            test = self.condition(self.lower(node.condition), node.condition.position)
            self.emit(b.if_(test if node.until else b.not_(test), [b.BREAK], []))

        self.turns(self.nested(fill), node.position)
        return self.end(loop, name, destination)

    def for_(self, node: For, destination: str | None) -> Result:
        if self.is_full(node.variable, node.name_position):
            return NO_RESULT
        iterable = self.iterable(node)
        loop, name = self.begin(destination)
        variable, counter = node.variable, node.counter
        items = self.temporary() if variable.captured else self.slot(variable)
        target: Any = b.store(items)
        body: list[Any] = []
        if variable.captured:
            # One cell for the whole loop: closures made in different turns share it.
            self.emit(b.assign_name(self.slot(variable), b.call("Cell", [b.NONE], 0)))
            body.append(b.assign(b.attribute_store(b.load(self.slot(variable)), "v"), b.load(items)))
        if variable.changed or variable.captured:
            shared = Value(b.load(items), k.known(kind_of(variable)), False, True, True)
            body.insert(0, b.assign_name(items, self.stored(shared)))
        if counter is not None:
            index = self.temporary() if counter.captured else self.slot(counter)
            if counter.captured:
                self.emit(b.assign_name(self.slot(counter), b.call("Cell", [b.NONE], 0)))
                body.insert(0, b.assign(b.attribute_store(b.load(self.slot(counter)), "v"), b.load(index)))
            iterable = b.apply("enumerate", [iterable])
            target = b.tuple_store([b.store(index), target])
        body += self.nested(lambda: self.lower_to(node.body, None))
        after: list[Any] = []
        if self.counted:
            iterable = b.apply("compress", [iterable, b.load("STEPS")])
            after = [b.expression(b.call("check_steps", [], node.position))]
        self.emit(b.at(b.for_(target, iterable, body, after), node.position))
        return self.end(loop, name, destination)

    def iterable(self, node: For) -> Any:
        """A Python iterable of what the loop runs over, evaluated here."""
        source = node.iterable
        if type(source) is Binary and source.operator in ("..", "..="):
            low, high = self.operands([source.left, source.right], self.lower)
            if low.kind.bits == k.INT and high.kind.bits == k.INT:
                return self.python_range(low, high, source.operator == "..=")
            made = self.operate(source.operator, low, high, source.position)
            return b.call("iterate", [made.node], start_of(source))
        if type(source) is Call and source.name == "range" and not source.path:
            ranged = self.stepped_range(source)
            if ranged is not None:
                return ranged
        value = self.lower(source)
        bits = value.kind.bits
        if bits & k.CONTAINER and not value.owned and self.may_change(source):
            value = Value(self.stored(value), value.kind, False)
        if bits == k.ARRAY:
            return b.attribute(value.node, "v")
        if bits & k.ARRAY and self.is_hot():
            value = self.simple(value)
            test = self.type_test(value.node, "Array")
            other = b.call("iterate", [value.node], start_of(source))
            return b.choose(test, b.attribute(value.node, "v"), other)
        return b.call("iterate", [value.node], start_of(source))

    def python_range(self, low: Value, high: Value, inclusive: bool) -> Any:
        end = high.node
        if inclusive:
            end = b.const(end.value + 1) if b.is_constant(end) else b.binary(end, "+", b.ONE)
        return b.apply("range", [low.node, end])

    def stepped_range(self, source: Call) -> Any:
        """`range(a, b)` and `range(a, b, step)` for integers and a step that is known."""
        count = len(source.arguments)
        if count not in (2, 3) or ("range", count) in self.link.functions:
            return None
        values = self.operands(source.arguments, self.lower)
        # The last number before the end of the integers is not given where the next would be beyond them.
        plain = count == 2 or (values[2].kind.low > 0 and values[1].kind.high + values[2].kind.high <= INT_MAX)
        if not plain or any(value.kind.bits != k.INT for value in values):
            made = self.dispatched(
                "range",
                self.link.natives["range", count],
                values[0],
                [v.node for v in values[1:]],
                source.position,
                K_ANY,
            )
            return b.call("iterate", [made.node], source.position)
        return b.apply("range", [value.node for value in values])

    def may_change(self, source: object) -> bool:
        """Whether something in the loop could change what it runs over in place."""
        root: Any = source
        while type(root) is Chain:
            root = root.root
        if type(root) is This:
            # A `this` taken by value: nothing that runs here reaches its owner.
            return self.function.this == THIS_CELL
        if type(root) is Name and root.variable is not None:
            return bool(root.variable.changed or root.variable.captured)
        return True

    def break_(self, node: Break, destination: str | None) -> Result:
        loop = self.loops[-1]
        value = UNIT_VALUE if node.value is None else self.lower(node.value)
        if loop.destination is not None:
            self.emit(b.assign_name(loop.destination, value.node))
            loop.kind = k.join(loop.kind, value.kind)
            loop.owned = loop.owned and value.owned
        elif not value.simple:
            self.emit(b.expression(value.node))
        self.emit(b.BREAK)
        return NO_RESULT

    def continue_(self, node: Continue, destination: str | None) -> Result:
        self.emit(b.CONTINUE)
        return NO_RESULT


_HANDLERS: dict[type, Callable[[Any, Any, str | None], Result]] = {
    While: Loops.while_,
    Do: Loops.do,
    For: Loops.for_,
    Break: Loops.break_,
    Continue: Loops.continue_,
}
LOWER_TO.update(_HANDLERS)
