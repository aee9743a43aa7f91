"""Races on trees: a second process exchanges entries while trees are walked, changed and moved (P3).

As in the races on files, everything is permitted in a directory that the attacker owns, and nothing
beside it. A walk opens many names one after the other, and each of them may have become a link to
the hidden place, or be somewhere else, by the time it is used.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.host import Broker, Failure, flag, made
from support.races import Place, raced, swapping
from trex.interface import CURSOR_NEXT


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield from raced(tmp_path)


def hidden(place: Place) -> set[int]:
    """The inodes of the hidden place, of which nothing may be told."""
    return {os.stat(folder).st_ino for folder, _, _ in os.walk(place.secret)} | {
        os.stat(Path(folder, name)).st_ino for folder, _, names in os.walk(place.secret) for name in names
    }


def with_handles(place: Place, use: Any) -> Any:
    """One use of a directory handle, which is dropped afterwards."""
    try:
        return use(place.broker, place.broker.directory(place.allowed))
    finally:
        place.broker.handles.close()


def walk(broker: Broker, directory: Any, **options: Any) -> list[Any]:
    cursor = broker.call("files.find", directory, made("FindOptions", **options))
    found: list[Any] = []
    while taken := broker.call(CURSOR_NEXT, cursor):
        found += taken
    return found


@pytest.mark.parametrize("name", ["d", "d/sub"])
@pytest.mark.parametrize("follow", [False, True])
def test_a_directory_is_exchanged_with_a_link_while_a_tree_is_walked(place, name, follow):
    """CVE-2017-18869's kin: the walk enters a directory that has become a link, and reports what is hidden."""
    secret = hidden(place)
    with swapping(place, place.allowed / name, place.allowed / "link-d"):
        for _ in place.tries():
            found = place.attempt(
                lambda: with_handles(place, lambda broker, top: walk(broker, top, follow_symlinks=follow))
            )
            assert not secret & {entry.fields["inode"] for entry in found or []}


def test_entries_of_a_walk_are_exchanged_with_links_before_they_are_read(place):
    """W-B7: what the walk saw is not what is opened when the script uses the entry."""

    def use(broker: Broker, top: Any) -> list[str]:
        texts = []
        for entry in walk(broker, top, name="f", follow_symlinks=True):
            with contextlib.suppress(Failure):
                file = broker.call("files.entry_as_file", entry, made("OpenFileOptions", read=True))
                texts.append(broker.call("files.read", file))
        return texts

    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            place.attempt(lambda: with_handles(place, use))


@pytest.mark.parametrize("flags", [["recursive"], ["recursive", "long"]])
def test_a_directory_is_exchanged_with_a_link_while_a_tree_is_listed(place, flags):
    """The listing goes through a link, and tells names, inodes, sizes and owners of what is hidden."""
    secret = hidden(place)
    chosen = [flag("ls", name) for name in flags]
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            listed = place.call("files.ls", chosen, str(place.allowed)) or {}
            assert not secret & {entry.fields["inode"] for entry in listed.values()}
            place.broker.handles.close()


def test_a_directory_is_exchanged_with_a_link_while_a_tree_is_measured(place):
    """The size of what is hidden is counted, or its files appear in the listing."""
    (place.secret / "d" / "large").write_bytes(b"x" * 1_000_000)
    place.before = place.state()
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            used = place.call("files.du", [flag("du", "all_files")], str(place.allowed))
            assert used is None or used["total_size_bytes"] < 500_000
            assert used is None or not any("large" in entry["path"] for entry in used["entries"])


@pytest.mark.parametrize("name", ["f", "d", "d/f", "d/sub"])
def test_an_entry_is_exchanged_with_a_link_while_modes_of_a_tree_are_changed(place, name):
    """CVE-2013-6435's kin: `chmod -R` of a privileged process follows a link that was a file a moment ago."""
    link = "link-f" if name.endswith("f") else "link-d"
    with swapping(place, place.allowed / name, place.allowed / link):
        for number in place.tries():
            options = made("ChmodDirOptions", permissions=0o777 if number % 2 else 0o700, recursive=True)
            place.attempt(
                lambda options=options: with_handles(
                    place, lambda broker, top: broker.call("files.change_directory_mode", top, options)
                )
            )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
