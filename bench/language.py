"""How long programs take here and on the engine that defines the language, side by side in one run.

    python bench/language.py [--rounds 5] [--only NAME ...] [FOLDER ...]

Owns:      the table: per program the median of the runs on both engines, their ratio, and the geometric mean of the
           ratios; and what compiling costs per hundred lines.
Relies on: the `bench` key of the eval protocol, which measures compiling and running alone, inside the process of the
           engine. `TREX_ORACLE` names the binary of the other engine, `TREX_EVAL` another command for ours.
Never:     compares what did not give the same value.

Ours runs with limits in force, too wide to be reached; the other engine with its own defaults, which limit no sizes:
with those on, each change of a container costs it the size of the container.

The engines take turns, program by program and round by round, so that a busy machine disturbs both alike. A round asks
for two runs and keeps both; the medians are of all runs. Programs come from `bench/rhai`, or from the folders named.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from compliance import compare, engines  # noqa: E402  # the harness of the compliance tests, which is no installed package

RUNS_A_ROUND = 2
TIMEOUT = 600.0
LIMITS = {
    "max_operations": 10**12,
    "max_variables": 10_000,
    "max_functions": 10_000,
    "max_string_size": 1 << 24,
    "max_array_size": 1 << 24,
    "max_map_size": 1 << 22,
}


class Side:
    """One engine and what it measured for one program."""

    def __init__(self, engine: engines.Engine, limits: dict[str, int]) -> None:
        self.engine = engine
        self.limits = limits
        self.forget()

    def forget(self) -> None:
        """Start with the next program."""
        self.runs: list[float] = []
        self.compiles: list[float] = []
        self.answer: dict[str, Any] = {}

    def run(self, script: str) -> None:
        """One round."""
        answer = self.engine.ask({"script": script, "bench": RUNS_A_ROUND, "limits": self.limits}, TIMEOUT)
        self.answer = compare.normalise(answer)
        self.runs += answer.get("run_ms", [])
        if "compile_ms" in answer:
            self.compiles.append(answer["compile_ms"])

    def median(self) -> float:
        """Milliseconds of a run."""
        return statistics.median(self.runs) if self.runs else math.nan

    def compile_median(self) -> float:
        """Milliseconds of compiling the program."""
        return statistics.median(self.compiles) if self.compiles else math.nan


def programs(folders: list[Path], only: list[str]) -> list[Path]:
    """The programs to run, by folder and name."""
    found = [path for folder in folders for path in sorted(folder.glob("*.rhai"))]
    return [path for path in found if not only or path.stem in only]


def measure(path: Path, ours: Side, other: Side | None, rounds: int) -> float | None:
    """Run one program, print its line, give the ratio where there is one."""
    script = path.read_text("utf-8")
    sides = [ours, other] if other else [ours]
    for side in sides:
        side.forget()
    for _ in range(rounds):
        for side in sides:
            side.run(script)
    per_hundred = ours.compile_median() / line_count(path) * 100
    text = f"{path.stem:22} {ours.median():9.2f}"
    if other is None:
        print(f"{text} {'':9} {'':7} {per_hundred:9.2f}  {failure(ours)}")
        return None
    differences = compare.differences(other.answer, ours.answer)
    ratio = ours.median() / other.median() if not differences and ours.runs and other.runs else None
    shown = f"{ratio:7.2f}" if ratio is not None else "      -"
    note = "" if ratio is not None else f"DIFFERENT: {failure(ours) or failure(other) or differences}"
    print(f"{text} {other.median():9.2f} {shown} {per_hundred:9.2f}  {note}"[:200], flush=True)
    return ratio


def line_count(path: Path) -> int:
    """The lines of a program."""
    return max(1, path.read_text("utf-8").count("\n"))


def failure(side: Side) -> str:
    """What went wrong, if anything did."""
    return str(side.answer.get("lost") or side.answer.get("message") or "")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Programs on both engines, side by side.")
    parser.add_argument("folders", nargs="*", type=Path, default=[HERE / "rhai"], metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of two runs for each program (default 3)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these programs only")
    chosen = parser.parse_args()
    paths = programs(chosen.folders, chosen.only)
    if not paths:
        raise SystemExit(f"no programs in {', '.join(map(str, chosen.folders))}")
    reference = engines.oracle()
    if reference is None:
        print("TREX_ORACLE names no other engine: our times alone")
    with engines.ours() as engine:
        ours, other = Side(engine, LIMITS), Side(reference, {}) if reference else None
        print(f"{'program':22} {'ours ms':>9} {'engine ms':>9} {'ratio':>7} {'compile':>9}  (ms per 100 lines)")
        ratios: dict[str, float] = {}
        compiling, lines = 0.0, 0
        for path in paths:
            ratio = measure(path, ours, other, chosen.rounds)
            if ratio is not None:
                ratios[path.stem] = ratio
            if ours.compiles:
                compiling, lines = compiling + ours.compile_median(), lines + line_count(path)
    if other is not None:
        other.engine.close()
    if lines:
        print(f"\ncompiling: {compiling / lines * 100:.2f} ms per 100 lines of {lines}")
    if ratios:
        mean = math.exp(statistics.fmean(map(math.log, ratios.values())))
        worst = max(ratios, key=lambda name: ratios[name])
        print(f"geometric mean {mean:.3f} of {len(ratios)}/{len(paths)} programs, worst {worst} {ratios[worst]:.2f}")


if __name__ == "__main__":
    main()
