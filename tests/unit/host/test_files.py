"""Files and directories by descriptor, on the real kernel."""

from __future__ import annotations

import os
import socket

import pytest

from trex.host import files
from trex.host.paths import Path, parse


@pytest.fixture
def tree(tmp_path):
    """`d/f`, `d/sub`, links to each, a FIFO and a socket."""
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "f").write_text("content")
    (tmp_path / "ld").symlink_to("d")
    (tmp_path / "d" / "lf").symlink_to("f")
    (tmp_path / "d" / "dangling").symlink_to("nothing")
    os.mkfifo(tmp_path / "d" / "fifo")
    return tmp_path


def held(path: object) -> files.Descriptor:
    return files.open_directory(parse(str(path)), follow=False)


def test_a_symbolic_link_anywhere_on_the_way_is_refused_unless_links_are_followed(tree):
    for name in ("ld", "ld/sub"):
        with pytest.raises(OSError, match=r"Too many levels|Not a directory"):
            files.open_directory(parse(f"{tree}/{name}"), follow=False)
        files.open_directory(parse(f"{tree}/{name}"), follow=True)


def test_a_magic_link_of_proc_is_never_followed():
    for path in ("/proc/self/root", "/proc/self/cwd", "/proc/1/root"):
        with pytest.raises(OSError, match=r"Too many levels|Permission denied"):
            files.open_directory(parse(path), follow=True)


def test_a_name_cannot_lead_out_of_its_directory(tree):
    directory = held(tree / "d")
    for name in (b"..", b"../d", b"/etc", b"sub/../../d"):
        with pytest.raises(OSError, match="cross-device"):
            files.open_name(directory, name)


def test_a_link_is_opened_itself_and_tells_its_target(tree):
    link = files.open_name(held(tree / "d"), b"lf")
    assert files.kind(files.status(link)) == files.SYMLINK
    assert files.link_target(link) == b"f"


def test_opening_a_fifo_does_not_wait_and_does_not_touch_it(tree):
    fifo = files.open_name(held(tree / "d"), b"fifo")
    assert files.kind(files.status(fifo)) not in (files.REGULAR, files.DIRECTORY)


def test_what_is_held_is_opened_again_even_when_its_name_means_something_else(tree):
    found = files.open_name(held(tree / "d"), b"f")
    os.rename(tree / "d" / "f", tree / "gone")
    (tree / "d" / "f").write_text("another")
    assert files.read_at(files.reopen(found, os.O_RDONLY), 100, 0) == b"content"


def test_the_real_path_of_a_followed_directory_is_read_back(tree):
    assert files.real_path(files.open_directory(parse(f"{tree}/ld/sub"), follow=True)).text == f"{tree}/d/sub"


def test_a_directory_without_a_name_has_no_real_path(tree):
    found = held(tree / "d" / "sub")
    os.rmdir(tree / "d" / "sub")
    with pytest.raises(FileNotFoundError):
        files.real_path(found)


def test_a_name_that_ends_like_a_deleted_one_is_still_a_name(tree):
    odd = tree / "d" / "x (deleted)"
    odd.mkdir()
    found = held(odd)
    assert files.real_path(found).text == str(odd)
    odd.rmdir()
    with pytest.raises(FileNotFoundError):
        files.real_path(found)


def test_something_that_was_moved_is_not_where_it_was_judged(tree):
    path = parse(f"{tree}/d/f")
    found = files.open_name(held(tree / "d"), b"f")
    assert files.is_at(found, path)
    os.rename(tree / "d" / "f", tree / "moved")
    assert not files.is_at(found, path)


def test_something_that_was_moved_to_a_name_like_a_deleted_one_is_not_where_it_was_judged(tree):
    path = parse(f"{tree}/d/f")
    found = files.open_name(held(tree / "d"), b"f")
    os.rename(tree / "d" / "f", tree / "d" / "f (deleted)")
    assert not files.is_at(found, path)


def test_something_that_was_deleted_is_still_what_was_judged(tree):
    path = parse(f"{tree}/d/f")
    found = files.open_name(held(tree / "d"), b"f")
    os.unlink(tree / "d" / "f")
    assert files.is_at(found, path)


def test_something_that_was_replaced_is_still_what_was_judged(tree):
    path = parse(f"{tree}/d/f")
    found = files.open_name(held(tree / "d"), b"f")
    (tree / "new").write_text("new")
    os.rename(tree / "new", tree / "d" / "f")
    assert files.is_at(found, path)


def test_a_new_file_is_never_an_existing_one_nor_a_link(tree):
    directory = held(tree / "d")
    for name in (b"f", b"lf", b"dangling", b"sub"):
        with pytest.raises(FileExistsError):
            files.create_file(directory, name, os.O_RDWR, 0o600)
    assert not (tree / "d" / "nothing").exists()


def test_a_name_that_is_not_utf8_is_listed_and_opened(tree):
    raw = b"caf\xe9"
    with open(os.path.join(os.fsencode(tree / "d"), raw), "w"):
        pass
    directory = held(tree / "d")
    readable = files.reopen(directory, os.O_RDONLY | os.O_DIRECTORY)
    names = {files.entry_name(entry) for entry in files.entries(readable)}
    assert "caf\U0010fee9" in names
    path = Path((*parse(str(tree / "d")).parts, "caf\U0010fee9"))
    assert files.is_at(files.open_name(directory, raw), path)


def test_descriptors_close_themselves_and_are_not_inherited(tree):
    descriptor = held(tree)
    number = descriptor.number
    assert not os.get_inheritable(number)
    del descriptor
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_socket_is_seen_as_what_it_is(tree):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tree / "d" / "s"))
        found = files.open_name(held(tree / "d"), b"s")
        assert files.kind(files.status(found)) == 0o140000


def test_where_a_name_leads_is_told_also_when_it_is_missing(tree):
    assert files.resolve_text(parse(f"{tree}/ld/dangling/x")).text == f"{tree}/d/nothing/x"
