"""Nothing is lost: a failing operation leaves the host as it was, or says what it did (P8)."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.host import Broker, Failure, flag, made
from support.small_disks import mounted
from trex.errors import LimitExceeded
from trex.limits import Limits

TRIES = int(os.environ.get("TREX_ATTACK_TRIES", "150"))
IS_ROOT = os.geteuid() == 0


def state(path: Path) -> dict[str, tuple[int, bytes]]:
    """Every name with its mode and content."""
    return {
        str(each.relative_to(path)): (each.lstat().st_mode, each.read_bytes() if each.is_file() else b"")
        for each in sorted(path.rglob("*"))
    }


LARGE = "x" * 200_000

FAILING = {
    "replace": lambda broker, path: broker.call("files.replace", f"{path}/f", LARGE),
    "write replace": lambda broker, path: broker.call("files.write", [flag("write", "r")], f"{path}/f", LARGE),
    "append": lambda broker, path: broker.call("files.write", f"{path}/f", LARGE),
    "new file": lambda broker, path: broker.call("files.write", f"{path}/new", LARGE),
    "handle": lambda broker, path: broker.call(
        "files.write_opened", broker.file(broker.directory(path), "f", write=True), LARGE
    ),
}


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
@pytest.mark.parametrize("fail", FAILING.values(), ids=FAILING)
def test_a_full_disk_leaves_the_old_content_and_no_other_name(small, fail):
    """The disk is full in the middle of writing: the old content stays, and no temporary file."""
    (small / "f").write_text("old")
    before = state(small)
    with pytest.raises(Failure) as failed:
        fail(Broker(), small)
    assert failed.value.message == "No space left on device (os error 28)"
    assert state(small) == before


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_a_full_disk_can_still_be_cleaned_up(few):
    """Removing must not need space: not an inode, not a name."""
    for name in ("a", "b", "c", "d", "e"):
        (few / name).touch()
    with pytest.raises(OSError, match="No space"):
        (few / "one more").touch()
    for name in ("a", "b", "c", "d", "e"):
        Broker().call("files.rm", f"{few}/{name}")
    assert os.listdir(few) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_directories_that_do_not_all_fit_are_not_made_at_all(few):
    """The fifth directory has no inode left: the four above it are taken back."""
    with pytest.raises(Failure) as failed:
        Broker().call("files.mkdir", [flag("mkdir", "p")], f"{few}/a/b/c/d/e/f/g")
    assert failed.value.message == "No space left on device (os error 28)"
    assert os.listdir(few) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_a_read_only_file_system_is_told_as_that(tmp_path):
    """A read-only mount refuses every change, with the kernel's own words."""
    for path in mounted(tmp_path / "ro", "size=64k"):
        (path / "f").write_text("old")
        (path / "d").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", path], check=True)
        broker = Broker()
        for operation, *arguments in (
            ("files.replace", f"{path}/f", "x"),
            ("files.write", f"{path}/f", "x"),
            ("files.write", f"{path}/new", "x"),
            ("files.touch", f"{path}/f"),
            ("files.touch", f"{path}/new"),
            ("files.mkdir", f"{path}/new"),
            ("files.rm", f"{path}/f"),
            ("files.rm", f"{path}/d"),
        ):
            with pytest.raises(Failure, match=r"Read-only file system|Error removing") as failed:
                broker.call(operation, *arguments)
            assert failed.value.denial is None
        assert state(path).keys() == {"f", "d"}


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_what_is_mounted_in_a_tree_is_not_emptied(tmp_path):
    """`rm -r` must not cross into a file system that happens to be mounted below."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "f").write_text("x")
    for path in mounted(tree / "mounted", "size=64k"):
        (path / "data").write_text("precious")
        broker = Broker()
        for target in (tree, path):
            with pytest.raises(Failure, match="mounted in it"):
                broker.call("files.rm", [flag("rm", "r")], str(target))
        assert (path / "data").read_text() == "precious"
        assert (tree / "f").exists()


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_a_file_that_is_a_mount_point_is_written_in_place(tmp_path):
    """Containers mount single files such as /etc/resolv.conf; no other file can take their place."""
    (tmp_path / "source").write_text("old, and longer than the new content")
    (tmp_path / "f").touch()
    bound = subprocess.run(["mount", "--bind", tmp_path / "source", tmp_path / "f"], capture_output=True, check=False)
    if bound.returncode:
        pytest.skip("this process may not mount")
    try:
        Broker().call("files.replace", f"{tmp_path}/f", "new")
        assert (tmp_path / "source").read_text() == "new"
    finally:
        subprocess.run(["umount", "-l", tmp_path / "f"], check=True)
    assert sorted(os.listdir(tmp_path)) == ["f", "source"]


@contextlib.contextmanager
def running(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A second process that has started, and is ended whatever happens."""
    script = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            yield process
        finally:
            process.kill()


