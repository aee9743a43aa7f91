"""On which CPU the two ends of a conversation run.

Owns:      the CPU affinity of one worker, and of this thread while it waits for that worker.
Relies on: `sched_setaffinity`, for a process that this user may control; without it, nothing here
           has an effect.
Never:     leaves this thread's affinity changed beyond a wait: what the broker starts meanwhile, or
           later, inherits the affinity that the broker was started with.

Why: broker and worker take turns, so that a second CPU gains nothing, and costs: to wake a process
on an idle CPU took 30 us each way where this was measured (a virtual machine), against 3 us on the
CPU that is awake already. Left alone, the scheduler picks the idle one. Spinning before the wait
helps across CPUs, but costs its full time whenever an operation is slow, and is harmful when
both sides share a CPU.

So the worker follows the broker. When the broker answers a call, it moves the worker to its own
CPU; while it waits for the next message, it stays there itself. If no message comes for a moment,
the worker is computing, and both are set free again.
"""

from __future__ import annotations

import os

# After so many answers the worker follows the broker to where the scheduler has put it by now, so
# that two busy pairs that met on one CPU drift apart.
_ANSWERS_UNTIL_CHECK = 256


class Placement:
    """Keeps one worker near the thread that answers it."""

    __slots__ = ("_answers", "_everywhere", "_here", "_worker")

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._here: set[int] | None = None  # where the worker has been put
        self._answers = 0
        self._everywhere = os.sched_getaffinity(0)

    @classmethod
    def of(cls, worker: int | None) -> Placement | None:
        """The placement of a worker by pid; None where there is nothing to choose."""
        if worker is None or len(os.sched_getaffinity(0)) < 2:
            return None
        return cls(worker)

    @property
    def is_near(self) -> bool:
        """Whether the worker is held on one CPU now."""
        return self._here is not None

    def come_near(self) -> bool:
        """Before an answer: put the worker where this thread is. False if that is not permitted."""
        self._answers += 1
        if self._here is None or self._answers >= _ANSWERS_UNTIL_CHECK:
            self._answers = 0
            self._here = {_current_cpu()}
            return self._place(self._worker, self._here)
        return True

    def begin_wait(self) -> None:
        """Stay where the worker is, if it has been put near."""
        if self._here is not None:
            self._place(0, self._here)

    def end_wait(self) -> None:
        """Run anywhere again."""
        if self._here is not None:
            self._place(0, self._everywhere)

    def set_free(self) -> None:
        """Let the worker run anywhere: it computes and has no need of us."""
        if self._here is not None:
            self._here = None
            self._place(self._worker, self._everywhere)

    def _place(self, process: int, cpus: set[int]) -> bool:
        try:
            os.sched_setaffinity(process, cpus)
        except OSError:
            # Not ours to control (no CAP_SYS_NICE over another uid), gone already, or a CPU that
            # was taken away. This is about speed alone: carry on without.
            self._here = None
            return False
        return True


def _current_cpu() -> int:
    """The CPU that this thread runs on: field 39 of its stat, counted from the name's end."""
    with open("/proc/thread-self/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[36])
