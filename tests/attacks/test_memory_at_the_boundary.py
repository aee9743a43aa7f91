"""Memory that is gone at the very moment something crosses to the broker or back: a limit, never a crash (P5, P8)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import trex

SOURCES = Path(trex.__file__).parent.parent


def ran(tmp_path: Path, script: str, memory: str) -> dict[str, Any]:
    """The outcome of a run that may do anything below one directory."""
    (tmp_path / "s").write_text(script)
    (tmp_path / "p").write_text(f'permit (principal, action, resource in file_system::Dir::"{tmp_path}");')
    command = [sys.executable, "-m", "trex", "run", tmp_path / "s", "-p", tmp_path / "p", "--max-memory", memory]
    done = subprocess.run(command, capture_output=True, env={"PYTHONPATH": str(SOURCES)}, timeout=60, check=False)
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@pytest.mark.parametrize(("doublings", "memory"), [(23, "32M"), (24, "64M"), (25, "128M")])
def test_a_result_that_leaves_no_memory_to_send_it_is_a_limit(tmp_path, doublings, memory):
    """The encoder of messages died where its buffer could not grow: a signal in place of a limit."""
    outcome = ran(tmp_path, f'let s = "x"; for i in 0..{doublings} {{ s += s; }} s', memory)
    assert outcome["error"]["code"] == "limit_exceeded"


def test_a_reply_that_finds_no_memory_is_a_limit(tmp_path):
    """A script that fills its memory with answers: while one is read, none is left, and a call is still open."""
    (tmp_path / "many").mkdir()
    for number in range(60):
        (tmp_path / "many" / str(number)).touch()
    call = f'let d = DirConfig().path("{tmp_path}/many").build().open(OpenDirOptions().build());'
    outcome = ran(tmp_path, call + "let a = []; loop { a.push(list_entries(d)); }", "24M")
    assert (outcome["error"]["code"], outcome["error"]["limit"]) == ("limit_exceeded", "max_memory")


def test_a_large_reply_that_finds_no_memory_is_a_limit(tmp_path):
    """The rest of a reply that cannot be taken is still on its way when the script's end has to be said."""
    (tmp_path / "large").write_text("x" * (20 << 20))
    outcome = ran(tmp_path, f'let a = []; loop {{ a.push(cat("{tmp_path}/large")); }}', "40M")
    assert (outcome["error"]["code"], outcome["error"]["limit"]) == ("limit_exceeded", "max_memory")


def test_a_message_without_memory_is_an_error_and_not_a_crash():
    """The same, at the encoder itself."""
    program = (
        "import resource\n"
        "from trex.protocol.encoding import encode_value\n"
        "text = 'x' * (1 << 25)\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20),) * 2)\n"
        "try:\n    encode_value([text])\nexcept MemoryError:\n    print('refused')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env={"PYTHONPATH": str(SOURCES)},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"refused\n")
