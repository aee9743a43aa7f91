"""What handles of directories, files and entries give."""

from __future__ import annotations

import os
import stat

import pytest

from support.host import Broker, Failure, made
from trex.values import Constant


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("one\ntwo\nthree\n")
    (tmp_path / "link").symlink_to("f")
    return tmp_path


@pytest.fixture
def broker():
    return Broker()


def failed(broker: Broker, operation: str, *arguments: object) -> Failure:
    with pytest.raises(Failure) as caught:
        broker.call(operation, *arguments)
    return caught.value


def opened(broker: Broker, path: object, **options: bool) -> Failure:
    return failed(broker, "files.open_directory", made("DirConfig", path=str(path)), made("OpenDirOptions", **options))


# --- directories ---


def test_the_root_can_be_opened(broker):
    broker.call("files.list_entries", broker.directory("/"))


@pytest.mark.parametrize("name", ["f", "link", "f/x"])
def test_what_is_no_directory_is_not_opened(broker, tree, name):
    failure = opened(broker, tree / name)
    assert failure.kind == "DirectoryOpenError"
    assert failure.message.startswith("Directory error: Not a directory, enable follow_symlinks")
    assert failure.message.endswith(f": {tree}/{name}")


def test_a_missing_directory_is_an_error_of_the_kernel(broker, tree):
    for options in ({}, {"follow_symlinks": True}):
        failure = opened(broker, tree / "none", **options)
        assert (failure.kind, failure.message) == ("IoError", "No such file or directory (os error 2)")


def test_making_a_directory_that_is_there_fails(broker, tree):
    for name in ("d", "f", "link"):
        failure = opened(broker, tree / name, create=True)
        assert failure.message == f"Directory error: failed to create directory: {tree}/{name}"


def test_making_a_directory_below_a_missing_one_fails(broker, tree):
    failure = opened(broker, tree / "x" / "y", create=True)
    assert failure.message == f"Directory error: failed to open parent: {tree}/x"


def test_making_a_directory_below_a_link_makes_nothing(broker, tree):
    """Rex makes it where the link leads and fails afterwards (W-A3)."""
    (tree / "ld").symlink_to("d")
    assert opened(broker, tree / "ld" / "new", create=True).kind == "DirectoryOpenError"
    assert opened(broker, tree / "ld" / "new", create=True, recursive=True).kind == "DirectoryOpenError"
    assert os.listdir(tree / "d") == []


def test_making_directories_takes_those_that_are_there(broker, tree):
    broker.directory(tree / "d", create=True, recursive=True)
    broker.directory(tree / "d/a/b", create=True, recursive=True)
    assert (tree / "d/a/b").is_dir()


def test_a_directory_that_was_moved_is_not_used_any_more(broker, tree):
    """Rex would go on to judge it by the name it had (W-A4)."""
    (tree / "d" / "f").write_text("x")
    directory = broker.directory(tree / "d")
    os.rename(tree / "d", tree / "elsewhere")
    for operation, arguments in {
        "files.list_entries": [],
        "files.directory_metadata": [],
        "files.delete_directory": [made("DeleteDirOptions", recursive=True)],
        "files.open_file": ["f", made("OpenFileOptions", read=True)],
    }.items():
        failure = failed(broker, operation, directory, *arguments)
        assert failure.kind == "FileError"
        assert "moved after it was authorized" in failure.message
    assert (tree / "elsewhere" / "f").exists()


def test_a_directory_is_removed_by_what_it_is(broker, tree):
    directory = broker.directory(tree / "d")
    broker.call("files.delete_directory", directory, made("DeleteDirOptions"))
    assert not (tree / "d").exists()
    failure = failed(broker, "files.delete_directory", directory, made("DeleteDirOptions"))
    assert (failure.kind, failure.message) == ("NotFound", f"No such file or directory found: {tree}/d")
    broker.call("files.delete_directory", directory, made("DeleteDirOptions", force=True))


