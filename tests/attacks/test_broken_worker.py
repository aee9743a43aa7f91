"""P4, P5: a worker that breaks the protocol, or stalls, ends with the right error and never hangs its broker."""

from __future__ import annotations

import time
from typing import Any

import pytest

from trex.errors import LimitExceeded, ProtocolViolation, WorkerDied
from trex.interface import Interface
from trex.limits import MIB, Limits
from trex.protocol.messages import Call, Finished, Log, Returned, Start
from trex.runner.workers import Template, WorkerProcess

# Enough for the worker to do its worst, and short, because stalling takes all of it.
STALL = 0.4

FRAMED = """
def frame(data): return len(data).to_bytes(4, "big") + data
def send(data):
    while data:
        data = data[host._socket.send(data):]
"""


def begin(worker: WorkerProcess, source: str, seconds: float = 10.0) -> float:
    """Start the intruder's script; gives the deadline."""
    assert worker.ready
    deadline = time.monotonic() + seconds
    worker.channel.send(Start(FRAMED + source, {}, Interface(), Limits()), deadline)
    return deadline


def last(worker: WorkerProcess, deadline: float) -> Any:
    """Receive until an error ends it."""
    while True:
        worker.channel.receive(deadline)


@pytest.mark.parametrize(
    ("technique", "source"),
    [
        ("garbage", 'send(frame(b"\\xc1\\xc1\\xc1\\xc1"))'),
        ("an empty frame", "send(frame(b''))"),
        ("text in place of a message", 'send(b"GET / HTTP/1.1\\r\\n\\r\\n")'),
        ("a frame of 4 GiB", 'send(b"\\xff\\xff\\xff\\xff")'),
        ("a frame just beyond the cap", "send((72 * 1024 * 1024 + 1).to_bytes(4, 'big'))"),
        ("a message that is a map", 'send(frame(b"\\x80"))'),
        ("an unknown tag", 'send(frame(b"\\x92\\xa4exec\\xa2id"))'),
        ("a surplus field", 'send(frame(b"\\x95\\xa3log\\xa4INFO\\xa1x\\xc0\\xc0"))'),
        ("a missing field", 'send(frame(b"\\x92\\xa3log\\xa4INFO"))'),
        ("an unknown level", 'send(frame(b"\\x94\\xa3log\\xa4LOUD\\xa1x\\xc0"))'),
        ("text that is not UTF-8", 'send(frame(b"\\x94\\xa3log\\xa4INFO\\xa1\\xff\\xc0"))'),
        ("a second proof of isolation", 'send(frame(b"\\x94\\xa5ready\\x80\\x80\\x80"))'),
        ("a reply to itself", 'send(frame(b"\\x93\\xa8returned\\x01\\xc0"))'),
        ("a call out of sequence", 'send(frame(b"\\x95\\xa4call\\x07\\xa1x\\x90\\xc0"))'),
        (
            "two calls at once",
            'send(frame(b"\\x95\\xa4call\\x01\\xa1x\\x90\\xc0") + frame(b"\\x95\\xa4call\\x02\\xa1x\\x90\\xc0"))',
        ),
        ("too many arguments", 'send(frame(b"\\x95\\xa4call\\x01\\xa1x\\xdc\\0\\x40" + b"\\xc0" * 64 + b"\\xc0"))'),
        ("a header of four billion arguments", 'send(frame(b"\\x95\\xa4call\\x01\\xa1x\\xdd\\xff\\xff\\xff\\xff"))'),
        ("a deep argument", 'send(frame(b"\\x95\\xa4call\\x01\\xa1x\\x91" + b"\\x91" * 100000 + b"\\xc0\\xc0"))'),
        ("a deep result", 'send(frame(b"\\x95\\xa8finished\\xa0" + b"\\x91" * 129 + b"\\xc0\\xc3\\x80"))'),
        (
            "a result of millions of parts",
            'send(frame(b"\\x95\\xa8finished\\xa0\\xdd\\0\\x20\\0\\0" + b"\\x90" * (1 << 21) + b"\\xc3\\x80"))',
        ),
        ("a result with an unknown extension", 'send(frame(b"\\x95\\xa8finished\\xa0\\xd4\\x63\\0\\xc3\\x80"))'),
        ("an integer beyond 64 bits", 'send(frame(b"\\x95\\xa8finished\\xa0\\xcf" + b"\\xff" * 8 + b"\\xc3\\x80"))'),
        ("a map whose keys are arrays", 'send(frame(b"\\x95\\xa8finished\\xa0\\x81\\x90\\x90\\xc3\\x80"))'),
        (
            "a name of a megabyte",
            'send(frame(b"\\x95\\xa4call\\x01\\xdb\\0\\x10\\0\\0" + b"x" * (1 << 20) + b"\\x90\\xc0"))',
        ),
        ("a message after the last", 'send(frame(b"\\x95\\xa8finished\\xa0\\xc0\\xc3\\x80") * 2)'),
    ],
)
def test_what_breaks_the_protocol_is_a_violation(intruder: WorkerProcess, technique: str, source: str) -> None:
    """Malformed, oversized, out of order, too deep, too many."""
    deadline = begin(intruder, source + "\nwhile True: time.sleep(1)")
    with pytest.raises(ProtocolViolation) as raised:
        last(intruder, deadline)
    assert raised.value.code == "protocol_violation", technique
    intruder.kill()
    assert intruder.wait() == -9


