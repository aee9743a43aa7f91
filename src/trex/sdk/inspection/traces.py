"""What gdb prints about a core dump, as threads, frames and values.

Owns:      reading gdb's answers; the commands are those of `trex.resources.dumps`.
Relies on: its settings: one line per frame, arguments shown as `...`, no colours.
Never:     takes a line for more than it says. Names of functions and files come from the files that were
           dumped and may say anything; nothing is done with them but to hand them on.
"""

from __future__ import annotations

import re

from msgspec import Struct

from trex.resources.dumps import MARK

_PROCESS = re.compile(r"\* [0-9]+ +process ([0-9]+) ")
_THREAD = re.compile(r"Thread ([0-9]+) \(.*?(?:LWP|process) ([0-9]+)\)")
_FRAME = re.compile(
    r"#(?P<number>[0-9]+) +(?:(?P<at>0x[0-9a-f]+) in )?"
    r"(?P<name>.+?)(?: \((?:\.\.\.)?\)(?: at (?P<file>.+):(?P<line>[0-9]+)| from (?P<library>.+))?)?"
)
_LEVEL = re.compile(r"Stack level ([0-9]+),")
_VALUE = re.compile(r"\$[0-9]+ = (.*)")


class FrameLine(Struct, frozen=True):
    """One frame: its number, function, address, file or library, and line."""

    number: int
    function: str
    address: str | None
    source: str | None
    line: int | None


class ThreadLines(Struct, frozen=True):
    """One thread: gdb's number for it, the kernel's, and its frames."""

    number: int
    tid: int | None
    frames: list[FrameLine]


def answers(output: str, marks: list[str]) -> dict[str, str] | None:
    """What gdb answered, by the marks before its answers; None if these are not exactly the expected ones.

    A function may be called like a mark: what is between marks that nobody asked for is no answer.
    """
    found = [part.partition("\n") for part in output.split("\n" + MARK)[1:]]
    if [mark for mark, _, _ in found] != marks or output.count(MARK) != len(marks):
        return None
    return {mark: answer for mark, _, answer in found}


def process(answer: str) -> int | None:
    """The number of the process that was dumped, as it tells itself."""
    found = _PROCESS.search(answer)
    return int(found[1]) if found else None


def threads(answer: str) -> list[ThreadLines]:
    """All threads with their frames, by number."""
    found: dict[int, ThreadLines] = {}
    frames: list[FrameLine] | None = None
    for line in answer.split("\n"):
        if (started := _THREAD.match(line)) is not None:
            frames = []
            found.setdefault(int(started[1]), ThreadLines(int(started[1]), int(started[2]), frames))
        elif frames is not None and (frame := _FRAME.fullmatch(line)) is not None:
            frames.append(_frame(frame))
    return [found[number] for number in sorted(found)]


def _frame(found: re.Match[str]) -> FrameLine:
    line = found["line"]
    return FrameLine(
        int(found["number"]),
        found["name"],
        found["at"],
        found["file"] or found["library"],
        None if line is None else int(line),
    )


def place(thread: str, frame: str) -> tuple[int, int] | None:
    """The thread and the frame that were chosen for what is printed; None if there are none."""
    number, level = _VALUE.match(thread), _LEVEL.match(frame)
    if number is None or level is None or not number[1].isdecimal():
        return None
    return int(number[1]), int(level[1])


def value(answer: str) -> str | None:
    """The first line of a value; None if gdb knows none."""
    found = _VALUE.match(answer)
    return found[1] if found else None
