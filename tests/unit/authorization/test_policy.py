"""Loading policies: what is refused, with which sentence, where, and with which suggestion."""

from __future__ import annotations

from hashlib import sha256

import pytest

from trex.authorization import Policy
from trex.errors import PolicyInvalid

ANY = "permit (principal, action, resource);"


def problems(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(PolicyInvalid) as refused:
        Policy.load(text, "site.cedar")
    return refused.value.problems


def problem(text: str | bytes) -> str:
    (sentence,) = problems(text)
    return sentence


def opens(condition: str) -> str:
    return f'permit (principal, action == file_system::Action::"open", resource)\nwhen {{ {condition} }};'


# --- what is accepted ---


@pytest.mark.parametrize("text", ["", "\n", "// nothing yet\n"])
def test_an_empty_policy_is_valid(text):
    assert len(Policy.load(text)) == 0


def test_the_digest_is_that_of_the_text():
    assert Policy.load(ANY).digest == sha256(ANY.encode()).hexdigest()


def test_bytes_are_read_as_utf8():
    assert Policy.load(b'// \xc3\xa9\n@id("\xc3\xa9") ' + ANY.encode()).labels == {"policy0": "é"}


def test_policies_are_called_by_their_id_annotation():
    policy = Policy.load(f'{ANY} @id("ops") {ANY} @permit("x") @id("a\\"b") {ANY}')
    assert policy.labels == {"policy0": "policy0", "policy1": "ops", "policy2": 'a"b'}


def test_policies_that_share_an_id_annotation_keep_their_number():
    policy = Policy.load(f'@id("ops") {ANY} @id("ops") {ANY} @id("") {ANY}')
    assert policy.labels == {"policy0": "ops (policy0)", "policy1": "ops (policy1)", "policy2": "policy2"}


def test_lines_are_those_on_which_policies_start():
    policy = Policy.load(f'// first\n{ANY}\n\n@id("x")\n{ANY}')
    assert [policy.line(id) for id in policy.labels] == [2, 4]


def test_a_policy_of_many_alternatives_has_a_name_too():
    long = opens(" || ".join([f'resource == file_system::File::"/{n}"' for n in range(900)]))
    policy = Policy.load(f'@id("long") {long}')
    assert policy.labels == {"policy0": "long"}
    # How deep an interpreter decodes differs between versions; beyond that there is none, and it is said so.
    syntax = policy.syntax("policy0")
    assert syntax is None or syntax["effect"] == "permit"


# --- notes ---


def test_a_policy_without_oddities_has_no_notes():
    assert Policy.load(opens('resource in file_system::Dir::"/etc"')).notes() == []


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"\n{ANY}", "line 2: policy0 permits everything to everybody"),
        (opens('resource in file_system::Dir::"/etc/"'), 'line 2: "/etc/" never matches'),
        (opens('resource == file_system::File::"etc"'), 'line 2: "etc" never matches'),
        (opens('resource == file_system::File::"/a/../b"'), 'line 2: "/a/../b" never matches'),
        (opens('resource.path == "/\u202etxt"'), "line 2: it holds an invisible or direction-changing character"),
        (
            f'@id("x") {opens("true")} @id("x") {opens("true")}',
            "line 1: another policy has the same @id as x (policy0)",
        ),
    ],
)
def test_what_deserves_a_look_is_noted(text, note):
    assert Policy.load(text).notes()[0].startswith(note)


# --- what is no text ---


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"// a\n\xff", "line 2: the policy is not UTF-8 text"),
        ("// a\n\udcff", "line 2: the policy is not UTF-8 text"),
        (ANY + "\n\0", "line 2: the policy holds a NUL character"),
        ("\ufeff" + ANY, "the policy starts with a byte order mark; save it as UTF-8 without one"),
    ],
)
def test_what_is_no_text_is_refused(content, sentence):
    assert problem(content) == sentence


def test_a_policy_beyond_the_size_limit_is_refused():
    with pytest.raises(PolicyInvalid, match="the policy has 37 bytes, more than 36"):
        Policy.load(ANY, limit=36)
    Policy.load(ANY, limit=37)
    Policy.load(ANY, limit=0)


# --- what does not parse ---


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("permit (principal, action, resource)", "line 1, column 36: the policy ends too early: it lacks its closing `;`"),
        (f"{ANY}\npermitt (principal, action, resource);", "line 2, column 1: invalid policy effect: permitt; did you mean `permit`?"),
        (opens('resource.path = "a"'), "line 2, column 22: '=' is not a valid operator in Cedar; equality is `==`"),
        (opens("tru"), "line 2, column 8: invalid variable: tru; did you mean `true`?"),
        (opens('resource.path.contain("a")'), "line 2, column 22: `contain` is not a valid method; did you mean `contains`?"),
        (opens('true & false'), "line 2, column 13: no word or mark of the policy language begins here"),
        (opens("true and false"), "line 2, column 13: unexpected token `and`; the operator is `&&`"),
        ("permit (principal, action, resource) whn { true };", "line 1, column 38: invalid policy condition: whn; did you mean `when`?"),
        ('permit (principal, action, resource == file_system::File::"/x);', "line 1, column 59: a string begins here and does not end"),
        ("permit (principal, action, resource)\nforbid (principal, action, resource);", "line 2, column 8: unexpected token `(`; the policy before may lack its closing `;`"),
        ("permit (principal, action);", "line 1, column 1: in the policy that begins here, this policy is missing the `resource` variable in the scope"),
        (opens('"\\q" == "a"'), "line 2, column 8: the input `\\q` is not a valid escape"),
        (opens("99999999999999999999 > 1"), "line 2, column 8: integer parse error: number too large to fit in target type"),
        ('@id("a") @id("b") ' + ANY, "line 1, column 1: duplicate annotation: @id"),
    ],
)  # fmt: skip
def test_what_does_not_parse_is_refused_with_its_place(text, sentence):
    assert problem(text) == sentence


