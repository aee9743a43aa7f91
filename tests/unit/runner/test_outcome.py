"""The outcome document: its keys, its cuts and its table of endings."""

from __future__ import annotations

import json

import pytest

from trex.errors import (
    AuditUnavailable,
    InputUnreadable,
    IsolationUnavailable,
    LimitExceeded,
    PolicyInvalid,
    ProtocolViolation,
    Terminated,
    WorkerDied,
)
from trex.limits import Limits
from trex.protocol.messages import Failed, Finished
from trex.runner import report
from trex.runner.account import Account
from trex.runner.arguments import ArgumentsTooDeep
from trex.runner.outcome import ENDINGS, cut, timestamp
from trex.runner.request import Request, Source
from trex.values import Char, Constant, Object


def account(**limits) -> Account:
    return Account(Request(Source("s.rhai"), Source("p.cedar"), limits=Limits(**limits)))


def finished(text="42", value=42, exact=True) -> Finished:
    return Finished(text, value, exact, {})


def failed(stage="run", kind="ErrorRuntime", message="Runtime error: x (line 1, position 2)", denial=None) -> Failed:
    return Failed(stage, kind, [kind], message, 1, 2, denial, "", {})


def shown(outcome) -> dict:
    return json.loads(report.document(outcome))


def test_the_keys_stand_in_the_order_of_the_reference_and_ours_follow():
    assert list(shown(account().finished(finished()))) == [
        "output",
        "status",
        "metrics",
        "logs",
        "value",
        "run",
        "decisions",
    ]
    document = shown(account().script_failed(failed(), denied=False))
    assert list(document) == ["output", "status", "error", "alarms", "metrics", "logs", "run", "decisions"]
    assert list(document["error"])[:2] == ["error_type", "message"]


@pytest.mark.parametrize(
    "error,error_type,code,exit_code",
    [
        (InputUnreadable("gone", "s.rhai"), "COMMUNICATION_EXCEPTION", "input_unreadable", 5),
        (ArgumentsTooDeep("deep", "a.json"), "VALIDATION_EXCEPTION", "arguments_too_deep", 5),
        (PolicyInvalid(("typo",)), "INTERNAL_EXCEPTION", "policy_invalid", 5),
        (IsolationUnavailable(("landlock",)), "INTERNAL_EXCEPTION", "isolation_unavailable", 5),
        (AuditUnavailable("full"), "INTERNAL_EXCEPTION", "audit_unavailable", 5),
        (LimitExceeded("max_time", 60.0), "LIMIT_EXCEPTION", "limit_exceeded", 4),
        (WorkerDied(-9), "INTERNAL_EXCEPTION", "worker_died", 6),
        (ProtocolViolation("garbage"), "INTERNAL_EXCEPTION", "protocol_violation", 6),
        (Terminated("SIGTERM"), "SCRIPT_EXCEPTION", "terminated", 7),
    ],
)
def test_each_class_of_failure_has_its_type_code_and_exit_status(error, error_type, code, exit_code):
    outcome = account().failed(error)
    document = shown(outcome)
    assert (document["error"]["error_type"], document["error"]["code"]) == (error_type, code)
    assert outcome.exit_code == exit_code
    assert document["status"] == "ERROR"
    assert document["logs"] == []
    assert any(metric["metric_name"] == "RexRunnerTotalExecutionTime" for metric in document["metrics"])


@pytest.mark.parametrize(
    "failure,denied,error_type,code,alarm,count,exit_code",
    [
        (failed(), False, "SCRIPT_EXCEPTION", "script_error", "ScriptExecutionFailure", "ScriptExecutionFailureCount", 1),
        (failed(denial=3), True, "ACCESS_DENIED_EXCEPTION", "access_denied", "PrivilegeEscalation", "PrivilegeEscalationCount", 3),
        (failed("parse", "ErrorParsing"), False, "SCRIPT_EXCEPTION", "script_invalid", "ScriptCompilationFailure", "ScriptCompilationFailureCount", 1),
        (failed("limit", "ErrorTooManyOperations"), False, "LIMIT_EXCEPTION", "limit_exceeded", "ScriptExecutionFailure", "ScriptExecutionFailureCount", 4),
    ],
)  # fmt: skip
def test_each_failure_of_a_script_has_its_alarm_and_metric(failure, denied, error_type, code, alarm, count, exit_code):
    outcome = account().script_failed(failure, denied)
    document = shown(outcome)
    assert (document["error"]["error_type"], document["error"]["code"]) == (error_type, code)
    assert f"RexRunner{alarm}" in [entry["alarm_type"] for entry in document["alarms"]]
    assert f"RexRunner{count}" in [metric["metric_name"] for metric in document["metrics"]]
    assert outcome.exit_code == exit_code


