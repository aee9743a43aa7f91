"""Tokens to the tree: what it is, where its parts stand, which declaration a name means."""

from __future__ import annotations

from typing import Any

import pytest

from support.trees import program, shown, tree
from trex.languages.rhai.errors import ParseError
from trex.languages.rhai.positions import column_of, line_of
from trex.languages.rhai.scopes import Scope
from trex.languages.rhai.syntax import Chain, Function, Let, Name, Node

# A name with a second part is that of a declared variable.
TREES = [
    ('1 + 2 * 3', 'Binary@1:3(+ 1@1:1 Binary@1:7(* 2@1:5 3@1:9))'),
    ('1 - 2 - 3', 'Binary@1:7(- Binary@1:3(- 1@1:1 2@1:5) 3@1:9)'),
    ('2 ** 3 ** 2', 'Binary@1:3(** 2@1:1 Binary@1:8(** 3@1:6 2@1:11))'),
    ('-a ** 2', 'Binary@1:4(** Unary@1:1(- Name@1:2(a)) 2@1:7)'),
    ('!a && b || c', 'Logical@1:9(|| Logical@1:4(&& Unary@1:1(! Name@1:2(a)) Name@1:7(b)) Name@1:12(c))'),
    ('a ?? b', 'Logical@1:3(?? Name@1:1(a) Name@1:6(b))'),
    ('a == b & c', 'Binary@1:8(& Binary@1:3(== Name@1:1(a) Name@1:6(b)) Name@1:10(c))'),
    ('a..b', 'Binary@1:2(.. Name@1:1(a) Name@1:4(b))'),
    ('a in [1]', 'Call@1:3(contains [ArrayLiteral@1:6([1@1:7]) Name@1:1(a)])'),
    ('a !in [1]', 'Unary@1:3(! Call@1:3(contains [ArrayLiteral@1:7([1@1:8]) Name@1:1(a)]))'),
    ('let x = 1', 'Let@1:5(x 1@1:9)'),
    ('const x = 1', 'Let@1:7(const x 1@1:11)'),
    ('let x', 'Let@1:5(x)'),
    ('x = 1', 'Assign@1:3(Name@1:1(x) 1@1:5)'),
    ('x += 1', 'Assign@1:3(Name@1:1(x) + 1@1:6)'),
    ('x[0].y = 1', 'Assign@1:8(Chain@1:2(Name@1:1(x) [IndexStep@1:3(0@1:3) PropertyStep@1:6(y)]) 1@1:10)'),
    ('a.b.c(1)[2]?.d?[3]', 'Chain@1:2(Name@1:1(a) [PropertyStep@1:3(b) MethodStep@1:5(c [1@1:7]) IndexStep@1:10(2@1:10) PropertyStep@1:14(d True) IndexStep@1:17(3@1:17 True)])'),
    ('a.f()', 'Chain@1:2(Name@1:1(a) [MethodStep@1:3(f)])'),
    ('f(1, x)', 'Call@1:1(f [1@1:3 Name@1:6(x)])'),
    ('m::n::f(1)', 'Call@1:7(f [1@1:9] [m n])'),
    ('m::X', 'Qualified@1:4([m] X)'),
    ('f!(1)', 'Call@1:1(f [1@1:4])'),
    ('[1, [2]]', 'ArrayLiteral@1:1([1@1:2 ArrayLiteral@1:5([2@1:6])])'),
    ('#{a: 1, "b c": 2}', 'MapLiteral@1:1([[a 1@1:6] [b c 2@1:16]])'),
    ('`a${x}b`', "Interpolation@1:1(['a'@1:1 StatementExpression@1:4(Block@1:4([Name@1:5(x)])) 'b'@1:7])"),
    ('if a { 1 } else if b { 2 } else { 3 }', 'If@1:1(Name@1:4(a) Block@1:6([1@1:8]) If@1:17(Name@1:20(b) Block@1:22([2@1:24]) Block@1:33([3@1:35])))'),
    ('switch x { 1 | 2 => a, 3..5 if b => c, _ => d }', 'Switch@1:1(Name@1:8(x) [Case@1:12([1 2] Block([Name@1:21(a)])) Case@1:24([Range(start=3, end=5, inclusive=False)] Name@1:32(b) Block([Name@1:37(c)])) Case@1:40(Block([Name@1:45(d)]))])'),
    ('while a { b }', 'While@1:1(Name@1:7(a) Block@1:9([Name@1:11(b)]))'),
    ('loop { break 1; }', 'While@1:1(Block@1:6([Break@1:8(1@1:14)]))'),
    ('do { a } while b', 'Do@1:1(Block@1:4([Name@1:6(a)]) Name@1:16(b))'),
    ('do { a } until b', 'Do@1:1(Block@1:4([Name@1:6(a)]) Name@1:16(b) True)'),
    ('for x in a { continue; }', 'For@1:1(x Name@1:10(a) Block@1:12([Continue@1:14()]))'),
    ('for (x, i) in 0..3 { }', 'For@1:1(x i Binary@1:16(.. 0@1:15 3@1:18) Block@1:20())'),
    ('try { a } catch (e) { throw e; }', 'Try@1:1(Block@1:5([Name@1:7(a)]) e Block@1:21([Throw@1:23(Name@1:29(e e))]))'),
    ('try { } catch { }', 'Try@1:1(Block@1:5() Block@1:15())'),
    ('return 1', 'Return@1:1(1@1:8)'),
    ('throw', 'Throw@1:1()'),
    ('|x, y| x + y', 'Closure@1:1(|x y| Block([Binary@1:10(+ Name@1:8(x x) Name@1:12(y y))]))'),
    ('|| a', 'Closure@1:1(|| over a Block([Name@1:4(a a)]))'),
    ('import "m" as n', "Import@1:1('m'@1:8 n)"),
    ('export const X = 1', 'Let@1:14(const X 1@1:18 X)'),
    ('{ let y = 1; y }', 'Block@1:1([Let@1:7(y 1@1:11) Name@1:14(y y)])'),
    ('let a = { 1 } + 2', 'Let@1:5(a Binary@1:15(+ StatementExpression@1:9(Block@1:9([1@1:11])) 2@1:17))'),
    ('(1)', '1@1:2'),
    ("'c'", "Char('c')@1:1"),
    ('true', 'True@1:1'),
]  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), TREES, ids=[script for script, _ in TREES])
def test_a_script_becomes_a_tree_with_places(script: str, expected: str) -> None:
    assert tree(script) == expected