def test_each_policy_that_does_not_parse_is_reported():
    assert [each.split(":")[0] for each in problems(f"{opens('1 +')}\n{ANY}\n{opens('* 2')}")] == [
        "line 2, column 13",
        "line 5, column 8",
    ]


def test_the_refusal_carries_place_and_excerpt_of_the_first_problem():
    with pytest.raises(PolicyInvalid) as refused:
        Policy.load(opens("tru"), "site.cedar")
    assert (refused.value.where, refused.value.line, refused.value.column) == ("site.cedar", 2, 8)
    assert refused.value.excerpt == "2 | when { tru };\n  |        ^^^"


def test_hundreds_of_problems_are_summed_up():
    assert problems("permitt (principal, action, resource);\n" * 300)[-1] == "and 280 more problems"


# --- templates ---


def test_a_template_is_refused_because_it_would_never_apply():
    assert problem(f"{ANY}\npermit (principal == ?principal, action, resource);") == (
        "line 2, column 22: this policy is a template, because it holds `?principal`, and would never apply;"
        " write the entity itself"
    )


# --- what does not validate ---


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('permit (principal, action == file_system::Action::"opne", resource);', 'line 1, column 30: unrecognized action `file_system::Action::"opne"`; did you mean `file_system::Action::"open"`?'),
        ('permit (principal, action == filesystem::Action::"open", resource);', 'line 1, column 30: unrecognized action `filesystem::Action::"open"`; did you mean `file_system::Action::"open"`?'),
        ('permit (principal, action == network::Action::"get", resource);', 'line 1, column 30: unrecognized action `network::Action::"get"`; did you mean `network::Action::"GET"`?'),
        ('permit (principal, action == Action::"chmod", resource);', 'line 1, column 30: unrecognized action `Action::"chmod"`; did you mean `file_system::Action::"chmod"`?'),
        ('permit (principal, action, resource == file_system::Fil::"/x");', "line 1, column 40: unrecognized entity type `file_system::Fil`; did you mean `file_system::File`?"),
        ('permit (principal, action, resource == File::"/x");', "line 1, column 40: unrecognized entity type `File`; did you mean `file_system::File`?"),
        ('permit (principal == user::"x", action, resource);', "line 1, column 22: unrecognized entity type `user`; did you mean `User`?"),
        (opens('principal in Team::"x"'), "line 2, column 21: unrecognized entity type `Team`"),
        (opens('resource.pth == "a"'), "line 2, column 17: attribute `pth` on entity type `file_system::Dir` not found; did you mean `path`?"),
        (opens('context.runs.id == "a"'), 'line 2, column 16: attribute `runs` in context for file_system::Action::"open" not found; did you mean `run`?'),
        ('permit (principal, action == network::Action::"GET", resource)\nwhen { resource.port == 443 };', "line 2, column 17: unable to guarantee safety of access to optional attribute `port` on entity type `network::url`; it may be missing: ask `has port` first, joined by `&&`"),
        ('permit (principal, action == file_system::Action::"execute", resource)\nwhen { context.arguments.getTag("-p") == "x" };', 'line 2, column 26: unable to guarantee safety of access to tag `"-p"` on entity type `file_system::Arguments`; it may be missing: ask `hasTag("-p")` first, joined by `&&`'),
        ('permit (principal, action == network::Action::"GET", resource is file_system::File);', 'line 1, column 1: this policy never applies: none of its actions is for such a resource and principal; network::Action::"GET" is for network::url'),
        (opens("resource.path > 1"), "line 1, column 1: in the policy that begins here, unexpected type: expected Long but saw String"),
        (opens("context == {}"), "line 1, column 1: in the policy that begins here, the types {} and {run: {caller: String,id: String,language: String,script: String,},} are not compatible; the context also holds `run`: compare its other fields one by one"),
        (opens('ip("1.2.3.400").isLoopback()'), 'line 2, column 11: error during extension function argument validation: failed to parse as IP address: `"1.2.3.400"`'),
    ],
)  # fmt: skip
def test_what_does_not_validate_is_refused_with_its_place(text, sentence):
    assert problem(text) == sentence


def test_one_mistake_is_one_sentence_however_often_validation_meets_it():
    assert len(problems("permit (principal, action, resource) when { resource.pat == 1 };")) == 1


def test_the_same_text_is_always_refused_in_the_same_words():
    text = "permit (principal, action, resource) when { resource.a == 1 || resource.b == 2 || context.c == 3 };"
    assert len({problems(text) for _ in range(10)}) == 1


def test_a_misspelt_forbid_is_refused_rather_than_inert():
    text = f'{ANY}\nforbid (principal, action == file_system::Action::"delet", resource);'
    assert 'did you mean `file_system::Action::"delete"`?' in problem(text)


def test_text_that_would_crash_the_engine_is_refused():
    assert problem(opens("(" * 5000 + "true" + ")" * 5000)).endswith("the policy is nested deeper than 64 levels")