def test_a_directory_that_took_the_name_is_not_removed(broker, tree):
    directory = broker.directory(tree / "d")
    os.rename(tree / "d", tree / "old")
    (tree / "d").mkdir()
    failed(broker, "files.delete_directory", directory, made("DeleteDirOptions"))
    assert (tree / "d").is_dir()
    assert (tree / "old").is_dir()


# --- files ---


@pytest.mark.parametrize("name", ["sub/f", "f/", "/etc/passwd", "", "."])
def test_a_file_is_opened_by_one_name(broker, tree, name):
    failure = failed(broker, "files.open_file", broker.directory(tree), name, made("OpenFileOptions", read=True))
    assert failure.message == "Invalid path: file path must contain only a filename"


def test_at_least_one_way_to_open_is_needed(broker, tree):
    failure = failed(broker, "files.open_file", broker.directory(tree), "f", made("OpenFileOptions"))
    assert failure.kind == "InvalidArguments"


def test_reading_needs_the_read_option_and_writing_the_write_option(broker, tree):
    directory = broker.directory(tree)
    failure = failed(broker, "files.read", broker.file(directory, "f", write=True))
    text = "Invalid file mode: Attempted to read a file without opening it with the read option.: "
    assert (failure.kind, failure.message) == ("InvalidFileMode", f"{text}{tree}/f")
    failure = failed(broker, "files.write_opened", broker.file(directory, "f", read=True), "x")
    assert failure.kind == "InvalidFileMode"


def test_a_file_can_be_read_again_and_again(broker, tree):
    file = broker.file(broker.directory(tree), "f", read=True)
    assert broker.call("files.read", file) == broker.call("files.read", file) == "one\ntwo\nthree\n"


def test_a_new_file_has_the_mode_that_was_wanted(broker, tree):
    before = os.umask(0o022)
    try:
        directory = broker.directory(tree)
        broker.file(directory, "a", create=True, permissions=0o7777)
        broker.file(directory, "b", create=True)
        broker.file(directory, "c", create=True, follow_symlinks=True)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(os.stat(tree / name).st_mode) for name in "abc"] == [0o755, 0o644, 0o644]


def test_an_existing_file_is_opened_as_it_is(broker, tree):
    broker.file(broker.directory(tree), "f", create=True, permissions=0o600)
    assert (tree / "f").read_text() == "one\ntwo\nthree\n"


def test_writing_gives_a_new_handle_and_the_old_one_keeps_the_old_content(broker, tree):
    old = broker.file(broker.directory(tree), "f", read=True, write=True)
    new = broker.call("files.write_opened", old, "new")
    assert broker.call("files.read", new) == "new"
    assert broker.call("files.read", old) == "one\ntwo\nthree\n"
    newer = broker.call("files.write_opened", new, "newer")
    assert broker.call("files.read", newer) == (tree / "f").read_text() == "newer"


def test_writing_through_an_old_handle_does_not_undo_what_was_written_since(broker, tree):
    old = broker.file(broker.directory(tree), "f", read=True, write=True)
    broker.call("files.write_opened", old, "new")
    assert failed(broker, "files.write_opened", old, "lost").kind == "FileError"
    assert (tree / "f").read_text() == "new"


def test_writing_to_a_followed_link_changes_the_file_and_leaves_the_link(broker, tree):
    """Rex replaces the link by a file (W-B4)."""
    file = broker.file(broker.directory(tree), "link", write=True, follow_symlinks=True)
    broker.call("files.write_opened", file, "new")
    assert (tree / "link").is_symlink()
    assert (tree / "f").read_text() == "new"


def test_deleting_a_followed_link_removes_the_link(broker, tree):
    file = broker.file(broker.directory(tree), "link", read=True, follow_symlinks=True)
    broker.call("files.delete_file", file, made("DeleteFileOptions"))
    assert not (tree / "link").is_symlink()
    assert (tree / "f").exists()


