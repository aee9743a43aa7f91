"""The messages that broker and worker exchange, as types.

Owns:  their shape. `PROTOCOL.md` and the conversation table are about these and no others.
Never: reads or writes a descriptor; carries a descriptor, a path of the broker or policy text.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Raw, Struct

from trex.interface import Interface
from trex.limits import LanguageLimits

MAX_NAME = 256  # characters of a name that a worker sends: an operation, a kind, a layer
MAX_ENTRIES = 256  # of a list or map that belongs to a message itself
MAX_ARGUMENTS = 32  # of one call
MAX_RELEASED = 1024  # handles that one message gives back; a worker that drops more sends several

Short = Annotated[str, Meta(max_length=MAX_NAME)]
Timings = Annotated[dict[Short, float], Meta(max_length=MAX_ENTRIES)]


class Message(Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """An array: the tag, then the fields in the order of their declaration, and nothing more."""


class Start(Message, tag="start", frozen=True):
    """Broker to worker, once: compile and run this.

    arguments: script arguments by name, as values.
    modules:   sources that `import` may name, by name.
    check:     parse and resolve only; nothing of the script runs, and the answer is an empty
               `Finished`, or `Failed` with stage `parse`.
    """

    script: str
    arguments: dict[str, Any]
    interface: Interface
    limits: LanguageLimits
    modules: dict[str, str] = {}
    check: bool = False


class Evaluate(Message, tag="evaluate", frozen=True):
    """Broker to worker, instead of `Start`: one program of the eval protocol, as its JSON text."""

    request: bytes


class Returned(Message, tag="returned", frozen=True):
    """Broker to worker: the operation of call `number` gave `value`."""

    number: int
    value: Any


class Raised(Message, tag="raised", frozen=True):
    """Broker to worker: the operation of call `number` failed in a way that a script may catch.

    denial: the number of the denial in the audit record, where that was the cause.
    """

    number: int
    family: str
    kind: str
    message: str
    denial: int | None = None


class Ready(Message, tag="ready", frozen=True):
    """Worker to broker, first: locked, and this is the proof.

    layers: name of each isolation layer to what was found from inside, such as
            `"landlock" -> "abi 7"`; a layer that is not active is absent.
    timings: milliseconds by phase.
    missing: name of each layer that is not active to the reason. Unless the broker allowed for
             all of them, the worker has ended after this message.
    """

    layers: Annotated[dict[Short, Short], Meta(max_length=MAX_ENTRIES)]
    timings: Timings
    missing: Annotated[dict[Short, Short], Meta(max_length=MAX_ENTRIES)] = {}


class Call(Message, tag="call", frozen=True):
    """Worker to broker: perform an operation. `arguments` are decoded by the declared types."""

    number: int
    operation: Short
    arguments: Annotated[list[Raw], Meta(max_length=MAX_ARGUMENTS)]
    line: int | None = None


class Log(Message, tag="log", frozen=True):
    """Worker to broker, no reply: one log record."""

    level: Literal["ERROR", "WARN", "INFO", "DEBUG", "TRACE", "PRINT"]
    message: str
    line: int | None = None


class Release(Message, tag="release", frozen=True):
    """Worker to broker, no reply: the script no longer holds these handles.

    A number is issued in one reply only and never again, so that a release can cross a reply.
    All objects of one reply that carry the same number share it: it is released with the last.
    """

    handles: Annotated[list[int], Meta(max_length=MAX_RELEASED)]


class Finished(Message, tag="finished", frozen=True):
    """Worker to broker, last: the script ended normally.

    text:  the value in the language's print form.
    value: the value itself; None with `exact=False` where it has no plain form.
    """

    text: str
    value: Any
    exact: bool
    timings: Timings


class Failed(Message, tag="failed", frozen=True):
    """Worker to broker, last: the script ended in an error that it did not catch.

    stage:   `parse` (nothing ran), `run`, or `limit`: `kind` is then either the language's name of
             the limit's error, or the limit itself where the worker noticed it (`max_memory`,
             `max_output`, `max_value`); `internal`: a fault of ours, `kind` is Python's name of it.
    kind:    the language's name of the error, such as `"ErrorRuntime"`.
    chain:   kinds from outermost to innermost.
    message: the full text as the language words it, with position and call lines.
    denial:  the denial that caused it, as given in `Raised`; the broker checks that there was one.
    excerpt: for people: the source line with a caret, and a suggestion where one is plain.
    """

    stage: Literal["parse", "run", "limit", "internal"]
    kind: Short
    chain: Annotated[list[Short], Meta(max_length=MAX_ENTRIES)]
    message: str
    line: int | None
    position: int | None
    denial: int | None
    excerpt: str
    timings: Timings


class Evaluated(Message, tag="evaluated", frozen=True):
    """Worker to broker, last: the answer of the eval protocol, as its JSON text."""

    answer: bytes


FromBroker = Start | Evaluate | Returned | Raised
FromWorker = Ready | Call | Log | Release | Finished | Failed | Evaluated
