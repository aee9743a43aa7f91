"""Decisions of one run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.execution import added_to_execution
from trex.authorization import Action, Authorizer, Decision, Entity, IpAddress, Policy, RunRecord, directory, file
from trex.authorization.authorizer import MAX_QUESTION, MAX_REMEMBERED, Question
from trex.authorization.vocabulary import ACTIONS, ENTITY_TYPES, action

OPEN, READ, WRITE = (action("file_system", verb) for verb in ("open", "read", "write"))
GET = action("network", "GET")
ALICE = Entity("User", "alice")
RUN = RunRecord("run-1", "0" * 64, "rhai", "test")
ANY = "permit (principal, action, resource);"


class Counting:
    """A decider that permits everything and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def answer(self, question: Question) -> Decision:
        self.asked.append(question)
        return Decision(True, "permitted", ("all",))


def test_an_empty_policy_denies_everything(authorizer):
    assert authorizer("").decide(OPEN, file("/x")) == Decision(False, "not_permitted")


def test_a_permit_names_the_policy_that_permits(authorizer):
    decision = authorizer(f'@id("all") {ANY}').decide(OPEN, file("/x"))
    assert decision == Decision(True, "permitted", ("all",))


def test_a_forbid_outweighs_a_permit_and_is_named(authorizer):
    text = f'{ANY} @id("no secrets") forbid (principal, action, resource in file_system::Dir::"/secret");'
    decide = authorizer(text).decide
    assert decide(READ, file("/secret/key")) == Decision(False, "forbidden", ("no secrets",))
    assert decide(READ, file("/public")).allowed


def test_several_policies_are_named_in_the_order_of_the_text(authorizer):
    assert authorizer(ANY * 12).decide(OPEN, file("/x")).policies == tuple(f"policy{n}" for n in range(12))


def test_a_permit_for_another_principal_does_not_permit(authorizer):
    decide = authorizer('permit (principal == User::"bob", action, resource);').decide
    assert decide(OPEN, file("/x")) == Decision(False, "not_permitted")


def test_a_directory_permits_what_lies_below_it(authorizer):
    decide = authorizer('permit (principal, action, resource in file_system::Dir::"/a");').decide
    assert [decide(READ, each).allowed for each in (file("/a/b/c"), directory("/a"), file("/ab/c"))] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("asked", list(ACTIONS), ids=str)
def test_every_action_is_in_its_group(asked, authorizer, sample_question):
    resource, context = sample_question(asked)
    group = {"file_system": "SafeIO", "sysinfo": "SysinfoAction", "network": "NetworkAction",
             "process_system": "ProcessAction", "systemd": "SystemdAction", "sysctl": "SysctlAction"}[asked.namespace]  # fmt: skip
    decide = authorizer(f'permit (principal, action in {asked.namespace}::Action::"{group}", resource);').decide
    assert decide(asked, resource, context).allowed


@pytest.mark.parametrize("asked", list(ACTIONS), ids=str)
def test_the_context_of_every_action_tells_the_run(asked, authorizer, sample_question):
    resource, context = sample_question(asked)
    text = """permit (principal, action, resource) when {
        context.run.id == "run-1" && context.run.language == "rhai" && context.run.caller == "test" &&
        context.run.script == "%s" };"""
    assert authorizer(text % ("0" * 64)).decide(asked, resource, context).allowed
    assert not authorizer(text % ("1" * 64)).decide(asked, resource, context).allowed


def test_optional_attributes_decide_where_they_are_known(authorizer):
    decide = authorizer(
        'permit (principal, action == network::Action::"GET", resource) when { resource has host && resource.host == "a.example" };'
        'forbid (principal, action, resource is network::url) when { resource has address && resource.address.isInRange(ip("169.254.0.0/16")) };'
    ).decide

    def url(**known):
        return Entity("network::url", "https://a.example/", {"url": "https://a.example/", **known})

    assert decide(GET, url()).reason == "not_permitted"
    assert decide(GET, url(host="a.example")).reason == "permitted"
    assert decide(GET, url(host="a.example", address=IpAddress("93.184.216.34"))).reason == "permitted"
    assert decide(GET, url(host="a.example", address=IpAddress("169.254.169.254"))).reason == "forbidden"


