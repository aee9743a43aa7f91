"""What a run leaves behind for its outcome: logs, metrics, alarms, counts.

Owns:  keeping it within the limits while it is collected.
Never: judges or formats it; that is the outcome's part.
"""

from __future__ import annotations

from collections import deque
from time import time_ns
from typing import TYPE_CHECKING

from msgspec import Struct

from trex.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trex.limits import Limits


# From the most important down. What a script prints is its output, and always kept.
LEVELS = ("PRINT", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")


class LogRecord(Struct, frozen=True):
    """One message of the script. `time` is in nanoseconds since 1970."""

    time: int
    level: str
    message: str
    line: int | None


class Metric(Struct, frozen=True):
    """One metric of the script."""

    name: str
    value: float
    unit: str
    dimensions: dict[str, str]
    time: int


class Alarm(Struct, frozen=True):
    """One alarm of the script."""

    type: str
    details: str | None


class Record:
    """Everything that a script reported.

    log_level:  records of lower levels are not kept.
    dropped:    how many log records were pushed out by newer ones.
    metrics:    by name; publishing a name again replaces it.
    operations: how many operations were called, and `operation_time` the seconds spent in them.
    """

    def __init__(self, limits: Limits, log_level: str = "TRACE") -> None:
        self._limits = limits
        self._kept = LEVELS[: LEVELS.index(log_level) + 1]
        self._size = 0
        self.logs: deque[LogRecord] = deque(maxlen=limits.max_log_records)
        self.dropped = 0
        self.metrics: dict[str, Metric] = {}
        self.alarms: list[Alarm] = []
        self.operations = 0
        self.operation_time = 0.0

    def log(self, level: str, message: str, line: int | None) -> None:
        """Keep one log record of a kept level, the newest ones first when there are too many."""
        self._count(message)  # also what is not kept: it was sent, and a flood of it must end
        if level not in self._kept:
            return
        if len(self.logs) == self._limits.max_log_records:
            self.dropped += 1
        self.logs.append(LogRecord(time_ns(), level, message, line))

    def metric(self, name: str, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
        """Keep a metric; of several with the same name the last counts."""
        self._count(name, *dimensions.keys(), *dimensions.values())
        self.metrics[name] = Metric(name, value, unit, dict(dimensions), time_ns())

    def alarm(self, type: str, details: str | None) -> None:
        """Keep an alarm."""
        self._count(type, details or "")
        self.alarms.append(Alarm(type, details))

    def _count(self, *texts: str) -> None:
        # Every record counts for something, so that empty ones have an end too.
        self._size += 16 + sum(len(text) if text.isascii() else len(text.encode()) for text in texts)
        if self._size > self._limits.max_log:
            raise LimitExceeded("max_log", self._limits.max_log)
