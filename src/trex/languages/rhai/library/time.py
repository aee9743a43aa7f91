"""Timestamps: moments of a clock that only goes forward.

Owns:  `timestamp()`, how long ago one was, and arithmetic with seconds.
Never: tells the time of day (`datetimes`).

Seconds given as floats are cut to whole milliseconds.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.semantics.arithmetic import pair
from trex.languages.rhai.semantics.text import float_digits
from trex.languages.rhai.values import Timestamp
from trex.values import INT_MAX, INT_MIN

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_FURTHEST = 9223372036854775808.0


@function("timestamp", arguments=0)
def timestamp() -> Timestamp:
    return Timestamp(monotonic_ns())


@function("elapsed", Timestamp, arguments=1, getter=True)
def elapsed(moment: Timestamp) -> float:
    passed = monotonic_ns() - moment.nanoseconds
    if passed < 0:
        raise errors.arithmetic("Time-stamp is later than now")
    return passed / _SECOND


@pair("-", Timestamp, Timestamp)
def _between(x: Timestamp, y: Timestamp) -> float:
    return (x.nanoseconds - y.nanoseconds) / _SECOND


def _shifted(moment: Timestamp, nanoseconds: int, doing: str, seconds: str) -> Timestamp:
    result = moment.nanoseconds + nanoseconds
    if not INT_MIN <= result // _SECOND <= INT_MAX:
        raise errors.arithmetic(f"Timestamp overflow when {doing} {seconds} second(s)")
    return Timestamp(result)


@pair("+", Timestamp, int)
def _plus(moment: Timestamp, seconds: int) -> Timestamp:
    return _shifted(moment, seconds * _SECOND, "adding", str(seconds))


@pair("-", Timestamp, int)
def _minus(moment: Timestamp, seconds: int) -> Timestamp:
    return _shifted(moment, -seconds * _SECOND, "subtracting", str(seconds))


@pair("+", Timestamp, float)
def _plus_float(moment: Timestamp, seconds: float) -> Timestamp:
    return _by(moment, abs(seconds), seconds < 0)


@pair("-", Timestamp, float)
def _minus_float(moment: Timestamp, seconds: float) -> Timestamp:
    return _by(moment, abs(seconds), not seconds < 0)


def _by(moment: Timestamp, seconds: float, back: bool) -> Timestamp:
    """Shifted by a number of seconds that is not negative; one that is no number is none."""
    if seconds > _FURTHEST:
        shown: Any = "inf" if seconds == float("inf") else float_digits(seconds)
        raise errors.arithmetic(f"Integer overflow for timestamp {'subtract' if back else 'add'}: {shown}")
    milliseconds = int(min(seconds * 1000.0, 1.8446744073709552e19)) if seconds == seconds else 0
    nanoseconds = milliseconds * _MILLISECOND
    shown = float_digits(seconds)
    return _shifted(moment, -nanoseconds if back else nanoseconds, "subtracting" if back else "adding", shown)
