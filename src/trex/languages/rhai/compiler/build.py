"""Making nodes of Python's syntax tree, quickly.

Owns:  short constructors; shared nodes for names and constants.
Never: decides what to build.

Only nodes whose instruction can fail carry a position of the script: calls of helpers and subscripts.
All others share one. A node may appear in several places of a tree.
"""

from __future__ import annotations

import ast
from typing import Any

LOAD = ast.Load()
STORE = ast.Store()
DEL = ast.Del()

_BINARY = {
    "+": ast.Add(),
    "-": ast.Sub(),
    "*": ast.Mult(),
    "/": ast.Div(),
    "//": ast.FloorDiv(),
    "%": ast.Mod(),
    ">>": ast.RShift(),
    "<<": ast.LShift(),
    "&": ast.BitAnd(),
    "|": ast.BitOr(),
    "^": ast.BitXor(),
}
_COMPARE = {
    "==": ast.Eq(),
    "!=": ast.NotEq(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
    "is": ast.Is(),
    "is not": ast.IsNot(),
    "in": ast.In(),
    "not in": ast.NotIn(),
}
_NOT = ast.Not()
_MINUS = ast.USub()
_AND = ast.And()
_OR = ast.Or()

Expr = ast.expr
Stmt = ast.stmt


def _place(node: Any) -> Any:
    node.lineno = node.end_lineno = 1
    node.col_offset = node.end_col_offset = 0
    return node


def at(node: Any, position: int) -> Any:
    """The node, located at a position of the script."""
    node.lineno = node.end_lineno = position >> 20 or 1
    node.col_offset = node.end_col_offset = position & 0xFFFFF
    return node


def between_positions(node: Any, start: int, position: int) -> Any:
    """The node, located at a position, with another before it that some of its errors point at."""
    node.lineno = start >> 20 or 1
    node.col_offset = start & 0xFFFFF
    node.end_lineno = position >> 20 or 1
    node.end_col_offset = position & 0xFFFFF
    return node


_loads: dict[str, ast.Name] = {}
_stores: dict[str, ast.Name] = {}


def load(name: str) -> ast.Name:
    """A name, read."""
    node = _loads.get(name)
    if node is None:
        node = _loads[name] = _place(ast.Name(name, LOAD))
    return node


def store(name: str) -> ast.Name:
    """A name, written."""
    node = _stores.get(name)
    if node is None:
        node = _stores[name] = _place(ast.Name(name, STORE))
    return node


def forget() -> None:
    """Drop the shared names; called between programs."""
    _loads.clear()
    _stores.clear()


def const(value: Any) -> ast.Constant:
    """A literal."""
    return _place(ast.Constant(value))  # type: ignore[no-any-return]


NONE = const(None)
TRUE = const(True)
FALSE = const(False)
ZERO = const(0)
ONE = const(1)


def call(function: str, arguments: list[Any], position: int) -> ast.Call:
    """A call of a helper by name."""
    return at(ast.Call(load(function), arguments, []), position)  # type: ignore[no-any-return]


def apply(function: str, arguments: list[Any]) -> ast.Call:
    """A call that cannot fail, of a builtin or a helper by name."""
    return _place(ast.Call(load(function), arguments, []))  # type: ignore[no-any-return]


def apply_node(function: Any, arguments: list[Any]) -> ast.Call:
    """A call that cannot fail, of what an expression gives."""
    return _place(ast.Call(function, arguments, []))  # type: ignore[no-any-return]


def is_name(node: Any) -> bool:
    """Whether a node is a plain name."""
    return type(node) is ast.Name


def is_this(node: Any) -> bool:
    """Whether a node is the `this` of the function."""
    return type(node) is ast.Name and node.id == "this"


def is_constant(node: Any) -> bool:
    """Whether a node is a literal."""
    return type(node) is ast.Constant


def is_simple(node: Any) -> bool:
    """Whether a node may be written twice: a name or a literal."""
    return type(node) is ast.Name or type(node) is ast.Constant


def is_computed(node: Any) -> bool:
    """Whether a node is arithmetic on what is simple, which nothing but its operands can change."""
    return type(node) in (ast.BinOp, ast.IfExp, ast.Compare)


def call_node(function: Any, arguments: list[Any], position: int) -> ast.Call:
    """A call of what an expression gives."""
    return at(ast.Call(function, arguments, []), position)  # type: ignore[no-any-return]


def binary(left: Any, op: str, right: Any) -> ast.BinOp:
    return _place(ast.BinOp(left, _BINARY[op], right))  # type: ignore[no-any-return]


def compare(left: Any, op: str, right: Any) -> ast.Compare:
    return _place(ast.Compare(left, [_COMPARE[op]], [right]))  # type: ignore[no-any-return]


def between(low: Any, value: Any, high: Any, op: str = "<=") -> ast.Compare:
    """`low <= value <= high`, or with another comparison."""
    return _place(ast.Compare(low, [_COMPARE[op], _COMPARE[op]], [value, high]))  # type: ignore[no-any-return]


def negate(operand: Any) -> ast.UnaryOp:
    return _place(ast.UnaryOp(_MINUS, operand))  # type: ignore[no-any-return]


def not_(operand: Any) -> ast.UnaryOp:
    return _place(ast.UnaryOp(_NOT, operand))  # type: ignore[no-any-return]


def and_(operands: list[Any]) -> Any:
    return operands[0] if len(operands) == 1 else _place(ast.BoolOp(_AND, operands))


def or_(operands: list[Any]) -> Any:
    return operands[0] if len(operands) == 1 else _place(ast.BoolOp(_OR, operands))


def choose(test: Any, body: Any, other: Any) -> ast.IfExp:
    """`body if test else other`."""
    return _place(ast.IfExp(test, body, other))  # type: ignore[no-any-return]


def walrus(name: str, value: Any) -> ast.NamedExpr:
    return _place(ast.NamedExpr(store(name), value))  # type: ignore[no-any-return]


def attribute(value: Any, name: str) -> ast.Attribute:
    return _place(ast.Attribute(value, name, LOAD))  # type: ignore[no-any-return]


def attribute_at(value: Any, name: str, position: int) -> ast.Attribute:
    return at(ast.Attribute(value, name, LOAD), position)  # type: ignore[no-any-return]


def attribute_store(value: Any, name: str) -> ast.Attribute:
    return _place(ast.Attribute(value, name, STORE))  # type: ignore[no-any-return]


def subscript(value: Any, index: Any, position: int) -> ast.Subscript:
    return at(ast.Subscript(value, index, LOAD), position)  # type: ignore[no-any-return]


def subscript_store(value: Any, index: Any, position: int) -> ast.Subscript:
    return at(ast.Subscript(value, index, STORE), position)  # type: ignore[no-any-return]


def tuple_(items: list[Any]) -> ast.Tuple:
    return _place(ast.Tuple(items, LOAD))  # type: ignore[no-any-return]


def tuple_store(items: list[Any]) -> ast.Tuple:
    return _place(ast.Tuple(items, STORE))  # type: ignore[no-any-return]


def list_(items: list[Any]) -> ast.List:
    return _place(ast.List(items, LOAD))  # type: ignore[no-any-return]


def dict_(keys: list[Any], values: list[Any]) -> ast.Dict:
    return _place(ast.Dict(keys, values))  # type: ignore[no-any-return]


def joined(parts: list[Any]) -> ast.JoinedStr:
    """An f-string."""
    return _place(ast.JoinedStr(parts))  # type: ignore[no-any-return]


def formatted(value: Any) -> ast.FormattedValue:
    return _place(ast.FormattedValue(value, -1, None))  # type: ignore[no-any-return]


# --- statements ---


def assign(target: Any, value: Any) -> ast.Assign:
    return _place(ast.Assign([target], value))  # type: ignore[no-any-return]


def assign_at(target: Any, value: Any, position: int) -> ast.Assign:
    """An assignment that can fail, such as to a locked cell."""
    return at(ast.Assign([target], value), position)  # type: ignore[no-any-return]


def assign_name(name: str, value: Any) -> ast.Assign:
    return _place(ast.Assign([store(name)], value))  # type: ignore[no-any-return]


def augment(target: Any, op: str, value: Any) -> ast.AugAssign:
    return _place(ast.AugAssign(target, _BINARY[op], value))  # type: ignore[no-any-return]


def expression(value: Any) -> ast.Expr:
    return _place(ast.Expr(value))  # type: ignore[no-any-return]


def if_(test: Any, body: list[Any], other: list[Any]) -> ast.If:
    return _place(ast.If(test, body or [PASS], other))  # type: ignore[no-any-return]


def while_(test: Any, body: list[Any]) -> ast.While:
    return _place(ast.While(test, body or [PASS], []))  # type: ignore[no-any-return]


def for_(target: Any, iterable: Any, body: list[Any], other: list[Any]) -> ast.For:
    return _place(ast.For(target, iterable, body or [PASS], other))  # type: ignore[no-any-return]


def return_(value: Any) -> ast.Return:
    return _place(ast.Return(value))  # type: ignore[no-any-return]


def raise_(value: Any, position: int) -> ast.Raise:
    return at(ast.Raise(value, None), position)  # type: ignore[no-any-return]


def try_except(body: list[Any], caught: Any, name: str, handler: list[Any]) -> ast.Try:
    clause = _place(ast.ExceptHandler(caught, name, handler))
    return _place(ast.Try(body or [PASS], [clause], [], []))  # type: ignore[no-any-return]


def try_finally(body: list[Any], final: list[Any]) -> ast.Try:
    return _place(ast.Try(body, [], [], final))  # type: ignore[no-any-return]


def function(name: str, parameters: list[str], body: list[Any]) -> ast.FunctionDef:
    """A function with plain positional parameters."""
    arguments = ast.arguments([], [_place(ast.arg(p)) for p in parameters], None, [], [], None, [])
    return _place(ast.FunctionDef(name, arguments, body or [PASS], []))  # type: ignore[no-any-return]


def module(body: list[Any]) -> ast.Module:
    return ast.Module(body, [])


def global_(names: list[str]) -> ast.Global:
    return _place(ast.Global(names))  # type: ignore[no-any-return]


PASS = _place(ast.Pass())
BREAK = _place(ast.Break())
CONTINUE = _place(ast.Continue())
