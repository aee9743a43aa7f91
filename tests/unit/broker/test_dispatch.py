"""The path of one call."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest

from support.host import Broker, Failure, made
from trex import sdk
from trex.audit import Audit, Start
from trex.authorization.entities import file as file_entity
from trex.authorization.vocabulary import action
from trex.catalogue.declare import Catalogue, Need, Resource
from trex.errors import LimitExceeded, ProtocolViolation, Terminated
from trex.limits import Limits
from trex.values import Constant, Object

OPERATIONS = list(sdk.load().operations.values())
GUARDED = [operation for operation in OPERATIONS if operation.needs]


class Spy:
    """A broker whose handlers only note that they were reached."""

    def __init__(self, policy: str, tmp_path: Any) -> None:
        self.broker = Broker(policy)
        self.performed: list[str] = []
        self.tmp_path = tmp_path

    def call(self, operation: Any) -> Any:
        handler = operation.handler
        operation.handler = lambda *values: self.performed.append(operation.label)
        try:
            return self.broker.call(operation.label, *self.arguments(operation))
        finally:
            operation.handler = handler

    def arguments(self, operation: Any) -> list[Any]:
        """Sample arguments; handles are taken from a broker to which everything is permitted."""
        return [self.sample(parameter) for parameter in operation.parameters]

    def sample(self, parameter: Any) -> Any:
        if parameter.held:
            return self.held(parameter.type)
        if parameter.type in ("string", "array", "int", "bool", "float", "map"):
            return parameter.sample
        return made(parameter.type, **dict(parameter.sample))

    def held(self, type_name: str) -> Object:
        giver = Broker()
        giver.handles = self.broker.handles
        giver.dispatcher._handles = self.broker.handles
        (self.tmp_path / "f").write_text("x")
        if type_name == "DirEntry":
            return giver.call("files.ls", str(self.tmp_path))["f"]
        directory = giver.directory(self.tmp_path)
        if type_name == "SymlinkHandle":
            (self.tmp_path / "link").symlink_to("f")
            return giver.call("files.open_symlink", directory, "link")
        return directory if type_name == "Dir" else giver.file(directory, "f", read=True, write=True)


@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.label)
def test_an_empty_policy_denies_before_the_handler_runs(operation, tmp_path):
    spy = Spy("", tmp_path)
    with pytest.raises(Failure) as failed:
        spy.call(operation)
    assert failed.value.kind == "PermissionDenied"
    assert failed.value.denial is not None
    assert spy.performed == []


@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.label)
def test_a_denial_is_recorded_with_the_call_that_it_ended(operation, tmp_path):
    spy = Spy("", tmp_path)
    with pytest.raises(Failure):
        spy.call(operation)
    assert [outcome.partition(":")[0] for outcome in spy.broker.audit.outcomes] == ["denied"]
    assert not spy.broker.audit.asked[-1][3]


def test_an_operation_that_does_not_exist_ends_the_worker():
    with pytest.raises(ProtocolViolation):
        Broker().call("files.format_disk", "/")


def test_a_wrong_number_of_arguments_ends_the_worker():
    for arguments in ([], ["/a", "/b", "/c", "/d"]):
        with pytest.raises(ProtocolViolation):
            Broker().call("files.cat", *arguments)


def test_an_argument_of_another_type_ends_the_worker():
    with pytest.raises(ProtocolViolation):
        Broker().call("files.cat", 5)
    with pytest.raises(ProtocolViolation):
        Broker().call("files.open_directory", made("OpenDirOptions"), made("OpenDirOptions"))


def test_an_error_of_the_kernel_is_not_a_denial(tmp_path):
    with pytest.raises(Failure) as failed:
        Broker().call("files.cat", str(tmp_path / "missing"))
    assert (failed.value.kind, failed.value.denial) == ("IoError", None)
    assert failed.value.message == "No such file or directory (os error 2)"


def test_the_outcome_of_each_call_is_recorded(tmp_path):
    (tmp_path / "f").write_text("x")
    broker = Broker()
    broker.call("files.cat", str(tmp_path / "f"))
    with pytest.raises(Failure):
        broker.call("files.cat", str(tmp_path / "missing"))
    assert broker.audit.outcomes == ["done", "failed: IoError: No such file or directory (os error 2)"]


def test_a_denial_that_the_operation_can_do_without_is_recorded_too(tmp_path):
    """`rm` first tries the way of a file, then that of a directory."""
    (tmp_path / "d").mkdir()
    broker = Broker(f'permit (principal, action, resource) when {{ resource in file_system::Dir::"{tmp_path}/d" }};')
    broker.call("files.rm", str(tmp_path / "d"))
    assert broker.asked == [f"open Dir {tmp_path} denied", f"open Dir {tmp_path}/d", f"delete Dir {tmp_path}/d"]
    assert not (tmp_path / "d").exists()


def test_more_operations_than_allowed_end_the_run(tmp_path):
    broker = Broker(limits=Limits(max_operations=2))
    for _ in range(2):
        broker.call("reporting.publish_alarm", made("AlarmBuilder", type="a"))
    with pytest.raises(LimitExceeded) as exceeded:
        broker.call("reporting.publish_alarm", made("AlarmBuilder", type="a"))
    assert exceeded.value.limit == "max_operations"


def test_no_operation_starts_after_the_deadline():
    broker = Broker()
    broker.budget.deadline = 0
    with pytest.raises(LimitExceeded) as exceeded:
        broker.call("files.cat", "/etc/hosts")
    assert exceeded.value.limit == "max_time"
    assert broker.asked == []


def test_a_run_that_is_asked_to_stop_starts_no_operation():
    broker = Broker()
    broker.budget.stop("SIGTERM")
    with pytest.raises(Terminated):
        broker.call("files.cat", "/etc/hosts")


def test_what_ends_the_run_in_the_middle_of_an_operation_is_recorded(tmp_path):
    (tmp_path / "f").write_bytes(b"x" * 1000)
    broker = Broker(limits=Limits(max_read=100))
    with pytest.raises(LimitExceeded) as exceeded:
        broker.call("files.cat", str(tmp_path / "f"))
    assert exceeded.value.limit == "max_read"
    assert broker.audit.outcomes == ["interrupted"]


# --- walks ---

STAT = action("file_system", "stat")


class Range(Resource):
    """A range that can be walked."""

    sample = "/range"
    needs = (Need(STAT, "File", "each item"),)

    def check(self, argument: str) -> str:
        return argument

    def acquire(self, gate: Any, argument: str, *used: Any) -> Any:
        gate.permit(STAT, file_entity(argument))
        return gate, argument


@pytest.fixture
def walking() -> Catalogue:
    catalogue = Catalogue()

    @catalogue.operation("items", domain="test")
    def items(thing: Annotated[Annotated[Any, Range()], "where"], count: Annotated[int, "how many"]) -> Iterator[int]:
        """Walk over numbers.

        items("/range", 3, |n| info(n))
        """
        gate, path = thing
        for number in range(count):
            gate.permit(STAT, file_entity(f"{path}/{number}"))
            yield number

    return catalogue


def test_a_walk_is_a_cursor_from_which_the_worker_takes_items(walking):
    broker = Broker(catalogue=walking)
    cursor = broker.call("test.items", "/range", 600)
    assert (cursor.type, len(broker.asked)) == ("Cursor", 1)
    batches = [broker.call("cursor.next", cursor) for _ in range(8)]
    assert [len(batch) for batch in batches] == [16, 32, 64, 128, 256, 104, 0, 0]


def test_a_walk_asks_and_is_recorded_as_it_goes(walking):
    broker = Broker(
        'permit (principal, action, resource) unless { resource == file_system::File::"/range/2" };', catalogue=walking
    )
    cursor = broker.call("test.items", "/range", 5)
    assert len(broker.call("cursor.next", cursor)) == 2  # what was found before the failure
    with pytest.raises(Failure) as failed:
        broker.call("cursor.next", cursor)
    assert failed.value.kind == "PermissionDenied"
    assert {operation for operation, *_ in broker.audit.asked} == {"test.items"}
    assert [outcome.partition(":")[0] for outcome in broker.audit.outcomes] == ["done", "done", "denied"]


def test_a_walk_ends_when_the_worker_releases_its_cursor(walking):
    broker = Broker(catalogue=walking)
    cursor = broker.call("test.items", "/range", 5)
    broker.handles.release([cursor.handle])
    with pytest.raises(ProtocolViolation):
        broker.call("cursor.next", cursor)


def test_the_function_of_a_walk_is_a_parameter_that_stays_in_the_worker(walking):
    (function,) = walking.operations["test.items"].functions()
    assert function.each
    assert [each.type for each in function.parameters] == ["string", "int", "fn"]


def test_a_constant_carries_no_denial_to_an_operation():
    """What a script holds of an earlier denial is of no use in a call."""
    broker = Broker()
    unit = Constant("MetricUnitType", "COUNT", (), 99)
    broker.call("reporting.publish_metric", made("MetricBuilder", name="a", value=1.0, unit=unit))
    assert broker.record.metrics["a"].unit == "COUNT"


# --- arrays of handles ---


class Several(Resource):
    """Several open files."""

    type = "array"
    many = True
    sample: Any = ()
    needs = (Need(STAT, "File", "each file"),)

    def check(self, argument: list[Any]) -> list[Any]:
        return argument

    def acquire(self, gate: Any, argument: list[Any], *used: Any) -> list[str]:
        for each in argument:
            gate.permit(STAT, each.entity)
        return [type(each).__name__ for each in argument]


def test_handles_in_an_array_are_what_the_broker_holds(tmp_path):
    catalogue = Catalogue()
    catalogue.held.update(sdk.load().held)
    for each in sdk.load().operations.values():
        catalogue.operations[each.label] = each
    catalogue.options.update(sdk.load().options)

    @catalogue.operation("count", domain="test")
    def count(files: Annotated[Annotated[list[str], Several()], "the files"]) -> int:
        """Count files.

        count([file])
        """
        return len(files)

    (tmp_path / "f").write_text("x")
    broker = Broker(catalogue=catalogue)
    file = broker.file(broker.directory(tmp_path), "f", read=True)
    assert broker.call("test.count", [file, file]) == 2
    assert broker.asked[-1] == f"stat File {tmp_path}/f"
    for stranger in (Object("File", {}, file.handle + 1), Object("Dir", {}, file.handle)):
        with pytest.raises(ProtocolViolation):
            broker.call("test.count", [file, stranger])


# --- with the real audit ---


def test_the_log_has_each_decision_before_the_end_of_its_call(tmp_path):
    """A link leads elsewhere: the name is judged, then the object, and the log says which led to which."""
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("d")
    (tmp_path / "d" / "f").write_text("x")
    start = Start(run="1", version="0", principal="alice", caller="test", language="rhai", script="0", policy="0")
    with Audit.open(str(tmp_path / "log"), start) as audit:
        broker = Broker(audit=audit)
        broker.call("files.cat", f"{tmp_path}/link/f")
        with pytest.raises(Failure):
            broker.call("files.cat", f"{tmp_path}/link/none")
    records = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    kinds = [record["record"] for record in records]
    assert kinds == ["run_started", *["decision"] * 4, "outcome", *["decision"] * 3, "outcome", "run_ended"]
    name, found, *_ = records[1:]
    assert (name["stage"], name["resource"]["id"], name["operation"], name["line"]) == (
        "name",
        f"{tmp_path}/link",
        "files.cat",
        1,
    )
    assert (found["stage"], found["resource"]["id"], found["named"]) == ("object", f"{tmp_path}/d", f"{tmp_path}/link")
    assert (records[5]["result"], records[5]["decisions"]) == ("done", [1, 2, 3, 4])
    assert (records[9]["result"], records[9]["error"]) == ("failed", "IoError: No such file or directory (os error 2)")


def test_the_number_of_a_denial_is_that_of_its_record(tmp_path):
    start = Start(run="1", version="0", principal="alice", caller="test", language="rhai", script="0", policy="0")
    with Audit.open(None, start) as audit:
        broker = Broker("", audit=audit)
        with pytest.raises(Failure) as failed:
            broker.call("files.cat", f"{tmp_path}/f")
        assert audit.has_denial(failed.value.denial)
        (denial,) = audit.denials
        assert denial["number"] == failed.value.denial
        assert denial["explanation"]
