"""Whole programs: `trex` as a process, with files in a directory of its own, and its outcome."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TREX = [sys.executable, "-m", "trex"]

# What a test's own directory may be used for, in full.
ALL_FILE_ACTIONS = "open read stat write create delete".split()


class Result:
    """How one `trex` process ended."""

    def __init__(self, status: int, stdout: bytes, stderr: bytes) -> None:
        self.status = status
        self.stdout = stdout.decode()
        self.stderr = stderr.decode()

    @property
    def document(self) -> dict[str, Any]:
        """The outcome; fails where standard output is not exactly one document."""
        document = json.loads(self.stdout)
        assert list(document)[:2] == ["output", "status"]
        return document

    @property
    def code(self) -> str:
        return self.document["error"]["code"]

    @property
    def message(self) -> str:
        return self.document["error"]["message"]


class Trex:
    """Runs `trex` in a directory of the test's own."""

    program = TREX

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files = directory / "files"
        self.files.mkdir()

    def permit(self, *actions: str) -> str:
        """A policy that permits these file actions on everything below `self.files`, and on the directory."""
        listed = ", ".join(f'file_system::Action::"{action}"' for action in actions or ALL_FILE_ACTIONS)
        return f'permit (principal, action in [{listed}], resource in file_system::Dir::"{self.files}");'

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def command(self, *arguments: Any, **options: Any) -> Result:
        """Any command line; standard input is empty unless given."""
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("timeout", 60)
        done = subprocess.run([*TREX, *map(str, arguments)], capture_output=True, cwd=self.directory, **options)
        return Result(done.returncode, done.stdout, done.stderr)

    def run(self, script: str | bytes, *flags: Any, policy: str | bytes | None = None, **options: Any) -> Result:
        """`trex run` of this script, with everything below `self.files` permitted unless a policy is given."""
        self.write("script.rhai", script)
        self.write("policy.cedar", self.permit() if policy is None else policy)
        return self.command("run", "script.rhai", "--policy", "policy.cedar", *flags, **options)

    def start(self, script: str, *flags: Any, policy: str | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """The same as a process that goes on."""
        self.write("script.rhai", script)
        self.write("policy.cedar", self.permit() if policy is None else policy)
        arguments = [*TREX, "run", "script.rhai", "--policy", "policy.cedar", *map(str, flags)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(arguments, cwd=self.directory, **(pipes | options))


@pytest.fixture
def trex(tmp_path: Path) -> Trex:
    return Trex(tmp_path)
