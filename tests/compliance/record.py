"""Ask the oracle for the answer to every program and write the answers down.

    cd tests && TREX_ORACLE=... python -m compliance.record [topic ...]

Owns:      `recorded/*.jsonl`, one line a program: `id`, `title`, `request`, `answer`, and `unoptimised`, the answer that
           the oracle gives with its optimiser off, where that is another one or the only one. Values stand in the notation of
           `notation`, so that a person can read them.
Relies on: the programs of `tests/scripts/language/*.rhai` and the tables of `systematic`.
Never:     states an answer that no engine gave.

The optimiser of the oracle drops expressions without effect, even where they would fail. Which of them it finds is an
accident of its implementation, so either answer is right. A limit on operations turns it off.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from . import compare, engines, notation, programs, systematic

HERE = Path(__file__).parent
SCRIPTS = HERE.parent / "scripts" / "language"
RECORDED = HERE / "recorded"

WITHOUT_OPTIMISER = 10**15


def collections() -> Iterator[tuple[str, Iterable[programs.Program]]]:
    """Every topic with its programs."""
    for path in sorted(SCRIPTS.glob("*.rhai")):
        yield path.stem, programs.load(path)
    yield from systematic.collections()


def answers(oracle: engines.Engine, program: programs.Program) -> dict[str, compare.Answer]:
    """What the oracle says to a program, as it comes and with its optimiser off where that differs."""
    result = {"answer": compare.normalise(oracle.ask(program.request))}
    if "max_operations" not in program.request.get("limits", {}):
        plain = compare.normalise(oracle.ask(unoptimised(program.request)))
        if crashed(result["answer"]):
            # Some programs bring the optimiser down, others the engine behind it: then only one answer is left.
            result = {"unoptimised": plain}
        elif compare.differences(result["answer"], plain):
            result["unoptimised"] = plain
    if any(map(crashed, result.values())):
        raise SystemExit(f"the oracle has no answer to {program.request}: {result}")
    return result


def unoptimised(request: dict[str, Any]) -> dict[str, Any]:
    """The request to the oracle with its optimiser off."""
    return request | {"limits": request.get("limits", {}) | {"max_operations": WITHOUT_OPTIMISER}}


def crashed(answer: compare.Answer) -> bool:
    """Whether the oracle broke down instead of answering."""
    return "lost" in answer or answer.get("kind") in ("Panic", "BadRequest")


def write(answer: compare.Answer) -> compare.Answer:
    """An answer as it stands in the files: short, values in the notation."""
    shown = {name: notation.show(answer[name]) for name in ("value", "thrown") if name in answer}
    return {name: value for name, value in (answer | shown).items() if value not in (None, [])}


def read(answer: compare.Answer) -> compare.Answer:
    """An answer as it is compared."""
    typed = {name: notation.parse(answer[name]) for name in ("value", "thrown") if name in answer}
    return {"printed": []} | answer | typed


def main(topics: list[str]) -> None:
    """Record the given topics, or all."""
    engine = engines.oracle()
    if engine is None:
        raise SystemExit("TREX_ORACLE must name the binary of the oracle")
    count = 0
    with engine:
        for topic, group in collections():
            if topics and topic not in topics:
                continue
            seen: dict[str, str] = {}
            lines = []
            for program in group:
                if program.digest in seen:
                    raise SystemExit(f"{topic}: the same program twice: {program.request}")
                seen[program.digest] = program.title
                record = {"id": program.digest, "title": program.title, "request": program.request}
                shown = {name: write(answer) for name, answer in answers(engine, program).items()}
                lines.append(json.dumps(record | shown, ensure_ascii=False))
            (RECORDED / f"{topic}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
            print(f"{len(lines):6} {topic}")
            count += len(lines)
    print(f"{count:6} programs")


if __name__ == "__main__":
    main(sys.argv[1:])
