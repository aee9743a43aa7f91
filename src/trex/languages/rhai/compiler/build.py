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


def _located(kind: Any) -> Any:
    """The same kind of node, located at the start of the script unless an instance says otherwise.

    Four attributes of the class instead of four of each node: most of what making a node costs.
    """
    return type(kind.__name__, (kind,), {"lineno": 1, "end_lineno": 1, "col_offset": 0, "end_col_offset": 0})


_Assign = _located(ast.Assign)
_Attribute = _located(ast.Attribute)
_AugAssign = _located(ast.AugAssign)
_BinOp = _located(ast.BinOp)
_BoolOp = _located(ast.BoolOp)
_Break = _located(ast.Break)
_Call = _located(ast.Call)
_Compare = _located(ast.Compare)
_Constant = _located(ast.Constant)
_Continue = _located(ast.Continue)
_Dict = _located(ast.Dict)
_ExceptHandler = _located(ast.ExceptHandler)
_Expr = _located(ast.Expr)
_For = _located(ast.For)
_FormattedValue = _located(ast.FormattedValue)
_FunctionDef = _located(ast.FunctionDef)
_Global = _located(ast.Global)
_If = _located(ast.If)
_IfExp = _located(ast.IfExp)
_JoinedStr = _located(ast.JoinedStr)
_List = _located(ast.List)
_Name = _located(ast.Name)
_NamedExpr = _located(ast.NamedExpr)
_Pass = _located(ast.Pass)
_Raise = _located(ast.Raise)
_Return = _located(ast.Return)
_Subscript = _located(ast.Subscript)
_Try = _located(ast.Try)
_Tuple = _located(ast.Tuple)
_UnaryOp = _located(ast.UnaryOp)
_While = _located(ast.While)
_arg = _located(ast.arg)


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


_loads: dict[str, Any] = {}
_stores: dict[str, Any] = {}


def load(name: str) -> Any:
    """A name, read."""
    node = _loads.get(name)
    if node is None:
        node = _loads[name] = _Name(name, LOAD)
    return node


def store(name: str) -> Any:
    """A name, written."""
    node = _stores.get(name)
    if node is None:
        node = _stores[name] = _Name(name, STORE)
    return node


def forget() -> None:
    """Drop the shared names; called between programs."""
    _loads.clear()
    _stores.clear()


def const(value: Any) -> Any:
    """A literal."""
    return _Constant(value)


NONE = const(None)
TRUE = const(True)
FALSE = const(False)
ZERO = const(0)
ONE = const(1)


def call(function: str, arguments: list[Any], position: int) -> Any:
    """A call of a helper by name."""
    return at(_Call(load(function), arguments, []), position)


def apply(function: str, arguments: list[Any]) -> Any:
    """A call that cannot fail, of a builtin or a helper by name."""
    return _Call(load(function), arguments, [])


def apply_node(function: Any, arguments: list[Any]) -> Any:
    """A call that cannot fail, of what an expression gives."""
    return _Call(function, arguments, [])


def is_name(node: Any) -> bool:
    """Whether a node is a plain name."""
    return type(node) is _Name


def is_this(node: Any) -> bool:
    """Whether a node is the `this` of the function."""
    return type(node) is _Name and node.id == "this"


def is_constant(node: Any) -> bool:
    """Whether a node is a literal."""
    return type(node) is _Constant


def is_text(node: Any) -> bool:
    """Whether a node is a literal text."""
    return type(node) is _Constant and type(node.value) is str


def is_simple(node: Any) -> bool:
    """Whether a node may be written twice: a name or a literal."""
    return type(node) is _Name or type(node) is _Constant


def is_computed(node: Any) -> bool:
    """Whether a node is arithmetic on what is simple, which nothing but its operands can change."""
    return type(node) in (_BinOp, _IfExp, _Compare)


def call_node(function: Any, arguments: list[Any], position: int) -> Any:
    """A call of what an expression gives."""
    if type(function) is _Attribute:
        # The compiler of Python locates the call of a method where its name stands, if that is on another line.
        at(function, position)
    return at(_Call(function, arguments, []), position)


