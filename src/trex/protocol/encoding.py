"""Messages and values as MessagePack, and back from a peer that may be hostile.

Owns:      the bytes of every message and value; the extension types; how deep and how many.
Relies on: msgspec for strict, linear decoding, and on `frames` for the size of a message.
Never:     builds a value of unknown depth or number of parts from bytes of the worker; decodes a
           type that `trex.values` does not have; does I/O.

What the broker receives is written by a script's process, so it is treated as chosen by an enemy:

* A message is decoded into its declared type. The arguments of a `Call` and the value of
  `Finished` stay raw bytes until something asks for them with the type that it expects.
* Raw bytes that may hold containers are walked first (`check_value`): depth, number of parts,
  keys, integers beyond 64 bits and extension types are judged before one object is made of them.
  Without the walk a frame of 72 MiB of empty arrays would become 5 GiB of lists.

The way back, to the worker, is decoded directly: the broker is trusted by the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, cast

from msgspec import DecodeError, Meta, Raw
from msgspec.msgpack import Decoder, Encoder, Ext

from trex.errors import ProtocolViolation
from trex.protocol.messages import (
    MAX_ARGUMENTS,
    MAX_NAME,
    Call,
    Evaluated,
    Failed,
    Finished,
    FromBroker,
    FromWorker,
    Log,
    Message,
    Ready,
    Release,
    Timings,
)
from trex.values import INT_MAX, INT_MIN, Char, Constant, Object

# Extension types of MessagePack. The payload of a character is its UTF-8; of the others, an array.
CHAR, OBJECT, CONSTANT = 1, 2, 3

MAX_DEPTH = 128  # of arrays, maps, objects in one value
MAX_PARTS = 1 << 20  # values in one value, itself included: at most about 100 MiB of objects


Encoded = bytes | bytearray


class ValueRefused(ValueError):
    """These bytes are not a value that may cross the boundary."""


# --- writing ---


def _extension(value: object) -> Ext:
    kind = type(value)
    if kind is Char:
        return Ext(CHAR, value.text.encode())  # type: ignore[attr-defined]  # the check above, faster than isinstance
    if kind is Object:
        held = cast("Object", value)
        return Ext(OBJECT, _encode((held.type, held.fields, held.handle)))
    if kind is Constant:
        member = cast("Constant", value)
        return Ext(CONSTANT, _encode((member.type, member.name, member.arguments, member.denial)))
    raise TypeError(f"{kind.__name__} is not a value")


_encode_into = Encoder(enc_hook=_extension).encode_into


def _encode(thing: object) -> Encoded:
    # `Encoder.encode` dies of a segmentation fault where there is no memory to grow its buffer.
    buffer = bytearray()
    _encode_into(thing, buffer)
    return buffer


def encode(message: FromBroker | FromWorker) -> Encoded:
    """The bytes of one message, without its frame."""
    return _encode(message)


def encode_value(value: Any) -> Encoded:
    """The bytes of one value.

    Raises `ValueRefused` for what is no value, or is too deep or has too many parts to cross.
    """
    try:
        encoded = _encode(value)
    except (TypeError, OverflowError, ValueError, RecursionError) as problem:
        raise ValueRefused(str(problem)) from None
    check_value(encoded)
    return encoded


def encode_call(call: Call) -> Encoded:
    """The bytes of a `Call` whose arguments are values. Raises `ValueRefused` as `encode_value` does."""
    if len(call.arguments) > MAX_ARGUMENTS:
        raise ValueRefused(f"more than {MAX_ARGUMENTS} arguments")
    for argument in call.arguments:
        if type(argument) not in _SCALARS:
            # Containers are judged here as the broker will judge them, so that an honest worker
            # fails with an error of its script and not with a violation of the protocol.
            arguments = [Raw(encode_value(argument)) for argument in call.arguments]
            call = Call(call.number, call.operation, arguments, call.line)
            break
    try:
        return _encode(call)
    except (OverflowError, ValueError) as problem:  # an integer beyond 64 bits, a lone surrogate
        raise ValueRefused(str(problem)) from None


_SCALARS = frozenset({str, int, bool, float, bytes, type(None)})


# --- reading from the broker (trusted) ---


def _trusted_extension(code: int, payload: memoryview) -> Any:
    if code == CHAR:
        return Char(str(payload, "utf-8"))
    if code == OBJECT:
        return Object(*_trusted_value(payload))
    if code == CONSTANT:
        type, name, arguments, denial = _trusted_value(payload)
        return Constant(type, name, tuple(arguments), denial)
    raise ValueError(f"unknown extension type {code}")


_trusted_value = Decoder(ext_hook=_trusted_extension).decode
_from_broker = Decoder(FromBroker, ext_hook=_trusted_extension).decode


def decode_from_broker(message: bytes) -> FromBroker:
    """A message of the broker, as the worker reads it."""
    try:
        return cast("FromBroker", _from_broker(message))
    except (DecodeError, ValueError) as problem:
        raise ProtocolViolation(f"the broker sent a malformed message: {problem}") from None


# --- reading from the worker (hostile) ---


class _Finished(Message, tag="finished", frozen=True):
    """`Finished` with its value still raw, so that it is judged before it is built."""

    text: str
    value: Raw
    exact: bool
    timings: Timings


_from_worker = Decoder(Ready | Call | Log | Release | _Finished | Failed | Evaluated).decode


def decode_from_worker(message: bytes) -> FromWorker:
    """A message of the worker, as the broker reads it. `message` must not change afterwards."""
    try:
        decoded = _from_worker(message)
    except (DecodeError, RecursionError, ValueError) as problem:
        # ValueError: text that is not UTF-8, which msgspec leaves to Python.
        raise ProtocolViolation(f"the worker sent a malformed message: {problem}") from None
    if type(decoded) is _Finished:
        value = decode_value(decoded.value)
        return Finished(decoded.text, value, decoded.exact, decoded.timings)
    return cast("FromWorker", decoded)


_INTEGER = Annotated[int, Meta(ge=INT_MIN, le=INT_MAX)]
_Name = Annotated[str, Meta(max_length=MAX_NAME)]
_Handle = Annotated[int, Meta(ge=0, le=INT_MAX)]


def _hostile_extension(code: int, payload: memoryview) -> Any:
    # `check_value` has walked the payload: its depth, size and inner extensions are fit.
    if code == CHAR:
        text = str(payload, "utf-8")
        if len(text) != 1:
            raise ValueError("a character is one Unicode scalar value")
        return Char(text)
    if code == OBJECT:
        return Object(*_hostile_object(payload))
    if code == CONSTANT:
        return Constant(*_hostile_constant(payload))
    raise ValueError(f"unknown extension type {code}")


_hostile_value = Decoder(ext_hook=_hostile_extension).decode
_hostile_object = Decoder(tuple[_Name, dict[str, Any], _Handle | None], ext_hook=_hostile_extension).decode
_hostile_constant = Decoder(tuple[_Name, _Name, tuple[Any, ...], _Handle | None], ext_hook=_hostile_extension).decode


def decode_value(raw: Raw | bytes) -> Any:
    """Any value that the worker sent."""
    try:
        check_value(bytes(raw))
        return _hostile_value(raw)
    except (DecodeError, ValueError) as problem:
        raise ProtocolViolation(f"the worker sent a malformed value: {problem}") from None


# What a declared type accepts, for the types that cannot hold other values. No walk is needed:
# the decoder refuses a container by its first byte.
_SCALAR_DECODERS: dict[str, Callable[[Raw], Any]] = {
    "int": Decoder(_INTEGER).decode,
    "float": Decoder(float).decode,
    "string": Decoder(str).decode,
    "bool": Decoder(bool).decode,
    "unit": Decoder(None).decode,
    "blob": Decoder(bytes).decode,
}


def argument_decoder(type_name: str) -> Callable[[Raw], Any]:
    """What turns one raw argument into a value of the declared type, or ends the worker.

    The worker's bindings have chosen the overload by the same types, so that another type is a
    violation of the protocol and nothing that a script could cause.
    """
    scalar = _SCALAR_DECODERS.get(type_name)
    if scalar is not None:

        def decode_scalar(raw: Raw) -> Any:
            try:
                return scalar(raw)
            except (DecodeError, ValueError) as problem:
                raise ProtocolViolation(f"an argument is not of type {type_name}: {problem}") from None

        return decode_scalar
    if type_name == "any":
        return decode_value
    python_type = {"array": list, "map": dict, "char": Char}.get(type_name)

    def decode_checked(raw: Raw) -> Any:
        value = decode_value(raw)
        if python_type is None:
            fits = type(value) in (Object, Constant) and value.type == type_name
        else:
            fits = type(value) is python_type
        if not fits:
            raise ProtocolViolation(f"an argument is not of type {type_name}")
        return value

    return decode_checked


# --- the walk ---
#
# First byte of a MessagePack value to what follows it. `_FIXED` is the whole size where the first
# byte tells it; `_SIZED` says how many bytes of length come next for text, bytes and extensions
# (an extension has one more byte: its type); `_COUNTED` the same for containers.


def _fixed_sizes() -> list[int]:
    sizes = [0] * 256
    for first in (*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3):
        sizes[first] = 1
    for first in range(0xA0, 0xC0):
        sizes[first] = 1 + (first & 0x1F)
    sizes[0xCA], sizes[0xCB] = 5, 9
    sizes[0xCC], sizes[0xCD], sizes[0xCE], sizes[0xCF] = 2, 3, 5, 9
    sizes[0xD0], sizes[0xD1], sizes[0xD2], sizes[0xD3] = 2, 3, 5, 9
    return sizes


_FIXED = _fixed_sizes()
_SIZED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_COUNTED = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_EXTENSION_SIZED = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_EXTENSION_FIXED = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_TEXT = frozenset((*range(0xA0, 0xC0), 0xD9, 0xDA, 0xDB))


def check_value(data: Encoded) -> None:
    """Judge the bytes of one value without building it: one pass, no recursion, no memory.

    Raises `ValueRefused` if it is cut short, is followed by more, nests deeper than `MAX_DEPTH`,
    has more than `MAX_PARTS` parts, or holds what `trex.values` does not have: keys that are not
    text, integers beyond 64 bits signed, unknown extensions.
    """
    size = len(data)
    if size == _FIXED[data[0]] if size else False:
        if data[0] == 0xCF and data[1] & 0x80:
            raise ValueRefused("an integer is beyond 64 bits")
        return
    position = parts = 0
    remaining, is_map, end = 1, False, size  # of the container that is being walked
    outer: list[tuple[int, bool, int]] = []
    while True:
        while not remaining:
            if end != -1 and position != end:
                raise ValueRefused("an extension or the value is longer than what it holds")
            if not outer:
                return
            remaining, is_map, end = outer.pop()
        if position >= size:
            raise ValueRefused("it is cut short")
        parts += 1
        if parts > MAX_PARTS:
            raise ValueRefused(f"it has more than {MAX_PARTS} parts")
        first = data[position]
        remaining -= 1
        if is_map and remaining & 1 and first not in _TEXT:
            raise ValueRefused("the key of a map is not text")
        length = _FIXED[first]
        if length:
            if first == 0xCF and position + 1 < size and data[position + 1] & 0x80:
                raise ValueRefused("an integer is beyond 64 bits")
            position += length
            continue
        width = _SIZED.get(first)
        if width is not None:
            start = position + 1 + width
            position = start + int.from_bytes(data[position + 1 : start], "big")
            if position > size or start > size:
                raise ValueRefused("it is cut short")
            continue
        inner_end = -1
        if first & 0xF0 in (0x80, 0x90):
            count, maps = first & 0x0F, first < 0x90
            position += 1
        elif first in _COUNTED:
            start = position + 1 + _COUNTED[first]
            count, maps = int.from_bytes(data[position + 1 : start], "big"), first >= 0xDE
            position = start
        else:
            position, inner_end = _enter_extension(data, position, first)
            if inner_end == -1:
                continue  # a character: nothing inside
            count, maps = 1, False
        if len(outer) >= MAX_DEPTH:
            raise ValueRefused(f"it nests deeper than {MAX_DEPTH}")
        outer.append((remaining, is_map, end))
        remaining, is_map, end = (count * 2 if maps else count), maps, inner_end


def _enter_extension(data: Encoded, position: int, first: int) -> tuple[int, int]:
    """Where the payload starts and ends; for a character, the position after it and -1."""
    if first in _EXTENSION_FIXED:
        start = position + 1
        length = _EXTENSION_FIXED[first]
    elif first in _EXTENSION_SIZED:
        start = position + 1 + _EXTENSION_SIZED[first]
        length = int.from_bytes(data[position + 1 : start], "big")
    else:
        raise ValueRefused("a byte starts no value")
    end = start + 1 + length
    if end > len(data):
        raise ValueRefused("it is cut short")
    code = data[start]
    if code == CHAR:
        return end, -1
    if code not in (OBJECT, CONSTANT) or not length:
        raise ValueRefused(f"unknown extension type {code}")
    return start + 1, end
