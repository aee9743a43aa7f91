"""How long until a worker is locked and has proven it.

Beside it: a bare start of the same interpreter, which the cold way cannot undercut.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

from trex.limits import Limits
from trex.runner import workers

TIMES = 40


def milliseconds(action: Callable[[], object], times: int = TIMES) -> list[float]:
    """How long an action takes, repeatedly."""
    taken = []
    for _ in range(times):
        before = time.perf_counter()
        action()
        taken.append((time.perf_counter() - before) * 1000)
    return taken


def bare() -> None:
    """An interpreter that does nothing."""
    os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", "pass"], {}), 0)


def cold() -> dict[str, float]:
    """A worker of its own interpreter, until it is ready."""
    with workers.start(Limits()) as worker:
        return worker.ready.timings


def main() -> None:
    """Print medians and ratios."""
    base = statistics.median(milliseconds(bare))
    rows = [("bare interpreter, start to end", milliseconds(bare)), ("cold worker, start to ready", milliseconds(cold))]
    phases: dict[str, list[float]] = {}
    with workers.Template() as template:
        first = time.perf_counter()
        with template.start(Limits()) as worker:
            assert worker.ready
        rows.append(("template and its first worker", [(time.perf_counter() - first) * 1000] * 2))
        ready = []
        for _ in range(TIMES):
            before = time.perf_counter()
            with template.start(Limits()) as worker:
                timings = worker.ready.timings
                ready.append((time.perf_counter() - before) * 1000)
            for phase, taken in timings.items():
                phases.setdefault(phase, []).append(taken)
        rows.append(("worker of a template, asked to ready", ready))
    rows += [(f"  of which {phase}", taken) for phase, taken in phases.items()]
    rows += [("  of the cold worker: " + phase, [taken] * 2) for phase, taken in cold().items()]
    print(f"{'start (ms)':42} {'median':>8} {'p90':>8} {'ratio':>6}")
    for name, times in rows:
        median = statistics.median(times)
        print(f"{name:42} {median:8.2f} {statistics.quantiles(times, n=10)[8]:8.2f} {median / base:6.2f}")


if __name__ == "__main__":
    main()
