"""A broker in this process, without a worker: calls go in as the bytes that a worker would send.

`Broker` has the real catalogue, gate, dispatcher, handles and budget, and the real policy engine.
"""

from __future__ import annotations

import time
from typing import Any

from msgspec import Raw

from trex import sdk
from trex.authorization import Authorizer, Entity, Policy, RunRecord
from trex.broker.budget import Budget
from trex.broker.dispatch import Dispatcher
from trex.broker.handles import Handles
from trex.broker.record import Record
from trex.catalogue.declare import Catalogue
from trex.errors import OperationError
from trex.limits import Limits
from trex.protocol.encoding import encode_value
from trex.protocol.messages import Call, Raised
from trex.settings import DEFAULTS, Settings
from trex.values import Constant, Object

ALICE = Entity("User", "alice")
RUN = RunRecord("run-1", "0" * 64, "rhai", "test")
EVERYTHING = "permit (principal, action, resource);"


class Decisions:
    """An audit that keeps what it is told: `(operation, action, resource, allowed)`, and outcomes."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, bool]] = []
        self.outcomes: list[str] = []

    def decision(self, *, operation: str, action: str, resource: Any, allowed: bool, **_: Any) -> int:
        kind = resource["type"].rpartition("::")[2]
        self.asked.append((operation, action.split('"')[1], f"{kind} {resource['id']}", allowed))
        return len(self.asked)

    def outcome(self, decisions: list[int], *, operation: str, result: str, error: str, facts: Any) -> None:
        self.facts = dict(facts)
        self.outcomes.append(f"{result}: {error}" if error else result)


class Failure(Exception):
    """What a script would catch."""

    def __init__(self, raised: Raised) -> None:
        super().__init__(f"{raised.family}::{raised.kind}: {raised.message}")
        self.family, self.kind = raised.family, raised.kind
        self.message, self.denial = raised.message, raised.denial


class Broker:
    """One run under a policy."""

    def __init__(
        self,
        policy: str = EVERYTHING,
        limits: Limits | None = None,
        catalogue: Catalogue | None = None,
        audit: Any = None,
        settings: Settings = DEFAULTS,
    ) -> None:
        self.limits = limits or Limits()
        self.catalogue = catalogue or sdk.load()
        self.audit = audit or Decisions()
        self.budget = Budget(self.limits, time.monotonic() + self.limits.max_time)
        self.record = Record(self.limits)
        self.handles = Handles(self.catalogue.held, self.limits.max_handles)
        authorizer = Authorizer(Policy.load(policy), ALICE, RUN)
        self.dispatcher = Dispatcher(
            self.catalogue,
            authorizer,
            self.audit,
            self.budget,
            self.record,
            self.handles,  # type: ignore[arg-type]  # a double
            settings,
        )
        self._number = 0

    def call(self, operation: str, *arguments: Any) -> Any:
        """Call an operation by its label, as a worker would; raises `Failure` for what a script catches."""
        self._number += 1
        raw = [Raw(encode_value(each)) for each in arguments]
        answer = self.dispatcher.call(Call(self._number, operation, raw, 1))
        if isinstance(answer, Raised):
            raise Failure(answer)
        return answer.value

    @property
    def asked(self) -> list[str]:
        """The questions so far, such as `"open Dir /tmp"`; denied ones end in ` denied`."""
        return [f"{verb} {of}{'' if allowed else ' denied'}" for _, verb, of, allowed in self.audit.asked]

    # --- the objects that a script would build ---

    def directory(self, path: object, **options: bool) -> Object:
        """A `Dir` handle."""
        return self.call("files.open_directory", made("DirConfig", path=str(path)), made("OpenDirOptions", **options))

    def file(self, directory: Object, name: str, **options: Any) -> Object:
        """A `File` handle."""
        return self.call("files.open_file", directory, name, made("OpenFileOptions", **options))


class Spent(Budget):
    """A budget by itself, for what takes one."""

    def __init__(self, seconds: float = 60.0, **limits: Any) -> None:
        super().__init__(Limits(**limits), time.monotonic() + seconds)


def made(type_name: str, **fields: Any) -> Object:
    """An option set as the worker builds it."""
    return Object(type_name, fields)


def flag(command: str, name: str, *arguments: int) -> Constant:
    """A flag, such as `flag("cat", "n")`."""
    return Constant(command.capitalize() + "Flag", name, arguments)


__all__ = ["EVERYTHING", "Broker", "Failure", "OperationError", "Spent", "flag", "made"]
