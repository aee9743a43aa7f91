"""The questions that each command and method asks, in order.

Policies written for Rex rely on these; where Trex asks more, `docs/differences.md` says why.
Each sequence is checked twice: it is what is asked when everything is permitted, and a policy with
exactly these permits is enough.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from support.host import Broker, Failure, flag, made

OPEN_DIR, OPEN_FILE = made("OpenDirOptions"), "OpenFileOptions"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "f").write_text("hello\nworld\n")
    (tmp_path / "ld").symlink_to("d")
    (tmp_path / "d" / "lf").symlink_to("f")
    (tmp_path / "d" / "ls").symlink_to("sub")
    (tmp_path / "d" / "dangling").symlink_to("nothing")
    os.mkfifo(tmp_path / "d" / "fifo")
    return tmp_path


def directory(**options: bool) -> Any:
    return lambda broker, path: broker.directory(path, **options)


COMMANDS = [
    ("files.cat", ["/d/f"], ["open Dir /d", "open File /d/f", "read File /d/f"]),
    ("files.cat", ["/ld/f"], ["open Dir /ld", "open Dir /d", "open File /d/f", "read File /d/f"]),
    ("files.cat", ["//d/./f/"], ["open Dir /d", "open File /d/f", "read File /d/f"]),
    ("files.wc", ["/d/f"], ["open Dir /d", "open File /d/f", "read File /d/f"]),
    ("files.grep", ["l", "/d/f"], ["open Dir /d", "open File /d/f", "read File /d/f"]),
    ("files.ls", ["/d"], ["open Dir /d", "read Dir /d"]),
    ("files.ls", ["/ld"], ["open Dir /ld", "open Dir /d", "read Dir /d"]),
    ("files.write", ["/d/f", "x"], ["open Dir /d", "open File /d/f", "create File /d/f", "write File /d/f"]),
    (
        "files.write",
        [[flag("write", "replace")], "/ld/new", "x"],
        ["open Dir /ld", "open Dir /d", "open File /d/new", "create File /d/new", "write File /d/new"],
    ),
    ("files.replace", ["/d/f", "x"], ["open Dir /d", "open File /d/f", "create File /d/f", "write File /d/f"]),
    ("files.touch", ["/d/f"], ["open Dir /d", "open File /d/f", "create File /d/f"]),
    ("files.touch", ["/d/new"], ["open Dir /d", "open File /d/new", "create File /d/new"]),
    ("files.mkdir", ["/d/new"], ["open Dir /d", "create Dir /d/new"]),
    ("files.mkdir", ["/ld/new"], ["open Dir /ld", "open Dir /d", "create Dir /d/new"]),
    ("files.rm", ["/d/f"], ["open Dir /d", "open File /d/f", "delete File /d/f"]),
    ("files.rm", ["/d/lf"], ["open Dir /d", "open File /d/lf", "delete File /d/lf"]),
]


def below(tree: Any, argument: Any) -> Any:
    return f"{tree}{argument}" if isinstance(argument, str) and argument.startswith("/") else argument


def rooted(tree: Any, asked: list[str]) -> list[str]:
    return [each.replace(" /", f" {tree}/") for each in asked]


def permits(tree: Any, asked: list[str]) -> str:
    """A policy that permits exactly these."""
    lines = []
    for each in asked:
        verb, kind, path = each.split(" ", 2)
        lines.append(
            f'permit (principal, action == file_system::Action::"{verb}", resource == file_system::{kind}::"{tree}{path}");'
        )
    return "\n".join(lines)


@pytest.mark.parametrize("operation, arguments, asked", COMMANDS)
def test_a_command_asks_in_this_order(tree, operation, arguments, asked):
    broker = Broker()
    broker.call(operation, *(below(tree, each) for each in arguments))
    assert broker.asked == rooted(tree, asked)


@pytest.mark.parametrize("operation, arguments, asked", COMMANDS)
def test_a_command_needs_no_permit_but_these(tree, operation, arguments, asked):
    broker = Broker(permits(tree, asked))
    broker.call(operation, *(below(tree, each) for each in arguments))


@pytest.mark.parametrize("operation, arguments, asked", COMMANDS)
def test_a_command_needs_each_of_these_permits(tree, operation, arguments, asked):
    before = state(tree)
    for missing in asked:
        broker = Broker(permits(tree, [each for each in asked if each != missing]))
        with pytest.raises(Failure) as failed:
            broker.call(operation, *(below(tree, each) for each in arguments))
        assert failed.value.kind == "PermissionDenied", missing
        assert state(tree) == before


def state(tree: Any) -> list[tuple[str, Any]]:
    """Every name below with its content, time and mode."""
    found = []
    for root, names, others in os.walk(tree):
        for name in names + others:
            path = os.path.join(root, name)
            status = os.lstat(path)
            content = Path(path).read_text() if os.path.isfile(path) else ""
            found.append((path, (status.st_ino, status.st_mode, status.st_mtime_ns, content)))
    return sorted(found)


HANDLES = [
    ("open", lambda b, t: b.directory(f"{t}/d"), ["open Dir /d"]),
    ("open followed", lambda b, t: b.directory(f"{t}/ld", follow_symlinks=True), ["open Dir /ld", "open Dir /d"]),
    ("make", lambda b, t: b.directory(f"{t}/new", create=True), ["open Dir /new", "create Dir /new"]),
    (
        "make with those above",
        lambda b, t: b.directory(f"{t}/x/y", create=True, recursive=True),
        ["open Dir /x/y", "create Dir /x/y", "create Dir /x"],
    ),
    (
        "open file",
        lambda b, t: b.file(b.directory(f"{t}/d"), "f", read=True),
        ["open Dir /d", "open File /d/f"],
    ),
    (
        "open followed file",
        lambda b, t: b.file(b.directory(f"{t}/d"), "lf", read=True, follow_symlinks=True),
        ["open Dir /d", "open File /d/lf", "open File /d/f"],
    ),
    (
        "make file",
        lambda b, t: b.file(b.directory(f"{t}/d"), "new", create=True),
        ["open Dir /d", "open File /d/new", "create File /d/new"],
    ),
    (
        "make what a link leads to",
        lambda b, t: b.file(b.directory(f"{t}/d"), "dangling", create=True, follow_symlinks=True),
        [
            "open Dir /d",
            "open File /d/dangling",
            "create File /d/dangling",
            "open File /d/nothing",
            "create File /d/nothing",
        ],
    ),
    (
        "read",
        lambda b, t: b.call("files.read", b.file(b.directory(f"{t}/d"), "f", read=True)),
        ["open Dir /d", "open File /d/f", "read File /d/f"],
    ),
    (
        "read through a link",
        lambda b, t: b.call("files.read", b.file(b.directory(f"{t}/d"), "lf", read=True, follow_symlinks=True)),
        ["open Dir /d", "open File /d/lf", "open File /d/f", "read File /d/f"],
    ),
    (
        "delete a link that was followed",
        lambda b, t: b.call(
            "files.delete_file",
            b.file(b.directory(f"{t}/d"), "lf", read=True, follow_symlinks=True),
            made("DeleteFileOptions"),
        ),
        ["open Dir /d", "open File /d/lf", "open File /d/f", "delete File /d/lf"],
    ),
    (
        "write",
        lambda b, t: b.call("files.write_opened", b.file(b.directory(f"{t}/d"), "f", write=True), "x"),
        ["open Dir /d", "open File /d/f", "write File /d/f"],
    ),
    ("list", lambda b, t: b.call("files.list_entries", b.directory(f"{t}/d")), ["open Dir /d", "read Dir /d"]),
    ("see", lambda b, t: b.call("files.directory_metadata", b.directory(f"{t}/d")), ["open Dir /d", "stat Dir /d"]),
    (
        "delete",
        lambda b, t: b.call("files.delete_directory", b.directory(f"{t}/d/sub"), made("DeleteDirOptions")),
        ["open Dir /d/sub", "delete Dir /d/sub"],
    ),
]


def entry(broker: Broker, tree: Any, name: str) -> Any:
    return broker.call("files.ls", f"{tree}/d")[name]


_LISTED = ["open Dir /d", "read Dir /d"]
ENTRIES = [
    (
        "open as file",
        lambda b, t: b.call("files.entry_as_file", entry(b, t, "f"), made(OPEN_FILE, read=True)),
        [*_LISTED, "open File /d/f"],
    ),
    (
        "open as directory",
        lambda b, t: b.call("files.entry_as_directory", entry(b, t, "sub"), OPEN_DIR),
        [*_LISTED, "open Dir /d/sub"],
    ),
    (
        "open a link as directory",
        lambda b, t: b.call(
            "files.entry_as_directory", entry(b, t, "ls"), made("OpenDirOptions", follow_symlinks=True)
        ),
        [*_LISTED, "open Dir /d/ls", "open Dir /d/sub"],
    ),
    (
        "see a file",
        lambda b, t: b.call("files.entry_metadata", entry(b, t, "f")),
        [*_LISTED, "open File /d/f", "stat File /d/f"],
    ),
    (
        "see a directory",
        lambda b, t: b.call("files.entry_metadata", entry(b, t, "sub")),
        [*_LISTED, "open Dir /d/sub", "stat Dir /d/sub"],
    ),
    ("see a pipe", lambda b, t: b.call("files.entry_metadata", entry(b, t, "fifo")), [*_LISTED, "stat File /d/fifo"]),
]


@pytest.mark.parametrize("what, use, asked", HANDLES + ENTRIES, ids=lambda each: each if isinstance(each, str) else "")
def test_a_handle_asks_in_this_order(tree, what, use, asked):
    broker = Broker()
    use(broker, tree)
    assert broker.asked == rooted(tree, asked)


@pytest.mark.parametrize("what, use, asked", HANDLES + ENTRIES, ids=lambda each: each if isinstance(each, str) else "")
def test_a_handle_needs_these_permits_and_no_others(tree, what, use, asked):
    before = state(tree)
    for missing in asked:
        with pytest.raises(Failure) as failed:
            use(Broker(permits(tree, [each for each in asked if each != missing])), tree)
        assert failed.value.kind == "PermissionDenied", missing
        assert state(tree) == before
    use(Broker(permits(tree, asked)), tree)


def test_the_target_of_a_link_is_shown_where_reading_it_is_permitted(tree):
    asked = [*_LISTED, "open File /d/lf", "stat File /d/lf"]
    hidden = Broker(permits(tree, asked))
    assert hidden.call("files.entry_metadata", entry(hidden, tree, "lf")).fields["symlink_target"] is None
    shown = Broker(permits(tree, [*asked, "read File /d/lf"]))
    assert shown.call("files.entry_metadata", entry(shown, tree, "lf")).fields["symlink_target"] == "f"


# --- making and removing with what is above and below ---


def parents() -> list[Any]:
    return [flag("mkdir", "parents")]


def test_mkdir_with_parents_asks_for_each_missing_level(tree):
    broker = Broker()
    broker.call("files.mkdir", parents(), f"{tree}/d/a/b")
    assert broker.asked == rooted(
        tree, ["open Dir /d/a/b", "open Dir /d/a", "open Dir /d", "create Dir /d/a", "create Dir /d/a/b"]
    )


def test_mkdir_with_parents_is_content_with_what_the_reference_asks(tree):
    """`open` on the deepest directory that exists, `create` on each that does not."""
    needed = ["open Dir /d", "create Dir /d/a", "create Dir /d/a/b"]
    Broker(permits(tree, needed)).call("files.mkdir", parents(), f"{tree}/d/a/b")
    assert (tree / "d/a/b").is_dir()


@pytest.mark.parametrize("missing", ["open Dir /d", "create Dir /d/a", "create Dir /d/a/b"])
def test_mkdir_with_parents_makes_nothing_if_any_level_is_denied(tree, missing):
    before = state(tree)
    needed = ["open Dir /d", "create Dir /d/a", "create Dir /d/a/b"]
    with pytest.raises(Failure) as failed:
        Broker(permits(tree, [each for each in needed if each != missing])).call(
            "files.mkdir", parents(), f"{tree}/d/a/b"
        )
    assert failed.value.kind == "PermissionDenied"
    assert state(tree) == before


def test_mkdir_with_parents_on_an_existing_directory_needs_a_permit_too(tree):
    with pytest.raises(Failure) as failed:
        Broker("").call("files.mkdir", parents(), f"{tree}/d/sub")
    assert failed.value.kind == "PermissionDenied"


def test_removing_a_directory_asks_for_it_when_its_parent_may_not_be_opened(tree):
    needed = ["open Dir /d/sub", "delete Dir /d/sub"]
    Broker(permits(tree, needed)).call("files.rm", f"{tree}/d/sub")
    assert not (tree / "d/sub").exists()


def test_removing_a_tree_asks_for_everything_in_it_before_anything_goes(tree):
    (tree / "d/sub/keep").write_text("x")
    before = state(tree)
    policy = f'''
        permit (principal, action, resource) when {{ resource in file_system::Dir::"{tree}" }};
        forbid (principal, action == file_system::Action::"delete", resource == file_system::File::"{tree}/d/sub/keep");
    '''
    with pytest.raises(Failure) as failed:
        Broker(policy).call("files.rm", [flag("rm", "recursive")], f"{tree}/d")
    assert failed.value.kind == "PermissionDenied"
    assert state(tree) == before


def test_removing_a_tree_removes_it(tree):
    Broker().call("files.rm", [flag("rm", "recursive")], f"{tree}/d")
    assert not (tree / "d").exists()
    assert (tree / "ld").is_symlink()
