"""A kernel without a layer: refuse, unless the degraded mode names it.

The kernel lacks nothing here, so the starting process first takes the system call away from itself
and its children by a filter: for them it is a kernel built without.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

LANGUAGES = str(Path(__file__).parent.parent.parent / "languages")

WITHOUT = """
import ctypes, os, struct, sys
from trex.isolation import kernel, seccomp
from trex.isolation.seccomp import Instruction as I, LOAD, JUMP_IF_EQUAL, RETURN, ALLOW

mode, number, errno, directory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
lines = [I(LOAD, 0), I(JUMP_IF_EQUAL, number, if_false=1), I(RETURN, 0x00050000 | errno), I(RETURN, ALLOW)]
code = seccomp.assemble(lines)
buffer = ctypes.create_string_buffer(code, len(code))
if number:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.call("seccomp", 1, 0, struct.pack("=H6xQ", len(lines), ctypes.addressof(buffer)))

from trex.errors import TrexError
from trex.limits import Limits
from trex.runner import workers
try:
    with workers.start(Limits(), mode, language="intruder", directory=directory) as worker:
        print("ready", ",".join(worker.ready.layers), "missing", ",".join(worker.ready.missing))
except TrexError as error:
    print(error.code, error)
"""

LANDLOCK_CREATE_RULESET = 444
SECCOMP = {"x86_64": 317, "aarch64": 277}.get(platform.machine(), 0)
SETRESUID = {"x86_64": 117, "aarch64": 147}.get(platform.machine(), 0)
ENOSYS, EOPNOTSUPP, EPERM = 38, 95, 1


def start_without(number: int, errno: int, mode: str) -> str:
    """What a worker's start says on a kernel where that system call fails so."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WITHOUT, mode, str(number), str(errno), LANGUAGES]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("errno", [ENOSYS, EOPNOTSUPP])
def test_without_landlock_a_strict_start_is_refused(errno: int) -> None:
    said = start_without(LANDLOCK_CREATE_RULESET, errno, "strict")
    assert said.startswith("isolation_unavailable the worker cannot be isolated: missing landlock (")


def test_without_landlock_a_start_that_names_it_goes_on_and_says_so() -> None:
    said = start_without(LANDLOCK_CREATE_RULESET, ENOSYS, "degraded:landlock").split()
    assert said[0] == "ready"
    assert said[3] == "landlock"
    assert "landlock" not in said[1].split(",")
    assert "seccomp" in said[1].split(",")


def test_without_landlock_a_start_that_names_another_layer_is_refused() -> None:
    assert "missing landlock" in start_without(LANDLOCK_CREATE_RULESET, ENOSYS, "degraded:seccomp")


@pytest.mark.parametrize("errno", [ENOSYS, EPERM])
def test_without_filters_a_strict_start_is_refused(errno: int) -> None:
    assert "missing seccomp" in start_without(SECCOMP, errno, "strict")


def test_without_filters_a_start_that_names_them_goes_on_and_says_so() -> None:
    said = start_without(SECCOMP, ENOSYS, "degraded:seccomp,landlock").split()
    assert said[0] == "ready"
    assert said[3] == "seccomp"
    assert "landlock" in said[1].split(",")


def test_a_degraded_mode_gives_up_nothing_that_is_there() -> None:
    said = start_without(0, 0, "degraded:landlock,seccomp,user,capabilities").split()
    assert {"landlock", "seccomp", "user", "capabilities"} <= set(said[1].split(","))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a user to become")
def test_root_that_cannot_become_another_user_is_refused() -> None:
    assert "missing user" in start_without(SETRESUID, EPERM, "strict")
