"""What trees, links and moves say to names and places that will not do."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.host import Broker, Failure, made

LONG = "n" * 256
READ_ONLY, REMOUNT, BIND = 1, 32, 4096


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as made_here:
        here = os.getcwd()
        os.chdir(tmp_path)
        made_here.bind("socket")
        os.chdir(here)
    return tmp_path


def failed(broker: Broker, operation: str, *arguments: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        broker.call(operation, *arguments)
    return caught.value


@pytest.mark.parametrize("operation", ["files.ls", "files.find_files", "files.du"])
@pytest.mark.parametrize("name", ["f", "fifo", "socket", "f/x"])
def test_only_directories_are_gone_through(tree, operation, name):
    arguments = ["*"] if operation == "files.find_files" else []
    assert failed(Broker(), operation, *arguments, f"{tree}/{name}").message == "Not a directory (os error 20)"


@pytest.mark.parametrize("operation", ["files.ls", "files.find_files", "files.du"])
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "Path is not absolute "),
        ("relative", "Path is not absolute relative"),
        ("/a/../b", "Path traversal detected /a/../b"),
        ("/a\0b", "Path contains invalid characters /a\0b"),
        ("/" + "x" * 5000, "File name too long (os error 36)"),
        ("/tmp/" + LONG, "File name too long (os error 36)"),
        ("/tmp/no such directory here", "No such file or directory (os error 2)"),
    ],
)
def test_paths_that_lead_nowhere_are_told(operation, path, told):
    arguments = ["*"] if operation == "files.find_files" else []
    assert failed(Broker(), operation, *arguments, path).message == told


@pytest.mark.parametrize("name", ["fifo", "socket", "d", "f"])
def test_what_is_no_link_is_neither_opened_nor_read_as_one(tree, name):
    broker = Broker()
    directory = broker.directory(tree)
    assert failed(broker, "files.open_symlink", directory, name).kind == "ValidationError"
    assert failed(broker, "files.read_link_target", directory, name).kind == "IoError"


def test_names_that_are_too_long_make_nothing(tree):
    broker = Broker()
    top, moving = broker.directory(tree), broker.directory(tree / "d")
    calls = [
        ("files.create_symlink", [top, "x", LONG, made("CreateSymlinkOptions")]),
        ("files.create_symlink", [top, "x", LONG, made("CreateSymlinkOptions", force=True)]),
        ("files.move_directory", [top, moving, top, LONG, made("MoveOptions")]),
        ("files.open_symlink", [top, LONG]),
        ("files.read_link_target", [top, LONG]),
    ]
    before = sorted(os.listdir(tree))
    for operation, arguments in calls:
        assert "File name too long (os error 36)" in failed(broker, operation, *arguments).message
    assert sorted(os.listdir(tree)) == before


@pytest.fixture
def sealed(tree) -> Iterator[Path]:
    """The tree, on a file system that is read only."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    libc = ctypes.CDLL(None, use_errno=True)
    path = bytes(tree)
    if libc.mount(path, path, None, BIND, None) or libc.mount(None, path, None, BIND | REMOUNT | READ_ONLY, None):
        pytest.skip(f"no file system can be mounted: {os.strerror(ctypes.get_errno())}")
    yield tree
    subprocess.run(["umount", "-l", tree], check=True)


def test_a_read_only_file_system_is_told(sealed):
    broker = Broker()
    top, moving = broker.directory(sealed), broker.directory(sealed / "d")
    calls = {
        "files.create_symlink": [top, "x", "new", made("CreateSymlinkOptions")],
        "files.change_directory_mode": [top, made("ChmodDirOptions", permissions=0o700)],
        "files.change_directory_owner": [top, made("SetOwnershipOptions", user="nobody")],
        "files.move_directory": [top, moving, top, "e", made("MoveOptions")],
        "files.delete_directory": [moving, made("DeleteDirOptions")],
    }
    for operation, arguments in calls.items():
        assert "Read-only file system (os error 30)" in failed(broker, operation, *arguments).message
    options = made("ChmodDirOptions", permissions=0o700, recursive=True)
    assert "Read-only file system" in failed(broker, "files.change_directory_mode", top, options).message


def test_walks_of_directories_that_the_kernel_makes_up_end(tmp_path):
    """In /proc names appear and vanish all the time, and files have no sizes."""
    broker = Broker()
    listed = broker.call("files.find_files", [], "self", "/proc")
    assert listed == ["self"]
    used = broker.call("files.du", [], "/proc/self/task")
    assert used["total_size_bytes"] == 0
