"""The outcome of a run as a value: the document's shape, and the table of how a run can end.

Owns:      the fields and their order, the endings with error types, exit codes, alarms and metrics,
           and the cuts that keep a document readable.
Relies on: nothing but plain data; `account` fills it, `report` writes it.
Never:     decides an ending from the text of an error.

The first six keys are the reference's, in its order (`output status error alarms metrics logs`);
`value run decisions` follow. `logs` and `metrics` are always there, however early a run fails.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

MAX_MESSAGE = 1024
MAX_LOG_MESSAGE = 2048
MAX_ALARM_DETAILS = 64 * 1024
LOG_CUT = "...[truncate]"


class Ending(Struct, frozen=True):
    """One way for a run to end; `code` is `error.code` in the document."""

    code: str
    error_type: str
    exit_code: int
    meaning: str
    alarms: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    label: str = "the script failed"


SUCCESS = 0
SCRIPT_ERROR = 1
USAGE = 2
DENIED = 3
LIMIT = 4
REFUSED = 5
INTERNAL = 6
TERMINATED = 7

EXIT_CODES = {
    SUCCESS: "the script ran to its end",
    SCRIPT_ERROR: "the script failed: an error that it did not catch, or a script that does not parse",
    USAGE: "the command line is wrong; nothing was read",
    DENIED: "the policy denied an operation and the script did not catch it",
    LIMIT: "the script went beyond one of its limits",
    REFUSED: "the run did not start: unreadable input, bad arguments, bad policy, missing isolation, no audit log",
    INTERNAL: "the worker died or broke the protocol, the audit log failed during the run, the outcome could not"
    " be written, or Trex has a bug",
    TERMINATED: "a signal ended the run",
}

_EXECUTION = ("RexRunnerScriptExecutionFailure",)
_EXECUTION_COUNT = ("RexRunnerScriptExecutionFailureCount",)
_COMPILATION = ("RexRunnerScriptCompilationFailure", *_EXECUTION)
_COMPILATION_COUNT = ("RexRunnerScriptCompilationFailureCount", *_EXECUTION_COUNT)
_DENIAL = ("RexRunnerPrivilegeEscalation",)
_DENIAL_COUNT = ("RexRunnerPrivilegeEscalationCount",)
_INTERNAL = ("RexRunnerInternalAlarm",)
_DEPTH = ("RexRunnerScriptArgumentValidationFailure",)
_DEPTH_COUNT = ("RexRunnerScriptArgumentValidationFailureCount",)

_RAN = "Failed to execute the script"
_REFUSED = "The run did not start"

ENDINGS = {
    ending.code: ending
    for ending in (
        Ending("script_error", "SCRIPT_EXCEPTION", SCRIPT_ERROR, "an error that the script did not catch",
               _EXECUTION, _EXECUTION_COUNT, _RAN),
        Ending("script_invalid", "SCRIPT_EXCEPTION", SCRIPT_ERROR, "the script does not parse; nothing ran",
               _COMPILATION, _COMPILATION_COUNT, "Failed to compile the script"),
        Ending("access_denied", "ACCESS_DENIED_EXCEPTION", DENIED, "a denial that the script did not catch",
               _DENIAL, _DENIAL_COUNT, _RAN),
        Ending("limit_exceeded", "LIMIT_EXCEPTION", LIMIT, "a limit was reached; `error.limit` names it",
               _EXECUTION, _EXECUTION_COUNT, _RAN),
        Ending("terminated", "SCRIPT_EXCEPTION", TERMINATED, "a signal ended the run",
               _EXECUTION, _EXECUTION_COUNT, _RAN),
        Ending("input_unreadable", "COMMUNICATION_EXCEPTION", REFUSED,
               "a file is missing, unreadable, not UTF-8 or too large", label=_REFUSED),
        Ending("request_invalid", "COMMUNICATION_EXCEPTION", REFUSED, "the request contradicts itself", label=_REFUSED),
        Ending("arguments_invalid", "COMMUNICATION_EXCEPTION", REFUSED,
               "an argument has an unusable name, a wrong type or stands twice", label=_REFUSED),
        Ending("arguments_too_deep", "VALIDATION_EXCEPTION", REFUSED, "an argument is nested too deeply",
               _DEPTH, _DEPTH_COUNT, _REFUSED),
        Ending("policy_invalid", "INTERNAL_EXCEPTION", REFUSED,
               "the policy does not parse or does not validate", label=_REFUSED),
        Ending("isolation_unavailable", "INTERNAL_EXCEPTION", REFUSED,
               "the worker cannot be locked as required", label=_REFUSED),
        Ending("audit_unavailable", "INTERNAL_EXCEPTION", REFUSED,
               "the audit log cannot be opened or begun", label=_REFUSED),
        Ending("audit_lost", "INTERNAL_EXCEPTION", INTERNAL,
               "the audit log could not be written during the run; what it would have recorded did not happen",
               _INTERNAL, label=_RAN),
        Ending("worker_died", "INTERNAL_EXCEPTION", INTERNAL, "the worker ended without an answer",
               _INTERNAL, label=_RAN),
        Ending("protocol_violation", "INTERNAL_EXCEPTION", INTERNAL, "the worker broke the protocol and was ended",
               _INTERNAL, label=_RAN),
        Ending("internal_error", "INTERNAL_EXCEPTION", INTERNAL, "a bug in Trex", _INTERNAL, label=_RAN),
    )
}  # fmt: skip


class Error(Struct, frozen=True):
    """Why a run did not succeed.

    code:     finer than the type and stable; the keys of `ENDINGS`.
    kind:     the language's name of a script error, such as `ErrorRuntime`.
    line, position: where in the script, policy or arguments, 1-based.
    excerpt:  the source line with a caret, and a suggestion where one is plain.
    limit:    the limit that was reached, a field of `trex.limits.Limits`.
    denial:   the number of the denial, in `decisions.denials` and in the audit log.
    """

    error_type: str
    message: str
    code: str
    kind: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    position: int | UnsetType = UNSET
    excerpt: str | UnsetType = UNSET
    limit: str | UnsetType = UNSET
    denial: int | UnsetType = UNSET


class Alarm(Struct, frozen=True):
    """Something that a person should look at."""

    alarm_type: str
    alarm_details: str | UnsetType = UNSET


class Metric(Struct, frozen=True):
    """A measured number; times are nanoseconds."""

    metric_name: str
    metric_value: float
    metric_unit: str
    metric_dimension: dict[str, str]
    metric_timestamp: str


class LogEntry(Struct, frozen=True):
    """One log record, as an object of strings."""

    attributes: dict[str, str]


class Text(Struct, frozen=True):
    """A script, a policy or a module: what it was called and the digest of its bytes."""

    name: str
    sha256: str


class Isolation(Struct, frozen=True):
    """What locked the worker: the mode asked for, and each active layer with what was found inside."""

    mode: str
    layers: dict[str, str]


class AuditLog(Struct, frozen=True):
    """Where the audit log is, and the hash of the run's last line in it, to be kept elsewhere."""

    file: str
    head: str | UnsetType = UNSET


