"""Getting a decision that the policy's author did not mean.

By names that mean something in Cedar's syntax, by what a policy cannot evaluate, by questions that do
not fit the schema, and by confusing the memory of decisions (promises P1 and P2).
"""

from __future__ import annotations

import pytest

from support.execution import added_to_execution
from trex.authorization import Authorizer, Entity, IpAddress, Policy, RunRecord, directory, file
from trex.authorization.vocabulary import action

OPEN, READ = action("file_system", "open"), action("file_system", "read")
GET, RESOLVE = action("network", "GET"), action("sysinfo", "resolve_hostname")
PERMIT_ALL = "permit (principal, action, resource);"
OVERFLOWING = "9223372036854775807 + 1 > 0"


def authorizer(text: str, principal: str = "alice") -> Authorizer:
    return Authorizer(Policy.load(text), Entity("User", principal), RunRecord("r", "s", "rhai", "test"))


def quoted(text: str) -> str:
    """A Cedar string of any text."""
    return '"' + "".join(f"\\u{{{ord(each):x}}}" for each in text) + '"'


AWKWARD = [
    'a"b', "a\\b", "a\\\\b", "a\\n", "a\nb", "a\r\nb", "a\0b", "\\u{2f}", '"', "\\", '") || true || ("', "a//b", "/*",
    "a;permit(principal,action,resource);", '","id":"/allowed', '{"__entity":{"type":"User","id":"root"}}', "${HOME}",
    "%00", "a\u202eb", "\ufeff", "é", "e\u0301", "аdmin", "ﬁle", "\U0001f600", "x" * 100_000, " ", "a\u2028b", "*", "a*b",
]  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD, ids=range(len(AWKWARD)))
def test_a_name_with_meaning_in_syntax_is_only_itself(name):
    """Injection: quotes, escapes, JSON and Cedar text inside ids (Rex pastes host names and URLs into Cedar text)."""
    allowed = authorizer(f"permit (principal, action, resource == network::url::{quoted(name)});")
    assert allowed.decide(GET, Entity("network::url", name, {"url": name})).allowed
    others = [each for each in AWKWARD if each != name]
    assert not any(allowed.decide(GET, Entity("network::url", each, {"url": each})).allowed for each in others)


@pytest.mark.parametrize("name", AWKWARD, ids=range(len(AWKWARD)))
def test_a_forbidden_name_is_forbidden_however_awkward(name):
    """Escaping mismatch: the attribute that a forbid reads must be the very text that is acted upon."""
    guarded = authorizer(
        f"{PERMIT_ALL} forbid (principal, action, resource is sysinfo::Hostname)"
        f" when {{ resource.hostname == {quoted(name)} }};"
    )
    assert guarded.decide(RESOLVE, Entity("sysinfo::Hostname", name, {"hostname": name})).reason == "forbidden"


@pytest.mark.parametrize("name", AWKWARD[:-1], ids=range(len(AWKWARD) - 1))
def test_a_principal_with_an_awkward_name_is_only_itself(name):
    """Injection through the principal: user names may hold backslashes and quotes."""
    text = f"permit (principal == User::{quoted(name)}, action, resource);"
    assert authorizer(text, name).decide(OPEN, file("/x")).allowed
    assert not authorizer(text, "alice").decide(OPEN, file("/x")).allowed


@pytest.mark.parametrize("path", ["/a\n/b", '/a"/b', "/a\\/b", "/ /b", "/a\0/b", "/\u202e/b"])
def test_awkward_directories_contain_what_lies_below_them(path):
    """Ancestors are data too: an unescaped parent would detach a file from a forbidden tree."""
    parent = path.rpartition("/")[0]
    guarded = authorizer(f"{PERMIT_ALL} forbid (principal, action, resource in file_system::Dir::{quoted(parent)});")
    assert guarded.decide(READ, file(path)).reason == "forbidden"
    assert guarded.decide(READ, directory(path)).reason == "forbidden"


def test_a_tag_named_like_an_engine_keyword_is_a_tag():
    """JSON confusion: environment names and argument keys are chosen by scripts and become keys of an object."""
    names = ("__entity", "__extn", "uid", "type", "$ARG0", "")
    execute = action("file_system", "execute")
    context = {
        "arguments": Entity("file_system::Arguments", "", {"keys": names, "flags": (), "positional_values": ()}, (), dict.fromkeys(names, "x")),
        "environment": Entity("file_system::Environment", "", {"names": names}, (), dict.fromkeys(names, "secret")),
        "user": {"username": "a", "uid": 1},
        "group": {"groupname": "a", "gid": 1},
        **added_to_execution(),
    }  # fmt: skip
    for name in names:
        condition = f'context.environment.hasTag("{name}") && context.environment.getTag("{name}") == "secret"'
        asked = authorizer(
            f'permit (principal, action == file_system::Action::"execute", resource) when {{ {condition} }};'
        )
        assert asked.decide(execute, file("/bin/x"), context).allowed


