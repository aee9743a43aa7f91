"""Races on names while files are copied, moved, edited and changed in place (P3).

As in `test_file_races`: an attacker exchanges a file or directory in a permitted place with a symbolic
link to a place that is not permitted. Nothing of that place may come out, and nothing in it change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.host import flag, made
from support.races import Place, raced, swapping
from trex.values import Object


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield from raced(tmp_path)


READS = {
    "tail": ("files.tail", [[]]),
    "sed": ("files.sed", [[], "x", "y"]),
    "awk_field": ("files.awk_field", [1, ":"]),
    "awk_count_unique": ("files.awk_count_unique", [1, ":"]),
}


@pytest.mark.parametrize("operation, arguments", READS.values(), ids=READS)
@pytest.mark.parametrize("what", ["f", "d"])
def test_a_name_is_exchanged_with_a_link_while_a_file_is_read(place, operation, arguments, what):
    """CWE-363, for the commands that read."""
    path = place.allowed / ("f" if what == "f" else "d/f")
    with swapping(place, place.allowed / what, place.allowed / f"link-{what}"):
        for _ in place.tries():
            place.call(operation, *arguments, str(path))


@pytest.mark.parametrize("what", ["f", "d"])
def test_a_name_is_exchanged_with_a_link_while_a_file_is_edited(place, what):
    """A file is read, and another one written back."""
    path = place.allowed / ("f" if what == "f" else "d/f")
    with swapping(place, place.allowed / what, place.allowed / f"link-{what}"):
        for number in place.tries():
            old, new = ("PUBLIC", "CHANGED") if number % 2 else ("CHANGED", "PUBLIC")
            place.call("files.sed", [flag("sed", "i")], old, new, str(path))


@pytest.mark.parametrize("what", ["f", "d"])
def test_the_source_of_a_copy_is_exchanged_with_a_link(place, what):
    """CWE-363: the copy would bring a hidden content to a place that may be read."""
    path = place.allowed / ("f" if what == "f" else "d/f")
    copy = place.allowed / "copy"
    with swapping(place, place.allowed / what, place.allowed / f"link-{what}"):
        for _ in place.tries():
            place.call("files.cp", [flag("cp", "f"), flag("cp", "p")], str(path), str(copy))
            assert not copy.exists() or copy.read_text() == "PUBLIC"


@pytest.mark.parametrize("what", ["f", "d"])
def test_the_destination_of_a_copy_is_exchanged_with_a_link(place, what):
    """CVE-2017-18018's kin: a copy follows a link in its last step and writes over what it leads to."""
    source = place.allowed / "source"
    source.write_text("COPIED")
    path = place.allowed / ("f" if what == "f" else "d/f")
    with swapping(place, place.allowed / what, place.allowed / f"link-{what}"):
        for _ in place.tries():
            place.call("files.cp", [flag("cp", "f"), flag("cp", "p")], str(source), str(path))


@pytest.mark.parametrize("what", ["f", "d"])
def test_the_source_of_a_move_is_exchanged_with_a_link(place, what):
    """A link is moved in place of the file that was judged, or a file out of a hidden directory."""
    path = place.allowed / ("f" if what == "f" else "d/f")
    moved = place.allowed / "moved"
    with swapping(place, place.allowed / what, place.allowed / f"link-{what}"):
        for _ in place.tries():
            place.call("files.mv", [], str(path), str(moved))
            if os.path.lexists(moved):
                assert not moved.is_symlink()
                assert moved.read_text() == "PUBLIC"
                if what == "d":
                    bring_back(place, moved)
                else:
                    os.rename(moved, next(name for name in (path, place.allowed / "link-f") if gone(name)))


def gone(name: Path) -> bool:
    return not os.path.lexists(name)


def bring_back(place: Place, moved: Path) -> None:
    """Into the directory that it came from, whichever of the two names that has at the moment."""
    for name in ("d", "link-d"):
        descriptor = -1
        try:
            descriptor = os.open(place.allowed / name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY)
            os.rename(moved, "f", dst_dir_fd=descriptor)
        except OSError:
            continue
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        return


