"""Races on names: a second process exchanges entries while operations run (P3).

The attacker owns a directory in which everything is permitted, and exchanges a file or directory
in it with a symbolic link to a place that is not permitted, as fast as it can. Whatever the broker
does then, it must return no byte of that place and leave nothing changed in it. Each kind is tried
`TREX_ATTACK_TRIES` times.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.host import flag, made
from support.races import Place, raced, swapping


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield from raced(tmp_path)


READS = {
    "cat": ("files.cat", []),
    "wc": ("files.wc", []),
    "grep": ("files.grep", ["."]),
}


@pytest.mark.parametrize("operation, arguments", READS.values(), ids=READS)
def test_a_file_is_exchanged_with_a_link_while_it_is_read(place, operation, arguments):
    """CWE-363: the last component becomes a symbolic link between check and use."""
    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            place.call(operation, *arguments, f"{place.allowed}/f")


@pytest.mark.parametrize("operation, arguments", READS.values(), ids=READS)
def test_a_directory_on_the_way_is_exchanged_with_a_link_while_a_file_is_read(place, operation, arguments):
    """CWE-363: a directory on the way becomes a link; it is followed, and its real path judged."""
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            place.call(operation, *arguments, f"{place.allowed}/d/f")


def test_a_directory_is_exchanged_with_a_link_while_it_is_listed(place):
    """The listing of a hidden directory is as secret as its files: inode numbers tell whose it is."""
    hidden = {os.stat(place.secret / "d" / name).st_ino for name in os.listdir(place.secret / "d")}
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            listed = place.call("files.ls", f"{place.allowed}/d") or {}
            assert not hidden & {entry.fields["inode"] for entry in listed.values()}
            place.broker.handles.close()


WRITES = {
    "write": ("files.write", [], ["CHANGED"]),
    "write replace": ("files.write", [[flag("write", "r")]], ["CHANGED"]),
    "replace": ("files.replace", [], ["CHANGED"]),
    "touch": ("files.touch", [], []),
}


@pytest.mark.parametrize("operation, before, after", WRITES.values(), ids=WRITES)
def test_a_file_is_exchanged_with_a_link_while_it_is_written(place, operation, before, after):
    """CVE-2021-4034's kin: a privileged writer is led to another file by a link in its last step."""
    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            place.call(operation, *before, f"{place.allowed}/f", *after)


@pytest.mark.parametrize("operation, before, after", WRITES.values(), ids=WRITES)
def test_a_directory_on_the_way_is_exchanged_with_a_link_while_a_file_is_written(place, operation, before, after):
    """A file is written or made below a directory that becomes a link to a hidden one."""
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for number in place.tries():
            place.call(operation, *before, f"{place.allowed}/d/{'f' if number % 2 else f'new{number % 7}'}", *after)


@pytest.mark.parametrize("flags", [[], [flag("mkdir", "p")]], ids=["mkdir", "mkdir -p"])
def test_a_directory_on_the_way_is_exchanged_with_a_link_while_directories_are_made(place, flags):
    """W-A3: a directory is made where a link leads, before anybody notices the link."""
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for number in place.tries():
            place.call("files.mkdir", flags, f"{place.allowed}/d/new{number}{'/x' if flags else ''}")


@pytest.mark.parametrize(
    "options", [{}, {"create": True}, {"create": True, "recursive": True}, {"follow_symlinks": True}]
)
def test_a_directory_is_exchanged_with_a_link_while_it_is_opened_and_used(place, options):
    """W-A2: what was opened is not what was judged, and everything below it is reached through it."""

    def use(number: int) -> Any:
        directory = place.broker.directory(place.allowed / "d" / "sub", **options)
        try:
            file = place.broker.file(directory, "f", read=True)
            return place.broker.call("files.read", file)
        finally:
            place.broker.handles.close()

    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for number in place.tries():
            place.attempt(lambda number=number: use(number))


@pytest.mark.parametrize("follow", [False, True])
def test_a_file_is_exchanged_with_a_link_while_it_is_opened_and_used(place, follow):
    """W-B1, W-B4: a handle is opened on one thing and reads, replaces or deletes another."""

    def use() -> Any:
        try:
            directory = place.broker.directory(place.allowed)
            file = place.broker.file(directory, "f", read=True, write=True, follow_symlinks=follow)
            text = place.broker.call("files.read", file)
            place.broker.call("files.write_opened", file, "CHANGED")
            return text
        finally:
            place.broker.handles.close()

    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            place.attempt(use)


