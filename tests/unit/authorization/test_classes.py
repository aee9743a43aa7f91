"""Paths that a policy cannot tell apart share an answer; it is always the one that the engine gives."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trex.authorization import Authorizer, Entity, Policy, RunRecord, directory, file
from trex.authorization.authorizer import MANY, EngineDecider
from trex.authorization.classes import classes_of, matches
from trex.authorization.vocabulary import action
from trex.errors import PolicyInvalid

ALICE = Entity("User", "alice")
RUN = RunRecord("run-1", "0" * 64, "rhai", "test")
ACTIONS = [action("file_system", verb) for verb in ("open", "read", "delete", "stat")]
OPEN = ACTIONS[0]


def classes(text: str) -> Any:
    return classes_of(Policy.load(text))


class CountingEngine(EngineDecider):
    """The engine, counting what it is asked."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy)
        self.asked = 0

    def answer(self, question: Any) -> Any:
        self.asked += 1
        return super().answer(question)


def sharing(text: str) -> tuple[Authorizer, CountingEngine]:
    """An authorizer that shares answers from the first question on, and its engine."""
    policy = Policy.load(text)
    made = Authorizer(policy, ALICE, RUN)
    made._classes = classes_of(policy)
    made._decider = engine = CountingEngine(policy)
    return made, engine


# --- the same answers as the engine's ---

