"""What tests of authorization share: authorizers for a policy text, sample entities and contexts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.execution import added_to_execution
from trex.authorization import Action, Authorizer, Entity, Policy, RunRecord, directory, file
from trex.authorization.vocabulary import ACTIONS, ENTITY_TYPES

ALICE = Entity("User", "alice")
RUN = RunRecord("run-1", "0" * 64, "rhai", "test")


@pytest.fixture
def authorizer() -> Callable[[str], Authorizer]:
    """Makes an authorizer for alice from the text of a policy."""
    return lambda text: Authorizer(Policy.load(text), ALICE, RUN)


CONTEXTS = {
    "set_x_attr": {"xattr": {"name": "user.note"}},
    "move": {"destination": {"path": "/a/b", "name": "b", "parent_path": "/a"}},
    "execute": {
        "arguments": Entity("file_system::Arguments", "", {"keys": (), "flags": (), "positional_values": ()}),
        "environment": Entity("file_system::Environment", "", {"names": ()}),
        "user": {"username": "alice", "uid": 1000},
        "group": {"groupname": "alice", "gid": 1000},
        **added_to_execution(),
    },
}
REQUIRED = {
    "path": "/x/y",
    "name": "n",
    "username": "alice",
    "command": "n -v",
    "pid": "7",
    "url": "u",
    "hostname": "h",
}


@pytest.fixture
def sample_question() -> Callable[[Action], tuple[Entity, dict[str, Any]]]:
    """A resource and a context that fit an action."""

    def made(asked: Action) -> tuple[Entity, dict[str, Any]]:
        kind = ACTIONS[asked].resources[0]
        context = CONTEXTS.get(asked.verb, {}) if asked.namespace == "file_system" else {}
        if asked.namespace == "file_system":
            return (file if kind == "File" else directory)("/x/y"), context
        name = f"{asked.namespace}::{kind}"
        known = {each.name: REQUIRED[each.name] for each in ENTITY_TYPES[name].attributes if not each.optional}
        return Entity(name, "7", known), context

    return made
