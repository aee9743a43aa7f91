"""A place with a secret beside it, and an attacker who exchanges names in it while operations run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from support import swapper
from support.host import Broker, Failure
from trex.limits import Limits

TRIES = int(os.environ.get("TREX_ATTACK_TRIES", "150"))
UNBOUNDED = Limits(max_time=3600.0, max_operations=10**9, max_handles=10**6)


class Place:
    """`allowed`, where everything is permitted, and `secret` beside it, where nothing is."""

    def __init__(self, root: Path) -> None:
        self.allowed, self.secret = root / "allowed", root / "secret"
        for top, content in ((self.allowed, "PUBLIC"), (self.secret, "SECRET")):
            (top / "d" / "sub").mkdir(parents=True)
            (top / "f").write_text(content)
            (top / "d" / "f").write_text(content)
            (top / "d" / "sub" / "f").write_text(content)
        (self.allowed / "link-f").symlink_to(self.secret / "f")
        (self.allowed / "link-d").symlink_to(self.secret / "d")
        policy = f'permit (principal, action, resource) when {{ resource in file_system::Dir::"{self.allowed}" }};'
        self.broker = Broker(policy, UNBOUNDED)
        self.before = self.state()
        self.done = self.refused = 0
        self.watched = self.allowed / "f"
        self.seen: set[bool] = set()

    def state(self) -> list[tuple[str, Any]]:
        """Everything about the secret place that an operation could change."""
        found = []
        for folder, names, others in os.walk(self.secret):
            for name in [".", *names, *others]:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                content = Path(path).read_text() if os.path.isfile(path) else None
                found.append((path, (status.st_ino, status.st_mode, status.st_nlink, status.st_mtime_ns, content)))
        return sorted(found)

    def tries(self) -> Iterator[int]:
        """The numbers of the tries; more of them until the attacker was seen at work."""
        number = 0
        give_up = time.monotonic() + 20
        while number < TRIES or (self.seen != {False, True} and time.monotonic() < give_up):
            yield number
            number += 1

    def attempt(self, operation: Callable[[], Any]) -> Any:
        """One try; what it returns must be public, and refusals are fine."""
        with contextlib.suppress(FileNotFoundError):
            self.seen.add(os.path.islink(self.watched))
        result: Any = None
        try:
            result = operation()
            self.done += 1
        except Failure as failure:
            told = failure.message
            self.refused += 1
        else:
            told = repr(result)
        assert "SECRET" not in told
        return result

    def call(self, operation: str, *arguments: Any) -> Any:
        """One try of an operation."""
        return self.attempt(lambda: self.broker.call(operation, *arguments))


def raced(root: Path) -> Iterator[Place]:
    """For a fixture: the place, and afterwards the proof that it was raced and that nothing came of it."""
    made_ = Place(root)
    yield made_
    assert made_.state() == made_.before
    assert made_.done + made_.refused >= TRIES
    assert made_.seen == {False, True}, "the attacker was not there: nothing was raced"


@contextlib.contextmanager
def swapping(place: Place, name: Path, other: Path) -> Iterator[None]:
    """The attacker at work on two names."""
    place.watched = name
    script = [sys.executable, swapper.__file__, str(name), str(other)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as attacker:
        assert attacker.stdout is not None
        assert attacker.stdin is not None
        try:
            assert attacker.stdout.readline() == b"started\n"
            yield
            attacker.stdin.close()
            assert attacker.wait(20) == 0
        finally:
            attacker.kill()
