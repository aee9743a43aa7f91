"""Entities and their references."""

from __future__ import annotations

import msgspec
import pytest

from trex.authorization import Entity, IpAddress, directory, file
from trex.authorization.entities import escaped, parent_path


def ids(entity: Entity) -> list[str]:
    return [each.id for each in entity.family()]


def test_a_file_stands_in_the_chain_of_its_directories_up_to_the_root():
    assert ids(file("/var/log/app.log")) == ["/var/log/app.log", "/var/log", "/var", "/"]


def test_a_file_in_the_root_has_the_root_as_its_only_directory():
    assert ids(file("/vmlinuz")) == ["/vmlinuz", "/"]


def test_the_root_contains_itself_only_once():
    assert ids(directory("/")) == ["/"]


def test_a_directory_has_one_parent_on_every_level():
    chain = list(directory("/a/b/c").family())
    assert [[parent.id for parent in each.parents] for each in chain] == [["/a/b"], ["/a"], ["/"], []]


def test_a_long_chain_is_the_same_as_a_short_one_longer():
    path = "/long" * 100
    assert ids(directory(path)) == ["/long" * n for n in range(100, 0, -1)] + ["/"]


def test_thousands_of_levels_do_not_recurse():
    assert len(ids(directory("/x" * 5000))) == 5001


@pytest.mark.parametrize(("path", "parent"), [("/a/b", "/a"), ("/a", "/"), ("/a b/c\n", "/a b")])
def test_the_parent_of_a_path_is_the_path_without_its_last_part(path, parent):
    assert parent_path(path) == parent


def test_the_json_of_an_entity_names_it_by_type_and_id():
    entity = Entity("process_system::Process", "7", {"name": 'a"b\\'}, (), {"k": "v"})
    assert msgspec.json.decode(entity.json) == {
        "uid": {"type": "process_system::Process", "id": "7"},
        "attrs": {"name": 'a"b\\'},
        "parents": [],
        "tags": {"k": "v"},
    }


def test_values_of_every_kind_reach_the_engine_in_its_own_form():
    other = Entity("User", "bob")
    value = {"yes": True, "n": 3, "set": {"b", "a"}, "who": other, "where": IpAddress("10.0.0.1"), "in": {"x": [1]}}
    assert msgspec.json.decode(Entity("T", "i", value).json)["attrs"] == {
        "yes": True,
        "n": 3,
        "set": ["a", "b"],
        "who": {"__entity": {"type": "User", "id": "bob"}},
        "where": {"__extn": {"fn": "ip", "arg": "10.0.0.1"}},
        "in": {"x": [1]},
    }


def test_a_record_cannot_pass_for_an_entity_reference():
    with pytest.raises(ValueError, match="two underscores"):
        Entity("T", "i", {"a": {"__entity": {"type": "User", "id": "root"}}})


@pytest.mark.parametrize("value", [1.5, None, b"x", object()])
def test_what_is_no_cedar_value_is_an_error_of_the_caller(value):
    with pytest.raises(TypeError):
        Entity("T", "i", {"a": value})


def test_an_entity_does_not_change_with_the_mapping_it_was_made_from():
    attributes = {"path": "/a"}
    entity = Entity("file_system::File", "/a", attributes)
    attributes["path"] = "/b"
    assert entity.attributes["path"] == "/a"


def test_an_id_that_is_no_unicode_text_has_no_form_for_the_engine():
    assert file("/tmp/\udcff").json is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é", "plain é"),
        ('a"b', 'a\\"b'),
        ("a\\b", "a\\\\b"),
        ("a\nb\tc\0", "a\\nb\\tc\\0"),
        ("\x1b[31m", "\\u{1b}[31m"),
        ("\u202egpj", "\\u{202e}gpj"),
        ("\udcff", "\\u{dcff}"),
    ],
)
def test_references_show_ids_without_anything_that_could_end_a_string_or_steer_a_terminal(text, shown):
    assert escaped(text) == shown
    assert str(Entity("T", text)) == f'T::"{shown}"'
