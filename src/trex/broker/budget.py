"""What a run may still do: operations, bytes read and written, time.

Owns:  the counting of everything that a script chooses and the broker pays for.
Never: lets a count be reset by the script, or waits.
"""

from __future__ import annotations

import os
from time import monotonic
from typing import TYPE_CHECKING

from trex.errors import LimitExceeded, Terminated

if TYPE_CHECKING:
    from trex.limits import Limits


class Budget:
    """The remaining allowance of one run.

    deadline: on the clock of `time.monotonic`.
    """

    __slots__ = ("_limits", "_read", "_stopped", "_wake", "deadline", "max_read", "operations", "written")

    def __init__(self, limits: Limits, deadline: float) -> None:
        self._limits = limits
        self.deadline = deadline
        self.max_read = limits.max_read
        self.operations = 0
        self.written = 0
        self._read = 0
        self._stopped: str | None = None
        self._wake = -1

    def start_operation(self) -> None:
        """One more operation; what it reads is counted from zero."""
        self.operations += 1
        if self.operations > self._limits.max_operations:
            raise LimitExceeded("max_operations", self._limits.max_operations)
        self._read = 0
        self.check_time()

    def check_time(self) -> None:
        """Raise if the run's time is over, or if it was asked to stop."""
        if self._stopped is not None:
            raise Terminated(self._stopped)
        if monotonic() >= self.deadline:
            raise LimitExceeded("max_time", self._limits.max_time)

    def read(self, size: int) -> None:
        """`size` more bytes come to the script in this operation."""
        self._read += size
        if self._read > self.max_read:
            raise LimitExceeded("max_read", self.max_read)

    def write(self, size: int) -> None:
        """`size` more bytes are about to be written."""
        self.written += size
        if self.written > self._limits.max_write:
            raise LimitExceeded("max_write", self._limits.max_write)

    def stop(self, reason: str) -> None:
        """Let the run end as terminated, at the next block of work. Safe in a signal handler."""
        self._stopped = reason
        if self._wake >= 0:
            os.eventfd_write(self._wake, 1)

    def wake(self) -> int:
        """A descriptor that becomes readable when `stop` is called, for who waits in the kernel."""
        if self._wake < 0:
            self._wake = os.eventfd(1 if self._stopped is not None else 0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return self._wake

    def __del__(self) -> None:
        if self._wake >= 0:
            os.close(self._wake)
