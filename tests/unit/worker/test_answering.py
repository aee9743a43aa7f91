"""The worker's side: a request in, the right last message out, whatever the language does."""

from __future__ import annotations

import _socket
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from trex.broker.channel import BrokerChannel
from trex.errors import LimitExceeded, OperationError, ProtocolViolation
from trex.interface import Interface
from trex.limits import LanguageLimits
from trex.protocol.encoding import argument_decoder
from trex.protocol.frames import CAP
from trex.protocol.messages import (
    MAX_RELEASED,
    Call,
    Evaluate,
    Evaluated,
    Failed,
    Finished,
    Log,
    Raised,
    Ready,
    Release,
    Returned,
    Start,
)
from trex.values import Object
from trex.worker import execute
from trex.worker.channel import BrokerGone, WorkerChannel

START = Start("", {}, Interface(), LanguageLimits())


def soon() -> float:
    return time.monotonic() + 10


class Pair:
    """Both ends of one conversation in one process, past `Ready` and `Start`."""

    def __init__(self, request: Start | Evaluate = START) -> None:
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self.broker, self.worker = BrokerChannel(ours), WorkerChannel(theirs)
        self.sockets = ours, theirs
        self.worker.send(Ready({}, {}))
        self.broker.receive(soon())
        self.broker.send(request)
        self.request = self.worker.receive()

    def answer(self, **language: Callable[..., Any]) -> Any:
        """Let a language answer, and receive the broker's next message."""
        execute.answer(self.request, SimpleNamespace(**language), self.worker)  # type: ignore[arg-type]  # a double
        return self.broker.receive(soon())


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Past `Start`, or past the request that a test asks for."""
    made = Pair(getattr(request, "param", START))
    yield made
    for socket in made.sockets:
        socket.close()


evaluating = pytest.mark.parametrize("pair", [Evaluate(b"{}")], indirect=True)


def raising(error: BaseException) -> Callable[..., Any]:
    def execute(start: Start, host: WorkerChannel) -> Finished:
        raise error

    return execute


def finishing(value: Any, text: str = "text") -> Callable[..., Any]:
    return lambda start, host: Finished(text, value, True, {"run": 1.0})


def test_a_result_arrives(pair: Pair) -> None:
    assert pair.answer(execute=finishing([1, "two"])) == Finished("text", [1, "two"], True, {"run": 1.0})


def test_a_failure_arrives(pair: Pair) -> None:
    failed = Failed("parse", "ErrorParsing", ["ErrorParsing"], "message", 1, 2, None, "excerpt", {})
    assert pair.answer(execute=lambda start, host: failed) == failed


def test_a_result_that_no_message_can_carry_is_text_alone(pair: Pair) -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    assert pair.answer(execute=finishing(deep)) == Finished("text", None, False, {"run": 1.0})


@pytest.mark.parametrize(
    ("error", "stage", "kind"),
    [
        (MemoryError(), "limit", "max_memory"),
        (RecursionError(), "limit", "ErrorStackOverflow"),
        (LimitExceeded("max_value", 1, "too deep"), "limit", "max_value"),
        (KeyError("secret"), "internal", "KeyError"),
        (OperationError("IoErrorKind", "NotFound", "secret"), "internal", "OperationError"),
    ],
)
def test_what_a_language_lets_through_has_a_name(pair: Pair, error: Exception, stage: str, kind: str) -> None:
    failed = pair.answer(execute=raising(error))
    assert (failed.stage, failed.kind, failed.chain) == (stage, kind, [kind])
    assert "secret" not in failed.message


def test_a_fault_of_ours_says_where_and_shows_no_traceback(pair: Pair) -> None:
    failed = pair.answer(execute=raising(ZeroDivisionError("by the script's own value")))
    assert failed.message.startswith(f"a fault in {__name__}:")
    assert "\n" not in failed.message


def test_a_result_beyond_a_frame_is_a_limit(pair: Pair) -> None:
    failed = pair.answer(execute=finishing("x" * (CAP + 1)))
    assert (failed.stage, failed.kind) == ("limit", "max_output")


def test_a_failure_through_very_many_calls_keeps_both_ends_of_its_chain(pair: Pair) -> None:
    chain = ["outermost", *["ErrorInFunctionCall"] * 1000, "innermost"]
    failed = Failed("run", "ErrorRuntime", chain, "m", 1, 1, None, "", {})
    got = pair.answer(execute=lambda start, host: failed)
    assert (got.chain[0], got.chain[-1], len(got.chain)) == ("outermost", "innermost", 256)


@evaluating
def test_an_evaluation_answers_in_its_own_form(pair: Pair) -> None:
    assert pair.answer(evaluate=lambda request: request + b"!") == Evaluated(b"{}!")


@evaluating
def test_an_evaluation_without_memory_is_a_limit(pair: Pair) -> None:
    def bomb(request: bytes) -> bytes:
        raise MemoryError

    assert pair.answer(evaluate=bomb).kind == "max_memory"


def test_a_call_gives_the_value_that_the_broker_returned(pair: Pair) -> None:
    # The reply is put into the socket first; the worker then finds it when it looks.
    pair.broker.conversation.advance(Call(1, "files.cat", []))
    pair.broker.send(Returned(1, Object("Metadata", {"size": 3}, 9)))
    value = pair.worker.call("files.cat", ["/etc/hosts", {"k": [1]}], 7)
    assert (value.type, value.fields, value.handle) == ("Metadata", {"size": 3}, 9)


def test_a_call_raises_what_the_broker_raised(pair: Pair) -> None:
    pair.broker.conversation.advance(Call(1, "files.cat", []))
    pair.broker.send(Raised(1, "IoErrorKind", "PermissionDenied", "Permission denied", 4))
    with pytest.raises(OperationError) as raised:
        pair.worker.call("files.cat", ["/etc/shadow"], 7)
    error = raised.value
    assert (error.family, error.kind, error.message, error.denial) == (
        "IoErrorKind",
        "PermissionDenied",
        "Permission denied",
        4,
    )


def test_the_broker_reads_a_call_as_it_was_made(pair: Pair) -> None:
    with pytest.raises(BrokerGone):
        _call_and_leave(pair)
    call = pair.broker.receive(soon())
    assert isinstance(call, Call)
    assert (call.number, call.operation, call.line) == (1, "files.cat", 7)
    assert argument_decoder("string")(call.arguments[0]) == "/etc/hosts"


def _call_and_leave(pair: Pair) -> None:
    """Make a call whose reply never comes, because the broker has shut its sending side."""
    pair.sockets[0].shutdown(_socket.SHUT_WR)
    pair.worker.call("files.cat", ["/etc/hosts"], 7)


def test_arguments_that_no_message_can_carry_end_the_run_and_not_the_worker(pair: Pair) -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(LimitExceeded) as raised:
        pair.worker.call("op", [deep], 1)
    assert raised.value.limit == "max_value"


def test_logs_are_sent_at_once(pair: Pair) -> None:
    pair.worker.log("WARN", "text", 3)
    assert pair.broker.receive(soon()) == Log("WARN", "text", 3)


def test_releases_wait_for_the_next_call_and_come_before_it(pair: Pair) -> None:
    pair.worker.release([1, 2])
    pair.worker.release([3])
    pair.worker.log("INFO", "between", None)
    assert isinstance(pair.broker.receive(soon()), Log)
    with pytest.raises(BrokerGone):
        _call_and_leave(pair)
    assert pair.broker.receive(soon()) == Release([1, 2, 3])
    assert isinstance(pair.broker.receive(soon()), Call)


def test_very_many_releases_come_in_several_messages(pair: Pair) -> None:
    pair.worker.release(list(range(MAX_RELEASED + 5)))
    with pytest.raises(BrokerGone):
        _call_and_leave(pair)
    sizes = [len(pair.broker.receive(soon()).handles) for _ in range(2)]  # type: ignore[union-attr]
    assert sizes == [MAX_RELEASED, 5]


def test_a_broker_that_leaves_ends_the_wait(pair: Pair) -> None:
    pair.sockets[0].close()
    with pytest.raises(BrokerGone):
        pair.worker.receive()


def test_a_message_that_may_not_come_now_is_a_violation_for_the_worker_too(pair: Pair) -> None:
    pair.broker.conversation.state = "waiting"
    pair.broker.send(Returned(0, None))
    with pytest.raises(ProtocolViolation):
        pair.worker.receive()
