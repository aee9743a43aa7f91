"""The only way to the authorizer: decide, record, then permit or deny.

Owns:      `CallGate`, through which one call asks; the only place where a `Permit` is made.
Relies on: the authorizer to fail closed, and the audit to raise before anything may happen.
Never:     grants what was not recorded; hides a denial that the operation can do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from trex.authorization.authorizer import Decision
from trex.authorization.recording import recorded_context, recorded_resource
from trex.catalogue.access import Permit
from trex.errors import AccessDenied
from trex.resources.redaction import Dictionary
from trex.settings import REDACTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trex.authorization.authorizer import Authorizer
    from trex.authorization.entities import Action, Entity
    from trex.authorization.reach import Reach
    from trex.broker.budget import Budget
    from trex.broker.handles import Handles
    from trex.broker.record import Record
    from trex.catalogue.access import Kept, Redaction
    from trex.protocol.messages import Call

# Whose `PermissionDenied` a script catches, by the namespace of the action.
FAMILIES = {
    "file_system": "IoErrorKind",
    "network": "NetworkErrorKind",
    "process_system": "ProcessErrorKind",
    "systemd": "ProcessErrorKind",
    "sysinfo": "SysteminfoErrorKind",
    "sysctl": "SysteminfoErrorKind",
}

_NOTHING: Mapping[str, Any] = {}


class Audit(Protocol):
    """Where decisions and outcomes are written down. Raises `AuditUnavailable` when they cannot be."""

    def decision(
        self,
        *,
        operation: str,
        action: str,
        resource: Mapping[str, Any],
        allowed: bool,
        reason: str,
        policies: Sequence[str],
        errors: Sequence[str],
        context: Mapping[str, Any],
        stage: Literal["name", "object"],
        named: str,
        call: int | None,
        line: int | None,
        explain: Callable[[], str] | None,
    ) -> int:
        """Write a decision down, before anything happens; its number."""

    def outcome(
        self,
        decisions: Sequence[int],
        *,
        operation: str,
        result: Literal["done", "failed", "denied", "interrupted"],
        error: str,
        facts: Mapping[str, Any],
    ) -> None:
        """Write down how the call ended that these decisions were made for."""


class CallGate:
    """Asks for one call of an operation.

    records: the numbers under which the audit has this call's decisions.
    facts:   what it shall know of how the call ended.
    """

    __slots__ = (
        "_audit", "_authorizer", "_handles", "budget", "call", "facts", "line", "operation", "records",
        "redaction", "report",
    )  # fmt: skip

    def __init__(
        self,
        authorizer: Authorizer,
        audit: Audit,
        budget: Budget,
        report: Record,
        handles: Handles,
        call: Call,
        operation: str,
        redaction: Redaction | None = None,
    ) -> None:
        self._authorizer, self._audit, self._handles = authorizer, audit, handles
        self.budget, self.report = budget, report
        self.operation, self.call, self.line = operation, call.number, call.line
        self.records: list[int] = []
        self.facts: dict[str, Any] = {}
        self.redaction: Redaction = redaction or Dictionary(REDACTION)

    def permit(
        self, action: Action, resource: Entity, context: Mapping[str, Any] = _NOTHING, named: str = ""
    ) -> Permit:
        """The permit, or `AccessDenied`."""
        answer = self.ask(action, resource, context, named)
        if isinstance(answer, AccessDenied):
            raise answer
        return answer

    def ask(
        self, action: Action, resource: Entity, context: Mapping[str, Any] = _NOTHING, named: str = ""
    ) -> Permit | AccessDenied:
        """The permit, or the denial as a value."""
        return self._recorded(self._authorizer.decide(action, resource, context), action, resource, context, named)

    def unless_forbidden(
        self, action: Action, resource: Entity, context: Mapping[str, Any] = _NOTHING, named: str = ""
    ) -> Permit:
        """The permit for what comes with something permitted, or `AccessDenied` where a policy forbids it."""
        decision = self._authorizer.decide(action, resource, context)
        if decision.reason == "not_permitted":
            decision = Decision(True, "not_forbidden")
        answer = self._recorded(decision, action, resource, context, named)
        if isinstance(answer, AccessDenied):
            raise answer
        return answer

    def marks(self, permit: Permit, name: str) -> list[str | None]:
        """What the annotation `name` says on each of the policies that permitted."""
        policy = self._authorizer.policy
        return [mark for label in permit.policies for mark in policy.marks(label, name)]

    @property
    def reach(self) -> Reach:
        """What the policy permits on whole trees."""
        return self._authorizer.reach

    def keep(self, thing: Kept) -> None:
        """Let something go on until the end of the run."""
        self._handles.keep(thing)

    def _recorded(
        self, decision: Decision, action: Action, resource: Entity, context: Mapping[str, Any], named: str
    ) -> Permit | AccessDenied:
        explain = None
        if not decision.allowed:

            def explain() -> str:
                return str(self._authorizer.explain(action, resource, context))

        record = self._audit.decision(
            operation=self.operation,
            action=str(action),
            resource=recorded_resource(resource),
            allowed=decision.allowed,
            reason=decision.reason,
            policies=decision.policies,
            errors=decision.errors,
            context=recorded_context(context) if context else context,
            stage="object" if named else "name",
            named=named,
            call=self.call,
            line=self.line,
            explain=explain,
        )
        self.records.append(record)
        if decision.allowed:
            return Permit(action, resource, record, decision.policies)
        return AccessDenied(
            FAMILIES[action.namespace],
            self._authorizer.principal.id,
            str(action),
            f"{resource.type}::{resource.id}",
            decision.reason,
            decision.policies,
            record,
        )
