"""Policies speak of names: moving what a rule is about out of its reach, and asking for hidden names by removing (P1, P7).

Everything is permitted in one tree but for a directory or file in it that a rule keeps closed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.host import Broker, Failure, made

ACTION = "file_system::Action"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "a" / "keys").mkdir(parents=True)
    (tmp_path / "a" / "keys" / "hidden").write_text("secret")
    (tmp_path / "a" / "plain").write_text("plain")
    return tmp_path


def but(tree: Path, rule: str) -> Broker:
    return Broker(f'permit (principal, action, resource in file_system::Dir::"{tree}");\n{rule}')


def renamed(broker: Broker, tree: Path) -> None:
    parent = broker.directory(tree)
    broker.call("files.move_directory", parent, broker.directory(tree / "a"), parent, "b", made("MoveOptions"))


@pytest.mark.parametrize(
    "actions",
    ["action", *(f'action == {ACTION}::"{verb}"' for verb in ("read", "open", "write", "delete", "move"))],
)
@pytest.mark.parametrize("kind", ["in Dir", "== File"])
def test_a_forbidden_part_is_not_renamed_with_its_directory(tree, actions, kind):
    """A rename gives all that a directory holds new names, which a rule about the old ones does not know."""
    place = f"{tree}/a/keys" + ("/hidden" if kind == "== File" else "")
    relation, of = kind.split()
    broker = but(tree, f'forbid (principal, {actions}, resource {relation} file_system::{of}::"{place}");')
    with pytest.raises(Failure) as caught:
        renamed(broker, tree)
    assert caught.value.kind == "PermissionDenied"
    assert (tree / "a" / "keys" / "hidden").read_text() == "secret"
    assert not (tree / "b").exists()


def test_a_directory_with_forbidden_parts_is_renamed_where_they_stay_forbidden(tree):
    """A rule that knows the new names as well is no reason to refuse."""
    renamed(
        but(tree, f'forbid (principal, action == {ACTION}::"read", resource) when {{ resource.path like "*/keys*" }};'),
        tree,
    )
    assert (tree / "b" / "keys" / "hidden").read_text() == "secret"


def test_a_directory_does_not_bring_files_to_where_none_may_be_made(tree):
    """A rename makes every file that comes along: a rule about making them holds for it too."""
    (tree / "b").mkdir()
    rule = f'forbid (principal, action == {ACTION}::"create", resource is file_system::File in file_system::Dir::"{tree}/b");'
    broker = but(tree, rule)
    with pytest.raises(Failure) as caught:
        renamed(broker, tree)
    assert caught.value.kind == "PermissionDenied"
    assert (tree / "a" / "plain").exists()


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_a_forbidden_file_is_not_moved_out_of_the_rules_reach(tree, verb):
    """What may be moved, and not read, written or deleted, is not moved to where it may be."""
    broker = but(
        tree, f'forbid (principal, action == {ACTION}::"{verb}", resource in file_system::Dir::"{tree}/a/keys");'
    )
    with pytest.raises(Failure) as caught:
        broker.call("files.mv", f"{tree}/a/keys/hidden", f"{tree}/out")
    assert caught.value.kind == "PermissionDenied"
    assert (tree / "a" / "keys" / "hidden").exists()
    broker.call("files.mv", f"{tree}/a/keys/hidden", f"{tree}/a/keys/other")  # it may get another name there


@pytest.mark.parametrize("verb", ["", "delete", "read"])
def test_a_removal_does_not_name_what_a_closed_directory_holds(tree, verb):
    """The denial of a removal would name the first entry of each hidden directory, one after the other."""
    actions = f"action == {ACTION}" + f'::"{verb}"' if verb else "action"
    rule = f'forbid (principal, {actions}, resource in file_system::Dir::"{tree}/a/keys");'
    rule += f'\nforbid (principal, action == {ACTION}::"delete", resource is file_system::File);'
    told = set()
    for name in ("hidden", "other name"):
        (tree / "a" / "plain").unlink(missing_ok=True)
        broker = but(tree, rule)
        with pytest.raises(Failure) as caught:
            broker.call(
                "files.delete_directory", broker.directory(tree / "a"), made("DeleteDirOptions", recursive=True)
            )
        told.add(caught.value.message)
        (tree / "a" / "keys" / name).rename(tree / "a" / "keys" / "other name")
    assert len(told) == 1, "names are told to who may list the directory"
