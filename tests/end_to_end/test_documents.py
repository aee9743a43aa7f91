"""What the documents show happens when it is typed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def tutorial(trex):
    """The tutorial's script and policy, about a directory of this test."""
    (script,) = blocks("docs/tutorial.md", "rhai")
    (policy,) = blocks("docs/tutorial.md", "cedar")
    trex.write("hello.rhai", script.replace("/tmp/tutorial", str(trex.files)))
    trex.write("hello.cedar", policy.replace("/tmp/tutorial", str(trex.files)))
    trex.write("empty.cedar", "")
    return trex


def test_the_tutorial_s_script_greets_under_its_policy(tutorial):
    result = tutorial.command("run", "hello.rhai", "--policy", "hello.cedar", "--arg", "name=Ada", "-o", "human")
    assert (result.status, result.stdout) == (0, "Hello, Ada!\n")


def test_the_tutorial_s_script_is_denied_under_no_policy(tutorial):
    result = tutorial.command("run", "hello.rhai", "--policy", "empty.cedar", "--arg", "name=Ada", "-o", "human")
    assert result.status == 3
    assert "no policy permits it" in result.stderr


def test_the_tutorial_s_names_lead_nowhere_else(tutorial):
    (tutorial.files / "link.txt").symlink_to("/etc/passwd")
    for name, words in (("../../etc/passwd", "Path traversal detected"), ("link", "file is a symbolic link")):
        result = tutorial.command(
            "run", "hello.rhai", "--policy", "hello.cedar", "--arg", f"name={name}", "-o", "human"
        )
        assert result.status == 1
        assert words in result.stderr


def test_the_tutorial_s_mistake_is_found(tutorial):
    tutorial.write("hello.cedar", (tutorial.directory / "hello.cedar").read_text().replace('"read"', '"raed"'))
    result = tutorial.command("check", "hello.rhai", "--policy", "hello.cedar", "--arg", "name")
    assert (result.status, "did you mean" in result.stdout) == (1, True)


def test_the_demo_shows_a_permitted_and_a_refused_run(trex):
    program = trex.write("trex", f'#!/bin/sh\nexec "{sys.executable}" -m trex "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{trex.directory}:{os.environ['PATH']}"}
    done = subprocess.run(
        [ROOT / "examples/log-report/demo"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "total: 2 errors" in done.stdout
    assert "(exit status 3)" in done.stdout
    assert "no policy permits it" in done.stderr
    assert not Path("/tmp/trex-demo").exists()


def test_the_hello_example_greets(trex):
    result = trex.command(
        "run",
        *(
            f"{flag}{ROOT}/examples/hello/{name}"
            for flag, name in (("-s", "hello.rhai"), ("-p", "hello.cedar"), ("-a", "arguments.json"))
        ),
    )
    assert (result.status, result.document["output"]) == (0, "Hello from Trex!\n")
    Path("/tmp/trex-hello").unlink()


def test_the_request_of_the_eval_protocol_is_answered_as_shown(trex):
    (shown,) = blocks("docs/reference/eval.md", "console")
    command, answer = shown.splitlines()
    request = re.search(r"echo '(.*)' \|", command)
    assert request is not None
    assert trex.command("eval", "--json-lines", input=request[1].encode()).stdout == answer + "\n"
