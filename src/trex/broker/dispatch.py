"""The path of one call, from what a script asked for to what was done.

Owns:      the order of steps, which is the security argument; read `Dispatcher.call`.
Relies on: the catalogue for what an operation is, the gate for permits, resources for opening.
Never:     makes a system call on behalf of a script before the first permit; replies before the
           outcome is recorded; lets an error of the host look like a denial.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Literal

from trex.broker.gate import CallGate
from trex.broker.handles import CURSOR, Cursor, Handles
from trex.broker.plan import Plan
from trex.catalogue.convert import value_of
from trex.errors import AccessDenied, OperationError, ProtocolViolation
from trex.interface import CURSOR_NEXT
from trex.protocol.encoding import argument_decoder
from trex.protocol.messages import Call, Raised, Returned
from trex.resources.failures import from_os
from trex.resources.redaction import Dictionary
from trex.settings import DEFAULTS, Settings

if TYPE_CHECKING:
    from trex.authorization.authorizer import Authorizer
    from trex.broker.budget import Budget
    from trex.broker.gate import Audit
    from trex.broker.record import Record
    from trex.catalogue.declare import Catalogue

Result = Literal["done", "failed", "denied", "interrupted"]

_decode_cursor = argument_decoder(CURSOR)


class Dispatcher:
    """Performs the calls of one run."""

    def __init__(
        self,
        catalogue: Catalogue,
        authorizer: Authorizer,
        audit: Audit,
        budget: Budget,
        record: Record,
        handles: Handles,
        settings: Settings = DEFAULTS,
    ) -> None:
        self._catalogue = catalogue
        self._authorizer, self._audit = authorizer, audit
        self._budget, self._record, self._handles = budget, record, handles
        self._redaction = Dictionary(settings.redaction)
        self._plans: dict[tuple[str, int], Plan] = {}

    def call(self, call: Call) -> Returned | Raised:
        """Perform one call. What a script may not catch is raised, after it was recorded."""
        started = perf_counter()
        self._record.operations += 1
        self._budget.start_operation()
        cursor = self._cursor(call) if call.operation == CURSOR_NEXT else None
        plan = self._plan(call) if cursor is None else None
        gate = cursor.gate if cursor is not None else self._gate(call)
        result: Result = "interrupted"
        error = ""
        try:
            if plan is not None:
                arguments = plan.convert(call.arguments)  # no system call
                plan.acquire(gate, arguments)  # authorize the name; open without effect; authorize the object
                produced = plan.perform(gate, arguments)  # bounded by the budget
            elif cursor is not None:
                produced = cursor.take()
            value = value_of(produced, self._catalogue.records, self._handles.reply().issue)
            result = "done"
            return Returned(call.number, value)
        except AccessDenied as denied:
            result, error = "denied", denied.message
            return Raised(call.number, denied.family, denied.kind, denied.message, denied.denial)
        except (OperationError, OSError) as problem:
            failed = problem if isinstance(problem, OperationError) else from_os(problem)
            result, error = "failed", f"{failed.kind}: {failed.message}"
            return Raised(call.number, failed.family, failed.kind, failed.message)
        finally:
            # Before the script learns of it.
            self._audit.outcome(gate.records, operation=gate.operation, result=result, error=error, facts=gate.facts)
            self._record.operation_time += perf_counter() - started

    def _plan(self, call: Call) -> Plan:
        key = call.operation, len(call.arguments)
        plan = self._plans.get(key)
        if plan is None:
            operation = self._catalogue.operations.get(call.operation)
            if operation is None:
                raise ProtocolViolation(f"there is no operation {call.operation!r}")
            plan = self._plans[key] = Plan(operation, len(call.arguments), self._handles)
        return plan

    def _gate(self, call: Call) -> CallGate:
        return CallGate(
            self._authorizer,
            self._audit,
            self._budget,
            self._record,
            self._handles,
            call,
            call.operation,
            self._redaction,
        )

    def _cursor(self, call: Call) -> Cursor:
        if len(call.arguments) != 1:
            raise ProtocolViolation(f"{CURSOR_NEXT} takes one cursor")
        cursor: Cursor = self._handles.resource(_decode_cursor(call.arguments[0]))
        cursor.gate.records.clear()
        cursor.gate.call, cursor.gate.line = call.number, call.line
        return cursor
