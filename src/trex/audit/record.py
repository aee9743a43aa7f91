"""The records of an audit log, as types: what a run was, what it asked, what it did, how it ended.

Owns:  their fields and their form as lines of JSON.
Never: holds the content of a file, the value of an environment variable, or a password of a URL:
       `redaction` has seen every value before it is here.

A line is one JSON object in ASCII-safe UTF-8. Every record has `record` (its kind), `run`, `number`
(counted from 0 in each run), `time` (RFC 3339, UTC) and `previous`, the SHA-256 of the run's line
before it, without its line break; `chain` says what that is good for.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
from msgspec import Struct

FORMAT = 1


class Record(Struct, tag_field="record", omit_defaults=True, frozen=True):
    """What all records have."""

    run: str
    number: int
    time: str
    previous: str


class RunStarted(Record, tag="run_started", frozen=True, kw_only=True):
    """The first record of a run: who runs what under which policy, behind which isolation.

    after:  the SHA-256 of the line that was the log's last when the run began; empty in a new log.
    script, policy, modules: SHA-256 of the texts.
    """

    format: int
    after: str
    version: str
    host: str
    principal: str
    caller: str
    language: str
    script: str
    policy: str
    script_name: str = ""
    policy_name: str = ""
    modules: dict[str, str] = {}
    arguments: tuple[str, ...] = ()
    isolation: str = ""
    layers: dict[str, str] = {}


class Decided(Record, tag="decision", frozen=True, kw_only=True):
    """One answer of the policy, written before anything is done because of it.

    operation: the operation that asked, such as `files.cat`; call and line: of the script's call.
    stage:     what was judged: the `name` as given, or the `object` that it turned out to be.
    resource:  its type and id, and attributes that tell it apart later.
    named:     the resource as the script named it, where that was another.
    """

    operation: str
    stage: str
    action: str
    resource: dict[str, Any]
    allowed: bool
    reason: str
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    context: dict[str, Any] = {}
    named: str = ""
    call: int | None = None
    line: int | None = None


class Ended(Record, tag="outcome", frozen=True, kw_only=True):
    """How an operation ended: `done`, `failed`, `denied` or `interrupted`.

    decisions: numbers of the records of the decisions that it rested on.
    facts:     what it did, in numbers: bytes read, entries removed.
    """

    operation: str
    result: str
    decisions: tuple[int, ...]
    error: str = ""
    facts: dict[str, Any] = {}


class RunEnded(Record, tag="run_ended", frozen=True, kw_only=True):
    """The last record of a run; a run without it was cut off.

    result: `finished`, or the code of the error that ended it.
    """

    result: str
    allowed: int
    denied: int


AnyRecord = RunStarted | Decided | Ended | RunEnded

_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AnyRecord).decode


def line_of(record: AnyRecord) -> bytes:
    """The record as a line, with its line break; nothing in it acts on a terminal."""
    line = _encode(record)
    if not line.isascii() or b"\x7f" in line:
        line = "".join(_escaped(each) for each in line.decode()).encode()
    return line + b"\n"


def _escaped(character: str) -> str:
    """A character, or its JSON escape where it would steer a terminal: the value stays the same."""
    if character.isprintable():
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))


_second: tuple[int, str] = (0, "")


def timestamp(nanoseconds: int) -> str:
    """RFC 3339, UTC, with microseconds."""
    global _second
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    if seconds != _second[0]:
        _second = (seconds, time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(seconds)))
    return f"{_second[1]}{fraction // 1000:06d}Z"
