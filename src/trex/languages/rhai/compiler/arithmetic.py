"""Operators: inline fast paths for integers and floats, a helper for everything else.

Owns:  when an operation can be done inline, and with which check.
Relies on: `semantics.operators`, which does every operation for values of any type.
Never: changes what an operator means: the inline form is taken only where its result is the helper's.

Integers. Python's are unbounded, so an operation is done exactly and the result compared with 64 bits
afterwards, on the sides where the bounds of the operands allow it to leave. The comparison with a small
constant comes first: it is several times cheaper than one with a large one.
"""

from __future__ import annotations

import sys
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.frame import Frame, Value
from trex.languages.rhai.compiler.kinds import Kind
from trex.languages.rhai.syntax import Literal
from trex.values import INT_MAX, INT_MIN

# The largest integer that CPython compares without a function call. From 3.12 on it pays to ask for these
# first; before, comparing with a large constant costs hardly more.
SMALL = 2**30 - 1
SMALL_FIRST = sys.version_info >= (3, 12)

HELPERS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "%": "mod",
    "**": "power",
    "<<": "shl",
    ">>": "shr",
    "&": "bit_and",
    "|": "bit_or",
    "^": "bit_xor",
    "==": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "..": "range_exclusive",
    "..=": "range_inclusive",
}
ASSIGN_HELPERS = {op: f"assign_{name}" for op, name in HELPERS.items() if op in "+-***/%<<>>&|^"}
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_OVERFLOWS = {"+": "add_overflow", "-": "sub_overflow", "*": "mul_overflow"}

_SMALL_LOW, _SMALL_HIGH = b.const(-SMALL), b.const(SMALL)
_LOW, _HIGH = b.const(INT_MIN), b.const(INT_MAX)
_TYPE = "type"
_INT = b.load("int")
_STR = b.load("str")


def type_is(value: Any, name: str) -> Any:
    """`type(value) is name`."""
    return b.compare(b.apply(_TYPE, [value]), "is", b.load(name))


def within(compute: Any, result: Any, low_known: bool, high_known: bool) -> Any:
    """A test that an exact result is within 64 bits, on the sides where it might not be."""
    if high_known:
        test, large = b.compare(compute, ">=", _SMALL_LOW), b.compare(result, ">=", _LOW)
        single = b.compare(compute, ">=", _LOW)
    elif low_known:
        test, large = b.compare(compute, "<=", _SMALL_HIGH), b.compare(result, "<=", _HIGH)
        single = b.compare(compute, "<=", _HIGH)
    else:
        test, large = b.between(_SMALL_LOW, compute, _SMALL_HIGH), b.between(_LOW, result, _HIGH)
        single = b.between(_LOW, compute, _HIGH)
    return b.or_([test, large]) if SMALL_FIRST else single


