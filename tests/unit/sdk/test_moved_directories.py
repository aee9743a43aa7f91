"""Directories that are moved, on one file system and to another."""

from __future__ import annotations

import ctypes
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.host import Broker, Failure, made
from support.small_disks import mounted
from trex.errors import LimitExceeded
from trex.host import changes
from trex.limits import Limits


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "from" / "d" / "sub").mkdir(parents=True)
    (tmp_path / "from" / "d" / "f").write_text("content")
    (tmp_path / "from" / "d" / "sub" / "g").write_text("deeper")
    (tmp_path / "from" / "d" / "link").symlink_to("/nowhere at all")
    (tmp_path / "to").mkdir()
    return tmp_path


class Mover:
    """Moves `d` of one directory into another."""

    def __init__(self, broker: Broker, source: Path, target: Path) -> None:
        self.broker = broker
        self.parent, self.target = broker.directory(source), broker.directory(target)
        self.directory = broker.directory(source / "d")

    def move(self, name: str = "new", **options: bool) -> Any:
        given = self.parent, self.directory, self.target, name, made("MoveOptions", **options)
        return self.broker.call("files.move_directory", *given)

    def failed(self, name: str = "new") -> Failure:
        with pytest.raises(Failure) as caught:
            self.move(name)
        return caught.value


def without(action: str, kind: str, path: object) -> Broker:
    """Everything but one action on one thing."""
    return Broker(
        "permit (principal, action, resource);\n"
        f'forbid (principal, action == file_system::Action::"{action}", resource == file_system::{kind}::"{path}");'
    )


def told(top: Path) -> dict[str, Any]:
    """What a tree consists of."""
    found: dict[str, Any] = {}
    for folder, names, others in os.walk(top):
        for name in [*names, *others]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            held: Any = None
            if stat.S_ISREG(status.st_mode):
                held = Path(path).read_bytes()
            elif stat.S_ISLNK(status.st_mode):
                held = os.readlink(path)
            found[os.path.relpath(path, top)] = (stat.S_IFMT(status.st_mode), held)
    return found


# --- on one file system ---


def test_a_directory_moves_with_all_that_it_holds(tree):
    mover = Mover(Broker(), tree / "from", tree / "to")
    before, inode = told(tree / "from" / "d"), os.stat(tree / "from" / "d").st_ino
    mover.move(verbose=True)
    assert told(tree / "to" / "new") == before
    assert os.stat(tree / "to" / "new").st_ino == inode
    assert os.listdir(tree / "from") == []
    (logged,) = mover.broker.record.logs
    assert logged.message == f"Moved from '{tree}/from/d' to '{tree}/to/new'"


def test_a_move_asks_for_move_create_and_open(tree):
    mover = Mover(Broker(), tree / "from", tree / "to")
    asked = len(mover.broker.asked)
    mover.move()
    expected = [f"move Dir {tree}/from/d", f"create Dir {tree}/to/new", f"open Dir {tree}/to/new"]
    assert list(dict.fromkeys(mover.broker.asked[asked:])) == expected


def test_where_to_is_in_the_context(tree):
    policy = (
        'permit (principal, action, resource) unless { action == file_system::Action::"move" };\n'
        'permit (principal, action == file_system::Action::"move", resource) when {\n'
        '  context.destination.name == "good" && '
        f'context.destination.parent_path == "{tree}/to" && context.destination.path == "{tree}/to/good" }};'
    )
    mover = Mover(Broker(policy), tree / "from", tree / "to")
    assert mover.failed("bad").kind == "PermissionDenied"
    mover.move("good")


def test_the_handle_and_the_result_stand_for_the_moved_directory(tree):
    mover = Mover(Broker(), tree / "from", tree / "to")
    moved = mover.move()
    for handle in (moved, mover.directory):
        assert "f" in mover.broker.call("files.list_entries", handle)
    assert mover.broker.asked[-1] == f"read Dir {tree}/to/new"


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("files.read", []),
        ("files.write_opened", ["x"]),
        ("files.delete_file", [made("DeleteFileOptions")]),
    ],
)
def test_a_file_that_moved_with_its_directory_is_judged_by_no_name_that_it_had(tree, operation, arguments):
    mover = Mover(Broker(), tree / "from", tree / "to")
    file = mover.broker.file(mover.directory, "f", read=True, write=True)
    mover.move()
    with pytest.raises(Failure, match="moved after it was authorized"):
        mover.broker.call(operation, file, *arguments)
    assert (tree / "to" / "new" / "f").read_text() == "content"