def test_deleting_what_is_gone_fails_unless_forced(broker, tree):
    file = broker.file(broker.directory(tree), "f", read=True)
    broker.call("files.delete_file", file, made("DeleteFileOptions"))
    failure = failed(broker, "files.delete_file", file, made("DeleteFileOptions"))
    assert (failure.kind, failure.message) == ("NotFound", f"No such file or directory found: {tree}")
    broker.call("files.delete_file", file, made("DeleteFileOptions", force=True))


def test_deleting_does_not_remove_a_file_that_took_the_name(broker, tree):
    file = broker.file(broker.directory(tree), "f", read=True)
    (tree / "new").write_text("theirs")
    os.rename(tree / "new", tree / "f")
    assert failed(broker, "files.delete_file", file, made("DeleteFileOptions")).kind == "FileError"
    assert (tree / "f").read_text() == "theirs"


def test_following_a_link_to_nothing_fails_and_makes_nothing(broker, tree):
    (tree / "dangling").symlink_to("nothing")
    directory = broker.directory(tree)
    for name in ("dangling", "missing"):
        options = made("OpenFileOptions", read=True, follow_symlinks=True)
        failure = failed(broker, "files.open_file", directory, name, options)
        assert (failure.kind, failure.message) == ("RustixError", "No such file or directory (os error 2)")
    assert not (tree / "nothing").exists()


def test_links_that_lead_in_a_circle_are_an_error_of_the_kernel(broker, tree):
    (tree / "a").symlink_to("b")
    (tree / "b").symlink_to("a")
    options = made("OpenFileOptions", read=True, follow_symlinks=True)
    assert "(os error 40)" in failed(broker, "files.open_file", broker.directory(tree), "a", options).message


@pytest.mark.parametrize(
    "count, start, lines",
    [
        (2, None, ["1", "2"]),
        (2, 14, ["14", "15"]),
        (5, 14, ["14", "15"]),
        (5, 99, []),
        (0, None, []),
        (0, 9, []),
        (-2, None, ["14", "15"]),
        (-2, 5, ["4", "5"]),
        (-9, 2, ["1", "2"]),
        (-2, 99, ["14", "15"]),
        (-99, None, [str(number) for number in range(1, 16)]),
        (None, 14, ["14", "15"]),
    ],
)
def test_read_lines_gives_the_lines_that_count_and_start_choose(broker, tree, count, start, lines):
    (tree / "f").write_text("".join(f"{number}\n" for number in range(1, 16)))
    file = broker.file(broker.directory(tree), "f", read=True)
    given = {name: value for name, value in {"count": count, "start": start}.items() if value is not None}
    assert broker.call("files.read_lines", file, made("ReadLinesOptions", **given)) == lines


def test_the_last_lines_of_a_large_file_are_found_from_its_end(broker, tree):
    (tree / "f").write_text("".join(f"line {number}\r\n" for number in range(100_000)) + "last")
    file = broker.file(broker.directory(tree), "f", read=True)
    assert broker.call("files.read_lines", file, made("ReadLinesOptions", count=-2)) == ["line 99999", "last"]


def test_the_last_lines_of_a_file_without_a_size_are_found(broker):
    file = broker.file(broker.directory(f"/proc/{os.getpid()}"), "status", read=True)
    (line,) = broker.call("files.read_lines", file, made("ReadLinesOptions", count=-1))
    assert line.startswith("nonvoluntary_ctxt_switches")


def test_read_lines_needs_to_know_which(broker, tree):
    file = broker.file(broker.directory(tree), "f", read=True)
    failure = failed(broker, "files.read_lines", file, made("ReadLinesOptions"))
    assert failure.message == "Invalid arguments: No read line mode specified"


def test_a_line_number_starts_at_one_also_for_a_worker_that_did_not_check(broker, tree):
    file = broker.file(broker.directory(tree), "f", read=True)
    failure = failed(broker, "files.read_lines", file, made("ReadLinesOptions", start=0))
    assert failure.message.endswith("(>= 1): 0")


