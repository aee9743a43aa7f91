"""No source text of up to 64 KiB, however hostile, makes the parser crash, hang, or take more than linear time and memory.

The engine stands in a child process, so that a crash is seen and its processor time and peak memory can be read from
outside. `TREX_FUZZ_EXAMPLES` says how many generated texts to try.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from compliance.engines import Engine

from .hostile import GROWING, SIZE, Grow, Shape, nested, texts

EXAMPLES = int(os.environ.get("TREX_FUZZ_EXAMPLES", "300"))
TICKS = os.sysconf("SC_CLK_TCK")

# Generous: a text of this size is 1500 lines, whose compilation takes well under a second on a slow machine.
SECONDS = 15.0
# What one byte of source may cost at most: the tree of a text that is all operators, and its code object.
BYTES_PER_BYTE = 4096
BASE_KIB = 48 * 1024

generated = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def processor_seconds(engine: Engine) -> float:
    fields = Path(f"/proc/{engine.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_kib(engine: Engine) -> int:
    status = Path(f"/proc/{engine.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def forget_peak(engine: Engine) -> int:
    Path(f"/proc/{engine.pid}/clear_refs").write_text("5")
    return peak_kib(engine)


def check_shape(text: str, answer: dict[str, Any], kinds: frozenset[str]) -> None:
    """The answer is one of the protocol, of a kind that may be, and its position lies in the text."""
    shown = f"{text[:200]!r} ({len(text)} characters)\n{answer}"
    assert "lost" not in answer, shown
    if answer["ok"]:
        return
    error = answer["error"]
    assert error["kind"] in kinds, shown
    assert isinstance(error["message"], str), shown
    if error.get("line") is not None:
        # A comment ends at a lone carriage return too.
        assert 1 <= error["line"] <= text.count("\n") + text.count("\r") + 1, shown
        assert error.get("position") is None or 1 <= error["position"] <= len(text) + 2, shown


PARSING = frozenset({"ErrorParsing"})
RUNNING = frozenset(
    {
        "ErrorParsing", "ErrorVariableNotFound", "ErrorFunctionNotFound", "ErrorTooManyOperations", "ErrorRuntime", "ErrorFor",
        "ErrorMismatchDataType", "ErrorIndexingType", "ErrorArithmetic", "ErrorDotExpr", "ErrorModuleNotFound", "ErrorStackOverflow",
        "ErrorArrayBounds", "ErrorStringBounds", "ErrorBitFieldBounds", "ErrorAssignmentToConstant", "ErrorUnboundThis",
        "ErrorNonPureMethodCallOnConstant", "ErrorDataTooLarge", "ErrorTooManyVariables", "ErrorMismatchOutputType", "ErrorDataRace",
    }
)  # fmt: skip
BOUNDED = {"max_operations": 10_000, "max_string_size": 100_000, "max_array_size": 10_000, "max_map_size": 10_000}
# What the host may ask for is no permission to overflow our own stack.
UNLIMITED = BOUNDED | {"max_expr_depth": 0, "max_function_expr_depth": 0}


@generated
@given(text=texts())
@example(text="")
@example(text="\0")
@example(text='"\\')
@example(text="`\n")
@example(text='a`\r\n"x')
@example(text="`${`${`")
def test_a_hostile_text_parses_or_is_a_syntax_error(text: str, ours: Engine) -> None:
    check_shape(text, ours.ask({"script": text, "api": "compile"}, SECONDS), PARSING)


@generated
@given(text=texts())
def test_a_hostile_text_runs_to_an_end_under_limits(text: str, ours: Engine) -> None:
    check_shape(text, ours.ask({"script": text, "limits": BOUNDED}, SECONDS), RUNNING)


def grown(rows: Iterable[tuple[str, Grow, Shape]]) -> list[Any]:
    return [pytest.param(grow, shape, id=f"{sort} {''.join(shape)!a}") for sort, grow, shape in rows]


@pytest.mark.parametrize(("grow", "shape"), grown(GROWING))
def test_a_growing_text_costs_linear_time_and_memory(grow: Grow, shape: Shape, ours: Engine) -> None:
    seconds, kib = {}, {}
    for size in (SIZE // 4, SIZE):
        text = grow(shape, size)
        assert len(text.encode()) <= SIZE
        ours.ask({"script": "1", "api": "compile"})
        before = forget_peak(ours)
        start = processor_seconds(ours)
        check_shape(text, ours.ask({"script": text, "api": "compile"}, SECONDS), PARSING)
        seconds[size] = processor_seconds(ours) - start
        kib[size] = peak_kib(ours) - before
    assert kib[SIZE] <= BASE_KIB + SIZE * BYTES_PER_BYTE / 1024, kib
    # Four times the text: linear costs 4 times, square 16 times. The clock ticks in hundredths.
    assert seconds[SIZE] <= 8 * seconds[SIZE // 4] + 0.1, seconds


@pytest.mark.parametrize("size", [2_000, SIZE])
@pytest.mark.parametrize(("grow", "shape"), grown(row for row in GROWING if row[1] is nested))
def test_deep_nesting_ends_in_an_answer_even_where_the_host_sets_no_depth(
    grow: Grow, shape: Shape, size: int, ours: Engine
) -> None:
    text = grow(shape, size)
    check_shape(text, ours.ask({"script": text, "limits": UNLIMITED}, SECONDS), RUNNING)


REQUESTS = (
    b"{", b"[]", b"5", b"null", b'"x"', b"{}", b"\xff\xfe", b'{"script": "\xff"}', b'{"script": "a\xc3"}', b'{"script": "\xed\xa0\x80"}',
    b'{"script": "\\ud800"}', b'{"script": "\\ud83d\\ude00"}', b'{"script": "1\x00"}', b'{"script": 5}', b'{"script": null}', b'{"script": ["1"]}',
    b'{"script": "1", "api": 5}', b'{"script": "1", "api": "nope"}', b'{"script": "1", "scope": []}', b'{"script": "x", "scope": {"x": 5}}',
    b'{"script": "x", "scope": {"x": {"t": "nope"}}}', b'{"script": "x", "scope": {"x": {"t": "int", "v": "5"}}}',
    b'{"script": "x", "scope": {"x": {"t": "int", "v": 99999999999999999999}}}', b'{"script": "x", "scope": {"x": {"t": "char", "v": "ab"}}}',
    b'{"script": "x", "scope": {"x": {"t": "blob", "v": [256]}}}', b'{"script": "x", "scope": {"1 2": {"t": "unit"}}}',
    b'{"script": "x", "scope": {"__class__": {"t": "unit"}}}', b'{"script": "1", "limits": {"max_operations": "x"}}',
    b'{"script": "1", "limits": {"max_operations": -1}}', b'{"script": "1", "limits": {"nope": 1}}', b'{"script": "1", "limits": 5}',
    b'{"script": "1", "options": {"strict_variables": 5}}', b'{"script": "1", "options": {"disabled_symbols": "if"}}',
    b'{"script": "1", "call": 5}', b'{"script": "1", "call": {"fn": "f"}}', b'{"script": "1", "call": {"fn": 5, "args": []}}',
    b'{"script": "1", "setup": "x"}', b'{"script": "1", "setup": [5]}', b'{"script": "1", "bench": "x"}', b'{"script": "1", "bench": -1}',
    b'{"script": "1", "script": "2"}', b"[" * 100_000, b'{"script": ' + b"[" * 100_000, b'{"script": "' + b"\\u0000" * 1000 + b'"}',
    b"9" * 100_000, b'{"script": "1", "bench": ' + b"9" * 10_000 + b"}", b'{"script": NaN}', b'{"script": "1"} trailing',
)  # fmt: skip


@pytest.mark.parametrize("line", REQUESTS, ids=lambda line: repr(line[:60]))
def test_a_request_that_is_none_gets_an_answer_and_the_next_one_too(line: bytes, ours: Engine) -> None:
    pid = ours.pid
    answer = ours.ask_bytes(line, SECONDS)
    assert isinstance(answer.get("ok"), bool), answer
    assert answer["ok"] or isinstance(answer["error"]["kind"], str), answer
    assert json.dumps(ours.ask({"script": "40 + 2"})["value"]) == '{"t": "int", "v": 42}'
    assert ours.pid == pid, "the engine died"