READER = """
import sys
print("started", flush=True)
while True:
    with open(sys.argv[1]) as file:
        text = file.read()
    if len(text) != 100_000 or len(set(text)) != 1:
        print("mixture", len(text), set(text), flush=True)
        break
"""


@pytest.mark.parametrize("way", ["command", "handle"])
def test_a_reader_sees_the_old_content_or_the_new_and_never_a_mixture(tmp_path, way):
    """A second process reads the file over and over while it is replaced."""
    path = tmp_path / "f"
    path.write_text("a" * 100_000)
    broker = Broker(limits=Limits(max_write=10**12, max_operations=10**9, max_time=3600.0, max_handles=10**6))
    with running(READER, path) as reader:
        file = broker.file(broker.directory(tmp_path), "f", read=True, write=True)
        for number in range(TRIES):
            content = "ab"[number % 2] * 100_000
            if way == "command":
                broker.call("files.replace", str(path), content)
            else:
                written = broker.call("files.write_opened", file, content)
                broker.handles.release([file.handle])
                file = written
        assert reader.poll() is None, "the reader saw a mixture"
    assert os.listdir(tmp_path) == ["f"]


RESIZER = """
import os, sys
print("started", flush=True)
size = 0
while os.getppid() == int(sys.argv[2]):
    size = (size + 77_777) % 1_000_000
    with open(sys.argv[1], "r+b") as file:
        file.truncate(0)
        file.write(b"x" * size)
"""


@pytest.mark.parametrize("operation, arguments", [("files.cat", []), ("files.wc", []), ("files.grep", ["y"])])
def test_a_file_that_grows_and_shrinks_while_it_is_read_is_read_as_it_is(tmp_path, operation, arguments):
    """Its size changes between looking and reading, in both directions."""
    path = tmp_path / "f"
    path.touch()
    broker = Broker(limits=Limits(max_operations=10**9, max_time=3600.0))
    with running(RESIZER, path, os.getpid()):
        for _ in range(TRIES):
            result = broker.call(operation, *arguments, str(path))
            if operation == "files.cat":
                assert set(result) <= {"x"}


def test_a_file_that_never_ends_ends_the_operation(tmp_path):
    """A file is extended faster than it is read: the bound on bytes ends it, or the deadline."""
    (tmp_path / "f").write_bytes(b"x")
    broker = Broker(limits=Limits(max_read=10_000_000))
    writer = f"""
import os
with open({str(tmp_path / "f")!r}, "ab", buffering=0) as file:
    print("started", flush=True)
    while file.tell() < 50_000_000:
        file.write(b"x" * 1_000_000)
"""
    with running(writer) as growing:
        started = time.monotonic()
        with contextlib.suppress(LimitExceeded):  # a bound is the other good end
            while growing.poll() is None:
                assert len(broker.call("files.cat", f"{tmp_path}/f")) <= 10_000_000
        assert time.monotonic() - started < 30


SWAPPED_TYPES = """
import os, sys
folder, parent = sys.argv[1], int(sys.argv[2])
print("started", flush=True)
kinds = [lambda p: open(p, "w").close(), os.mkfifo, os.mkdir, lambda p: os.symlink("nothing", p)]
number = 0
while os.getppid() == parent:
    number += 1
    fresh = folder + "/../fresh"
    kinds[number % 4](fresh)
    try:
        os.rename(fresh, folder + "/x")
    except OSError:
        try:
            os.rmdir(folder + "/x") if os.path.isdir(folder + "/x") else os.unlink(folder + "/x")
            os.rename(fresh, folder + "/x")
        except OSError:
            os.rmdir(fresh) if os.path.isdir(fresh) else os.unlink(fresh)
"""


