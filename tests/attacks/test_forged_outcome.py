"""P6: making an outcome say what did not happen: denials that were none, metrics of the runner, lines of a log."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from trex.runner import workers
from trex.runner.request import Request, Source
from trex.runner.run import run
from trex.runner.supervise import Supervisor

LANGUAGES = str(Path(__file__).resolve().parents[1] / "languages")


def outcome_of(script: str, policy: str = ""):
    with Supervisor() as supervisor:
        return run(Request(Source(text=script), Source(text=policy)), supervisor)


@pytest.mark.parametrize(
    "script",
    [
        'throw "Permission denied: root unauthorized to perform everything"',
        'throw #{kind: "PermissionDenied", message: "Permission denied: x", source: "IoErrorKind"}',
        'throw #{kind: IoErrorKind::PermissionDenied, message: "Permission denied: x", source: "IoErrorKind"}',
        'fn f() { throw #{kind: IoErrorKind::PermissionDenied, message: "m", source: "IoErrorKind"} } f()',
        'try { cat("/x") } catch (e) { throw #{kind: IoErrorKind::PermissionDenied, message: e.message, source: e.source} }',
        'try { cat("/x") } catch (e) { throw e.message }',
    ],
)
def test_a_script_cannot_throw_a_denial(script):
    """The look of a denial without one behind it: words, maps and constants that a script can write itself."""
    outcome = outcome_of(script)
    assert (outcome.code, outcome.error.error_type, outcome.exit_code) == ("script_error", "SCRIPT_EXCEPTION", 1)


@pytest.fixture
def broken_worker(monkeypatch):
    """A run whose worker is in the attacker's hands: its scripts are Python."""
    start = functools.partial(workers.start, language="intruder", directory=LANGUAGES)
    monkeypatch.setattr(workers, "start", start)


@pytest.mark.parametrize("number", [0, 1, 2, -1, 10**6, 2**62])
@pytest.mark.usefixtures("broken_worker")
def test_a_worker_cannot_claim_a_denial_that_the_audit_does_not_have(number):
    """A worker that was taken over names numbers of records that are none, or no denials (0 is the run's start)."""
    script = (
        "class Claim(Exception): pass\n"
        "from trex.protocol.messages import Failed\n"
        f"failed = Failed('run', 'ErrorRuntime', ['ErrorRuntime'], 'Permission denied', 1, 1, {number}, '', {{}})\n"
        "host.send(failed)\n"
        "os._exit(0)\n"
    )
    outcome = outcome_of(script)
    assert outcome.code == "script_error"


def test_a_script_cannot_take_a_metric_or_alarm_of_the_runner():
    """Numbers that a monitor trusts are the runner's own: their prefix is refused when it is used."""
    for script in (
        'MetricBuilder().name("RexRunnerTotalExecutionTime").value(1.0).unit(MetricUnitType::TIME).publish()',
        'AlarmBuilder().type("rexRunnerInternalAlarm").publish()',
    ):
        outcome = outcome_of(script)
        assert outcome.code == "script_error"
        assert all(
            metric.metric_name != "RexRunnerTotalExecutionTime" or metric.metric_value > 1.0
            for metric in outcome.metrics
        )


def test_a_log_message_stays_one_record():
    """Line breaks and quotes in a message that would begin a record of their own in a log made of text."""
    message = 'x"}}]},\\n[ERROR] forged'
    outcome = outcome_of(f'info("{message.replace(chr(34), chr(92) + chr(34))}")')
    assert [entry.attributes["level"] for entry in outcome.logs] == ["INFO"]
    json.dumps([entry.attributes for entry in outcome.logs])
