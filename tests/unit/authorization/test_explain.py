"""Explanations: what they say is true of the policies."""

from __future__ import annotations

from trex.authorization import Entity, directory, file
from trex.authorization.vocabulary import action

OPEN, READ, WRITE = (action("file_system", verb) for verb in ("open", "read", "write"))
GET = action("network", "GET")


def test_a_permitted_question_names_the_permit(authorizer):
    told = authorizer('\n@id("all") permit (principal, action, resource);').explain(OPEN, file("/x"))
    assert (told.allowed, str(told)) == (True, "permitted by all (line 2)")


def test_a_forbidden_question_names_the_forbids_and_no_nearest_permit(authorizer):
    told = authorizer(
        'permit (principal, action, resource);\n@id("no x") forbid (principal, action, resource == file_system::File::"/x");'
    ).explain(OPEN, file("/x"))
    assert (told.allowed, str(told), told.nearest) == (False, "forbidden by no x (line 2)", ())


def test_a_policy_that_cannot_be_evaluated_is_named_with_the_reason(authorizer):
    told = authorizer(
        'permit (principal, action, resource);\n@id("broken") forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };'
    ).explain(OPEN, file("/x"))
    assert told.sentence.startswith("denied, because broken (line 2) could not be evaluated: ")
    assert "overflow" in told.sentence


def test_a_question_that_does_not_fit_the_schema_says_so(authorizer):
    told = authorizer("").explain(OPEN, Entity("User", "alice"))
    assert told.sentence.startswith("denied, because the question could not be evaluated: ")


def test_without_any_permit_there_is_nothing_near(authorizer):
    told = authorizer("forbid (principal, action, resource);").explain(OPEN, file("/x"))
    assert str(told) == "forbidden by policy0 (line 1)"
    assert str(authorizer("").explain(OPEN, file("/x"))) == "no policy permits it"


def test_an_action_that_is_not_covered_is_said(authorizer):
    told = authorizer('permit (principal, action == file_system::Action::"open", resource);').explain(READ, file("/x"))
    assert [str(each) for each in told.nearest] == ['policy0 (line 1): it does not cover file_system::Action::"read"']


def test_a_resource_elsewhere_is_said(authorizer):
    text = 'permit (principal, action, resource in file_system::Dir::"/a");'
    told = authorizer(text).explain(READ, file("/b"))
    assert told.nearest[0].lacking == ('it is for resource in file_system::Dir::"/a"',)


def test_a_resource_of_another_type_is_said(authorizer):
    text = 'permit (principal, action, resource is file_system::Dir in file_system::Dir::"/a");'
    told = authorizer(text).explain(READ, file("/a/x"))
    assert told.nearest[0].lacking == ('it is for resource is file_system::Dir in file_system::Dir::"/a"',)


def test_another_principal_is_said(authorizer):
    told = authorizer('permit (principal == User::"bob", action, resource);').explain(READ, file("/x"))
    assert told.nearest[0].lacking == ('it is for principal == User::"bob"',)


def test_the_first_part_of_a_condition_that_does_not_hold_is_said(authorizer):
    told = authorizer(
        "permit (principal, action, resource is network::url)"
        ' when { resource.url like "https:*" && resource has host && resource.host == "a.example" && resource has port };'
    ).explain(GET, Entity("network::url", "https://b.example/", {"url": "https://b.example/", "host": "b.example"}))
    assert told.nearest[0].lacking == ('`(resource.host) == "a.example"` does not hold',)


def test_an_exception_that_holds_is_said(authorizer):
    told = authorizer(
        'permit (principal, action, resource) unless { resource in file_system::Dir::"/etc" };'
    ).explain(READ, file("/etc/x"))  # fmt: skip
    assert told.nearest[0].lacking == ('`resource in file_system::Dir::"/etc"` holds',)


def test_the_nearest_permits_come_first_and_far_ones_not_at_all(authorizer):
    told = authorizer("""
        @id("far") permit (principal == User::"bob", action == network::Action::"GET", resource);
        @id("two") permit (principal, action == file_system::Action::"write", resource) when { resource.path == "/y" };
        @id("one") permit (principal, action, resource in file_system::Dir::"/a");
    """).explain(READ, file("/x"))
    assert [each.policy for each in told.nearest] == ["one", "two"]


def test_action_groups_are_covered(authorizer):
    text = 'permit (principal, action in file_system::Action::"SafeIO", resource in file_system::Dir::"/a");'
    told = authorizer(text).explain(READ, file("/b"))
    assert told.nearest[0].lacking == ('it is for resource in file_system::Dir::"/a"',)


def test_a_condition_too_deep_to_be_shown_is_said_to_be(authorizer):
    paths = " || ".join([f'resource == file_system::File::"/{n}"' for n in range(300)])
    told = authorizer(f"permit (principal, action, resource) when {{ {paths} }};").explain(READ, file("/x"))
    assert told.nearest[0].lacking == ("one of its conditions, which is nested too deeply to be shown, does not hold",)


def test_names_from_the_policy_cannot_steer_a_terminal(authorizer):
    told = authorizer('@id("\\u{1b}[31m") forbid (principal, action, resource);').explain(READ, directory("/x"))
    assert told.sentence == "forbidden by \\u{1b}[31m (line 1)"
