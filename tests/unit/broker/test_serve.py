"""The loop over the conversation, with a channel that carries real encoded messages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from support.host import ALICE, EVERYTHING, RUN, Decisions, made
from trex import sdk
from trex.authorization import Authorizer, Policy
from trex.broker.budget import Budget
from trex.broker.record import Record
from trex.broker.serve import serve
from trex.catalogue import interface
from trex.errors import AuditUnavailable, LimitExceeded, ProtocolViolation, Terminated, WorkerDied
from trex.limits import Limits
from trex.protocol.encoding import decode_from_broker, decode_from_worker, encode, encode_call
from trex.protocol.messages import (
    Call,
    Evaluated,
    Failed,
    Finished,
    FromBroker,
    FromWorker,
    Log,
    Raised,
    Ready,
    Release,
    Returned,
    Start,
)
from trex.values import Object

DONE = Finished("()", None, True, {})


class Worker:
    """A worker that says what it was told to say; a function is given the broker's last answer."""

    def __init__(self, *says: FromWorker | bytes | Callable[[Any], FromWorker]) -> None:
        self._says = list(says)
        self.heard: list[FromBroker] = []

    def send(self, message: FromBroker, deadline: float) -> None:
        self.heard.append(decode_from_broker(encode(message)))

    def receive(self, deadline: float) -> FromWorker:
        if not self._says:
            raise WorkerDied(-9)
        said = self._says.pop(0)
        if callable(said):
            said = said(self.heard[-1])
        return decode_from_worker(said if isinstance(said, bytes | bytearray) else encode(said))


def call(number: int, operation: str, *arguments: Any) -> bytes | bytearray:
    return encode_call(Call(number, operation, list(arguments), 1))


def served(
    worker: Worker, policy: str = EVERYTHING, audit: Any = None, budget: Budget | None = None, **limits: Any
) -> tuple[Any, Record]:
    bounds = Limits(**limits)
    record = Record(bounds)
    catalogue = sdk.load()
    try:
        answer = serve(
            worker,
            Start("1", {}, interface(catalogue), bounds),
            catalogue=catalogue,
            authorizer=Authorizer(Policy.load(policy), ALICE, RUN),
            audit=audit or Decisions(),
            limits=bounds,
            budget=budget or Budget(bounds, time.monotonic() + 10),
            record=record,
        )
    except Exception as error:
        error.record = record  # type: ignore[attr-defined]  # for the tests below
        raise
    return answer, record


def test_a_run_starts_with_the_script_and_ends_with_its_result():
    worker = Worker(DONE)
    answer, _ = served(worker)
    assert isinstance(answer, Finished)
    assert isinstance(worker.heard[0], Start)


def test_calls_are_answered_in_turn(tmp_path):
    (tmp_path / "f").write_text("content")
    worker = Worker(call(1, "files.cat", f"{tmp_path}/f"), call(2, "files.cat", f"{tmp_path}/none"), DONE)
    served(worker)
    assert worker.heard[1] == Returned(1, "content")
    assert worker.heard[2] == Raised(2, "IoErrorKind", "IoError", "No such file or directory (os error 2)")


def test_a_denial_carries_its_number():
    worker = Worker(call(1, "files.cat", "/etc/hosts"), DONE)
    served(worker, policy="")
    raised = worker.heard[1]
    assert (raised.kind, raised.denial) == ("PermissionDenied", 1)
    assert (
        raised.message
        == 'Permission denied: alice unauthorized to perform file_system::Action::"open" for file_system::Dir::/etc'
    )


def test_logs_are_kept_the_newest_first_to_stay():
    _, record = served(Worker(*(Log("INFO", str(number), number) for number in range(5)), DONE), max_log_records=3)
    assert [each.message for each in record.logs] == ["2", "3", "4"]
    assert record.dropped == 2


