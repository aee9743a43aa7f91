"""One request, from the broker's message to the last answer.

Owns:      what becomes of errors that a language lets through: memory, recursion, limits, our own.
Relies on: the language to compile and run; the channel to carry.
Never:     sends a traceback; lets an error of Python decide how a run ends without a name for it.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol

from msgspec import Raw

from trex.errors import LimitExceeded
from trex.protocol.encoding import Encoded, ValueRefused, encode, encode_value
from trex.protocol.frames import CAP
from trex.protocol.messages import (
    MAX_ENTRIES,
    Evaluate,
    Evaluated,
    Failed,
    Finished,
    Start,
)
from trex.worker.channel import BrokerGone, WorkerChannel

# Held while a script runs and given back when memory is gone, so that saying so is possible. Less
# than `RESERVE` of the isolation profile, which is what the limit grants beyond the script's share.
_RESERVE = 3 * 1024 * 1024

_LONGEST_TEXT = 4 * 1024 * 1024  # characters of an error's message, which a thrown value may be part of

Last = Finished | Failed | Evaluated


class Language(Protocol):
    """What a language's package offers to the worker."""

    def execute(self, start: Start, host: WorkerChannel) -> Finished | Failed:
        """Compile and run a script."""

    def evaluate(self, request: bytes) -> bytes:
        """Run one program of the eval protocol."""


def answer(request: Start | Evaluate, language: Language, channel: WorkerChannel) -> None:
    """Carry out the broker's request and send the last message of the conversation."""
    reserve = bytearray(_RESERVE)
    try:
        last, encoded = _carry_out(request, language, channel)
        channel.send(last, encoded)
        return
    except BrokerGone:
        raise
    except MemoryError:
        cause = ("limit", "max_memory", "the script ran out of memory")  # a constant: takes no memory
    except RecursionError:
        cause = ("limit", "ErrorStackOverflow", "Stack overflow")
    except LimitExceeded as problem:
        cause = ("limit", problem.limit, str(problem))
    except Exception as problem:  # noqa: BLE001  # the outermost frame: a fault of ours still gets an answer
        cause = ("internal", type(problem).__name__, f"a fault in {_place(problem.__traceback__)}")
    # Here the frames of the script are gone, and with them most of what it held.
    del reserve
    channel.settle()
    channel.send(_failed(*cause))


def _carry_out(request: Start | Evaluate, language: Language, channel: WorkerChannel) -> tuple[Last, Encoded]:
    """The last message, and its bytes, which fit a frame."""
    if isinstance(request, Evaluate):
        evaluated = Evaluated(language.evaluate(request.request))
        encoded = encode(evaluated)
        if len(encoded) > CAP:
            raise LimitExceeded("max_output", CAP, f"the answer has {len(encoded)} bytes")
        return evaluated, encoded
    last = language.execute(request, channel)
    if isinstance(last, Failed):
        last = _cut(last)
        return last, encode(last)
    try:
        value, exact = Raw(encode_value(last.value)), last.exact
    except ValueRefused:  # deeper, or with more parts, than a message may be; the text remains
        value, exact = None, False
    last = Finished(last.text, value, exact, last.timings)
    encoded = encode(last)
    if len(encoded) > CAP:
        raise LimitExceeded("max_output", CAP, f"the result has {len(encoded)} bytes")
    return last, encoded


def _cut(failed: Failed) -> Failed:
    """The same failure with texts and lists that a message may hold."""
    chain = failed.chain
    if len(chain) > MAX_ENTRIES:  # as deep as the calls that the error passed through
        chain = chain[: MAX_ENTRIES // 2] + chain[-MAX_ENTRIES // 2 :]
    return Failed(
        failed.stage,
        failed.kind,
        chain,
        failed.message[:_LONGEST_TEXT],
        failed.line,
        failed.position,
        failed.denial,
        failed.excerpt[:_LONGEST_TEXT],
        failed.timings,
    )


def _failed(stage: str, kind: str, message: str) -> Failed:
    return Failed(stage, kind, [kind], message, None, None, None, "", {})  # type: ignore[arg-type]  # a Literal


def _place(traceback: TracebackType | None) -> str:
    """Module and line where an error arose: enough to find our mistake, nothing of the script."""
    if traceback is None:
        return "an unknown place"
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno}"


def preload() -> None:
    """Make this interpreter ready for code that cannot import any more.

    Codecs and modules that Python imports on first use would be looked for in files.
    """
    "".encode("utf-8", "surrogatepass").decode("ascii")
    sys.setswitchinterval(3600.0)  # there is one thread; never look for another
