"""The guide to core dumps, as it is written there: its script under its policy, and under less."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from support import dumps

pytestmark = dumps.NEEDED

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/core-dumps.md"


@pytest.fixture
def crashed(trex, tmp_path_factory):
    """The guide's script and policy, about a program that failed in the directory of this test."""
    program, core = dumps.failed_program(tmp_path_factory.mktemp("dumps"))
    shutil.copy(program, trex.files / "serverd")
    shutil.copy(core, trex.files / "core.4711")
    text = GUIDE.read_text().replace("/srv/crash", str(trex.files))
    for language, name in (("rhai", "crash.rhai"), ("cedar", "crash.cedar")):
        (block,) = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        trex.write(name, block)
    gdb = Path("/usr/bin/gdb").resolve()
    with (trex.directory / "crash.cedar").open("a") as policy:  # where that is a link
        policy.write(f'permit (principal, action, resource == file_system::File::"{gdb}");\n')
    return trex


def test_the_script_tells_where_the_program_failed(crashed):
    result = crashed.command("run", "crash.rhai", "--policy", "crash.cedar")
    assert result.status == 0, result.stdout
    logged = [record["attributes"]["message"] for record in result.document["logs"]]
    assert [line.split()[:2] for line in logged[:4]] == [["0", "fail"], ["1", "fail"], ["2", "fail"], ["3", "main"]]
    assert result.document["value"] == {"sizes[0]": "10"}


def test_without_execute_nothing_is_told(crashed):
    policy = crashed.directory / "crash.cedar"
    policy.write_text(policy.read_text() + 'forbid (principal, action == file_system::Action::"execute", resource);\n')
    result = crashed.command("run", "crash.rhai", "--policy", "crash.cedar")
    assert result.status == 3
    assert 'file_system::Action::"execute"' in result.message
    assert result.document["logs"] == []
