"""Scripts that execute programs, as whole runs: what comes out, and that nothing is left behind."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

import pytest

from trex.isolation import landlock

try:
    landlock.abi()
except OSError as error:  # pragma: no cover
    pytest.skip(f"no Landlock: {error.strerror}", allow_module_level=True)

ACTIONS = "open read write create delete chmod execute".split()
EXECUTE = """
let run = DirConfig().path(ARGUMENT).build().open(OpenDirOptions().build())
    .open_file("run", OpenFileOptions().read(true).build());
run.execute(ExecuteOptions().working_directory(ARGUMENT).build()).to_map()
"""
# Tells its number and that of one in a session of its own, and stays.
STAYING = "#!/bin/sh\n(setsid sh -c 'echo $$ > other; exec sleep 1000' &)\necho $$ > pid\nexec sleep 1000\n"


def script(trex, content: str) -> str:
    """The script that executes a program with that content."""
    path = trex.files / "run"
    path.write_text(content)
    path.chmod(0o755)
    return EXECUTE.replace("ARGUMENT", f'"{trex.files}"')


def tools(trex) -> str:
    """A policy that also lets programs use those of /usr/bin."""
    return (
        trex.permit(*ACTIONS)
        + """permit (principal, action in [file_system::Action::"open", file_system::Action::"read",
            file_system::Action::"execute"], resource in file_system::Dir::"/usr/bin");"""
    )


def until(process, path: Path) -> int:
    """The number in a file, as soon as it is there."""
    while not (path.exists() and path.read_text().strip()):
        assert process.poll() is None, process.stdout.read()
        select.select([], [], [], 0.01)
    return int(path.read_text())


def assert_gone(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(20_000), "a process goes on"
        os.close(descriptor)


def test_a_script_gets_what_a_program_gives(trex):
    result = trex.run(script(trex, "#!/bin/sh\necho out; echo err >&2; exit 3\n"), policy=trex.permit(*ACTIONS))
    assert result.status == 0
    assert result.document["value"] == {"exit_code": 3, "stdout": "out\n", "stderr": "err\n"}


def test_a_program_reaches_no_more_than_its_script(trex):
    (trex.directory / "secret").write_text("SECRET")
    result = trex.run(script(trex, "#!/bin/sh\ncat ../secret; ls / ; ls\n"), policy=tools(trex))
    assert result.document["value"]["stdout"] == "run\n"
    assert result.document["value"]["stderr"].count("Permission denied") == 2


def test_a_denied_program_is_a_denial(trex):
    result = trex.run(script(trex, "#!/bin/sh\ntouch ran\n"), policy=trex.permit("open", "read"))
    assert (result.status, result.code) == (3, "access_denied")
    assert os.listdir(trex.files) == ["run"]


def test_the_audit_says_that_a_program_was_confined_and_how_it_ended(trex):
    trex.run(script(trex, "#!/bin/sh\nexit 3\n"), "--audit", "log", policy=trex.permit(*ACTIONS))
    text = (trex.directory / "log").read_text()
    assert '"confined":true' in text
    assert '"exit_code":3' in text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_a_run_that_is_ended_from_outside_takes_its_programs_with_it(trex, number):
    process = trex.start(script(trex, STAYING), policy=tools(trex))
    left = [os.pidfd_open(until(process, trex.files / name)) for name in ("pid", "other")]
    process.send_signal(number)
    process.wait(30)
    process.stdout.close()
    process.stderr.close()
    assert_gone(left)


def test_the_end_of_its_time_ends_the_programs_of_a_run(trex):
    process = trex.start(script(trex, STAYING), "--max-time", "3s", policy=tools(trex))
    left = [os.pidfd_open(until(process, trex.files / name)) for name in ("pid", "other")]
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 4
    assert b"max_time" in out
    assert_gone(left)


def test_what_a_program_left_behind_ends_with_the_run(trex):
    content = "#!/bin/sh\nsleep 1000 & echo $!\n"
    result = trex.run(script(trex, content), policy=tools(trex))
    assert result.status == 0
    assert not Path("/proc", result.document["value"]["stdout"].strip()).exists()