def test_an_entry_that_moved_with_its_directory_is_judged_where_it_is(tree):
    mover = Mover(Broker(), tree / "from", tree / "to")
    entry = mover.broker.call("files.list_entries", mover.directory)["f"]
    mover.move()
    mover.broker.call("files.entry_as_file", entry, made("OpenFileOptions", read=True))
    assert mover.broker.asked[-1] == f"open File {tree}/to/new/f"


def test_a_directory_can_be_renamed_where_it_is(tree):
    mover = Mover(Broker(), tree / "from", tree / "from")
    mover.move("d")
    assert os.listdir(tree / "from") == ["d"]
    mover.move("e")
    assert os.listdir(tree / "from") == ["e"]


def test_an_empty_directory_is_replaced_if_it_may_be_deleted(tree):
    """Rex replaces it without asking for more than `create` (W-E2)."""
    (tree / "to" / "new").mkdir()
    denied = Mover(without("delete", "Dir", tree / "to" / "new"), tree / "from", tree / "to")
    assert denied.failed().kind == "PermissionDenied"
    Mover(Broker(), tree / "from", tree / "to").move()
    assert (tree / "to" / "new" / "f").exists()
    assert os.listdir(tree / "from") == []


def test_a_directory_goes_into_one_with_entries_under_its_own_name(tree):
    (tree / "to" / "new" / "other").mkdir(parents=True)
    mover = Mover(Broker(), tree / "from", tree / "to")
    mover.move()
    assert sorted(os.listdir(tree / "to" / "new")) == ["d", "other"]
    assert f"move Dir {tree}/from/d" in mover.broker.asked
    assert f"create Dir {tree}/to/new/d" in mover.broker.asked


@pytest.mark.parametrize("action", ["create", "open"])
def test_the_way_into_one_with_entries_is_asked_for(tree, action):
    """Rex moves it there without a question (W-E2)."""
    (tree / "to" / "new" / "other").mkdir(parents=True)
    broker = without(action, "Dir", tree / "to" / "new" / "d")
    assert Mover(broker, tree / "from", tree / "to").failed().kind == "PermissionDenied"
    assert (tree / "from" / "d" / "f").exists()


def test_nothing_with_entries_is_replaced(tree):
    (tree / "to" / "new" / "d" / "x").mkdir(parents=True)
    failure = Mover(Broker(), tree / "from", tree / "to").failed()
    assert failure.kind == "DirectoryNotEmpty"
    assert failure.message.endswith(f": {tree}/to/new/d")
    assert (tree / "from" / "d" / "f").exists()


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to("..")])
def test_what_is_no_directory_is_not_replaced(tree, make):
    make(tree / "to" / "new")
    failure = Mover(Broker(), tree / "from", tree / "to").failed()
    assert failure.kind == "DirectoryError"
    assert failure.message.startswith(f"Directory error: Error moving dir d from '{tree}/from/d' to '{tree}/to/new'")
    assert (tree / "from" / "d" / "f").exists()


@pytest.mark.parametrize("name", ["a/b", "../x", "", ".", "..", "/x"])
def test_a_destination_has_one_name(tree, name):
    """Rex renames to names with slashes, tells the policy another place, and fails afterwards (W-E3)."""
    Mover(Broker(), tree / "from", tree / "to").failed(name)
    assert (tree / "from" / "d" / "f").exists()
    assert not (tree / "x").exists()


def test_the_directory_must_be_in_the_one_that_it_is_moved_from(tree):
    """Rex judges and renames whatever has its name there, and may remove the other (W-D8)."""
    (tree / "to" / "d").mkdir()
    mover = Mover(Broker(), tree / "from", tree / "to")
    mover.parent = mover.target
    failure = mover.failed()
    assert (failure.kind, failure.message) == (
        "InvalidArguments", f"Invalid arguments: {tree}/from/d is not in {tree}/to"
    )  # fmt: skip
    assert os.listdir(tree / "to") == ["d"]


