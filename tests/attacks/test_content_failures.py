"""Copies, moves and edits that fail half way, or are killed: nothing is lost, and nothing mixed (P8)."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from support.host import Broker, Failure, flag, made
from support.small_disks import mounted
from trex.errors import LimitExceeded, Terminated
from trex.host import changes, copying
from trex.host.paths import decode
from trex.limits import Limits

IS_ROOT = os.geteuid() == 0
TRIES = int(os.environ.get("TREX_ATTACK_TRIES", "150"))
GIB = 1024**3


def state(path: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(each.relative_to(path)): (each.lstat().st_mode, each.read_bytes() if each.is_file() else b"")
        for each in sorted(path.rglob("*"))
    }


def handle(broker: Broker, path: Path, name: str = "f", **options: bool) -> Any:
    return broker.file(broker.directory(path), name, **options)


# --- the disk is full ---

LARGE = "x" * 200_000

FULL = {
    "cp": lambda broker, large, path: broker.call("files.cp", [flag("cp", "f")], str(large), f"{path}/f"),
    "cp new": lambda broker, large, path: broker.call("files.cp", [], str(large), f"{path}/new"),
    "cp to a file of two names": lambda broker, large, path: broker.call(
        "files.cp", [flag("cp", "f")], str(large), f"{path}/g"
    ),
    "copy": lambda broker, large, path: broker.call(
        "files.copy",
        handle(broker, large.parent, large.name, read=True),
        handle(broker, path, write=True),
        made("CopyFileOptions", force=True),
    ),
    "mv": lambda broker, large, path: broker.call("files.mv", [], str(large), f"{path}/f"),
    "mv new": lambda broker, large, path: broker.call("files.mv", [flag("mv", "b")], str(large), f"{path}/new"),
    "move": lambda broker, large, path: broker.call(
        "files.move_file",
        handle(broker, large.parent, large.name, read=True),
        broker.directory(path),
        "f",
        made("MoveOptions"),
    ),
    "sed": lambda broker, large, path: broker.call("files.sed", [flag("sed", "i")], "old", LARGE, f"{path}/f"),
    "write_in_place": lambda broker, large, path: broker.call(
        "files.write_in_place", handle(broker, path, write=True), LARGE
    ),
    "fallocate": lambda broker, large, path: broker.call(
        "files.fallocate", handle(broker, path, write=True), made("FallocateOptions", length=len(LARGE))
    ),
}


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
@pytest.mark.parametrize("fail", FULL.values(), ids=FULL)
def test_a_full_disk_leaves_both_ends_as_they_were(small, tmp_path, fail):
    """CWE-703: the disk is full in the middle; the destination, the source and all names stay."""
    (small / "f").write_text("old")
    (small / "g").write_text("old")
    os.link(small / "g", small / "h")
    large = tmp_path / "large"
    large.write_text(LARGE)
    before = state(small)
    with pytest.raises(Failure) as failed:
        fail(Broker(), large, small)
    assert "No space left on device (os error 28)" in failed.value.message
    assert failed.value.denial is None
    assert state(small) == before
    assert large.read_text() == LARGE


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_a_read_only_file_system_is_told_as_that(tmp_path):
    """Every change is refused in the kernel's own words, and none of them is a denial."""
    (tmp_path / "source").write_text("new")
    for path in mounted(tmp_path / "ro", "size=64k"):
        (path / "f").write_text("old")
        subprocess.run(["mount", "-o", "remount,ro", path], check=True)
        broker = Broker()
        held = handle(broker, path, read=True)
        for operation, *arguments in (
            ("files.cp", [flag("cp", "f")], f"{tmp_path}/source", f"{path}/f"),
            ("files.cp", [], f"{tmp_path}/source", f"{path}/new"),
            ("files.mv", [], f"{path}/f", f"{path}/new"),
            ("files.mv", [], f"{tmp_path}/source", f"{path}/new"),
            ("files.mv", [], f"{path}/f", f"{tmp_path}/new"),
            ("files.sed", [flag("sed", "i")], "old", "new", f"{path}/f"),
            ("files.change_file_mode", held, 0o600),
            ("files.change_file_owner", held, made("SetOwnershipOptions", user="root")),
        ):
            with pytest.raises(Failure, match=r"Read-only file system|Error moving") as failed:
                broker.call(operation, *arguments)
            assert failed.value.denial is None
        assert state(path) == {"f": (stat.S_IFREG | 0o644, b"old")}
        assert (tmp_path / "source").read_text() == "new"


# --- what is in the place of a file, and names ---

COMMANDS = {
    "tail": lambda broker, path: broker.call("files.tail", [], path),
    "sed": lambda broker, path: broker.call("files.sed", [], "x", "y", path),
    "sed -i": lambda broker, path: broker.call("files.sed", [flag("sed", "i")], "x", "y", path),
    "awk_sum": lambda broker, path: broker.call("files.awk_sum", 1, ":", path),
    "cp from": lambda broker, path: broker.call("files.cp", [], path, f"{path}.copy"),
    "cp to": lambda broker, path: broker.call("files.cp", [flag("cp", "f")], f"{Path(path).parent}/file", path),
    "mv from": lambda broker, path: broker.call("files.mv", [], path, f"{path}.moved"),
}


