"""The worker's end of the socket: what a language calls when it wants something from the host.

Owns:      the socket, the numbering of calls, and the order of what is sent.
Relies on: a blocking socket and one thread; the filter of system calls allows nothing else.
Never:     decides anything. Whatever it refuses, the broker would refuse as well.
"""

from __future__ import annotations

import _socket
from typing import Any, cast

from trex.errors import LimitExceeded, OperationError
from trex.protocol.conversation import Conversation
from trex.protocol.encoding import Encoded, ValueRefused, decode_from_broker, encode, encode_call
from trex.protocol.frames import CAP, HEADER, FrameReader, header
from trex.protocol.messages import (
    MAX_RELEASED,
    Call,
    FromBroker,
    FromWorker,
    Log,
    Raised,
    Release,
    Returned,
)

# One receive takes this much; a larger message comes in pieces of at most `_LARGE_PIECE`.
_PIECE = 64 * 1024
_LARGE_PIECE = 1024 * 1024


class BrokerGone(Exception):
    """The broker has closed its end."""


class WorkerChannel:
    """A `trex.languages.host.Host` that asks the broker."""

    def __init__(self, socket: _socket.socket) -> None:
        self._socket = socket
        self._reader = FrameReader()
        self._conversation = Conversation()
        self._released: list[int] = []
        self._is_sent = False  # the call that is waited for
        self._head, self._received = b"", 0  # of the message that is being received: its first bytes, and how many came

    # --- for the language ---

    def call(self, operation: str, arguments: list[Any], line: int | None) -> Any:
        """Ask the broker to perform an operation, and wait for its answer.

        Raises `OperationError` for what a script may catch, with `.denial` set to the number of
        the denial or None; and `LimitExceeded` for arguments that no message can carry.
        """
        if self._released:
            self._send_released()
        call = Call(self._conversation.calls + 1, operation, arguments, line)
        try:
            encoded = encode_call(call)
        except ValueRefused as problem:
            raise LimitExceeded("max_value", CAP, f"arguments of {operation}: {problem}") from None
        if len(encoded) > CAP:
            raise LimitExceeded("max_value", CAP, f"arguments of {operation}: {len(encoded)} bytes")
        self._is_sent, self._received = False, 0
        self._conversation.advance(call)
        self._send(encoded)
        self._is_sent = True
        reply = self.receive()
        if type(reply) is Returned:
            return reply.value
        raised = cast("Raised", reply)  # the conversation lets nothing else through
        raise _error(raised)

    def log(self, level: str, message: str, line: int | None) -> None:
        """Send one log record; there is no answer. Raises `LimitExceeded` beyond a frame."""
        record = Log(level, message, line)  # type: ignore[arg-type]  # a Literal to the broker, which checks it
        encoded = encode(record)
        if len(encoded) > CAP:
            raise LimitExceeded("max_log", CAP, f"one record of {len(encoded)} bytes")
        self._conversation.advance(record)
        self._send(encoded)

    def release(self, handles: list[int]) -> None:
        """Note that the script dropped these handles; the broker hears of it before the next call.

        Sends nothing: finalizers may call this at any time, in the middle of another message too.
        """
        self._released += handles

    # --- for the process ---

    def send(self, message: FromWorker, encoded: Encoded | None = None) -> None:
        """Send any message; `encoded`, if that was done already."""
        data = encode(message) if encoded is None else encoded
        self._conversation.advance(message)
        self._send(data)

    def receive(self) -> FromBroker:
        """Wait for the next message of the broker. Raises `BrokerGone`."""
        frame = None if self._reader.is_empty else self._reader.next()
        self._received = 0
        while frame is None:
            data = self._socket.recv(min(max(_PIECE, self._reader.missing), _LARGE_PIECE))
            if not data:
                raise BrokerGone
            if not self._received:
                self._head = data[:HEADER]
            self._received += len(data)
            frame = self._reader.feed(data)
        message = decode_from_broker(frame)
        self._conversation.advance(message)
        return message

    def settle(self) -> None:
        """After an error in the middle of a call, such as no memory for its reply: be ready for the last message.

        The broker must have got rid of its reply before it listens again. Raises `BrokerGone`.
        """
        if self._conversation.state == "waiting" and self._is_sent:
            if not self._received:
                self._drop()
            while self._received < HEADER + int.from_bytes(self._head, "big"):
                self._drop()
        self._conversation.abandon()

    def _drop(self) -> None:
        data = self._socket.recv(_PIECE)
        if not data:
            raise BrokerGone
        if not self._received:
            self._head = data[:HEADER]
        self._received += len(data)

    def _send_released(self) -> None:
        handles, self._released = self._released, []
        for at in range(0, len(handles), MAX_RELEASED):
            self.send(Release(handles[at : at + MAX_RELEASED]))

    def _send(self, data: Encoded) -> None:
        try:
            if len(data) < _PIECE:
                self._send_all(header(len(data)) + data)
            else:  # a second call to the kernel costs less than a copy
                self._send_all(header(len(data)))
                self._send_all(data)
        except ConnectionError:
            raise BrokerGone from None

    def _send_all(self, data: Encoded) -> None:
        sent = self._socket.send(data)
        if sent < len(data):
            with memoryview(data) as view:
                while sent < len(data):
                    sent += self._socket.send(view[sent:])


def _error(raised: Raised) -> OperationError:
    error = OperationError(raised.family, raised.kind, raised.message)
    error.denial = raised.denial
    return error
