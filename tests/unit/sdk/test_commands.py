"""What the commands give."""

from __future__ import annotations

import os
import stat
import time

import pytest

from support.host import Broker, Failure, flag, made
from trex.errors import LimitExceeded
from trex.limits import Limits


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("one\ntwo\nthree\n")
    return tmp_path


@pytest.fixture
def broker():
    return Broker()


def failed(broker: Broker, operation: str, *arguments: object) -> Failure:
    with pytest.raises(Failure) as caught:
        broker.call(operation, *arguments)
    return caught.value


# --- paths ---


@pytest.mark.parametrize(
    "path, kind, message",
    [
        ("f", "Other", "Path is not absolute f"),
        ("", "InvalidArguments", "Invalid arguments: Invalid file path: "),
        ("/", "InvalidArguments", "Invalid arguments: Invalid file path: /"),
        ("/a/../b", "Other", "Path traversal detected /a/../b"),
        ("/a\0b", "Other", "Path contains invalid characters /a\0b"),
        ("/" + "x/" * 3000, "IoError", "File name too long (os error 36)"),
    ],
)
def test_a_text_that_is_no_path_fails_before_anything_is_asked(broker, path, kind, message):
    failure = failed(broker, "files.cat", path)
    assert (failure.kind, failure.message, broker.asked) == (kind, message, [])


def test_a_name_that_the_kernel_finds_too_long_is_told_as_the_kernel_tells_it(broker, tree):
    failure = failed(broker, "files.cat", f"{tree}/{'x' * 300}")
    assert (failure.kind, failure.message) == ("IoError", "File name too long (os error 36)")


@pytest.mark.parametrize(
    "name",
    [
        "a*b",
        "what?",
        'say "hi"',
        "line\nbreak",
        "tab\t",
        "back\\slash",
        "caf\U0010fee9",
        "ü",
        "(deleted)",
        "x (deleted)",
    ],
)
def test_files_of_every_name_can_be_written_listed_and_read(broker, tree, name):
    broker.call("files.replace", f"{tree}/{name}", "content")
    assert broker.call("files.cat", f"{tree}/{name}") == "content"
    assert name in broker.call("files.ls", str(tree))


def test_a_name_that_is_not_utf8_round_trips(broker, tree):
    raw = os.fsencode(tree) + b"/caf\xe9"
    with open(raw, "w") as file:
        file.write("content")
    (name,) = [each for each in broker.call("files.ls", str(tree)) if each.startswith("caf")]
    assert broker.call("files.cat", f"{tree}/{name}") == "content"
    broker.call("files.rm", f"{tree}/{name}")
    assert not os.path.exists(raw)


# --- cat ---


def test_cat_gives_the_content_exactly(broker, tree):
    (tree / "f").write_bytes("ü\r\nzwei\0\n\n".encode())
    assert broker.call("files.cat", f"{tree}/f") == "ü\r\nzwei\0\n\n"


def test_cat_numbers_lines(broker, tree):
    assert broker.call("files.cat", [flag("cat", "number")], f"{tree}/f") == "     1\tone\n     2\ttwo\n     3\tthree"


@pytest.mark.parametrize("content", [b"", b"x", b"x\n", b"\n"])
def test_cat_of_small_files(broker, tree, content):
    (tree / "f").write_bytes(content)
    assert broker.call("files.cat", f"{tree}/f") == content.decode()


def test_cat_refuses_what_is_not_utf8(broker, tree):
    (tree / "f").write_bytes(b"a\xff\n")
    failure = failed(broker, "files.cat", f"{tree}/f")
    assert (failure.kind, failure.message) == ("IoError", "stream did not contain valid UTF-8")


def test_cat_reads_files_whose_size_the_kernel_does_not_tell(broker):
    assert "Linux" in broker.call("files.cat", "/proc/sys/kernel/ostype")
    assert broker.call("files.cat", "/proc/cpuinfo")


def test_a_file_larger_than_one_operation_may_read_ends_the_run_before_it_is_read(tree):
    with open(tree / "big", "wb") as file:
        file.truncate(10 * 1024**3)  # sparse
    broker = Broker(limits=Limits(max_read=1000))
    started = time.monotonic()
    with pytest.raises(LimitExceeded) as exceeded:
        broker.call("files.cat", f"{tree}/big")
    assert exceeded.value.limit == "max_read"
    assert time.monotonic() - started < 2


def test_what_one_operation_reads_is_counted_for_each_anew(tree):
    broker = Broker(limits=Limits(max_read=20))
    for _ in range(5):
        broker.call("files.cat", f"{tree}/f")


# --- things in place of a file ---


