"""What the shape of an expression alone says about its value: conditions, indices and cases that can never be right.

Never: evaluates anything.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai.syntax import (
    ArrayLiteral,
    Binary,
    Call,
    Chain,
    Closure,
    IndexStep,
    Interpolation,
    Literal,
    Logical,
    MapLiteral,
    Name,
    Qualified,
    StatementExpression,
    Unary,
)
from trex.languages.rhai.tokens import is_function_name
from trex.languages.rhai.values import Char, FnPtr, Range


def position_of(node: Any) -> int:
    """Where errors about a node point: for operators the operator."""
    return node.position  # type: ignore[no-any-return]


def start_of(node: Any) -> int:
    """Where an expression starts, for errors: operators that are functions stand for their whole."""
    kind = type(node)
    while kind is Logical or kind is Chain:
        node = node.root if kind is Chain else node.left
        kind = type(node)
    if kind is Qualified:
        return node.path_position  # type: ignore[no-any-return]
    return node.position  # type: ignore[no-any-return]


# As mistakes name them.
_LITERAL_WORDS: dict[type, str] = {
    type(None): "()",
    int: "a number",
    float: "a floating-point number",
    Char: "a character",
    str: "a string",
}


def not_boolean(node: Any) -> str | None:
    """What a literal is that can never be a boolean."""
    kind = type(node)
    if kind is Literal:
        return _LITERAL_WORDS.get(type(node.value))
    if kind is Interpolation:
        return "a string"
    if kind is ArrayLiteral:
        return "an array"
    if kind is MapLiteral:
        return "an object map"
    # A closure that captures is made by statements of its own.
    return "Fn" if kind is Closure and not node.function.captures else None


def not_iterable(node: Any) -> str | None:
    """What a literal is that no loop can run over."""
    if type(node) is MapLiteral:
        return "an object map"
    if type(node) is Literal:
        if type(node.value) is bool:
            return "a boolean"
        if type(node.value) is not str:
            return _LITERAL_WORDS[type(node.value)]
    return None


def indexable_literal(node: Any) -> str | None:
    """`map` for an object map, `other` for what numbers index, None for what is no literal."""
    kind = type(node)
    if kind is MapLiteral:
        return "map"
    if kind in (ArrayLiteral, Interpolation) or (kind is Literal and type(node.value) in (int, str)):
        return "other"
    return None


def index_kind(node: Any) -> str | None:
    """What a literal index is."""
    kind = type(node)
    if kind is Literal:
        if type(node.value) is bool:
            return "a boolean"
        return "a float" if type(node.value) is float else _LITERAL_WORDS[type(node.value)]
    if kind is Interpolation:
        return "a string"
    if kind is Logical and node.operator != "??":
        return "a boolean"
    return None


def is_constant(node: Any) -> bool:
    """Whether an expression is made of literals alone."""
    kind = type(node)
    if kind is Literal:
        return True
    if kind is ArrayLiteral:
        return all(is_constant(item) for item in node.items)
    if kind is MapLiteral:
        return all(is_constant(value) for _, value in node.entries)
    return False


def is_folded(node: Any) -> bool:
    """Whether the language's engine knows the value of an expression before it runs."""
    kind = type(node)
    if node is None or is_constant(node):
        return True
    if kind is Binary or kind is Logical:
        return is_folded(node.left) and is_folded(node.right)
    if kind is Unary:
        return is_folded(node.operand)
    if kind is ArrayLiteral:
        return all(map(is_folded, node.items))
    if kind is MapLiteral:
        return all(is_folded(value) for _, value in node.entries)
    if kind is Interpolation:
        return all(map(is_folded, node.parts))
    if kind is Closure:
        return not node.function.captures
    if kind is Name:
        return node.variable is not None and bool(node.variable.literal)
    if kind is Call:
        return bool(node.name == "Fn")
    if kind is Chain:
        return is_folded(node.root) and all(type(step) is IndexStep and is_folded(step.index) for step in node.steps)
    return kind is StatementExpression


# No value: the expression is not made of literals.
NO_LITERAL = object()


def literal_value(node: Any) -> Any:
    """The value of an expression made of literals; arrays as lists, maps as dicts; else a marker."""
    kind = type(node)
    if kind is Literal:
        return node.value
    if kind is ArrayLiteral:
        items = [literal_value(item) for item in node.items]
        return NO_LITERAL if any(item is NO_LITERAL for item in items) else items
    if kind is MapLiteral:
        entries = {key: literal_value(value) for key, value in node.entries}
        return NO_LITERAL if any(value is NO_LITERAL for value in entries.values()) else entries
    if kind is Binary and node.operator in ("..", "..="):
        start, end = literal_value(node.left), literal_value(node.right)
        if end is None:
            end = 2**63 - 1
        if type(start) is int and type(end) is int:
            return Range(start, end, node.operator == "..=")
    if kind is Call and node.name == "Fn" and not node.path and len(node.arguments) == 1:
        name = literal_value(node.arguments[0])
        if type(name) is str and is_function_name(name):
            return FnPtr(name)
    return NO_LITERAL