@pytest.mark.parametrize(
    ("technique", "source"),
    [
        ("silence", "while True: time.sleep(1)"),
        ("an endless loop", "while True: pass"),
        ("half a header", 'send(b"\\0\\0")\nwhile True: pass'),
        ("half a frame", 'send(b"\\0\\0\\1\\0half")\nwhile True: pass'),
        ("a frame byte by byte", 'send(b"\\0\\1\\0\\0")\nwhile True:\n    send(b"x")\n    time.sleep(0.02)'),
        ("a flood of logs", "while True: host.log('INFO', 'x' * 100, 1)"),
        ("a flood of large logs", "while True: host.log('INFO', 'x' * (8 << 20), 1)"),
        ("a flood of releases", "while True:\n    host.release([1])\n    host._send_released()"),
    ],
)
def test_stalling_and_flooding_end_at_the_deadline(intruder: WorkerProcess, technique: str, source: str) -> None:
    """Whatever the worker sends or does not send, the broker looks at the clock."""
    deadline = begin(intruder, source, STALL)
    with pytest.raises(LimitExceeded) as raised:
        last(intruder, deadline)
    late = time.monotonic() - deadline
    assert raised.value.limit == "max_time", technique
    assert late < 1.0


def test_a_worker_that_does_not_read_its_reply_is_left_at_the_deadline(intruder: WorkerProcess) -> None:
    """Backpressure: the broker must not wait for ever until the socket takes a large reply."""
    deadline = begin(intruder, 'send(frame(b"\\x95\\xa4call\\x01\\xa1x\\x90\\xc0"))\nwhile True: time.sleep(1)', STALL)
    assert isinstance(intruder.channel.receive(deadline), Call)
    with pytest.raises(LimitExceeded) as raised:
        intruder.channel.send(Returned(1, b"x" * (8 * MIB)))
    assert raised.value.limit == "max_time"
    assert time.monotonic() - deadline < 1.0


def test_a_deadlock_of_two_full_sockets_ends_at_the_deadline(intruder: WorkerProcess) -> None:
    """The worker floods while the broker sends: both buffers are full and nobody reads."""
    source = 'send(frame(b"\\x95\\xa4call\\x01\\xa1x\\x90\\xc0"))\nwhile True: host._socket.send(b"x" * 65536)'
    deadline = begin(intruder, source, STALL)
    assert isinstance(intruder.channel.receive(deadline), Call)
    with pytest.raises(LimitExceeded):
        intruder.channel.send(Returned(1, b"x" * (8 * MIB)))
    assert time.monotonic() - deadline < 1.0


@pytest.mark.parametrize(
    ("technique", "source", "status"),
    [
        ("a quiet end", "os._exit(0)", 0),
        ("an end with a status", "os._exit(7)", 7),
        ("an end in half a frame", 'send(b"\\0\\0\\1\\0half")\nos._exit(1)', 1),
        ("a crash", "ctypes.string_at(1)", -11),
        ("a refused system call", "os.fork()", -31),
    ],
)
def test_a_worker_that_ends_is_dead_with_its_status(
    intruder: WorkerProcess, technique: str, source: str, status: int
) -> None:
    """No end of a worker is mistaken for a result, or waited for."""
    deadline = begin(intruder, source)
    with pytest.raises(WorkerDied) as raised:
        last(intruder, deadline)
    assert raised.value.status == status, technique


def test_large_messages_pass_both_ways(intruders: Template) -> None:
    """The caps are where the documents say: tens of MiB of text are no violation."""
    size = 64 * MIB
    with intruders.start(Limits(max_memory=512 * MIB)) as worker:
        source = f"host.log('INFO', 'x' * {size}, 1)\nresult = len(host.call('op', ['y' * {size}], 1))"
        deadline = begin(worker, source)
        log = worker.channel.receive(deadline)
        assert isinstance(log, Log)
        assert len(log.message) == size
        call = worker.channel.receive(deadline)
        assert isinstance(call, Call)
        assert len(bytes(call.arguments[0])) == size + 5
        worker.channel.send(Returned(1, "z" * size))
        finished = worker.channel.receive(deadline)
        assert isinstance(finished, Finished)
        assert finished.value == size
