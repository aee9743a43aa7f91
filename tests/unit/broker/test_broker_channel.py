"""The broker's side: deadlines in both directions, and every end of a peer has its error."""

from __future__ import annotations

import _socket
import os
import signal
import time
from collections.abc import Iterator

import pytest

from trex.broker.channel import BrokerChannel
from trex.broker.placement import Placement, _current_cpu
from trex.errors import LimitExceeded, ProtocolViolation, Terminated, WorkerDied
from trex.limits import MIB
from trex.protocol.encoding import encode
from trex.protocol.frames import CAP, header
from trex.protocol.messages import Call, Log, Ready, Returned


def framed(message: object) -> bytes:
    data = encode(message)  # type: ignore[arg-type]  # any message
    return header(len(data)) + data


@pytest.fixture
def ends() -> Iterator[tuple[BrokerChannel, _socket.socket]]:
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    yield BrokerChannel(ours, status=lambda: 70, max_time=5.0), theirs
    ours.close()
    theirs.close()


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


def test_messages_that_arrived_together_are_received_one_by_one(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, peer = ends
    channel.conversation.state = "running"
    peer.send(framed(Log("INFO", "one")) + framed(Log("INFO", "two")))
    assert channel.receive(soon()) == Log("INFO", "one")
    assert channel.receive(soon()) == Log("INFO", "two")


def test_silence_ends_at_the_deadline_with_the_limit(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, _ = ends
    before = time.monotonic()
    with pytest.raises(LimitExceeded) as raised:
        channel.receive(before + 0.05)
    assert (raised.value.limit, raised.value.allowed) == ("max_time", 5.0)
    assert 0.05 <= time.monotonic() - before < 0.5


def test_a_deadline_that_has_passed_is_not_waited_for(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, peer = ends
    peer.send(framed(Ready({}, {})))
    with pytest.raises(LimitExceeded):
        channel.receive(time.monotonic() - 1)


def test_a_deadline_of_years_is_none_to_the_poll(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, peer = ends
    peer.close()
    with pytest.raises(WorkerDied):
        channel.receive(time.monotonic() + 1e9)


def test_the_end_of_the_peer_is_its_death_with_the_status(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, peer = ends
    peer.close()
    with pytest.raises(WorkerDied) as raised:
        channel.receive(soon())
    assert raised.value.status == 70


def test_the_end_within_a_frame_is_its_death_too(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, peer = ends
    peer.send(b"\0\0\1\0half")
    peer.close()
    with pytest.raises(WorkerDied):
        channel.receive(soon())


def test_sending_to_a_dead_peer_is_its_death(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, peer = ends
    peer.close()
    channel.conversation.state = "waiting"
    with pytest.raises(WorkerDied):
        channel.send(Returned(0, None), soon())


def test_sending_to_a_peer_that_does_not_read_ends_at_the_deadline(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, _ = ends
    channel.conversation.state = "waiting"
    with pytest.raises(LimitExceeded) as raised:
        channel.send(Returned(0, b"x" * (4 * MIB)), soon(0.1))
    assert raised.value.limit == "max_time"


def test_a_message_beyond_a_frame_is_not_sent(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, _ = ends
    channel.conversation.state = "waiting"
    with pytest.raises(LimitExceeded) as raised:
        channel.send(Returned(0, b"x" * CAP), soon())
    assert raised.value.limit == "max_read"
    assert channel.conversation.state == "waiting"


def test_a_message_out_of_order_is_a_violation(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    channel, peer = ends
    peer.send(framed(Call(1, "op", [])))
    with pytest.raises(ProtocolViolation):
        channel.receive(soon())


def test_a_signal_handler_that_raises_ends_the_wait(ends: tuple[BrokerChannel, _socket.socket]) -> None:
    """SIGTERM during a wait, which is how a run is asked to stop."""
    channel, _ = ends

    def stop(number: int, frame: object) -> None:
        raise Terminated("SIGALRM")

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Terminated):
            channel.receive(soon())
    finally:
        signal.signal(signal.SIGALRM, before)


several_cpus = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs to choose from")


@pytest.fixture
def child() -> Iterator[int]:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    yield pid
    os.close(read)
    os.close(write)
    os.waitpid(pid, 0)


@several_cpus
def test_the_worker_is_placed_where_the_broker_answers_and_set_free_again(child: int) -> None:
    everywhere = os.sched_getaffinity(0)
    placement = Placement.of(child)
    assert placement is not None
    os.sched_setaffinity(0, {max(everywhere)})
    try:
        assert placement.come_near()
        assert os.sched_getaffinity(child) == {max(everywhere)}
    finally:
        os.sched_setaffinity(0, everywhere)
    placement.set_free()
    assert os.sched_getaffinity(child) == everywhere


@several_cpus
def test_the_broker_is_bound_only_while_it_waits(child: int) -> None:
    """What it starts in between must not inherit the binding."""
    everywhere = os.sched_getaffinity(0)
    placement = Placement.of(child)
    assert placement is not None
    placement.begin_wait()
    assert os.sched_getaffinity(0) == everywhere  # the worker is not near yet
    placement.come_near()
    placement.begin_wait()
    assert len(os.sched_getaffinity(0)) == 1
    placement.end_wait()
    assert os.sched_getaffinity(0) == everywhere


@several_cpus
def test_a_wait_that_fails_leaves_the_broker_free(child: int) -> None:
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    everywhere = os.sched_getaffinity(0)
    channel = BrokerChannel(ours, child)
    channel.conversation.state = "waiting"
    channel.send(Returned(0, None), soon())
    assert len(os.sched_getaffinity(child)) == 1
    theirs.close()
    with pytest.raises(WorkerDied):
        channel.receive(soon())
    assert os.sched_getaffinity(0) == everywhere
    ours.close()


@several_cpus
def test_a_worker_that_computes_is_set_free(child: int) -> None:
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    channel = BrokerChannel(ours, child)
    channel.conversation.state = "waiting"
    channel.send(Returned(0, None), soon())
    with pytest.raises(LimitExceeded):
        channel.receive(soon(0.05))
    assert os.sched_getaffinity(child) == os.sched_getaffinity(0)
    ours.close()
    theirs.close()


def test_a_worker_that_is_gone_is_no_reason_to_fail() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    placement = Placement(pid)
    assert not placement.come_near()
    placement.begin_wait()
    placement.set_free()


def test_one_cpu_leaves_nothing_to_place(child: int) -> None:
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    try:
        assert Placement.of(child) is None
        assert _current_cpu() == min(everywhere)
    finally:
        os.sched_setaffinity(0, everywhere)
