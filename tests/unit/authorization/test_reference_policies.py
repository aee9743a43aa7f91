"""Policies written for Rex validate and decide here as they do there.

The table's policies are validated and asked under the vocabulary of Rex by the bare engine, and
under ours through an authorizer. The entities of Rex lack what we add; otherwise they are equal.
Two differences are wanted and have tests of their own: action groups match, and the whole context
cannot be compared with a record, for it now holds `run`.
"""

from __future__ import annotations

import json
from pathlib import Path

import cedarpy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.execution import added_to_execution
from trex.authorization import Action, Authorizer, Entity, Policy, RunRecord, directory, file
from trex.authorization.entities import entities_in, plain
from trex.authorization.vocabulary import ACTIONS, ENTITY_TYPES
from trex.errors import PolicyInvalid

REX = cedarpy.Schema.from_str((Path(__file__).parent / "rex.cedarschema").read_text())
ALICE = Entity("User", "alice")
RUN = RunRecord("r", "s", "rhai", "test")


def execution(arguments: dict[str, str], names: tuple[str, ...] = (), username: str = "root", **more):
    return {
        "arguments": Entity(
            "file_system::Arguments",
            "a",
            {"keys": tuple(arguments), "flags": ("-v",), "positional_values": ("in.txt",)},
            (),
            {**arguments, "$ARG0": "in.txt", "in.txt": "true", "$ARG1": "-v", "-v": "true"},
        ),
        "environment": Entity("file_system::Environment", "e", {"names": names}, (), dict.fromkeys(names, "1")),
        "user": {"username": username, "uid": 0},
        "group": {"groupname": "root", "gid": 0},
        **added_to_execution("in.txt"),
        **more,
    }


def process(pid: str, name: str, username: str, command: str) -> Entity:
    return Entity(
        "process_system::Process",
        pid,
        {"name": name, "username": username, "command": command, "pid": pid, "user_id": 7},
    )


def url(text: str) -> Entity:
    return Entity("network::url", text, {"url": text, "scheme": "https", "host": "h", "port": 443, "url_path": "/"})


RESOURCES = {
    "file_system": [
        file("/tmp/rex/a.txt"), file("/tmp/rex-hello-world"), file("/etc/passwd"), file("/usr/bin/ls"),
        file('/tmp/rex/q"\\uote\n'), directory("/"), directory("/tmp"), directory("/tmp/rex"), directory("/tmp/rex/sub"),
    ],
    "sysinfo": [
        Entity("sysinfo::Sysinfo", "host"), Entity("sysinfo::Uname", "host"),
        Entity("sysinfo::Hostname", "a.example", {"hostname": "a.example"}),
    ],
    "network": [url("https://a.example/x"), url("http://b.example/"), url("b.example"), url('q"\\')],
    "process_system": [process("7", "nginx", "www", "nginx -g x"), process("1", "init", "root", "init")],
    "systemd": [
        Entity("systemd::Service", "nginx.service", {"name": "nginx.service"}),
        Entity("systemd::Service", "sshd.service", {"name": "sshd.service"}), Entity("systemd::Systemd", "host"),
    ],
    "sysctl": [Entity("sysctl::Sysctl", "host")],
}  # fmt: skip
CONTEXTS = {
    "set_x_attr": [{"xattr": {"name": "user.a"}}, {"xattr": {"name": "security.b"}}],
    "move": [{"destination": {"path": "/tmp/rex/b", "name": "b", "parent_path": "/tmp/rex"}}],
    "execute": [
        execution({"-p": "tcp"}),
        execution({"-p": "udp"}, ("LD_PRELOAD",)),
        execution({}, (), "nobody", namespace={"target_process_id": 7}),
    ],
}
QUESTIONS = [
    (asked, resource, context)
    for asked in ACTIONS
    for resource in RESOURCES[asked.namespace]
    if resource.type.partition("::")[2] in ACTIONS[asked].resources
    for context in (CONTEXTS.get(asked.verb, [{}]) if asked.namespace == "file_system" else [{}])
]

