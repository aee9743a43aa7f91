"""What of resources and contexts may be recorded."""

from __future__ import annotations

import msgspec

from trex.authorization import Entity, IpAddress, file, recorded_context, recorded_resource
from trex.authorization.vocabulary import ENTITY_TYPES


def test_a_file_is_recorded_by_type_and_id_alone():
    assert recorded_resource(file("/etc/x")) == {"type": "file_system::File", "id": "/etc/x"}


def test_what_tells_a_process_apart_is_recorded_and_its_command_line_is_not():
    known = {"name": "mysql", "username": "u", "command": "mysql -psecret", "pid": "7", "user_id": 3}
    assert recorded_resource(Entity("process_system::Process", "7", known)) == {
        "type": "process_system::Process",
        "id": "7",
        "name": "mysql",
        "username": "u",
        "command": "(not recorded)",
        "user_id": 3,
    }


def test_an_address_is_recorded_as_text():
    known = {"url": "u", "address": IpAddress("10.0.0.1")}
    assert recorded_resource(Entity("network::url", "u", known))["address"] == "10.0.0.1"


def test_arguments_are_recorded_and_of_the_environment_only_the_names():
    context = {
        "arguments": Entity("file_system::Arguments", "", {"keys": ("-p",), "flags": ()}, (), {"-p": "tcp"}),
        "environment": Entity("file_system::Environment", "", {"names": ("TOKEN",)}, (), {"TOKEN": "secret"}),
        "user": {"username": "a", "uid": 1},
    }
    recorded = recorded_context(context)
    assert recorded["arguments"]["keys"] == ["-p"]
    assert recorded["arguments"]["tags"] == {"-p": "tcp"}
    assert recorded["environment"]["names"] == ["TOKEN"]
    assert recorded["environment"]["tags"] == {"TOKEN": "(not recorded)"}
    assert recorded["user"] == {"username": "a", "uid": 1}
    assert b"secret" not in msgspec.json.encode(recorded)


def test_an_attribute_that_nobody_declared_is_not_recorded():
    assert recorded_resource(Entity("file_system::File", "/x", {"content": "secret"}))["content"] == "(not recorded)"
    assert recorded_resource(Entity("nowhere::Thing", "x", {"content": "secret"}))["content"] == "(not recorded)"


def test_what_is_kept_back_is_declared_in_the_vocabulary():
    kept_back = {
        f"{type}.{each.name}" for type, kind in ENTITY_TYPES.items() for each in kind.attributes if not each.recorded
    }
    assert kept_back == {"process_system::Process.command"}
    assert [type for type, kind in ENTITY_TYPES.items() if not kind.recorded_tags] == ["file_system::Environment"]
