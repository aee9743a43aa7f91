"""Dates as text: RFC 3339 and RFC 2822, read and written.

Owns:  both grammars. An offset from UTC that is read counts.
Never: uses a locale; the names of days and months are the English ones of the standards.
"""

from __future__ import annotations

from trex.languages.rhai.library.moments import DateTime, OutOfRange, days_in, moment_of, of_moment, weekday

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NUMBERS = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}
_DIGITS = frozenset("0123456789")

# Hours from UTC of the zones that RFC 2822 names; a military letter says nothing and counts as UTC.
_ZONES = {"ut": 0, "gmt": 0, "z": 0} | {"est": -5, "edt": -4, "cst": -6, "cdt": -5}
_ZONES |= {"mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_MILITARY = frozenset("abcdefghiklmnopqrstuvwxy")

_LAST_NANOSECOND = 999_999_999
_MOST = 4096  # characters of a text that can be a date, comments included


class Unreadable(Exception):
    """The text is no date of this format, or the date has no text in it."""


def read(text: str, form: str) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds. Raises `Unreadable`, or `OutOfRange` for a date that does not exist."""
    if len(text) > _MOST:
        raise Unreadable("the text is too long")
    return _read_3339(text) if form == "RFC3339" else _read_2822(text)


def written(date: DateTime, form: str) -> str:
    """A date that exists, as text."""
    time = f"{date.hour:02}:{date.minute:02}:{date.second:02}"
    if form == "RFC3339":
        if date.year < 0:
            raise Unreadable("The year component cannot be formatted into the requested format.")
        fraction = f".{date.nanosecond:09}".rstrip("0") if date.nanosecond else ""
        return f"{date.year:04}-{date.month:02}-{date.day:02}T{time}{fraction}Z"
    if date.year < 1900:
        raise Unreadable("The year component cannot be formatted into the requested format.")
    return f"{_WEEKDAYS[weekday(date)]}, {date.day:02} {MONTHS[date.month - 1][:3]} {date.year:04} {time} +0000"


def _number(text: str, name: str) -> int:
    if not text or not _DIGITS.issuperset(text):
        raise Unreadable(f"the '{name}' component could not be parsed")
    return int(text)


def _moment(date: DateTime, offset: int) -> tuple[int, int]:
    """The moment of a local date. Second 60 is a leap second where there may be one, and ends the second before."""
    leap = date.second == 60
    if leap:
        date = DateTime(date.year, date.month, date.day, date.hour, date.minute, 59, _LAST_NANOSECOND)
    seconds, nanoseconds = moment_of(date)
    seconds -= offset
    if leap and not _ends_month(seconds):
        raise OutOfRange("second must be in the range 0..=59")
    return seconds, nanoseconds


def _ends_month(seconds: int) -> bool:
    """Whether this is the last second of a month of UTC."""
    date = of_moment(seconds, 0)
    return (date.hour, date.minute, date.second) == (23, 59, 59) and date.day == days_in(date.year, date.month)


def _read_3339(text: str) -> tuple[int, int]:
    """`YYYY-MM-DDTHH:MM:SS[.digits](Z|+HH:MM)`, with any one character between date and time."""
    if len(text) < 20 or text[4] != "-" or text[7] != "-" or text[13] != ":" or text[16] != ":":
        raise Unreadable("a character literal was not valid")
    date = DateTime(
        _number(text[:4], "year"),
        _number(text[5:7], "month"),
        _number(text[8:10], "day"),
        _number(text[11:13], "hour"),
        _number(text[14:16], "minute"),
        _number(text[17:19], "second"),
        0,
    )
    at = 19
    if text[at] == ".":
        end = at + 1
        while end < len(text) and text[end] in _DIGITS:
            end += 1
        nanosecond = _number(text[at + 1 : end][:9], "subsecond") * 10 ** max(0, 9 - (end - at - 1))
        date = DateTime(date.year, date.month, date.day, date.hour, date.minute, date.second, nanosecond)
        at = end
    zone = text[at:]
    if zone in ("Z", "z"):
        return _moment(date, 0)
    if len(zone) != 6 or zone[0] not in "+-" or zone[3] != ":":
        raise Unreadable("the 'offset' component could not be parsed")
    return _moment(date, _offset(zone[0], zone[1:3], zone[4:6]))


def _offset(sign: str, hours: str, minutes: str) -> int:
    """Seconds from UTC."""
    hour, minute = _number(hours, "offset hour"), _number(minutes, "offset minute")
    if hour > 23 or minute > 59:
        raise Unreadable("the 'offset' component could not be parsed")
    seconds = hour * 3600 + minute * 60
    return -seconds if sign == "-" else seconds


def _without_comments(text: str) -> str:
    """The text with comments, which nest, replaced by spaces."""
    depth = 0
    kept: list[str] = []
    escaped = False
    for character in text:
        if depth and escaped:
            escaped = False
        elif depth and character == "\\":
            escaped = True
        elif character == "(":
            depth += 1
            kept.append(" ")
        elif character == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(character)
    if depth:
        raise Unreadable("a comment is not closed")
    return "".join(kept)


def _read_2822(text: str) -> tuple[int, int]:
    """`[Tue,] 21 Oct 2025 14:30[:00] (+0000|GMT)`"""
    words = _without_comments(text).replace(":", " : ").split()
    if words and words[0][0] not in _DIGITS:
        name, comma, rest = words.pop(0).partition(",")
        if name.title() not in _WEEKDAYS:
            raise Unreadable("the 'weekday' component could not be parsed")
        if rest:
            words.insert(0, rest)
        elif not comma:
            if not words or words[0][0] != ",":
                raise Unreadable("a character literal was not valid")
            words[0:1] = [words[0][1:]] if words[0] != "," else []
    if len(words) < 7:
        raise Unreadable("the text ends too early")
    day, month, year, hour, colon, minute, *rest_of_it = words
    second = "0"
    if rest_of_it and rest_of_it[0] == ":":
        second = rest_of_it[1] if len(rest_of_it) > 1 else ""
        del rest_of_it[:2]
    if colon != ":" or len(rest_of_it) != 1 or month.lower() not in _MONTH_NUMBERS:
        raise Unreadable("a character literal was not valid")
    date = DateTime(
        _year(year),
        _MONTH_NUMBERS[month.lower()],
        _number(day, "day"),
        _number(hour, "hour"),
        _number(minute, "minute"),
        _number(second, "second"),
        0,
    )
    return _moment(date, _zone(rest_of_it[0]))


def _year(text: str) -> int:
    year = _number(text, "year")
    if len(text) == 2:
        # Years of two and three digits are of the format's past.
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(text) == 3 else year


def _zone(text: str) -> int:
    if text[0] in "+-" and len(text) == 5:
        return _offset(text[0], text[1:3], text[3:5])
    name = text.lower()
    if name in _ZONES:
        return _ZONES[name] * 3600
    if name in _MILITARY:
        return 0
    raise Unreadable("the 'offset' component could not be parsed")
