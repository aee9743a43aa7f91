"""Changes to names that happen as a whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from trex.host import changes, files, syscalls
from trex.host.paths import parse


@pytest.fixture
def directory(tmp_path):
    return files.open_directory(parse(str(tmp_path)), follow=False)


def seen(tmp_path, name: str) -> files.Identity:
    return files.identity(os.stat(tmp_path / name, follow_symlinks=False))


def replace(directory, name: bytes, expected, content: bytes) -> None:
    new = changes.NewFile(directory, 0o600)
    try:
        new.fill(content)
        new.publish_over(name, expected)
    finally:
        new.discard()


def names(tmp_path) -> list[str]:
    return sorted(os.listdir(tmp_path))


def test_a_new_file_is_not_seen_before_it_is_published(directory, tmp_path):
    new = changes.NewFile(directory)
    new.fill(b"content")
    assert names(tmp_path) == []
    assert new.publish(b"f")
    assert (tmp_path / "f").read_bytes() == b"content"
    assert names(tmp_path) == ["f"]


def test_a_new_file_does_not_take_a_name_that_is_taken(directory, tmp_path):
    (tmp_path / "f").write_text("theirs")
    new = changes.NewFile(directory)
    new.fill(b"ours")
    assert not new.publish(b"f")
    new.discard()
    assert (tmp_path / "f").read_text() == "theirs"
    assert names(tmp_path) == ["f"]


def test_the_umask_applies_to_a_new_file(directory, tmp_path):
    before = os.umask(0o027)
    try:
        assert changes.NewFile(directory).publish(b"f")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(tmp_path / "f").st_mode) == 0o640


def test_replacing_leaves_the_new_content_and_nothing_else(directory, tmp_path):
    (tmp_path / "f").write_text("old")
    replace(directory, b"f", seen(tmp_path, "f"), b"new")
    assert (tmp_path / "f").read_text() == "new"
    assert names(tmp_path) == ["f"]


def test_replacing_takes_over_mode_and_owner(directory, tmp_path):
    (tmp_path / "f").write_text("old")
    os.chmod(tmp_path / "f", 0o4751)
    new = changes.NewFile(directory, 0o600)
    new.take_over(os.stat(tmp_path / "f"), ownership=True)
    new.publish_over(b"f", seen(tmp_path, "f"))
    assert stat.S_IMODE(os.stat(tmp_path / "f").st_mode) == 0o4751


def test_replacing_refuses_a_file_that_was_replaced_meanwhile(directory, tmp_path):
    (tmp_path / "f").write_text("judged")
    expected = seen(tmp_path, "f")
    (tmp_path / "other").write_text("theirs")
    os.rename(tmp_path / "other", tmp_path / "f")
    with pytest.raises(changes.Replaced):
        replace(directory, b"f", expected, b"ours")
    assert (tmp_path / "f").read_text() == "theirs"
    assert names(tmp_path) == ["f"]


def test_replacing_undoes_an_exchange_with_the_wrong_file(directory, tmp_path, monkeypatch):
    """The file is swapped in the moment between the first look and the exchange."""
    (tmp_path / "f").write_text("judged")
    (tmp_path / "other").write_text("theirs")
    expected = seen(tmp_path, "f")
    exchange = syscalls.renameat2

    def swapped_first(*call: object) -> None:
        monkeypatch.setattr(syscalls, "renameat2", exchange)
        os.rename(tmp_path / "other", tmp_path / "f")
        exchange(*call)

    monkeypatch.setattr(syscalls, "renameat2", swapped_first)
    with pytest.raises(changes.Replaced):
        replace(directory, b"f", expected, b"ours")
    assert (tmp_path / "f").read_text() == "theirs"
    assert names(tmp_path) == ["f"]


def test_replacing_a_name_that_is_gone_makes_nothing(directory, tmp_path):
    (tmp_path / "f").write_text("judged")
    expected = seen(tmp_path, "f")
    os.unlink(tmp_path / "f")
    with pytest.raises(changes.Replaced):
        replace(directory, b"f", expected, b"ours")
    assert names(tmp_path) == []


def test_replacing_works_where_files_cannot_be_exchanged(directory, tmp_path, monkeypatch):
    (tmp_path / "f").write_text("old")

    def cannot(*call: object) -> None:
        raise OSError(22, "EINVAL")

    monkeypatch.setattr(syscalls, "renameat2", cannot)
    replace(directory, b"f", seen(tmp_path, "f"), b"new")
    assert (tmp_path / "f").read_text() == "new"
    assert names(tmp_path) == ["f"]


def test_replacing_works_where_files_need_a_name(directory, tmp_path, monkeypatch):
    (tmp_path / "f").write_text("old")
    opened = syscalls.openat2

    def no_unnamed(number: int, name: bytes, flags: int, resolve: int, mode: int = 0) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "EOPNOTSUPP")
        return opened(number, name, flags, resolve, mode)

    monkeypatch.setattr(syscalls, "openat2", no_unnamed)
    replace(directory, b"f", seen(tmp_path, "f"), b"new")
    assert (tmp_path / "f").read_text() == "new"
    assert names(tmp_path) == ["f"]


def test_removing_takes_the_file_that_was_judged(directory, tmp_path):
    (tmp_path / "f").write_text("old")
    changes.remove_file(directory, b"f", seen(tmp_path, "f"))
    assert names(tmp_path) == []


def test_removing_refuses_a_file_that_was_replaced_meanwhile(directory, tmp_path):
    (tmp_path / "f").write_text("judged")
    expected = seen(tmp_path, "f")
    (tmp_path / "other").write_text("theirs")
    os.rename(tmp_path / "other", tmp_path / "f")
    with pytest.raises(changes.Replaced):
        changes.remove_file(directory, b"f", expected)
    assert (tmp_path / "f").read_text() == "theirs"
    assert names(tmp_path) == ["f"]


def test_removing_gives_back_what_was_swapped_in_at_the_last_moment(directory, tmp_path, monkeypatch):
    (tmp_path / "f").write_text("judged")
    (tmp_path / "other").write_text("theirs")
    expected = seen(tmp_path, "f")
    rename = syscalls.renameat2

    def swapped_first(*call: object) -> None:
        monkeypatch.setattr(syscalls, "renameat2", rename)
        os.rename(tmp_path / "other", tmp_path / "f")
        rename(*call)

    monkeypatch.setattr(syscalls, "renameat2", swapped_first)
    with pytest.raises(changes.Replaced):
        changes.remove_file(directory, b"f", expected)
    assert (tmp_path / "f").read_text() == "theirs"
    assert names(tmp_path) == ["f"]


def test_removing_works_on_a_disk_that_is_too_full_to_move_aside(directory, tmp_path, monkeypatch):
    (tmp_path / "f").write_text("old")

    def full(*call: object) -> None:
        raise OSError(28, "ENOSPC")

    monkeypatch.setattr(syscalls, "renameat2", full)
    changes.remove_file(directory, b"f", seen(tmp_path, "f"))
    assert names(tmp_path) == []
