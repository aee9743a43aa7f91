"""Dates and random text: what scripts of a host have beside the language's own library.

Owns:  `DateTime` with its functions, operators, formats and errors, and `random_alphanumeric`.
Relies on: `datetime_formats` for reading and writing dates.
Never: is part of the language alone: `install` adds these names to a run.

A date is kept as it was given, in seven numbers of UTC, even where there is no such day. Whatever has to
know the moment fails on those with an error that scripts can catch.
"""

from __future__ import annotations

from collections.abc import Callable
from os import urandom
from time import time_ns
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.errors import Thrown
from trex.languages.rhai.library.datetime_formats import MONTHS, Unreadable, read, written
from trex.languages.rhai.library.moments import DateTime, OutOfRange, moment_of, of_moment
from trex.languages.rhai.library.registry import GETTERS, Effect, Implementation, Overloads
from trex.languages.rhai.semantics.arithmetic import pair
from trex.languages.rhai.semantics.comparison import ORDER_KEYS
from trex.languages.rhai.semantics.containers import map_of
from trex.languages.rhai.semantics.sizes import expect_string
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.semantics.text import set_text
from trex.languages.rhai.values import Constant

ERRORS = "CommonUtilsErrorKind"
FORMATS = "DateTimeFormat"
MODULES = frozenset({ERRORS, FORMATS})

_KINDS = ("ParseError", "InvalidArguments", "FormatError", "Other")
_FORMAT_NAMES = ("RFC3339", "RFC2822")
_SECOND = 1_000_000_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_RANDOM_SIZE = 16

# (name, arguments) -> (type of the first argument, implementation)
_FUNCTIONS: list[tuple[str, int, type, Effect, Implementation]] = []
_NULLARY: dict[str, Implementation] = {}


def _function(name: str, *types: type) -> Callable[[Implementation], Implementation]:
    """Declare a function that takes arguments of exactly these types."""

    def declare(implementation: Implementation) -> Implementation:
        if not types:
            _NULLARY[name] = implementation
            return implementation

        def checked(*arguments: Any) -> Any:
            for argument, kind in zip(arguments, types, strict=True):
                if type(argument) is not kind:
                    raise errors.function_not_found(name, *arguments)
            return implementation(*arguments)

        _FUNCTIONS.append((name, len(types), types[0], "pure", checked))
        return implementation

    return declare


class _Members:
    """A module of constants, found by path."""

    def __init__(self, name: str, members: tuple[str, ...]) -> None:
        self.name = name
        self.members = members

    def member(self, name: str) -> Constant:
        """`module::name`"""
        if name not in self.members:
            raise errors.variable_not_found(f"{self.name}::{name}")
        return Constant(self.name, name)

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """`module::name(..)`; no member takes arguments."""
        raise errors.function_not_found(f"{self.name}::{name}", *arguments)


def install() -> None:
    """Add the functions and constants to the run."""
    for name, count, receiver, effect, implementation in _FUNCTIONS:
        known = RUN.natives.get((name, count))
        merged = Overloads(name) if known is None else known.extended()
        if merged.calls:
            implementation = _without_depth(implementation)
        merged.add(receiver, implementation, effect)
        RUN.natives[name, count] = merged
    RUN.nullary.update(_NULLARY)
    RUN.constants[ERRORS] = _Members(ERRORS, _KINDS)
    RUN.constants[FORMATS] = _Members(FORMATS, _FORMAT_NAMES)


def _without_depth(implementation: Implementation) -> Implementation:
    return lambda *arguments: implementation(*arguments[:-1])


def _failure(kind: str, message: str) -> Thrown:
    return Thrown(map_of({"kind": Constant(ERRORS, kind), "message": message, "source": ERRORS}))


def _invalid(reason: str) -> Thrown:
    return _failure("InvalidArguments", f"Invalid arguments: {reason}")


def _moment(date: DateTime) -> tuple[int, int]:
    """Seconds since 1970 and nanoseconds; the error where there is no such moment."""
    try:
        return moment_of(date)
    except OutOfRange as error:
        raise _invalid(f"Invalid time component: {error}") from None


def _date(seconds: int, nanoseconds: int) -> DateTime:
    try:
        return of_moment(seconds, nanoseconds)
    except OutOfRange as error:
        raise _invalid(f"Invalid time component: {error}") from None