class Arithmetic(Frame):
    """Lowering of operators on values already lowered."""

    hot: bool

    def is_hot(self) -> bool:
        """Whether this code may run often enough for its fast path to be worth compiling."""
        return self.hot or self.loop_depth > 0

    def checked(self, op: str, left: Value, right: Value, position: int, assigning: bool = False) -> Value:
        """`left op right` for two integers and `+`, `-` or `*`, checked for overflow where it can happen."""
        low, high = k.exact_bounds(op, left.kind, right.kind)
        kind = k.integer(low, high)
        if low >= INT_MIN and high <= INT_MAX:
            return Value(b.binary(left.node, op, right.node), kind)
        if not right.simple:
            left, right = self.both_simple(left, right)
        name = self.temporary()
        result = b.load(name)
        compute = b.walrus(name, b.binary(left.node, op, right.node))
        test = within(compute, result, low >= INT_MIN, high <= INT_MAX)
        helper = _OVERFLOWS[op] + ("_at" if assigning else "")
        return Value(b.choose(test, result, b.call(helper, [result, right.node], position)), kind)

    def integers(self, op: str, left: Value, right: Value, position: int, assigning: bool) -> Value | None:
        """`left op right` for two integers, inline; None where only the helper does it."""
        if op in _OVERFLOWS:
            return self.checked(op, left, right, position, assigning)
        if op in COMPARISONS:
            return Value(b.compare(left.node, op, right.node), k.K_BOOL)
        kind = k.binary(op, left.kind, right.kind)
        if op == "/" or op == "%":
            python = "//" if op == "/" else "%"
            if right.kind.low > 0 and left.kind.low >= 0:
                return Value(b.binary(left.node, python, right.node), kind)
            left, right = self.both_simple(left, right)
            plain = b.binary(left.node, python, right.node)
            positive = b.compare(left.node, ">=", b.ZERO)
            if right.kind.low > 0:
                # Truncation toward zero: divide the absolute value.
                other: Any = b.negate(b.binary(b.negate(left.node), python, right.node))
            else:
                positive = b.and_([positive, b.compare(right.node, ">", b.ZERO)])
                other = self.helper(op, left, right, position, assigning)
            return Value(b.choose(positive, plain, other), kind)
        if op in ("&", "|", "^"):
            return Value(b.binary(left.node, op, right.node), kind)
        if op == ">>" and right.kind.low >= 0 and right.kind.high < 64:
            return Value(b.binary(left.node, op, right.node), kind)
        if op == "**" and right.kind.low == right.kind.high == 2:
            left = self.simple(left)
            return self.square(left, right, position, assigning)
        return None

    def square(self, left: Value, right: Value, position: int, assigning: bool) -> Value:
        low, high = k.exact_bounds("*", left.kind, left.kind)
        plain = b.binary(left.node, "*", left.node)
        if high <= INT_MAX:
            return Value(plain, k.integer(low, high))
        name = self.temporary()
        result = b.load(name)
        test = within(b.walrus(name, plain), result, True, False)
        return Value(b.choose(test, result, self.helper("**", left, right, position, assigning)), Kind(k.INT, 0))

    def helper(self, op: str, left: Value, right: Value, position: int, assigning: bool = False) -> Any:
        """The call that does the operation for values of any type."""
        name = ASSIGN_HELPERS[op] if assigning else HELPERS[op]
        return b.call(name, [left.node, right.node], position)

    def operate(self, op: str, left: Value, right: Value, position: int, assigning: bool = False) -> Value:
        """`left op right`; `assigning` for the value that `left op= right` stores."""
        x, y = left.kind.bits, right.kind.bits
        if x == k.INT and y == k.INT:
            inline = self.integers(op, left, right, position, assigning)
            if inline is not None:
                return inline
        kind = k.assigned(op, left.kind, right.kind) if assigning else k.binary(op, left.kind, right.kind)
        if x | y == k.FLOAT or (not (x | y) & ~k.NUMBER and k.FLOAT in (x, y)):
            inline = self.floats(op, left, right, position)
            if inline is not None:
                return inline
        elif x == k.STR and y == k.STR and op in COMPARISONS:
            return Value(b.compare(left.node, op, right.node), k.K_BOOL)
        elif x & k.INT and y & k.INT and self.is_hot() and op in _GUARDED:
            return self.guarded(op, left, right, position, assigning, kind)
        elif op in COMPARISONS and self.is_hot():
            if k.CHAR in (x, y):
                left, right = self.both_simple(left, right)
                return Value(self.char_comparison(op, left, right, self.helper(op, left, right, position)), k.K_BOOL)
            if op in ("==", "!="):
                inline = self.equality(op, left, right, position)
                if inline is not None:
                    return inline
        return Value(self.helper(op, left, right, position, assigning), kind)

    def guarded(self, op: str, left: Value, right: Value, position: int, assigning: bool, kind: Kind) -> Value:
        """The integer form where both turn out to be integers, else the helper."""
        left, right = self.both_simple(left, right)
        tests = [type_is(v.node, "int") for v in (left, right) if v.kind.bits != k.INT]
        as_int = [
            v if v.kind.bits == k.INT else Value(v.node, self.integer_part(v.kind), v.owned, v.simple, v.fixed)
            for v in (left, right)
        ]
        inline = self.integers(op, as_int[0], as_int[1], position, assigning)
        other = self.helper(op, left, right, position, assigning)
        if inline is None:
            return Value(other, kind)
        if self.loop_depth and op in _FLOAT_INLINE and left.kind.bits & k.FLOAT and right.kind.bits & k.FLOAT:
            # In loops the second most frequent case is worth its code.
            floats = [type_is(v.node, "float") for v in (left, right)]
            if op == "/":
                floats.append(right.node)
            other = b.choose(b.and_(floats), b.binary(left.node, op, right.node), other)
        elif op in COMPARISONS:
            other = self.char_comparison(op, left, right, other)
        return Value(b.choose(b.and_(tests), inline.node, other), kind)

    @staticmethod
    def char_comparison(op: str, left: Value, right: Value, other: Any) -> Any:
        """A comparison with a character literal, inline for characters."""
        for value, literal in ((left, right), (right, left)):
            if literal.kind.bits == k.CHAR and literal.fixed and value.kind.bits & k.CHAR:
                texts = [b.attribute(v.node, "text") for v in (left, right)]
                inline = b.compare(texts[0], op, texts[1])
                if value.kind.bits == k.CHAR:
                    return inline
                return b.choose(type_is(value.node, "Char"), inline, other)
        return other

    @staticmethod
    def integer_part(kind: Kind) -> Kind:
        """What is known if it is an integer."""
        return Kind(k.INT, kind.low, kind.high) if kind.low <= kind.high else k.K_INT

    def floats(self, op: str, left: Value, right: Value, position: int) -> Value | None:
        """Two numbers of which one is a float: what Python does the same way."""
        if op in ("+", "-", "*"):
            return Value(b.binary(left.node, op, right.node), k.K_FLOAT)
        if op == "/" and b.is_constant(right.node) and right.node.value:
            return Value(b.binary(left.node, "/", right.node), k.K_FLOAT)
        if op in _ZERO_COMPARISONS and b.is_constant(right.node) and right.node.value == 0:
            # Against zero the tolerance is absolute; infinities compare as false, and not-a-number as equal.
            low, high, inside = _ZERO_COMPARISONS[op]
            if "=" not in op:
                return Value(b.between(b.const(low), left.node, b.const(high), inside), k.K_BOOL)
            value = self.simple(left).node
            within = b.between(b.const(low), value, b.const(high), inside)
            return Value(b.or_([within, b.compare(value, "!=", value)]), k.K_BOOL)
        return None

    def equality(self, op: str, left: Value, right: Value, position: int) -> Value | None:
        """Comparison with a literal whose type decides most cases."""
        for value, literal in ((left, right), (right, left)):
            node = literal.node
            if not b.is_constant(node):
                continue
            if node.value is None:
                if value.kind.bits & k.OTHER and value.kind.bits != k.ANY:
                    return None
                if b.is_constant(value.node):
                    return Value(b.TRUE if (value.node.value is None) == (op == "==") else b.FALSE, k.K_BOOL)
                return Value(b.compare(value.node, "is" if op == "==" else "is not", b.NONE), k.K_BOOL)
            if type(node.value) is str and value.kind.bits & k.STR:
                if value.kind.bits == k.STR:
                    return Value(b.compare(left.node, op, right.node), k.K_BOOL)
                left, right = self.both_simple(left, right)
                test = type_is((left if literal.node is right.node else right).node, "str")
                inline = b.compare(left.node, op, right.node)
                return Value(b.choose(test, inline, self.helper(op, left, right, position)), k.K_BOOL)
        return None

    def condition(self, value: Value, position: int) -> Any:
        """A Python test that is exactly the boolean, or the error that it is none."""
        bits = value.kind.bits
        if bits == k.BOOL:
            return value.node
        if not bits & k.BOOL:
            return b.call("not_bool", [value.node], position)
        name = self.temporary()
        known = b.load(name)
        test = b.or_([b.compare(b.walrus(name, value.node), "is", b.TRUE), b.compare(known, "is", b.FALSE)])
        return b.choose(test, known, b.call("not_bool", [known], position))

    @staticmethod
    def is_literal(node: Any) -> bool:
        return type(node) is Literal


_GUARDED = frozenset(("+", "-", "*", "/", "%", "&", "|", "^", ">>", "**", *COMPARISONS))
_FLOAT_INLINE = frozenset(("+", "-", "*", "/"))
_EPSILON = 2.0**-52
_INF = float("inf")
# op -> low, high, and the comparison in `low ? x ? high` that means `x op 0.0`.
_ZERO_COMPARISONS: dict[str, tuple[float, float, str]] = {
    ">": (_EPSILON, _INF, "<"),
    "<": (-_INF, -_EPSILON, "<"),
    ">=": (-_EPSILON, _INF, "<"),
    "<=": (-_INF, _EPSILON, "<"),
    "==": (-_EPSILON, _EPSILON, "<="),
}
