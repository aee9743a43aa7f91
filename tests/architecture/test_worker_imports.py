"""What a locked worker has loaded: contracts of imports miss what is imported at run time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trex.interface import Interface
from trex.limits import Limits
from trex.protocol.messages import Finished, Start
from trex.runner.workers import start

LANGUAGES = str(Path(__file__).parent.parent / "languages")

# A worker has no use for these, and an intruder would.
HOST_SIDE = ("authorization", "audit", "broker", "catalogue", "cli", "host", "resources", "runner", "sdk")
OTHERS = {"cedarpy", "click", "rich", "re2", "httpx", "psutil", "jeepney", "dns", "cryptography", "typing_extensions"}
AMBIENT = {
    "asyncio",
    "email",
    "http",
    "logging",
    "multiprocessing",
    "pickle",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "urllib",
}


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """`sys.modules` of a locked worker with the real language."""
    with start(Limits(), language="observer", directory=LANGUAGES) as worker:
        assert worker.ready
        deadline = time.monotonic() + 20
        worker.channel.send(Start("", {}, Interface(), Limits()), deadline)
        finished = worker.channel.receive(deadline)
    assert isinstance(finished, Finished)
    names: list[str] = finished.value
    return names


def test_a_worker_has_nothing_of_the_host_side(loaded: list[str]) -> None:
    assert [name for name in loaded if name.startswith(tuple(f"trex.{package}" for package in HOST_SIDE))] == []


def test_a_worker_has_no_library_but_msgspec(loaded: list[str]) -> None:
    tops = {name.partition(".")[0] for name in loaded}
    assert not tops & OTHERS
    known = set(sys.stdlib_module_names) | {"trex", "msgspec", "observer", "__main__", "__mp_main__"}
    assert {top for top in tops if not top.startswith("_")} - known == set()


def test_a_worker_has_no_module_that_reaches_the_world(loaded: list[str]) -> None:
    assert sorted({name.partition(".")[0] for name in loaded} & AMBIENT) == []


def test_a_worker_has_the_language_and_its_own_parts(loaded: list[str]) -> None:
    assert {"trex.languages.rhai", "trex.worker.main", "trex.isolation.lockdown", "trex.protocol.encoding"} <= set(
        loaded
    )


def test_a_worker_of_a_run_has_nothing_that_only_shows_compiled_code(loaded: list[str]) -> None:
    assert not {"trex.languages.rhai.listing", "trex.languages.rhai.compiler.printing"} & set(loaded)


def test_the_broker_starts_workers_without_loading_their_code() -> None:
    """The worker's modules and the language are not on the way of a run."""
    code = "import sys, trex.runner.workers; print(' '.join(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    names = done.stdout.split()
    assert [name for name in names if name.startswith(("trex.worker", "trex.languages.rhai"))] == []
