"""What is done to symbolic links: opened themselves, read, made, replaced."""

from __future__ import annotations

import os

import pytest

from support.host import Broker, Failure, made


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("x")
    (tmp_path / "link").symlink_to("f")
    (tmp_path / "ld").symlink_to("d")
    (tmp_path / "d" / "inner").symlink_to("/nowhere at all")
    return tmp_path


def only(*actions: str) -> Broker:
    names = ", ".join(f'file_system::Action::"{name}"' for name in actions)
    return Broker(f"permit (principal, action in [{names}], resource);")


def failed(broker: Broker, operation: str, *arguments: object) -> Failure:
    with pytest.raises(Failure) as caught:
        broker.call(operation, *arguments)
    return caught.value


def link(broker: Broker, tree: object, target: str, name: str, **options: bool) -> None:
    broker.call("files.create_symlink", broker.directory(tree), target, name, made("CreateSymlinkOptions", **options))


# --- reading ---


def test_a_link_holds_its_text(tree):
    broker = Broker()
    directory = broker.directory(tree)
    assert broker.call("files.read_link_target", directory, "link") == "f"
    assert broker.call("files.read_link_target", directory, "d/inner") == "/nowhere at all"


def test_reading_a_link_asks_for_read_on_it(tree):
    broker = only("open")
    failure = failed(broker, "files.read_link_target", broker.directory(tree), "d/inner")
    assert failure.kind == "PermissionDenied"
    assert broker.asked[-1] == f"read File {tree}/d/inner denied"


def test_a_path_to_a_link_leads_through_no_other_link(tree):
    """Rex judges `ld/inner`, and the kernel reads `d/inner` (W-B6)."""
    broker = Broker()
    failure = failed(broker, "files.read_link_target", broker.directory(tree), "ld/inner")
    assert (failure.kind, failure.message) == ("IoError", "Too many levels of symbolic links (os error 40)")


@pytest.mark.parametrize("name", ["f", "d"])
def test_what_is_no_link_holds_no_target(tree, name):
    broker = Broker()
    failure = failed(broker, "files.read_link_target", broker.directory(tree), name)
    assert (failure.kind, failure.message) == ("IoError", "Invalid argument (os error 22)")


@pytest.mark.parametrize(
    ("name", "kind"), [("../x", "Other"), ("/etc/localtime", "IoError"), ("", "IoError"), ("none", "IoError")]
)
def test_a_link_is_read_below_its_directory_only(tree, name, kind):
    broker = Broker()
    assert failed(broker, "files.read_link_target", broker.directory(tree), name).kind == kind


def test_a_target_that_is_not_utf8_leads_back_to_itself(tree):
    broker = Broker()
    os.symlink(b"\xff-\xc3", os.fsencode(tree) + b"/odd")
    target = broker.call("files.read_link_target", broker.directory(tree), "odd")
    link(broker, tree, target, "copy")
    assert os.readlink(os.fsencode(tree) + b"/copy") == b"\xff-\xc3"


# --- open ones ---


def test_an_open_link_is_itself(tree):
    broker = Broker()
    opened = broker.call("files.open_symlink", broker.directory(tree), "ld")
    seen = broker.call("files.symlink_metadata", opened)
    assert seen.fields["type"].name == "SYMLINK"
    assert seen.fields["symlink_target"] == "d"


@pytest.mark.parametrize("name", ["f", "d"])
def test_what_is_no_link_is_not_opened_as_one(tree, name):
    broker = Broker()
    failure = failed(broker, "files.open_symlink", broker.directory(tree), name)
    assert (failure.kind, failure.message) == ("ValidationError", "Validation error: argument is not a symlink")


def test_the_target_of_an_open_link_is_left_out_where_it_may_not_be_read(tree):
    broker = only("open", "stat")
    opened = broker.call("files.open_symlink", broker.directory(tree), "link")
    assert broker.call("files.symlink_metadata", opened).fields["symlink_target"] is None


def test_the_status_of_an_open_link_asks_for_stat(tree):
    broker = only("open", "read")
    opened = broker.call("files.open_symlink", broker.directory(tree), "link")
    assert failed(broker, "files.symlink_metadata", opened).kind == "PermissionDenied"