@pytest.mark.parametrize("name", ["f", "d", "d/sub"])
def test_an_entry_is_exchanged_with_a_link_while_a_tree_is_given_away(place, name):
    """CWE-59: `chown -R` gives away what a link leads to, or a link in place of a file."""
    link = "link-f" if name == "f" else "link-d"
    options = made("SetOwnershipOptions", user="nobody", recursive=True)
    with swapping(place, place.allowed / name, place.allowed / link):
        for _ in place.tries():
            place.attempt(
                lambda: with_handles(
                    place, lambda broker, top: broker.call("files.change_directory_owner", top, options)
                )
            )
    for folder, names, others in os.walk(place.secret):
        assert all(os.lstat(Path(folder, each)).st_uid == 0 for each in [".", *names, *others])


@pytest.mark.parametrize("force", [False, True])
def test_a_directory_is_exchanged_with_a_link_while_links_are_made_in_it(place, force):
    """A link is planted in a hidden directory, or takes the place of a hidden file."""

    def use(broker: Broker, name: str) -> None:
        try:
            directory = broker.directory(place.allowed / "d")
            broker.call("files.create_symlink", directory, "x", name, made("CreateSymlinkOptions", force=force))
        finally:
            broker.handles.close()

    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for number in place.tries():
            place.attempt(lambda number=number: use(place.broker, f"new{number % 5}"))


def test_a_directory_on_the_way_is_exchanged_with_a_link_while_a_link_is_read(place):
    """W-B6: a name of several components is judged as text, and the kernel goes through a link."""
    (place.secret / "d" / "inner").symlink_to("SECRET")
    (place.allowed / "d" / "inner").symlink_to("PUBLIC")
    place.before = place.state()
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            told = place.attempt(
                lambda: with_handles(place, lambda broker, top: broker.call("files.read_link_target", top, "d/inner"))
            )
            assert told in (None, "PUBLIC")


def test_a_link_is_exchanged_with_a_file_while_it_is_replaced(place):
    """W-C1 for links: `force` takes the place of a file or link in the permitted directory only."""
    options = made("CreateSymlinkOptions", force=True)
    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            place.attempt(
                lambda: with_handles(
                    place, lambda broker, top: broker.call("files.create_symlink", top, "f", "f", options)
                )
            )


def test_a_directory_is_exchanged_with_a_link_while_it_is_moved(place):
    """W-C1, W-D8: the rename takes whatever has the name, and moves a hidden directory or a link to one."""

    def use(broker: Broker, top: Any) -> None:
        directory = broker.directory(place.allowed / "d")
        broker.call("files.move_directory", top, directory, top, "moved", made("MoveOptions"))
        # While `d` is missing nothing is exchanged.
        assert not (place.allowed / "moved").is_symlink()
        os.rename(place.allowed / "moved", place.allowed / "d")

    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            place.attempt(lambda: with_handles(place, use))


def test_the_place_where_a_directory_goes_is_exchanged_with_a_link(place):
    """W-E2: what is moved arrives where a link leads, or replaces an empty directory there."""
    (place.secret / "d" / "into").mkdir()
    (place.allowed / "d" / "into").mkdir()
    (place.allowed / "moving").mkdir()
    place.before = place.state()

    def use(broker: Broker, top: Any) -> None:
        moving, target = broker.directory(place.allowed / "moving"), broker.directory(place.allowed / "d")
        moved = broker.call("files.move_directory", top, moving, target, "into", made("MoveOptions"))
        assert moved is not None
        back = broker.call("files.move_directory", target, moving, top, "moving", made("MoveOptions"))
        assert back is not None

    top, home = os.open(place.allowed, os.O_RDONLY), os.open(place.allowed / "d", os.O_RDONLY)
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            place.attempt(lambda: with_handles(place, use))
            if "moving" not in os.listdir(top):  # it arrived, and did not come back
                with contextlib.suppress(OSError):
                    os.rename("into", "moving", src_dir_fd=home, dst_dir_fd=top)
            for name, where in (("moving", top), ("into", home)):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=where)
    os.close(top)
    os.close(home)