def test_a_directory_does_not_go_into_itself(tree):
    mover = Mover(Broker(), tree / "from", tree / "from" / "d" / "sub")
    assert mover.failed().message.endswith("Invalid argument (os error 22): " + str(tree / "from" / "d"))
    into = Mover(Broker(), tree / "from", tree / "from" / "d")
    assert into.failed().kind == "DirectoryError"
    same = Mover(Broker(), tree / "from", tree / "from")
    same.move("d")
    assert (tree / "from" / "d" / "sub" / "g").exists()


def test_a_directory_that_took_the_name_is_not_moved(tree):
    mover = Mover(Broker(), tree / "from", tree / "to")
    os.rename(tree / "from" / "d", tree / "kept")
    (tree / "from" / "d").mkdir()
    assert mover.failed().kind == "FileError"
    assert os.listdir(tree / "to") == []
    assert (tree / "kept" / "f").exists()


# --- to another file system ---


@pytest.fixture
def other(tree) -> Iterator[Path]:
    """An empty directory on a file system of its own, of 4 MiB."""
    yield from mounted(tree / "other", "size=4m")


def furnish(top: Path) -> None:
    """All that can be copied, with attributes of its own."""
    os.mkfifo(top / "fifo")
    with socket.socket(socket.AF_UNIX) as made_here:
        here = os.getcwd()
        os.chdir(top)  # the names of sockets are short
        made_here.bind("socket")
        os.chdir(here)
    os.chmod(top / "f", 0o6751)
    os.chmod(top / "sub", 0o2750)
    os.lchown(top / "link", 12, 34)
    os.chown(top / "sub" / "g", 12, 34)
    os.setxattr(top / "sub" / "g", "trusted.note", b"x")
    for number, name in enumerate(["f", "sub/g", "link", "fifo", "socket", "sub"]):
        os.utime(top / name, ns=(10**18 + number, 10**18 + 500 + number), follow_symlinks=False)


def attributes(top: Path) -> dict[str, Any]:
    found = {}
    for name in told(top):
        status = os.lstat(top / name)
        found[name] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns)
    return found


def test_a_tree_arrives_with_all_attributes_and_is_gone_where_it_was(tree, other):
    """Rex loses modes, owners and times of files and directories, and makes files of sockets (W-C3)."""
    furnish(tree / "from" / "d")
    held, kept = told(tree / "from" / "d"), attributes(tree / "from" / "d")
    mover = Mover(Broker(), tree / "from", other)
    mover.move()
    assert told(other / "new") == held
    assert attributes(other / "new") == kept
    assert os.getxattr(other / "new" / "sub" / "g", "trusted.note") == b"x"
    assert os.listdir(tree / "from") == []
    assert os.listdir(other) == ["new"]
    assert "f" in mover.broker.call("files.list_entries", mover.directory)
    assert mover.broker.asked[-1] == f"read Dir {other}/new"


def test_a_copy_replaces_an_empty_directory(tree, other):
    (other / "new").mkdir()
    Mover(Broker(), tree / "from", other).move()
    assert (other / "new" / "sub" / "g").read_text() == "deeper"
    assert os.listdir(other) == ["new"]
    assert os.listdir(tree / "from") == []


def test_a_copy_that_finds_no_space_leaves_everything_as_it_was(tree, other):
    """Rex removes the source although the copy failed (W-D1)."""
    (tree / "from" / "d" / "sub" / "large").write_bytes(b"x" * 8_000_000)
    before = told(tree / "from")
    failure = Mover(Broker(), tree / "from", other).failed()
    assert failure.kind == "DirectoryError"
    assert "No space left on device (os error 28)" in failure.message
    assert told(tree / "from") == before
    assert os.listdir(other) == []


def test_a_copy_beyond_a_limit_leaves_everything_as_it_was(tree, other):
    (tree / "from" / "d" / "sub" / "large").write_bytes(b"x" * 200_000)
    before = told(tree / "from")
    mover = Mover(Broker(limits=Limits(max_write=100_000)), tree / "from", other)
    with pytest.raises(LimitExceeded):
        mover.move()
    assert told(tree / "from") == before
    assert os.listdir(other) == []