@pytest.mark.parametrize("run", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "socket", "link", "circle", "device", "long"])
def test_what_is_no_file_is_refused_at_once_and_left_alone(tmp_path, monkeypatch, run, kind):
    """W-B2: opening a FIFO waits for ever, and opening a device may do anything."""
    path = tmp_path / "x"
    (tmp_path / "file").write_text("x")
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        bound = socket.socket(socket.AF_UNIX)
        monkeypatch.chdir(tmp_path)  # the path of a socket must be short
        bound.bind("x")
        bound.close()
    elif kind == "link":
        path.symlink_to("file")
    elif kind == "circle":
        path.symlink_to("x")
    elif kind == "device":
        if not IS_ROOT:
            pytest.skip("only root can make devices")
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    elif kind == "long":
        path = tmp_path / ("x" * 300)
    before = os.lstat(path) if os.path.lexists(str(path)[:250]) else None
    started = time.monotonic()
    if kind == "missing" and run is COMMANDS["cp to"]:
        run(Broker(), str(path))
        return
    with pytest.raises(Failure) as failed:
        run(Broker(), str(path))
    assert failed.value.denial is None
    assert time.monotonic() - started < 5
    assert (tmp_path / "file").read_text() == "x"
    if before is not None:
        assert os.lstat(path).st_mode == before.st_mode
    assert not list(tmp_path.glob(".trex-*"))


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"quo\"te' $(x)", "ü".encode(), b"-rf", b"*"])
def test_names_of_any_bytes_are_copied_moved_and_edited(tmp_path, name):
    """A name is bytes for the kernel, and one text for the script and the policy."""
    path = os.path.join(os.fsencode(tmp_path), name)
    with open(path, "w") as file:
        file.write("old")
    broker = Broker()
    shown = f"{tmp_path}/{decode(name)}"
    broker.call("files.cp", [], shown, f"{shown}.copy")
    broker.call("files.sed", [flag("sed", "i")], "old", "new", shown)
    broker.call("files.mv", [], shown, f"{shown}.moved")
    assert sorted(os.listdir(os.fsencode(tmp_path))) == [name + b".copy", name + b".moved"]
    with open(path + b".moved") as file:
        assert file.read() == "new"


# --- large files ---


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """10 GiB of which almost nothing is on the disk."""
    path = tmp_path / "sparse"
    with open(path, "wb") as file:
        file.truncate(10 * GIB)
        file.seek(10 * GIB)
        file.write(b"\n" + b"".join(b"line %d\n" % number for number in range(100)))
    return path


def test_the_end_of_ten_gibibytes_is_read_from_the_end(sparse):
    started = time.monotonic()
    lines = Broker().call("files.tail", [flag("tail", "n", 3)], str(sparse))
    assert lines == ["line 97", "line 98", "line 99"]
    assert time.monotonic() - started < 2


def test_ten_gibibytes_of_holes_are_copied_as_holes(sparse, tmp_path):
    broker = Broker()
    started = time.monotonic()
    broker.call("files.cp", [], str(sparse), f"{tmp_path}/copy")
    assert time.monotonic() - started < 5
    assert os.stat(tmp_path / "copy").st_size == os.stat(sparse).st_size
    assert os.stat(tmp_path / "copy").st_blocks < 10_000


ENDLESS = {
    "cat": lambda broker, path: broker.call("files.cat", [], path),
    "cat -n": lambda broker, path: broker.call("files.cat", [flag("cat", "n")], path),
    "grep": lambda broker, path: broker.call("files.grep", [], "x", path),
    "sed": lambda broker, path: broker.call("files.sed", [], "x", "y", path),
    "awk_filter": lambda broker, path: broker.call("files.awk_filter", "x", path),
    "tail from": lambda broker, path: broker.call("files.tail", [flag("tail", "from", 1)], path),
    "search": lambda broker, path: broker.call(
        "files.search", handle(broker, Path(path).parent, "sparse", read=True), "x"
    ),
    "read_page": lambda broker, path: broker.call(
        "files.read_page", handle(broker, Path(path).parent, "sparse", read=True), made("ReadPageOptions", num_lines=1)
    ),
}


@pytest.mark.parametrize("read", ENDLESS.values(), ids=ENDLESS)
def test_a_line_of_ten_gibibytes_ends_the_run_and_not_the_machine(sparse, read):
    """CWE-770: one line, or one file, that does not fit into what an operation may bring to the script."""
    broker = Broker(limits=Limits(max_read=8 * 1024 * 1024))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with pytest.raises(LimitExceeded) as exceeded:
        read(broker, str(sparse))
    assert exceeded.value.limit == "max_read"
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 128 * 1024


