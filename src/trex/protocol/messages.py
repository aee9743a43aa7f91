"""The messages that broker and worker exchange, as types.

Owns:  their shape. `PROTOCOL.md` and the conversation table are about these and no others.
Never: reads or writes a descriptor; carries a descriptor, a path of the broker or policy text.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Raw, Struct

from trex.interface import Interface
from trex.limits import LanguageLimits


class Start(Struct, tag="start", array_like=True, frozen=True):
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


class Evaluate(Struct, tag="evaluate", array_like=True, frozen=True):
    """Broker to worker, instead of `Start`: one program of the eval protocol, as its JSON text."""

    request: bytes


class Returned(Struct, tag="returned", array_like=True, frozen=True):
    """Broker to worker: the operation of call `number` gave `value`."""

    number: int
    value: Any


class Raised(Struct, tag="raised", array_like=True, frozen=True):
    """Broker to worker: the operation of call `number` failed in a way that a script may catch.

    denial: the number of the denial in the audit record, where that was the cause.
    """

    number: int
    family: str
    kind: str
    message: str
    denial: int | None = None


class Ready(Struct, tag="ready", array_like=True, frozen=True):
    """Worker to broker, first: locked, and this is the proof.

    layers: name of each isolation layer to what was found from inside, such as
            `"landlock" -> "abi 7"`; a layer that is not active is absent.
    timings: milliseconds by phase.
    """

    layers: dict[str, str]
    timings: dict[str, float]


class Call(Struct, tag="call", array_like=True, frozen=True):
    """Worker to broker: perform an operation. `arguments` are decoded by the declared types."""

    number: int
    operation: str
    arguments: list[Raw]
    line: int | None = None


class Log(Struct, tag="log", array_like=True, frozen=True):
    """Worker to broker, no reply: one log record."""

    level: Literal["ERROR", "WARN", "INFO", "DEBUG", "TRACE", "PRINT"]
    message: str
    line: int | None = None


class Release(Struct, tag="release", array_like=True, frozen=True):
    """Worker to broker, no reply: the script no longer holds these handles.

    A number is issued in one reply only and never again, so that a release can cross a reply.
    All objects of one reply that carry the same number share it: it is released with the last.
    """

    handles: list[int]


class Finished(Struct, tag="finished", array_like=True, frozen=True):
    """Worker to broker, last: the script ended normally.

    text:  the value in the language's print form.
    value: the value itself; None with `exact=False` where it has no plain form.
    """

    text: str
    value: Any
    exact: bool
    timings: dict[str, float]


class Failed(Struct, tag="failed", array_like=True, frozen=True):
    """Worker to broker, last: the script ended in an error that it did not catch.

    stage:   `parse` (nothing ran), `run`, or `limit` (a language limit; `kind` names it).
    kind:    the language's name of the error, such as `"ErrorRuntime"`.
    chain:   kinds from outermost to innermost.
    message: the full text as the language words it, with position and call lines.
    denial:  the denial that caused it, as given in `Raised`; the broker checks that there was one.
    excerpt: for people: the source line with a caret, and a suggestion where one is plain.
    """

    stage: Literal["parse", "run", "limit"]
    kind: str
    chain: list[str]
    message: str
    line: int | None
    position: int | None
    denial: int | None
    excerpt: str
    timings: dict[str, float]


class Evaluated(Struct, tag="evaluated", array_like=True, frozen=True):
    """Worker to broker: the answer of the eval protocol, as its JSON text."""

    answer: bytes


FromBroker = Start | Evaluate | Returned | Raised
FromWorker = Ready | Call | Log | Release | Finished | Failed | Evaluated