@pytest.mark.parametrize("what", ["f", "d"])
def test_the_destination_of_a_move_is_exchanged_with_a_link(place, what):
    """A move that lands in a hidden directory, or replaces what was not judged."""
    path = place.allowed / ("f" if what == "f" else "d/f")
    source = place.allowed / "source"
    with swapping(place, place.allowed / what, place.allowed / f"link-{what}"):
        for _ in place.tries():
            # The attacker can make a move that is undone leave the link here: it is not to be followed.
            source.unlink(missing_ok=True)
            source.write_text("PUBLIC")
            place.call("files.mv", [], str(source), str(path))
            if what == "f":
                renew(place)


def renew(place: Place) -> None:
    """A file and a link are there again, if the move replaced the link by the file."""
    links = [name for name in ("f", "link-f") if (place.allowed / name).is_symlink()]
    if not links:
        fresh = place.allowed / "fresh"
        fresh.symlink_to(place.secret / "f")
        os.rename(fresh, place.allowed / "link-f")


HANDLES: dict[str, Callable[[Place, Object], Any]] = {
    "search": lambda place, file: place.broker.call("files.search", file, "."),
    "read_page": lambda place, file: place.broker.call("files.read_page", file, made("ReadPageOptions", num_lines=1)),
    "extract_strings": lambda place, file: place.broker.call("files.extract_strings", file),
    "write_in_place": lambda place, file: place.broker.call("files.write_in_place", file, "PUBLIC"),
    "truncate": lambda place, file: place.broker.call("files.truncate", file, made("TruncateOptions", size=5)),
    "fallocate": lambda place, file: place.broker.call("files.fallocate", file, made("FallocateOptions", length=9)),
    "chmod": lambda place, file: place.broker.call("files.change_file_mode", file, 0o666),
    "get_ownership": lambda place, file: place.broker.call("files.file_ownership", file),
    "copy to": lambda place, file: place.broker.call(
        "files.copy",
        place.broker.file(place.broker.directory(place.allowed / "other"), "f", read=True),
        file,
        made("CopyFileOptions", force=True, preserve=True),
    ),
    "move and back": lambda place, file: place.broker.call(
        "files.move_file",
        place.broker.call(
            "files.move_file",
            file,
            place.broker.directory(place.allowed / "other"),
            f"moved{place.done + place.refused}",
            made("MoveOptions"),
        ),
        place.broker.directory(place.allowed),
        "f",
        made("MoveOptions"),
    ),
}


@pytest.mark.parametrize("use", HANDLES.values(), ids=HANDLES)
@pytest.mark.parametrize("follow", [False, True])
def test_a_file_is_exchanged_with_a_link_while_its_handle_changes_it(place, use, follow):
    """W-C1, W-B4: the handle is of one thing, and its name of another."""
    (place.allowed / "other").mkdir()
    (place.allowed / "other" / "f").write_text("PUBLIC")

    def attempt() -> Any:
        try:
            directory = place.broker.directory(place.allowed)
            file = place.broker.file(directory, "f", read=True, write=True, follow_symlinks=follow)
            return use(place, file)
        finally:
            place.broker.handles.close()

    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            place.attempt(attempt)
            if gone(place.allowed / "f") or gone(place.allowed / "link-f"):
                restore(place)


def restore(place: Place) -> None:
    """What was moved and could not be moved back is again where it was: nothing is exchanged meanwhile."""
    left = next(iter(name for name in ("f", "link-f") if not gone(place.allowed / name)), None)
    missing = [name for name in ("f", "link-f") if gone(place.allowed / name)]
    fresh = place.allowed / "fresh"
    for name in missing:
        if left is not None and (place.allowed / left).is_symlink():
            fresh.write_text("PUBLIC")
        else:
            fresh.symlink_to(place.secret / "f")
        os.rename(fresh, place.allowed / name)
        left = name
