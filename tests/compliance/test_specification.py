"""The examples of the language's description, each with the value or the error that it promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from . import compare, notation
from .engines import Engine
from .programs import Program, load_all

FOLDER = Path(__file__).parent / "specification"
PROGRAMS = list(load_all(FOLDER))
# Examples that hold only while the engine's optimiser is off, each with the reason; our engine has no such optimiser.
OPTIMISED = {
    entry["script"]: entry["reason"] for entry in map(json.loads, (FOLDER / "optimised.jsonl").read_text().splitlines())
}
UNOPTIMISED = {"limits": {"max_operations": 10**12}}

examples = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: f"{p.topic}-{p.digest}")


def check(program: Program, answer: compare.Answer) -> None:
    found = compare.normalise(answer)
    expected = program.expectation
    assert expected is not None
    if expected.value is not None:
        assert found.get("ok"), f"{program.request['script']}\n{found}"
        shown = f"{notation.show(found['value'])}, not {notation.show(expected.value)}"
        assert notation.same(found["value"], expected.value), f"{program.request['script']}\ngives {shown}"
    else:
        assert found.get("kind") == expected.kind, f"{program.request['script']}\n{found}"
        assert expected.message in found["message"]


@examples
def test_an_example_of_the_description_gives_what_it_promises(program: Program, ours: Engine) -> None:
    check(program, ours.ask(program.request))


@examples
def test_the_engine_agrees_with_the_description(program: Program, oracle: Engine) -> None:
    request = program.request | (UNOPTIMISED if program.request["script"] in OPTIMISED else {})
    check(program, oracle.ask(request))


def test_every_exempted_example_exists() -> None:
    assert OPTIMISED.keys() <= {program.request["script"] for program in PROGRAMS}
