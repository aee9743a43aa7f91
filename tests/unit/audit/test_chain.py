"""Verification: what a sound log is, and every way to break one."""

from __future__ import annotations

import json
from itertools import zip_longest

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trex.audit import Audit, LogFile, Start, verify
from trex.audit.chain import MAX_LINE, digest

START = Start(run="r", version="v", principal="p", caller="c", language="l", script="s", policy="q")


def begin(path, start, name: str) -> Audit:
    return Audit.open(str(path), msgspec.structs.replace(start, run=name))


@pytest.fixture
def log(tmp_path, start, asked):
    """A log of three runs after each other, five records each."""
    path = tmp_path / "audit.jsonl"
    for name in ("a", "b", "c"):
        with begin(path, start, name) as audit:
            number = audit.decision(**asked)
            audit.outcome([number], operation="files.cat", result="done")
            audit.decision(**asked)
    return path


def test_a_log_of_several_runs_is_sound(log):
    found = verify(log)
    assert (found.records, found.findings, found.unfinished) == (15, (), ())
    assert list(found.heads) == ["a", "b", "c"]


def test_runs_that_interleave_are_sound(tmp_path, start, asked):
    path = tmp_path / "audit.jsonl"
    runs = [begin(path, start, name) for name in ("a", "b", "c")]
    for audit in runs * 3:
        audit.decision(**asked)
    for audit in runs:
        audit.end("finished")
    assert verify(path).findings == ()


def test_the_head_that_an_audit_tells_is_the_one_that_verification_finds(tmp_path, start):
    path = tmp_path / "audit.jsonl"
    with begin(path, start, "a") as audit:
        pass
    assert verify(path).heads == {"a": audit.head}


def test_an_empty_log_is_sound(tmp_path):
    (tmp_path / "log").touch()
    assert verify(tmp_path / "log").is_sound


def test_a_run_without_its_end_is_unfinished(tmp_path, start, asked):
    audit = begin(tmp_path / "log", start, "a")
    audit.decision(**asked)
    found = verify(tmp_path / "log")
    assert (found.findings, found.unfinished) == ((), ("a",))


@pytest.mark.parametrize("victim", range(14))
def test_a_line_that_is_removed_is_missed(log, victim):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:victim] + lines[victim + 1 :]))
    assert not verify(log).is_sound or verify(log).unfinished


@pytest.mark.parametrize("victim", range(14))
def test_a_line_that_is_edited_is_noticed(log, victim):
    lines = log.read_bytes().splitlines(keepends=True)
    record = json.loads(lines[victim])
    record["time"] = "2000-01-01T00:00:00.000000Z"
    lines[victim] = json.dumps(record, separators=(",", ":")).encode() + b"\n"
    log.write_bytes(b"".join(lines))
    assert not verify(log).is_sound


def test_an_edit_is_told_with_its_line_and_record(log):
    lines = log.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"/etc/x"', b'"/etc/y"')
    log.write_bytes(b"".join(lines))
    assert [str(each) for each in verify(log).findings] == ["line 3: record 1 of run a was changed"]


@pytest.mark.parametrize("first", range(14))
def test_two_lines_that_change_places_are_noticed(log, first):
    lines = log.read_bytes().splitlines(keepends=True)
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    log.write_bytes(b"".join(lines))
    assert not verify(log).is_sound


@pytest.mark.parametrize("victim", [0, 1])
def test_a_whole_run_that_is_removed_is_missed_by_a_later_one(log, victim):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[: victim * 5] + lines[victim * 5 + 5 :]))
    assert "records before this run are missing or were changed" in str(verify(log).findings[0])


def test_a_log_that_is_cut_at_its_end_does_not_fit_a_head_kept_elsewhere(log):
    heads = verify(log).heads
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:10]))
    assert verify(log).is_sound  # the chain alone cannot tell
    assert [str(each) for each in verify(log, heads).findings] == [
        "run c: its last record is not the one that is known from elsewhere"
    ]


def test_a_log_that_is_rewritten_does_not_fit_a_head_kept_elsewhere(log, tmp_path, start):
    heads = verify(log).heads
    log.unlink()
    for name in ("a", "b", "c"):
        with begin(log, start, name):
            pass
    assert verify(log).is_sound
    assert len(verify(log, heads).findings) == 3


def test_a_run_that_goes_on_after_its_end_is_noticed(log):
    lines = log.read_bytes().splitlines(keepends=True)
    forged = json.loads(lines[1]) | {"number": 5, "previous": digest(lines[4])}
    log.write_bytes(b"".join([*lines, json.dumps(forged).encode() + b"\n"]))
    assert "goes on after its end" in str(verify(log).findings[0])


def test_a_run_that_claims_an_empty_log_behind_others_is_noticed(log):
    lines = log.read_bytes().splitlines(keepends=True)
    forged = json.loads(lines[0]) | {"run": "forged", "after": ""}
    log.write_bytes(b"".join([*lines, json.dumps(forged).encode() + b"\n"]))
    assert "the log was empty" in str(verify(log).findings[0])


@pytest.mark.parametrize(
    "junk", [b"not json\n", b"{}\n", b"\xff\xfe\n", b'{"record":"decision"}\n', b"\n", b"x" * (2 * MAX_LINE) + b"\n"]
)
def test_a_line_that_is_no_record_is_noticed_once(log, junk):
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:5], junk, *lines[5:]]))
    assert [each.line for each in verify(log).findings] == [6]


def test_a_torn_line_is_noticed_and_what_follows_is_still_checked(log, start):
    with open(log, "ab") as file:
        file.write(b'{"record":"decision","run":"torn"')
    with begin(log, start, "later"):
        pass
    found = verify(log)
    assert [str(each) for each in found.findings] == ["line 16: this is no record"]
    assert "later" in found.heads


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_of_a_byte_is_noticed(tmp_path_factory, data):
    """All bytes but those of the last line: whatever is flipped, the log is not sound."""
    path = tmp_path_factory.mktemp("log") / "audit.jsonl"
    audit = Audit(LogFile(str(path)), START)
    for _ in range(3):
        audit.decision(operation="o", action="a", resource={"type": "T", "id": "/x"}, allowed=True, reason="permitted")
    audit.end("finished")
    audit._sink.close()
    content = bytearray(path.read_bytes())
    last = content.rstrip(b"\n").rfind(b"\n")
    at = data.draw(st.integers(0, last))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert not verify(path).is_sound


def test_samples_differ_between_runs(log):
    """The table above would prove nothing about lines that are equal."""
    lines = log.read_bytes().splitlines()
    assert all(a != b for a, b in zip_longest(lines, lines[1:]))
