"""The three formats, and who gets which by default."""

from __future__ import annotations

import json
import os
import pty

import pytest


def test_json_is_the_default_for_a_machine_and_one_line(trex):
    result = trex.run("42")
    assert result.stdout.count("\n") == 1
    assert result.document["output"] == "42"
    assert result.stderr == ""


def test_pretty_json_is_the_same_document_indented(trex):
    pretty = trex.run("42", "-o", "pretty-json")
    assert pretty.stdout.startswith('{\n  "output": "42",\n  "status": "SUCCESS",\n')
    assert pretty.document["output"] == "42"


def test_human_is_the_result_and_a_newline(trex):
    result = trex.run('info("hidden"); 42', "-o", "human")
    assert (result.status, result.stdout, result.stderr) == (0, "42\n", "")


def test_human_shows_what_was_printed_before_the_result(trex):
    result = trex.run('info("hidden"); print("a\\nb"); print(""); 42', "-o", "human")
    assert (result.status, result.stdout, result.stderr) == (0, "a\nb\n\n42\n", "")


def test_what_was_printed_before_an_error_is_shown_too(trex):
    result = trex.run('print("so far"); throw 1', "-o", "human")
    assert (result.status, result.stdout) == (1, "so far\n")


def test_human_prints_nothing_for_an_empty_result(trex):
    assert trex.run("let x = 1;", "-o", "human").stdout == ""


def test_verbose_human_has_logs_before_and_metrics_after_the_result(trex):
    lines = trex.run('info("adding"); warn("odd"); print("said"); 42', "-o", "human", "-v").stdout.splitlines()
    assert lines[:5] == ["[INFO] adding", "[WARN] odd", "[PRINT] said", "42", "--- metrics ---"]
    assert "RexRunnerScriptExecutionSuccessCount: 1" in lines


def test_human_errors_go_to_standard_error_with_the_source_line(trex):
    result = trex.run("let x = 1;\nthrow `bad ${x}`;", "-o", "human")
    assert (result.status, result.stdout) == (1, "")
    assert result.stderr.startswith("error: Runtime error: bad 1 (line 2, position 1)")
    assert "throw `bad ${x}`;" in result.stderr


def test_human_denials_say_what_the_policy_says(trex):
    result = trex.run(f'cat("{trex.files}/x")', "-o", "human", policy="")
    assert result.status == 3
    assert "Permission denied" in result.stderr
    assert "no policy permits it" in result.stderr


def test_human_denials_say_which_permit_comes_nearest(trex):
    result = trex.run(f'write("{trex.files}/x", "")', "-o", "human", policy=trex.permit("open", "read"))
    assert result.status == 3
    assert result.stderr.endswith(
        '  no policy permits it\n  nearest: policy0 (line 1): it does not cover file_system::Action::"create"\n'
    )


@pytest.mark.parametrize(
    ("script", "advice"),
    [
        ("let size = 1; directory", "neither the script nor its arguments have a 'directory'"),
        ('DirConfig().path("/x").open(OpenDirOptions().build())', "'.build()' is missing before '.open'"),
        ("cat(42)", "'cat' takes (string) or (array, string)"),
        ("MetricBuilder().value(1)", "'value' takes (float)"),
        ("cat([cat::numbr], `/x`)", "did you mean 'cat::number'?"),
        (
            "let size = 1; fn f() { size } f()",
            "a function sees no variables or arguments of the script: make 'size' a parameter of it",
        ),
    ],
)
def test_human_errors_say_what_was_meant_where_that_is_plain(trex, script, advice):
    result = trex.run(script, "-o", "human")
    assert (result.status, result.stderr.splitlines()[-1]) == (1, advice)


def test_human_limits_name_their_flag(trex):
    result = trex.run("fn f(n) { f(n + 1) } f(0)", "-o", "human")
    assert (result.status, result.stderr.splitlines()[-1]) == (4, "  --max-call-levels sets this limit")


def test_human_is_the_default_on_a_terminal_and_shows_no_control_characters(trex):
    trex.write("script.rhai", r'"red\x1b[31m"')
    trex.write("policy.cedar", "")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(trex.directory)
        os.execv(trex.program[0], [*trex.program, "run", "script.rhai", "--policy", "policy.cedar"])
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other side of a terminal is gone
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert shown == b"red\\x1b[31m\r\n"


def test_a_script_s_output_reaches_a_pipe_as_it_is(trex):
    assert trex.run(r'"red\x1b[31m"', "-o", "human").stdout == "red\x1b[31m\n"


def test_the_keys_stand_in_their_documented_order(trex):
    assert list(trex.run("1").document) == ["output", "status", "metrics", "logs", "value", "run", "decisions"]
    denied = trex.run(f'cat("{trex.files}/x")', policy="").document
    assert list(denied) == ["output", "status", "error", "alarms", "metrics", "logs", "run", "decisions"]


ALL_LEVELS = 'error("e"); warn("w"); info("i"); debug("d"); trace("t"); print("p");'


def levels(result) -> list[str]:
    return [entry["attributes"]["level"] for entry in result.document["logs"]]


def test_debug_and_trace_are_dropped_by_default(trex):
    assert levels(trex.run(ALL_LEVELS)) == ["ERROR", "WARN", "INFO", "PRINT"]


@pytest.mark.parametrize(
    "flags,environment",
    [(["--log-level", "debug"], {}), ([], {"LOG_LEVEL": "Debug"}), (["--log-level", "DEBUG"], {"LOG_LEVEL": "ERROR"})],
)
def test_the_log_level_comes_from_the_flag_or_the_environment(trex, flags, environment):
    result = trex.run(ALL_LEVELS, *flags, env={**os.environ, **environment})
    assert levels(result) == ["ERROR", "WARN", "INFO", "DEBUG", "PRINT"]


def test_an_unknown_level_in_the_environment_is_the_default(trex):
    assert "DEBUG" not in levels(trex.run(ALL_LEVELS, env={**os.environ, "LOG_LEVEL": "verbose"}))


def test_records_that_are_not_kept_count_all_the_same(trex):
    result = trex.run('loop { trace("x") }', "--max-log", "10K")
    assert (result.status, result.document["error"]["limit"]) == (4, "max_log")


def test_log_records_are_objects_of_strings(trex):
    (entry,) = json.loads(trex.run('info("a")').stdout)["logs"]
    assert set(entry["attributes"]) == {"timestamp", "level", "message", "line_number"}
    assert all(type(value) is str for value in entry["attributes"].values())
