"""A run in this process, where a part of ours fails: the outcome stands all the same."""

from __future__ import annotations

import signal

import pytest

from trex.errors import LimitExceeded, WorkerDied
from trex.runner import request as requests
from trex.runner.request import Request, Source
from trex.runner.run import run
from trex.runner.supervise import Supervisor


def outcome_of(request: Request):
    with Supervisor() as supervisor:
        return run(request, supervisor)


def test_a_bug_of_ours_yields_an_outcome_that_names_its_place_and_no_data(monkeypatch):
    def broken(*_):
        raise ValueError("the script's secret")

    monkeypatch.setattr("trex.runner.run.read", broken)
    outcome = outcome_of(Request(Source(text="1"), Source(text="")))
    assert (outcome.exit_code, outcome.code) == (6, "internal_error")
    assert "ValueError at " in outcome.error.message
    assert "secret" not in outcome.error.message


@pytest.mark.parametrize("failure", [WorkerDied(-9), LimitExceeded("max_time", 1.0)])
def test_a_signal_that_ended_the_worker_is_the_reason_and_not_the_worker_s_death(monkeypatch, failure):
    def interrupted(request, inputs, account, supervisor):
        supervisor.ends_with(lambda reason: None)
        signal.raise_signal(signal.SIGINT)
        raise failure

    monkeypatch.setattr("trex.runner.run._run", interrupted)
    outcome = outcome_of(Request(Source(text="1"), Source(text="")))
    assert (outcome.exit_code, outcome.error.message) == (7, "Script terminated: SIGINT")


def test_handlers_are_put_back_after_a_run():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)]
    outcome_of(Request(Source("/nonexistent"), Source(text="")))
    after = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)]
    assert before == after


def test_a_signal_between_two_steps_ends_the_script_as_soon_as_there_is_one():
    ended = []
    with Supervisor() as supervisor:
        supervisor.phase = "running"
        signal.raise_signal(signal.SIGINT)
        assert ended == []
        supervisor.ends_with(ended.append)
    assert ended == ["SIGINT"]


def test_the_request_s_texts_are_read_once(monkeypatch):
    reads = []
    original = requests.read
    monkeypatch.setattr("trex.runner.run.read", lambda *given: reads.append(given) or original(*given))
    assert outcome_of(Request(Source(text="40 + 2"), Source(text=""))).output == "42"
    assert len(reads) == 1


def test_a_signal_before_anything_is_read_ends_the_run():
    with Supervisor() as supervisor:
        signal.raise_signal(signal.SIGTERM)
        outcome = run(Request(Source(text="1"), Source(text="")), supervisor)
    assert (outcome.code, outcome.error.message) == ("terminated", "Script terminated: SIGTERM")


def test_of_two_signals_while_inputs_are_read_only_the_first_strikes(monkeypatch):
    def interrupted(*_):
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("trex.runner.run.read", interrupted)
    assert outcome_of(Request(Source(text="1"), Source(text=""))).error.message == "Script terminated: SIGINT"
