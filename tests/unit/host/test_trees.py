"""Whole trees by descriptor."""

from __future__ import annotations

import os

import pytest

from trex.host import descent, files, trees
from trex.host.paths import parse


def top(path: object) -> tuple[files.Descriptor, object]:
    return files.open_directory(parse(str(path)), follow=False), parse(str(path))


def walked(path: object) -> list[str]:
    return [step.path.removeprefix(str(path)) for step in trees.walk(*top(path))]


def test_a_walk_gives_everything_below_and_a_directory_after_what_it_holds(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "f").touch()
    (tmp_path / "a" / "g").touch()
    found = walked(tmp_path)
    assert sorted(found) == ["/a", "/a/b", "/a/b/f", "/a/g"]
    assert found.index("/a/b/f") < found.index("/a/b") < found.index("/a")


def test_a_walk_does_not_follow_links(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "f").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to("../real")
    assert walked(tmp_path / "tree") == ["/link"]


def test_a_walk_holds_few_descriptors_however_deep_the_tree(tmp_path):
    deep = tmp_path
    for _ in range(200):
        deep = deep / "d"
        deep.mkdir()
    before = len(os.listdir("/proc/self/fd"))
    most = max(len(os.listdir("/proc/self/fd")) for _ in trees.walk(*top(tmp_path)))
    assert most - before <= 2 * descent.OPEN + 4


def test_a_directory_that_is_moved_away_during_a_walk_ends_it(tmp_path):
    (tmp_path / "tree" / "a" / "b").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "b" / "f").touch()
    (tmp_path / "elsewhere").mkdir()
    walk = trees.walk(*top(tmp_path / "tree"))
    assert next(walk).name == b"f"
    os.rename(tmp_path / "tree" / "a" / "b", tmp_path / "elsewhere" / "b")
    with pytest.raises(trees.TreeMoved):
        list(walk)


def test_removing_a_tree_asks_before_each_entry(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").touch()
    (tmp_path / "keep").touch()

    def judge(step: trees.Step) -> None:
        if step.name == b"keep":
            raise PermissionError

    with pytest.raises(PermissionError):
        trees.remove_tree(*top(tmp_path), judge)
    assert (tmp_path / "keep").exists()


def test_removing_a_tree_leaves_the_top(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "f").touch()
    (tmp_path / "link").symlink_to("/etc")
    trees.remove_tree(*top(tmp_path), lambda step: None)
    assert os.listdir(tmp_path) == []
