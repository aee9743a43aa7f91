"""Files copied and moved: by path and by handle, on one file system and across."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from support.host import EVERYTHING, Broker, Failure, flag, made
from trex.errors import LimitExceeded
from trex.host import changes, copying
from trex.limits import Limits

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "f").write_text("content")
    os.chmod(tmp_path / "f", 0o640)
    os.utime(tmp_path / "f", ns=(1_000_000_001, 2_000_000_002))
    (tmp_path / "d").mkdir()
    return tmp_path


@pytest.fixture
def elsewhere(tmp_path):
    """A directory on another file system."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK) or os.stat(shared).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is no other file system to write to")
    path = Path(tempfile.mkdtemp(dir=shared))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def broker():
    return Broker()


def failed(broker: Broker, operation: str, *arguments: object) -> Failure:
    with pytest.raises(Failure) as caught:
        broker.call(operation, *arguments)
    return caught.value


def cp(broker: Broker, source: object, target: object, *flags: str) -> None:
    broker.call("files.cp", [flag("cp", name) for name in flags], str(source), str(target))


def mv(broker: Broker, source: object, target: object, *flags: str) -> None:
    broker.call("files.mv", [flag("mv", name) for name in flags], str(source), str(target))


def everything(path: Path) -> tuple[int, int, int, int, bytes]:
    found = os.lstat(path)
    return found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, path.read_bytes()


# --- copies ---


def test_the_checks_of_cp_are_in_order(broker, tree):
    cp(broker, tree / "f", tree / "d" / "new")
    assert broker.asked == [
        f"open Dir {tree}",
        f"open File {tree}/f",
        f"open Dir {tree}/d",
        f"open File {tree}/d/new",
        f"create File {tree}/d/new",
        f"read File {tree}/f",
        f"write File {tree}/d/new",
    ]


def test_a_copy_is_a_file_as_any_that_is_made(broker, tree):
    old = os.umask(0o027)
    try:
        cp(broker, tree / "f", tree / "new")
    finally:
        os.umask(old)
    assert stat.S_IMODE(os.stat(tree / "new").st_mode) == 0o640
    assert os.stat(tree / "new").st_mtime > 1_000_000_000


def test_preserving_takes_mode_and_times(broker, tree):
    """W-D5: each time is the one that it was."""
    os.chmod(tree / "f", 0o604)
    cp(broker, tree / "f", tree / "new", "p")
    found = os.stat(tree / "new")
    assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o604, 2_000_000_002)
    assert f"chmod File {tree}/new" in broker.asked


def test_preserving_takes_no_set_user_id(broker, tree):
    """W-E6: a copied program would run with the rights of whoever copies it."""
    os.chmod(tree / "f", 0o4755)
    cp(broker, tree / "f", tree / "new", "preserve")
    assert stat.S_IMODE(os.stat(tree / "new").st_mode) == 0o755


def test_preserving_another_mode_takes_a_permit(tree):
    """W-E6: `write` alone would do what `chmod` is for."""
    os.chmod(tree / "f", 0o777)
    broker = Broker(EVERYTHING + 'forbid (principal, action == file_system::Action::"chmod", resource);')
    assert failed(broker, "files.cp", [flag("cp", "p")], f"{tree}/f", f"{tree}/new").kind == "PermissionDenied"
    assert not (tree / "new").exists()


def test_a_destination_keeps_its_own_mode(broker, tree):
    (tree / "old").write_text("old")
    os.chmod(tree / "old", 0o600)
    cp(broker, tree / "f", tree / "old", "force")
    assert (tree / "old").read_text() == "content"
    assert stat.S_IMODE(os.stat(tree / "old").st_mode) == 0o600


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_a_destination_keeps_its_owner_and_labels(broker, tree):
    (tree / "old").write_text("old")
    os.chown(tree / "old", 12345, 12346)
    os.setxattr(tree / "old", "user.note", b"kept")
    cp(broker, tree / "f", tree / "old", "force")
    found = os.stat(tree / "old")
    assert (found.st_uid, found.st_gid, os.getxattr(tree / "old", "user.note")) == (12345, 12346, b"kept")


def test_all_names_of_a_destination_show_the_new_content(broker, tree):
    (tree / "old").write_text("old, and longer than the new content")
    os.link(tree / "old", tree / "other")
    cp(broker, tree / "f", tree / "old", "f")
    assert (tree / "other").read_text() == "content"
    assert os.path.samefile(tree / "old", tree / "other")


def test_a_file_is_not_copied_over_itself(broker, tree):
    os.link(tree / "f", tree / "other")
    cp(broker, tree / "f", tree / "other", "f")
    assert (tree / "other").read_text() == "content"


def test_copies_of_proc_are_not_empty(broker, tree):
    cp(broker, f"/proc/{os.getpid()}/status", tree / "new")
    assert (tree / "new").read_text().startswith("Name:")


