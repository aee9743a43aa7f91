"""Attributes changed on what is held."""

from __future__ import annotations

import os

import pytest

from trex.host import attributes
from trex.host.files import Descriptor

IS_ROOT = os.geteuid() == 0


def held(path, flags: int = os.O_PATH | os.O_NOFOLLOW) -> Descriptor:
    return Descriptor(os.open(path, flags | os.O_CLOEXEC))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "f"
    path.write_text("x")
    os.chmod(path, 0o644)
    return path


def test_a_mode_is_changed_on_the_object_and_not_on_its_name(file, tmp_path):
    descriptor = held(file)
    os.rename(file, tmp_path / "moved")
    file.touch(mode=0o644)
    attributes.set_mode(descriptor, 0o600)
    assert os.stat(tmp_path / "moved").st_mode & 0o777 == 0o600
    assert os.stat(file).st_mode & 0o777 == 0o644


def test_times_are_not_swapped(file):
    """W-D5: the time of the last access comes first."""
    attributes.set_times(held(file), 1_000_000_001, 2_000_000_002)
    assert (os.stat(file).st_atime_ns, os.stat(file).st_mtime_ns) == (1_000_000_001, 2_000_000_002)


def test_bits_that_give_privileges_are_not_taken_over(file, tmp_path):
    """W-E6: a copy of a set-user-id program is none."""
    os.chmod(file, 0o6755)
    os.utime(file, ns=(3, 4))
    copy = tmp_path / "copy"
    copy.touch()
    attributes.take_mode_and_times(held(copy), os.stat(file))
    found = os.stat(copy)
    assert (found.st_mode & 0o7777, found.st_atime_ns, found.st_mtime_ns) == (0o755, 3, 4)


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_a_link_is_given_away_itself(file, tmp_path):
    (tmp_path / "link").symlink_to("f")
    attributes.set_owner(held(tmp_path / "link"), 12345, None)
    assert os.lstat(tmp_path / "link").st_uid == 12345
    assert os.stat(file).st_uid == 0


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_a_moved_file_keeps_owner_mode_times_and_labels(file, tmp_path):
    os.chown(file, 12345, 12346)
    os.chmod(file, 0o4750)
    os.setxattr(file, "user.note", b"kept")
    os.utime(file, ns=(5, 6))
    new = tmp_path / "new"
    new.touch()
    attributes.take_everything(held(new), held(file, os.O_RDONLY), os.stat(file))
    found = os.stat(new)
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (12345, 12346, 0o4750)
    assert os.getxattr(new, "user.note") == b"kept"
    assert found.st_mtime_ns == 6


def test_an_owner_that_cannot_be_given_takes_its_privileges_along(file, tmp_path, monkeypatch):
    """Otherwise somebody else's set-user-id program would become one of ours."""
    os.chmod(file, 0o4755)
    old = os.stat(file)

    def refused(*_: object) -> None:
        raise PermissionError(1, "")

    monkeypatch.setattr(attributes, "set_owner", refused)
    new = tmp_path / "new"
    new.touch()

    class Theirs:
        st_uid, st_gid, st_mode = old.st_uid + 1, old.st_gid, old.st_mode
        st_atime_ns = st_mtime_ns = 7

    attributes.take_everything(held(new), held(file, os.O_RDONLY), Theirs())
    assert os.stat(new).st_mode & 0o7777 == 0o755
