"""Script arguments: the tagged notation, pairs, and one sentence for each mistake."""

from __future__ import annotations

import json

import pytest

from trex.runner.arguments import MAX_DEPTH, ArgumentsInvalid, ArgumentsTooDeep, add_pairs, from_tagged_json


def test_every_tag_becomes_the_value_it_names():
    text = json.dumps(
        {
            "service": {"stringValue": "nginx"},
            "retries": {"integerValue": 3},
            "since": {"longValue": 1767225600000},
            "ratio": {"doubleValue": 0.25},
            "dry_run": {"booleanValue": True},
            "hosts": {"listValue": [{"stringValue": "a"}, {"integerValue": 1}]},
            "labels": {"mapValue": {"tier": {"stringValue": "web"}}},
        }
    )
    assert from_tagged_json(text, "a.json") == {
        "service": "nginx",
        "retries": 3,
        "since": 1767225600000,
        "ratio": 0.25,
        "dry_run": True,
        "hosts": ["a", 1],
        "labels": {"tier": "web"},
    }


def test_an_integer_literal_is_a_double_where_the_tag_says_so():
    value = from_tagged_json('{"x": {"doubleValue": 2}}', "")["x"]
    assert (type(value), value) == (float, 2.0)


def test_an_empty_object_is_no_arguments():
    assert from_tagged_json("{}", "") == {}


@pytest.mark.parametrize(
    "tag,edge",
    [("integerValue", 2**31 - 1), ("integerValue", -(2**31)), ("longValue", 2**63 - 1), ("longValue", -(2**63))],
)
def test_integers_reach_to_the_edges_of_their_range(tag, edge):
    assert from_tagged_json(json.dumps({"x": {tag: edge}}), "") == {"x": edge}


@pytest.mark.parametrize(
    "text,sentence",
    [
        ("[]", "the top level must be an object of name to tagged value, not an array"),
        ("3", "the top level must be an object of name to tagged value, not a number"),
        ("null", "the top level must be an object of name to tagged value, not null"),
        ("", "not valid JSON: Expecting value"),
        ('{"x": {"stringValue": "a"}} extra', "not valid JSON: Extra data"),
        ('\ufeff{"x": {"stringValue": "a"}}', "not valid JSON: Unexpected UTF-8 BOM"),
        ('{"x": "bare"}', "x: expected an object with exactly one key, its type"),
        ('{"x": {}}', "found an object of 0 keys"),
        ('{"x": {"stringValue": "a", "integerValue": 1}}', "found an object of 2 keys"),
        ('{"x": null}', "found null"),
        ('{"x": {"textValue": "a"}}', "x: unknown type 'textValue'; the types are stringValue, integerValue"),
        ('{"x": {"stringValue": 1}}', "x: stringValue cannot hold a number"),
        ('{"x": {"integerValue": "1"}}', "x: integerValue cannot hold a string"),
        ('{"x": {"integerValue": 1.0}}', "x: integerValue cannot hold a number"),
        ('{"x": {"integerValue": true}}', "x: integerValue cannot hold a boolean"),
        ('{"x": {"booleanValue": 1}}', "x: booleanValue cannot hold a number"),
        ('{"x": {"integerValue": 2147483648}}', "x: 2147483648 is out of the range of integerValue"),
        ('{"x": {"longValue": 9223372036854775808}}', "out of the range of longValue"),
        ('{"x": {"longValue": ' + "9" * 5000 + "}}", "out of range (64 bits)"),
        ('{"x": {"doubleValue": NaN}}', "NaN is not JSON"),
        ('{"x": {"doubleValue": 1e999}}', "x: the number is out of the range of a 64-bit float"),
        ('{"x": {"listValue": [{"stringValue": "a"}, 3]}}', "x[1]: expected an object with exactly one key"),
        ('{"x": {"mapValue": {"k": {"stringValue": 1}}}}', "x.k: stringValue cannot hold a number"),
        ('{"x": {"stringValue": "\\ud800"}}', "x: the text is not valid Unicode"),
        ('{"x": {"stringValue": "a"}, "x": {"stringValue": "b"}}', "the name 'x' stands twice in one object"),
        ('{"x": {"mapValue": {"k": {"integerValue": 1}, "k": {"integerValue": 2}}}}', "the name 'k' stands twice"),
        ('{"if": {"stringValue": "a"}}', "argument 'if' cannot be used by a script: 'if' is a keyword"),
        ('{"eval": {"stringValue": "a"}}', "'eval' is a reserved word"),
        ('{"a-b": {"stringValue": "a"}}', "a name is made of ASCII letters, digits and _"),
        ('{"": {"stringValue": "a"}}', "the name is empty"),
        ("[" * 100_000, "the JSON is nested too deeply"),
    ],
)
def test_a_bad_arguments_file_gets_one_sentence_that_names_the_file(text, sentence):
    with pytest.raises(ArgumentsInvalid) as caught:
        from_tagged_json(text, "arguments.json")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("arguments.json")
    assert "\n" not in str(caught.value)


def test_a_json_error_has_its_line_and_column():
    with pytest.raises(ArgumentsInvalid) as caught:
        from_tagged_json('{\n  "x": oops\n}', "arguments.json")
    assert (caught.value.line, caught.value.column) == (2, 8)
    assert str(caught.value).startswith("arguments.json:2:8: ")


def nested(levels: int) -> str:
    return '{"deep": ' + '{"listValue": [' * (levels - 1) + '{"integerValue": 1}' + "]}" * (levels - 1) + "}"


def test_nesting_is_allowed_up_to_the_documented_depth():
    assert from_tagged_json(nested(MAX_DEPTH), "")


def test_an_argument_nested_too_deeply_is_named():
    with pytest.raises(ArgumentsTooDeep) as caught:
        from_tagged_json(nested(MAX_DEPTH + 1), "a.json")
    assert str(caught.value) == f"a.json: argument 'deep' is nested deeper than {MAX_DEPTH} levels"


def test_pairs_are_strings_and_json_pairs_are_what_they_say():
    arguments: dict[str, object] = {}
    add_pairs(arguments, ("name=a=b", "empty=", "days:=7", "ratio:=0.5", 'list:=[1, {"k": null}]', "on:=true"))
    assert arguments == {"name": "a=b", "empty": "", "days": 7, "ratio": 0.5, "list": [1, {"k": None}], "on": True}


@pytest.mark.parametrize(
    "pairs,sentence",
    [
        (("x",), "argument 'x' is not of the form name=text or name:=json"),
        (("x=1", "x=2"), "argument 'x' is given twice"),
        (("x:=oops",), "argument 'x':1:1: not valid JSON"),
        (("x:=99999999999999999999",), "x: 99999999999999999999 is out of range (64 bits)"),
        (("while=1",), "'while' is a keyword"),
        (("x=\udcff",), "x: the text is not valid Unicode"),
    ],
)
def test_a_bad_pair_gets_one_sentence(pairs, sentence):
    with pytest.raises(ArgumentsInvalid) as caught:
        add_pairs({}, pairs)
    assert sentence in str(caught.value)


def test_a_pair_does_not_replace_an_argument_of_the_file():
    with pytest.raises(ArgumentsInvalid, match="given twice"):
        add_pairs({"x": 1}, ("x=2",))