class Run(Struct, frozen=True):
    """What ran; fields that an early failure left unknown are absent."""

    id: str
    version: str
    started: str
    language: str
    caller: str
    script: Text | UnsetType = UNSET
    policy: Text | UnsetType = UNSET
    modules: list[Text] | UnsetType = UNSET
    principal: str | UnsetType = UNSET
    isolation: Isolation | UnsetType = UNSET
    audit: AuditLog | UnsetType = UNSET
    timings: dict[str, float] | UnsetType = UNSET


class Decisions(Struct, frozen=True):
    """How often the policy was asked and what it said; each denial with its explanation.

    unlisted: denials beyond those listed; the audit log has them all.
    """

    allowed: int = 0
    denied: int = 0
    denials: list[dict[str, Any]] = []
    unlisted: int | UnsetType = UNSET


class Outcome(Struct, frozen=True, kw_only=True):
    """The document of one run."""

    output: str
    status: Literal["SUCCESS", "ERROR"]
    error: Error | UnsetType = UNSET
    alarms: list[Alarm] | UnsetType = UNSET
    metrics: list[Metric]
    logs: list[LogEntry]
    value: Any | UnsetType = UNSET
    run: Run
    decisions: Decisions

    @property
    def code(self) -> str:
        """`finished`, or the code of the error."""
        return "finished" if self.error is UNSET else self.error.code

    @property
    def exit_code(self) -> int:
        """The exit status of a process that ends with this outcome."""
        return SUCCESS if self.error is UNSET else ENDINGS[self.error.code].exit_code


def fault(error: BaseException) -> str:
    """What may be told of a bug of ours: its kind and place, never its text, which may hold a script's data."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace is not None else ""
    return f"internal error: {type(error).__name__}{place}"


def cut(text: str, limit: int, mark: str = "...") -> str:
    """At most `limit` bytes of UTF-8; what is longer ends in `mark`, and no character is halved."""
    if len(text) * 4 <= limit:
        return text
    content = text.encode("utf-8", "backslashreplace")
    if len(content) <= limit:
        return text
    return content[: limit - len(mark)].decode(errors="ignore") + mark


def timestamp(nanoseconds: int) -> str:
    """RFC 3339, UTC, with nanoseconds."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z"


def log_timestamp(nanoseconds: int) -> str:
    """The form of times in log records."""
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(seconds))}.{fraction:09d} UTC"