def test_too_much_logging_ends_the_run_and_what_was_logged_before_is_kept():
    with pytest.raises(LimitExceeded) as exceeded:
        served(Worker(Log("INFO", "first", 1), Log("INFO", "x" * 1000, 2), DONE), max_log=500)
    assert exceeded.value.limit == "max_log"
    assert [each.message for each in exceeded.value.record.logs] == ["first"]


def test_metrics_and_alarms_count_as_logging():
    alarm = made("AlarmBuilder", type="x" * 400)
    with pytest.raises(LimitExceeded) as exceeded:
        served(Worker(*(call(number, "reporting.publish_alarm", alarm) for number in range(1, 4)), DONE), max_log=1000)
    assert exceeded.value.limit == "max_log"


def test_released_handles_are_closed(tmp_path):
    directory = [made("DirConfig", path=str(tmp_path)), made("OpenDirOptions")]
    says: list[Any] = []
    for number in range(1, 20):
        says += [call(number, "files.open_directory", *directory), lambda heard: Release([heard.value.handle])]
    served(Worker(*says, DONE), max_handles=1)


def test_a_released_handle_that_is_used_ends_the_run(tmp_path):
    directory = [made("DirConfig", path=str(tmp_path)), made("OpenDirOptions")]
    worker = Worker(
        call(1, "files.open_directory", *directory),
        Release([1]),
        call(2, "files.list_entries", Object("Dir", {}, 1)),
    )
    with pytest.raises(ProtocolViolation):
        served(worker)


@pytest.mark.parametrize("message", [Evaluated(b"{}"), Ready({}, {})])
def test_a_message_that_has_no_place_in_a_run_ends_it(message):
    with pytest.raises(ProtocolViolation):
        served(Worker(message))


def test_a_worker_that_dies_is_told_as_that():
    with pytest.raises(WorkerDied):
        served(Worker())


def test_a_worker_that_was_killed_to_end_the_run_is_told_as_that():
    budget = Budget(Limits(), time.monotonic() + 10)

    def killed(heard: Any) -> FromWorker:
        budget.stop("SIGTERM")
        raise WorkerDied(-9)

    with pytest.raises(Terminated):
        served(Worker(killed), budget=budget)


def test_a_result_beyond_its_bound_ends_the_run():
    with pytest.raises(LimitExceeded) as exceeded:
        served(Worker(Finished("ü" * 600, None, True, {})), max_output=1000)
    assert exceeded.value.limit == "max_output"


def test_what_the_audit_cannot_record_does_not_happen(tmp_path):
    class Full(Decisions):
        def decision(self, **asked: Any) -> int:
            raise AuditUnavailable("No space left on device")

    with pytest.raises(AuditUnavailable):
        served(Worker(call(1, "files.replace", f"{tmp_path}/f", "x")), audit=Full())
    assert list(tmp_path.iterdir()) == []


def test_an_end_that_cannot_be_recorded_ends_the_run(tmp_path):
    class Full(Decisions):
        def outcome(self, *ended: Any, **how: Any) -> None:
            raise AuditUnavailable("No space left on device")

    worker = Worker(call(1, "files.replace", f"{tmp_path}/f", "x"))
    with pytest.raises(AuditUnavailable):
        served(worker, audit=Full())
    assert len(worker.heard) == 1  # the script is not told that it happened


def test_operations_and_their_time_are_counted(tmp_path):
    _, record = served(Worker(call(1, "files.ls", str(tmp_path)), DONE))
    assert record.operations == 1
    assert 0 < record.operation_time < 5


def test_a_failed_script_is_an_answer_like_any_other():
    failed = Failed("run", "ErrorRuntime", ["ErrorRuntime"], "no", 1, 1, None, "", {})
    answer, _ = served(Worker(failed))
    assert isinstance(answer, Failed)


def test_an_argument_that_is_no_value_ends_the_run():
    with pytest.raises(ProtocolViolation):
        served(Worker(Call(1, "files.cat", [Raw(b"\xc1")])))
