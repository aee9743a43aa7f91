"""Operators on values of every type, as the language's engine was seen to compute them."""

from __future__ import annotations

from typing import Any

import pytest

from support.language import fresh_run, limited, shown, value
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.positions import NOWHERE
from trex.languages.rhai.semantics import exceptions, operators
from trex.languages.rhai.semantics.containers import share
from trex.languages.rhai.values import Array

NAMES = {
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
PREFIXES = {"-": "neg", "+": "pos", "!": "not_"}

# Two spaces around an operator tell it from what is part of a value.
BINARY = r"""
    9223372036854775807  +  1 => ! ErrorArithmetic: Addition overflow: 9223372036854775807 + 1
    -9223372036854775808  -  1 => ! ErrorArithmetic: Subtraction overflow: -9223372036854775808 - 1
    4611686018427387904  *  2 => ! ErrorArithmetic: Multiplication overflow: 4611686018427387904 * 2
    -7  /  2 => -3
    7  /  0 => ! ErrorArithmetic: Division by zero: 7 / 0
    -9223372036854775808  /  -1 => ! ErrorArithmetic: Division overflow: -9223372036854775808 / -1
    -7  %  3 => -1
    7  %  -3 => 1
    7  %  0 => ! ErrorArithmetic: Modulo division by zero or overflow: 7 % 0
    -9223372036854775808  %  -1 => ! ErrorArithmetic: Modulo division by zero or overflow: -9223372036854775808 % -1
    2  **  62 => 4611686018427387904
    2  **  63 => ! ErrorArithmetic: Exponential overflow: 2 ** 63
    -2  **  63 => -9223372036854775808
    2  **  -1 => ! ErrorArithmetic: Integer raised to a negative power: 2 ** -1
    1  **  5000000000 => ! ErrorArithmetic: Exponential overflow: 1 ** 5000000000
    -1  **  4294967295 => -1
    0  **  0 => 1
    1  <<  63 => -9223372036854775808
    1  <<  64 => 0
    -1  >>  70 => -1
    8  >>  -2 => 32
    -8  <<  -1 => -4
    1  <<  -9223372036854775808 => 0
    6  &  3 => 2
    6  |  3 => 7
    6  ^  3 => 5
    true  &  false => false
    true  ^  true => false
    true  |  1 => ! ErrorFunctionNotFound: Function not found: | (bool, i64)
    1  +  2.5 => 3.5
    2.5  -  1 => 1.5
    1.5  *  2 => 3.0
    1.0  /  0 => inf
    -1  /  0.0 => -inf
    0.0  /  0 => NaN
    -5.5  %  2 => -1.5
    5  %  0.0 => NaN
    2.0  **  0.5 => 1.4142135623730951
    -8.0  **  0.5 => NaN
    0.0  **  -1 => inf
    -10.0  **  309 => -inf
    1.0  <<  1 => ! ErrorFunctionNotFound: Function not found: << (f64, i64)
    "ab"  +  "c" => "abc"
    "ab"  +  'c' => "abc"
    'a'  +  "b" => "ab"
    'a'  +  'b' => "ab"
    "a"  +  1.0 => "a1.0"
    "a"  +  () => "a"
    ()  +  "a" => "a"
    [1]  +  "a" => "[1]a"
    "a"  +  [1, 'c'] => "a[1, c]"
    "a"  +  blob[195, 169] => "aé"
    blob[65]  +  "x" => "Ax"
    "banana"  -  "an" => "ba"
    "banana"  -  'a' => "bnn"
    ""  -  "x" => "x"
    "a"  -  1 => ! ErrorFunctionNotFound: Function not found: - (&str | ImmutableString | String, i64)
    [1]  +  [2, [3]] => [1, 2, [3]]
    [1]  +  2 => ! ErrorFunctionNotFound: Function not found: + (array, i64)
    #{a: 1, b: 2}  +  #{b: 3} => #{a: 1, b: 3}
    blob[1]  +  blob[2] => blob[1, 2]
    blob[1]  +  'a' => blob[1, 97]
    blob[1]  +  1 => ! ErrorFunctionNotFound: Function not found: + (blob, i64)
    ()  +  1 => ! ErrorFunctionNotFound: Function not found: + ((), i64)
    true  +  true => ! ErrorFunctionNotFound: Function not found: + (bool, bool)
    Fn(f)  +  1 => ! ErrorFunctionNotFound: Function not found: + (Fn, i64)
    1  ==  1.0 => true
    0.0  ==  -0.0 => true
    1.0  ==  1.0000000000000002 => true
    1.0  ==  1.0000000000000004 => false
    0  <  1e-16 => false
    1.0  >=  1.0000000000000002 => true
    inf  ==  inf => false
    inf  >  1 => false
    NaN  ==  NaN => false
    NaN  !=  NaN => false
    NaN  ==  0.0 => true
    NaN  <  1 => false
    1e-200  ==  1e-201 => true
    "a"  ==  'a' => true
    'a'  <  "ab" => true
    "ab"  >  'a' => true
    "é"  >  "z" => true
    1  ==  "1" => false
    1  !=  "1" => true
    1  <  "a" => false
    ()  ==  () => true
    ()  <=  () => false
    true  >  false => true
    [1, 2.0]  ==  [1.0, 2] => true
    [1]  ==  [1, 2] => false
    [1..2]  ==  [1..=2] => false
    [Fn(f)]  ==  [Fn(f)] => ! ErrorFunctionNotFound: Function not found: == (Fn, Fn)
    [1]  <  [2] => ! ErrorFunctionNotFound: Function not found: < (array, array)
    #{a: [1]}  ==  #{a: [1.0]} => true
    #{a: 1}  ==  #{b: 1} => false
    #{a: 1..2}  ==  #{a: 1..=2} => ! ErrorFunctionNotFound: Function not found: == (range, range=)
    #{a: 1, b: Fn(f)}  ==  #{a: 2, b: Fn(f)} => false
    blob[1]  ==  blob[1] => true
    blob[1]  ==  'a' => ! ErrorFunctionNotFound: Function not found: == (blob, char)
    [blob[1]]  ==  ['a'] => false
    1..2  ==  1..2 => true
    1..2  ==  1..=2 => ! ErrorFunctionNotFound: Function not found: == (range, range=)
    1..2  !=  1..=2 => true
    1..2  <  1..2 => ! ErrorFunctionNotFound: Function not found: < (range, range)
    Fn(f)  ==  Fn(f) => ! ErrorFunctionNotFound: Function not found: == (Fn, Fn)
    Fn(f)  !=  1 => true
    1  in  [1.0] => true
    "b"  in  "abc" => true
    'b'  in  "abc" => true
    "k"  in  #{k: 1} => true
    2  in  0..=2 => true
    2  in  0..2 => false
    257  in  blob[1] => true
    1  in  "abc" => ! ErrorFunctionNotFound: Function not found: contains (&str | ImmutableString | String, i64)
    'k'  in  #{k: 1} => ! ErrorFunctionNotFound: Function not found: contains (map, char)
    1.0  in  0..3 => ! ErrorFunctionNotFound: Function not found: contains (range, f64)
    Fn(f)  in  [Fn(f)] => ! ErrorFunctionNotFound: Function not found: == (Fn, Fn)
    1  ..  5 => 1..5
    1  ..=  () => 1..=9223372036854775807
    ()  ..  5 => 0..5
    1  ..  2.0 => ! ErrorFunctionNotFound: Function not found: .. (i64, f64)
"""
ASSIGNING = r"""
    1  +=  2 => 3
    9223372036854775807  +=  1 => ! ErrorArithmetic: Addition overflow: 9223372036854775807 + 1
    1  +=  2.5 => 3.5
    1  +=  "a" => "1a"
    1.5  -=  1 => 0.5
    7  /=  0 => ! ErrorArithmetic: Division by zero: 7 / 0
    7  %=  0 => ! ErrorArithmetic: Modulo division by zero or overflow: 7 % 0
    2  **=  -1 => ! ErrorArithmetic: Integer raised to a negative power: 2 ** -1
    8  >>=  1 => 4
    6  &=  3 => 2
    true  |=  false => true
    "a"  +=  "b" => "ab"
    "a"  +=  'b' => "ab"
    "a"  +=  1.0 => "a1.0"
    "a"  +=  () => "a"
    "banana"  -=  "an" => "ba"
    ""  -=  "x" => "x"
    'a'  +=  'b' => "ab"
    'a'  +=  "" => 'a'
    'a'  +=  "b" => "ab"
    [1]  +=  [2, [3]] => [1, 2, [3]]
    [1]  +=  2 => [1, 2]
    [1]  +=  () => [1, ()]
    [1]  +=  #{a: 1} => [1, #{a: 1}]
    blob[1]  +=  blob[2] => blob[1, 2]
    blob[1]  +=  300 => blob[1, 44]
    blob[1]  +=  'a' => blob[1, 97]
    blob[1]  +=  "é" => blob[1, 195, 169]
    blob[1]  +=  1.0 => ! ErrorFunctionNotFound: Function not found: + (blob, f64)
    #{a: 1}  +=  #{a: 2, b: 3} => #{a: 2, b: 3}
    #{a: 1}  +=  1 => ! ErrorFunctionNotFound: Function not found: + (map, i64)
    ()  +=  1 => ! ErrorFunctionNotFound: Function not found: + ((), i64)
    [1]  -=  1 => ! ErrorFunctionNotFound: Function not found: - (array, i64)
"""
PREFIX = r"""
    -  -9223372036854775808 => ! ErrorArithmetic: Negation overflow: --9223372036854775808
    -  1.5 => -1.5
    -  "a" => ! ErrorFunctionNotFound: Function not found: - (&str | ImmutableString | String)
    +  7 => 7
    +  'a' => ! ErrorFunctionNotFound: Function not found: + (char)
    !  true => false
    !  1 => ! ErrorFunctionNotFound: Function not found: ! (i64)
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


def given(operation: Any, *arguments: Any) -> str:
    """What an operation gives, or the error."""
    try:
        return shown(operation(*arguments))
    except RhaiError as error:
        return f"! {error.kind}: {exceptions.message(error)}"


def rows(table: str) -> list[str]:
    return [line.strip() for line in table.strip().splitlines()]


@pytest.mark.parametrize("row", rows(BINARY))
def test_a_binary_operator_gives_what_the_engine_gives(row: str) -> None:
    text, expected = row.split(" => ")
    left, operator, right = text.split("  ")
    x, y = value(left), value(right)
    if operator == "in":
        assert given(operators.contains, y, x) == expected
    else:
        assert given(getattr(operators, NAMES[operator]), x, y) == expected


@pytest.mark.parametrize("row", rows(ASSIGNING))
def test_an_assigning_operator_gives_what_the_engine_stores(row: str) -> None:
    text, expected = row.split(" => ")
    left, operator, right = text.split("  ")
    assert given(getattr(operators, f"assign_{NAMES[operator[:-1]]}"), value(left), value(right)) == expected


@pytest.mark.parametrize("row", rows(PREFIX))
def test_a_prefix_operator_gives_what_the_engine_gives(row: str) -> None:
    text, expected = row.split(" => ")
    operator, operand = text.split("  ")
    assert given(getattr(operators, PREFIXES[operator]), value(operand)) == expected


def test_a_binary_operator_on_integers_fails_without_a_position_and_an_assigning_one_with_one() -> None:
    for name in ("add", "mul", "sub"):
        with pytest.raises(RhaiError) as plain:
            getattr(operators, name)(-(2**63), 2**63 - 1 if name != "add" else -1)
        assert plain.value.position == NOWHERE
    for name in ("div", "mod"):
        with pytest.raises(RhaiError) as plain:
            getattr(operators, name)(1, 0)
        with pytest.raises(RhaiError) as assigning:
            getattr(operators, f"assign_{name}")(1, 0)
        assert (plain.value.position, assigning.value.position) == (NOWHERE, None)


def test_an_owned_container_is_extended_in_place() -> None:
    for text, more in (("[1]", 2), ("#{a: 1}", value("#{b: 2}")), ("blob[1]", 2)):
        container = value(text)
        assert operators.assign_add(container, more) is container


def test_a_marked_container_is_never_changed() -> None:
    for text, more in (("[1, [2]]", 2), ("[1, [2]]", value("[3]")), ("#{a: []}", value("#{b: 2}")), ("blob[1]", 2)):
        container = share(value(text))
        assert operators.assign_add(container, more) is not container
        assert shown(container) == text


def test_what_is_nested_in_a_copy_is_marked() -> None:
    container = share(value("[[]]"))
    copied = operators.assign_add(container, 1)
    assert copied.v[0] is container.v[0]
    assert copied.v[0].state & 2


def test_the_sum_of_two_containers_is_a_new_one_and_leaves_both() -> None:
    left, right = value("[[1]]"), value("[[2]]")
    made = operators.add(left, right)
    assert (shown(left), shown(right), shown(made)) == ("[[1]]", "[[2]]", "[[1], [2]]")
    assert made.extra_array == 2
    assert all(item.state & 2 for item in made.v)


def test_joining_beyond_the_limit_is_refused() -> None:
    with limited(string=5, array=3, map=1):
        for operation, x, y in (
            (operators.add, "abc", "def"),
            (operators.add, "aé", "éb"),
            (operators.assign_add, "abc", value("[1]")),
            (operators.add, value("[1, 2]"), value("[3, 4]")),
            (operators.assign_add, value("[1, 2]"), value("[[1]]")),
            (operators.add, value("blob[1, 2]"), value("blob[3, 4]")),
            (operators.assign_add, value("#{a: 1}"), value("#{b: 1}")),
        ):
            with pytest.raises(RhaiError) as failure:
                operation(x, y)
            assert failure.value.kind == "ErrorDataTooLarge"


def test_containers_nested_beyond_what_the_stack_holds_end_in_an_error_of_the_script() -> None:
    left, right = Array([]), Array([])
    for _ in range(100_000):
        left, right = Array([left]), Array([right])
    with pytest.raises(RhaiError, match="Stack overflow"):
        operators.eq(left, right)
    # Let go of them level by level.
    while left.v:
        left, right = left.v.pop(), right.v.pop()
