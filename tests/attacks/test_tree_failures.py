"""Trees on hosts that fail: killed in the middle, full, unreadable. Nothing is lost, and what was done is said (P8)."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.host import Broker, Failure, made
from support.small_disks import mounted

TRIES = int(os.environ.get("TREX_ATTACK_TRIES", "150"))

MOVER = """
import sys
sys.path[:0] = {path!r}
from support.host import Broker, made
broker = Broker()
source, target = broker.directory({source!r}), broker.directory({target!r})
moving = broker.directory({source!r} + "/tree")
print("started", flush=True)
broker.call("files.move_directory", source, moving, target, "tree", made("MoveOptions"))
"""


@pytest.fixture
def other(tmp_path) -> Iterator[Path]:
    """A file system of its own, of 4 MiB."""
    yield from mounted(tmp_path / "other", "size=4m")


def grow(top: Path) -> dict[str, bytes]:
    """A tree, and what its files hold."""
    held = {}
    for number in range(60):
        name = f"d{number % 7}/f{number}"
        held[name] = b"%d" % number * 2000
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(held[name])
    return held


def found(top: Path) -> dict[str, bytes]:
    return {
        os.path.relpath(os.path.join(folder, name), top): Path(folder, name).read_bytes()
        for folder, _, names in os.walk(top)
        for name in names
    }


def test_a_broker_that_is_killed_while_a_tree_is_moved_loses_nothing(tmp_path, other):
    """Killed at any moment of a move to another file system: the tree is whole where it was, or where it goes to."""
    source = tmp_path / "source"
    whole_here = whole_there = 0
    for number in range(max(4, TRIES // 15)):
        held = grow(source / "tree")
        script = MOVER.format(path=sys.path, source=str(source), target=str(other))
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            time.sleep(random.Random(number).random() * 0.03)  # the event is the kill itself
            process.send_signal(signal.SIGKILL)
        here, there = found(source / "tree"), found(other / "tree")
        assert held in (here, there)
        whole_here += held == here
        whole_there += held == there
        for left in (source / "tree", *other.iterdir()):
            shutil.rmtree(left, ignore_errors=True)
    assert whole_here
    assert whole_here + whole_there >= max(4, TRIES // 15)


def test_a_full_disk_leaves_a_tree_where_it_was(tmp_path, other):
    """W-D1: the copy fails, and the source is removed all the same."""
    held = grow(tmp_path / "source" / "tree")
    (other / "filler").write_bytes(b"x" * (4 * 1024 * 1024 - 100_000))
    broker = Broker()
    source, target = broker.directory(tmp_path / "source"), broker.directory(other)
    moving = broker.directory(tmp_path / "source" / "tree")
    with pytest.raises(Failure, match=r"No space left on device \(os error 28\)"):
        broker.call("files.move_directory", source, moving, target, "tree", made("MoveOptions"))
    assert found(tmp_path / "source" / "tree") == held
    assert os.listdir(other) == ["filler"]


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the rights of somebody else")
def test_a_tree_that_cannot_be_read_as_a_whole_stays_where_it_was(tmp_path, other):
    """EACCES in the middle of a copy, for a user that may not read one file: no part arrives."""
    os.chmod(other, 0o777)
    held = grow(tmp_path / "source" / "tree")
    for above in (tmp_path, *tmp_path.parents):
        if str(above).startswith("/tmp/"):
            os.chmod(above, 0o755)
    for folder, names, others in os.walk(tmp_path / "source"):
        for name in [".", *names, *others]:
            os.chown(os.path.join(folder, name), 1234, 1234)
    os.chown(tmp_path / "source" / "tree" / "d3" / "f3", 0, 0)
    os.chmod(tmp_path / "source" / "tree" / "d3" / "f3", 0o600)
    broker = Broker()
    os.seteuid(1234)
    try:
        source, target = broker.directory(tmp_path / "source"), broker.directory(other)
        moving = broker.directory(tmp_path / "source" / "tree")
        with pytest.raises(Failure, match=r"Permission denied \(os error 13\)"):
            broker.call("files.move_directory", source, moving, target, "tree", made("MoveOptions"))
        assert os.listdir(other) == []
    finally:
        os.seteuid(0)
    assert found(tmp_path / "source" / "tree") == held


@pytest.mark.skipif(os.geteuid() != 0, reason="takes the rights of somebody else")
def test_a_copy_of_closed_directories_is_taken_back(tmp_path, other):
    """Directories that their owner may not write are copied with their modes; they go again when the copy fails."""
    os.chmod(other, 0o777)
    tree = tmp_path / "source" / "tree"
    (tree / "closed" / "inner").mkdir(parents=True)
    (tree / "closed" / "f").write_text("x")
    (tree / "large").write_bytes(b"x" * 5_000_000)
    (tree / "other" / "inner").mkdir(parents=True)
    for above in (tmp_path, *tmp_path.parents):
        if str(above).startswith("/tmp/"):
            os.chmod(above, 0o755)
    for folder, names, others in os.walk(tmp_path / "source"):
        for name in [".", *names, *others]:
            os.chown(os.path.join(folder, name), 1234, 1234)
    for name in ("closed", "closed/inner", "other"):
        os.chmod(tree / name, 0o555)
    broker = Broker()
    os.setegid(1234)
    os.seteuid(1234)
    try:
        source, target = broker.directory(tmp_path / "source"), broker.directory(other)
        moving = broker.directory(tree)
        with pytest.raises(Failure, match="No space left on device"):
            broker.call("files.move_directory", source, moving, target, "tree", made("MoveOptions"))
        assert os.listdir(other) == []
    finally:
        os.seteuid(0)
        os.setegid(0)
