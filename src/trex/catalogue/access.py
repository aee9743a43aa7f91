"""What an operation gets to work with: permits, a gate to ask for them, and a budget.

Owns:  the shape of these three, as resources and operations see them; the broker has the real ones.
Never: grants anything. A `Permit` is made in one place, the broker's gate, after the decision was
       made and recorded.

A permit is a value: code that opens or changes something takes the permit for exactly that as an
argument, so that the way from the decision to the effect can be read from the signatures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from trex.authorization.entities import Action, Entity
    from trex.authorization.reach import Reach
    from trex.errors import AccessDenied


_NOTHING: Mapping[str, Any] = {}


class Permit:
    """The policy permits this action on this resource, and the audit has it as `record`.

    policies: the names of those that permit it.
    """

    __slots__ = ("action", "policies", "record", "resource")

    def __init__(self, action: Action, resource: Entity, record: int, policies: tuple[str, ...] = ()) -> None:
        self.action, self.resource, self.record, self.policies = action, resource, record, policies

    def require(self, action: Action, id: str) -> None:
        """Stop if this is the permit for something else: a mistake in our own code, never a script's."""
        if self.action != action or self.resource.id != id:
            raise AssertionError(f"a permit for {self.action} on {self.resource} was used for {action} on {id}")


class Budget(Protocol):
    """How much the run may still do. Each method raises `LimitExceeded` when that is too much."""

    max_read: int
    deadline: float  # of the run, on the clock of `time.monotonic`

    def check_time(self) -> None:
        """Called at least once per block of work, so that no operation outlives the run."""

    def read(self, size: int) -> None:
        """`size` more bytes come to the script in this operation."""

    def write(self, size: int) -> None:
        """`size` more bytes are about to be written."""

    def wake(self) -> int:
        """A descriptor that becomes readable when the run is asked to stop, for who waits in the kernel."""


class Kept(Protocol):
    """Something that an operation leaves behind, until it ends by itself or the run does."""

    def is_over(self) -> bool:
        """Whether it has ended by itself."""

    def close(self) -> None:
        """End it, and wait until it has."""


class Report(Protocol):
    """What the script reports beside its result. Each method may raise `LimitExceeded`."""

    def metric(self, name: str, value: float, unit: str, dimensions: Mapping[str, str]) -> None:
        """One metric; of several with the same name the last counts."""

    def alarm(self, type: str, details: str | None) -> None:
        """One alarm."""

    def log(self, level: str, message: str, line: int | None) -> None:
        """One log record."""


class Redaction(Protocol):
    """The operator's dictionary of what may be shown of files that may only be read redacted."""

    def load(self) -> None:
        """Read it, if that was not done yet. Raises `OperationError` where it cannot be used."""

    def is_itself(self, identity: tuple[int, int]) -> bool:
        """Whether that file is the dictionary."""

    def shown(self, lines: bytes, budget: Budget) -> bytes:
        """Whole lines, with all that may not be seen replaced."""


class Gate(Protocol):
    """The way to the policy during one call. Every question and its answer is recorded first.

    facts: what the audit shall know of how the call ended, in names and numbers.
    line:  the line of the script that called.
    """

    facts: dict[str, Any]
    line: int | None

    @property
    def budget(self) -> Budget:
        """What the run may still do."""

    @property
    def report(self) -> Report:
        """Where metrics and alarms go."""

    @property
    def redaction(self) -> Redaction:
        """What may be shown of files that may only be read redacted."""

    def permit(
        self, action: Action, resource: Entity, context: Mapping[str, Any] = _NOTHING, named: str = ""
    ) -> Permit:
        """The permit, or `AccessDenied`.

        named: the path as the script wrote it, where what is judged now is what it led to.
        """

    def ask(
        self, action: Action, resource: Entity, context: Mapping[str, Any] = _NOTHING, named: str = ""
    ) -> Permit | AccessDenied:
        """The permit, or the denial as a value: where another way may be permitted instead."""

    def unless_forbidden(
        self, action: Action, resource: Entity, context: Mapping[str, Any] = _NOTHING, named: str = ""
    ) -> Permit:
        """The permit for what comes with something permitted: no policy need permit it, but one may forbid it."""

    def marks(self, permit: Permit, name: str) -> list[str | None]:
        """What the annotation `name` says on each of the policies that permitted; None on one without it."""

    @property
    def reach(self) -> Reach:
        """What the policy permits on whole trees, whatever the name."""

    def keep(self, thing: Kept) -> None:
        """Let something go on until the end of the run. Raises `LimitExceeded` when there are too many."""
