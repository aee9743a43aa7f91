"""Contents copied and compared by descriptor."""

from __future__ import annotations

import errno
import os

import pytest

from trex.host import copying
from trex.host.files import Descriptor

MIB = 1024 * 1024


def opened(path, flags: int = os.O_RDWR | os.O_CREAT) -> Descriptor:
    return Descriptor(os.open(path, flags | os.O_CLOEXEC, 0o600))


def copied(source, target, empty: bool = True) -> tuple[int, int]:
    """What a copy gives, and what it told of its progress."""
    told: list[int] = []
    size = copying.copy(opened(source, os.O_RDONLY), opened(target), told.append, empty)
    return size, sum(told)


CANNOT = [errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(os.urandom(3 * MIB + 17))
    return path


def test_all_of_a_file_is_copied(source, tmp_path):
    assert copied(source, tmp_path / "target") == (3 * MIB + 17, 3 * MIB + 17)
    assert (tmp_path / "target").read_bytes() == source.read_bytes()


def test_an_empty_file_is_copied(tmp_path):
    (tmp_path / "source").touch()
    assert copied(tmp_path / "source", tmp_path / "target") == (0, 0)


def test_a_file_whose_size_the_kernel_does_not_tell_is_copied(tmp_path):
    """Files of /proc say that they have no bytes."""
    size, told = copied("/proc/self/mountinfo", tmp_path / "target")
    assert size == told == os.stat(tmp_path / "target").st_size > 0


def test_holes_stay_holes(tmp_path):
    with open(tmp_path / "source", "wb") as file:
        file.truncate(10 * 1024 * MIB)
        file.seek(5 * 1024 * MIB)
        file.write(b"in the middle")
    size, told = copied(tmp_path / "source", tmp_path / "target")
    assert size == os.stat(tmp_path / "target").st_size == 10 * 1024 * MIB
    assert told < MIB
    assert os.stat(tmp_path / "target").st_blocks * 512 < MIB
    with open(tmp_path / "target", "rb") as file:
        file.seek(5 * 1024 * MIB)
        assert file.read(14) == b"in the middle\0"


def test_a_content_that_is_written_over_has_no_holes_left_of_it(tmp_path):
    """Otherwise the old bytes would show through them."""
    (tmp_path / "target").write_bytes(b"x" * MIB)
    with open(tmp_path / "source", "wb") as file:
        file.truncate(MIB)
    copied(tmp_path / "source", tmp_path / "target", empty=False)
    assert (tmp_path / "target").read_bytes() == bytes(MIB)


@pytest.mark.parametrize("error", CANNOT, ids=errno.errorcode.get)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_the_buffer_takes_over_where_the_kernel_refuses(source, tmp_path, monkeypatch, error, after):
    """W-D6: also after it has copied some of it."""
    real, calls = os.copy_file_range, []

    def refusing(one: int, other: int, count: int, *offsets: int) -> int:
        calls.append(count)
        if len(calls) > after:
            raise OSError(error, "")
        return real(one, other, min(count, MIB), *offsets)

    monkeypatch.setattr(os, "copy_file_range", refusing)
    monkeypatch.setattr(copying, "_share", lambda *_: False)
    assert copied(source, tmp_path / "target") == (3 * MIB + 17, 3 * MIB + 17)
    assert (tmp_path / "target").read_bytes() == source.read_bytes()


def test_other_errors_of_the_kernel_are_told(source, tmp_path, monkeypatch):
    def refusing(*_: int) -> int:
        raise OSError(errno.EIO, "")

    monkeypatch.setattr(os, "copy_file_range", refusing)
    monkeypatch.setattr(copying, "_share", lambda *_: False)
    with pytest.raises(OSError, match="5") as failed:
        copied(source, tmp_path / "target")
    assert failed.value.errno == errno.EIO


@pytest.mark.parametrize("by_kernel", [True, False])
def test_a_source_that_shrinks_ends_the_copy(source, tmp_path, monkeypatch, by_kernel):
    """W-D6: what the kernel copies is nothing then, again and again."""
    monkeypatch.setattr(copying, "_share", lambda *_: False)
    monkeypatch.setattr(copying, "_PIECE", MIB)
    if not by_kernel:
        monkeypatch.setattr(copying, "_CANNOT", frozenset({errno.EXDEV}))

        def refusing(*_: int) -> int:
            raise OSError(errno.EXDEV, "")

        monkeypatch.setattr(os, "copy_file_range", refusing)
    size = copying.copy(
        opened(source, os.O_RDONLY), opened(tmp_path / "target"), lambda _: os.truncate(source, MIB + 5)
    )
    assert size == os.stat(tmp_path / "target").st_size == MIB + 5


def test_what_is_told_of_progress_may_end_the_copy(source, tmp_path):
    def enough(_: int) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        copying.copy(opened(source, os.O_RDONLY), opened(tmp_path / "target"), enough)


def test_contents_are_compared_to_their_ends(source, tmp_path):
    content = source.read_bytes()
    for other, differs in ((content, False), (content[:-1], True), (content + b"x", True), (b"x" + content[1:], True)):
        (tmp_path / "other").write_bytes(other)
        one, another = opened(source, os.O_RDONLY), opened(tmp_path / "other", os.O_RDONLY)
        assert copying.differ(one, another, lambda _: None) is differs
