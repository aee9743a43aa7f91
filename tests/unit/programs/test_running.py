"""Real programs: fed, listened to, bounded, and ended with everything that they started."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trex.broker.budget import Budget
from trex.errors import LimitExceeded, Terminated
from trex.limits import MIB, Limits
from trex.programs import Finished, launch
from trex.programs.running import GRACE, NotStarted, Program, TimedOut, TooMuchOutput

SH = os.path.realpath("/bin/sh")
SECONDS = 30.0


class Runs:
    """Programs under one budget; all of them end with the test."""

    def __init__(self, limits: Limits | None = None, seconds: float = SECONDS) -> None:
        self.budget = Budget(limits or Limits(), time.monotonic() + seconds)
        self.programs: list[Program] = []

    def start(
        self, *arguments: str, program: str = SH, environment: tuple[str, ...] = ("PATH=/usr/bin:/bin",), **how: Any
    ) -> Program:
        descriptor = os.open(program, os.O_RDONLY | os.O_CLOEXEC)
        try:
            started = Program(
                descriptor,
                [b"sh", *(each.encode() for each in arguments)],
                [each.encode() for each in environment],
                **how,
            )
        finally:
            os.close(descriptor)
        self.programs.append(started)
        return started

    def sh(self, script: str, timeout: float | None = None, max_output: int | None = None, **how: Any) -> Finished:
        return self.start("-c", script, **how).finish(self.budget, timeout, max_output)


@pytest.fixture
def runs() -> Iterator[Runs]:
    made = Runs()
    yield made
    for program in made.programs:
        program.close()


def wait_until_gone(pid: int) -> None:
    """Wait for the end of a process that is not ours; fails after a while."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    assert poll.poll(SECONDS * 1000), f"process {pid} goes on"
    os.close(descriptor)


def is_running(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    return False


# --- how it ends, and what it wrote ---


def test_output_error_and_status_are_told(runs):
    assert runs.sh("echo out; echo err >&2; exit 3") == Finished(3, b"out\n", b"err\n")


def test_a_signal_is_a_negative_status(runs):
    assert runs.sh("kill -9 $$").status == -9


def test_megabytes_of_both_outputs_arrive_whole(runs):
    done = runs.sh("head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2")
    assert (done.status, len(done.stdout), len(done.stderr)) == (0, 3_000_000, 2_000_000)


def test_a_program_that_closes_its_streams_is_waited_for(runs, tmp_path):
    assert runs.sh(f"exec >&- 2>&-; sleep 0.2; echo late > {tmp_path}/late").status == 0
    assert (tmp_path / "late").read_text() == "late\n"


def test_standard_input_is_what_was_given_and_nobody_can_change_it(runs):
    assert runs.sh("cat; cat; echo x 2>/dev/null >&0 || echo read-only", stdin=b"in\n").stdout == b"in\nread-only\n"


def test_standard_input_may_be_megabytes_and_is_not_read_by_force(runs):
    assert runs.sh("exit 0", stdin=b"x" * (3 * MIB)).status == 0
    assert runs.sh("wc -c", stdin=b"x" * (3 * MIB)).stdout.strip() == str(3 * MIB).encode()


def test_without_input_there_is_nothing_to_read(runs):
    assert runs.sh("cat") == Finished(0, b"", b"")


def test_the_environment_is_exactly_the_given_one(runs):
    done = runs.start(program=os.path.realpath("/usr/bin/env"), environment=("A=1", "B=two words"))
    assert done.finish(runs.budget).stdout == b"A=1\nB=two words\n"


def test_it_runs_in_the_given_directory(runs, tmp_path):
    directory = os.open(tmp_path, os.O_PATH | os.O_CLOEXEC)
    assert runs.sh("pwd -P", directory=directory).stdout.decode() == f"{tmp_path}\n"
    os.close(directory)


def test_kept_descriptors_are_where_they_are_expected(runs, tmp_path):
    (tmp_path / "a").write_text("first")
    (tmp_path / "b").write_text("second")
    kept = tuple(os.open(tmp_path / name, os.O_RDONLY | os.O_CLOEXEC) for name in "ab")
    assert runs.sh("cat <&4; cat /dev/fd/3", kept=kept).stdout == b"secondfirst"
    for each in kept:
        os.close(each)


@pytest.mark.parametrize("low", [True, False])
def test_it_does_not_matter_where_the_descriptors_were(runs, tmp_path, low):
    """Descriptors that stand in each other's way must not overwrite one another."""
    (tmp_path / "a").write_text("kept")
    numbers = [os.open(tmp_path / "a", os.O_RDONLY | os.O_CLOEXEC), os.open(tmp_path, os.O_PATH | os.O_CLOEXEC)]
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 3 if low else 300 - each) for each in reversed(numbers)]
    directory, kept = moved
    assert (
        runs.sh("cat <&3; pwd -P", directory=directory, kept=(kept,)).stdout == b"kept" + str(tmp_path).encode() + b"\n"
    )
    for each in (*numbers, *moved):
        os.close(each)