# --- entries and metadata ---


def test_metadata_says_what_the_kernel_says(broker, tree):
    os.chmod(tree / "f", 0o640)
    os.utime(tree / "f", ns=(0, 1_500_000_000_123_456_789))
    seen = os.stat(tree / "f")
    metadata = broker.call("files.file_metadata", broker.file(broker.directory(tree), "f", read=True)).fields
    assert metadata["type"] == Constant("EntryType", "FILE")
    assert metadata["file_size"] == 14
    assert metadata["permissions"] == seen.st_mode
    assert metadata["last_modified_time"] == 1_500_000_000
    assert metadata["last_modified_time_nanos_component"] == 123_456_789
    assert metadata["blocks"] * 512 == metadata["allocated_size"]
    assert metadata["num_hardlinks"] == 1
    assert metadata["symlink_target"] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_owner_without_a_name_is_an_error(broker, tree):
    os.chown(tree / "f", 12345, 0)
    failure = failed(broker, "files.file_metadata", broker.file(broker.directory(tree), "f", read=True))
    assert failure.message == "Identity resolution error: No user mapping found for uid: 12345"


def test_an_entry_that_became_something_else_is_not_seen_as_what_it_was(broker, tree):
    entry = broker.call("files.ls", str(tree))["f"]
    os.unlink(tree / "f")
    (tree / "f").mkdir()
    assert failed(broker, "files.entry_metadata", entry).kind == "EntryTypeMismatchError"


def test_a_link_is_not_opened_as_a_directory_unless_links_are_followed(broker, tree):
    """Rex follows it whatever the options say (W-B8)."""
    (tree / "ld").symlink_to("d")
    entry = broker.call("files.ls", str(tree))["ld"]
    assert failed(broker, "files.entry_as_directory", entry, made("OpenDirOptions")).kind == "DirectoryOpenError"
    broker.call("files.entry_as_directory", entry, made("OpenDirOptions", follow_symlinks=True))


def test_an_entry_is_opened_with_the_options_of_each_call(broker, tree):
    entry = broker.call("files.ls", str(tree))["f"]
    broker.call("files.entry_as_file", entry, made("OpenFileOptions", read=True))
    file = broker.call("files.entry_as_file", entry, made("OpenFileOptions", write=True))
    broker.call("files.write_opened", file, "x")


def test_an_entry_that_is_gone_is_an_error_of_the_kernel(broker, tree):
    entry = broker.call("files.ls", str(tree))["f"]
    os.unlink(tree / "f")
    for operation, arguments in {
        "files.entry_metadata": [],
        "files.entry_as_file": [made("OpenFileOptions", read=True)],
        "files.entry_as_directory": [made("OpenDirOptions")],
    }.items():
        assert failed(broker, operation, entry, *arguments).message == "No such file or directory (os error 2)"


def test_an_entry_of_a_directory_that_was_moved_is_not_used(broker, tree):
    (tree / "d" / "x").write_text("x")
    entry = broker.call("files.ls", f"{tree}/d")["x"]
    os.rename(tree / "d", tree / "elsewhere")
    failure = failed(broker, "files.entry_as_file", entry, made("OpenFileOptions", read=True))
    assert "moved after it was authorized" in failure.message


# --- names ---


def test_a_second_name_of_a_file_is_judged_as_that_name(tree):
    """W-A6: what a file holds is protected by its name only; a new name cannot be given by a script, which has no
    operation for that, and one that is there is neither permitted nor forbidden with the first."""
    os.link(tree / "f", tree / "second")
    policy = """
        permit (principal, action, resource);
        forbid (principal, action, resource) when { resource is file_system::File && resource.path like "*/f" };
    """
    broker = Broker(policy)
    directory = broker.directory(tree)
    assert broker.call("files.read", broker.file(directory, "second", read=True)) == "one\ntwo\nthree\n"
    with pytest.raises(Failure) as denied:
        broker.file(directory, "f", read=True)
    assert denied.value.denial
