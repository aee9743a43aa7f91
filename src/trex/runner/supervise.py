"""Signals during a run: who may end it, how, and how soon.

Owns:      the handlers of SIGTERM, SIGINT, SIGHUP and SIGALRM while a run is on, and the reason
           that they leave behind.
Relies on: a worker that a signal can kill; the broker notices its end like any other.
Never:     raises from a handler once there is a script to run: an exception in the middle of an
           operation could leave the host half changed. A handler kills the worker and notes why;
           an operation in progress ends first, at the next place where it looks at its budget. Before that,
           while inputs are read, waiting for a pipe is all that a signal can disturb, and it does.

SIGTERM gives the script a grace, as in the reference, but counted from the signal and not from
the script's next step: what is not done after `GRACE` seconds is ended, so that the outcome stands
before the ten seconds after which supervisors commonly send SIGKILL. A second SIGTERM, SIGINT and
SIGHUP end the script at once.

Once the script has ended, a signal comes too late to change the outcome; the process goes on to
write it. Only if nobody takes it within `PATIENCE` seconds from the signal, the process ends without.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Literal

from trex.errors import Terminated
from trex.runner.outcome import TERMINATED

GRACE = 8.0
PATIENCE = 1.0

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM)


class Supervisor:
    """Handlers for the time of one run.

    reason:  set once a signal has ended it.
    problem: why signals cannot end it, if they cannot.
    phase:   `starting`: a signal is noted; `reading`: only inputs are being read, so a signal may raise
             `Terminated` where it strikes; `running`: there is a script; `writing`: it has ended.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.reason: str | None = None
        self.problem: str | None = None
        self.phase: Literal["starting", "reading", "running", "writing"] = "starting"
        self._grace = grace
        self._terminating = False
        self._end_script: Callable[[str], object] | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Supervisor:
        try:
            for number in _SIGNALS:
                # An ignored signal stays ignored: `nohup trex run` means it.
                if number == signal.SIGALRM or signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._handle)
        except ValueError as error:  # not the main thread of a front end: it has handlers of its own
            self.problem = f"signals cannot end this run: {error}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if signal.SIGALRM in self._previous:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def ends_with(self, end_script: Callable[[str], object]) -> None:
        """From now on this, called with the reason, ends the script; a signal that came before ends it now."""
        self._end_script = end_script
        if self.reason is not None:
            end_script(self.reason)

    def ended(self) -> None:
        """The run is over; what remains is to write its outcome."""
        self.phase = "writing"
        if self.problem is None:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def check(self) -> None:
        """Raise `Terminated` if a signal has ended the run."""
        if self.reason is not None:
            raise Terminated(self.reason)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.phase in ("starting", "reading"):
            self.reason = signal.Signals(number).name
            if self.phase == "reading":
                self.phase = "writing"  # raise once: a second signal must not strike what handles the first
                raise Terminated(self.reason)
            return
        if self.phase == "writing":
            if number == signal.SIGALRM:
                os._exit(TERMINATED)
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        elif number == signal.SIGTERM and not self._terminating:
            self._terminating = True
            signal.setitimer(signal.ITIMER_REAL, self._grace)
        elif number == signal.SIGALRM:
            self._end("SIGTERM timeout exceeded")
        elif number == signal.SIGTERM:
            self._end("SIGTERM twice")
        else:
            self._end(signal.Signals(number).name)

    def _end(self, reason: str) -> None:
        if self.reason is None:
            self.reason = reason
            if self._end_script is not None:
                self._end_script(reason)