def test_entities_of_the_context_are_known_with_their_tags(authorizer):
    execute = action("file_system", "execute")
    decide = authorizer("""permit (principal, action == file_system::Action::"execute", resource) when {
        context.arguments.hasTag("-p") && context.arguments.getTag("-p") == "tcp" && !context.environment.names.contains("LD_PRELOAD")
    };""").decide

    def context(argument="tcp", names=()):
        return {
            "arguments": Entity("file_system::Arguments", "1", {"keys": {"-p"}, "flags": (), "positional_values": ()}, (), {"-p": argument}),
            "environment": Entity("file_system::Environment", "1", {"names": names}, (), dict.fromkeys(names, "x")),
            "user": {"username": "a", "uid": 1},
            "group": {"groupname": "a", "gid": 1},
            **added_to_execution(),
        }  # fmt: skip

    program = file("/usr/sbin/ss")
    assert decide(execute, program, context()).allowed
    assert not decide(execute, program, context(argument="udp")).allowed
    assert not decide(execute, program, context(names=("LD_PRELOAD",))).allowed


# --- what does not fit is a denial ---


@pytest.mark.parametrize(
    ("asked", "resource", "context"),
    [
        (Action("file_system", "opne"), file("/x"), {}),
        (Action("nowhere", "open"), file("/x"), {}),
        (OPEN, Entity("User", "alice"), {}),
        (OPEN, Entity("nowhere::Thing", "x"), {}),
        (OPEN, Entity("file_system::File", "/x"), {}),
        (OPEN, Entity("file_system::File", "/x", {"path": 1}), {}),
        (OPEN, Entity("file_system::File", "/x", {"path": "/x", "more": 1}), {}),
        (OPEN, Entity("file_system::File", "/x", {"path": "/x"}, (ALICE,)), {}),
        (OPEN, file("/x"), {"unknown": 1}),
        (action("file_system", "set_x_attr"), file("/x"), {}),
        (action("file_system", "set_x_attr"), file("/x"), {"xattr": {"name": 1}}),
        (GET, Entity("network::url", "u", {"url": "u", "address": IpAddress("not an address")}), {}),
        (WRITE, directory("/x"), {}),
    ],
)
def test_a_question_that_does_not_fit_the_schema_is_a_denial(asked, resource, context, authorizer):
    decision = authorizer(ANY).decide(asked, resource, context)
    assert (decision.allowed, decision.reason) == (False, "policy_error")
    assert decision.errors


def test_a_principal_of_an_unknown_type_is_denied():
    authorizer = Authorizer(Policy.load(ANY), Entity("Robot", "r2"), RUN)
    assert authorizer.decide(OPEN, file("/x")).reason == "policy_error"


def test_a_name_that_is_no_unicode_text_is_denied(authorizer):
    assert authorizer(ANY).decide(OPEN, file("/tmp/\udcff/x")).reason == "policy_error"
    assert authorizer(ANY).decide(
        action("file_system", "set_x_attr"), file("/x"), {"xattr": {"name": "\udcff"}}
    ).reason == "policy_error"  # fmt: skip


def test_two_entities_that_claim_one_name_with_different_attributes_are_denied(authorizer):
    parent = Entity("file_system::Dir", "/a", {"path": "/elsewhere"}, (directory("/"),))
    resource = Entity("file_system::File", "/a/x", {"path": "/a/x"}, (directory("/a"), parent))
    assert authorizer(ANY).decide(OPEN, resource).reason == "policy_error"


def test_a_question_of_excessive_size_is_denied_without_asking():
    counting = Counting()
    authorizer = Authorizer(Policy.load(ANY), ALICE, RUN, counting)
    assert authorizer.decide(OPEN, file("/" + "x" * MAX_QUESTION)).reason == "policy_error"
    assert counting.asked == []


def test_the_run_in_the_context_cannot_be_given_by_a_caller(authorizer):
    with pytest.raises(ValueError, match="run"):
        authorizer(ANY).decide(OPEN, file("/x"), {"run": {"caller": "root"}})


# --- evaluation errors ---

FAILING_FORBID = '@id("broken") forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };'
FAILING_PERMIT = '@id("broken") permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };'


@pytest.mark.parametrize("broken", [FAILING_FORBID, FAILING_PERMIT], ids=["forbid", "permit"])
def test_a_policy_that_cannot_be_evaluated_denies_whatever_others_permit(broken, authorizer):
    decision = authorizer(ANY + broken).decide(OPEN, file("/x"))
    assert (decision.allowed, decision.reason, decision.policies) == (False, "policy_error", ("broken",))
    assert "overflow" in decision.errors[0]


