"""What it costs to execute a program: `/bin/true`, confined and free, beside `subprocess.run` and beside Rex.

An execution is opening, judging, drawing walls, two forks, and waiting until the kernel says that nothing is
left. `subprocess.run` opens and judges nothing. For Rex, named by `REX_RUNNER`, whole runs with one and
with eleven executions are timed, and their difference is divided by ten.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.host import Broker, made
from trex.limits import Limits

ROUNDS = int(os.environ.get("TREX_BENCH_ROUNDS", "100"))
LIMITS = Limits(max_operations=10**9, max_time=3600.0)
TRUE = Path(os.path.realpath(shutil.which("true") or "/bin/true"))


def in_turns(actions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median of each action in milliseconds, taken in turns so that a busy machine disturbs all alike."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            taken[name].append((time.perf_counter() - started) * 1e3)
    return {name: statistics.median(values) for name, values in taken.items()}


def execution(policy: str) -> Callable[[], object]:
    """One call of `execute` on an open file."""
    broker = Broker(policy, LIMITS)
    file = broker.file(broker.directory(TRUE.parent), TRUE.name, read=True)
    return lambda: broker.call("execution.execute", file, made("ExecuteOptions"))


def of_rex(runner: str) -> float:
    """Milliseconds of one execution by Rex."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder, "policy")
        policy.write_text("permit (principal, action, resource);")
        taken = []
        for count in (1, 11):
            script = Path(folder, f"{count}.rhai")
            script.write_text(f"""
                let file = DirConfig().path("{TRUE.parent}").build().open(OpenDirOptions().build())
                    .open_file("{TRUE.name}", OpenFileOptions().read(true).build());
                for n in 0..{count} {{ file.execute(ExecuteOptions().build()); }}""")
            started = time.perf_counter()
            subprocess.run([runner, "-s", script, "-p", policy], check=True, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - started)
    return (taken[1] - taken[0]) * 100


def main() -> None:
    found = in_turns(
        {
            "execute, confined": execution("permit (principal, action, resource);"),
            "execute, free": execution('@confine("off") permit (principal, action, resource);'),
            "subprocess.run": lambda: subprocess.run([TRUE], check=True, capture_output=True),
        }
    )
    runner = os.environ.get("REX_RUNNER")
    if runner:
        found["Rex"] = of_rex(runner)
    for name, value in found.items():
        print(f"{name:20} {value:8.1f} ms")
    if not runner:
        print("Rex                  not measured: REX_RUNNER names no runner")


if __name__ == "__main__":
    main()
