"""The audit of one run: every decision is recorded before it has an effect.

Owns:      the numbers of records, the counts, and the list of denials for the outcome.
Relies on: a sink that fails loudly; `redaction` for what may be recorded.
Never:     goes on without its log: after one failure every further call fails, and so nothing that
           would have needed a record happens.

Without a sink decisions are counted and denials listed just the same; they are only written nowhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Self

import msgspec
from msgspec import Struct

from trex.audit.chain import MAX_LINE, digest
from trex.audit.record import FORMAT, AnyRecord, Decided, Ended, RunEnded, RunStarted, line_of, timestamp
from trex.audit.redaction import MAX_ITEMS, MAX_TEXT, recordable, text
from trex.audit.sinks import LogFile, Sink
from trex.errors import AuditUnavailable, TrexError

MAX_DENIALS = 100
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_MAX_CONTEXT = 16 * 1024
_MAX_NAMES = 16


class Start(Struct, frozen=True, kw_only=True):
    """What is known when a run begins; digests are SHA-256 in hexadecimal digits."""

    run: str
    version: str
    principal: str
    caller: str
    language: str
    script: str
    policy: str
    script_name: str = ""
    policy_name: str = ""
    modules: Mapping[str, str] = _NOTHING
    arguments: Sequence[str] = ()
    isolation: str = ""
    layers: Mapping[str, str] = _NOTHING


class Denial(Struct, frozen=True, omit_defaults=True):
    """One denial, as the outcome tells it; `resource` as the script named it."""

    number: int
    operation: str
    action: str
    resource: str
    reason: str
    explanation: str = ""
    policies: tuple[str, ...] = ()
    line: int | None = None


class Audit:
    """The audit of one run; `Audit.open` begins it, leaving the `with` block ends it."""

    def __init__(self, sink: Sink | None, start: Start) -> None:
        self._sink, self._run = sink, start.run
        self._head = ""
        self._next = 0
        self._failure: AuditUnavailable | None = None
        self._ended = False
        self._allowed = self._denied = 0
        self._denials: list[tuple[Denial, Callable[[], str] | None]] = []
        self._is_denial = bytearray()  # one for each record: a denial, or something else
        self._begin(start)

    @classmethod
    def open(cls, path: str | None, start: Start, durable: bool = False) -> Self:
        """Open the log at `path` (None: keep none) and write the run's first record, or raise `AuditUnavailable`."""
        return cls(LogFile(path, durable) if path is not None else None, start)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if not self._ended and self._failure is None:
                code = error.code if isinstance(error, TrexError) else "internal_error"
                self.end("finished" if error is None else code)
        finally:
            if self._sink is not None:
                self._sink.close()

    # --- what happens ---

    def decision(
        self,
        *,
        operation: str,
        action: str,
        resource: Mapping[str, Any],
        allowed: bool,
        reason: str,
        policies: Sequence[str] = (),
        errors: Sequence[str] = (),
        context: Mapping[str, Any] = _NOTHING,
        stage: Literal["name", "object"] = "name",
        named: str = "",
        call: int | None = None,
        line: int | None = None,
        explain: Callable[[], str] | None = None,
    ) -> int:
        """Record a decision and give its number; only then may it have an effect.

        resource: `type`, `id` and what may be recorded of its attributes.
        named:    the resource as the script named it, where what was judged is another.
        explain:  for a denial, makes its explanation; called when the outcome is written, if at all.
        """
        number = self._next
        if self._sink is None:
            self._number(is_denial=not allowed)
        else:
            self._write(
                Decided(
                    run=self._run,
                    number=number,
                    time=timestamp(time.time_ns()),
                    previous=self._head,
                    operation=operation,
                    stage=stage,
                    action=text(action),
                    resource=_judged(resource),
                    allowed=allowed,
                    reason=reason,
                    policies=_short(policies),
                    errors=_short(errors),
                    context=_bounded(context),
                    named=text(named) if named else "",
                    call=call,
                    line=line,
                ),
                is_denial=not allowed,
            )
        if allowed:
            self._allowed += 1
        else:
            self._denied += 1
            if len(self._denials) < MAX_DENIALS:
                shown = text(named or f'{resource["type"]}::"{resource["id"]}"')
                denial = Denial(number, operation, action, shown, reason, "", _short(policies), line)
                if explain is not None and (context or len(resource["id"]) > MAX_TEXT):
                    # What explains it may hold all that a script sent: not to be kept a hundredfold until the end.
                    denial, explain = _explained(denial, explain), None
                self._denials.append((denial, explain))
        return number

    def outcome(
        self,
        decisions: Sequence[int],
        *,
        operation: str,
        result: Literal["done", "failed", "denied", "interrupted"],
        error: str = "",
        facts: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Record how an operation ended that rested on these decisions."""
        if self._sink is None:
            self._number()
            return
        self._write(
            Ended(
                run=self._run,
                number=self._next,
                time=timestamp(time.time_ns()),
                previous=self._head,
                operation=operation,
                result=result,
                decisions=tuple(decisions)[:MAX_ITEMS],
                error=text(error) if error else "",
                facts=_bounded(facts),
            )
        )

    def end(self, result: str) -> None:
        """Record the end of the run: `finished`, or the code of the error that ended it."""
        self._ended = True
        now = timestamp(time.time_ns())
        self._write(
            RunEnded(
                run=self._run,
                number=self._next,
                time=now,
                previous=self._head,
                result=text(result),
                allowed=self._allowed,
                denied=self._denied,
            )
        )

    # --- what is known ---

    @property
    def counts(self) -> dict[str, int]:
        """How often the policy allowed and denied."""
        return {"allowed": self._allowed, "denied": self._denied}

    @property
    def denials(self) -> list[dict[str, Any]]:
        """The first denials with their explanations, as plain data (`Denial`); `counts` tells how many there were."""
        for n, (denial, explain) in enumerate(self._denials):
            if explain is not None:
                self._denials[n] = (_explained(denial, explain), None)
        return [msgspec.to_builtins(denial) for denial, _ in self._denials]

    def has_denial(self, number: int | None) -> bool:
        """Whether the record of this number is a denial of this run."""
        return number is not None and 0 <= number < len(self._is_denial) and bool(self._is_denial[number])

    @property
    def head(self) -> str:
        """The hash of the last line written, to be kept elsewhere; empty without a log."""
        return self._head

    # --- writing ---

    def _begin(self, start: Start) -> None:
        sink = self._sink
        record = RunStarted(
            run=start.run,
            number=0,
            time=timestamp(time.time_ns()),
            previous="",
            format=FORMAT,
            after=sink.after if sink is not None else "",
            version=start.version,
            host=text(os.uname().nodename),
            principal=text(start.principal),
            caller=text(start.caller),
            language=start.language,
            script=start.script,
            policy=start.policy,
            script_name=text(start.script_name),
            policy_name=text(start.policy_name),
            modules=recordable(start.modules),
            arguments=_short(start.arguments),
            isolation=start.isolation,
            layers=recordable(start.layers),
        )
        try:
            self._write(record)
        except TrexError:
            if sink is not None:
                sink.close()
            raise

    def _number(self, is_denial: bool = False) -> None:
        self._is_denial.append(is_denial)
        self._next += 1

    def _write(self, record: AnyRecord, is_denial: bool = False) -> None:
        if self._failure is not None:
            raise AuditUnavailable(self._failure.reason)
        if self._sink is not None:
            line = line_of(record)
            try:
                if len(line) > MAX_LINE:
                    raise AuditUnavailable(f"a record of {len(line)} bytes is longer than {MAX_LINE}")
                self._sink.write(line)
            except AuditUnavailable as error:
                self._failure = error
                raise
            self._head = digest(line)
        self._number(is_denial)


def _explained(denial: Denial, explain: Callable[[], str]) -> Denial:
    return msgspec.structs.replace(denial, explanation=text(explain()))


def _judged(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Type and id, then as much of the rest as fits."""
    rest = {name: value for name, value in resource.items() if name not in ("type", "id")}
    return {"type": text(resource["type"]), "id": text(resource["id"]), **_bounded(rest)}


def _short(texts: Sequence[str]) -> tuple[str, ...]:
    """A list of names or sentences, each cut, and not too many."""
    kept = tuple(text(each, 256) for each in texts[:_MAX_NAMES])
    return kept if len(texts) <= _MAX_NAMES else (*kept, f"({len(texts) - _MAX_NAMES} more)")


def _bounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A context or facts: whole if small, else what fits, field by field."""
    if not fields:
        return {}
    kept: dict[str, Any] = recordable(fields)
    room = _MAX_CONTEXT
    for name, value in kept.items():
        size = len(repr(value))
        room -= size
        if room < 0:
            kept[name] = f"(cut: {size} characters)"
    return kept