POLICIES = {
    "nothing": "",
    "everything": "permit (principal, action, resource);",
    "everything forbidden": "permit (principal, action, resource); forbid (principal, action, resource);",
    "a tree, read only": """permit (principal,
        action in [file_system::Action::"open", file_system::Action::"read", file_system::Action::"stat"], resource)
        when { resource in file_system::Dir::"/tmp/rex" };""",
    "a tree, written": """permit (principal, action in [file_system::Action::"open", file_system::Action::"read",
        file_system::Action::"write", file_system::Action::"create", file_system::Action::"delete",
        file_system::Action::"chmod", file_system::Action::"chown", file_system::Action::"move"],
        resource in file_system::Dir::"/tmp/rex");""",
    "two names for one file": """permit (principal, action in [file_system::Action::"open"], resource)
        when { resource == file_system::Dir::"/tmp" || resource == file_system::Dir::"/private/tmp" };
        permit (principal, action in [file_system::Action::"open", file_system::Action::"write"], resource)
        when { resource == file_system::File::"/tmp/rex-hello-world" };""",
    "single things": """permit (principal, action == file_system::Action::"open", resource == file_system::Dir::"/tmp");
        permit (principal, action == file_system::Action::"read", resource == file_system::File::"/etc/passwd");""",
    "for a principal": 'permit (principal == User::"alice", action, resource); forbid (principal == User::"bob", action, resource);',
    "for nobody here": 'permit (principal in User::"staff", action, resource);',
    "by type": "permit (principal is User, action, resource is file_system::Dir);",
    "by type and place": 'permit (principal, action, resource is file_system::File in file_system::Dir::"/tmp");',
    "by path": 'permit (principal, action, resource is file_system::File) when { resource.path like "/tmp/*.txt" };',
    "awkward names": 'permit (principal, action, resource == file_system::File::"/tmp/rex/q\\"\\\\uote\\n");',
    "all but secrets": """permit (principal, action, resource is file_system::File);
        forbid (principal, action == file_system::Action::"read", resource) when { resource.path == "/etc/passwd" };""",
    "unless": 'permit (principal, action, resource) unless { resource in file_system::Dir::"/tmp" };',
    "extended attributes": """permit (principal, action == file_system::Action::"set_x_attr", resource)
        when { context.xattr.name like "user.*" };""",
    "extended attribute as a record": """permit (principal, action == file_system::Action::"set_x_attr", resource)
        when { context.xattr == {name: "user.a"} };""",
    "moves inside a tree": """permit (principal, action == file_system::Action::"move", resource in file_system::Dir::"/tmp/rex")
        when { context.destination.parent_path == "/tmp/rex" && context.destination.name != "" };""",
    "programs by argument": """permit (principal, action == file_system::Action::"execute", resource == file_system::File::"/usr/bin/ls")
        when { context.arguments.hasTag("-p") && context.arguments.getTag("-p") == "tcp" &&
               context.arguments.flags.contains("-v") && context.arguments.positional_values.containsAll(["in.txt"]) };
        forbid (principal, action == file_system::Action::"execute", resource) when { context.environment.names.contains("LD_PRELOAD") };""",
    "programs by user": """permit (principal, action == file_system::Action::"execute", resource)
        when { context.user.username == "root" && context.group == {groupname: "root", gid: 0} };""",
    "programs in a namespace": """permit (principal, action == file_system::Action::"execute", resource)
        when { context has namespace && context.namespace.target_process_id == 7 };""",
    "by kind of context": """permit (principal, action, resource) when { context has xattr || context has destination };""",
    "system information": """permit (principal, action == sysinfo::Action::"list", resource);
        permit (principal, action == sysinfo::Action::"resolve_hostname", resource) when { resource.hostname == "a.example" };""",
    "system information by type": "permit (principal, action, resource is sysinfo::Sysinfo);",
    "urls": """permit (principal, action in [network::Action::"GET", network::Action::"connect"], resource)
        when { resource.url like "https://*" || resource == network::url::"b.example" };
        forbid (principal, action, resource == network::url::"q\\"\\\\");""",
    "processes": """permit (principal, action in [process_system::Action::"list", process_system::Action::"kill"], resource)
        when { resource.username == "www" && resource.command like "nginx*" && resource.name != "init" };""",
    "never the first process": """permit (principal, action, resource is process_system::Process);
        forbid (principal, action, resource == process_system::Process::"1");""",
    "services": """permit (principal, action in [systemd::Action::"start", systemd::Action::"status"], resource)
        when { resource.name == "nginx.service" }; permit (principal, action == systemd::Action::"daemon_reload", resource);""",
    "kernel parameters": 'permit (principal, action == sysctl::Action::"load", resource);',
    "conditions with numbers": "permit (principal, action, resource) when { if 1 + 2 * 3 == 7 then true else false };",
    "an overflow": "permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };",
    "what has a path": "permit (principal, action, resource) when { resource has path };",
    "what has a name": "permit (principal, action, resource) when { resource has name && resource.name like \"n*\" };",
    "what is no attribute there": "permit (principal, action, resource) when { resource has owner };",
    "an entity of another type": 'permit (principal, action, resource) when { resource == User::"alice" };',
}  # fmt: skip


def rex_decides(policies: cedarpy.PolicySet, asked: Action, resource: Entity, context: dict) -> bool:
    """The decision of Rex: its own attributes only, no groups, evaluation errors skipped."""
    verb = ACTIONS[asked]
    added = {each.name for each in verb.context if each.added}
    context = {name: value for name, value in context.items() if name not in added}
    entities = []
    for entity in [e for root in (resource, *entities_in(context)) for e in root.family()]:
        kind = ENTITY_TYPES[entity.type]
        known = {each.name for each in kind.attributes if not each.added}
        document = json.loads(entity.json or "")
        document["attrs"] = {name: value for name, value in document["attrs"].items() if name in known}
        entities.append(document)
    request = {
        "principal": ALICE.uid,
        "action": {"type": f"{asked.namespace}::Action", "id": asked.verb},
        "resource": resource.uid,
        "context": {name: plain(value) for name, value in context.items()},
    }
    result = cedarpy.is_authorized(request, policies, entities, REX)
    assert result.decision != cedarpy.Decision.NoDecision, result.diagnostics.errors
    return result.allowed and not result.diagnostics.errors


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_for_rex_validates_and_decides_the_same(name):
    text = POLICIES[name]
    assert cedarpy.validate_policies(text, REX).validation_passed
    policies = cedarpy.PolicySet.from_str(text)
    authorizer = Authorizer(Policy.load(text), ALICE, RUN)
    for asked, resource, context in QUESTIONS:
        ours = authorizer.decide(asked, resource, context).allowed
        assert ours == rex_decides(policies, asked, resource, context), (asked, resource, context)