@pytest.mark.parametrize(
    ("action", "kind", "place"),
    [
        ("read", "File", "from/d/sub/g"),
        ("open", "File", "from/d/f"),
        ("delete", "File", "from/d/sub/g"),
        ("read", "File", "from/d/link"),
        ("read", "Dir", "from/d/sub"),
        ("open", "Dir", "from/d/sub"),
        ("delete", "Dir", "from/d/sub"),
        ("delete", "Dir", "from/d"),
        ("create", "File", "other/new/sub/g"),
        ("write", "File", "other/new/sub/g"),
        ("create", "File", "other/new/link"),
        ("create", "Dir", "other/new/sub"),
        ("read", "Dir", "other"),
    ],
)
def test_one_denial_anywhere_leaves_everything_as_it_was(tree, other, action, kind, place):
    before = told(tree / "from")
    failure = Mover(without(action, kind, tree / place), tree / "from", other).failed()
    assert failure.kind == "PermissionDenied"
    assert told(tree / "from") == before
    assert os.listdir(other) == []


def test_a_device_is_not_copied(tree, other):
    os.mknod(tree / "from" / "d" / "sub" / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    failure = Mover(Broker(), tree / "from", other).failed()
    expected = "Unsupported Operation error: CharDevice directory entry is not supported"
    assert (failure.kind, failure.message) == ("UnsupportedOperationError", expected)
    assert os.listdir(other) == []
    assert (tree / "from" / "d" / "f").exists()


def test_a_mount_in_the_tree_ends_the_move_before_anything_is_made(tree, other):
    inner = other / "from" / "d" / "mounted"
    inner.mkdir(parents=True)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"trex-test", bytes(inner), b"tmpfs", 0, b"size=1m"):
        pytest.skip(f"no file system can be mounted: {os.strerror(ctypes.get_errno())}")
    (inner / "x").touch()
    failure = Mover(Broker(), other / "from", tree / "to").failed()
    assert "os error 18" in failure.message
    assert (inner / "x").exists()
    assert os.listdir(tree / "to") == []


@pytest.fixture
def once_copied(monkeypatch):
    """Takes what is to happen when all is copied and nothing is removed yet."""

    def arrange(happen: Any) -> None:
        original = changes.sync_file_system

        def sync(descriptor: Any) -> None:
            original(descriptor)
            happen()

        monkeypatch.setattr(changes, "sync_file_system", sync)

    return arrange


def test_what_comes_while_the_tree_is_copied_is_not_removed(tree, other, once_copied):
    source = tree / "from" / "d"
    mover = Mover(Broker(), tree / "from", other)

    def come() -> None:
        (source / "late").write_text("not copied")
        (source / "sub" / "late").write_text("not copied")
        os.rename(source / "f", source / "renamed")

    once_copied(come)
    failure = mover.failed()
    assert failure.kind == "DirectoryError"
    assert f"it was copied to {other}/new, but not removed as a whole" in failure.message
    assert (other / "new" / "f").read_text() == "content"
    assert (source / "late").read_text() == "not copied"
    assert (source / "sub" / "late").read_text() == "not copied"
    assert (source / "renamed").read_text() == "content"


def test_what_changes_after_it_was_copied_is_not_removed(tree, other, once_copied):
    source = tree / "from" / "d"
    mover = Mover(Broker(), tree / "from", other)
    once_copied(lambda: (source / "sub" / "g").write_text("newer!"))
    failure = mover.failed()
    assert "it changed while it was moved" in failure.message
    assert (source / "sub" / "g").read_text() == "newer!"
    assert (other / "new" / "sub" / "g").read_text() == "deeper"


def test_a_large_tree_goes_to_another_file_system(tree, other):
    source = tree / "from" / "d"
    for number in range(300):
        (source / f"f{number}").write_text(str(number))
    deep = source
    for _ in range(40):
        deep = deep / "deeper"
        deep.mkdir()
    (deep / "end").write_text("end")
    before = told(source)
    Mover(Broker(), tree / "from", other).move()
    assert told(other / "new") == before
    assert os.listdir(tree / "from") == []