# --- what it finds ---


def test_no_descriptor_of_ours_reaches_it(runs, tmp_path):
    os.set_inheritable(os.open(tmp_path, os.O_RDONLY), True)
    listed = runs.sh("ls /proc/self/fd").stdout.split()
    assert listed == [b"0", b"1", b"2", b"3"]  # the last is that of `ls` itself


def test_signals_are_neither_blocked_nor_ignored(runs):
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        told = runs.sh("grep -E '^Sig(Blk|Ign)' /proc/self/status").stdout.split()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGHUP, previous)
    assert told[1::2] == [b"0" * 16, b"0" * 16]


def test_our_own_signals_are_as_they_were(runs):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    runs.sh("exit 0")
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_it_leads_a_session_of_its_own_without_a_terminal(runs):
    pid, session = runs.sh(
        "read pid comm state ppid group session rest < /proc/$$/stat; echo $$ $session"
    ).stdout.split()
    assert pid == session
    assert runs.sh(": < /dev/tty").status != 0


def test_a_crash_leaves_no_core_file(runs):
    assert runs.sh("ulimit -c; ulimit -H -c").stdout == b"0\n0\n"


def test_it_may_run_on_every_processor_that_we_may(runs):
    told = runs.sh("grep Cpus_allowed_list /proc/self/status").stdout.split()[1].decode()
    allowed = Path("/proc/self/status").read_text().split("Cpus_allowed_list:")[1].split()[0]
    assert told == allowed


# --- what is no exit status ---


def test_a_file_that_is_no_program_is_not_started(runs, tmp_path):
    (tmp_path / "text").write_text("hello")
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(NotStarted) as failed:
        runs.start(program=str(tmp_path / "text")).finish(runs.budget)
    assert (failed.value.stage, failed.value.number) == ("execution", 8)


