"""Encoding: values survive the way there and back, and hostile bytes do not get in."""

from __future__ import annotations

import contextlib
import math
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trex.errors import ProtocolViolation
from trex.interface import Function, Interface, Parameter
from trex.limits import LanguageLimits
from trex.protocol import encoding
from trex.protocol.encoding import (
    MAX_DEPTH,
    MAX_PARTS,
    ValueRefused,
    argument_decoder,
    check_value,
    decode_from_broker,
    decode_from_worker,
    decode_value,
    encode,
    encode_call,
    encode_value,
)
from trex.protocol.messages import Call, Failed, Finished, Log, Raised, Ready, Returned, Start
from trex.values import INT_MAX, INT_MIN, Char, Constant, Object

texts = st.text(max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(INT_MIN, INT_MAX)
    | st.floats()
    | texts
    | st.binary(max_size=40)
    | st.characters(exclude_categories=["Cs"]).map(Char)
)


def containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    handles = st.none() | st.integers(0, INT_MAX)
    return (
        st.lists(values, max_size=20)
        | st.dictionaries(texts, values, max_size=20)
        | st.builds(Object, texts, st.dictionaries(texts, values, max_size=4), handles)
        | st.builds(Constant, texts, texts, st.lists(values, max_size=3).map(tuple), handles)
    )


values = st.recursive(scalars, containers, max_leaves=30)