def binary(left: Any, op: str, right: Any) -> Any:
    return _BinOp(left, _BINARY[op], right)


def compare(left: Any, op: str, right: Any) -> Any:
    return _Compare(left, [_COMPARE[op]], [right])


def between(low: Any, value: Any, high: Any, op: str = "<=") -> Any:
    """`low <= value <= high`, or with another comparison."""
    return _Compare(low, [_COMPARE[op], _COMPARE[op]], [value, high])


def negate(operand: Any) -> Any:
    return _UnaryOp(_MINUS, operand)


def not_(operand: Any) -> Any:
    return _UnaryOp(_NOT, operand)


def and_(operands: list[Any]) -> Any:
    return operands[0] if len(operands) == 1 else _BoolOp(_AND, operands)


def or_(operands: list[Any]) -> Any:
    return operands[0] if len(operands) == 1 else _BoolOp(_OR, operands)


def choose(test: Any, body: Any, other: Any) -> Any:
    """`body if test else other`."""
    return _IfExp(test, body, other)


def walrus(name: str, value: Any) -> Any:
    return _NamedExpr(store(name), value)


def attribute(value: Any, name: str) -> Any:
    return _Attribute(value, name, LOAD)


def attribute_at(value: Any, name: str, position: int) -> Any:
    return at(_Attribute(value, name, LOAD), position)


def attribute_store(value: Any, name: str) -> Any:
    return _Attribute(value, name, STORE)


def subscript(value: Any, index: Any, position: int) -> Any:
    return at(_Subscript(value, index, LOAD), position)


def subscript_store(value: Any, index: Any, position: int) -> Any:
    return at(_Subscript(value, index, STORE), position)


def tuple_(items: list[Any]) -> Any:
    return _Tuple(items, LOAD)


def tuple_store(items: list[Any]) -> Any:
    return _Tuple(items, STORE)


def list_(items: list[Any]) -> Any:
    return _List(items, LOAD)


def dict_(keys: list[Any], values: list[Any]) -> Any:
    return _Dict(keys, values)


def joined(parts: list[Any]) -> Any:
    """An f-string."""
    return _JoinedStr(parts)


def formatted(value: Any) -> Any:
    return _FormattedValue(value, -1, None)


# --- statements ---


def assign(target: Any, value: Any) -> Any:
    return _Assign([target], value)


def assign_at(target: Any, value: Any, position: int) -> Any:
    """An assignment that can fail, such as to a locked cell."""
    return at(_Assign([target], value), position)


def assign_name(name: str, value: Any) -> Any:
    return _Assign([store(name)], value)


def augment(target: Any, op: str, value: Any) -> Any:
    return _AugAssign(target, _BINARY[op], value)


def expression(value: Any) -> Any:
    return _Expr(value)


def if_(test: Any, body: list[Any], other: list[Any]) -> Any:
    return _If(test, body or [PASS], other)


def while_(test: Any, body: list[Any]) -> Any:
    return _While(test, body or [PASS], [])


def for_(target: Any, iterable: Any, body: list[Any], other: list[Any]) -> Any:
    return _For(target, iterable, body or [PASS], other)


def return_(value: Any) -> Any:
    return _Return(value)


def raise_(value: Any, position: int) -> Any:
    return at(_Raise(value, None), position)


def try_except(body: list[Any], caught: Any, name: str, handler: list[Any]) -> Any:
    clause = _ExceptHandler(caught, name, handler)
    return _Try(body or [PASS], [clause], [], [])


def try_finally(body: list[Any], final: list[Any]) -> Any:
    return _Try(body, [], [], final)


def function(name: str, parameters: list[str], body: list[Any]) -> Any:
    """A function with plain positional parameters."""
    arguments = ast.arguments([], [_arg(p) for p in parameters], None, [], [], None, [])
    return _FunctionDef(name, arguments, body or [PASS], [])


def module(body: list[Any]) -> Any:
    return ast.Module(body, [])


def global_(names: list[str]) -> Any:
    return _Global(names)


PASS = _Pass()
BREAK = _Break()
CONTINUE = _Continue()
