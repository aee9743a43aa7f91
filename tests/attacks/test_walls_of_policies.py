"""Whatever a policy says, a confined process can do no more than the engine permits by name.

Policies are generated over a small tree that is really there; the walls are drawn as for a program, a child
process enters them and tries everything on everything. Each success must be one that the engine permits.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from support.execution import added_to_execution
from support.host import ALICE, RUN
from support.races import TRIES
from trex.authorization import Action, Authorizer, Entity, Policy, directory, file
from trex.authorization.reach import Reach
from trex.broker.budget import Budget
from trex.errors import PolicyInvalid
from trex.isolation import landlock
from trex.limits import Limits
from trex.resources.walls import Walls

try:
    landlock.abi()
except OSError as error:  # pragma: no cover
    pytest.skip(f"no Landlock: {error.strerror}", allow_module_level=True)

DIRECTORIES = ["", "/a", "/a/b", "/a/keys", "/c"]
FILES = ["/x", "/a/x", "/a/x.txt", "/a/b/x", "/a/keys/x.txt", "/c/x.txt"]

# `@` stands for the tree.
_DIRS = st.sampled_from([*DIRECTORIES, "/a/new"]).map(lambda path: f'file_system::Dir::"@{path}"')
_FILES = st.sampled_from(FILES).map(lambda path: f'file_system::File::"@{path}"')
_RESOURCES = st.one_of(
    st.just("resource"), _DIRS.map(lambda each: f"resource in {each}"), _DIRS.map(lambda each: f"resource in {each}"),
    st.one_of(_DIRS, _FILES).map(lambda each: f"resource == {each}"),
    st.sampled_from(["File", "Dir"]).map(lambda each: f"resource is file_system::{each}"),
    _DIRS.map(lambda each: f"resource is file_system::File in {each}"),
)  # fmt: skip
_VERBS = st.lists(st.sampled_from("open read write create delete move execute".split()), min_size=1, max_size=4)
_ACTIONS = st.one_of(
    st.just("action"),
    _VERBS.map(lambda some: "action in [" + ", ".join(f'file_system::Action::"{each}"' for each in some) + "]"),
)
_CONDITIONS = st.sampled_from([
    "", "", "", 'when { resource has path && resource.path like "@/a/*" }', 'when { resource has path && resource.path like "*.txt" }',
    'unless { resource in file_system::Dir::"@/a/keys" }', 'unless { resource has path && resource.path like "@/*/x" }',
    'when { resource has path && resource.path != "@/a/x" }', "unless { resource is file_system::Dir }",
    'when { resource in [file_system::Dir::"@/a/b", file_system::Dir::"@/c"] }', "when { context has namespace }",
])  # fmt: skip
_STATEMENTS = st.builds(
    "{} (principal, {}, {}) {};".format, st.sampled_from(["permit", "permit", "permit", "forbid"]), _ACTIONS, _RESOURCES, _CONDITIONS
)  # fmt: skip


EXECUTION = {
    "arguments": Entity("file_system::Arguments", "", {"keys": (), "flags": (), "positional_values": ()}),
    "environment": Entity("file_system::Environment", "", {"names": ()}),
    "user": {"username": "alice", "uid": 1000},
    "group": {"groupname": "alice", "gid": 1000},
    **added_to_execution(),
}


class Attempt(Struct, frozen=True):
    """Something to try below the tree, and the questions that must all be permitted if it succeeds."""

    name: str
    do: Callable[[], Any]
    questions: list[tuple[str, Any]]


def attempts(top: str) -> list[Attempt]:
    """Everything on everything; what removes comes last."""
    found = []

    def attempt(name: str, do: Callable[[], Any], *questions: tuple[str, Any]) -> None:
        found.append(Attempt(name, do, list(questions)))

    for each in DIRECTORIES:
        path, entity = top + each, directory(top + each)
        attempt(f"list {each}", lambda path=path: os.listdir(path), ("open", entity), ("read", entity))
    for each in FILES:
        path, entity = top + each, file(top + each)
        attempt(f"read {each}", lambda path=path: opened(path, os.O_RDONLY), ("open", entity), ("read", entity))
        attempt(f"write {each}", lambda path=path: opened(path, os.O_WRONLY), ("open", entity), ("write", entity))
        attempt(f"truncate {each}", lambda path=path: os.truncate(path, 1), ("open", entity), ("write", entity))
    for each in DIRECTORIES:
        new = top + each + "/new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        made, other = file(new), file(new + "-link")
        attempt(f"make {each}/new", lambda new=new, flags=flags: opened(new, flags), ("open", made), ("create", made))
        attempt(f"link {each}/new", lambda new=new: os.symlink("x", new + "-link"), ("open", other), ("create", other))
        below = directory(new + "-dir")
        attempt(f"mkdir {each}/new", lambda new=new: os.mkdir(new + "-dir"), ("open", below), ("create", below))
    target = top + "/c/moved"
    source, moved = file(top + "/a/x.txt"), file(target)
    # Moving between directories is also making there and removing here.
    attempt(
        "move", lambda: os.rename(top + "/a/x.txt", target), ("delete", source), ("create", moved), ("move", source)
    )
    for each in FILES:
        path, entity = top + each, file(top + each)
        attempt(f"remove {each}", lambda path=path: os.unlink(path), ("open", entity), ("delete", entity))
    for each in ("/a/b", "/c"):
        path, entity = top + each, directory(top + each)
        attempt(f"rmdir {each}", lambda path=path: shutil.rmtree(path), ("open", entity), ("delete", entity))
    return found


def opened(path: str, flags: int) -> None:
    os.close(os.open(path, flags))


def inside(walls: Walls, tried: list[Attempt]) -> list[int]:
    """The numbers of the attempts that succeed behind the walls, in a child process."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            walls.confinement.enter(walls.confinement.ruleset.number)
            for number, each in enumerate(tried):
                try:
                    each.do()
                except OSError:
                    continue
                os.write(writable, bytes([number]))
            os.write(writable, b"\xff")
        finally:
            os._exit(0)
    os.close(writable)
    with open(readable, "rb") as told:
        numbers = list(told.read())
    os.waitpid(pid, 0)
    assert numbers.pop() == 0xFF, "the child did not come to its end"
    return numbers