CONSTANT = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from support.host import Broker, flag, made
path = sys.argv[2]
broker = Broker()
broker.call("files.wc", [], path + "/small")
broker.call("files.grep", [flag("grep", "c")], "needle [0-9]+ x", path + "/small")
broker.call("files.cp", [], path + "/small", path + "/small.copy")
broker.call("files.tail", [], path + "/small")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(broker.call("files.wc", [], path + "/large")["lines"])
print(broker.call("files.grep", [flag("grep", "c")], "needle [0-9]+ x", path + "/large")[0])
print(broker.call("files.awk_sum", 2, " ", path + "/large"))
broker.call("files.cp", [], path + "/large", path + "/large.copy")
print(len(broker.call("files.tail", [], path + "/large")))
file = broker.file(broker.directory(path), "large", read=True)
print(broker.call("files.counts", file).fields["line_count"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_large_files_take_no_more_memory_than_small_ones(tmp_path):
    """Counting, searching, adding up and copying go block by block."""
    block = b"".join(b"needle %d y\n" % number for number in range(10_000))
    (tmp_path / "small").write_bytes(block * 10)
    with open(tmp_path / "large", "wb") as file:
        for _ in range(300):
            file.write(block)
    tests = str(Path(__file__).parent.parent)
    ran = subprocess.run(
        [sys.executable, "-c", CONSTANT, tests, str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines, found, total, tail, counted, grown = ran.stdout.split()
    assert (lines, found, float(total), tail, counted) == ("3000000", "0", 300 * 49_995_000.0, "10", "3000000")
    assert int(grown) < 16 * 1024, "KiB more than for the small file"


# --- the run ends, or the broker is killed ---


def test_a_run_that_is_stopped_in_the_middle_of_a_copy_leaves_no_part_of_it(tmp_path, monkeypatch):
    """SIGTERM or the deadline between two pieces."""
    (tmp_path / "f").write_bytes(b"x" * 3_000_000)
    broker = Broker()
    real = os.copy_file_range

    def stopping(*arguments: int) -> int:
        broker.budget.stop("SIGTERM")
        return real(*arguments)

    monkeypatch.setattr(copying, "_share", lambda *_: False)
    monkeypatch.setattr(os, "copy_file_range", stopping)
    with pytest.raises(Terminated):
        broker.call("files.cp", [], f"{tmp_path}/f", f"{tmp_path}/copy")
    assert os.listdir(tmp_path) == ["f"]


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from support.host import Broker, flag, made
from trex.limits import Limits
path, how, elsewhere = sys.argv[2:]
broker = Broker(limits=Limits(max_operations=10**9, max_time=3600.0, max_write=10**13, max_handles=10**6))
print("started", flush=True)
number = 0
while True:
    number += 1
    one, other = ("a", "b") if number % 2 else ("b", "a")
    if how == "replace":
        broker.call("files.replace", path + "/f", other * 100_000)
    elif how == "sed":
        broker.call("files.sed", [flag("sed", "i"), flag("sed", "g")], one, other, path + "/f")
    elif how == "cp":
        broker.call("files.cp", [flag("cp", "f")], path + "/" + other, path + "/f")
    elif how == "handle":
        broker.call("files.write_opened", broker.file(broker.directory(path), "f", write=True), other * 100_000)
        broker.handles.close()
    elif how == "mv":
        broker.call("files.mv", [], path + "/f", path + "/g")
        broker.call("files.mv", [], path + "/g", path + "/f")
    elif how == "mv over":
        broker.call("files.cp", [flag("cp", "f")], path + "/" + other, path + "/g")
        broker.call("files.mv", [], path + "/g", path + "/f")
    elif how == "mv across":
        broker.call("files.mv", [], path + "/f", elsewhere + "/f")
        broker.call("files.mv", [], elsewhere + "/f", path + "/f")
"""

SWEPT = re.compile(rf"{changes.PRIVATE.decode()}[0-9a-f]{{24}}")


@pytest.mark.parametrize("how", ["replace", "sed", "cp", "handle", "mv", "mv over", "mv across"])
def test_a_broker_that_is_killed_leaves_the_old_content_or_the_new(tmp_path, how):
    """SIGKILL at any moment: a whole content under the name, and else only names that are swept."""
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    tests = str(Path(__file__).parent.parent)
    try:
        for name in ("a", "b", "f"):
            (tmp_path / name).write_text(("b" if name == "f" else name) * 100_000)
        for number in range(max(4, TRIES // 20)):
            if how.startswith("mv"):
                for name in (tmp_path / "g", elsewhere / "f"):
                    name.unlink(missing_ok=True)
                (tmp_path / "f").write_text("b" * 100_000)
            killed_after(number, [sys.executable, "-c", KILLED, tests, str(tmp_path), how, str(elsewhere)])
            whole = [path for path in (tmp_path / "f", tmp_path / "g", elsewhere / "f") if path.exists()]
            assert whole, "the file is gone"
            for path in whole:
                text = path.read_text()
                assert len(text) == 100_000
                assert len(set(text)) == 1
            for name in {*os.listdir(tmp_path), *os.listdir(elsewhere)} - {"a", "b", "f", "g"}:
                assert SWEPT.fullmatch(name)
    finally:
        shutil.rmtree(elsewhere)


def killed_after(number: int, command: list[str]) -> None:
    """Run it, and kill it at another moment each time."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.005 + number * 0.0037 % 0.05)
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it had failed before"
