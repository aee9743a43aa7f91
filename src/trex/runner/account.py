"""What is known of a run so far, and the outcome that can be made of it at any moment.

Owns:      the facts of one run in the order in which they become known, and the runner's own
           metrics and alarms.
Relies on: `outcome` for the shape of the document and the table of endings.
Never:     fails: whatever is known when a run ends is in its outcome, early or late.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from trex import __version__
from trex.errors import AuditUnavailable, LimitExceeded, PolicyInvalid, RequestInvalid, TrexError
from trex.protocol.messages import Failed, Finished, Ready
from trex.runner.outcome import (
    ENDINGS,
    LOG_CUT,
    MAX_ALARM_DETAILS,
    MAX_LOG_MESSAGE,
    MAX_MESSAGE,
    Alarm,
    AuditLog,
    Decisions,
    Ending,
    Error,
    Isolation,
    LogEntry,
    Metric,
    Outcome,
    Run,
    Text,
    cut,
    fault,
    log_timestamp,
    timestamp,
)
from trex.runner.plain import plain
from trex.runner.request import Inputs, Request, printable

if TYPE_CHECKING:
    from trex.audit import Audit
    from trex.audit import Start as AuditStart
    from trex.broker.record import Record

LANGUAGE = "rhai"

# The language's errors that are a limit of `trex.limits`; where one kind stands for several, none is named.
_LANGUAGE_LIMITS = {
    "ErrorTooManyOperations": "max_steps",
    "ErrorStackOverflow": "max_call_levels",
    "ErrorTooManyVariables": "max_variables",
    "ErrorTooManyModules": "max_modules",
}
_MEBIBYTE = 1 << 20


class Account:
    """The facts of one run."""

    def __init__(self, request: Request, timings: dict[str, float] | None = None) -> None:
        self.request = request
        self.id = os.urandom(16).hex()
        self.started = time.time_ns()
        self.started_monotonic = time.monotonic()
        self.timings: dict[str, float] = dict(timings or {})
        self.show_timings = timings is not None
        self.script: Text | UnsetType = UNSET
        self.policy: Text | UnsetType = UNSET
        self.modules: list[Text] | UnsetType = UNSET
        self.principal: str | UnsetType = UNSET
        self.isolation: Isolation | UnsetType = UNSET
        self.record: Record | None = None
        self.audit: Audit | None = None
        self.script_started: int | None = None
        self.script_finished: int | None = None
        self.memory_samples: list[tuple[int, int]] = []
        self.signal_problem: str | None = None
        self._cpu_at_start = _cpu_seconds()
        self._phase_started = self.started_monotonic

    # --- facts as they become known ---

    @property
    def deadline(self) -> float:
        """When `max_time` is over, on the monotonic clock."""
        return self.started_monotonic + self.request.limits.max_time

    def phase(self, name: str) -> None:
        """The phase of this name has just ended."""
        now = time.monotonic()
        self.timings[name] = self.timings.get(name, 0.0) + (now - self._phase_started) * 1000
        self._phase_started = now

    def inputs_read(self, inputs: Inputs) -> None:
        """Keep names and digests of what was read; the texts themselves are nobody's business here."""
        self.script = Text(self.request.script.name, digest(inputs.script))
        self.policy = Text(self.request.policy.name, digest(inputs.policy))
        if inputs.modules:
            self.modules = [Text(name, digest(text)) for name, text in inputs.modules.items()]

    def isolated(self, ready: Ready) -> None:
        """The worker has proven that it is locked."""
        self.isolation = Isolation(self.request.isolation, ready.layers)
        for name, milliseconds in ready.timings.items():
            self.timings[f"worker: {name}"] = milliseconds

    def audit_start(self, inputs: Inputs) -> AuditStart:
        """The first record of the audit log: all that is known before the script begins."""
        from trex.audit import Start as AuditStart

        assert isinstance(self.script, Text), "inputs are read first"
        assert isinstance(self.policy, Text), "inputs are read first"
        assert isinstance(self.isolation, Isolation), "the worker is locked first"
        return AuditStart(
            run=self.id,
            version=__version__,
            principal=str(self.principal),
            caller=self.request.caller,
            language=LANGUAGE,
            script=self.script.sha256,
            policy=self.policy.sha256,
            script_name=self.script.name,
            policy_name=self.policy.name,
            modules={} if self.modules is UNSET else {module.name: module.sha256 for module in self.modules},
            arguments=tuple(inputs.arguments),
            isolation=self.isolation.mode,
            layers=self.isolation.layers,
        )

    def serving(self, audit: Audit, record: Record) -> None:
        """The script may run from now on; what it does goes into these two."""
        self.audit, self.record = audit, record
        self.script_started = time.time_ns()

    def answered(self, answer: Finished | Failed) -> None:
        """The worker has given its last answer."""
        self.script_finished = time.time_ns()
        self.phase("run")
        for name, milliseconds in answer.timings.items():
            self.timings[f"script: {name}"] = milliseconds
        if self.record is not None:
            self.timings["script: operations"] = self.record.operation_time * 1000

    def sample_memory(self, *pids: int) -> None:
        """Note what these processes occupy now, together; a worker that has just ended counts for nothing."""
        page = os.sysconf("SC_PAGE_SIZE")
        total = resident = 0
        for pid in pids:
            try:
                with open(f"/proc/{pid}/statm", "rb") as file:
                    fields = file.read(64).split()
            except OSError:
                continue
            total += int(fields[0]) * page
            resident += int(fields[1]) * page
        self.memory_samples.append((total, resident))

    # --- endings ---

    def finished(self, answer: Finished) -> Outcome:
        """The script ended normally; a result beyond `max_output` is a limit, not a success."""
        allowed = self.request.limits.max_output
        try:
            value = plain(answer.value) if answer.exact else UNSET
            size = max(len(answer.text.encode()), 0 if value is UNSET else len(msgspec.json.encode(value)))
        except RecursionError:
            return self.failed(LimitExceeded("max_output", allowed, "the result is nested too deeply"))
        if size > allowed:
            return self.failed(LimitExceeded("max_output", allowed, f"the result has {size} bytes"))
        return self._outcome(output=answer.text, status="SUCCESS", value=value)

    def script_failed(self, failure: Failed, denied: bool) -> Outcome:
        """The script ended in an error; `denied`: the audit record confirms that a denial is its cause."""
        if failure.stage == "limit":
            code = "limit_exceeded"
        elif failure.stage == "internal":
            code = "internal_error"
        elif denied:
            code = "access_denied"
        else:
            code = "script_invalid" if failure.stage == "parse" else "script_error"
        limit = (
            failure.kind
            if failure.kind in self.request.limits.__struct_fields__
            else _LANGUAGE_LIMITS.get(failure.kind)
        )
        return self._failure(
            ENDINGS[code],
            failure.message,
            kind=failure.kind,
            line=UNSET if failure.line is None else failure.line,
            position=UNSET if failure.position is None else failure.position,
            excerpt=cut(failure.excerpt, MAX_MESSAGE) if failure.excerpt else UNSET,
            limit=limit if limit and code == "limit_exceeded" else UNSET,
            denial=failure.denial if denied and failure.denial is not None else UNSET,
        )

    def failed(self, error: TrexError) -> Outcome:
        """Trex ended the run, or never began it."""
        code = error.code
        if isinstance(error, AuditUnavailable) and self.record is not None:
            code = "audit_lost"
        ending = ENDINGS.get(code, ENDINGS["internal_error"])
        details: dict[str, Any] = {}
        if isinstance(error, RequestInvalid | PolicyInvalid) and error.line is not None:
            details = {"line": error.line, "position": UNSET if error.column is None else error.column}
        if isinstance(error, PolicyInvalid) and error.excerpt:
            details["excerpt"] = cut(error.excerpt, MAX_MESSAGE)
        if isinstance(error, LimitExceeded):
            details["limit"] = error.limit
        return self._failure(ending, str(error), **details)

    def broken(self, error: BaseException) -> Outcome:
        """A bug of ours."""
        return self._failure(ENDINGS["internal_error"], fault(error))

    # --- the document ---

    def _failure(self, ending: Ending, message: str, **details: Any) -> Outcome:
        message = printable(message) or ending.meaning
        error = Error(ending.error_type, cut(message, MAX_MESSAGE), ending.code, **details)
        alarms = [Alarm(name, cut(f"{ending.label}: {message}", MAX_ALARM_DETAILS)) for name in ending.alarms]
        return self._outcome(output="", status="ERROR", error=error, alarms=alarms, counts=ending.counts)

    def _outcome(
        self,
        *,
        output: str,
        status: Any,
        error: Error | UnsetType = UNSET,
        value: Any = UNSET,
        alarms: list[Alarm] | None = None,
        counts: tuple[str, ...] = (),
    ) -> Outcome:
        now = time.time_ns()
        all_alarms = [*self._signal_alarm(), *self._script_alarms(), *(alarms or [])]
        return Outcome(
            output=output,
            status=status,
            error=error,
            alarms=all_alarms or UNSET,
            metrics=[*self._metrics(now, status, counts), *self._script_metrics()],
            logs=self._logs(),
            value=value,
            run=self.run(),
            decisions=self._decisions(),
        )

    def run(self) -> Run:
        """What ran, as far as it is known by now."""
        return Run(
            id=self.id,
            version=__version__,
            started=timestamp(self.started),
            language=LANGUAGE,
            caller=self.request.caller,
            script=self.script,
            policy=self.policy,
            modules=self.modules,
            principal=self.principal,
            isolation=self.isolation,
            audit=self._audit_log(),
            timings={name: round(value, 3) for name, value in self.timings.items()} if self.show_timings else UNSET,
        )

    def _audit_log(self) -> AuditLog | UnsetType:
        if self.request.audit is None:
            return UNSET
        return AuditLog(printable(self.request.audit), UNSET if self.audit is None else self.audit.head)

    def _metrics(self, now: int, status: str, counts: tuple[str, ...]) -> list[Metric]:
        at = timestamp(now)

        def metric(name: str, value: float, unit: str, information: str) -> Metric:
            return Metric(name, value, unit, {"MetricInfo": information}, at)

        metrics = []
        if self.script_started is not None:
            ended = now if self.script_finished is None else self.script_finished
            metrics.append(
                metric("RexRunnerScriptExecutionTime", float(ended - self.script_started), "TIME", "Duration")
            )
        if status == "SUCCESS":
            metrics.append(metric("RexRunnerScriptExecutionSuccessCount", 1.0, "COUNT", "SuccessCount"))
        metrics += [metric(name, 1.0, "COUNT", "FailureCount") for name in counts]
        elapsed = time.monotonic() - self.started_monotonic
        metrics.append(metric("RexRunnerTotalExecutionTime", elapsed * 1e9, "TIME", "Duration"))
        if self.isolation is not UNSET and elapsed > 0:
            usage = (_cpu_seconds() - self._cpu_at_start) / elapsed * 100
            metrics.append(metric("RexRunnerProcessCpuUsage", round(usage, 2), "PERCENT", "ProcessMonitoring"))
        if self.memory_samples:
            count = len(self.memory_samples) * _MEBIBYTE
            for name, index in (("RssMemoryUsageAverage", 1), ("VirtualMemoryUsageAverage", 0)):
                mean = sum(sample[index] for sample in self.memory_samples) / count
                metrics.append(metric(f"RexRunnerProcess{name}", round(mean, 3), "MEGABYTES", "ProcessMonitoring"))
        return metrics

    def _signal_alarm(self) -> list[Alarm]:
        return [] if self.signal_problem is None else [Alarm("RexRunnerInternalAlarm", self.signal_problem)]

    def _script_metrics(self) -> list[Metric]:
        if self.record is None:
            return []
        return [
            Metric(metric.name, metric.value, metric.unit, dict(metric.dimensions), timestamp(metric.time))
            for metric in self.record.metrics.values()
        ]

    def _script_alarms(self) -> list[Alarm]:
        if self.record is None:
            return []
        return [Alarm(alarm.type, UNSET if alarm.details is None else alarm.details) for alarm in self.record.alarms]

    def _logs(self) -> list[LogEntry]:
        if self.record is None:
            return []
        entries = [_log_entry(entry.level, entry.message, entry.line, entry.time) for entry in self.record.logs]
        if self.record.dropped and entries:
            message = f"the log buffer was full: the {self.record.dropped} oldest records were dropped"
            attributes = {
                "timestamp": entries[0].attributes["timestamp"],
                "level": "WARN",
                "message": message,
                "line_number": "0",
            }
            entries.insert(0, LogEntry(attributes))
        return entries

    def _decisions(self) -> Decisions:
        if self.audit is None:
            return Decisions()
        counts: Mapping[str, int] = self.audit.counts
        denials = self.audit.denials
        unlisted = counts["denied"] - len(denials)
        return Decisions(counts["allowed"], counts["denied"], list(denials), unlisted or UNSET)


def digest(text: str) -> str:
    """SHA-256 of a text's bytes, in hexadecimal."""
    import hashlib  # loads OpenSSL: 4 ms, at a moment when the worker is loading too

    return hashlib.sha256(text.encode()).hexdigest()


def _log_entry(level: str, message: str, line: int | None, at: int) -> LogEntry:
    attributes = {
        "timestamp": log_timestamp(at),
        "level": level,
        "message": cut(message, MAX_LOG_MESSAGE, LOG_CUT),
        "line_number": str(line or 0),
    }
    return LogEntry(attributes)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
