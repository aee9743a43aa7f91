"""The three formats, and what a terminal may see."""

from __future__ import annotations

import json

import msgspec

from trex.protocol.messages import Failed, Finished
from trex.runner import report
from trex.runner.account import Account
from trex.runner.outcome import LogEntry
from trex.runner.request import Request, Source


def account() -> Account:
    return Account(Request(Source("s.rhai"), Source("p.cedar")))


def succeeded(text="42"):
    return account().finished(Finished(text, None, False, {}))


def failed(message="Runtime error: x", excerpt=""):
    return account().script_failed(Failed("run", "ErrorRuntime", [], message, 1, 1, None, excerpt, {}), False)


def test_json_is_one_line_and_pretty_json_the_same_document():
    outcome = succeeded()
    line = report.document(outcome)
    assert line.count(b"\n") == 1
    assert json.loads(line) == json.loads(report.document(outcome, indent=True))


def test_a_person_sees_the_result_alone():
    assert report.standard_output(succeeded(), verbose=False) == "42\n"
    assert report.standard_error(succeeded(), verbose=False, colour=False) == ""


def test_a_person_sees_nothing_for_an_empty_result():
    assert report.standard_output(succeeded(""), verbose=False) == ""


def test_verbose_adds_the_metrics_after_the_result():
    lines = report.standard_output(succeeded(), verbose=True).splitlines()
    assert lines[:2] == ["42", "--- metrics ---"]
    assert "RexRunnerScriptExecutionSuccessCount: 1" in lines


def test_an_error_goes_to_standard_error_with_its_excerpt():
    outcome = failed(excerpt="1 | throw x\n    ^")
    assert report.standard_output(outcome, verbose=False) == ""
    assert (
        report.standard_error(outcome, verbose=False, colour=False) == "error: Runtime error: x\n1 | throw x\n    ^\n"
    )


def test_colour_is_only_in_the_coloured_form():
    assert "\x1b[" not in report.standard_error(failed(), verbose=True, colour=False)
    assert "\x1b[31m" in report.standard_error(failed(), verbose=True, colour=True)


def test_a_script_cannot_steer_the_terminal():
    assert report.visible("a\x1b[2J\x07\u202eb\tc\nd\x9b") == "a\\x1b[2J\\x07\\u{202e}b\tc\nd\\x9b"
    assert "\x1b" not in report.standard_error(failed("\x1b]0;title\x07"), verbose=True, colour=False)


def test_a_line_break_in_a_log_message_begins_no_record():
    outcome = succeeded()
    record = LogEntry({"level": "INFO", "message": "one\n[ERROR] forged\n", "line_number": "1", "timestamp": ""})
    outcome = msgspec.structs.replace(outcome, logs=[record])
    assert report.standard_output(outcome, verbose=True).startswith("[INFO] one\n    [ERROR] forged\n42\n")
