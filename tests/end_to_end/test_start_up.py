"""Start-up is a budget: what a run does not use is not imported on its way."""

from __future__ import annotations

import json
import subprocess
import sys

# Each costs milliseconds, and none is needed for a run that is told in JSON.
NOT_ON_THE_WAY = {
    "asyncio", "concurrent.futures", "cryptography", "dataclasses", "difflib", "email", "hypothesis", "importlib.metadata",
    "logging", "multiprocessing", "pydoc", "pytest", "rich", "shutil", "socketserver", "ssl", "subprocess", "tempfile",
    "unittest", "urllib.request", "xml", "zipfile",
}  # fmt: skip

PROBE = """
import json, os, sys
leave = os._exit
def end(status):
    sys.stderr.write(json.dumps(sorted(sys.modules)))
    sys.stderr.flush()
    leave(status)
os._exit = end
sys.argv = ["trex", *sys.argv[1:]]
from trex.cli import main
main()
"""


def modules_of(trex, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], cwd=trex.directory, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stdout
    return set(json.loads(done.stderr))


def test_a_run_imports_nothing_that_it_does_not_use(trex):
    trex.write("script.rhai", f'touch("{trex.files}/x"); 1')
    trex.write("policy.cedar", trex.permit())
    loaded = modules_of(
        trex, "run", "script.rhai", "--policy", "policy.cedar", "--arg", "x=1", "--output-format", "json"
    )
    assert loaded & NOT_ON_THE_WAY == set()


def test_the_broker_of_a_run_does_not_load_the_language(trex):
    trex.write("script.rhai", "1")
    trex.write("policy.cedar", "")
    loaded = modules_of(trex, "run", "script.rhai", "--policy", "policy.cedar", "-o", "json")
    assert not [name for name in loaded if name.startswith(("trex.languages.rhai", "trex.worker"))]
