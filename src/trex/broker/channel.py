"""The broker's end of the socket to one worker, which may be hostile.

Owns:      the socket, the frames under way, the order of messages, the deadline.
Relies on: the protocol package to judge bytes; a blocking stream socket.
Never:     waits beyond the deadline, in either direction; holds more than one frame; argues: any
           violation is raised, and whoever catches it ends the worker.

A worker can stop reading, stop writing, send half a frame or byte by byte: every wait here is cut
into slices, and the deadline is looked at between them.
"""

from __future__ import annotations

import _socket
import select
import struct
import time
from collections.abc import Callable

from trex.broker.placement import Placement
from trex.errors import LimitExceeded, WorkerDied
from trex.protocol.conversation import Conversation
from trex.protocol.encoding import Encoded, decode_from_worker, encode
from trex.protocol.frames import CAP, FrameReader, header
from trex.protocol.messages import FromBroker, FromWorker, Raised, Returned

_PIECE = 64 * 1024
_LARGE_PIECE = 1024 * 1024

# A chatty script calls again within this time. After it the worker is taken to be computing, and
# the wait is for the whole time that is left.
_SLICE = 0.002
# A worker that computes is looked at this often (`watch`).
_WATCH = 0.1
# A send waits only for a worker that does not read. Coarse: nothing but the deadline ends it.
_SEND_SLICE = 0.050


def _time_value(seconds: float) -> bytes:
    return struct.pack("@ll", 0, int(seconds * 1_000_000))


class BrokerChannel:
    """Messages to and from one worker.

    socket:   connected to the worker; this channel owns it.
    worker:   the worker's pid, to place it; None leaves placement to the system.
    status:   ends the worker and says how it ended, for `WorkerDied`.
    watch:    called now and then during a long wait; may raise what ends the run.
    max_time: the limit that the deadline stands for, for the error.
    """

    def __init__(
        self,
        socket: _socket.socket,
        worker: int | None = None,
        status: Callable[[], int | None] = lambda: None,
        watch: Callable[[], None] = lambda: None,
        max_time: float = 0.0,
    ) -> None:
        self._socket = socket
        self._status = status
        self._watch = watch
        self._max_time = max_time
        self._deadline = 0.0
        self._reader = FrameReader()
        self._poll = select.poll()
        self._poll.register(socket.fileno(), select.POLLIN)
        self._placement = Placement.of(worker)
        self.conversation = Conversation()
        socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, _time_value(_SLICE))
        socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, _time_value(_SEND_SLICE))

    def receive(self, deadline: float) -> FromWorker:
        """The worker's next message.

        deadline: on the clock of `time.monotonic`; later sends keep to it as well.
        Raises `ProtocolViolation`, `WorkerDied`, or `LimitExceeded`: `max_time`, or what `watch` finds.
        """
        self._deadline = deadline
        reader = self._reader
        frame = None if reader.is_empty else reader.next()
        while frame is None:
            # Looked at before each wait: a worker that always has something to say is bounded too.
            if time.monotonic() >= deadline:
                raise self._too_late()
            data = self._receive(min(max(_PIECE, reader.missing), _LARGE_PIECE))
            if data:
                frame = reader.feed(data)
        message = decode_from_worker(frame)
        self.conversation.advance(message)
        return message

    def send(self, message: FromBroker, deadline: float | None = None) -> None:
        """Send a message to the worker.

        deadline: that of the latest `receive` if none is given.
        Raises `WorkerDied`, or `LimitExceeded`: `max_time`, or `max_read` for a message beyond a frame.
        """
        if deadline is not None:
            self._deadline = deadline
        data = encode(message)
        if len(data) > CAP:
            raise LimitExceeded("max_read", CAP, f"a message of {len(data)} bytes to the worker")
        self.conversation.advance(message)
        placement = self._placement
        if placement is not None and isinstance(message, Returned | Raised) and not placement.come_near():
            self._placement = None
        if len(data) < _PIECE:
            self._send(header(len(data)) + data)
        else:
            self._send(header(len(data)))
            self._send(data)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _receive(self, size: int) -> bytes:
        """Some bytes; none if the slice passed without any."""
        placement = self._placement
        try:
            if placement is None:
                return self._some(self._socket.recv(size))
            placement.begin_wait()
            try:
                return self._some(self._socket.recv(size))
            finally:
                placement.end_wait()
        except BlockingIOError:
            if placement is not None:
                placement.set_free()
            left = min(self._deadline - time.monotonic(), _WATCH)
            if not self._poll.poll(max(0, int(left * 1000) + 1)):  # milliseconds, rounded up
                self._watch()
            return b""
        except ConnectionError:
            raise self._died() from None

    def _some(self, data: bytes) -> bytes:
        if not data:
            raise self._died()
        return data

    def _send(self, data: Encoded) -> None:
        with memoryview(data) as view:
            sent = 0
            while sent < len(view):
                try:
                    sent += self._socket.send(view[sent:])
                except BlockingIOError:
                    if time.monotonic() >= self._deadline:
                        raise self._too_late() from None
                except ConnectionError:
                    raise self._died() from None

    def _too_late(self) -> LimitExceeded:
        return LimitExceeded("max_time", self._max_time)

    def _died(self) -> WorkerDied:
        return WorkerDied(self._status())