def test_functions_are_apart_from_statements() -> None:
    found = program("fn f(a) { this.x = a } private fn int.g() { } f(1)")
    assert [(each.receiver, each.name, each.private) for each in found.functions] == [
        (None, "f", False),
        ("i64", "g", True),
    ]
    function = found.functions[0]
    assert (function.uses_this, function.changes_this, line_of(function.position), column_of(function.position)) == (
        True,
        True,
        1,
        1,
    )
    assert shown(function.params) == "[a]"


@pytest.mark.parametrize(
    ("script", "kind", "place"),
    [
        ("let = 1", "VariableExpected", (1, 5)),
        ("let x = ;", "BadInput", (1, 9)),
        ("1 +", "UnexpectedEOF", (1, 4)),
        ("f(1", "MissingToken", (1, 4)),
        ("if a { 1", "MissingToken", (1, 9)),
        ("let x = 1 let y = 2", "MissingToken", (1, 11)),
        ("a.", "PropertyExpected", (1, 3)),
        ("break", "LoopBreak", (1, 1)),
        ("fn f() { fn g() { } }", "WrongFnDefinition", (1, 10)),
        ("fn f() { } fn f() { }", "FnDuplicatedDefinition", (1, 12)),
        ("fn f(a, a) { }", "FnDuplicatedParam", (1, 9)),
        ("#{a: 1, a: 2}", "DuplicatedProperty", (1, 9)),
        ("1 = 2", "AssignmentToConstant", (1, 1)),
        ("f(1) = 2", "AssignmentToInvalidLHS", (1, 1)),
        ("const x = 1; x = 2", "AssignmentToConstant", (1, 14)),
        ("switch 1 { _ => 1, 2 => 3 }", "WrongSwitchDefaultCase", (1, 12)),
        ("var x", "Reserved", (1, 1)),
        ("let var = 1", "Reserved", (1, 5)),
        ("\n\n  @", "Reserved", (3, 3)),
    ],
)
def test_a_mistake_has_a_kind_and_a_place(script: str, kind: str, place: tuple[int, int]) -> None:
    with pytest.raises(ParseError) as failure:
        program(script)
    assert (failure.value.kind, (failure.value.line, failure.value.column)) == (kind, place)


# --- which declaration a name means ---


def names(part: Any) -> list[Name]:
    """The names in a part of a tree, in order; those in closures too."""
    if type(part) is Name:
        return [part]
    if type(part) in (list, tuple):
        return [name for each in part for name in names(each)]
    if isinstance(part, Node) or type(part) is Function:
        return [name for field in part.__struct_fields__ for name in names(getattr(part, field))]
    return []


def lets(part: Any) -> list[Let]:
    if type(part) in (list, tuple):
        return [let for each in part for let in lets(each)]
    if isinstance(part, Node):
        inside = [let for field in part.__struct_fields__ for let in lets(getattr(part, field))]
        return [part, *inside] if type(part) is Let else inside
    return []


