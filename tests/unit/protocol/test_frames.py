"""Frames: whatever way bytes arrive, the same messages come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trex.errors import ProtocolViolation
from trex.protocol.frames import FrameReader, header


def framed(message: bytes) -> bytes:
    return header(len(message)) + message


def test_one_whole_frame_gives_its_message() -> None:
    reader = FrameReader()
    assert reader.feed(framed(b"hello")) == b"hello"
    assert reader.is_empty


def test_two_frames_at_once_give_two_messages() -> None:
    reader = FrameReader()
    assert reader.feed(framed(b"one") + framed(b"two")) == b"one"
    assert not reader.is_empty
    assert reader.next() == b"two"
    assert reader.next() is None


def test_an_empty_message_is_a_message() -> None:
    assert FrameReader().feed(framed(b"")) == b""


def test_the_missing_bytes_are_known_once_the_header_is() -> None:
    reader = FrameReader()
    assert reader.missing == 4
    assert reader.feed(b"\0\0") is None
    assert reader.missing == 2
    assert reader.feed(b"\0\x0aabc") is None
    assert reader.missing == 7


@pytest.mark.parametrize("size", [101, 2**31, 2**32 - 1])
def test_a_frame_beyond_the_cap_is_refused_at_its_header(size: int) -> None:
    with pytest.raises(ProtocolViolation, match=f"{size} bytes"):
        FrameReader(cap=100).feed(header(size))


def test_a_whole_frame_beyond_the_cap_is_refused_too() -> None:
    with pytest.raises(ProtocolViolation):
        FrameReader(cap=100).feed(framed(b"x" * 101))


@given(messages=st.lists(st.binary(max_size=300), max_size=8), data=st.data())
def test_however_the_stream_is_cut_the_messages_are_the_same(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(framed(message) for message in messages)
    reader, got, at = FrameReader(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream) - at))
        message = reader.feed(stream[at : at + step])
        at += step
        while message is not None:
            got.append(message)
            message = reader.next()
    assert got == messages
    assert reader.is_empty
