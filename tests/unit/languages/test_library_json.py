"""JSON: what is written, and which texts are read as what."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.language import call, fresh_run, function, limited, shown, value
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.evaluate import to_value
from trex.languages.rhai.library.json import _decoded, _Unfit
from trex.languages.rhai.library.json_scanner import scan
from trex.languages.rhai.positions import column_of, line_of
from trex.languages.rhai.semantics import exceptions
from trex.languages.rhai.values import Array, Map


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


# --- writing ---


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ('#{b: 1, a: [1.0, "x\\"", ()], c: #{}, d: true}', '{"a":[1.0,"x\\"",null],"b":1,"c":{},"d":true}'),
        ("#{a: 1e20, b: -0.0, c: blob[1, 255]}", '{"a":1e20,"b":-0.0,"c":[1,255]}'),
        ("#{a: 'c', b: '\"', c: 1..3, d: Fn(f)}", '{"a":"c","b":"\\"","c":"1..3","d":"f"}'),
        ("#{a: NaN, b: inf}", '{"a":null,"b":null}'),
        ('#{"k\\n": "\\u{1}\\u{7f}é"}', '{"k\\n":"\\u0001\\u007fé"}'),
    ],
)
def test_a_map_is_written_as_json(given_value: str, expected: str) -> None:
    text = call("to_json", value(given_value))[1]
    assert text == expected
    json.loads(text)


def test_curried_values_of_a_function_are_written_after_its_name() -> None:
    map = value("#{}")
    map.v["f"] = function(lambda a, b, level: None, 2, curry=(1, "x"))
    assert call("to_json", map)[1] == '{"f":["anon$",1,"x"]}'


def test_a_json_text_has_the_size_of_a_string() -> None:
    with limited(string=10), pytest.raises(RhaiError, match="Length of string too large"):
        call("to_json", value('#{a: "123456789"}'))


# --- reading ---

READ = [
    ('{"a": 1, "b": [1.5, null, {"c": "x"}], "d": false}', '#{a: 1, b: [1.5, (), #{c: "x"}], d: false}'),
    ("{}", "#{}"),
    ("{/*/ */}", "#{}"),
    ("{/* /* x */ */}", "#{}"),
    (
        '{"a": 12345678901234567890, "b": -0, "c": 1E5, "d": 1e400}',
        "#{a: 1.2345678901234567e+19, b: 0, c: 100000.0, d: inf}",
    ),
    ('{"time": "12:30", "a:b": "\\u003a"}', '#{"a:b": ":", time: "12:30"}'),
    ('{"a": "\\t\\x41\\u0041\\U00000041\\r\\n\\\\ \\""}', '#{a: "\\tAAA\\r\\n\\\\ \\""}'),
    ('{"a": "x""y", `b`: `c`, "d": #"e"f"#, "g": \'h\'}', '#{a: "x\\"y", b: "c", d: "e\\"f", g: \'h\'}'),
    ('// c\n{"a": /* /* n */ */ 1, "b": [1, 2,],}', "#{a: 1, b: [1, 2]}"),
    (
        '{"a": 1 + 2 * 3, "b": (1 + 2) * 3, "c": 2 ** 3 ** 2, "d": - 5, "e": !true}',
        "#{a: 7, b: 9, c: 512, d: -5, e: false}",
    ),
    ('{"a": 0xff, "b": 0b11, "c": 1_000, "d": 1., "e": 1..5}', "#{a: 255, b: 3, c: 1000, d: 1.0, e: 1..5}"),
    ('{"a": -9223372036854775808, "b": true && false || true}', "#{a: -9223372036854775808, b: true}"),
]

REFUSED = [
    ("", "Script is incomplete", 1),
    ("   ", "Script is incomplete", 4),
    ("{", "Expecting '}' to end this object map literal", 2),
    ('{"a" 1}', "Expecting ':' to follow the property 'a' in this object map literal", 6),
    ('{"a": 1 "b": 2}', "Expecting '}' to end this object map literal", 9),
    ('{"a": 1, "a": 2}', "Duplicated property for object map literal: a", 10),
    ("{a: 1}", "Expecting name of a property", 2),
    ('{"a": [1 2]}', "Expecting ',' to separate the items of this array literal", 10),
    ('{"a": [1', "Expecting ']' to end this array literal", 9),
    ('{"a": [1,,2]}', "Unexpected ','", 10),
    ('{"a": 1} x', "Unexpected 'x'", 10),
    ('{"a": "x', "Open string is not terminated", 7),
    ('{"a": "\\/"}', "Invalid escape sequence: '\\/'", 9),
    ('{"a": "\\ud83d\\ude00"}', "Invalid escape sequence: '\\ud83d'", 13),
    ('{"a": ()}', "Invalid symbol encountered: '()'", 7),
    ('{"a": #{}}', "Invalid symbol encountered: '#{'", 7),
    ("{\"a\": 'xy'}", "Invalid character: 'xy'", 7),
    ('{"a": 0x}', "Invalid number: ''", 7),
    ('{"a": var}', "'var' is a reserved keyword", 7),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_a_text_is_read_as_the_language_would(text: str, expected: str) -> None:
    assert shown(call("parse_json", text)[1]) == shown(value(expected))


@pytest.mark.parametrize(("text", "sentence", "column"), REFUSED)
def test_a_text_that_is_none_is_refused_where_it_goes_wrong(text: str, sentence: str, column: int) -> None:
    with pytest.raises(RhaiError) as failure:
        call("parse_json", text)
    error = failure.value
    assert (error.kind, exceptions.message(error)) == ("ErrorParsing", f"Syntax error: {sentence}")
    assert (line_of(error.position or 0), column_of(error.position or 0)) == (1, column)


@pytest.mark.parametrize("text", ["[1]", "1", '"x"', "null"])
def test_only_objects_are_read(text: str) -> None:
    with pytest.raises(RhaiError, match=r"Output type incorrect: .* \(expecting map\)"):
        call("parse_json", text)


def test_a_name_is_a_variable_that_nobody_declared() -> None:
    with pytest.raises(RhaiError, match="Variable not found: undefined"):
        call("parse_json", '{"a": undefined}')


def test_what_is_read_is_counted_and_bounded() -> None:
    map = call("parse_json", '{"a": ["é", [1]], "b": {"c": "d"}}')[1]
    assert (map.extra_array, map.extra_map, map.extra_string) == (3, 1, 3)
    with limited(array=2), pytest.raises(RhaiError, match="Size of array literal exceeds the maximum limit \\(2\\)"):
        call("parse_json", '{"a": [1, 2, 3]}')


@pytest.mark.parametrize(
    "text",
    [
        '{"a": ' + "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": ' + "-" * 100_000,
        '{"a": ' + "(" * 100_000,
        '{"a": ' + "1 ** " * 100_000,
    ],
)
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(RhaiError):
        call("parse_json", text)


@pytest.mark.parametrize("text", ["{" + "/* " * 300_000, "{" + "/*" * 200_000 + "*/" * 200_000, "{" + "/**/" * 200_000])
def test_comments_are_passed_in_one_go(text: str) -> None:
    started = time.process_time()
    with pytest.raises(RhaiError, match="Expecting '}' to end this object map literal"):
        call("parse_json", text)
    assert time.process_time() - started < 5


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def typed(of: object) -> dict[str, object]:
    """Plain data as a typed value."""
    if isinstance(of, list):
        return {"t": "array", "v": [typed(item) for item in of]}
    if isinstance(of, dict):
        return {"t": "map", "v": {key: typed(item) for key, item in of.items()}}
    kind = {type(None): "unit", bool: "bool", int: "int", float: "float", str: "string"}[type(of)]
    return {"t": kind, "v": of}


def unpacked(of: object) -> object:
    """A value of the language as plain data."""
    if isinstance(of, Array):
        return [unpacked(item) for item in of.v]
    if isinstance(of, Map):
        return {key: unpacked(item) for key, item in of.v.items()}
    return of


@given(st.dictionaries(st.text(max_size=6), plain, max_size=5))
def test_the_fast_decoder_and_the_scanner_agree_wherever_the_fast_one_answers(data: dict[str, object]) -> None:
    text = json.dumps(data, ensure_ascii=False)
    try:
        fast = _decoded(text)
    except _Unfit:
        return
    slow = scan(text)
    assert unpacked(fast) == unpacked(slow) == data
    assert shown(fast) == shown(slow)


@given(st.dictionaries(st.text(max_size=6), plain, max_size=5))
def test_what_is_written_is_read_back(data: dict[str, object]) -> None:
    original = to_value(typed(data))
    assert shown(call("parse_json", call("to_json", original)[1])[1]) == shown(original)