def test_the_table_permits_and_denies_every_action_somewhere():
    """A table in which an action is never decided both ways would compare nothing."""
    decided: dict[Action, set[bool]] = {}
    for text in POLICIES.values():
        authorizer = Authorizer(Policy.load(text), ALICE, RUN)
        for asked, resource, context in QUESTIONS:
            decided.setdefault(asked, set()).add(authorizer.decide(asked, resource, context).allowed)
    assert decided == {asked: {True, False} for asked in ACTIONS}


# --- generated policies ---

_DIRS = st.sampled_from(["/", "/tmp", "/tmp/rex", "/etc"]).map(lambda path: f'file_system::Dir::"{path}"')
_FILES = st.sampled_from(["/etc/passwd", "/tmp/rex/a.txt"]).map(lambda path: f'file_system::File::"{path}"')
_RESOURCES = st.one_of(
    st.just("resource"),
    _DIRS.map(lambda each: f"resource in {each}"),
    st.one_of(_DIRS, _FILES).map(lambda each: f"resource == {each}"),
    st.sampled_from(sorted(ENTITY_TYPES)).map(lambda each: f"resource is {each}"),
    _DIRS.map(lambda each: f"resource is file_system::File in {each}"),
)
_ACTIONS = st.one_of(
    st.just("action"),
    st.sampled_from(list(ACTIONS)).map(lambda each: f"action == {each}"),
    st.lists(st.sampled_from(list(ACTIONS)), min_size=1, max_size=3).map(lambda some: f"action in [{', '.join(map(str, some))}]"),
)  # fmt: skip
_ATOMS = st.sampled_from([
    "true", "false", 'principal == User::"alice"', 'principal == User::"bob"', 'resource.path like "/tmp/*"',
    'resource.url like "https:*"', 'resource.name == "nginx"', 'resource.username == "root"', "resource has path",
    "resource has url", "resource has owner", "context has xattr", "context has namespace",
    'context.xattr.name == "user.a"', 'context has xattr && context.xattr.name == "user.a"',
    'resource in file_system::Dir::"/tmp"', 'resource is file_system::File', 'context.user.uid == 0',
    'action == file_system::Action::"read"', 'resource has name && resource.name like "n*"',
    'resource in [file_system::Dir::"/etc", file_system::Dir::"/tmp/rex"]',
])  # fmt: skip
_CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda a: f"!({a})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) && ({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) || ({pair[1]})"),
        st.tuples(inner, inner, inner).map(lambda three: "(if {} then {} else {})".format(*three)),
    ),
    max_leaves=4,
)
_STATEMENTS = st.builds(
    lambda effect, asked, resource, kind, condition: f"{effect} (principal, {asked}, {resource}) {kind} {{ {condition} }};",
    st.sampled_from(["permit", "permit", "forbid"]), _ACTIONS, _RESOURCES, st.sampled_from(["when", "unless"]), _CONDITIONS,
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(_STATEMENTS, min_size=1, max_size=3), st.lists(st.sampled_from(QUESTIONS), min_size=4, max_size=10))
def test_generated_policies_that_are_valid_for_rex_are_valid_here_and_decide_the_same(statements, questions):
    valid = [each for each in statements if cedarpy.validate_policies(each, REX).validation_passed]
    assume(valid)
    text = "\n".join(valid)
    policies = cedarpy.PolicySet.from_str(text)
    authorizer = Authorizer(Policy.load(text), ALICE, RUN)
    for asked, resource, context in questions:
        ours = authorizer.decide(asked, resource, context).allowed
        assert ours == rex_decides(policies, asked, resource, context), (text, asked, resource, context)


# --- the two differences that are wanted ---


def test_action_groups_match_for_every_action():
    """In Rex `SafeIO` matches for `execute` only (W-E8)."""
    authorizer = Authorizer(
        Policy.load('permit (principal, action in file_system::Action::"SafeIO", resource);'), ALICE, RUN
    )
    asked = [question for question in QUESTIONS if question[0].namespace == "file_system"]
    assert all(authorizer.decide(*question).allowed for question in asked)


def test_the_whole_context_cannot_be_compared_with_a_record():
    text = 'permit (principal, action == file_system::Action::"open", resource) when { context == {} };'
    assert cedarpy.validate_policies(text, REX).validation_passed
    with pytest.raises(PolicyInvalid, match="the context also holds `run`"):
        Policy.load(text)