@pytest.mark.parametrize("operation", ["files.cat", "files.wc", "files.grep"])
def test_only_regular_files_are_read(broker, tree, operation):
    os.mkfifo(tree / "fifo")
    os.symlink("f", tree / "link")
    arguments = ["x"] if operation == "files.grep" else []
    for name, kind in {
        "fifo": "ValidationError",
        "d": "ValidationError",
        "link": "FileError",
        "missing": "IoError",
    }.items():
        assert failed(broker, operation, *arguments, f"{tree}/{name}").kind == kind


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_a_device_is_not_read_or_written(broker, tree):
    os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    for operation, arguments in {"files.cat": [], "files.replace": ["x"], "files.write": ["x"]}.items():
        assert failed(broker, operation, f"{tree}/null", *arguments).kind == "ValidationError"


@pytest.mark.parametrize(
    "operation, arguments", [("files.replace", ["x"]), ("files.write", ["x"]), ("files.touch", [])]
)
def test_only_regular_files_are_written(broker, tree, operation, arguments):
    os.mkfifo(tree / "fifo")
    os.symlink("f", tree / "link")
    for name, kind in {"fifo": "ValidationError", "link": "FileError", "d": "IoError"}.items():
        assert failed(broker, operation, f"{tree}/{name}", *arguments).kind == kind
    assert failed(broker, operation, f"{tree}/d", *arguments).message == "Is a directory (os error 21)"


# --- grep and wc ---


@pytest.mark.parametrize(
    "flags, pattern, found",
    [
        ([], "t", ["two", "three"]),
        ([], "^t.*e$", ["three"]),
        ([], "nothing", []),
        ([("v",)], "t", ["one"]),
        ([("i",)], "TWO", ["two"]),
        ([("n",)], "t", ["2:two", "3:three"]),
        ([("c",)], "t", ["2"]),
        ([("c",), ("v",)], "t", ["1"]),
        ([("m", 1)], "t", ["two"]),
        ([("m", 1), ("c",)], "t", ["1"]),
        ([("m", 0)], "t", ["two", "three"]),
        ([("m", -1)], "t", ["two", "three"]),
    ],
)
def test_grep_gives_the_lines_that_its_flags_choose(broker, tree, flags, pattern, found):
    chosen = [flag("grep", name, *numbers) for name, *numbers in flags]
    assert broker.call("files.grep", chosen, pattern, f"{tree}/f") == found


def test_grep_sees_lines_without_their_ends(broker, tree):
    (tree / "f").write_bytes(b"a\r\nb\n\nlast")
    assert broker.call("files.grep", "", f"{tree}/f") == ["a", "b", "", "last"]
    assert broker.call("files.grep", "a$", f"{tree}/f") == ["a"]


def test_grep_tells_a_pattern_that_does_not_parse(broker, tree):
    failure = failed(broker, "files.grep", "(", f"{tree}/f")
    assert failure.kind == "ValidationError"
    assert failure.message.startswith("Validation error: Invalid regex pattern: '(' - ")


def test_grep_takes_linear_time_whatever_the_pattern(broker, tree):
    """The pattern takes a backtracking engine longer than the universe is old."""
    (tree / "f").write_text("a" * 5000 + "\n")
    started = time.monotonic()
    assert broker.call("files.grep", "(a*)*(a*)*(a*)*b", f"{tree}/f") == []
    assert time.monotonic() - started < 5


def test_grep_refuses_a_pattern_that_explodes_when_it_is_compiled(broker, tree):
    assert failed(broker, "files.grep", "((a{1000}){1000}){1000}", f"{tree}/f").kind == "ValidationError"


def test_grep_refuses_lines_that_are_not_utf8(broker, tree):
    (tree / "f").write_bytes(b"fine\n\xff\n")
    assert failed(broker, "files.grep", "fine", f"{tree}/f").message == "stream did not contain valid UTF-8"


def test_a_line_without_end_is_bounded(tree):
    with open(tree / "f", "wb") as file:
        file.truncate(4 * 1024 * 1024)
    with pytest.raises(LimitExceeded):
        Broker(limits=Limits(max_read=1_000_000)).call("files.grep", "x", f"{tree}/f")


@pytest.mark.parametrize(
    "content, counts",
    [
        (b"", (0, 0, 0)),
        (b"one", (0, 1, 3)),
        (b"one two\nthree\n", (2, 3, 14)),
        (b" \t\r\n\x0b\x0c", (1, 0, 6)),
        (b"x" * 300_000 + b" " + b"y" * 300_000, (0, 2, 600_001)),
        (b"x" * (256 * 1024) + b" y", (0, 2, 256 * 1024 + 2)),
        (b"\xff\xfe not utf8\n", (1, 3, 12)),
    ],
)
def test_wc_counts_lines_words_and_bytes(broker, tree, content, counts):
    (tree / "f").write_bytes(content)
    assert broker.call("files.wc", f"{tree}/f") == dict(zip(("lines", "words", "bytes"), counts, strict=True))


