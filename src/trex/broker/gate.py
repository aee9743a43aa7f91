"""The only way to the authorizer: decide, record, then permit or deny.

Owns:      `CallGate`, through which one call asks; the only place where a `Permit` is made.
Relies on: the authorizer to fail closed, and the audit to raise before anything may happen.
Never:     grants what was not recorded; hides a denial that the operation can do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from trex.authorization.recording import recorded_context, recorded_resource
from trex.catalogue.access import Permit
from trex.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trex.authorization.authorizer import Authorizer
    from trex.authorization.entities import Action, Entity
    from trex.broker.budget import Budget
    from trex.broker.record import Record
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
    ) -> None:
        """Write down how the call ended that these decisions were made for."""


class CallGate:
    """Asks for one call of an operation.

    records: the numbers under which the audit has this call's decisions.
    """

    __slots__ = ("_audit", "_authorizer", "budget", "call", "line", "operation", "records", "report")

    def __init__(
        self, authorizer: Authorizer, audit: Audit, budget: Budget, report: Record, call: Call, operation: str
    ) -> None:
        self._authorizer, self._audit = authorizer, audit
        self.budget, self.report = budget, report
        self.operation, self.call, self.line = operation, call.number, call.line
        self.records: list[int] = []

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
        decision = self._authorizer.decide(action, resource, context)
        explain = None
        if not decision.allowed:

            def explain() -> str:
                return self._authorizer.explain(action, resource, context).sentence

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
            return Permit(action, resource, record)
        return AccessDenied(
            FAMILIES[action.namespace],
            self._authorizer.principal.id,
            str(action),
            f"{resource.type}::{resource.id}",
            decision.reason,
            decision.policies,
            record,
        )
