"""What holds on whole trees: told only where the engine permits every name, in every context."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.execution import added_to_execution
from trex.authorization import Action, Authorizer, Entity, Policy, RunRecord, directory, file, reach
from trex.authorization.reach import ALL, EXECUTE, LIST, MAKE_DIRECTORY, MAKE_FILE, READ, REMOVE_FILE, WRITE, Reach
from trex.errors import PolicyInvalid

ALICE = Entity("User", "alice")
RUN = RunRecord("r", "s", "rhai", "test")

OPEN_READ = 'action in [file_system::Action::"open", file_system::Action::"read"]'


def reached(text: str) -> Reach:
    return Reach(Policy.load(text), ALICE, RUN)


def test_an_empty_policy_permits_nothing_anywhere():
    nothing = reached("")
    assert (nothing.tree("/"), nothing.file("/etc/hosts"), nothing.network()) == (0, 0, False)


def test_a_policy_without_conditions_permits_everything():
    everything = reached("permit (principal, action, resource);")
    assert everything.tree("/") == ALL
    assert everything.network()
    assert everything.everywhere("chmod")


def test_a_tree_that_is_permitted_is_told_and_its_neighbours_are_not():
    logs = reached(f'permit (principal, {OPEN_READ}, resource in file_system::Dir::"/var/log");')
    assert logs.tree("/var/log") == logs.tree("/var/log/shop") == READ | LIST
    assert logs.file("/var/log/a") == READ
    assert logs.tree("/var") == logs.tree("/var/logs") == logs.file("/var/log2") == logs.file("/var/log") == 0


def test_a_forbidden_directory_takes_away_what_holds_it_but_not_its_neighbours():
    logs = reached(f"""permit (principal, {OPEN_READ}, resource in file_system::Dir::"/var/log");
        forbid (principal, action == file_system::Action::"read", resource in file_system::Dir::"/var/log/keys");""")
    assert logs.tree("/var/log") == 0
    assert logs.tree("/var/log/keys") == 0
    assert logs.tree("/var/log/shop") == READ | LIST
    assert logs.speaks_below("/var/log")
    assert not logs.speaks_below("/var/log/shop")


def test_one_file_is_told_with_the_directory_that_leads_to_it():
    text = f'permit (principal, {OPEN_READ}, resource == file_system::File::"/etc/hosts");'
    assert reached(text).file("/etc/hosts") == 0
    text += 'permit (principal, action == file_system::Action::"open", resource == file_system::Dir::"/etc");'
    assert reached(text).file("/etc/hosts") == READ
    assert reached(text).tree("/etc") == 0


def test_what_depends_on_the_context_does_not_hold():
    text = 'permit (principal, action, resource) when { context has namespace && action == file_system::Action::"execute" };'
    assert reached(text).tree("/") == 0


def test_the_run_is_known():
    text = 'permit (principal, action, resource) when {{ context.run.language == "{}" }};'
    assert reached(text.format("rhai")).tree("/") == ALL
    assert reached(text.format("lua")).tree("/") == 0


def test_the_principal_is_known():
    for principal, rights in (
        ('== User::"alice"', ALL),
        ('== User::"bob"', 0),
        ('in User::"alice"', ALL),
        ("is User", ALL),
    ):
        assert reached(f"permit (principal {principal}, action, resource);").tree("/srv") == rights


@pytest.mark.parametrize(
    ("pattern", "tree", "below"),
    [("/srv/*", 0, ALL), ("/srv*", ALL, ALL), ("*", ALL, ALL), ("/srv/*.log", 0, 0), ("/other/*", 0, 0), ("/s*v/*", 0, ALL)],
)  # fmt: skip
def test_a_pattern_holds_where_its_beginning_fits_and_its_end_is_open(pattern, tree, below):
    text = f'permit (principal, action, resource) when {{ resource has path && resource.path like "{pattern}" }};'
    assert reached(text).tree("/srv") == tree
    assert reached(text).tree("/srv/sub") == below


def test_a_pattern_that_could_match_forbids():
    text = 'permit (principal, action, resource); forbid (principal, action, resource) when { resource has path && resource.path like "*.key" };'
    assert reached(text).tree("/srv") == 0
    assert reached(text).file("/srv/a.key") == 0
    assert reached(text).file("/srv/a.txt") == READ | WRITE | EXECUTE


def test_a_policy_that_may_fail_to_be_evaluated_permits_nothing():
    text = "permit (principal, action, resource); permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };"
    assert reached(text).tree("/srv") == 0


def test_a_path_that_is_in_no_normal_form_never_matches():
    for path in ("/srv/", "//srv", "/srv/."):
        assert reached(f'permit (principal, action, resource in file_system::Dir::"{path}");').tree("/srv/x") == 0


def test_creating_needs_both_kinds_apart():
    text = """permit (principal, action == file_system::Action::"open", resource in file_system::Dir::"/srv");
        permit (principal, action in [file_system::Action::"create", file_system::Action::"delete"],
                resource is file_system::File in file_system::Dir::"/srv");"""
    assert reached(text).tree("/srv") == MAKE_FILE | REMOVE_FILE
    assert not reached(text).tree("/srv") & MAKE_DIRECTORY


def test_what_may_be_executed_and_must_not_be_read_is_not_told():
    """The kernel opens for reading what it executes, so that who may execute a file could read it."""
    text = 'permit (principal, action in [file_system::Action::"open", file_system::Action::"execute"], resource);'
    assert reached(text).tree("/srv") == reached(text).file("/srv/x") == EXECUTE
    text += 'forbid (principal, action == file_system::Action::"read", resource in file_system::Dir::"/srv");'
    assert reached(text).tree("/srv") == reached(text).file("/srv/x") == 0
    assert reached(text).tree("/opt") == EXECUTE


def test_what_is_implied_is_free_unless_a_policy_forbids_it():
    assert reached("").is_free("/usr/lib", whole=True)
    text = (
        'forbid (principal, action == file_system::Action::"read", resource == file_system::File::"/usr/lib/secret");'
    )
    assert not reached(text).is_free("/usr/lib", whole=True)
    assert not reached(text).is_free("/usr/lib/secret", whole=False)
    assert reached(text).is_free("/usr/lib/x", whole=False)


def test_the_paths_that_policies_name_are_found():
    text = """permit (principal, action, resource in file_system::Dir::"/a");
        permit (principal, action, resource) when { resource in [file_system::Dir::"/b", file_system::Dir::"/c"] ||
            (resource has path && (resource.path == "/d" || resource.path like "/e/f/g*.txt")) };"""
    assert reached(text).named() == ["/a", "/b", "/c", "/d", "/e/f"]


def test_thousands_of_policies_are_told_quickly_or_refused():
    text = "".join(f'permit (principal, action, resource in file_system::Dir::"/srv/{n}");' for n in range(3000))
    many = reached(text)
    assert sum(many.tree(f"/srv/{n}") == ALL for n in range(100)) == 100
    text = "".join(
        f'permit (principal, action, resource) when {{ resource in file_system::Dir::"/srv/{n}" }};'
        for n in range(3000)
    )
    many = reached(text)
    with pytest.raises(reach.TooManyPolicies):
        sum(many.tree(f"/srv/{n}") for n in range(100))


# --- against the engine ---

PLACES = ["/", "/srv", "/srv/a", "/srv/a/b", "/etc", "/srv2"]
NAMES = ["x", "x.txt", "a", "a.txt", "b", "keys", "a/x.txt", "a/b/c", "*"]
_DIRS = st.sampled_from(PLACES).map(lambda path: f'file_system::Dir::"{path}"')
_FILES = st.sampled_from(["/etc/x", "/srv/a/x.txt", "/srv/b"]).map(lambda path: f'file_system::File::"{path}"')
_RESOURCES = st.one_of(
    st.just("resource"), st.just("resource"), _DIRS.map(lambda each: f"resource in {each}"),
    st.one_of(_DIRS, _FILES).map(lambda each: f"resource == {each}"),
    st.sampled_from(["File", "Dir"]).map(lambda each: f"resource is file_system::{each}"),
    _DIRS.map(lambda each: f"resource is file_system::File in {each}"),
)  # fmt: skip
VERBS = ["open", "read", "write", "create", "delete", "execute", "move"]
_ACTIONS = st.one_of(
    st.just("action"), st.just('action in file_system::Action::"SafeIO"'),
    st.lists(st.sampled_from(VERBS), min_size=1, max_size=4).map(
        lambda some: "action in [" + ", ".join(f'file_system::Action::"{each}"' for each in some) + "]"
    ),
)  # fmt: skip
_ATOMS = st.sampled_from([
    "true", "false", "1 < 2", "2 + 2 == 4", 'principal == User::"alice"', 'principal in User::"bob"', 'resource has path',
    'resource has path && resource.path like "/srv/*"', 'resource has path && resource.path like "/srv/*.txt"',
    'resource has path && resource.path like "*x*"', 'resource has path && resource.path == "/srv/a/x.txt"',
    'resource has path && resource.path != "/etc"', 'resource in file_system::Dir::"/srv/a"',
    'resource in [file_system::Dir::"/etc", file_system::Dir::"/srv/a/b"]', 'resource == file_system::Dir::"/srv"',
    "resource is file_system::File", "context has namespace", 'context.run.language == "rhai"', 'context.run.caller != "test"',
    'action == file_system::Action::"read"', '["rhai", "x"].contains(context.run.language)', "resource == principal",
    'action in [file_system::Action::"read", file_system::Action::"write"]', "context has run.language",
    'resource has url && resource.url like "*"', 'ip("10.0.0.1").isLoopback()', "context == context",
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
    st.sampled_from(["permit", "permit", "permit", "forbid"]), _ACTIONS, _RESOURCES,
    st.sampled_from(["when", "when", "unless"]), _CONDITIONS,
)  # fmt: skip

NEEDED: dict[int, list[tuple[str, str]]] = {
    READ: [("open", "File"), ("read", "File"), ("open", "Dir")],
    LIST: [("open", "Dir"), ("read", "Dir")],
    WRITE: [("open", "File"), ("write", "File"), ("open", "Dir")],
    EXECUTE: [("open", "File"), ("execute", "File"), ("open", "Dir")],
    MAKE_FILE: [("open", "File"), ("create", "File")],
    MAKE_DIRECTORY: [("open", "Dir"), ("create", "Dir")],
    REMOVE_FILE: [("open", "File"), ("delete", "File")],
    reach.REMOVE_DIRECTORY: [("open", "Dir"), ("delete", "Dir")],
    reach.MOVE: [("move", "File"), ("move", "Dir"), ("create", "File")],
}


def contexts(verb: str) -> list[dict[str, Any]]:
    if verb == "move":
        return [{"destination": {"path": path, "name": "b", "parent_path": "/srv"}} for path in ("/srv/b", "/etc/b")]
    if verb == "execute":
        plain = {
            "arguments": Entity("file_system::Arguments", "", {"keys": (), "flags": (), "positional_values": ()}),
            "environment": Entity("file_system::Environment", "", {"names": ()}),
            "user": {"username": "alice", "uid": 1000},
            "group": {"groupname": "alice", "gid": 1000},
            **added_to_execution(),
        }
        return [plain, plain | {"namespace": {"target_process_id": 3}}]
    return [{}]


def denied(authorizer: Authorizer, place: str, right: int) -> tuple[str, str, str] | None:
    """A question about something below a place that a right stands for and the engine denies."""
    prefix = place.rstrip("/") + "/"
    for verb, kind in NEEDED[right]:
        for name in NAMES:
            resource = file(prefix + name) if kind == "File" else directory(prefix + name)
            for context in contexts(verb):
                if not authorizer.decide(Action("file_system", verb), resource, context).allowed:
                    return verb, kind, prefix + name
    return None


@settings(max_examples=300, deadline=None)
@given(st.lists(_STATEMENTS, min_size=1, max_size=4))
def test_what_is_told_of_a_tree_the_engine_permits_for_every_name(statements):
    try:
        policy = Policy.load("\n".join(statements))
    except PolicyInvalid:
        return
    told, authorizer = Reach(policy, ALICE, RUN), Authorizer(policy, ALICE, RUN)
    for place in PLACES:
        rights = told.tree(place)
        for right in NEEDED:
            if rights & right:
                assert denied(authorizer, place, right) is None, (place, reach.NAMES[right])
        if rights:
            assert authorizer.decide(Action("file_system", "open"), directory(place)).allowed
    for path in ("/srv/a/x.txt", "/etc/x", "/srv/b", "/srv/new"):
        rights = told.file(path)
        for verb, right in (("read", READ), ("write", WRITE), ("execute", EXECUTE)):
            if rights & right:
                assert all(
                    authorizer.decide(Action("file_system", verb), file(path), each).allowed for each in contexts(verb)
                )


@settings(max_examples=150, deadline=None)
@given(st.lists(_STATEMENTS, min_size=1, max_size=3))
def test_without_unknowns_little_is_lost(statements):
    """Where conditions speak of nothing but places, what every sampled name is permitted is told, too."""
    if any(word in each for each in statements for word in ("like", "context", "!=", "==", "ip(", "+", "<")):
        return
    try:
        policy = Policy.load("\n".join(statements))
    except PolicyInvalid:
        return
    told, authorizer = Reach(policy, ALICE, RUN), Authorizer(policy, ALICE, RUN)
    if not told.tree("/srv/a/b") & READ:
        assert (
            denied(authorizer, "/srv/a/b", READ)
            or not authorizer.decide(Action("file_system", "open"), directory("/srv/a/b")).allowed
        )
