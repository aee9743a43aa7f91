"""What walks give: find, find_files, ls with `recursive` and `long`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any

import pytest

from support.host import Broker, Failure, flag, made
from trex.interface import CURSOR_NEXT
from trex.limits import Limits
from trex.values import Constant


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep").write_text("x")
    (tmp_path / "a" / "f").write_text("xx")
    (tmp_path / "g").write_text("xxx")
    return tmp_path


def walked(broker: Broker, path: object, **options: Any) -> Iterator[Any]:
    """The entries that the function of a script would get."""
    cursor = broker.call("files.find", broker.directory(path), made("FindOptions", **options))
    while taken := broker.call(CURSOR_NEXT, cursor):
        yield from taken


def names(broker: Broker, path: object, **options: Any) -> list[str]:
    return [each.fields["name"] for each in walked(broker, path, **options)]


def without(action: str, where: object) -> Broker:
    """Everything but one action on a directory and all in it."""
    return Broker(
        "permit (principal, action, resource);\n"
        f'forbid (principal, action == file_system::Action::"{action}", resource) '
        f'when {{ resource in file_system::Dir::"{where}" }};'
    )


def read(broker: Broker, entry: Any) -> str:
    file = broker.call("files.entry_as_file", entry, made("OpenFileOptions", read=True))
    text: str = broker.call("files.read", file)
    return text


# --- order and depth ---


def test_a_directory_comes_before_what_it_holds(tree):
    found = names(Broker(), tree)
    assert sorted(found) == ["a", "b", "deep", "f", "g"]
    assert found.index("a") < found.index("b") < found.index("deep")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max_depth": 0}, ["a", "g"]),
        ({"max_depth": 1}, ["a", "g"]),
        ({"max_depth": 2}, ["a", "b", "f", "g"]),
        ({"min_depth": 2}, ["b", "deep", "f"]),
        ({"min_depth": 3, "max_depth": 2}, []),
    ],
)
def test_depth_is_counted_from_the_top(tree, options, expected):
    assert sorted(names(Broker(), tree, **options)) == expected


def test_all_directories_are_judged_and_nothing_else(tree):
    broker = Broker()
    names(broker, tree)
    assert sorted(set(broker.asked)) == [
        f"open Dir {tree}", f"open Dir {tree}/a", f"open Dir {tree}/a/b",
        f"read Dir {tree}", f"read Dir {tree}/a", f"read Dir {tree}/a/b",
    ]  # fmt: skip


def test_the_root_can_be_walked():
    assert "etc" in names(Broker(), "/", max_depth=1)


# --- what is denied ---


def test_a_denied_top_is_an_error(tree):
    """In Rex the result is empty, and nobody learns of it (W-E9)."""
    broker = without("read", tree)
    with pytest.raises(Failure, match="PermissionDenied"):
        names(broker, tree)
    with pytest.raises(Failure, match="PermissionDenied"):
        broker.call("files.find_files", [], "*", str(tree))


def test_a_directory_that_may_not_be_opened_is_passed_over(tree):
    broker = without("open", tree / "a" / "b")
    assert sorted(names(broker, tree)) == ["a", "f", "g"]
    assert broker.asked[-1].endswith(f"open Dir {tree}/a/b denied") or f"open Dir {tree}/a/b denied" in broker.asked


def test_a_directory_that_may_not_be_read_is_given_and_not_entered(tree):
    assert sorted(names(without("read", tree / "a" / "b"), tree)) == ["a", "b", "f", "g"]


def test_a_filter_by_status_ends_the_walk_at_what_may_not_be_seen(tree):
    broker = without("stat", tree / "a" / "b")
    with pytest.raises(Failure, match="PermissionDenied"):
        names(broker, tree, size_range=made_range(1))


def made_range(minimum: int) -> Any:
    return Constant("SizeRange", "min_only", (minimum, Constant("SizeUnit", "BYTES")))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_the_host_refuses_is_told_in_the_log(tree):
    for above in (tree, *tree.parents):
        if str(above).startswith("/tmp/"):
            os.chmod(above, 0o755)
    os.chmod(tree / "a" / "b", 0o700)
    broker = Broker()
    os.seteuid(1234)
    try:
        found = names(broker, tree)
    finally:
        os.seteuid(0)
    assert sorted(found) == ["a", "b", "f", "g"]
    (logged,) = broker.record.logs
    assert logged.message == f"find: {tree}/a/b: it could not be entered: Permission denied (os error 13)"


# --- links ---


def test_links_are_given_and_not_followed(tree):
    (tree / "link").symlink_to("a")
    found = {each.fields["name"]: each.fields["type"].name for each in walked(Broker(), tree)}
    assert found["link"] == "SYMLINK"
    assert len(found) == 6


def test_followed_links_are_given_as_what_they_lead_to(tree):
    (tree / "ld").symlink_to("a/b")
    (tree / "lf").symlink_to("a/f")
    (tree / "gone").symlink_to("nowhere")
    found = {each.fields["name"]: each.fields["type"].name for each in walked(Broker(), tree, follow_symlinks=True)}
    assert found["ld"] == "DIR"
    assert found["lf"] == "FILE"
    assert "gone" not in found


def test_loops_of_links_end(tree):
    (tree / "a" / "up").symlink_to("..")
    (tree / "a" / "b" / "self").symlink_to(".")
    (tree / "one").symlink_to("two")
    (tree / "two").symlink_to("one")
    found = names(Broker(), tree, follow_symlinks=True)
    assert found.count("deep") == 1
    assert found.count("f") == 1
    assert not {"one", "two"} & set(found)


def test_every_directory_is_walked_once(tree):
    for number in range(5):
        (tree / f"link{number}").symlink_to("a/b")
    assert names(Broker(), tree, follow_symlinks=True).count("deep") == 1


def test_a_link_to_what_is_denied_leads_nowhere(tree, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_text("x")
    (tree / "link").symlink_to(outside)
    (tree / "file").symlink_to(outside / "secret")
    broker = without("open", outside)
    assert not {"link", "file", "secret"} & set(names(broker, tree, follow_symlinks=True))
    assert f"open Dir {outside} denied" in broker.asked
    assert f"open File {outside}/secret denied" in broker.asked


def test_what_a_dangling_link_leads_to_must_be_permitted_before_it_is_told(tree, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (tree / "link").symlink_to(outside / "none")
    told = Broker()
    names(told, tree, follow_symlinks=True)
    assert len(told.record.logs) == 1
    silent = without("open", outside)
    names(silent, tree, follow_symlinks=True)
    assert not silent.record.logs


def test_a_followed_entry_stands_for_where_the_link_led(tree):
    """Rex resolves the link again when the entry is used (W-B7)."""
    (tree / "target").write_text("judged")
    (tree / "other").write_text("somewhere else")
    (tree / "link").symlink_to("target")
    broker = Broker()
    (entry,) = [each for each in walked(broker, tree, follow_symlinks=True) if each.fields["name"] == "link"]
    os.unlink(tree / "link")
    os.symlink("other", tree / "link")
    assert read(broker, entry) == "judged"
    assert broker.asked[-1] == f"read File {tree}/target"


# --- entries ---


def test_all_entries_can_be_kept_and_used(tree):
    for number in range(1000):
        (tree / "a" / f"n{number}").write_text(str(number))
    broker = Broker(limits=Limits(max_handles=8))
    kept = [each for each in walked(broker, tree) if each.fields["name"].startswith("n")]
    assert len(kept) == 1000
    assert read(broker, kept[700]) == kept[700].fields["name"][1:]


def test_an_entry_is_judged_where_it_is_when_it_is_used(tree):
    broker = without("open", tree / "a")
    (entry,) = [each for each in walked(Broker(), tree) if each.fields["name"] == "f"]
    top = broker.call("files.ls", [], str(tree))["g"]
    moved = type(entry)(entry.type, entry.fields, top.handle)
    with pytest.raises(Failure, match="PermissionDenied"):
        read(broker, moved)


def test_names_that_are_not_utf8_lead_back_to_their_files(tree):
    raw = os.fsencode(tree) + b"/a/\xff\n\xc3"
    with open(raw, "w") as file:
        file.write("odd")
    broker = Broker()
    (entry,) = [each for each in walked(broker, tree) if "\n" in each.fields["name"]]
    assert read(broker, entry) == "odd"


# --- trees that change, and large ones ---


def test_what_goes_while_it_is_walked_is_passed_over(tree):
    for number in range(2000):
        (tree / f"d{number}").mkdir()
    broker = Broker()
    entries = walked(broker, tree, size_range=made_range(0))
    seen = {next(entries).fields["name"]}
    shutil.rmtree(tree / "a")
    for number in range(0, 2000, 2):
        os.rmdir(tree / f"d{number}")
    seen |= {each.fields["name"] for each in entries}
    assert {f"d{number}" for number in range(1, 2000, 2)} <= seen
    assert not broker.record.logs


def test_a_directory_that_is_moved_out_is_not_entered_any_further(tree, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    inner = tree / "a"
    for _ in range(100):
        inner = inner / "x"
        inner.mkdir()
    broker = Broker()
    entries = walked(broker, tree)
    next(entries)
    os.rename(tree / "a" / "x", outside / "x")
    assert sum(1 for each in entries if each.fields["name"] == "x") < 20
    (logged,) = broker.record.logs
    assert logged.message.endswith("it was moved after it was authorized")


@pytest.fixture
def few_files():
    """At most some forty more files can be open."""
    number = os.open("/", os.O_RDONLY)
    os.close(number)
    old = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (number + 60, old[1]))
    yield
    setrlimit(RLIMIT_NOFILE, old)


@pytest.fixture
def pit(tmp_path):
    """A tree of three thousand levels, whose paths are longer than the kernel takes."""
    number = os.open(tmp_path, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=number)
        deeper = os.open("d", os.O_RDONLY, dir_fd=number)
        os.close(number)
        number = deeper
    os.close(number)
    yield tmp_path
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_tree_of_any_depth_is_walked_with_few_files_open(pit, few_files):
    broker = Broker()
    assert len(names(broker, pit)) == 3000
    assert not broker.record.logs


def test_a_directory_of_many_entries_is_walked_in_little_memory(tmp_path):
    """A hundred thousand with TREX_WALK_ENTRIES=100000."""
    import tracemalloc

    count = int(os.environ.get("TREX_WALK_ENTRIES", "20000"))
    for number in range(count):
        os.close(os.open(tmp_path / f"{number:06}", os.O_CREAT | os.O_WRONLY))
    broker = Broker(limits=Limits(max_time=600.0))
    entries = walked(broker, tmp_path)
    for _ in range(500):
        next(entries)
    tracemalloc.start()
    seen = sum(1 for _ in entries)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == count - 500
    assert most < 1_000_000


# --- ls and find_files ---


def test_ls_recursive_lists_closed_directories_and_passes_them_over(tree):
    broker = without("open", tree / "a" / "b")
    assert sorted(broker.call("files.ls", [flag("ls", "recursive")], str(tree))) == ["a", "a/b", "a/f", "g"]


def test_the_entries_of_a_recursive_listing_can_be_used(tree):
    broker = Broker()
    listed = broker.call("files.ls", [flag("ls", "recursive")], str(tree))
    assert read(broker, listed["a/b/deep"]) == "x"


def test_find_files_gives_names(tree):
    broker = Broker()
    assert broker.call("files.find_files", [flag("glob", "recursive")], "*e*", str(tree)) == ["deep"]
    assert sorted(broker.call("files.find_files", [], "*", str(tree))) == ["a", "g"]