def test_copies_count_as_written(tree):
    broker = Broker(limits=Limits(max_write=10))
    cp(broker, tree / "f", tree / "one")
    with pytest.raises(LimitExceeded):
        cp(broker, tree / "f", tree / "two")
    assert sorted(os.listdir(tree)) == ["d", "f", "one"]


def test_a_handle_copied_into_stands_for_what_has_the_name(broker, tree):
    directory = broker.directory(tree)
    source = broker.file(directory, "f", read=True)
    target = broker.file(directory, "new", read=True, create=True)
    copied = broker.call("files.copy", source, target, made("CopyFileOptions"))
    for handle in (copied, target):
        assert broker.call("files.read", handle) == "content"
    broker.call("files.write_in_place", target, "again")
    assert (tree / "new").read_text() == "again"


def test_a_copy_by_handle_asks_for_both_ends(broker, tree):
    directory = broker.directory(tree)
    source = broker.file(directory, "f", read=True)
    target = broker.file(directory, "new", create=True)
    del broker.audit.asked[:]
    broker.call("files.copy", source, target, made("CopyFileOptions"))
    assert broker.asked == [f"read File {tree}/f", f"write File {tree}/new"]


def test_a_copy_does_not_care_which_page_was_read(broker, tree):
    """W-D10: all of the source is copied."""
    directory = broker.directory(tree)
    source = broker.file(directory, "f", read=True)
    broker.call("files.read_page", source, made("ReadPageOptions", num_lines=1))
    target = broker.file(directory, "new", create=True)
    broker.call("files.copy", source, target, made("CopyFileOptions"))
    assert (tree / "new").read_text() == "content"


# --- moves ---


def test_the_checks_of_mv_are_in_order(broker, tree):
    mv(broker, tree / "f", tree / "d" / "new")
    assert broker.asked == [
        f"open Dir {tree}",
        f"open File {tree}/f",
        f"open Dir {tree}/d",
        f"move File {tree}/f",
        f"create File {tree}/d/new",
        f"open File {tree}/d/new",
    ]


def test_a_policy_can_say_where_something_may_be_moved(tree):
    policy = f"""
        permit (principal, action, resource);
        forbid (principal, action == file_system::Action::"move", resource)
            unless {{ context.destination.parent_path == "{tree}/d" && context.destination.name == "new" }};
    """
    broker = Broker(policy)
    assert failed(broker, "files.mv", [], f"{tree}/f", f"{tree}/new").kind == "PermissionDenied"
    mv(broker, tree / "f", tree / "d" / "new")
    assert os.listdir(tree / "d") == ["new"]


def test_what_is_replaced_must_be_writable_or_deletable(tree):
    """W-E2: a script that may only create could destroy whatever it can name."""
    (tree / "old").write_text("old")
    for allowed in ("write", "delete", ""):
        forbidden = " && ".join(
            f'action != file_system::Action::"{each}"' for each in ("write", "delete") if each != allowed
        )
        broker = Broker(f"permit (principal, action, resource) when {{ {forbidden} }};")
        if allowed:
            mv(broker, tree / "f", tree / "old")
            shutil.copy(tree / "old", tree / "f")
        else:
            assert failed(broker, "files.mv", [], f"{tree}/f", f"{tree}/old").kind == "PermissionDenied"
            assert (tree / "f").exists()


def test_a_verbose_move_says_from_where_to_where(broker, tree):
    mv(broker, tree / "f", tree / "new", "v")
    assert [record.message for record in broker.record.logs] == [f"Moved from '{tree}/f' to '{tree}/new'"]


def test_a_handle_of_a_moved_file_is_judged_by_its_new_name(tree):
    broker = Broker(EVERYTHING + f'forbid (principal, action, resource == file_system::File::"{tree}/f");')
    (tree / "g").write_text("g")
    directory = broker.directory(tree)
    file = broker.file(directory, "g", read=True)
    moved = broker.call("files.move_file", file, broker.directory(tree / "d"), "new", made("MoveOptions"))
    del broker.audit.asked[:]
    assert broker.call("files.read", moved) == "g"
    assert broker.asked == [f"read File {tree}/d/new"]


def test_a_handle_moves_only_what_it_was_opened_as(broker, tree):
    """W-C1: the name was given to another file."""
    file = broker.file(broker.directory(tree), "f", read=True)
    (tree / "other").write_text("other")
    os.rename(tree / "other", tree / "f")
    failure = failed(broker, "files.move_file", file, broker.directory(tree), "new", made("MoveOptions"))
    assert failure.kind == "FileError"
    assert (tree / "f").read_text() == "other"
    assert not (tree / "new").exists()


# --- across file systems ---


