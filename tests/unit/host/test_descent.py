"""The way down a tree and back."""

from __future__ import annotations

import os

import pytest

from trex.host import descent, files, trees
from trex.host.descent import Descent, TreeMoved
from trex.host.paths import parse

LEVELS = descent.OPEN + 4


def at(path: object) -> Descent:
    return Descent(files.open_directory(parse(str(path)), follow=False))


def rest(walk: Descent) -> list[str]:
    """The names that are unread where the walk is."""
    return sorted(found[0] for found in iter(walk.next, None))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def deep(tmp_path):
    """A chain of directories `d`, each with two files beside it."""
    level = tmp_path
    for _ in range(LEVELS):
        (level / "a").touch()
        (level / "b").touch()
        level = level / "d"
        level.mkdir()
    return tmp_path


def go_down(walk: Descent, levels: int) -> None:
    for _ in range(levels):
        walk.enter("d")


def go_up(walk: Descent, levels: int) -> None:
    for _ in range(levels):
        walk.leave()


def test_entries_are_told_with_type_and_inode(tmp_path):
    (tmp_path / "f").touch()
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("f")
    os.mkfifo(tmp_path / "p")
    told = {name: (kind, inode) for name, kind, inode in iter(at(tmp_path).next, None)}
    assert told == {
        name: (os.lstat(tmp_path / name).st_mode & 0o170000, os.lstat(tmp_path / name).st_ino) for name in "fdlp"
    }


def test_a_walk_comes_back_to_where_it_was_in_a_directory(deep):
    walk = at(deep)
    first = walk.next()
    walk.enter("d")
    walk.leave()
    assert sorted([first[0], *rest(walk)]) == ["a", "b", "d"]


def test_what_is_unread_of_a_closed_directory_is_kept(deep):
    walk = at(deep)
    first = walk.next()
    go_down(walk, LEVELS)
    go_up(walk, LEVELS)
    assert walk.depth == 0
    assert sorted([first[0], *rest(walk)]) == ["a", "b", "d"]


def test_a_closed_directory_can_be_entered_from_again(deep):
    walk = at(deep)
    go_down(walk, LEVELS)
    go_up(walk, LEVELS)
    walk.enter("d")
    assert rest(walk) == ["a", "b", "d"]


def test_few_directories_are_open_and_all_are_closed_in_the_end(deep):
    before = descriptors()
    walk = at(deep)
    go_down(walk, LEVELS)
    assert descriptors() - before <= 2 * descent.OPEN + 2
    del walk
    assert descriptors() == before


def test_a_folded_walk_holds_one_directory(deep):
    before = descriptors()
    walk = at(deep)
    go_down(walk, 5)
    walk.fold()
    assert descriptors() - before <= 4
    walk.leave()
    assert walk.depth == 4
    assert rest(walk) == ["a", "b", "d"]


def test_a_directory_moved_below_a_closed_one_ends_the_walk(deep):
    walk = at(deep)
    go_down(walk, LEVELS)
    elsewhere = deep.parent / "elsewhere"
    elsewhere.mkdir()
    os.rename(deep / "d" / "d", elsewhere / "d")
    with pytest.raises(TreeMoved):
        go_up(walk, LEVELS)


def test_a_directory_moved_below_an_open_one_ends_the_walk_where_that_is_looked_at(deep):
    walk = at(deep)
    go_down(walk, 2)
    os.rename(deep / "d" / "d", deep / "moved")
    with pytest.raises(TreeMoved):
        walk.leave(verify=True)


def test_a_link_is_not_entered(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "l").symlink_to("d")
    walk = at(tmp_path)
    with pytest.raises(NotADirectoryError):
        walk.enter("l")
    assert walk.depth == 0


def test_a_failure_to_enter_leaves_the_walk_where_it_was(tmp_path):
    (tmp_path / "f").touch()
    walk = at(tmp_path)
    with pytest.raises(NotADirectoryError):
        walk.enter("f")
    with pytest.raises(FileNotFoundError):
        walk.enter("gone")
    assert rest(walk) == ["f"]


def test_too_many_unread_names_are_refused_and_not_kept(deep, monkeypatch):
    monkeypatch.setattr(descent, "MAX_UNREAD", 10)
    walk = at(deep)
    with pytest.raises(OSError, match="memory"):
        go_down(walk, LEVELS)


def test_thousands_of_levels_are_walked(tmp_path):
    """Deeper than the longest path of the kernel, and than Python recurses."""
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)
    walk = at(tmp_path)
    while (found := walk.next()) is not None:
        walk.enter(found[0])
    assert walk.depth == 3000
    for _ in range(3000):
        walk.leave(verify=True)
    assert walk.depth == 0
    top = parse(str(tmp_path))
    trees.remove_tree(files.open_directory(top, follow=False), top, lambda step: None)
    assert os.listdir(tmp_path) == []
