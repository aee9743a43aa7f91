"""Ends from outside: signals, killed processes, a full disk, a reader that is gone."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest


def children_of(pid: int) -> list[int]:
    found = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return found + [inner for child in found for inner in children_of(child)]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for(condition, seconds: float = 30.0):
    """What `condition` gives once it is true: other processes' states come without an event to wait for."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen"
        select.select([], [], [], 0.01)
    return value


def started(trex, *flags, script: str = "loop { }", **options):
    """A run whose script has certainly begun: its first statement makes a file."""
    marker = trex.files / "begun"
    process = trex.start(f'touch("{marker}"); {script}', *flags, **options)
    wait_for(lambda: marker.exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    return process


def outcome_of(process):
    out, _ = process.communicate(timeout=30)
    return process.returncode, json.loads(out)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_person_s_signal_ends_the_run_at_once_with_an_outcome(trex, number):
    process = started(trex)
    process.send_signal(number)
    status, document = outcome_of(process)
    assert (status, document["error"]["code"]) == (7, "terminated")
    assert document["error"]["message"] == f"Script terminated: {number.name}"
    assert document["error"]["error_type"] == "SCRIPT_EXCEPTION"


def test_a_second_sigterm_does_not_wait_for_the_grace(trex):
    process = started(trex)
    begun = time.monotonic()

    def ended():
        process.send_signal(signal.SIGTERM)
        return process.poll() is not None or select.select([process.stdout], [], [], 0.1)[0]

    wait_for(ended)
    status, document = outcome_of(process)
    assert (status, document["error"]["code"]) == (7, "terminated")
    assert time.monotonic() - begun < 7  # the grace is 8 seconds


def test_a_script_that_ends_within_the_grace_of_sigterm_ends_normally(trex):
    go = trex.files / "go"
    script = f'loop {{ try {{ cat("{go}"); break; }} catch {{ }} }} "in time"'
    process = started(trex, "--max-operations", "100000000", script=script)
    process.send_signal(signal.SIGTERM)
    go.write_text("now")
    status, document = outcome_of(process)
    assert (status, document["output"]) == (0, "in time")


def test_a_script_that_outlasts_the_grace_of_sigterm_is_ended_before_ten_seconds(trex):
    process = started(trex)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    status, document = outcome_of(process)
    assert (status, document["error"]["message"]) == (7, "Script terminated: SIGTERM timeout exceeded")
    assert time.monotonic() - begun < 10


def test_a_signal_while_inputs_are_read_ends_at_once(trex):
    trex.write("policy.cedar", "")
    reader, writer = os.pipe()
    command = [*trex.program, "run", "-", "--policy", "policy.cedar"]
    process = subprocess.Popen(command, cwd=trex.directory, stdin=reader, stdout=subprocess.PIPE)
    handled = 1 << (signal.SIGTERM - 1)
    wait_for(lambda: signals_caught(process.pid) & handled)
    process.send_signal(signal.SIGTERM)
    status, document = outcome_of(process)
    assert (status, document["error"]["code"]) == (7, "terminated")
    os.close(reader)
    os.close(writer)


def signals_caught(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return int(line.split()[1], 16)
    return 0


def test_an_ignored_hangup_stays_ignored(trex):
    script = f'loop {{ try {{ cat("{trex.files}/go"); break; }} catch {{ }} }} "went on"'
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    process = started(trex, "--max-operations", "100000000", script=script, **ignore)
    process.send_signal(signal.SIGHUP)
    (trex.files / "go").write_text("now")
    status, document = outcome_of(process)
    assert (status, document["output"]) == (0, "went on")


def test_a_killed_worker_is_an_internal_error_with_an_outcome(trex):
    process = started(trex)
    for pid in children_of(process.pid):
        os.kill(pid, signal.SIGKILL)
    status, document = outcome_of(process)
    assert (status, document["error"]["code"]) == (6, "worker_died")
    assert document["decisions"]["allowed"] >= 1
    assert [alarm["alarm_type"] for alarm in document["alarms"]] == ["RexRunnerInternalAlarm"]


def test_a_killed_broker_leaves_no_worker(trex):
    process = started(trex)
    workers = children_of(process.pid)
    assert workers
    process.kill()
    process.communicate(timeout=30)
    wait_for(lambda: not any(is_running(pid) for pid in workers))


# --- the audit log ---


def test_the_audit_log_has_a_line_for_each_decision_and_its_end(trex):
    (trex.files / "x").write_text("1")
    result = trex.run(f'cat("{trex.files}/x")', "--audit", "audit.jsonl")
    records = [json.loads(line) for line in (trex.directory / "audit.jsonl").read_text().splitlines()]
    assert result.status == 0
    assert result.document["run"]["audit"]["file"] == "audit.jsonl"
    assert records[-1]["record"] == "run_ended"
    assert (
        len([record for record in records if record["record"] == "decision"]) == result.document["decisions"]["allowed"]
    )


def test_the_head_in_the_outcome_verifies_the_log_and_shows_a_cut(trex):
    result = trex.run("1", "--audit", "audit.jsonl")
    run = result.document["run"]
    head = f"{run['id']}={run['audit']['head']}"
    assert trex.command("audit", "audit.jsonl", "--head", head).status == 0
    log = trex.directory / "audit.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    assert trex.command("audit", "audit.jsonl").status == 0
    assert trex.command("audit", "audit.jsonl", "--head", head).status == 1


def test_a_changed_audit_log_is_not_sound(trex):
    trex.run("1", "--audit", "audit.jsonl")
    log = trex.directory / "audit.jsonl"
    log.write_text(log.read_text().replace("command line", "Command line"))
    result = trex.command("audit", "audit.jsonl")
    assert (result.status, "not sound" in result.stdout) == (1, True)


@pytest.mark.parametrize("where", ["missing/audit.jsonl", ".", "/dev/full"])
def test_without_its_audit_log_a_run_does_not_begin(trex, where):
    result = trex.run(f'touch("{trex.files}/x")', "--audit", where)
    assert (result.status, result.code) == (5, "audit_unavailable")
    assert list(trex.files.iterdir()) == []


def test_an_audit_log_behind_a_symlink_is_refused(trex):
    trex.write("elsewhere", "")
    (trex.directory / "audit.jsonl").symlink_to("elsewhere")
    result = trex.run("1", "--audit", "audit.jsonl")
    assert (result.status, result.code) == (5, "audit_unavailable")


def test_a_full_disk_for_the_audit_log_ends_the_run_before_the_next_effect(trex):
    script = f"for n in 0..10000 {{ touch(`{trex.files}/${{n}}`) }}"
    # A file size limit is a full disk that needs no root: the write fails in the same way.
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))}
    result = trex.run(script, "--audit", "audit.jsonl", **limit)
    assert (result.status, result.code) == (6, "audit_lost")
    # What is torn is the record of what did not happen any more.
    whole = (trex.directory / "audit.jsonl").read_text().rpartition("\n")[0]
    records = [json.loads(line) for line in whole.splitlines()]
    recorded = {
        record["resource"]["id"] for record in records if record["record"] == "decision" and "create" in str(record)
    }
    assert {str(path) for path in trex.files.iterdir()} <= recorded


