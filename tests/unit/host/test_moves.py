"""Files moved by names that are verified."""

from __future__ import annotations

import os

import pytest

from trex.host import changes, files, moves, syscalls
from trex.host.paths import parse


@pytest.fixture
def place(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "f").write_text("moved")
    return tmp_path


def named(path) -> moves.Named:
    """A name as it is now."""
    directory = files.open_directory(parse(str(path.parent)), follow=False)
    identity = files.identity(os.lstat(path)) if os.path.lexists(path) else None
    return moves.Named(directory, path.name.encode(), identity)


def names(place) -> list[str]:
    return sorted(str(each.relative_to(place)) for each in place.rglob("*") if not each.is_dir())


@pytest.fixture(params=["exchange", "plain"])
def renames(request, monkeypatch):
    """Also as on a file system that knows no renames with flags."""
    if request.param == "plain":

        def unknown(*_: object) -> None:
            raise OSError(22, "")

        monkeypatch.setattr(syscalls, "renameat2", unknown)
    return request.param


def test_a_file_gets_a_free_name(place, renames):
    moves.move(named(place / "a" / "f"), named(place / "b" / "new"))
    assert names(place) == ["b/new"]
    assert (place / "b" / "new").read_text() == "moved"


def test_a_file_takes_the_place_of_another(place, renames):
    (place / "b" / "old").write_text("old")
    moves.move(named(place / "a" / "f"), named(place / "b" / "old"))
    assert names(place) == ["b/old"]
    assert (place / "b" / "old").read_text() == "moved"


def test_of_two_names_of_one_file_the_first_goes(place, renames):
    os.link(place / "a" / "f", place / "b" / "g")
    moves.move(named(place / "a" / "f"), named(place / "b" / "g"))
    assert names(place) == ["b/g"]


def test_a_file_moved_to_its_own_name_stays(place, renames):
    moves.move(named(place / "a" / "f"), named(place / "a" / "f"))
    assert names(place) == ["a/f"]


def test_a_source_that_is_another_file_now_stays(place, renames):
    """W-C1: its name was given to another file after it was judged."""
    source = named(place / "a" / "f")
    (place / "a" / "other").write_text("other")
    os.rename(place / "a" / "other", place / "a" / "f")
    with pytest.raises(changes.Replaced):
        moves.move(source, named(place / "b" / "new"))
    assert names(place) == ["a/f"]


def test_a_target_that_is_another_file_now_is_not_replaced(place, renames):
    (place / "b" / "old").write_text("old")
    target = named(place / "b" / "old")
    (place / "b" / "other").write_text("other")
    os.rename(place / "b" / "other", place / "b" / "old")
    with pytest.raises(changes.Replaced):
        moves.move(named(place / "a" / "f"), target)
    assert names(place) == ["a/f", "b/old"]
    assert [(place / name).read_text() for name in names(place)] == ["moved", "other"]


def test_a_target_that_is_there_now_is_not_replaced(place, renames):
    target = named(place / "b" / "new")
    (place / "b" / "new").write_text("theirs")
    with pytest.raises(FileExistsError):
        moves.move(named(place / "a" / "f"), target)
    assert names(place) == ["a/f", "b/new"]
    assert (place / "b" / "new").read_text() == "theirs"


@pytest.mark.parametrize("over", [False, True])
def test_what_was_swapped_in_the_very_moment_is_swapped_back(place, monkeypatch, over):
    """The source's name is given to another file after the last look at it."""
    if over:
        (place / "b" / "new").write_text("old")
    (place / "a" / "other").write_text("other")
    source, target = named(place / "a" / "f"), named(place / "b" / "new")
    real, calls = syscalls.renameat2, []

    def late(*arguments: object) -> None:
        if not calls:
            os.rename(place / "a" / "f", place / "a" / "kept")
            os.rename(place / "a" / "other", place / "a" / "f")
        calls.append(arguments)
        real(*arguments)

    monkeypatch.setattr(syscalls, "renameat2", late)
    with pytest.raises(changes.Replaced):
        moves.move(source, target)
    assert (place / "a" / "f").read_text() == "other"
    assert (place / "a" / "kept").read_text() == "moved"
    assert names(place) == (["a/f", "a/kept", "b/new"] if over else ["a/f", "a/kept"])


def test_an_old_file_that_cannot_be_removed_is_exchanged_back(place, monkeypatch):
    (place / "b" / "old").write_text("old")

    def failing(*_: object) -> None:
        raise PermissionError(1, "")

    monkeypatch.setattr(changes, "remove_file", failing)
    with pytest.raises(PermissionError):
        moves.move(named(place / "a" / "f"), named(place / "b" / "old"))
    assert [(place / name).read_text() for name in names(place)] == ["moved", "old"]
