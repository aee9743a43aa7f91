"""Numbers: what the functions give, as the language's engine was seen to give it."""

from __future__ import annotations

import pytest

from support.language import fresh_run, outcome

ROWS = r"""
    abs(-7) => [-7, 7]
    abs(-9223372036854775808) => ! ErrorArithmetic: Negation overflow: --9223372036854775808
    abs(-1.5) => [-1.5, 1.5]
    sign(-3) => [-3, -1]
    sign(0.0) => [0.0, 0]
    sign(NaN) => ! ErrorArithmetic: Sign of NaN is undefined
    is_zero(0.0) => [0.0, true]
    is_odd(-3) => [-3, true]
    is_even(-4) => [-4, true]
    max(1, 2.5) => [1, 2.5]
    max(1, 1.0) => [1, 1.0]
    min("b", "a") => ["b", "a"]
    max('a', 'b') => ['a', 'b']
    max(1, "a") => ! ErrorFunctionNotFound: Function not found: max (i64, &str | ImmutableString | String)
    to_int(2.7) => [2.7, 2]
    to_int(-2.7) => [-2.7, -2]
    to_int(NaN) => [NaN, 0]
    to_int(1e19) => ! ErrorArithmetic: Integer overflow: to_int(10000000000000000000)
    to_int(inf) => ! ErrorArithmetic: Integer overflow: to_int(inf)
    to_int(9223372036854775808.0) => [9.223372036854776e+18, 9223372036854775807]
    to_int('A') => ['A', 65]
    to_float(3) => [3, 3.0]
    floor(-0.5) => [-0.5, -1.0]
    ceiling(-0.5) => [-0.5, -0.0]
    round(2.5) => [2.5, 3.0]
    round(-2.5) => [-2.5, -3.0]
    round(0.49999999999999994) => [0.49999999999999994, 0.0]
    int(-1.7) => [-1.7, -1.0]
    fraction(-1.25) => [-1.25, -0.25]
    is_nan(NaN) => [NaN, true]
    is_finite(inf) => [inf, false]
    is_infinite(-inf) => [-inf, true]
    sqrt(-1.0) => [-1.0, NaN]
    exp(1000.0) => [1000.0, inf]
    ln(0.0) => [0.0, -inf]
    log(100.0) => [100.0, 2.0]
    log(8.0, 2.0) => [8.0, 3.0]
    log(8.0, 1.0) => [8.0, inf]
    sinh(-1000.0) => [-1000.0, -inf]
    asinh(0.5) => [0.5, 0.48121182505960347]
    acosh(0.5) => [0.5, NaN]
    acosh(1.5) => [1.5, 0.9624236501192069]
    atanh(1.0) => [1.0, inf]
    atanh(0.3) => [0.3, 0.30951960420311175]
    atan(1.0, -1.0) => [1.0, 2.356194490192345]
    hypot(3.0, 4.0) => [3.0, 5.0]
    to_degrees(1.0) => [1.0, 57.29577951308232]
    to_radians(180.0) => [180.0, 3.141592653589793]
    sin(inf) => [inf, NaN]
    sin(1) => ! ErrorFunctionNotFound: Function not found: sin (i64)
    PI() => 3.141592653589793
    E() => 2.718281828459045
    parse_int(" -12 ") => [" -12 ", -12]
    parse_int("+7") => ["+7", 7]
    parse_int("ff", 16) => ["ff", 255]
    parse_int("Zz", 36) => ["Zz", 1295]
    parse_int("0x1f", 16) => ! ErrorArithmetic: Error parsing integer number '0x1f': invalid digit found in string
    parse_int("1_0") => ! ErrorArithmetic: Error parsing integer number '1_0': invalid digit found in string
    parse_int("") => ! ErrorArithmetic: Error parsing integer number '': cannot parse integer from empty string
    parse_int("-") => ! ErrorArithmetic: Error parsing integer number '-': invalid digit found in string
    parse_int("9223372036854775808") => ! ErrorArithmetic: Error parsing integer number '9223372036854775808': number too large to fit in target type
    parse_int("-9223372036854775809") => ! ErrorArithmetic: Error parsing integer number '-9223372036854775809': number too small to fit in target type
    parse_int("99999999999999999999x") => ! ErrorArithmetic: Error parsing integer number '99999999999999999999x': number too large to fit in target type
    parse_int("1", 1) => ! ErrorArithmetic: Invalid radix: '1'
    parse_int("٣") => ! ErrorArithmetic: Error parsing integer number '٣': invalid digit found in string
    parse_float(" 1e3 ") => [" 1e3 ", 1000.0]
    parse_float(".5") => [".5", 0.5]
    parse_float("-Infinity") => ["-Infinity", -inf]
    parse_float("1_0.0") => ! ErrorArithmetic: Error parsing floating-point number '1_0.0': invalid float literal
    parse_float("x") => ! ErrorArithmetic: Error parsing floating-point number 'x': invalid float literal
    parse_float("") => ! ErrorArithmetic: Error parsing floating-point number '': cannot parse float from empty string
    to_hex(-1) => [-1, "ffffffffffffffff"]
    to_octal(8) => [8, "10"]
    to_binary(5) => [5, "101"]
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_a_function_gives_what_the_engine_gives(row: str) -> None:
    call_text, _, expected = row.strip().partition(" => ")
    assert outcome(call_text) == expected


def test_a_very_long_number_is_refused_in_one_pass() -> None:
    assert outcome(f'parse_int("{"9" * 100_000}")').endswith("number too large to fit in target type")