# --- standard output ---


def test_a_full_standard_output_is_said_and_is_no_success(trex):
    with open("/dev/full", "wb") as full:
        process = trex.start("1", stdout=full)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 6
    assert err == b"trex: the outcome could not be written: No space left on device\n"


def test_a_signal_after_the_script_does_not_cost_its_outcome(trex):
    reader, writer = os.pipe()
    process = trex.start('let s = "x"; for n in 0..18 { s += s } s', stdout=writer)
    os.close(writer)
    select.select([reader], [], [])  # it writes, and waits for us: a pipe holds less
    process.send_signal(signal.SIGTERM)
    with open(reader, "rb") as file:
        document = json.load(file)
    assert (process.wait(timeout=30), document["status"]) == (0, "SUCCESS")
    process.communicate()


def test_an_outcome_that_nobody_takes_does_not_hold_a_process_that_is_asked_to_end(trex):
    reader, writer = os.pipe()
    process = trex.start('let s = "x"; for n in 0..18 { s += s } s', stdout=writer)
    os.close(writer)
    select.select([reader], [], [])
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 7
    process.communicate()
    os.close(reader)


@pytest.mark.parametrize("form", ["json", "human"])
def test_a_reader_that_is_gone_is_said_and_is_no_success(trex, form):
    reader, writer = os.pipe()
    os.close(reader)
    process = trex.start("1", "-o", form, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 6
    assert err == b"trex: the outcome could not be written: Broken pipe\n"


def test_a_denial_keeps_its_exit_status_when_nobody_reads_it(trex):
    with open("/dev/full", "wb") as full:
        process = trex.start(f'cat("{trex.files}/x")', policy="", stdout=full)
        process.communicate(timeout=30)
    assert process.returncode == 3


@pytest.mark.parametrize("closed", [(1,), (0, 1), (0, 1, 2)])
def test_closed_standard_descriptors_never_become_an_opened_file(trex, closed):
    def close():
        for descriptor in closed:
            os.close(descriptor)

    process = trex.start("1", "--audit", "audit.jsonl", preexec_fn=close)
    process.communicate(timeout=30)
    assert process.returncode == 6
    for name in ("audit.jsonl", "script.rhai", "policy.cedar"):
        assert '"status"' not in (trex.directory / name).read_text()
