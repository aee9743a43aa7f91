"""What a file holds must not decide how much memory the broker takes (CWE-770)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = str(Path(__file__).parent.parent)

PROGRAM = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from support.host import Broker, flag, made
from trex.errors import LimitExceeded
from trex.limits import Limits
call = sys.argv[2]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[3:]:
    broker = Broker(limits=Limits(max_read=1024 * 1024))
    folder, _, name = path.rpartition("/")
    file = broker.file(broker.directory(folder), name, read=True)
    try:
        result = eval(call)
    except LimitExceeded as exceeded:
        assert exceeded.limit == "max_read"
    result = None
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""

CALLS = {
    "tail": 'broker.call("files.tail", [flag("tail", "n", 10**9)], path)',
    "tail from": 'broker.call("files.tail", [flag("tail", "from", 1)], path)',
    "lines before one": 'broker.call("files.tail", [flag("tail", "from", 10**9), flag("tail", "n", -10**9)], path)',
    "cat -n": 'broker.call("files.cat", [flag("cat", "n")], path)',
    "grep": 'broker.call("files.grep", [], "", path)',
    "grep -n": 'broker.call("files.grep", [flag("grep", "n")], "", path)',
    "search": 'broker.call("files.search", file, "")',
    "awk_filter": 'broker.call("files.awk_filter", "", path)',
    "awk_field": 'broker.call("files.awk_field", 1, ":", path)',
    "awk_filter_range": 'broker.call("files.awk_filter_range", 1, 10**9, path)',
    "awk_count_unique": 'broker.call("files.awk_count_unique", 1, ":", path)',
    "read_page": 'broker.call("files.read_page", file, made("ReadPageOptions", num_lines=10**9))',
    "read_lines": 'broker.call("files.read_lines", file, made("ReadLinesOptions", start=1))',
    "extract_strings": 'broker.call("files.extract_strings", file)',
    "sed": 'broker.call("files.sed", [flag("sed", "g"), flag("sed", "regex")], "a|x|$", "y", path)',
}

CONTENTS = {
    "empty lines": b"\n" * 3_000_000,
    "short lines": b"ab\n" * 1_000_000,
    "short texts": b"abcd\0" * 600_000,
    "different lines": b"".join(b"%d\n" % number for number in range(400_000)),
}


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("contents")
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    yield folder
    for name in CONTENTS:
        (folder / name).unlink()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_millions_of_tiny_things_do_not_fill_the_memory(contents, call):
    """Files of 3 MB whose lines or texts take fifty times as much memory, one by one."""
    paths = [str(contents / name) for name in CONTENTS]
    ran = subprocess.run([sys.executable, "-c", PROGRAM, TESTS, call, *paths], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 48 * 1024, "KiB more than before"