@pytest.mark.parametrize(
    "text",
    [
        f"{PERMIT_ALL} forbid (principal, action, resource) when {{ {OVERFLOWING} }};",
        f"forbid (principal, action, resource) when {{ {OVERFLOWING} }}; {PERMIT_ALL}",
        f"{PERMIT_ALL} forbid (principal, action, resource) unless {{ {OVERFLOWING} }};",
        f"{PERMIT_ALL} forbid (principal, action, resource) when {{ resource is file_system::File && {OVERFLOWING} }};",
        f"{PERMIT_ALL} permit (principal, action, resource) when {{ {OVERFLOWING} }};",
        f'{PERMIT_ALL} forbid (principal, action, resource) when {{ file_system::Dir::"/elsewhere".path == "/" }};',
    ],
)
def test_a_policy_that_cannot_be_evaluated_never_widens_what_is_permitted(text):
    """Failing open: the engine skips a policy that fails and allows what it might have forbidden."""
    decision = authorizer(text).decide(OPEN, file("/x"))
    assert (decision.allowed, decision.reason) == (False, "policy_error")
    assert len(decision.policies) == 1


def test_a_forbid_behind_a_guard_applies_as_soon_as_the_attribute_is_known():
    """Missing attributes: a guarded forbid says nothing before the address is known, and must say it then."""
    guarded = authorizer(
        f"{PERMIT_ALL} forbid (principal, action, resource is network::url)"
        ' when { resource has address && resource.address.isInRange(ip("127.0.0.0/8")) };'
    )
    name = Entity("network::url", "http://a/", {"url": "http://a/"})
    resolved = Entity("network::url", "http://a/", {"url": "http://a/", "address": IpAddress("127.0.0.1")})
    assert [guarded.decide(GET, each).reason for each in (name, resolved, name)] == [
        "permitted",
        "forbidden",
        "permitted",
    ]


def test_a_forbid_that_reads_an_optional_attribute_without_guard_is_refused_at_load():
    """A forbid that would fail for exactly the resources it is about does not pass validation."""
    from trex.errors import PolicyInvalid

    with pytest.raises(PolicyInvalid, match="it may be missing"):
        authorizer(f"{PERMIT_ALL} forbid (principal, action, resource is network::url) when {{ resource.port == 22 }};")


def test_an_answer_for_one_object_is_never_given_for_another_of_the_same_name():
    """Memory confusion: same type and id, other attributes or ancestors, is another question."""
    guarded = authorizer(
        'permit (principal, action, resource is process_system::Process) when { resource.username == "alice" };'
        'permit (principal, action, resource in file_system::Dir::"/mine");'
    )

    def process(user: str) -> Entity:
        known = {"name": "x", "username": user, "command": "x", "pid": "7"}
        return Entity("process_system::Process", "7", known)

    kill = action("process_system", "kill")
    answers = [guarded.decide(kill, process(user)).allowed for user in ("alice", "root", "alice", "root")]
    assert answers == [True, False, True, False]
    inside = Entity("file_system::File", "/mine/x", {"path": "/mine/x"}, (directory("/mine"),))
    outside = Entity("file_system::File", "/mine/x", {"path": "/mine/x"}, (directory("/other"),))
    assert [guarded.decide(READ, each).allowed for each in (inside, outside, inside)] == [True, False, True]


def test_a_look_alike_name_does_not_pass_for_the_name():
    """Homoglyphs and Unicode forms: comparison is by code point, nothing is folded or normalised."""
    guarded = authorizer('permit (principal, action, resource == file_system::File::"/tmp/caf\u00e9");')
    assert guarded.decide(READ, file("/tmp/caf\u00e9")).allowed
    for other in (
        "/tmp/cafe\u0301",
        "/tmp/caf\u0435\u0301",
        "/tmp/CAF\u00c9",
        "/tmp/caf\u00e9\u200b",
        "/tmp/caf\u00e9 ",
    ):
        assert not guarded.decide(READ, file(other)).allowed


def test_a_hostile_path_of_thousands_of_parts_costs_no_more_than_its_bound():
    """Size: a chain of ancestors grows with the square of the path; beyond the bound the question is denied."""
    decision = authorizer(PERMIT_ALL).decide(READ, file("/x" * 2047))
    assert (decision.allowed, decision.reason) == (False, "policy_error")


def test_a_policy_that_would_crash_the_engine_is_refused():
    """Stack exhaustion in the engine's parser: the broker must not die of a policy (5000 brackets do it)."""
    from trex.errors import PolicyInvalid

    for condition in ("(" * 5000 + "true" + ")" * 5000, "true" + " && true" * 100_000, "[" * 5000 + "]" * 5000):
        with pytest.raises(PolicyInvalid, match=r"nested deeper|joins more"):
            authorizer(f"permit (principal, action, resource) when {{ {condition} }};")
