"""The broker's side of a run: start the script, answer its calls, take its result.

Owns:      the loop over the conversation, and the end of everything that was held for the script.
Relies on: the channel for order, size and time of messages; the dispatcher for calls.
Never:     waits for the worker inside an operation; believes what the worker says about itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from trex.broker.dispatch import Dispatcher
from trex.broker.handles import Handles
from trex.errors import LimitExceeded, ProtocolViolation, WorkerDied
from trex.protocol.messages import Call, Failed, Finished, FromBroker, FromWorker, Log, Release, Start
from trex.settings import DEFAULTS, Settings

if TYPE_CHECKING:
    from trex.authorization.authorizer import Authorizer
    from trex.broker.budget import Budget
    from trex.broker.gate import Audit
    from trex.broker.record import Record
    from trex.catalogue.declare import Catalogue
    from trex.limits import Limits


class Channel(Protocol):
    """The way to one worker. Raises `ProtocolViolation`, `WorkerDied` or `LimitExceeded("max_time")`."""

    def send(self, message: FromBroker, deadline: float) -> None:
        """Send one message."""

    def receive(self, deadline: float) -> FromWorker:
        """Wait for the next message."""


def serve(
    channel: Channel,
    start: Start,
    *,
    catalogue: Catalogue,
    authorizer: Authorizer,
    audit: Audit,
    limits: Limits,
    budget: Budget,
    record: Record,
    settings: Settings = DEFAULTS,
) -> Finished | Failed:
    """Run one script in a worker that is ready, to its end.

    What it reported is in `record`, also when this raises. `budget.stop` ends the run from outside.
    """
    handles = Handles(catalogue.held, limits.max_handles)
    dispatcher = Dispatcher(catalogue, authorizer, audit, budget, record, handles, settings)
    try:
        channel.send(start, budget.deadline)
        while True:
            budget.check_time()
            message = channel.receive(budget.deadline)
            kind = type(message)
            if kind is Call:
                channel.send(dispatcher.call(message), budget.deadline)  # type: ignore[arg-type]  # told by kind
            elif kind is Log:
                record.log(message.level, message.message, message.line)  # type: ignore[union-attr]  # told by kind
            elif kind is Release:
                handles.release(message.handles)  # type: ignore[union-attr]  # told by kind
            elif isinstance(message, Finished | Failed):
                if isinstance(message, Finished) and len(message.text.encode()) > limits.max_output:
                    raise LimitExceeded("max_output", limits.max_output)
                return message
            else:
                raise ProtocolViolation(f"{kind.__name__} has no place in a run")
    except WorkerDied:
        budget.check_time()  # whoever ended the run from outside may have ended the worker first
        raise
    finally:
        handles.close()
