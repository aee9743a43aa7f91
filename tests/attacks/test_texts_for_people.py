"""Texts that a script or a stranger chooses and a person reads: none may look like a line of Trex, or steer a terminal (P6)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import trex
from support.host import Broker, Failure, made
from trex.errors import RequestInvalid
from trex.runner import request
from trex.runner.arguments import ArgumentsInvalid
from trex.runner.check import check_script
from trex.runner.request import Request, Source

SOURCES = Path(trex.__file__).parent.parent
FORGED = "x\\nerror: forged\\nalarm: forged\\ntrex: forged\\x1b[31m"


def ran(tmp_path: Path, script: str) -> list[str]:
    """The lines that a person gets to see of a run."""
    (tmp_path / "s").write_text(script)
    (tmp_path / "p").write_text("permit (principal, action, resource);")
    command = [sys.executable, "-m", "trex", "run", tmp_path / "s", "-p", tmp_path / "p", "-o", "human", "-v"]
    done = subprocess.run(command, capture_output=True, env={"PYTHONPATH": str(SOURCES)}, timeout=60, check=False)
    return (done.stdout + done.stderr).decode().splitlines()


@pytest.mark.parametrize(
    "script",
    [
        f'throw "{FORGED}"',
        f'publish(AlarmBuilder().type("{FORGED}"))',
        f'publish(AlarmBuilder().type("a").details("{FORGED}"))',
        f'publish(MetricBuilder().name("{FORGED}").value(1.0).unit(MetricUnitType::COUNT))',
    ],
)
def test_no_text_of_a_script_begins_a_line_of_its_own(tmp_path, script):
    """Line breaks in what is thrown, and in names and details of metrics and alarms."""
    lines = ran(tmp_path, script)
    assert any("forged" in line for line in lines)
    assert not [line for line in lines if line.startswith(("error: forged", "alarm: forged", "trex: forged"))]
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "\x1b[31mscript"],
        ["eval", "\x1b[31mscript"],
        ["audit", "\x1b[31mlog"],
        ["check", "-p", "\x1b[31mpolicy"],
    ],
)
def test_no_name_on_the_command_line_steers_the_terminal(tmp_path, arguments):
    """Names of files that a stranger made, completed by a shell."""
    primary, secondary = os.openpty()
    environment = {"PYTHONPATH": str(SOURCES), "TERM": "dumb", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "trex", *arguments]
    done = subprocess.run(
        command, stdout=secondary, stderr=secondary, cwd=tmp_path, env=environment, timeout=60, check=False
    )
    os.close(secondary)
    shown = os.read(primary, 65536)
    os.close(primary)
    assert done.returncode == 5
    assert b"[31m" in shown
    assert b"\x1b" not in shown


def test_a_name_that_is_no_text_is_refused_and_not_a_fault(tmp_path):
    """Bytes that are not UTF-8 on the command line, in names that go to the worker or into the outcome."""
    (tmp_path / "s").write_text("1")
    source = Source(str(tmp_path / "s"))
    wanted = Request(source, source, modules=(("\udcff", source),))
    with pytest.raises(RequestInvalid, match="not valid Unicode"):
        request.read(wanted, float("inf"))
    with pytest.raises(ArgumentsInvalid):
        check_script(source, ("a\udcff",), (), wanted.limits, "strict")


@pytest.mark.parametrize("name", ["/dev/zero", "fifo"])
def test_an_audit_log_that_never_ends_is_not_read(tmp_path, name):
    """`trex audit` of something else than a file would wait, or read, for ever."""
    from trex.audit import verify

    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="Invalid argument"):
        verify(tmp_path / name)


@pytest.mark.parametrize("field", ["user", "group"])
def test_who_may_not_run_a_program_does_not_learn_which_accounts_there_are(field):
    """P7: an unknown user was told as such before the policy was asked."""
    policy = 'permit (principal, action == file_system::Action::"open", resource);'
    broker = Broker(policy)
    program = broker.file(broker.directory("/usr/bin"), "env", read=True)
    told = set()
    for name in ("daemon", "nobody-has-this-name"):
        with pytest.raises(Failure) as caught:
            broker.call("execution.execute", program, made("ExecuteOptions", **{field: name}))
        told.add((caught.value.kind, caught.value.message))
    assert len(told) == 1


def test_a_namespace_of_a_number_that_no_process_can_have_is_an_error():
    """Integers beyond the kernel's: a fault of the broker would end the run."""
    broker = Broker()
    program = broker.file(broker.directory("/usr/bin"), "env", read=True)
    namespace = made("ChildNamespaceOptions", target_process=2**32 - 1)
    with pytest.raises(Failure, match="Failed to open pidfd"):
        broker.call("execution.execute", program, made("ExecuteOptions", namespace=namespace))
