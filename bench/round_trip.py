"""How long one call takes from the script's process to the broker and back, without host work.

A real locked worker, the real channels; the broker answers at once. Beside it: the same bytes
through a bare pair of pipes between two Python processes, left to the scheduler and on one CPU.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from trex.interface import Interface
from trex.limits import Limits
from trex.protocol.messages import Call, Finished, Returned, Start
from trex.runner import workers

CALLS = 5000
REQUEST, REPLY = b"x" * 50, b"x" * 25


def through_a_worker(calls: int, pause: float = 0.0) -> list[float]:
    """Microseconds of each call; `pause` is how long the broker works on each, subtracted."""
    here = str(Path(__file__).parent / "languages")
    with workers.start(Limits(max_time=60), language="transport", directory=here) as worker:
        assert worker.ready
        deadline = time.monotonic() + 60
        worker.channel.send(Start(str(calls), {}, Interface(), Limits()), deadline)
        while isinstance(message := worker.channel.receive(deadline), Call):
            until = time.perf_counter() + pause
            while time.perf_counter() < until:
                pass
            worker.channel.send(Returned(message.number, "localhost"))
        assert isinstance(message, Finished)
        return [value - pause * 1e6 for value in message.value]


def through_pipes(calls: int, cpus: set[int] | None) -> list[float]:
    """Microseconds of each round trip through two pipes."""
    child_in, write_end = os.pipe()
    from_child, child_out = os.pipe()
    everywhere = os.sched_getaffinity(0)
    if cpus:
        os.sched_setaffinity(0, cpus)
    pid = os.fork()
    if pid == 0:
        os.close(write_end)
        while os.read(child_in, 4096):
            os.write(child_out, REPLY)
        os._exit(0)
    os.close(child_in)
    os.close(child_out)
    times = []
    for _ in range(calls):
        before = time.perf_counter()
        os.write(write_end, REQUEST)
        os.read(from_child, 4096)
        times.append((time.perf_counter() - before) * 1e6)
    os.close(write_end)
    os.close(from_child)
    os.waitpid(pid, 0)
    os.sched_setaffinity(0, everywhere)
    return times


def main() -> None:
    """Print medians and ratios."""
    cpu = min(os.sched_getaffinity(0))
    bare = statistics.median(through_pipes(CALLS, {cpu}))
    rows = [
        ("bare pipes, one CPU", through_pipes(CALLS, {cpu})),
        ("bare pipes, as the scheduler likes", through_pipes(CALLS, None)),
        ("call of a locked worker", through_a_worker(CALLS)),
        ("the same, 100 us of work in the broker", through_a_worker(CALLS // 5, 100e-6)),
    ]
    print(f"{'round trip (us)':42} {'median':>8} {'p90':>8} {'p99':>8} {'ratio':>6}")
    for name, times in rows:
        cuts = statistics.quantiles(times, n=100)
        print(f"{name:42} {cuts[49]:8.1f} {cuts[89]:8.1f} {cuts[98]:8.1f} {cuts[49] / bare:6.1f}")


if __name__ == "__main__":
    main()
