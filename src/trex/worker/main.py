"""A worker process from its first import to its end.

Owns:      the order: import everything, lock, prove, say so, receive one request, answer, end.
Relies on: `boot` for imports, `trex.isolation` for the lock, a language for the work.
Never:     reads a byte of a script before the lock is proven; serves a second script; returns.

Started in one of two ways: as a worker, or as a template that forks one worker per request
(`template`). What every worker of a template shares is the layout of its memory and the seed of its
hashes, because they were forked from one process; none of them can speak to another.
"""

from __future__ import annotations

import _socket
import gc
import os
import sys
import time
from types import ModuleType
from typing import NoReturn, cast

from trex.isolation.lockdown import Locked, Orphaned, Plan, lock
from trex.isolation.profile import SOCKET
from trex.protocol.messages import Evaluate, Ready, Start
from trex.worker.channel import BrokerGone, WorkerChannel
from trex.worker.execute import Language, answer, preload

# Exit statuses, for the broker's message about a worker that said nothing.
ENDED, FAULT, NOT_LOCKED, ORPHANED = 0, 70, 71, 72


def main(arguments: list[str], started: float) -> NoReturn:
    """Become what the arguments say.

    `worker PARENT LANGUAGE MEMORY SECONDS OPTIONAL-LAYERS` or `template PARENT LANGUAGE`.
    """
    role, parent, name, *rest = arguments
    language = load(name)
    preload()
    gc.freeze()  # what is loaded now stays for ever
    # What scripts make is freed when the last of it is let go; looking for cycles often only costs time.
    gc.set_threshold(50_000)
    gc.enable()
    imported = time.perf_counter()
    if role == "template":
        from trex.worker.template import serve

        serve(int(parent), language)
    memory, seconds, optional = rest
    plan = Plan(int(parent), int(memory), float(seconds), frozenset(filter(None, optional.split(","))))
    work(plan, language, {"import": (imported - started) * 1000})


def load(name: str) -> ModuleType:
    """Import a language by the name of its package."""
    __import__(name)
    return sys.modules[name]


def work(plan: Plan, language: ModuleType, timings: dict[str, float]) -> NoReturn:
    """Lock this process, answer one request, and end it."""
    status = FAULT
    try:
        status = _work(plan, cast("Language", language), timings)
    except Orphaned:
        status = ORPHANED
    except BrokerGone:
        status = ENDED
    finally:
        # Without the interpreter's own end: it would free what the kernel frees faster, and make
        # system calls that the filter refuses. Whatever else went wrong has this status for a name.
        os._exit(status)


def _work(plan: Plan, language: Language, timings: dict[str, float]) -> int:
    # Looks the descriptor up in the kernel, which is not possible later.
    channel = WorkerChannel(_socket.socket(fileno=SOCKET))
    before = time.perf_counter()
    locked: Locked = lock(plan)
    timings["lock"] = (time.perf_counter() - before) * 1000
    channel.send(Ready(locked.layers, timings, locked.missing))
    if locked.missing.keys() - plan.optional:
        return NOT_LOCKED
    request = channel.receive()
    answer(cast("Start | Evaluate", request), language, channel)  # the conversation lets nothing else through
    return ENDED
