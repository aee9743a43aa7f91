"""Which differences between the engines there are, each once, with its shortest program.

    cd tests && TREX_ORACLE=... python -m compliance.survey [examples per strategy] [strategy or recorded or recorded/topic ...]

Owns:      grouping differences by what they look like.
Relies on: `generate` for programs, the recorded answers, both engines.
Never:     decides which side is right.

A property test stops at the first difference that it finds; while an engine grows, a person wants all of them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from . import compare, engines, generate
from .record import RECORDED, crashed, read

STRATEGIES = ("statements", "chains", "calls", "literals", "mutants", "runs")


class Survey:
    """The differences found so far, by their shape."""

    def __init__(self) -> None:
        self.tried = 0
        self.different = 0
        self.groups: dict[str, tuple[int, str, dict[str, Any]]] = {}

    def add(self, request: dict[str, Any], expected: list[compare.Answer], found: compare.Answer) -> None:
        """Compare one answer with the right ones."""
        self.tried += 1
        differences = min((compare.differences(answer, found) for answer in expected), key=len)
        if not differences:
            return
        self.different += 1
        aspect, (left, right) = next(iter(differences.items()))
        left, right = (
            (expected[0].get("message") or left, found.get("message") or right) if aspect == "ok" else (left, right)
        )
        shape = (
            f"{aspect}: {_shape(left)} <> {_shape(right)}"
            if aspect != "value"
            else f"value: {_call(request['script'])}"
        )
        count, script, _ = self.groups.get(shape, (0, "", {}))
        if not script or len(request["script"]) < len(script):
            self.groups[shape] = (count + 1, request["script"], {"request": request, "differences": differences})
        else:
            self.groups[shape] = (count + 1, script, self.groups[shape][2])

    def show(self, most: int = 60) -> None:
        """Print the groups, most frequent first."""
        print(f"{self.tried} programs, {self.different} different in {len(self.groups)} ways")
        for shape, (count, script, detail) in sorted(self.groups.items(), key=lambda item: -item[1][0])[:most]:
            rest = {name: value for name, value in detail["request"].items() if name not in ("script", "limits")}
            print(f"\n{count:5} {shape}\n      {script!r} {json.dumps(rest) if rest else ''}")
            for aspect, (left, right) in detail["differences"].items():
                print(f"      {aspect}: {left!s:.300} <> {right!s:.300}")


def _shape(value: Any) -> str:
    return re.sub(r"\d+(\.\d+)?(e[+-]?\d+)?", "0", re.sub(r"'[^']*'|\"[^\"]*\"", "''", str(value)))[:120]


def _call(script: str) -> str:
    names = re.findall(r"(\w+)\(", script)
    return names[0] if len(names) == 1 else "expression" if not names else "program"


def main(arguments: list[str]) -> None:
    """Survey the chosen strategies."""
    examples = int(arguments[0]) if arguments else 2000
    chosen = arguments[1:] or [*STRATEGIES, "recorded"]
    reference = engines.oracle()
    with engines.ours() as ours:
        for name in chosen:
            survey = Survey()
            if name.startswith("recorded"):
                _recorded(survey, ours, name.partition("/")[2] or "*")
            elif reference is None:
                raise SystemExit("TREX_ORACLE must name the binary of the oracle")
            else:
                _generated(survey, name, examples, ours, reference)
            print(f"\n=== {name}")
            survey.show()
    if reference is not None:
        reference.close()


def _recorded(survey: Survey, ours: engines.Engine, topic: str) -> None:
    for path in sorted(Path(RECORDED).glob(f"{topic}.jsonl")):
        tried, different = survey.tried, survey.different
        for record in map(json.loads, path.read_text("utf-8").splitlines()):
            expected = [read(record[name]) for name in ("answer", "unoptimised") if name in record]
            survey.add(record["request"], expected, compare.normalise(ours.ask(record["request"])))
        print(f"{survey.different - different:5} of {survey.tried - tried:5} different in {path.stem}")


def _generated(survey: Survey, name: str, examples: int, ours: engines.Engine, reference: engines.Engine) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(getattr(generate, name)())
    def ask(request: generate.Request) -> None:
        expected = compare.normalise(reference.ask(request))
        if not crashed(expected) and expected.get("kind") != "ErrorTooManyOperations":
            survey.add(request, [expected], compare.normalise(ours.ask(request)))

    ask()


if __name__ == "__main__":
    main(sys.argv[1:])
