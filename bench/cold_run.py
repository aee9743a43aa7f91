#!/usr/bin/env python3
"""How long a cold `trex run` takes: a whole process, from exec to exit, for a script of four lines.

Beside it, in turns in the same loop: the same interpreter doing nothing, and the reference's
runner with the same script, policy and arguments where it is installed (`rex-runner` on PATH, or
the program that REX_RUNNER names). The goal: at most 150 ms above the bare interpreter.

Modules are compiled first, as an install does: some environments keep Python from writing bytecode.
"""

from __future__ import annotations

import compileall
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples/hello"
FLAGS = ["-s", "hello.rhai", "-p", "hello.cedar", "-a", "arguments.json", "-o", "json"]
ROUNDS = int(os.environ.get("TREX_BENCH_ROUNDS", "25"))
GOAL_MS = 150


def main() -> None:
    """Measure in turns and print medians, quartiles and differences to the bare interpreter."""
    compileall.compile_dir(ROOT / "src", quiet=1)
    trex = shutil.which("trex", path=os.path.dirname(sys.executable))
    command = [trex] if trex else [sys.executable, "-m", "trex"]
    commands = {
        "python -I -c pass": [sys.executable, "-I", "-c", "pass"],
        "import cedarpy alone": [sys.executable, "-I", "-c", "import cedarpy"],
        "trex run": [*command, "run", *FLAGS],
    }
    reference = os.environ.get("REX_RUNNER") or shutil.which("rex-runner")
    if reference:
        commands["rex-runner"] = [reference, *FLAGS]
    else:
        print("rex-runner: not installed, not measured")
    times: dict[str, list[float]] = {name: [] for name in commands}
    for round_number in range(ROUNDS + 1):
        for name, argv in commands.items():
            started = time.perf_counter()
            subprocess.run(argv, cwd=EXAMPLE, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            if round_number:  # the first round fills caches
                times[name].append((time.perf_counter() - started) * 1000)
    bare = statistics.median(times["python -I -c pass"])
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(
            f"{name:22} median {middle:7.1f} ms  quartiles {low:7.1f} {high:7.1f}  above bare {middle - bare:7.1f} ms"
        )
    above = statistics.median(times["trex run"]) - bare
    print(f"goal: at most {GOAL_MS} ms above bare: {'met' if above <= GOAL_MS else 'MISSED'} ({above:.1f} ms)")


if __name__ == "__main__":
    main()