def test_a_name_means_the_innermost_declaration_before_it() -> None:
    body = program("let x = 1; { x; let x = 2; x; { let x = 3; x; } x; } x;").main.body
    first, second, third = (let.variable for let in lets(body))
    assert [name.variable for name in names(body)] == [first, second, third, second, first]


def test_the_value_of_a_declaration_does_not_see_it() -> None:
    body = program("let x = 1; let x = x + 1; x").main.body
    first, second = (let.variable for let in lets(body))
    assert [name.variable for name in names(body)] == [first, second]


def test_a_loop_s_variables_end_with_it() -> None:
    body = program("for (x, i) in [1] { x; i; } x; i").main.body
    found = [name.variable for name in names(body)]
    assert [None if variable is None else variable.role for variable in found] == ["loop", "loop", None, None]


def test_a_handler_has_its_error() -> None:
    body = program("try { e } catch (e) { e } e").main.body
    found = [name.variable for name in names(body)]
    assert [None if variable is None else variable.role for variable in found] == [None, "catch", None]


def test_a_function_sees_its_parameters_only() -> None:
    found = program("let x = 1; fn f(y) { x; y }")
    assert [None if name.variable is None else name.variable.role for name in names(found.functions[0].body)] == [
        None,
        "param",
    ]


def test_a_closure_shares_what_it_captures() -> None:
    found = program("let x = 1; let f = |y| x + y; x")
    variable = lets(found.main.body)[0].variable
    inner, outside, position = found.closures[0].captures["x"]
    assert (outside, inner.root, variable.captured) == (variable, variable, True)
    assert (line_of(position), column_of(position)) == (1, 24)


def test_a_closure_in_a_closure_captures_through_it() -> None:
    found = program("let x = 1; || { || x }")
    inner, outer = found.closures
    assert inner.captures["x"][1] is outer.captures["x"][0]
    assert outer.captures["x"][1] is lets(found.main.body)[0].variable


def test_the_caller_s_variables_are_known_and_may_be_constant() -> None:
    found = program("x = 1", outer={"x": False})
    assert names(found.main.body)[0].variable is found.outer["x"]
    assert program("x", outer={"x": True}).outer["x"].constant


@pytest.mark.parametrize("script", ["x", "{ let x = 1; } x", "|y| x", "fn f() { x } let x = 1;", "x::y", "x = 1"])
def test_an_undefined_name_is_a_mistake_where_variables_are_strict(script: str) -> None:
    program(script)
    with pytest.raises(ParseError) as failure:
        program(script, strict=True)
    assert failure.value.kind in ("VariableUndefined", "ModuleUndefined")


def test_what_is_stored_into_is_marked() -> None:
    found = program("let a = [1]; a[0] = 2; let b = 1; b = 2; let c = 3; c")
    a, b, c = (let.variable for let in lets(found.main.body))
    assert (a.changed, b.assigned, c.changed, c.assigned) == (True, 1, False, 0)


def test_a_chain_s_steps_are_one_node() -> None:
    node = program("a.b[1].c()").main.body.statements[0]
    assert type(node) is Chain
    assert [type(step).__name__ for step in node.steps] == ["PropertyStep", "IndexStep", "MethodStep"]


# --- scopes ---


def test_a_block_puts_back_what_it_hid() -> None:
    scope = Scope(Function("", [], 0), None)
    outer = scope.declare("x", "local")
    scope.open()
    inner = scope.declare("x", "local")
    hidden_too = scope.declare("y", "local")
    assert (scope.find("x", set(), 0), scope.find("y", set(), 0)) == (inner, hidden_too)
    scope.close()
    assert (scope.find("x", set(), 0), scope.find("y", set(), 0)) == (outer, None)


def test_a_second_declaration_in_a_block_takes_the_place_of_the_first() -> None:
    scope = Scope(Function("", [], 0), None)
    scope.declare("x", "local")
    second = scope.declare("x", "local")
    assert (scope.count, scope.find("x", set(), 0)) == (1, second)
    scope.open()
    scope.declare("x", "local")
    assert scope.count == 2
    scope.close()
    assert scope.count == 1
    assert [variable.name for variable in scope.top] == ["x", "x"]


def test_an_import_ends_with_its_block() -> None:
    outer = Scope(Function("", [], 0), None)
    inner = Scope(Function("", [], 0, closure=True), outer)
    outer.open()
    outer.imports.append("m")
    assert inner.knows_module("m")
    outer.close()
    assert not inner.knows_module("m")


def test_a_closure_captures_a_name_once_and_no_function() -> None:
    scope = Scope(Function("", [], 0, closure=True), None)
    scope.open()
    first = scope.find("x", set(), 7)
    scope.close()
    assert first is not None
    assert scope.find("x", set(), 9) is first
    assert scope.function.captures == {"x": (first, None, 7)}
    assert scope.find("f", {"f"}, 0) is None