def test_a_move_across_keeps_everything(broker, tree, elsewhere):
    """W-D5 too: with and without `backup`."""
    for name, flags in (("one", ()), ("two", ("b",))):
        shutil.copy2(tree / "f", tree / name)
        before = everything(tree / name)
        mv(broker, tree / name, elsewhere / name, *flags)
        assert everything(elsewhere / name) == before
        assert not (tree / name).exists()


def test_a_move_across_asks_for_what_it_does(broker, tree, elsewhere):
    mv(broker, tree / "f", elsewhere / "new", "backup")
    assert broker.asked[6:] == [
        f"read File {tree}/f",
        f"stat File {tree}/f",
        f"write File {elsewhere}/new",
        f"delete File {tree}/f",
    ]


@pytest.mark.parametrize("denied", ["read", "write", "delete"])
def test_a_move_across_that_is_denied_changes_nothing(tree, elsewhere, denied):
    broker = Broker(EVERYTHING + f'forbid (principal, action == file_system::Action::"{denied}", resource);')
    assert failed(broker, "files.mv", [], f"{tree}/f", f"{elsewhere}/new").kind == "PermissionDenied"
    assert (tree / "f").read_text() == "content"
    assert os.listdir(elsewhere) == []


def test_a_move_across_replaces_in_one_step(broker, tree, elsewhere):
    (elsewhere / "old").write_text("old")
    before = everything(tree / "f")
    mv(broker, tree / "f", elsewhere / "old")
    assert everything(elsewhere / "old") == before


def test_a_file_that_is_not_text_is_moved_across(broker, tree, elsewhere):
    content = bytes(range(256)) * 1000
    (tree / "f").write_bytes(content)
    mv(broker, tree / "f", elsewhere / "new", "backup")
    assert (elsewhere / "new").read_bytes() == content


def test_holes_stay_holes_across(broker, tree, elsewhere):
    os.truncate(tree / "f", 200_000_000)
    mv(broker, tree / "f", elsewhere / "new")
    found = os.stat(elsewhere / "new")
    assert found.st_size == 200_000_000
    assert found.st_blocks * 512 < 1_000_000


def test_a_source_that_changes_while_it_is_copied_is_not_moved(broker, tree, elsewhere, monkeypatch):
    """What was written after the copy would be lost with the source."""
    real = copying.copy

    def disturbed(*arguments: object) -> int:
        size = real(*arguments)
        with open(tree / "f", "a") as file:
            file.write("more")
        return size

    monkeypatch.setattr(copying, "copy", disturbed)
    failure = failed(broker, "files.mv", [], f"{tree}/f", f"{elsewhere}/new")
    assert failure.kind == "FileError"
    assert (tree / "f").read_text() == "contentmore"
    assert os.listdir(elsewhere) == []


def test_a_copy_that_differs_is_not_taken_for_the_file(broker, tree, elsewhere, monkeypatch):
    def wrong(source: object, new: object, *_: object) -> int:
        return os.pwrite(new.number, b"garbage", 0)

    monkeypatch.setattr(copying, "copy", wrong)
    assert failed(broker, "files.mv", [], f"{tree}/f", f"{elsewhere}/new").kind == "FileError"
    assert (tree / "f").read_text() == "content"
    assert os.listdir(elsewhere) == []


def test_a_source_that_cannot_be_removed_is_said_to_be_copied(broker, tree, elsewhere, monkeypatch):
    def failing(*_: object) -> None:
        raise PermissionError(1, "")

    monkeypatch.setattr(changes, "remove_file", failing)
    failure = failed(broker, "files.mv", [], f"{tree}/f", f"{elsewhere}/new")
    assert "it was copied to" in failure.message
    assert (tree / "f").exists()
    assert (elsewhere / "new").exists()


def test_a_link_is_moved_across_as_a_link(broker, tree, elsewhere):
    (tree / "link").symlink_to("f")
    file = broker.file(broker.directory(tree), "link", read=True, follow_symlinks=True)
    broker.call("files.move_file", file, broker.directory(elsewhere), "moved", made("MoveOptions"))
    assert os.readlink(elsewhere / "moved") == "f"
    assert not os.path.lexists(tree / "link")
    assert (tree / "f").exists()


def test_a_handle_moved_across_reads_and_writes_the_new_file(broker, tree, elsewhere):
    file = broker.file(broker.directory(tree), "f", read=True, write=True)
    moved = broker.call("files.move_file", file, broker.directory(elsewhere), "new", made("MoveOptions"))
    assert broker.call("files.read", moved) == "content"
    broker.call("files.write_in_place", moved, "changed")
    assert (elsewhere / "new").read_text() == "changed"


def test_a_handle_that_may_not_be_read_is_not_moved_across(broker, tree, elsewhere):
    file = broker.file(broker.directory(tree), "f", write=True)
    failure = failed(broker, "files.move_file", file, broker.directory(elsewhere), "new", made("MoveOptions"))
    assert failure.kind == "InvalidFileMode"
    assert (tree / "f").exists()
