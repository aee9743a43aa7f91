"""What du and disk_usage count."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from typing import Any

import pytest

from support.host import Broker, Failure, flag, made
from trex.values import Constant


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "b" / "deep").write_bytes(b"x" * 10_000)
    (top / "a" / "f").write_bytes(b"x" * 5000)
    (top / "g").write_bytes(b"x" * 100)
    return top


def used(broker: Broker, path: object, **options: Any) -> dict[str, tuple[int, int]]:
    """Bytes and inodes of each path."""
    result = broker.call("files.disk_usage", broker.directory(path), made("DiskUsageOptions", **options))
    return {
        each.fields["path"]: (each.fields["size_bytes"], each.fields["inode_count"])
        for each in result.fields["entries"]
    }


def without(action: str, where: object) -> Broker:
    return Broker(
        "permit (principal, action, resource);\n"
        f'forbid (principal, action == file_system::Action::"{action}", resource) '
        f'when {{ resource in file_system::Dir::"{where}" }};'
    )


def coreutils(path: object, *arguments: str) -> dict[str, int]:
    shown = subprocess.run(["du", *arguments, path], check=True, capture_output=True, text=True).stdout
    return {name: int(size) for size, _, name in (line.partition("\t") for line in shown.splitlines())}


def test_the_numbers_are_those_of_du(tree):
    found = used(Broker(), tree)
    assert {path: size for path, (size, _) in found.items()} == coreutils(tree, "--block-size=1")
    assert list(found) == [f"{tree}/a/b", f"{tree}/a", str(tree)]
    assert found[str(tree)][1] == 6


def test_a_listing_with_files_has_those_of_du(tree):
    (tree / "link").symlink_to("g")
    os.mkfifo(tree / "fifo")
    found = used(Broker(), tree, all_files=True, apparent_size=True)
    assert found[f"{tree}/a/b/deep"] == (10_000, 1)
    assert found[f"{tree}/link"][1] == 1
    assert set(found) == set(coreutils(tree, "-a"))


def test_links_and_special_files_hold_nothing(tree):
    before = used(Broker(), tree, apparent_size=True)[str(tree / "a")]
    (tree / "a" / "link").symlink_to("f" * 200)
    os.mkfifo(tree / "a" / "fifo")
    with socket.socket(socket.AF_UNIX) as made_here:
        here = os.getcwd()
        os.chdir(tree / "a")
        made_here.bind("socket")
        os.chdir(here)
    size, count = used(Broker(), tree, apparent_size=True)[str(tree / "a")]
    grown = os.lstat(tree / "a").st_size
    assert count == before[1]
    assert size - before[0] <= grown


def test_a_file_with_several_names_counts_once(tree):
    before = used(Broker(), tree)[str(tree)]
    os.link(tree / "a" / "b" / "deep", tree / "other")
    assert used(Broker(), tree)[str(tree)] == before
    size, count = used(Broker(), tree, count_hard_links=True)[str(tree)]
    assert size >= before[0] + 10_000
    assert count == before[1] + 1


def test_what_may_not_be_seen_counts_for_nothing(tree):
    whole, inner = used(Broker(), tree)[str(tree)], used(Broker(), tree)[str(tree / "a")]
    for action in ("open", "stat"):
        broker = without(action, tree / "a")
        found = used(broker, tree)
        assert list(found) == [str(tree)]
        assert found[str(tree)] == (whole[0] - inner[0], whole[1] - inner[1])


def test_a_tree_of_another_file_system_is_left_out_where_wanted(tree):
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    libc = ctypes.CDLL(None, use_errno=True)
    place = tree / "a" / "mounted"
    place.mkdir()
    alone = used(Broker(), tree)[str(tree)]
    if libc.mount(b"trex-test", bytes(place), b"tmpfs", 0, b"size=1m"):
        pytest.skip(f"no file system can be mounted: {os.strerror(ctypes.get_errno())}")
    try:
        (place / "x").write_bytes(b"x" * 50_000)
        assert used(Broker(), tree)[str(tree)][0] >= alone[0] + 40_000
        assert used(Broker(), tree, one_file_system=True)[str(tree)][0] < alone[0] + 10_000
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize(
    ("options", "expected"), [({"max_depth": 0}, 1), ({"max_depth": 1}, 2), ({"summarize": True}, 1)]
)
def test_what_is_not_told_is_counted(tree, options, expected):
    found = used(Broker(), tree, **options)
    assert len(found) == expected
    assert found[str(tree)] == used(Broker(), tree)[str(tree)]


def test_the_largest_directory_is_open(tree):
    broker = Broker()
    options = made("DiskUsageOptions", track_largest_subdir=True)
    result = broker.call("files.disk_usage", broker.directory(tree), options)
    handle = result.fields["largest_subdir_handle"]
    assert sorted(broker.call("files.list_entries", handle)) == ["b", "f"]


def test_the_total_of_du_is_that_of_the_directory(tree):
    """Rex adds up all lines, so that nested directories count again."""
    total = coreutils(tree, "--block-size=1", "-s")[str(tree)]
    for flags in ([], [flag("du", "summarize")], [Constant("DuFlag", "max_depth", (1,))]):
        assert Broker().call("files.du", flags, str(tree))["total_size_bytes"] == total


@pytest.mark.parametrize("action", ["open", "stat", "read"])
def test_a_denied_top_is_an_error(tree, action):
    with pytest.raises(Failure, match="Permission denied"):
        without(action, tree).call("files.du", [], str(tree))
