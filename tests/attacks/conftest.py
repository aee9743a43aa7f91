"""Workers that run an intruder's Python, for attacks that begin where the interpreter is broken; small file systems."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.small_disks import few as few
from support.small_disks import small as small
from trex.errors import LimitExceeded, WorkerDied
from trex.interface import Interface
from trex.limits import MIB, Limits
from trex.protocol.messages import Call, Failed, Finished, Returned, Start
from trex.runner import workers

LANGUAGES = str(Path(__file__).parent.parent / "languages")
SECONDS = 20.0


class Ending:
    """How a run ended: with a value, a failure that the worker reported, its death, or a limit.

    limit: the limit, whether the worker noticed it or the broker.
    """

    def __init__(
        self, value: Any = None, failed: Failed | None = None, status: int | None = None, limit: str | None = None
    ) -> None:
        self.value, self.failed, self.status, self.limit = value, failed, status, limit

    def __repr__(self) -> str:
        return f"Ending({self.value!r}, {self.failed!r}, {self.status!r}, {self.limit!r})"


def run(worker: workers.WorkerProcess, source: str, seconds: float = SECONDS, **arguments: Any) -> Ending:
    """Run Python inside a locked worker; calls are answered with `None`."""
    assert worker.ready
    deadline = time.monotonic() + seconds
    try:
        worker.channel.send(Start(source, arguments, Interface(), Limits()), deadline)
        while True:
            message = worker.channel.receive(deadline)
            if isinstance(message, Call):
                worker.channel.send(Returned(message.number, None))
            elif isinstance(message, Finished):
                return Ending(message.value)
            elif isinstance(message, Failed):
                return Ending(failed=message, limit=message.kind if message.stage == "limit" else None)
    except LimitExceeded as limit:
        return Ending(limit=limit.limit)
    except WorkerDied as death:
        return Ending(status=death.status)


@pytest.fixture(scope="session")
def intruders() -> Iterator[workers.Template]:
    """Where the intruder's workers come from."""
    with workers.Template("intruder", LANGUAGES) as template:
        yield template


@pytest.fixture
def intruder(intruders: workers.Template) -> Iterator[workers.WorkerProcess]:
    """One locked worker that will run Python."""
    with intruders.start(Limits(max_memory=64 * MIB, max_time=SECONDS)) as worker:
        yield worker


@pytest.fixture
def inside(intruders: workers.Template) -> Callable[..., Ending]:
    """Run Python in a fresh locked worker and say how it ended."""

    def run_inside(source: str, limits: Limits | None = None, **arguments: Any) -> Ending:
        limits = limits or Limits(max_memory=64 * MIB, max_time=SECONDS)
        with intruders.start(limits) as worker:
            return run(worker, source, **arguments)

    return run_inside