def test_an_entry_is_exchanged_with_a_link_after_it_was_listed(place):
    """The listing says what an entry was; what it is now is found out when it is opened."""

    def use() -> Any:
        try:
            entry = place.broker.call("files.ls", str(place.allowed))["f"]
            seen = place.broker.call("files.entry_metadata", entry)
            assert seen.fields["symlink_target"] in (None, str(place.secret / "f"))
            return place.broker.call(
                "files.read", place.broker.call("files.entry_as_file", entry, made("OpenFileOptions", read=True))
            )
        finally:
            place.broker.handles.close()

    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            place.attempt(use)


def test_a_file_is_exchanged_with_a_link_while_it_is_removed(place):
    """W-C1: `rm` removes the file or the link in the permitted directory, never what a link leads to."""
    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            place.call("files.rm", [flag("rm", "f")], f"{place.allowed}/f")
            again(place)


def test_a_file_is_exchanged_with_a_link_while_its_handle_deletes_it(place):
    """W-C1: the name is given to another file between opening and deleting; that file must stay."""

    def use() -> None:
        try:
            file = place.broker.file(place.broker.directory(place.allowed), "f", read=True)
            place.broker.call("files.delete_file", file, made("DeleteFileOptions"))
        finally:
            place.broker.handles.close()

    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            before = place.done
            place.attempt(use)
            if place.done > before:
                left = [name for name in ("f", "link-f") if os.path.lexists(place.allowed / name)]
                assert len(left) == 1
                assert (place.allowed / left[0]).is_symlink(), "the link was deleted in place of the file"
            again(place)


def again(place: Place) -> None:
    """What was removed is there again: one file and one link, whichever has which name.

    While one name is missing nothing can be exchanged, so what is seen here stays as it is.
    """
    names = {place.allowed / "f", place.allowed / "link-f"}
    left = [name for name in names if os.path.lexists(name)]
    if len(left) == 2:
        return
    fresh = place.allowed.parent / "fresh"
    if left[0].is_symlink():
        fresh.write_text("PUBLIC")
    else:
        fresh.symlink_to(place.secret / "f")
    (missing,) = names - set(left)
    os.rename(fresh, missing)


def grow(place: Place, tree: Path) -> None:
    """The tree that was removed is there again; it is made elsewhere, so that no link leads us astray."""
    fresh = place.secret.parent / "fresh"
    (fresh / "sub" / "deep").mkdir(parents=True, exist_ok=True)
    (fresh / "sub" / "deep" / "f").touch()
    link = place.allowed / "link-d"
    if not link.is_symlink():  # the tree went while the link was in it, and the directory stayed here
        with contextlib.suppress(OSError):
            os.rename(link, place.secret.parent / f"old{place.done + place.refused}")
    if not os.path.lexists(link):  # nothing can be exchanged now
        if tree.is_symlink():
            tree.unlink()
        with contextlib.suppress(OSError):
            os.rename(fresh, tree)
        link.symlink_to(place.secret / "d")
    with contextlib.suppress(OSError):
        os.rename(fresh, tree)


def test_a_directory_is_exchanged_with_a_link_while_its_tree_is_removed(place):
    """CVE-2022-21658: a recursive removal is led out of its tree by a link in place of a directory."""
    tree = place.allowed / "tree"
    with swapping(place, tree / "sub", place.allowed / "link-d"):
        for _ in place.tries():
            grow(place, tree)
            place.call("files.rm", [flag("rm", "r")], str(tree))


def test_a_directory_is_exchanged_with_a_link_while_its_handle_removes_its_tree(place):
    """W-C2: the directory of a handle is found again by name and another one removed."""
    tree = place.allowed / "tree"

    def use() -> None:
        try:
            directory = place.broker.directory(tree)
            place.broker.call("files.delete_directory", directory, made("DeleteDirOptions", recursive=True))
        finally:
            place.broker.handles.close()

    with swapping(place, tree, place.allowed / "link-d"):
        for _ in place.tries():
            grow(place, tree)
            place.attempt(use)


def test_directories_trade_places_across_the_border_while_a_handle_is_used(place):
    """W-A4: an open directory is moved out of the permitted tree, and its old name given to another.

    What is moved out was permitted when it was opened; it must not be used under its old name. What
    is moved in has a permitted name now, and so may be read: it was given that name by its owner.
    """
    outside = place.secret.parent / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "sub" / "f").write_text("OUTSIDE")
    inside = place.allowed / "d"

    def use() -> Any:
        try:
            directory = place.broker.directory(inside)
            opened = os.stat(inside / "sub" / "f").st_ino
            file = place.broker.file(
                place.broker.call(
                    "files.entry_as_directory",
                    place.broker.call("files.list_entries", directory)["sub"],
                    made("OpenDirOptions"),
                ),
                "f",
                read=True,
            )
            return opened, place.broker.call("files.read", file)
        finally:
            place.broker.handles.close()

    place.seen = {False, True}  # no link is involved
    with swapping(place, inside, outside):
        for _ in place.tries():
            place.attempt(use)