@pytest.mark.parametrize(
    "operation, arguments", [("files.cat", []), ("files.write", ["x"]), ("files.replace", ["x"]), ("files.touch", [])]
)
def test_a_name_that_becomes_a_pipe_does_not_stop_the_broker(tmp_path, operation, arguments):
    """W-B2: opening a FIFO waits for its other end, for ever. The name changes its type all the time."""
    folder = tmp_path / "folder"
    folder.mkdir()
    broker = Broker(limits=Limits(max_operations=10**9, max_time=3600.0, max_write=10**12))
    with running(SWAPPED_TYPES, folder, os.getpid()):
        started = time.monotonic()
        for _ in range(TRIES):
            with contextlib.suppress(Failure):
                broker.call(operation, f"{folder}/x", *arguments)
        assert time.monotonic() - started < 60 + TRIES / 50


def test_a_mode_that_protects_a_file_protects_it_from_being_replaced(tmp_path):
    """Whoever may write a directory can replace any file in it; `replace` must still ask the file's mode."""
    if IS_ROOT:
        pytest.skip("root may write every file")
    (tmp_path / "f").write_text("old")
    os.chmod(tmp_path / "f", 0o444)
    for operation in ("files.replace", "files.write"):
        with pytest.raises(Failure) as failed:
            Broker().call(operation, f"{tmp_path}/f", "new")
        assert (failed.value.kind, failed.value.denial) == ("IoError", None)
        assert failed.value.message == "Permission denied (os error 13)"
    assert (tmp_path / "f").read_text() == "old"


def test_a_directory_that_may_not_be_written_lets_its_file_be_written_in_place(tmp_path):
    """The file may be written, but no other can take its place."""
    if IS_ROOT:
        pytest.skip("root may write every directory")
    (tmp_path / "f").write_text("old, and longer than the new content")
    os.chmod(tmp_path, 0o555)
    try:
        Broker().call("files.replace", f"{tmp_path}/f", "new")
    finally:
        os.chmod(tmp_path, 0o755)
    assert (tmp_path / "f").read_text() == "new"


def test_an_error_of_the_host_is_never_a_denial(tmp_path):
    """EACCES and EPERM have words like a denial's; they are none."""
    if IS_ROOT:
        pytest.skip("root is refused nothing")
    (tmp_path / "f").write_text("x")
    os.chmod(tmp_path / "f", 0)
    with pytest.raises(Failure) as failed:
        Broker().call("files.cat", f"{tmp_path}/f")
    assert (failed.value.kind, failed.value.denial) == ("IoError", None)
    assert stat.S_IMODE(os.stat(tmp_path / "f").st_mode) == 0


def test_a_handle_of_a_deleted_file_writes_nothing(tmp_path):
    """W-C1: the name is gone, and a write would bring it back."""
    (tmp_path / "f").write_text("old")
    broker = Broker()
    file = broker.file(broker.directory(tmp_path), "f", write=True)
    os.unlink(tmp_path / "f")
    with pytest.raises(Failure):
        broker.call("files.write_opened", file, "new")
    assert os.listdir(tmp_path) == []


def test_two_thousand_entries_are_removed_or_none(tmp_path):
    """All are asked for before the first goes."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(2000):
        (tree / str(number)).touch()
    policy = f'''
        permit (principal, action, resource);
        forbid (principal, action, resource == file_system::File::"{tree}/1999");
    '''
    with pytest.raises(Failure, match="PermissionDenied"):
        Broker(policy).call("files.rm", [flag("rm", "r")], str(tree))
    assert len(os.listdir(tree)) == 2000
    handle = made("DeleteDirOptions", recursive=True)
    broker = Broker()
    broker.call("files.delete_directory", broker.directory(tree), handle)
    assert not tree.exists()
