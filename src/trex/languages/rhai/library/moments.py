"""Moments of the calendar: seven numbers of UTC, and the seconds since 1970 that they mean.

Owns:  `DateTime`, and the arithmetic of the Gregorian calendar for the years -9999..9999.
Never: reads a clock or a text.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

FIRST = -377705116800
LAST = 253402300799

_DAY = 86400
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class OutOfRange(Exception):
    """A part of a date, or a number of seconds, that the calendar does not have."""


class DateTime(Struct, frozen=True, eq=False):
    """A date and time of UTC as given; the numbers may be out of range."""

    type_name: ClassVar[str] = "DateTime"

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nanosecond: int


def days_in(year: int, month: int) -> int:
    """How many days the month has."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _DAYS[month - 1]


def _days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date, counted in years that start in March, so that a leap day comes last."""
    if month <= 2:
        year -= 1
        month += 12
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def moment_of(date: DateTime) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds. Raises `OutOfRange` where there is no such moment."""
    for name, value, least, most in (
        ("year", date.year, -9999, 9999),
        ("month", date.month, 1, 12),
        ("hour", date.hour, 0, 23),
        ("minute", date.minute, 0, 59),
        ("second", date.second, 0, 59),
        ("nanosecond", date.nanosecond, 0, 999_999_999),
    ):
        if not least <= value <= most:
            raise OutOfRange(f"{name} must be in the range {least}..={most}")
    last = days_in(date.year, date.month)
    if not 1 <= date.day <= last:
        given = "" if date.day < 1 or date.day > 31 else " for the given month and year"
        raise OutOfRange(f"day must be in the range 1..={last if given else 31}{given}")
    seconds = date.hour * 3600 + date.minute * 60 + date.second
    return _days_before(date.year, date.month, date.day) * _DAY + seconds, date.nanosecond


def of_moment(seconds: int, nanoseconds: int) -> DateTime:
    """The date of a moment. Raises `OutOfRange` outside the years -9999..9999."""
    if not FIRST <= seconds <= LAST:
        raise OutOfRange(f"timestamp must be in the range {FIRST}..={LAST}")
    days, rest = divmod(seconds, _DAY)
    era, of_era = divmod(days + 719468, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    year += era * 400
    month += 3
    if month > 12:
        month -= 12
        year += 1
    return DateTime(year, month, day, rest // 3600, rest // 60 % 60, rest % 60, nanoseconds)


def weekday(date: DateTime) -> int:
    """The day of the week of a date that exists: 0 is Monday."""
    return (_days_before(date.year, date.month, date.day) + 3) % 7