def same(left: Any, right: Any) -> bool:
    """Equality with NaN equal to itself, and with what `__eq__` leaves out."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, Object):
        return (left.type, left.handle) == (right.type, right.handle) and same(left.fields, right.fields)
    if isinstance(left, Constant):
        names = (left.type, left.name, left.denial) == (right.type, right.name, right.denial)
        return names and same(left.arguments, right.arguments)
    return bool(left == right)


@given(values)
def test_a_value_from_the_worker_arrives_as_it_was(value: Any) -> None:
    assert same(decode_value(encode_value(value)), value)


@given(values)
def test_a_value_from_the_broker_arrives_as_it_was(value: Any) -> None:
    returned = decode_from_broker(encode(Returned(1, value)))
    assert isinstance(returned, Returned)
    assert same(returned.value, value)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_value_or_a_violation_and_nothing_else(data: bytes) -> None:
    try:
        value = decode_value(data)
    except ProtocolViolation:
        return
    assert same(decode_value(encode_value(value)), value)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_message_or_a_violation_and_nothing_else(data: bytes) -> None:
    for start in (b"", b"\x95\xa4call", b"\x95\xa8finished", b"\x94\xa3log", b"\x94\xa5ready", b"\x9a\xa6failed"):
        with contextlib.suppress(ProtocolViolation):
            decode_from_worker(start + data)


@given(value=values, data=st.data())
def test_a_changed_byte_makes_another_value_or_a_violation(value: Any, data: st.DataObject) -> None:
    encoded = bytearray(encode_value(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolViolation):
        decode_value(bytes(encoded))


@given(values)
def test_the_walk_accepts_what_msgspec_wrote_and_nothing_shorter_or_longer(value: Any) -> None:
    encoded = encode_value(value)
    check_value(encoded)
    for other in (encoded[:-1], encoded + b"\xc0"):
        with pytest.raises(ValueRefused):
            check_value(other)


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("nothing", b""),
        ("a byte that starts nothing", b"\xc1"),
        ("such a byte within", b"\x91\xc1"),
        ("a list that is cut short", b"\xdd\xff\xff\xff\xff"),
        ("a map that is cut short", b"\xdf\xff\xff\xff\xff"),
        ("text that is cut short", b"\xdb\xff\xff\xff\xff"),
        ("bytes that are cut short", b"\x91\xc6\xff\xff\xff\xff"),
        ("a number that is cut short", b"\x91\xcb\0"),
        ("an extension that is cut short", b"\xc9\xff\xff\xff\xff\x02"),
        ("an extension header that is cut short", b"\xd4"),
        ("text that is not UTF-8", b"\xa1\xff"),
        ("a surrogate", b"\xa3\xed\xa0\x80"),
        ("a key that is a number", b"\x81\x01\x02"),
        ("a key that is an array", b"\x81\x90\x02"),
        ("a second key that is nil", b"\x82\xa1a\x01\xc0\x02"),
        ("a number beyond 64 bits", b"\xcf" + b"\xff" * 8),
        ("such a number within", b"\x91\xcf" + b"\xff" * 8),
        ("a timestamp", b"\xd6\xff\0\0\0\0"),
        ("an unknown extension", b"\xd4\x07\0"),
        ("a character of two", b"\xc7\x02\x01ab"),
        ("a character of none", b"\xc7\x00\x01"),
        ("an empty object", b"\xc7\x00\x02"),
        ("an object that is no array", b"\xd4\x02\xc0"),
        ("an object with a surplus value", b"\xc7\x05\x02\x94\xa0\x80\xc0\xc0"),
        ("an object whose handle is negative", b"\xd6\x02\x93\xa0\x80\xff"),
        ("an object that is longer than its parts", b"\xc7\x05\x02\x93\xa0\x80\xc0\xc0"),
        ("an object that is shorter than its parts", b"\xc7\x03\x02\x93\xa0\x80\xc0"),
        ("a constant whose name is missing", b"\xd5\x03\x91\xa0"),
    ],
)
def test_malformed_values_are_violations(what: str, data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode_value(data)


def nested(depth: int) -> Any:
    value: Any = None
    for _ in range(depth):
        value = [value]
    return value


def test_a_value_may_nest_to_the_depth_and_no_deeper() -> None:
    assert same(decode_value(encode_value(nested(MAX_DEPTH))), nested(MAX_DEPTH))
    with pytest.raises(ValueRefused, match="deeper"):
        encode_value(nested(MAX_DEPTH + 1))
    with pytest.raises(ProtocolViolation, match="deeper"):
        decode_value(b"\x91" * 10_000_000 + b"\xc0")


def test_objects_count_for_the_depth() -> None:
    value: Any = None
    for _ in range(MAX_DEPTH // 3 + 1):
        value = Object("T", {"inner": value})
    with pytest.raises(ValueRefused, match="deeper"):
        encode_value(value)


def test_a_value_has_at_most_so_many_parts() -> None:
    many = b"\xdd" + (MAX_PARTS - 1).to_bytes(4, "big") + b"\xc0" * (MAX_PARTS - 1)
    assert len(decode_value(many)) == MAX_PARTS - 1
    more = b"\xdd" + MAX_PARTS.to_bytes(4, "big") + b"\xc0" * MAX_PARTS
    with pytest.raises(ProtocolViolation, match="parts"):
        decode_value(more)


def test_a_refused_value_costs_no_memory() -> None:
    """Amplification: one byte of an empty array becomes 64 bytes of a list."""
    bomb = b"\xdd\x01\0\0\0" + b"\x90" * (1 << 24)
    tracemalloc.start()
    with pytest.raises(ProtocolViolation):
        decode_value(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 1024


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("int", 5),
        ("int", INT_MIN),
        ("float", 1.5),
        ("string", "text"),
        ("bool", True),
        ("unit", None),
        ("blob", b"bytes"),
        ("char", Char("ä")),
        ("array", [1, "two"]),
        ("map", {"key": [1]}),
        ("any", {"key": Char("x")}),
        ("any", None),
        ("Metadata", Object("Metadata", {"size": 5}, 7)),
        ("EntryType", Constant("EntryType", "FILE")),
    ],
)
def test_an_argument_of_the_declared_type_is_decoded(type_name: str, value: Any) -> None:
    assert same(argument_decoder(type_name)(Raw(encode_value(value))), value)


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("int", "5"),
        ("int", 1.5),
        ("int", True),
        ("int", None),
        ("float", "1.5"),
        ("string", b"bytes"),
        ("string", 5),
        ("string", Char("x")),
        ("bool", 1),
        ("unit", False),
        ("blob", "text"),
        ("char", "x"),
        ("array", {"key": 1}),
        ("array", "text"),
        ("map", [1]),
        ("fn", "name"),
        ("Metadata", Object("Other", {})),
        ("Metadata", {"size": 5}),
        ("EntryType", "FILE"),
    ],
)
def test_an_argument_of_another_type_is_a_violation(type_name: str, value: Any) -> None:
    with pytest.raises(ProtocolViolation):
        argument_decoder(type_name)(Raw(encode_value(value)))


def test_an_unsigned_integer_beyond_the_range_is_no_int() -> None:
    with pytest.raises(ProtocolViolation):
        argument_decoder("int")(Raw(b"\xcf" + b"\xff" * 8))


@pytest.mark.parametrize("message", [
    Start("1 + 1", {"n": 5, "c": Char("x")}, Interface((Function("f", "op", (Parameter("a", "int"),), "unit"),)), LanguageLimits()),
    Returned(3, {"a": [1.5]}),
    Raised(3, "IoErrorKind", "NotFound", "no such file", None),
])  # fmt: skip  # one message a line
def test_messages_of_the_broker_arrive_as_they_were(message: Any) -> None:
    decoded = decode_from_broker(encode(message))
    assert type(decoded) is type(message)
    assert encode(decoded) == encode(message)


@pytest.mark.parametrize("message", [
    Ready({"landlock": "abi 7"}, {"lock": 0.5}, {"user": "no"}),
    Log("INFO", "text", 3),
    Finished("[1]", [1], True, {"run": 1.0}),
    Failed("run", "ErrorRuntime", ["ErrorRuntime"], "text", 1, 2, None, "", {}),
])  # fmt: skip  # one message a line
def test_messages_of_the_worker_arrive_as_they_were(message: Any) -> None:
    assert decode_from_worker(encode(message)) == message


def test_a_call_keeps_its_arguments_raw() -> None:
    call = decode_from_worker(encode_call(Call(1, "files.cat", ["/etc", [1]], 7)))  # type: ignore[list-item]  # values
    assert isinstance(call, Call)
    assert (call.number, call.operation, call.line) == (1, "files.cat", 7)
    assert [argument_decoder("any")(raw) for raw in call.arguments] == ["/etc", [1]]


@pytest.mark.parametrize(
    "argument",
    [nested(200), {1: 2}, [2**64], 2**64, "\ud800", object(), [object()]],
    ids=lambda value: repr(value)[:12],
)
def test_a_call_that_no_broker_would_accept_is_refused_by_the_worker(argument: Any) -> None:
    with pytest.raises(ValueRefused):
        encode_call(Call(1, "op", [argument], None))


def test_a_worker_refuses_more_arguments_than_a_call_may_have() -> None:
    with pytest.raises(ValueRefused, match="32"):
        encode_call(Call(1, "op", [None] * 33, None))  # type: ignore[list-item]  # values


def test_only_three_extension_types_exist() -> None:
    for code in sorted({*range(256)} - {encoding.CHAR, encoding.OBJECT, encoding.CONSTANT}):
        with pytest.raises(ProtocolViolation):
            decode_value(b"\xd4" + bytes([code]) + b"\xc0")


def test_values_of_the_protocol_are_no_pickles_or_dates() -> None:
    """What MessagePack libraries add by themselves: timestamps (extension -1) become no object."""
    timestamp = msgspec.msgpack.encode(datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ProtocolViolation):
        decode_value(timestamp)


def test_the_extension_codes_are_those_of_the_document() -> None:
    assert (encoding.CHAR, encoding.OBJECT, encoding.CONSTANT) == (1, 2, 3)