def test_an_open_link_that_lost_its_name_to_another_tells_of_itself(tree):
    """Rex reads the target by name, and so of whatever has the name now (W-C5)."""
    broker = Broker()
    opened = broker.call("files.open_symlink", broker.directory(tree), "link")
    os.symlink("elsewhere", tree / "new")
    os.rename(tree / "new", tree / "link")
    assert broker.call("files.symlink_metadata", opened).fields["symlink_target"] == "f"


def test_an_open_link_that_was_moved_is_not_used_any_more(tree):
    broker = Broker()
    opened = broker.call("files.open_symlink", broker.directory(tree), "link")
    os.rename(tree / "link", tree / "moved")
    assert "moved after it was authorized" in failed(broker, "files.symlink_metadata", opened).message


# --- making ---


@pytest.mark.parametrize("target", ["f", "/etc/passwd", "missing", "../../..", "a\nb"])
def test_a_link_holds_any_text(tree, target):
    broker = only("open", "create")
    link(broker, tree, target, "new")
    assert os.readlink(tree / "new") == target
    assert broker.asked == [f"open Dir {tree}", f"create File {tree}/new"]


@pytest.mark.parametrize("name", ["f", "d", "link", "ld"])
def test_a_taken_name_stays(tree, name):
    broker = Broker()
    before = os.lstat(tree / name)
    failure = failed(broker, "files.create_symlink", broker.directory(tree), "x", name, made("CreateSymlinkOptions"))
    assert (failure.kind, failure.message) == ("IoError", "File exists (os error 17)")
    assert os.lstat(tree / name).st_ino == before.st_ino


@pytest.mark.parametrize("name", ["f", "link", "ld", "free"])
def test_force_takes_the_place_of_files_and_links(tree, name):
    broker = only("open", "create", "delete")
    link(broker, tree, "new target", name, force=True)
    assert os.readlink(tree / name) == "new target"
    assert broker.asked[1:] == [f"create File {tree}/{name}", f"delete File {tree}/{name}"]
    assert sorted(os.listdir(tree)) == sorted({"d", "f", "ld", "link", name})
    assert os.listdir(tree / "d") == ["inner"]


def test_force_takes_the_place_of_no_directory(tree):
    broker = Broker()
    options = made("CreateSymlinkOptions", force=True)
    failure = failed(broker, "files.create_symlink", broker.directory(tree), "x", "d", options)
    assert failure.message == "Is a directory (os error 21)"
    assert sorted(os.listdir(tree)) == ["d", "f", "ld", "link"]


def test_force_needs_delete(tree):
    broker = only("open", "create")
    options = made("CreateSymlinkOptions", force=True)
    failure = failed(broker, "files.create_symlink", broker.directory(tree), "x", "link", options)
    assert failure.kind == "PermissionDenied"
    assert os.readlink(tree / "link") == "f"


@pytest.mark.parametrize("name", ["d/new", "", ".", "..", "/new"])
def test_a_link_is_made_by_one_name(tree, name):
    broker = Broker()
    failed(broker, "files.create_symlink", broker.directory(tree), "x", name, made("CreateSymlinkOptions"))
    assert os.listdir(tree / "d") == ["inner"]


@pytest.mark.parametrize(
    ("target", "told"), [("", "No such file or directory"), ("x" * 5000, "File name too long"), ("a\0b", "NUL")]
)
def test_what_no_link_can_hold_is_refused(tree, target, told):
    broker = Broker()
    failure = failed(
        broker, "files.create_symlink", broker.directory(tree), target, "new", made("CreateSymlinkOptions")
    )
    assert told in failure.message
    assert not os.path.lexists(tree / "new")


def test_a_failed_replacement_leaves_no_private_name(tree):
    broker = Broker()
    options = made("CreateSymlinkOptions", force=True)
    failed(broker, "files.create_symlink", broker.directory(tree), "x" * 5000, "link", options)
    assert sorted(os.listdir(tree)) == ["d", "f", "ld", "link"]
    assert os.readlink(tree / "link") == "f"