NAMES = st.sampled_from(["a", "b", "ab", "é", "*", "a.log"])
PATHS = st.lists(NAMES, max_size=4).map(lambda names: "/" + "/".join(names))
RESOURCES = st.builds(
    lambda path, is_file: file(path) if is_file and path != "/" else directory(path), PATHS, st.booleans()
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def entity(draw: Any) -> str:
    return f"file_system::{draw(st.sampled_from(['Dir', 'File']))}::{quoted(draw(PATHS))}"


@st.composite
def conditions(draw: Any, depth: int = 2) -> str:
    """A condition; most look at the resource in ways that are known, some in ways that are not."""
    inside = conditions(depth=depth - 1)
    kinds = "in in_set is eq_entity path_eq path_like path_in principal run has deep".split()
    if depth:
        kinds += "and or not if equal".split()
    kind = draw(st.sampled_from(kinds))
    if kind == "in":
        return f"resource in file_system::Dir::{quoted(draw(PATHS))}"
    if kind == "in_set":
        return f"resource in [{entity(draw)}, {entity(draw)}]"
    if kind == "is":
        return "resource is file_system::" + draw(
            st.sampled_from(["File", "Dir", f"Dir in {entity(draw)}", f"File in {entity(draw)}"])
        )
    if kind == "eq_entity":
        return draw(st.sampled_from(["resource == {}", "{} == resource", "resource != {}"])).format(entity(draw))
    if kind == "path_eq":
        return draw(st.sampled_from(["resource.path == {}", "{} != resource.path"])).format(quoted(draw(PATHS)))
    if kind == "path_like":
        pieces = draw(st.lists(st.sampled_from(["a", "b", "/", "*", "é", ".log", "\\*"]), max_size=5))
        return 'resource.path like "' + "".join(pieces) + '"'
    if kind == "path_in":
        return f"[{quoted(draw(PATHS))}, {quoted(draw(PATHS))}].contains(resource.path)"
    if kind == "principal":
        return f"principal == User::{quoted(draw(st.sampled_from(['alice', 'bob'])))}"
    if kind == "run":
        return 'context.run.caller == "test"'
    if kind == "has":
        return "resource has path"
    if kind == "deep":  # not known: answers are not shared
        return f"[resource].contains({entity(draw)})"
    if kind == "not":
        return f"!({draw(inside)})"
    if kind == "if":
        return f"if ({draw(inside)}) then ({draw(inside)}) else ({draw(inside)})"
    if kind == "equal":
        return f"(({draw(inside)}) == ({draw(inside)}))"
    joined = " && " if kind == "and" else " || "
    return f"({draw(inside)}){joined}({draw(inside)})"


LISTED = "action in [" + ", ".join(str(each) for each in ACTIONS) + "]"


@st.composite
def policies(draw: Any) -> str:
    scope = draw(
        st.sampled_from(["resource", f"resource in {entity(draw)}", f"resource == {entity(draw)}", "resource is {}"])
    ).format("file_system::" + draw(st.sampled_from(["File", "Dir"])))
    where = draw(st.sampled_from(["", "when", "unless"]))
    condition = f" {where} {{ {draw(conditions())} }}" if where else ""
    return f"{draw(st.sampled_from(['permit', 'forbid']))} (principal, {LISTED}, {scope}){condition};"


@settings(max_examples=200, deadline=None)
@given(st.lists(policies(), min_size=1, max_size=4), st.lists(RESOURCES, min_size=2, max_size=12))
def test_a_shared_answer_is_the_engines_own(written, resources):
    try:
        shared, _ = sharing("\n".join(written))
    except PolicyInvalid:  # what strict validation finds always false
        assume(False)
    for resource in resources:
        for asked in ACTIONS:
            alone = Authorizer(shared.policy, ALICE, RUN)
            assert shared.decide(asked, resource) == alone.decide(asked, resource), (asked, resource)


@given(
    st.lists(st.text("ab*é", max_size=3), min_size=1, max_size=4),
    st.text("ab*é", max_size=8),
)
def test_a_pattern_matches_what_the_plain_search_matches(pieces, text):
    plain = re.fullmatch(".*".join(re.escape(piece) for piece in pieces), text, re.DOTALL)
    assert matches(text, tuple(pieces)) is (plain is not None)


# --- what is shared, and what is not ---

LOGS = """
permit (principal, action, resource in file_system::Dir::"/var/log");
forbid (principal, action, resource in file_system::Dir::"/var/log/private");
forbid (principal, action == file_system::Action::"delete", resource == file_system::File::"/var/log/keep");
"""


def test_files_that_differ_in_their_name_only_are_asked_about_once():
    authorizer, engine = sharing(LOGS)
    for number in range(50):
        assert authorizer.decide(OPEN, file(f"/var/log/app/{number}")).allowed
    assert engine.asked == 1


def test_what_a_policy_names_is_asked_about_for_itself():
    authorizer, engine = sharing(LOGS)
    delete = ACTIONS[2]
    told = [authorizer.decide(delete, file(f"/var/log/{name}")).allowed for name in ("a", "keep", "b", "keep")]
    assert told == [True, False, True, False]
    assert engine.asked == 2


def test_files_and_directories_do_not_share():
    authorizer, engine = sharing("permit (principal, action, resource is file_system::File);")
    assert authorizer.decide(OPEN, file("/a")).allowed
    assert not authorizer.decide(OPEN, directory("/a")).allowed
    assert engine.asked == 2


def test_a_name_that_begins_like_a_directory_is_not_in_it():
    authorizer, _ = sharing(LOGS)
    assert authorizer.decide(OPEN, file("/var/log/private2")).allowed
    assert not authorizer.decide(OPEN, file("/var/log/private/x")).allowed
    assert not authorizer.decide(OPEN, directory("/var/log/private")).allowed


@pytest.mark.parametrize(
    "condition",
    [
        '[resource, resource].containsAny([file_system::File::"/a"])',
        'file_system::File::"/a" in file_system::Dir::"/"',
        'file_system::Dir::"/a" in [resource]',
        '(if principal == User::"alice" then resource else file_system::File::"/a") in file_system::Dir::"/"',
        'file_system::File::"/a".path == "/a"',
        "resource.path == context.run.script",
        "resource == principal",
    ],
)
def test_other_ways_to_look_at_a_resource_are_not_shared(condition):
    policy = Policy.load(f"permit (principal, {LISTED}, resource is file_system::File) when {{ {condition} }};")
    assert classes_of(policy) is None


def test_errors_are_not_shared():
    text = "permit (principal, action, resource) when { 9223372036854775807 + 1 == 0 || resource has path };"
    authorizer, engine = sharing(text)
    for number in range(3):
        assert authorizer.decide(OPEN, file(f"/{number}")).reason == "policy_error"
    assert engine.asked == 3


def test_questions_with_a_context_are_not_shared():
    authorizer, engine = sharing("permit (principal, action, resource);")
    move = action("file_system", "move")
    for name in ("a", "b"):
        context = {"destination": {"path": f"/d/{name}", "name": name, "parent_path": "/d"}}
        assert authorizer.decide(move, file("/x"), context).allowed
    assert engine.asked == 2


def test_sharing_begins_when_a_run_asks_often():
    authorizer = Authorizer(Policy.load(LOGS), ALICE, RUN)
    for number in range(MANY - 1):
        authorizer.decide(OPEN, file(f"/var/log/{number}"))
    assert authorizer._classes is None
    authorizer.decide(OPEN, file("/var/log/last"))
    assert authorizer._classes is not None


def test_thousands_of_levels_are_decided():
    authorizer, engine = sharing(LOGS)
    assert authorizer.decide(OPEN, file("/var/log/x")).allowed
    assert authorizer.decide(OPEN, file("/var/log" + "/deep" * 5000)).allowed
    assert engine.asked == 1


def test_a_name_that_is_no_text_is_denied_as_ever():
    authorizer, _ = sharing(LOGS)
    assert authorizer.decide(OPEN, file("/var/log/x")).allowed
    assert authorizer.decide(OPEN, file("/var/log/\udc80")).reason == "policy_error"


def test_a_policy_that_names_nothing_has_one_class():
    made = classes("permit (principal, action, resource);")
    assert made.key(file("/a/b")) == made.key(file("/c")) != made.key(directory("/c"))