def test_wc_gives_what_its_flags_name(broker, tree):
    assert broker.call("files.wc", [flag("wc", "l"), flag("wc", "c")], f"{tree}/f") == {"lines": 3, "bytes": 14}


# --- ls ---


def test_ls_leaves_out_hidden_names_unless_asked(broker, tree):
    (tree / ".hidden").touch()
    assert set(broker.call("files.ls", str(tree))) == {"d", "f"}
    assert set(broker.call("files.ls", [flag("ls", "a")], str(tree))) == {"d", "f", ".hidden"}


def test_ls_tells_what_each_entry_is(broker, tree):
    os.mkfifo(tree / "fifo")
    os.symlink("nothing", tree / "link")
    entries = broker.call("files.ls", str(tree))
    assert {name: entry.fields["type"].name for name, entry in entries.items()} == {
        "d": "DIR",
        "f": "FILE",
        "fifo": "FIFO",
        "link": "SYMLINK",
    }
    assert entries["f"].fields["inode"] == os.stat(tree / "f").st_ino


def test_ls_of_something_else_fails_as_the_kernel_says(broker, tree):
    assert failed(broker, "files.ls", f"{tree}/f").message == "Not a directory (os error 20)"
    assert failed(broker, "files.ls", f"{tree}/missing").message == "No such file or directory (os error 2)"


def test_ls_of_ten_thousand_entries(broker, tree):
    for number in range(10_000):
        (tree / "d" / f"entry-{number}").touch()
    entries = broker.call("files.ls", f"{tree}/d")
    assert len(entries) == 10_000
    assert len(broker.handles) == 1


def test_a_listing_is_bounded_as_everything_that_is_read(tree):
    for number in range(100):
        (tree / "d" / f"entry-{number}").touch()
    with pytest.raises(LimitExceeded):
        Broker(limits=Limits(max_read=1000)).call("files.ls", f"{tree}/d")


# --- write, replace, touch ---


def test_write_adds_to_the_end(broker, tree):
    broker.call("files.write", f"{tree}/f", "four\n")
    broker.call("files.write", [flag("write", "a")], f"{tree}/f", "five\n")
    assert (tree / "f").read_text() == "one\ntwo\nthree\nfour\nfive\n"


def test_write_adds_to_what_it_cannot_read(broker, tree):
    """Rex reads the file first and loses it when that fails (W-D2)."""
    (tree / "f").write_bytes(b"\xff\xfe old")
    broker.call("files.write", f"{tree}/f", " new")
    assert (tree / "f").read_bytes() == b"\xff\xfe old new"


def test_write_makes_a_missing_file(broker, tree):
    for name in ("a", "b"):
        broker.call("files.write", [flag("write", "r")] if name == "b" else [], f"{tree}/{name}", "x")
        assert (tree / name).read_text() == "x"


def test_replace_keeps_mode_and_owner(broker, tree):
    os.chmod(tree / "f", 0o4640)
    before = os.stat(tree / "f")
    broker.call("files.replace", f"{tree}/f", "new")
    after = os.stat(tree / "f")
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_replace_keeps_an_owner_that_is_not_ours(broker, tree):
    os.chown(tree / "f", 12345, 54321)
    os.chmod(tree / "f", 0o6711)
    broker.call("files.replace", f"{tree}/f", "new")
    after = os.stat(tree / "f")
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (12345, 54321, 0o6711)


def test_writing_leaves_no_other_names(broker, tree):
    broker.call("files.replace", f"{tree}/f", "new")
    broker.call("files.replace", f"{tree}/g", "new")
    broker.call("files.write", f"{tree}/h", "new")
    assert sorted(os.listdir(tree)) == ["d", "f", "g", "h"]


def test_what_is_written_is_counted_for_the_whole_run(tree):
    broker = Broker(limits=Limits(max_write=10))
    broker.call("files.write", f"{tree}/f", "12345")
    broker.call("files.replace", f"{tree}/f", "12345")
    with pytest.raises(LimitExceeded) as exceeded:
        broker.call("files.replace", f"{tree}/f", "1")
    assert exceeded.value.limit == "max_write"
    assert (tree / "f").read_text() == "12345"


def test_writing_into_a_missing_directory_fails(broker, tree):
    assert failed(broker, "files.write", f"{tree}/none/f", "x").message == "No such file or directory (os error 2)"


def test_touch_makes_an_empty_file_or_brings_it_up_to_date(broker, tree):
    os.utime(tree / "f", (1, 1))
    broker.call("files.touch", f"{tree}/f")
    broker.call("files.touch", f"{tree}/new")
    assert os.stat(tree / "f").st_mtime > 1_000_000
    assert (tree / "f").read_text() == "one\ntwo\nthree\n"
    assert (tree / "new").read_bytes() == b""


