"""Frames: a length of four bytes, then that many bytes of message.

Owns:      cutting a stream of bytes into messages, and the largest message each side may send.
Relies on: nothing; it does no I/O.
Never:     believes a length: a frame beyond the cap is refused when its header arrives, and no
           memory is taken for bytes that have not arrived.

Attack it stops: a peer that announces 4 GiB and waits for the other side to reserve them.
"""

from __future__ import annotations

from trex.errors import ProtocolViolation
from trex.limits import MIB

HEADER = 4

# The largest honest message either way is one string of `max_string_size` or one read of
# `max_read` (64 MiB each), and what surrounds it.
CAP = 72 * MIB


def header(size: int) -> bytes:
    """The bytes that go before a message of `size` bytes."""
    return size.to_bytes(HEADER, "big")


class FrameReader:
    """Turns received bytes into messages, in order, however they were cut up."""

    __slots__ = ("_buffer", "_cap", "_needed")

    def __init__(self, cap: int = CAP) -> None:
        self._cap = cap
        self._buffer = bytearray()
        self._needed = HEADER  # bytes that the buffer must hold before `next` can do more

    @property
    def missing(self) -> int:
        """How many bytes at least must arrive before the next message can be complete."""
        return max(0, self._needed - len(self._buffer))

    @property
    def is_empty(self) -> bool:
        """Whether no part of a message is waiting."""
        return not self._buffer

    def feed(self, data: bytes) -> bytes | None:
        """Take what arrived; give the next message if it is complete now."""
        if not self._buffer and len(data) >= HEADER and int.from_bytes(data[:HEADER], "big") == len(data) - HEADER:
            if len(data) - HEADER > self._cap:
                raise ProtocolViolation(f"a frame of {len(data) - HEADER} bytes exceeds {self._cap}")
            return data[HEADER:]  # by far the most common case: exactly one message arrived
        self._buffer += data
        return self.next()

    def next(self) -> bytes | None:
        """The next complete message of what has arrived already, or None."""
        buffer = self._buffer
        if len(buffer) < HEADER:
            self._needed = HEADER
            return None
        size = int.from_bytes(buffer[:HEADER], "big")
        if size > self._cap:
            raise ProtocolViolation(f"a frame of {size} bytes exceeds {self._cap}")
        self._needed = HEADER + size
        if len(buffer) < self._needed:
            return None
        with memoryview(buffer) as view:
            message = bytes(view[HEADER : self._needed])
        del buffer[: self._needed]
        self._needed = HEADER
        return message
