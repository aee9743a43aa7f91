"""Every failure that crosses a boundary: one class per reaction, sorted by whose fault it is.

Owns:  the classes, their stable codes and their sentences.
Never: imports anything of ours; builds no user interface. Types are told apart by class,
       never by searching text.

A script may catch an `OperationError`. A `LimitExceeded` or `ProtocolViolation` ends the run.
A `Refusal` means that the script was never started.
"""

from __future__ import annotations

from typing import Any


class TrexError(Exception):
    """A failure with a stable machine-readable `code`."""

    code = "error"


# --- refused before the script started: the request, the policy, the kernel, the audit log ---


class Refusal(TrexError):
    """The run did not start."""

    code = "refused"


class RequestInvalid(Refusal):
    """The request itself is unusable: a missing or unreadable file, bad arguments, a bad name.

    where: the file or argument at fault.
    """

    code = "request_invalid"

    def __init__(self, reason: str, where: str = "", line: int | None = None, column: int | None = None) -> None:
        super().__init__(reason, where, line, column)
        self.reason, self.where, self.line, self.column = reason, where, line, column

    def __str__(self) -> str:
        place = self.where + (f":{self.line}:{self.column}" if self.line is not None else "")
        return f"{place}: {self.reason}" if place else self.reason


class InputUnreadable(RequestInvalid):
    """A file of the request is missing, unreadable, not UTF-8, not JSON or too large."""

    code = "input_unreadable"


class PolicyInvalid(Refusal):
    """The policy does not parse, or does not validate against the schema.

    problems: one sentence each, with its place.
    line, column, excerpt: of the first problem, where it has a place.
    found:    the same problems as data, each with `message line column suggestion excerpt`.
    """

    code = "policy_invalid"

    def __init__(
        self,
        problems: tuple[str, ...],
        where: str = "policy",
        line: int | None = None,
        column: int | None = None,
        excerpt: str = "",
        found: tuple[Any, ...] = (),
    ) -> None:
        super().__init__(problems, where, line, column, excerpt)
        self.problems, self.where, self.found = problems, where, found
        self.line, self.column, self.excerpt = line, column, excerpt

    def __str__(self) -> str:
        return f"{self.where}: " + "; ".join(self.problems)


class IsolationUnavailable(Refusal):
    """This kernel, or this user, cannot lock a worker as required."""

    code = "isolation_unavailable"

    def __init__(self, missing: tuple[str, ...], reason: str = "") -> None:
        super().__init__(missing, reason)
        self.missing, self.reason = missing, reason

    def __str__(self) -> str:
        text = "the worker cannot be isolated: missing " + ", ".join(self.missing)
        return f"{text} ({self.reason})" if self.reason else text


class AuditUnavailable(TrexError):
    """A record cannot be written, so what it would record must not happen."""

    code = "audit_unavailable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the audit log cannot be written: {self.reason}"


# --- what a script may catch: the policy said no, or the host did ---


class OperationError(TrexError):
    """An operation failed; the script sees `family::kind` and `message`.

    family: the name of the constants' module, such as `"IoErrorKind"`.
    kind:   a member of that module, such as `"NotFound"`.
    denial: the number of the denial in the run's audit, where that was the cause.
    """

    code = "operation_failed"
    denial: int | None = None

    def __init__(self, family: str, kind: str, message: str) -> None:
        super().__init__(family, kind, message)
        self.family, self.kind, self.message = family, kind, message

    def __str__(self) -> str:
        return self.message


class AccessDenied(OperationError):
    """The policy does not permit this action on this resource.

    principal, action, resource: as Cedar entity references; the resource as the script named it.
    reason:   `"forbidden"` (by `policies`), `"not_permitted"` (by any policy), or `"policy_error"`
              (a policy could not be evaluated, which counts as a denial).
    policies: ids of the policies that decided.
    denial:   the number of the record in the run's audit, once it has one.
    """

    code = "access_denied"

    def __init__(
        self,
        family: str,
        principal: str,
        action: str,
        resource: str,
        reason: str = "not_permitted",
        policies: tuple[str, ...] = (),
        denial: int | None = None,
    ) -> None:
        super().__init__(
            family,
            "PermissionDenied",
            f"Permission denied: {principal} unauthorized to perform {action} for {resource}",
        )
        self.principal, self.action, self.resource = principal, action, resource
        self.reason, self.policies, self.denial = reason, policies, denial


# --- ends the run ---


class LimitExceeded(TrexError):
    """Something that the script chose went beyond its bound.

    limit: the field of `trex.limits.Limits`, such as `"max_time"`; or `"max_value"`, the bounds of
           the protocol on the depth and size of one value.
    """

    code = "limit_exceeded"

    def __init__(self, limit: str, allowed: int | float, detail: str = "") -> None:
        super().__init__(limit, allowed, detail)
        self.limit, self.allowed, self.detail = limit, allowed, detail

    def __str__(self) -> str:
        text = f"limit {self.limit} ({self.allowed}) exceeded"
        return f"{text}: {self.detail}" if self.detail else text


class ProtocolViolation(TrexError):
    """The peer broke the protocol; it is ended, not argued with."""

    code = "protocol_violation"


class WorkerDied(TrexError):
    """The worker ended without an answer.

    status: exit code, or minus the signal's number; None when unknown.
    """

    code = "worker_died"

    def __init__(self, status: int | None, detail: str = "") -> None:
        super().__init__(status, detail)
        self.status, self.detail = status, detail

    def __str__(self) -> str:
        how = "for an unknown reason"
        if self.status is not None:
            how = f"by signal {-self.status}" if self.status < 0 else f"with exit status {self.status}"
        return f"the worker ended {how}" + (f": {self.detail}" if self.detail else "")


class Terminated(TrexError):
    """The run was asked to stop from outside."""

    code = "terminated"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"Script terminated: {self.reason}"