@settings(max_examples=max(60, TRIES // 2), deadline=None)
@given(st.lists(_STATEMENTS, min_size=1, max_size=4))
def test_what_succeeds_behind_the_walls_is_what_the_engine_permits(statements):
    """A rule drawn too wide would be a way around the policy: too high a directory, a link, a right too many."""
    with tempfile.TemporaryDirectory() as name:
        top = os.path.realpath(name)
        for each in DIRECTORIES[1:]:
            os.mkdir(top + each)
        for each in FILES:
            Path(top + each).write_text("content")
        os.symlink("/etc", top + "/a/out")
        try:
            policy = Policy.load("\n".join(statements).replace("@", top))
        except PolicyInvalid:
            return
        walls = Walls(Reach(policy, ALICE, RUN), Budget(Limits(), time.monotonic() + 60))
        walls.draw(dynamic=True)
        tried = attempts(top)
        authorizer = Authorizer(policy, ALICE, RUN)
        for number in inside(walls, tried):
            for verb, entity in tried[number].questions:
                assert is_permitted(authorizer, verb, entity, top), (tried[number].name, verb, entity.id)


def is_permitted(authorizer: Authorizer, verb: str, entity: Any, top: str) -> bool:
    destination = {"path": top + "/c/moved", "name": "moved", "parent_path": top + "/c"}
    decision = authorizer.decide(
        Action("file_system", verb), entity, {"destination": destination} if verb == "move" else {}
    )
    if verb == "read" and decision.reason == "not_permitted":
        # Who may execute a file can read it, where no policy forbids that.
        return authorizer.decide(Action("file_system", "execute"), entity, EXECUTION).allowed
    return decision.allowed


def test_the_attempts_succeed_where_everything_is_permitted(tmp_path):
    """A child in which nothing succeeds proves nothing."""
    for each in DIRECTORIES[1:]:
        (tmp_path / each[1:]).mkdir()
    for each in FILES:
        (tmp_path / each[1:]).write_text("content")
    walls = Walls(
        Reach(Policy.load("permit (principal, action, resource);"), ALICE, RUN), Budget(Limits(), time.monotonic() + 60)
    )
    walls.draw(dynamic=True)
    tried = attempts(str(tmp_path))
    succeeded = inside(walls, tried)
    failed = [each.name for number, each in enumerate(tried) if number not in succeeded]
    assert failed == ["remove /a/x.txt"]  # it was moved