def test_a_resource_cannot_put_the_blame_on_another_policy(authorizer):
    text = f'{ANY} @id("innocent") permit (principal, action, resource);' + FAILING_FORBID
    decision = authorizer(text).decide(OPEN, file("/error while evaluating policy `policy1`: x"))
    assert decision.policies == ("broken",)


# --- the memory ---


def test_each_distinct_question_is_asked_once():
    counting = Counting()
    authorizer = Authorizer(Policy.load(ANY), ALICE, RUN, counting)
    for _ in range(3):
        authorizer.decide(OPEN, file("/x"))
        authorizer.decide(READ, file("/x"))
        authorizer.decide(OPEN, file("/y"))
        authorizer.decide(OPEN, directory("/x"))
    assert len(counting.asked) == 4


def test_questions_that_differ_only_in_which_entity_is_the_resource_are_different():
    """Both are about the same entities in the same order: the group, in which the principal is, or the principal."""
    counting = Counting()
    group = Entity("User", "group")
    authorizer = Authorizer(Policy.load(ANY), Entity("User", "alice", {}, (group,)), RUN, counting)
    authorizer.decide(OPEN, group)
    authorizer.decide(OPEN, authorizer.principal)
    assert [question.resource.id for question in counting.asked] == ["group", "alice"]


def test_what_is_remembered_is_bounded():
    counting = Counting()
    authorizer = Authorizer(Policy.load(ANY), ALICE, RUN, counting)
    length = 200_000
    for n in range(4 * MAX_REMEMBERED // length):
        authorizer.decide(OPEN, Entity("file_system::File", f"{n:0{length}}"))
    assert authorizer._remembered_size <= MAX_REMEMBERED
    assert sum(len(text) for key in authorizer._remembered for text in key[3:]) == authorizer._remembered_size


NAMES = st.text(alphabet=st.sampled_from('ab/"\\\n\0é\u202e*{}[],:'), max_size=6)
PATHS = NAMES.map(lambda name: "/" + name.strip("/") if name.strip("/") else "/")


@st.composite
def questions(draw):
    asked = draw(st.sampled_from([OPEN, READ, WRITE, action("file_system", "set_x_attr"), GET]))
    if asked == GET:
        text = draw(NAMES)
        known = draw(st.dictionaries(st.sampled_from(["host", "scheme", "url_path"]), NAMES))
        return asked, Entity("network::url", text, {"url": text, **known}), {}
    path = draw(PATHS)
    resource = draw(st.sampled_from([file, directory]))(path)
    context = {"xattr": {"name": draw(NAMES)}} if asked.verb == "set_x_attr" else {}
    return asked, resource, context


MIXED = """
permit (principal, action, resource in file_system::Dir::"/a");
permit (principal, action == file_system::Action::"set_x_attr", resource) when { context.xattr.name == "a" };
permit (principal, action == network::Action::"GET", resource) when { resource has host && resource.host == "a" };
permit (principal, action, resource) when { resource == file_system::File::"/\\"" };
forbid (principal, action, resource is file_system::File) when { resource.path like "*b" };
forbid (principal, action == network::Action::"GET", resource) when { resource.url like "*\\\\*" };
"""


@settings(max_examples=150, deadline=None)
@given(st.lists(questions(), min_size=1, max_size=12))
def test_a_remembered_answer_is_the_answer_that_a_fresh_authorizer_gives(asked):
    policy = Policy.load(MIXED)
    remembering = Authorizer(policy, ALICE, RUN)
    for _ in range(2):
        for question in asked:
            fresh = Authorizer(policy, ALICE, RUN)
            assert remembering.decide(*question) == fresh.decide(*question)


def test_every_entity_type_can_be_asked_about(sample_question):
    """The samples that enumerating tests use cover the whole vocabulary."""
    asked_about = {sample_question(each)[0].type for each in ACTIONS}
    others = {"User", "sysinfo::Sysinfo", "file_system::Dir"}
    others |= {f"file_system::{name}" for name in ("Arguments", "ArgumentList", "Environment")}
    assert asked_about | others == set(ENTITY_TYPES)
