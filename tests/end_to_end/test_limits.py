"""Everything that a script chooses ends at a bound, with a typed error and an outcome."""

from __future__ import annotations

import os
import time

import pytest


def assert_limit(result, limit: str) -> None:
    error = result.document["error"]
    assert (error["error_type"], error["code"], error.get("limit")) == ("LIMIT_EXCEPTION", "limit_exceeded", limit)
    assert result.status == 4
    assert result.document["output"] == ""


def test_an_endless_loop_ends_with_the_time(trex):
    started = time.monotonic()
    result = trex.run("loop { }", "--max-time", "1s")
    assert_limit(result, "max_time")
    assert time.monotonic() - started < 10


def test_an_endless_loop_ends_with_its_steps(trex):
    assert_limit(trex.run("loop { }", "--max-steps", "10000"), "max_steps")


def test_a_sleep_ends_with_the_time(trex):
    assert_limit(trex.run("sleep(1e9)", "--max-time", "500ms"), "max_time")


@pytest.mark.parametrize(
    "script",
    [
        "let a = []; loop { a.push([1, 2, 3, 4, 5, 6, 7, 8]) }",
        'let s = []; loop { s.push("x" + s.len()) }',
        "let m = #{}; let n = 0; loop { m[n.to_string()] = [n, n, n]; n += 1 }",
        "let b = []; loop { b.push(blob(1000000, 1)) }",
    ],
)
def test_a_memory_bomb_ends_with_the_memory(trex, script):
    assert_limit(trex.run(script, "--max-memory", "32M", "--max-time", "50s"), "max_memory")


def test_a_deep_recursion_ends_with_the_call_levels(trex):
    assert_limit(trex.run("fn f(n) { f(n + 1) } f(0)"), "max_call_levels")


@pytest.mark.parametrize(
    "script",
    [
        'let s = "x"; loop { s += s }',
        "let a = [1]; loop { a += a }",
        "let b = blob(1); loop { b += b }",
    ],
)
def test_a_value_that_doubles_ends_with_a_size(trex, script):
    result = trex.run(script)
    assert (result.status, result.code) == (4, "limit_exceeded")


def test_a_huge_result_is_refused_and_not_cut(trex):
    assert_limit(trex.run('let s = "x"; for n in 0..12 { s += s } s', "--max-output", "1000"), "max_output")


def test_log_records_beyond_the_limit_drop_the_oldest_and_say_so(trex):
    result = trex.run("for n in 0..50 { info(`record ${n}`) }", "--max-log-records", "10")
    messages = [entry["attributes"]["message"] for entry in result.document["logs"]]
    assert result.status == 0
    assert messages[1:] == [f"record {n}" for n in range(40, 50)]
    first = result.document["logs"][0]["attributes"]
    assert (first["level"], first["line_number"]) == ("WARN", "0")
    assert "40" in first["message"]


def test_a_long_log_message_is_cut_between_characters(trex):
    result = trex.run('let s = "日"; for n in 0..12 { s += s } info(s)')
    message = result.document["logs"][0]["attributes"]["message"]
    assert len(message.encode()) <= 2048
    assert message.endswith("日...[truncate]")


def test_a_flood_of_log_bytes_ends_the_run(trex):
    result = trex.run('let s = "x"; for n in 0..10 { s += s } loop { info(s) }', "--max-log", "1M", "--max-time", "30s")
    assert_limit(result, "max_log")


def test_a_flood_of_operations_ends_the_run(trex):
    (trex.files / "x").write_text("1")
    result = trex.run(f'loop {{ cat("{trex.files}/x") }}', "--max-operations", "50")
    assert_limit(result, "max_operations")


def test_a_flood_of_denied_operations_ends_the_run_too(trex):
    script = f'loop {{ try {{ cat("{trex.files}/x") }} catch {{ }} }}'
    assert_limit(trex.run(script, "--max-operations", "50", policy=""), "max_operations")


def test_a_file_larger_than_a_read_may_be_ends_the_run(trex):
    (trex.files / "x").write_bytes(b"x" * 5000)
    assert_limit(trex.run(f'cat("{trex.files}/x")', "--max-read", "4096"), "max_read")


def test_more_written_than_allowed_ends_the_run(trex):
    script = f'for n in 0..10 {{ write([write::replace], `{trex.files}/${{n}}`, "xxxxxxxxxx") }}'
    assert_limit(trex.run(script, "--max-write", "35"), "max_write")
    assert all(path.read_text() == "xxxxxxxxxx" for path in trex.files.iterdir())


def test_more_open_handles_than_allowed_end_the_run(trex):
    script = f"""
        let held = [];
        loop {{ held.push(DirConfig().path("{trex.files}").build().open(OpenDirOptions().build())); }}
    """
    assert_limit(trex.run(script, "--max-handles", "5"), "max_handles")


def test_a_limit_cannot_be_caught(trex):
    result = trex.run("loop { try { loop { } } catch { } }", "--max-steps", "1000")
    assert_limit(result, "max_steps")


def test_a_failure_within_the_limits_of_a_result_is_complete(trex):
    result = trex.run('let s = "日"; for n in 0..10 { s += s } throw s')
    message = result.message
    assert len(message.encode()) <= 1024
    assert message.endswith("日...")


def test_the_time_of_a_run_counts_waiting_for_its_inputs(trex):
    reader, writer = os.pipe()
    trex.write("policy.cedar", "")
    result = trex.command("run", "-", "--policy", "policy.cedar", "--max-time", "300ms", stdin=reader)
    os.close(writer)
    os.close(reader)
    assert_limit(result, "max_time")
