"""P4: the lock holds for an ordinary user too, who has no privilege to give up and none to lock with.

The other files of this family run as whoever runs the tests. Where that is root, they run again
from here as a user without privileges.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
USER = 65533  # nobody's: no account has it, so that no file is this user's
FAMILY = ["test_system_calls.py", "test_no_authority.py", "test_locked_from_outside.py", "test_programs.py"]

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
}


def as_user(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command as that user."""
    return subprocess.run(
        command,
        user=USER,
        group=USER,
        extra_groups=[],
        env=ENVIRONMENT,
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def interpreter() -> str | None:
    """An interpreter of this version that such a user may run, with all that the tests need."""
    version = f"python3.{sys.version_info.minor}"
    for candidate in (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin"), "/usr/bin/python3"):
        check = f"import sys, pytest, hypothesis, trex.runner.workers; assert sys.version_info[1] == {sys.version_info.minor}"
        try:
            if candidate and as_user([candidate, "-c", check], 60).returncode == 0:
                return candidate
        except PermissionError:  # in a directory that is root's alone
            continue
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests run as an ordinary user already")
@pytest.mark.parametrize("file", FAMILY)
def test_the_lock_holds_for_an_ordinary_user(file: str) -> None:
    python = interpreter()
    if python is None:
        pytest.skip("no interpreter that another user may run, or sources that another user may not read")
    done = as_user([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / file)], 300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
