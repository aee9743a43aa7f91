"""The texts of values: print form, debug form, and the form in error messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.language import fresh_run, function, value
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.semantics.printable import escaped
from trex.languages.rhai.semantics.text import debug, error_text, float_debug, float_digits, float_text, quoted, text
from trex.languages.rhai.values import Array, Timestamp

# value: print form, debug form, form in errors where that is another than the print form
FORMS = [
    ("()", "", "()"),
    ("true", "true", "true"),
    ("-5", "-5", "-5"),
    ("'c'", "c", "c"),
    ('"a\\"b"', 'a"b', '"a\\"b"'),
    ("1.0", "1.0", "1.0"),
    ("[1, \"a\", 'b', ()]", '[1, "a", b, ()]', '[1, "a", b, ()]', "[1, \"a\", 'b', ()]"),
    ("['\\'', '\"', '\\n']", "[', \", \n]", "[', \", \n]", "['\\'', '\"', '\\n']"),
    ("#{}", "#{}", "#{}"),
    ("#{b: 'x', \"a b\": [#{}]}", '#{"a b": [#{}], "b": x}', '#{"a b": [#{}], "b": x}', '#{"a b": [#{}], "b": \'x\'}'),
    ("blob[]", "[]", "[]"),
    ("blob[1, 2, 3, 4, 5, 6, 7, 8, 255]", "[0102030405060708 ff]", "[0102030405060708 ff]"),
    ("1..5", "1..5", "1..5"),
    ("1..9223372036854775807", "1..", "1.."),
    ("1..=9223372036854775807", "1..=", "1..="),
    ("Fn(f)", "Fn(f)", "Fn(f)"),
    ("[Fn(f)]", "[Fn(f)]", "[Fn(f)]", '[Fn("f")]'),
]

FLOATS = [
    (0.0, "0.0", "0.0"),
    (-0.0, "0.0", "-0.0"),
    (1e13, "1e13", "10000000000000.0"),
    (9999999827968.0, "9999999827968.0", "9999999827968.0"),
    (9999999827969.0, "9.999999827969e12", "9999999827969.0"),
    (1e15, "1e15", "1000000000000000.0"),
    (1e16, "1e16", "1e16"),
    (1.5e300, "1.5e300", "1.5e300"),
    (0.0001, "0.0001", "0.0001"),
    (0.00001, "0.00001", "1e-5"),
    (1e-13, "0.0000000000001", "1e-13"),
    (-1.25e-7, "-0.000000125", "-1.25e-7"),
    (9.9999998e-14, "9.9999998e-14", "9.9999998e-14"),
    (5e-324, "5e-324", "5e-324"),
    (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
    # Two decimals are equally near: the larger is written.
    (582509197546732.25, "5.825091975467323e14", "582509197546732.3"),
    (-582509197546732.25, "-5.825091975467323e14", "-582509197546732.3"),
    (8.0000152587890625, "8.000015258789063", "8.000015258789063"),
    (float("inf"), "inf", "inf"),
    (float("-inf"), "-inf", "-inf"),
    (float("nan"), "NaN", "NaN"),
]


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("forms", FORMS, ids=lambda forms: forms[0])
def test_a_value_has_its_three_texts(forms: tuple[str, ...]) -> None:
    of = value(forms[0])
    assert (text(of), debug(of), error_text(of)) == (forms[1], forms[2], forms[3] if len(forms) > 3 else forms[1])


@pytest.mark.parametrize(("number", "printed", "debugged"), FLOATS)
def test_floats_are_written_as_the_engine_writes_them(number: float, printed: str, debugged: str) -> None:
    assert (float_text(number), float_debug(number)) == (printed, debugged)


@given(st.floats(allow_nan=False))
def test_both_texts_of_a_float_read_back_as_the_same_number(number: float) -> None:
    assert float(float_text(number)) == number
    assert float(float_debug(number)) == number
    if abs(number) != float("inf"):
        assert float(float_digits(number)) == number


def test_a_closure_with_curried_values_shows_them_in_errors_only() -> None:
    f = function(lambda a, b, level: None, 2, curry=(1, "x"))
    assert (text(f), error_text(Array([f]))) == ("Fn(anon$)", '[Fn*+("anon$", 1, "x")]')


def test_moments_have_no_text_of_their_own() -> None:
    assert text(Timestamp(5)) == "<timestamp>"


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("\0\t\n\r\"\\'", '"\\0\\t\\n\\r\\"\\\\\'"'),
        ("\x01\x7f\x80\xa0", '"\\u{1}\\u{7f}\\u{80}\\u{a0}"'),
        ("é€😀", '"é€😀"'),
        ("e\u0301", '"e\\u{301}"'),
        ("\u200d\u2028\ufeff", '"\\u{200d}\\u{2028}\\u{feff}"'),
        ("\ue000\U000e0001\u0378", '"\\u{e000}\\u{e0001}\\u{378}"'),
    ],
)
def test_what_does_not_print_is_escaped(string: str, expected: str) -> None:
    assert quoted(string) == expected


def test_the_table_of_escaped_characters_reaches_to_the_last_one() -> None:
    assert [escaped(c) for c in "\x80\xa0\xa1\u0300é\U0010ffff"] == [True, True, False, True, False, True]


def test_a_value_nested_beyond_what_the_stack_holds_ends_in_an_error_of_the_script() -> None:
    nested = Array([])
    for _ in range(100_000):
        nested = Array([nested])
    for form in (text, error_text):
        with pytest.raises(RhaiError, match="Stack overflow"):
            form(nested)
    while nested.v:
        nested = nested.v.pop()
