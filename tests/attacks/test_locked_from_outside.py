"""P4: what others can do to a worker, and what becomes of it when its broker is gone."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trex.interface import Interface
from trex.limits import Limits
from trex.protocol.messages import Finished, Log, Start
from trex.runner.workers import Template, WorkerProcess, start

from .conftest import LANGUAGES, run

ATTACH = 16  # PTRACE_ATTACH
IS_ROOT = os.geteuid() == 0


def status_of(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def uid_of(pid: int) -> int:
    """The uid that a process runs as."""
    return int(status_of(pid)["Uid"].split()[0])


def as_uid(uid: int, attempt: Callable[[], None]) -> int:
    """Run something in a child with that uid and no privileges; the errno of its failure, or 0."""
    pid = os.fork()
    if pid == 0:
        code = 0
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            attempt()
        except OSError as problem:
            code = problem.errno or 255
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def busy(intruder: WorkerProcess) -> Iterator[WorkerProcess]:
    """A worker that has said that it runs, and loops."""
    assert intruder.ready
    deadline = time.monotonic() + 10
    source = "host.log('INFO', 'running', 1)\nwhile True: pass"
    intruder.channel.send(Start(source, {}, Interface(), Limits()), deadline)
    assert isinstance(intruder.channel.receive(deadline), Log)
    return intruder


def test_the_kernel_agrees_with_the_proof(intruder: WorkerProcess) -> None:
    """What the worker says about itself, seen from outside."""
    layers = intruder.ready.layers
    status = status_of(intruder.pid)
    assert layers["seccomp"]
    assert status["Seccomp"] == "2"
    assert status["Seccomp_filters"] == "1"
    assert status["NoNewPrivs"] == "1"
    assert status["Threads"] == "1"
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    if IS_ROOT:
        assert status["CapBnd"] == "0" * 16
        assert status["Groups"].strip() == ""
        assert len(set(status["Uid"].split())) == 1
        assert 61184 <= uid_of(intruder.pid) < 65520
        assert layers["user"] == f"uid {uid_of(intruder.pid)}"


@pytest.mark.skipif(not IS_ROOT, reason="needs root to look into a process that nobody else may look into")
def test_root_sees_one_descriptor_and_no_environment(intruder: WorkerProcess) -> None:
    """/proc/PID/fd and /proc/PID/environ, as an administrator reads them."""
    assert intruder.ready
    proc = Path(f"/proc/{intruder.pid}")
    assert [entry.name for entry in (proc / "fd").iterdir()] == ["3"]
    assert (proc / "environ").read_bytes() == b""
    assert os.readlink(proc / "cwd") == "/"


@pytest.mark.parametrize("file", ["environ", "mem", "maps", "fd", "syscall", "stack"])
def test_a_process_of_the_same_user_cannot_look_into_a_worker(intruder: WorkerProcess, file: str) -> None:
    """Another worker of the same uid, or the user's own programs: not dumpable means not theirs."""
    assert intruder.ready
    path = f"/proc/{intruder.pid}/{file}"

    def look() -> None:
        if file == "fd":
            os.listdir(path)
        else:
            with open(path, "rb") as opened:
                opened.read(1)

    assert as_uid(uid_of(intruder.pid), look) in (1, 13)  # EPERM, EACCES


def test_a_process_of_the_same_user_cannot_trace_a_worker(intruder: WorkerProcess) -> None:
    """ptrace: to put code into the worker, or take data out of it."""
    assert intruder.ready
    libc = ctypes.CDLL(None, use_errno=True)

    def attach() -> None:
        if libc.ptrace(ATTACH, intruder.pid, None, None) == -1:
            raise OSError(ctypes.get_errno(), "ptrace")

    assert as_uid(uid_of(intruder.pid), attach) == 1


def test_a_crash_leaves_no_core_file() -> None:
    """Core dumps hold a script's data; a handler of cores may run as root."""
    with start(Limits(), language="intruder", directory=LANGUAGES) as worker:
        assert worker.ready
        os.kill(worker.pid, signal.SIGSEGV)
        ended = os.waitid(os.P_PIDFD, worker.pidfd, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        assert ended.si_code == os.CLD_KILLED  # not CLD_DUMPED
        assert worker.wait() == -signal.SIGSEGV


def test_a_sleep_goes_on_after_a_stop(intruder: WorkerProcess) -> None:
    """SIGSTOP and SIGCONT in a sleep: the kernel restarts it by a system call of its own."""
    assert intruder.ready
    deadline = time.monotonic() + 10
    source = "host.log('INFO', 'asleep', 1)\ntime.sleep(0.2)\nresult = 'awake'"
    intruder.channel.send(Start(source, {}, Interface(), Limits()), deadline)
    assert isinstance(intruder.channel.receive(deadline), Log)
    os.kill(intruder.pid, signal.SIGSTOP)
    os.kill(intruder.pid, signal.SIGCONT)
    finished = intruder.channel.receive(deadline)
    assert isinstance(finished, Finished)
    assert finished.value == "awake"


def test_the_terminal_cannot_interrupt_a_worker(busy: WorkerProcess) -> None:
    """Ctrl-C goes to the broker's process group; the worker is in a session of its own."""
    assert os.getsid(busy.pid) == busy.pid
    assert os.getpgid(busy.pid) != os.getpgid(0)


BROKER = """
import signal, sys, time
from trex.interface import Interface
from trex.limits import Limits
from trex.protocol.messages import Log, Start
from trex.runner import workers
way, directory, source = sys.argv[1:]
if way == "template":
    worker = workers.Template("intruder", directory).start(Limits())
else:
    worker = workers.start(Limits(), language="intruder", directory=directory)
worker.ready
deadline = time.monotonic() + 30
worker.channel.send(Start("host.log('INFO', 'x', 1)\\n" + source, {}, Interface(), Limits()), deadline)
assert isinstance(worker.channel.receive(deadline), Log)
print(worker.pid, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("way", ["worker", "template"])
@pytest.mark.parametrize("source", ["while True: pass", "time.sleep(1000)", "host.call('x', [], 1)"])
def test_a_worker_dies_with_its_broker(way: str, source: str) -> None:
    """kill -9 of the broker: no script goes on alone, computing, sleeping or waiting."""
    command = [sys.executable, "-c", BROKER, way, LANGUAGES, source]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    broker = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    try:
        assert broker.stdout is not None
        worker = os.pidfd_open(int(broker.stdout.readline()))
    finally:
        broker.kill()
        broker.wait()
        broker.stdout.close()
    poll = select.poll()
    poll.register(worker, select.POLLIN)
    assert poll.poll(5000), "the worker lives on"
    os.close(worker)


def test_workers_die_with_their_template() -> None:
    """The chain holds link by link."""
    with Template("intruder", LANGUAGES) as template, template.start(Limits()) as worker:
        assert worker.ready
        os.kill(template.pid, signal.SIGKILL)
        assert worker.wait() is None  # it has ended; who knew how is gone
        poll = select.poll()
        poll.register(worker.pidfd, select.POLLIN)
        assert poll.poll(0)


def test_two_workers_share_nothing(intruders: Template) -> None:
    """Workers of one template: other uids, no way to each other's processes or memory."""
    with intruders.start(Limits()) as first, intruders.start(Limits()) as second:
        assert first.ready
        assert second.ready
        assert first.pid != second.pid
        assert run(first, "kept = 'secret of the first'\nresult = 1").value == 1
        assert run(second, "result = 'kept' in globals()").value is False