def test_the_words_of_a_denial_do_not_make_one():
    message = "Runtime error: Permission denied: root unauthorized to perform everything (line 1, position 1)"
    outcome = account().script_failed(failed(message=message, denial=1), denied=False)
    assert shown(outcome)["error"]["error_type"] == "SCRIPT_EXCEPTION"
    assert outcome.exit_code == 1


@pytest.mark.parametrize(
    "kind,limit",
    [("ErrorTooManyOperations", "max_steps"), ("ErrorStackOverflow", "max_call_levels"), ("max_memory", "max_memory")],
)
def test_a_limit_of_the_language_is_named_by_its_flag(kind, limit):
    assert shown(account().script_failed(failed("limit", kind), False))["error"]["limit"] == limit


def test_a_result_beyond_max_output_is_a_limit_and_not_cut():
    outcome = account(max_output=10).finished(finished("x" * 11, "x" * 11))
    assert (outcome.exit_code, outcome.output) == (4, "")
    assert shown(outcome)["error"]["limit"] == "max_output"


def test_the_value_is_real_json():
    value = {
        "n": 1,
        "list": [1.5, None, True],
        "c": Char("é"),
        "blob": b"\x00\xff",
        "o": Object("File", {"size": 3}),
        "k": Constant("T", "FILE"),
    }
    assert shown(account().finished(finished("text", value)))["value"] == {
        "n": 1,
        "list": [1.5, None, True],
        "c": "é",
        "blob": "AP8=",
        "o": {"size": 3},
        "k": "FILE",
    }


def test_a_value_without_a_plain_form_is_absent_and_unit_is_null():
    assert "value" not in shown(account().finished(finished("Fn(f)", None, exact=False)))
    assert shown(account().finished(finished("", None)))["value"] is None


def test_numbers_that_json_lacks_are_their_text():
    assert shown(account().finished(finished("x", [float("nan"), float("inf"), float("-inf")])))["value"] == [
        "NaN",
        "inf",
        "-inf",
    ]


def test_a_message_of_exactly_the_limit_is_whole_and_a_longer_one_is_cut():
    assert cut("x" * 1024, 1024) == "x" * 1024
    assert cut("x" * 1025, 1024) == "x" * 1021 + "..."


@pytest.mark.parametrize("extra", range(8))
def test_a_cut_never_halves_a_character_and_never_passes_the_limit(extra):
    text = "a" * extra + "日本語" * 400
    result = cut(text, 1024)
    assert len(result.encode()) <= 1024
    assert result.endswith("...")
    assert text.startswith(result[:-3])


def test_times_have_nanoseconds():
    assert timestamp(1_770_091_446_123_456_789) == "2026-02-03T04:04:06.123456789Z"


def test_a_bug_is_reported_without_the_data_that_met_it():
    try:
        raise ValueError("secret of the script")
    except ValueError as error:
        outcome = account().broken(error)
    assert outcome.exit_code == 6
    assert "secret" not in report.document(outcome).decode()
    assert "ValueError" in shown(outcome)["error"]["message"]


def test_every_error_type_is_of_the_published_set():
    assert {ending.error_type for ending in ENDINGS.values()} == {
        "VALIDATION_EXCEPTION",
        "ACCESS_DENIED_EXCEPTION",
        "INTERNAL_EXCEPTION",
        "SCRIPT_EXCEPTION",
        "COMMUNICATION_EXCEPTION",
        "LIMIT_EXCEPTION",
    }