@_function("DateTime", int, int, int, int, int, int, int)
def date_time(*parts: int) -> DateTime:
    if any(part < 0 for part in parts[1:6]):
        raise errors.runtime("out of range integral type conversion attempted")
    return DateTime(*parts)


@_function("now")
def now() -> DateTime:
    return _date(time_ns() // _SECOND, 0)


@_function("now_nanos")
def now_nanos() -> DateTime:
    return _date(*divmod(time_ns(), _SECOND))


@_function("from_epoch_seconds", int)
def from_epoch_seconds(seconds: int) -> DateTime:
    return _date(seconds, 0)


@_function("from_epoch_nanos", int, int)
def from_epoch_nanos(seconds: int, nanoseconds: int) -> DateTime:
    if not 0 <= nanoseconds < _SECOND:
        raise _invalid(f"Invalid nanos portion: {nanoseconds}. Must be 0-999,999,999")
    return _date(seconds, nanoseconds)


def _format(constant: Constant, name: str, *arguments: Any) -> str:
    if constant.type != FORMATS:
        raise errors.function_not_found(name, *arguments)
    return constant.name


@_function("parse_datetime", str, Constant)
def parse_datetime(text: str, form: Constant) -> DateTime:
    name = _format(form, "parse_datetime", text, form)
    try:
        seconds, nanoseconds = read(text, name)
        return of_moment(seconds, nanoseconds)
    except (Unreadable, OutOfRange) as error:
        raise _failure("ParseError", f"Parse Error: Failed to parse {name} datetime from '{text}': {error}") from None


@_function("to_string", DateTime, Constant)
def to_string(date: DateTime, form: Constant) -> str:
    name = _format(form, "to_string", date, form)
    moment = _moment(date)
    try:
        return written(of_moment(*moment), name)
    except Unreadable as error:
        raise _failure("FormatError", f"Format Error: Failed to format datetime as {name}: {error}") from None


@_function("epoch_seconds", DateTime)
def epoch_seconds(date: DateTime) -> int:
    return _moment(date)[0]


@_function("nanos", DateTime)
def nanos(date: DateTime) -> int:
    return _moment(date)[1]


def _month(date: DateTime) -> str:
    if not 1 <= date.month <= 12:
        raise _invalid(f"Invalid month: {date.month}. Must be 1-12")
    return MONTHS[date.month - 1]


@_function("month_str", DateTime)
def month_str(date: DateTime) -> str:
    return _month(date)


@_function("month_str_short", DateTime)
def month_str_short(date: DateTime) -> str:
    return _month(date)[:3]


@_function("random_alphanumeric", int)
def random_alphanumeric(size: int) -> str:
    size = size if size >= 0 else _RANDOM_SIZE
    expect_string(size)
    made: list[str] = []
    while len(made) < size:
        # A byte has four chances in 256 to fall outside 62 letters and digits four times over.
        made += [_LETTERS[byte % 62] for byte in urandom(min(size - len(made) + 16, 4096)) if byte < 248]
    return "".join(made[:size])


@pair("+", DateTime, int)
def _plus(date: DateTime, seconds: int) -> DateTime:
    moment = _moment(date)
    return _date(moment[0] + seconds, moment[1])


@pair("-", DateTime, int)
def _minus(date: DateTime, seconds: int) -> DateTime:
    moment = _moment(date)
    return _date(moment[0] - seconds, moment[1])


@pair("-", DateTime, DateTime)
def _between(date: DateTime, other: DateTime) -> int:
    return _moment(date)[0] - _moment(other)[0]


def _shown(date: DateTime) -> str:
    """A date in texts: as RFC 3339 writes it, or what it is made of where there is no such moment."""
    try:
        return written(of_moment(*moment_of(date)), "RFC3339")
    except (OutOfRange, Unreadable):
        parts = (date.year, date.month, date.day, date.hour, date.minute, date.second, date.nanosecond)
        return f"DateTime({', '.join(map(str, parts))})"


ORDER_KEYS[DateTime] = _moment
set_text(DateTime, _shown)


def _getter(name: str) -> Implementation:
    return lambda date: getattr(date, name)


GETTERS[DateTime] = {name: _getter(name) for name in DateTime.__struct_fields__}