def test_a_file_that_may_not_be_executed_is_not_started(runs, tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(NotStarted) as failed:
        runs.start(program=str(tmp_path / "text")).finish(runs.budget)
    assert (failed.value.stage, failed.value.number) == ("execution", 13)


def test_a_program_with_status_127_did_run(runs):
    assert runs.sh("exit 127").status == 127


@pytest.mark.skipif(os.geteuid() == 0, reason="root may become anybody")
def test_an_ordinary_user_cannot_become_another(runs):
    with pytest.raises(NotStarted) as failed:
        runs.sh("exit 0", identity=launch.Identity(0, 0, (0,)))
    assert failed.value.stage == "user"


# --- time ---


def test_one_that_takes_too_long_is_asked_to_end_and_then_ended(runs):
    started = time.monotonic()
    with pytest.raises(TimedOut):
        runs.sh("sleep 100", timeout=0.2)
    assert time.monotonic() - started < GRACE
    with pytest.raises(TimedOut):
        runs.sh("trap '' TERM; sleep 100; sleep 100", timeout=0.2)
    for program in runs.programs:
        program.close()
        assert program.is_over()


def test_one_that_keeps_writing_is_ended_in_time_too(runs):
    with pytest.raises(TimedOut):
        runs.sh("while :; do echo x; sleep 0.01; done", timeout=0.3)


def test_the_end_of_the_run_ends_it():
    runs = Runs(seconds=0.3)
    with pytest.raises(LimitExceeded, match="max_time"):
        runs.sh("sleep 100")
    for program in runs.programs:
        program.close()


def test_a_run_that_is_stopped_from_outside_ends_it_at_once(runs):
    stopper = threading.Timer(0.3, lambda: runs.budget.stop("SIGTERM"))
    stopper.start()
    started = time.monotonic()
    with pytest.raises(Terminated):
        runs.sh("sleep 100")
    stopper.join()
    assert time.monotonic() - started < 10


# --- output ---


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_more_output_than_was_asked_for_ends_it(runs, stream):
    with pytest.raises(TooMuchOutput) as much:
        runs.sh("yes" if stream == "stdout" else "yes >&2", max_output=100_000)
    assert much.value.stream == stream


def test_more_output_than_an_operation_may_read_ends_it():
    runs = Runs(Limits(max_read=200_000))
    with pytest.raises(LimitExceeded, match="max_read"):
        runs.sh("yes")
    for program in runs.programs:
        program.close()


# --- what it leaves behind ---

LEFT = "sleep 100 & echo $!"
ESCAPED = "(setsid sh -c 'sleep 100 & echo $! $$; sleep 100' &) ; sleep 0.2"
HOLDING_NOTHING = "sh -c 'sleep 100 >/dev/null 2>&1 & echo $!'"


@pytest.mark.parametrize("script", [LEFT, ESCAPED])
def test_who_is_left_behind_does_not_hold_up_the_result(runs, script):
    started = time.monotonic()
    done = runs.sh(script)
    assert time.monotonic() - started < 10
    assert done.status == 0
    assert done.stdout


@pytest.mark.parametrize("script", [LEFT, ESCAPED, HOLDING_NOTHING], ids=["background", "own session", "orphan"])
def test_who_is_left_behind_ends_when_the_program_is_closed(runs, script):
    program = runs.start("-c", script)
    left = [int(each) for each in program.finish(runs.budget).stdout.split()]
    assert not program.is_over()
    assert all(map(is_running, left))
    program.close()
    assert not any(map(is_running, left))
    assert program.is_over()


def test_when_nothing_is_left_the_warden_is_gone_by_itself(runs):
    program = runs.start("-c", "sleep 0.3 & exit 0")
    program.finish(runs.budget)
    warden = program._pid
    assert is_running(warden)
    wait_until_gone(warden)
    assert program.is_over()


def test_a_program_that_forks_without_end_is_ended(runs):
    """Every process makes another and ends: none of them lives for long, and their numbers change."""
    script = "f() { (f &) ; exit 0; }; f"
    program = runs.start("-c", script)
    program.finish(runs.budget)
    program.close()
    assert program.is_over()
    wait_until_gone(program._pid)


def test_when_we_are_killed_nothing_of_it_is_left(tmp_path):
    """A process of its own plays the broker, and is killed."""
    ready, ours = os.pipe()
    broker = os.fork()
    if broker == 0:
        try:
            program = Runs().start(
                "-c",
                f"setsid sh -c 'echo $$ > {tmp_path}/pid; mv {tmp_path}/pid {tmp_path}/pid2; sleep 100' & sleep 100",
            )
            while not (tmp_path / "pid2").exists():
                time.sleep(0.01)
            os.write(ours, str(program._pid).encode())
            signal.pause()
        finally:
            os._exit(1)
    warden = int(os.read(ready, 100))
    left = int((tmp_path / "pid2").read_text())
    assert is_running(left)
    os.kill(broker, signal.SIGKILL)
    os.waitpid(broker, 0)
    wait_until_gone(left)
    wait_until_gone(warden)
    os.close(ready)
    os.close(ours)


def test_no_child_and_no_descriptor_is_left_after_many(runs):
    before, children = len(os.listdir("/proc/self/fd")), set(launch._children())
    for _ in range(20):
        program = runs.start("-c", "exit 0")
        program.finish(runs.budget)
        program.close()
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # the budget's own descriptor
    assert set(launch._children()) <= children


def test_a_program_whose_warden_is_killed_ends_with_it(runs):
    program = runs.start("-c", "echo $$; exec sleep 100")
    os.kill(program._pid, signal.SIGKILL)
    with pytest.raises(NotStarted):
        program.finish(runs.budget)


def test_children_are_found_without_the_kernels_own_list():
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    try:
        assert pid in set(launch._children_by_search())
        assert pid in launch._children()
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
