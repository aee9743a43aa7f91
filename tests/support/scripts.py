"""Scripts of the real language against a real broker, both in this process, under a policy.

A file of programs has sections between lines of `---`. In a section, lines that start with one of
these say what is expected, and `{T}` stands for the directory that the program gets as `T`:

    //policy open read     these actions are permitted on everything in `T`; without the line, all are
    //= "text"             the value, as JSON
    //! NotFound: ...      the failure: how its text starts, behind the name of its family

Each program has a fresh directory with the same things in it: see `furnish`. Beside it is the
dictionary for redacted reading, which no policy permits.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from msgspec import Struct

from support.furnishing import FURTHER
from support.host import Broker, Failure
from trex import sdk
from trex.catalogue.interface import interface
from trex.errors import OperationError
from trex.languages.rhai import execute
from trex.limits import Limits
from trex.protocol.messages import Failed, Finished, Start
from trex.settings import Settings

INTERFACE = interface(sdk.load())

DICTIONARY = """\
# what programs may say
User %s logged in from port %d
disk %s: %u%m free
total.count [%d]
%x is not known, and so nothing of this line is
"""
LOG = """\
User ann logged in from port 2222
password: secret
User bob logged in from port none
disk sda: 10 GB free
total.count [-3]
totalXcount [-3]

secret User ann logged in from port 1
"""


class Program(Struct, frozen=True):
    """One section of a file."""

    place: str
    source: str
    actions: tuple[str, ...] | None
    value: str | None
    failure: str | None


def programs(file: Path) -> list[Program]:
    """The programs of a file."""
    found = []
    number = 1
    for section in file.read_text().split("\n---\n"):
        lines = section.splitlines()
        given = {
            mark: line[len(mark) :].strip()
            for line in lines
            for mark in ("//policy", "//=", "//!")
            if line.startswith(mark)
        }
        if any(line and not line.startswith("//") for line in lines):
            actions = given.get("//policy")
            listed = None if actions is None else tuple(actions.split())
            found.append(Program(f"{file.stem}:{number}", section, listed, given.get("//="), given.get("//!")))
        number += len(lines) + 1
    return found


def furnish(top: Path) -> None:
    """What every program finds."""
    (top / "f").write_text("one\ntwo\nthree\n")
    (top / "empty").write_text("")
    (top / "binary").write_bytes(b"\x00\xffprintable\x01ab\tcd\n")
    (top / "table").write_text("ann:x:10\nbob:y:2.5\nann:z:none\n")
    (top / "d").mkdir()
    (top / "d" / "g").write_text("in d\n")
    (top / "link").symlink_to("f")
    (top / "ld").symlink_to("d")
    (top / "log").write_text(LOG)
    os.mkfifo(top / "fifo")


def policy(actions: tuple[str, ...] | None, top: Path) -> str:
    """Everything in the directory, or these actions on everything in it."""
    what = "action" if actions is None else f"action in [{', '.join(map(_action, actions))}]"
    return f'permit (principal, {what}, resource) when {{ resource in file_system::Dir::"{top}" }};'


def _action(name: str) -> str:
    return f'file_system::Action::"{name}"'


class _Host:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.logged: list[str] = []

    def call(self, operation: str, arguments: list[Any], line: int | None) -> Any:
        try:
            return self.broker.call(operation, *arguments)
        except Failure as failure:
            error = OperationError(failure.family, failure.kind, failure.message)
            error.denial = failure.denial
            raise error from None

    def log(self, level: str, message: str, line: int | None) -> None:
        self.logged.append(message)


def run(source: str, broker: Broker, **arguments: Any) -> Finished | Failed:
    """Run a script in this process."""
    return execute(Start(source, arguments, INTERFACE, Limits()), _Host(broker))


def check(program: Program, top: Path) -> None:
    """Run one program and compare."""
    (top / "dictionary").write_text(DICTIONARY)
    place = top / "place"
    place.mkdir()
    furnish(place)
    further = FURTHER.get(program.place.partition(":")[0])
    if further is not None:
        further(place)
    broker = Broker(policy(program.actions, place), settings=Settings(redaction=str(top / "dictionary")))
    ended = run(program.source, broker, T=str(place))
    if program.failure is not None:
        assert isinstance(ended, Failed), ended
        expected = program.failure.replace("{T}", str(place))
        told = ended.message.removeprefix("IoErrorKind: ").removeprefix("Runtime error: ")
        assert told.startswith(expected), ended.message
        return
    assert isinstance(ended, Finished), ended.message
    if program.value is not None:
        assert ended.value == json.loads(program.value.replace("{T}", str(place))), ended.value
