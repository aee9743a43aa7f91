"""Workers as processes: started clean, ended for certain, nothing left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trex.errors import IsolationUnavailable, RequestInvalid, WorkerDied
from trex.interface import Interface
from trex.isolation.profile import LAYERS
from trex.limits import Limits
from trex.protocol.messages import Evaluate, Evaluated, Finished, Ready, Start
from trex.runner.workers import Template, WorkerProcess, start

LANGUAGES = str(Path(__file__).parent.parent.parent / "languages")


def cold() -> WorkerProcess:
    return start(Limits(), language="intruder", directory=LANGUAGES)


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    with Template("intruder", LANGUAGES) as made:
        yield made


def result(worker: WorkerProcess, source: str) -> object:
    deadline = time.monotonic() + 20
    assert worker.ready
    worker.channel.send(Start(source, {"n": 20}, Interface(), Limits()), deadline)
    finished = worker.channel.receive(deadline)
    assert isinstance(finished, Finished)
    return finished.value


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def test_a_cold_worker_proves_every_layer_and_answers() -> None:
    with cold() as worker:
        assert list(worker.ready.layers) == [layer.name for layer in LAYERS]
        assert worker.ready.missing == {}
        assert worker.ready.timings.keys() == {"import", "lock"}
        assert result(worker, "result = arguments['n'] + 1") == 21
        assert worker.wait() == 0


def test_a_worker_of_a_template_proves_the_same(template: Template) -> None:
    with template.start(Limits()) as worker:
        assert list(worker.ready.layers) == [layer.name for layer in LAYERS]
        assert result(worker, "result = 2") == 2
        assert worker.wait() == 0


def test_nothing_is_left_behind_by_cold_workers() -> None:
    before = descriptors()
    with cold() as worker:
        pid = worker.pid
        assert worker.ready
    assert descriptors() == before
    assert not Path(f"/proc/{pid}").exists()


def test_nothing_is_left_behind_by_a_template_and_its_workers() -> None:
    before = descriptors()
    with Template("intruder", LANGUAGES) as template:
        between = descriptors()
        with template.start(Limits()) as worker, template.start(Limits()) as other:
            assert worker.ready
            assert other.ready
            pids = [template.pid, worker.pid, other.pid]
        assert descriptors() == between
    assert descriptors() == before
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_dead_worker_keeps_its_pid_until_it_is_closed(template: Template) -> None:
    """The pid is used to place the worker: it must not come to mean another process."""
    worker = template.start(Limits())
    assert worker.ready
    worker.kill()
    assert worker.wait() == -signal.SIGKILL
    assert Path(f"/proc/{worker.pid}").exists()
    worker.close()
    with template.start(Limits()) as other:  # by its answer the template has looked at the closed pipe, or soon will
        assert other.ready
    with template.start(Limits()) as other:
        assert other.ready
        assert not Path(f"/proc/{worker.pid}").exists()


def test_ending_twice_is_harmless(template: Template) -> None:
    for worker in (cold(), template.start(Limits())):
        worker.kill()
        worker.kill()
        assert worker.wait() == -signal.SIGKILL
        worker.kill()
        worker.close()
        worker.close()


def test_a_worker_may_be_ended_before_it_is_ready() -> None:
    worker = cold()
    worker.close()
    assert not Path(f"/proc/{worker.pid}").exists()


def test_waiting_for_a_worker_that_lives_ends_with_the_timeout(template: Template) -> None:
    with template.start(Limits()) as worker:
        assert worker.ready
        assert worker.wait(timeout=0.01) is None


def test_a_language_that_is_not_there_is_a_worker_that_died() -> None:
    with (
        start(Limits(), language="no_such_language", directory=LANGUAGES) as worker,
        pytest.raises(WorkerDied) as raised,
    ):
        assert worker.ready
    assert raised.value.status == 1


def test_a_template_that_is_gone_is_said_to_be() -> None:
    with Template("no_such_language", LANGUAGES) as template, pytest.raises(WorkerDied, match="template"):
        template.start(Limits())


@pytest.mark.parametrize("isolation", ["loose", "degraded", "degraded:everything"])
def test_an_unknown_isolation_is_an_invalid_request(isolation: str) -> None:
    with pytest.raises(RequestInvalid):
        start(Limits(), isolation)


def test_a_worker_that_does_not_prove_a_layer_is_not_used() -> None:
    with cold() as worker, pytest.raises(IsolationUnavailable) as raised:
        worker._judged(Ready({layer.name: "yes" for layer in LAYERS if layer.name != "seccomp"}, {}))
    assert raised.value.missing == ("seccomp",)


def test_a_template_serves_several_threads(template: Template) -> None:
    results: list[object] = []

    def use(number: int) -> None:
        with template.start(Limits()) as worker:
            results.append(result(worker, f"result = {number}"))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == list(range(8))  # type: ignore[type-var]  # integers


def test_workers_of_one_template_run_at_the_same_time(template: Template) -> None:
    with template.start(Limits()) as first, template.start(Limits()) as second:
        assert first.ready
        assert second.ready
        assert result(second, "result = 2") == 2
        assert result(first, "result = 1") == 1


def test_an_evaluation_takes_a_worker(template: Template) -> None:
    with template.start(Limits()) as worker:
        assert worker.ready
        deadline = time.monotonic() + 20
        worker.channel.send(Evaluate(b"result = 6 * 7"), deadline)
        assert worker.channel.receive(deadline) == Evaluated(b"42")


def test_a_worker_keeps_its_template_alive() -> None:
    worker = Template("intruder", LANGUAGES).start(Limits())
    assert worker.ready
    assert result(worker, "result = 1") == 1
    worker.close()


def test_signals_are_as_in_a_new_process(template: Template) -> None:
    """A front end that ignores or blocks signals does not pass that on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        worker = cold()
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with worker:
        assert worker.ready
        status = dict(line.split(":\t") for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines())
        assert int(status["SigBlk"], 16) == 0
        assert int(status["SigCgt"], 16) == 0
        ignored = {number for number in range(1, 65) if int(status["SigIgn"], 16) >> number - 1 & 1}
        # Python's own; the C library ignores its two internal ones in what it spawns.
        assert ignored - {32, 33} == {signal.SIGPIPE, signal.SIGXFSZ}
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait() == -signal.SIGTERM


BARE = """
import os, sys
for descriptor in (0, 1, 2):
    os.close(descriptor)
from trex.limits import Limits
from trex.runner import workers
with workers.start(Limits(), language="intruder", directory=sys.argv[1]) as worker:
    os._exit(40 + len(worker.ready.layers))
"""


def test_a_broker_without_standard_descriptors_can_start_workers() -> None:
    """The sockets then have the numbers 0 and 1."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", BARE, LANGUAGES], env=environment, timeout=60)
    assert done.returncode == 40 + len(LAYERS)


def test_an_interpreter_that_cannot_be_started_refuses_the_run(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one below root's home, started for another user."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    with pytest.raises(IsolationUnavailable, match=r"python3 cannot be started: No such file or directory"):
        start(Limits())


def test_the_end_of_a_worker_can_be_polled_for() -> None:
    with cold() as worker:
        assert worker.ready
        poll = select.poll()
        poll.register(worker.pidfd, select.POLLIN)
        assert not poll.poll(0)
        worker.kill()
        assert poll.poll(5000)
