"""Self-written programs by topic, each with the answer that the reference engine gave when it was recorded.

Everything is compared: value or kind of error, the chain of kinds, the text with its position and call lines, the
thrown value, and what was printed. What differs on purpose stands in `differences.jsonl`, one line an entry: `id` of the
program, `reason`, and `answer`, the aspects in which ours differ. An entry that no longer differs is an error too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from . import compare, notation
from .engines import Engine
from .record import read, unoptimised

HERE = Path(__file__).parent


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


RECORDS = [record | {"topic": path.stem} for path in sorted(HERE.glob("recorded/*.jsonl")) for record in lines(path)]
DIFFERENCES = {entry["id"]: entry for entry in lines(HERE / "differences.jsonl")}

recorded = pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['topic']}-{r['id']}")


def expected_answers(record: dict[str, Any]) -> list[compare.Answer]:
    """The answers that are right: the recorded ones, changed where a known difference says so."""
    if known := DIFFERENCES.get(record["id"]):
        changed = main_answer(record) | known["answer"]
        return [read({aspect: value for aspect, value in changed.items() if value is not None})]
    return [read(record[name]) for name in ("answer", "unoptimised") if name in record]


def main_answer(record: dict[str, Any]) -> compare.Answer:
    return record.get("answer") or record["unoptimised"]


def explain(record: dict[str, Any], differences: dict[str, tuple[Any, Any]]) -> str:
    text = [f"{record['topic']}: {record['title']}", record["request"]["script"], ""]
    if len(record["request"]) > 1:
        text.append(json.dumps({key: value for key, value in record["request"].items() if key != "script"}))
    for aspect, sides in differences.items():
        for name, side in zip(("expected", "found   "), sides, strict=True):
            shown = notation.show(side) if aspect in ("value", "thrown") and side is not None else side
            text.append(f"{aspect} {name} {shown}")
    return "\n".join(text)


@recorded
def test_a_program_gives_the_recorded_answer(record: dict[str, Any], ours: Engine) -> None:
    found = compare.normalise(ours.ask(record["request"]))
    candidates = [compare.differences(expected, found) for expected in expected_answers(record)]
    assert not min(candidates, key=len), explain(record, candidates[0])


@recorded
def test_the_engine_still_gives_the_recorded_answer(record: dict[str, Any], oracle: Engine) -> None:
    for name, request in (("answer", record["request"]), ("unoptimised", unoptimised(record["request"]))):
        if name in record:
            found = compare.normalise(oracle.ask(request))
            differences = compare.differences(read(record[name]), found)
            assert not differences, explain(record, differences)


def test_every_known_difference_has_a_program_and_a_reason() -> None:
    by_id = {record["id"]: record for record in RECORDS}
    for name, entry in DIFFERENCES.items():
        assert name in by_id, f"{name} is no program"
        assert entry["reason"].strip(), f"{name} has no reason"
        differs = {aspect for aspect, value in entry["answer"].items() if main_answer(by_id[name]).get(aspect) != value}
        assert differs, f"{name} says what was recorded anyway"
