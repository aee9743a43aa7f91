"""An outcome on standard output: as JSON, as indented JSON, or for a person.

Owns:      the three formats, colour, and what happens when the reader is gone or the disk is full.
Relies on: an outcome that is complete; nothing is decided here.
Never:     lets a script's text steer a terminal: control characters are shown as escapes there.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from trex.limits import Limits
from trex.runner.outcome import Error, Outcome

Format = Literal["json", "pretty-json", "human"]
FORMATS: tuple[Format, ...] = ("json", "pretty-json", "human")

_RED, _DIM, _PLAIN = "\x1b[31m", "\x1b[2m", "\x1b[0m"
_STDOUT, _STDERR = 1, 2

# A terminal acts on C0, DEL and C1 controls; bidirectional controls reorder what is read.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_CONTROLS |= {
    code: f"\\u{{{code:x}}}" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def document(outcome: Outcome, indent: bool = False) -> bytes:
    """The outcome as JSON, one line or indented, ending in a newline."""
    content = msgspec.json.encode(outcome)
    return (msgspec.json.format(content, indent=2) if indent else content) + b"\n"


def write(outcome: Outcome, form: Format, verbose: bool = False) -> str | None:
    """Write the outcome to standard output and, for a person, standard error; a sentence if that failed."""
    try:
        if form == "human":
            terminal = os.isatty(_STDOUT)
            write_all(_STDOUT, _shown(standard_output(outcome, verbose), terminal))
            problem = standard_error(outcome, verbose, colour=uses_colour(_STDERR))
            write_all(_STDERR, problem.encode("utf-8", "backslashreplace"))
        else:
            write_all(_STDOUT, document(outcome, indent=form == "pretty-json"))
    except OSError as error:
        return f"the outcome could not be written: {os.strerror(error.errno or 0)}"
    return None


def complain(sentence: str) -> None:
    """Say something on standard error, if anybody can hear it."""
    with contextlib.suppress(OSError):
        write_all(_STDERR, f"trex: {visible(sentence)}\n".encode("utf-8", "backslashreplace"))


def write_all(descriptor: int, content: bytes) -> None:
    """Write everything, however short the single writes are."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def uses_colour(descriptor: int) -> bool:
    """Colour only where a person is looking and has not asked for none (https://no-color.org)."""
    return os.isatty(descriptor) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def standard_output(outcome: Outcome, verbose: bool) -> str:
    """What a person reads on standard output: what was printed, and the result.

    With `verbose` all logs before the result, and metrics after it.
    """
    parts: list[str] = []
    for entry in outcome.logs:
        level, message = entry.attributes["level"], entry.attributes["message"]
        if verbose:
            parts.append(_log_lines(level, message))
        elif level == "PRINT":
            parts.append(message + "\n")
    if outcome.status == "SUCCESS" and outcome.output:
        parts.append(outcome.output + "\n")
    if verbose:
        parts.append("--- metrics ---\n")
        parts += [f"{_name(metric.metric_name)}: {_number(metric.metric_value)}\n" for metric in outcome.metrics]
    return "".join(parts)


def _log_lines(level: str, message: str) -> str:
    """One record; further lines of its message are indented, so that none can look like a record of its own."""
    return f"[{level}] " + _indented(message.rstrip("\n")) + "\n"


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


def _name(text: str) -> str:
    """What stands before a colon, in one line."""
    return visible(text).replace("\n", "\\n")


def standard_error(outcome: Outcome, verbose: bool, colour: bool) -> str:
    """What a person reads on standard error: what went wrong, where, and what the policy had to do with it."""
    parts: list[str] = []
    red, dim, plain = (_RED, _DIM, _PLAIN) if colour else ("", "", "")
    if outcome.error is not UNSET:
        parts.append(f"{red}error:{plain} {_indented(visible(outcome.error.message))}\n")
        if outcome.error.excerpt is not UNSET and outcome.error.excerpt:
            parts.append(visible(outcome.error.excerpt).rstrip("\n") + "\n")
        parts += [f"{dim}  {line}{plain}\n" for line in _explanation(outcome, outcome.error)]
    if verbose and outcome.alarms is not UNSET:
        for alarm in outcome.alarms:
            details = f": {_indented(visible(alarm.alarm_details))}" if alarm.alarm_details is not UNSET else ""
            parts.append(f"alarm: {_name(alarm.alarm_type)}{details}\n")
    if outcome.run.timings is not UNSET:
        parts.append(timings_table(outcome.run.timings))
    return "".join(parts)


def timings_table(timings: dict[str, float]) -> str:
    """Where the time went, a phase a line, in milliseconds."""
    return "--- timings (ms) ---\n" + "".join(f"{value:9.1f}  {name}\n" for name, value in timings.items())


def visible(text: str) -> str:
    """`text` without the characters that a terminal would obey."""
    return text.translate(_CONTROLS)


def _shown(text: str, terminal: bool) -> bytes:
    return (visible(text) if terminal else text).encode("utf-8", "backslashreplace")


def _explanation(outcome: Outcome, error: Error) -> list[str]:
    """What to do about it: for a denial what the policy says, for a limit the flag that sets it."""
    if error.limit is not UNSET and error.limit in Limits.__struct_fields__:
        return [f"--{error.limit.replace('_', '-')} sets this limit"]
    if error.denial is UNSET:
        return []
    for denial in outcome.decisions.denials:
        if denial["number"] == error.denial:
            return [visible(line) for line in denial["explanation"].splitlines()]
    return []


def _number(value: Any) -> str:
    return (
        str(int(value))
        if value == value and value not in (float("inf"), float("-inf")) and value == int(value)
        else str(value)
    )