# --- mkdir and rm ---


def test_mkdir_makes_one_level_or_all(broker, tree):
    broker.call("files.mkdir", f"{tree}/new")
    broker.call("files.mkdir", [flag("mkdir", "p")], f"{tree}/a/b/c")
    assert (tree / "new").is_dir()
    assert (tree / "a/b/c").is_dir()
    assert failed(broker, "files.mkdir", f"{tree}/x/y").message == "No such file or directory (os error 2)"


def test_mkdir_leaves_a_directory_that_is_there(broker, tree):
    (tree / "d" / "f").touch()
    broker.call("files.mkdir", f"{tree}/d")
    broker.call("files.mkdir", [flag("mkdir", "p")], f"{tree}/d")
    assert (tree / "d" / "f").exists()


@pytest.mark.parametrize("flags", [[], [flag("mkdir", "p")]])
def test_mkdir_does_not_take_a_file_for_a_directory(broker, tree, flags):
    assert failed(broker, "files.mkdir", flags, f"{tree}/f").message == "File exists (os error 17)"


def test_mkdir_takes_back_what_it_made_when_it_cannot_go_on(broker, tree):
    """The last name is too long: the kernel refuses it after the others were made."""
    path = f"{tree}/a/b/{'x' * 300}"
    assert failed(broker, "files.mkdir", [flag("mkdir", "p")], path).kind == "IoError"
    assert not (tree / "a").exists()


def test_rm_removes_files_links_and_empty_directories(broker, tree):
    os.symlink("d", tree / "link")
    os.mkfifo(tree / "fifo")
    for name in ("f", "link", "fifo", "d"):
        broker.call("files.rm", f"{tree}/{name}")
    assert os.listdir(tree) == []


def test_rm_of_a_link_to_a_directory_leaves_the_directory(broker, tree):
    (tree / "d" / "f").touch()
    os.symlink("d", tree / "link")
    broker.call("files.rm", [flag("rm", "r")], f"{tree}/link")
    assert (tree / "d" / "f").exists()
    assert not (tree / "link").is_symlink()


def test_rm_of_a_full_directory_wants_recursive(broker, tree):
    (tree / "d" / "f").touch()
    failure = failed(broker, "files.rm", f"{tree}/d")
    assert failure.kind == "DirectoryNotEmpty"
    assert failure.message.endswith(f"use the recursive flag: {tree}/d")
    broker.call("files.rm", [flag("rm", "recursive")], f"{tree}/d")
    assert not (tree / "d").exists()


def test_rm_of_what_is_missing_fails_unless_forced(broker, tree):
    assert failed(broker, "files.rm", f"{tree}/none").message == "No such file or directory (os error 2)"
    broker.call("files.rm", [flag("rm", "force")], f"{tree}/none")


def test_rm_removes_deep_trees(broker, tree):
    deep = tree / "d"
    for _ in range(60):
        deep = deep / "x"
        deep.mkdir()
    broker.call("files.rm", [flag("rm", "r")], f"{tree}/d")
    assert not (tree / "d").exists()


def test_rm_of_the_root_is_refused_by_its_name(broker):
    assert failed(broker, "files.rm", [flag("rm", "r")], "/").kind == "InvalidArguments"


def test_published_metrics_replace_and_alarms_add_up(broker):
    unit = broker.catalogue.enumerations["MetricUnitType"]["PERCENT"]
    for value in (1.0, 2.0):
        dimensions = made("MetricDimensions", add={"disk": "sda"})
        broker.call(
            "reporting.publish_metric",
            made("MetricBuilder", name="used", value=value, unit=unit, dimensions=dimensions),
        )
        broker.call("reporting.publish_alarm", made("AlarmBuilder", type="full", details="sda"))
    (metric,) = broker.record.metrics.values()
    assert (metric.value, metric.unit, metric.dimensions) == (2.0, "PERCENT", {"disk": "sda"})
    assert [(alarm.type, alarm.details) for alarm in broker.record.alarms] == [("full", "sda")] * 2


@pytest.mark.parametrize("name", ["rex", "Rexford", "REX_RUNNER"])
def test_a_reserved_name_is_refused_when_it_is_published(broker, name):
    unit = broker.catalogue.enumerations["MetricUnitType"]["COUNT"]
    failure = failed(broker, "reporting.publish_metric", made("MetricBuilder", name=name, value=1.0, unit=unit))
    assert failure.message == f"Invalid metric name '{name}': Script metrics cannot start with Rex"
    failure = failed(broker, "reporting.publish_alarm", made("AlarmBuilder", type=name))
    assert failure.message == f"Invalid alarm type '{name}': Script alarms cannot start with Rex"
    assert broker.record.metrics == {}
    assert broker.record.alarms == []
