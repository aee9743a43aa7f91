"""One function being lowered: its statements so far, its temporaries, the order of evaluation.

Owns:  `Value`, an expression of Python with what is known of it; the rule that keeps operands in order.
Never: knows a node of the script's tree.

Lowering an expression gives a Python expression and may emit statements that must run before it. When a
later operand emits statements, the earlier ones, still inline, would run after them: `operands` then
moves each earlier one into a temporary first, unless nothing can change it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.kinds import K_ANY, Kind

Weight = tuple[int, int, int]


class Value(Struct, eq=False, gc=False):
    """A Python expression.

    simple: a name or constant: it may be written twice.
    fixed:  statements that run before it cannot change it.
    owned:  nobody else holds what it gives; else storing it marks it as shared.
    weight: for a new container, what it weighs in another one, where that is known: (array, map, string).
    """

    node: Any
    kind: Kind = K_ANY
    owned: bool = True
    simple: bool = False
    fixed: bool = False
    weight: Weight | None = None


UNIT_VALUE = Value(b.NONE, k.K_UNIT, simple=True, fixed=True)


class Frame:
    """The Python function being made."""

    def __init__(self) -> None:
        self.out: list[Any] = []
        self.temporaries = 0
        self.loop_depth = 0
        # How many calls and stores were lowered: what may change a container that somebody has read.
        self.effects = 0

    def temporary(self) -> str:
        """A fresh name."""
        self.temporaries += 1
        return f"t{self.temporaries}"

    def emit(self, statement: Any) -> None:
        self.out.append(statement)

    def stored(self, value: Value) -> Any:
        """The value for a place that keeps it."""
        return value.node

    def nested(self, fill: Callable[[], Any]) -> list[Any]:
        """The statements that `fill` emits."""
        saved, self.out = self.out, []
        try:
            fill()
            return self.out
        finally:
            self.out = saved

    def held(self, value: Value) -> Value:
        """The value in a name: it may be written twice, and nothing changes it."""
        if value.simple and value.fixed:
            return value
        name = self.temporary()
        self.out.append(b.assign_name(name, value.node))
        return Value(b.load(name), value.kind, value.owned, True, True, value.weight)

    def simple(self, value: Value) -> Value:
        """The value as a name or constant, for immediate use."""
        return value if value.simple else self.held(value)

    def both_simple(self, left: Value, right: Value) -> tuple[Value, Value]:
        """Two operands as names or constants, evaluated in order."""
        left = self.simple(left)
        return left, self.simple(right)

    def operands(self, nodes: list[Any], lower: Callable[[Any], Value], keep_first: bool = False) -> list[Value]:
        """Lower nodes in order, so that they are evaluated in order.

        keep_first: the first is a plain variable that the language reads last.
        """
        if keep_first and nodes[0].variable is None and len(nodes) > 1:
            lowered = self.operands([*nodes[1:], nodes[0]], lower)
            return [lowered[-1], *lowered[:-1]]
        values: list[Value] = []
        # Those that what follows could still change.
        loose: list[int] = []
        out = self.out
        for node in nodes:
            mark = len(out)
            effects = self.effects
            value = lower(node)
            if len(out) > mark and loose:
                moved = []
                for index in loose:
                    earlier = values[index]
                    # What runs in between could change a container: its value is that of now.
                    held = earlier.node if self.effects == effects else self.stored(earlier)
                    owned = earlier.owned or self.effects > effects
                    name = self.temporary()
                    moved.append(b.assign_name(name, held))
                    values[index] = Value(b.load(name), earlier.kind, owned, True, True)
                out[mark:mark] = moved
                loose.clear()
            if not value.fixed and (values or not keep_first):
                loose.append(len(values))
            values.append(value)
        return values
