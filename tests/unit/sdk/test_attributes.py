"""Owner, mode and labels of open files."""

from __future__ import annotations

import os

import pytest

from support.host import EVERYTHING, Broker, Failure, made
from trex.errors import LimitExceeded
from trex.limits import Limits
from trex.resources import changed

IS_ROOT = os.geteuid() == 0
LABEL = "security.selinux"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "f").write_text("x")
    return tmp_path


@pytest.fixture
def broker():
    return Broker()


def opened(broker: Broker, tree: object, **options: bool) -> object:
    return broker.file(broker.directory(tree), "f", **(options or {"read": True}))


def failed(broker: Broker, operation: str, *arguments: object) -> Failure:
    with pytest.raises(Failure) as caught:
        broker.call(operation, *arguments)
    return caught.value


def test_a_mode_is_given_to_the_file_that_was_judged(broker, tree):
    """W-C1: not to whatever has its name now."""
    file = opened(broker, tree)
    os.rename(tree / "f", tree / "moved")
    (tree / "f").write_text("other")
    before = os.stat(tree / "f").st_mode, os.stat(tree / "moved").st_mode
    assert failed(broker, "files.change_file_mode", file, 0o777).kind == "FileError"
    assert (os.stat(tree / "f").st_mode, os.stat(tree / "moved").st_mode) == before


def test_a_mode_takes_no_write_option(broker, tree):
    broker.call("files.change_file_mode", opened(broker, tree), 0)
    assert os.stat(tree / "f").st_mode & 0o7777 == 0


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_an_owner_is_given_by_name(broker, tree):
    file = opened(broker, tree)
    options = made("SetOwnershipOptions", user="nobody", group="daemon")
    broker.call("files.change_file_owner", file, options)
    owner = broker.call("files.file_ownership", file)
    assert owner.fields == {"user": "nobody", "group": "daemon"}


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_an_owner_alone_leaves_the_group(broker, tree):
    before = os.stat(tree / "f").st_gid
    broker.call("files.change_file_owner", opened(broker, tree), made("SetOwnershipOptions", user="nobody"))
    assert os.stat(tree / "f").st_gid == before


@pytest.mark.skipif(IS_ROOT, reason="root may give files away")
def test_giving_away_without_the_right_names_the_capability(broker, tree):
    failure = failed(broker, "files.change_file_owner", opened(broker, tree), made("SetOwnershipOptions", user="root"))
    assert (failure.kind, failure.denial) == ("IoError", None)
    assert "CAP_CHOWN" in failure.message


@pytest.fixture
def labelled(tree):
    try:
        os.setxattr(tree / "f", LABEL, b"system_u:object_r:tmp_t:s0\0")
    except OSError as error:
        pytest.skip(f"this process may not set labels: {error}")
    return tree


def label(tree) -> bytes:
    return os.getxattr(tree / "f", LABEL)


def test_parts_of_a_label_are_changed_and_the_others_stay(broker, labelled):
    options = made("SetXAttrOptions", name=LABEL, selinux_type="etc_t", selinux_user="user_u")
    broker.call("files.set_extended_attribute", opened(broker, labelled), options)
    assert label(labelled) == b"user_u:object_r:etc_t:s0\0"


def test_a_label_with_categories_is_changed(broker, labelled):
    """A level has colons of its own."""
    os.setxattr(labelled / "f", LABEL, b"system_u:object_r:tmp_t:s0-s0:c0.c1023")
    options = made("SetXAttrOptions", name=LABEL, selinux_type="etc_t")
    broker.call("files.set_extended_attribute", opened(broker, labelled), options)
    assert label(labelled) == b"system_u:object_r:etc_t:s0-s0:c0.c1023"


def test_a_label_of_another_form_is_left_alone(broker, labelled):
    os.setxattr(labelled / "f", LABEL, b"system_u:object_r")
    options = made("SetXAttrOptions", name=LABEL, selinux_type="etc_t")
    failure = failed(broker, "files.set_extended_attribute", opened(broker, labelled), options)
    assert failure.kind == "InvalidArguments"
    assert label(labelled) == b"system_u:object_r"


def test_a_file_without_a_label_gets_none(broker, tree):
    options = made("SetXAttrOptions", name=LABEL, selinux_type="etc_t")
    assert failed(broker, "files.set_extended_attribute", opened(broker, tree), options).kind == "RustixError"
    assert LABEL not in os.listxattr(tree / "f")


def test_a_policy_sees_which_attribute_it_is(labelled):
    policy = """
        permit (principal, action, resource);
        forbid (principal, action == file_system::Action::"set_x_attr", resource)
            when { context.xattr.name == "security.selinux" };
    """
    broker = Broker(policy)
    options = made("SetXAttrOptions", name=LABEL, selinux_type="etc_t")
    failure = failed(broker, "files.set_extended_attribute", opened(broker, labelled), options)
    assert failure.kind == "PermissionDenied"
    assert label(labelled) == b"system_u:object_r:tmp_t:s0\0"


@pytest.mark.parametrize("part", ["", " ", "a b\n", "a:b", " a", "a\x00", "a\x9f"])
def test_a_part_of_a_label_is_one_plain_word(broker, tree, part):
    options = made("SetXAttrOptions", name=LABEL, selinux_type=part)
    failure = failed(broker, "files.set_extended_attribute", opened(broker, tree), options)
    assert failure.kind == "InvalidArguments"


def test_a_size_that_no_file_can_have_is_refused_in_the_kernels_words(broker, tree):
    file = opened(broker, tree, write=True)
    failure = failed(broker, "files.truncate", file, made("TruncateOptions", size=changed.LARGEST))
    assert (failure.kind, failure.message) == ("RustixError", "File too large (os error 27)")


def test_a_reserved_size_counts_as_written(tree):
    """Otherwise a script could fill the disk without writing a byte."""
    broker = Broker(EVERYTHING, Limits(max_write=1000))
    file = opened(broker, tree, write=True)
    broker.call("files.fallocate", file, made("FallocateOptions", length=900))
    with pytest.raises(LimitExceeded):
        broker.call("files.fallocate", file, made("FallocateOptions", length=5000))
    assert os.stat(tree / "f").st_size == 900
