"""Which message may come when: the table that both processes follow.

Owns:      the states of a conversation, the table, and the numbering of calls.
Relies on: the message types; every type has exactly one sender.
Never:     does I/O; forgives. A message out of order ends the conversation.

    starting --Ready--> idle --Start--> running --Finished or Failed--> ended
                                        running --Log, Release--> running
                                        running --Call--> waiting --Returned or Raised--> running
                        idle --Evaluate--> evaluating --Evaluated or Failed--> ended

The broker keeps one for each worker and the worker one for its broker; both pass every message
that they send or receive. A worker has one call under way at a time, numbered from 1 without gaps,
and the reply carries the number of the call.
"""

from __future__ import annotations

from typing import Literal

from trex.errors import ProtocolViolation
from trex.protocol.messages import (
    Call,
    Evaluate,
    Evaluated,
    Failed,
    Finished,
    FromBroker,
    FromWorker,
    Log,
    Raised,
    Ready,
    Release,
    Returned,
    Start,
)

State = Literal["starting", "idle", "running", "waiting", "evaluating", "ended"]

# Attack it stops: a worker that sends a second call while the first is judged, a reply to itself,
# or more logs after its result. What is not in the table ends the worker.
TABLE: dict[tuple[State, type[FromBroker | FromWorker]], State] = {
    ("starting", Ready): "idle",
    ("idle", Start): "running",
    ("idle", Evaluate): "evaluating",
    ("running", Call): "waiting",
    ("running", Log): "running",
    ("running", Release): "running",
    ("running", Finished): "ended",
    ("running", Failed): "ended",
    ("waiting", Returned): "running",
    ("waiting", Raised): "running",
    ("evaluating", Evaluated): "ended",
    ("evaluating", Failed): "ended",
}


class Conversation:
    """Where one conversation stands."""

    __slots__ = ("calls", "state")

    def __init__(self) -> None:
        self.state: State = "starting"
        self.calls = 0  # so far; the number of the latest

    def abandon(self) -> None:
        """The worker does without the reply to its call, which the broker has sent; it only says why it ends."""
        if self.state == "waiting":
            self.state = "running"

    def advance(self, message: FromBroker | FromWorker) -> None:
        """Account for a message, sent or received. Raises `ProtocolViolation` if it may not come now."""
        kind = type(message)
        state = TABLE.get((self.state, kind))
        if state is None:
            raise ProtocolViolation(f"{kind.__name__} may not come while the conversation is {self.state}")
        if kind is Call or kind is Returned or kind is Raised:
            number = message.number  # type: ignore[union-attr]  # these three have one; isinstance costs more
            if kind is Call:
                self.calls += 1
            if number != self.calls:
                raise ProtocolViolation(f"{kind.__name__} carries number {number} where {self.calls} was due")
        self.state = state
