"""The audit of one run."""

from __future__ import annotations

import pytest

from trex.audit import Audit, Memory
from trex.audit.audit import MAX_DENIALS
from trex.audit.chain import MAX_LINE, digest
from trex.errors import AuditUnavailable, LimitExceeded

DENIED = {"allowed": False, "reason": "not_permitted"}


class Failing(Memory):
    """A sink that fails after some lines."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self.left = lines
        self.closed = False

    def write(self, line):
        if self.left == 0:
            raise AuditUnavailable("no space")
        self.left -= 1
        super().write(line)

    def close(self):
        self.closed = True


def test_the_first_record_says_who_runs_what_under_which_policy(audit, records):
    (record,) = records()
    assert record["record"] == "run_started"
    assert (record["run"], record["number"], record["previous"], record["after"]) == ("run-1", 0, "", "")
    assert (record["principal"], record["script"], record["policy"]) == ('User::"alice"', "5" * 64, "9" * 64)


def test_a_decision_is_recorded_with_its_object_and_its_policies(audit, records, asked):
    number = audit.decision(
        **asked, policies=("ops",), context={"xattr": {"name": "user.a"}}, stage="object", named='F::"/x"', call=3, line=7
    )  # fmt: skip
    record = records()[number]
    assert {name: record[name] for name in record if name not in ("time", "previous")} == {
        "record": "decision",
        "run": "run-1",
        "number": 1,
        "operation": "files.cat",
        "stage": "object",
        "action": 'file_system::Action::"read"',
        "resource": {"type": "file_system::File", "id": "/etc/x"},
        "allowed": True,
        "reason": "permitted",
        "policies": ["ops"],
        "context": {"xattr": {"name": "user.a"}},
        "named": 'F::"/x"',
        "call": 3,
        "line": 7,
    }


def test_an_outcome_names_the_decisions_it_rested_on(audit, records, asked):
    numbers = [audit.decision(**asked), audit.decision(**asked)]
    audit.outcome(numbers, operation="files.cat", result="failed", error="No such file", facts={"bytes": 12})
    record = records()[-1]
    assert (record["record"], record["decisions"], record["result"]) == ("outcome", [1, 2], "failed")
    assert (record["error"], record["facts"]) == ("No such file", {"bytes": 12})


def test_each_record_carries_the_hash_of_the_one_before(audit, memory, records, asked):
    audit.decision(**asked)
    audit.end("finished")
    assert [record["previous"] for record in records()] == ["", digest(memory.lines[0]), digest(memory.lines[1])]
    assert audit.head == digest(memory.lines[-1])


def test_times_are_rfc_3339_in_utc(audit, records):
    from datetime import UTC, datetime

    at = datetime.fromisoformat(records()[0]["time"])
    assert at.tzinfo is not None
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60


def test_leaving_the_run_records_its_end_with_the_counts(audit, records, asked):
    with audit:
        audit.decision(**asked)
        audit.decision(**asked | DENIED)
    record = records()[-1]
    assert (record["record"], record["result"], record["allowed"], record["denied"]) == ("run_ended", "finished", 1, 1)


@pytest.mark.parametrize(
    ("error", "result"), [(LimitExceeded("max_time", 1), "limit_exceeded"), (ZeroDivisionError(), "internal_error"), (SystemExit(3), "internal_error")]
)  # fmt: skip
def test_an_error_that_ends_the_run_is_in_its_last_record(error, result, audit, records):
    with pytest.raises(type(error)), audit:
        raise error
    assert records()[-1]["result"] == result


def test_an_end_that_was_recorded_is_not_recorded_again(audit, records):
    with audit:
        audit.end("script_error")
    assert [record["record"] for record in records()] == ["run_started", "run_ended"]


# --- counts and denials ---


def test_decisions_are_counted(audit, asked):
    for answer in ({}, DENIED, DENIED):
        audit.decision(**asked | answer)
    assert audit.counts == {"allowed": 1, "denied": 2}


def test_without_a_log_numbers_counts_and_denials_are_the_same(start, asked):
    with Audit.open(None, start) as audit:
        assert audit.decision(**asked) == 1
        assert audit.decision(**asked | DENIED) == 2
        audit.outcome([1], operation="files.cat", result="done")
        assert audit.decision(**asked | DENIED) == 4
        assert (audit.counts, audit.head) == ({"allowed": 1, "denied": 2}, "")
        assert [each["number"] for each in audit.denials] == [2, 4]
    assert [number for number in range(-2, 9) if audit.has_denial(number)] == [2, 4]
    assert not audit.has_denial(None)


def test_denials_are_told_with_their_explanation(audit, asked):
    audit.decision(**asked | DENIED, policies=("ops",), line=4, explain=lambda: "no policy permits it")
    assert audit.denials == [
        {
            "number": 1,
            "operation": "files.cat",
            "action": 'file_system::Action::"read"',
            "resource": 'file_system::File::"/etc/x"',
            "reason": "not_permitted",
            "explanation": "no policy permits it",
            "policies": ("ops",),
            "line": 4,
        }
    ]


def test_a_denial_shows_the_resource_as_the_script_named_it(audit, asked):
    audit.decision(**asked | DENIED, named='file_system::File::"/link"')
    assert audit.denials[0]["resource"] == 'file_system::File::"/link"'


def test_an_explanation_is_made_once_and_only_for_those_listed(audit, asked):
    made = []
    for n in range(MAX_DENIALS + 5):
        audit.decision(**asked | DENIED, explain=lambda n=n: made.append(n) or "because")
    assert made == []
    assert len(audit.denials) == len(audit.denials) == MAX_DENIALS
    assert made == list(range(MAX_DENIALS))
    assert audit.counts["denied"] == MAX_DENIALS + 5
    assert audit.has_denial(MAX_DENIALS + 5)


def test_what_explains_a_large_question_is_not_kept(audit, asked):
    made = []
    large = asked | DENIED | {"resource": {"type": "network::url", "id": "u" * 100_000}}
    audit.decision(**large, explain=lambda: made.append(1) or "because")
    assert made == [1]


# --- failing closed ---


def test_a_run_whose_first_record_cannot_be_written_does_not_begin(start):
    sink = Failing(0)
    with pytest.raises(AuditUnavailable, match="no space"):
        Audit(sink, start)
    assert sink.closed


def test_after_one_failure_nothing_more_is_recorded_or_numbered(start, asked):
    sink = Failing(1)
    audit = Audit(sink, start)
    with pytest.raises(AuditUnavailable, match="no space"):
        audit.decision(**asked)
    sink.left = 10  # space again: too late, something may be missing
    for call in (
        lambda: audit.decision(**asked),
        lambda: audit.outcome([], operation="o", result="done"),
        lambda: audit.end("finished"),
    ):
        with pytest.raises(AuditUnavailable, match="no space"):
            call()
    assert audit.counts == {"allowed": 0, "denied": 0}
    assert not audit.has_denial(1)
    assert len(sink.lines) == 1


def test_leaving_a_run_after_a_failure_raises_that_failure_and_closes_the_log(start, asked):
    sink = Failing(1)
    with pytest.raises(AuditUnavailable, match="no space"), Audit(sink, start) as audit:
        audit.decision(**asked)
    assert sink.closed


def test_a_run_whose_end_cannot_be_recorded_fails(start):
    sink = Failing(1)
    with pytest.raises(AuditUnavailable, match="no space"), Audit(sink, start):
        pass
    assert sink.closed


# --- bounds ---


@pytest.mark.parametrize("character", ["x", "\0", "é", "\u202e", "\U000e0001", '"', "\udcff"])
def test_the_largest_record_is_bounded(character, audit, memory, asked):
    huge = character * 100_000
    audit.decision(
        **asked
        | DENIED
        | {"resource": {"type": "T", "id": huge, **{f"a{n}": huge for n in range(10)}}, "action": huge},
        context={f"f{n}": {huge: [huge] * 3} for n in range(100)},
        policies=(huge,) * 100,
        errors=(huge,) * 100,
        named=huge,
    )
    assert len(memory.lines[-1]) <= MAX_LINE
