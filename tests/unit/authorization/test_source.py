"""Policy text as tokens, and the bound on its depth."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trex.authorization.source import MAX_CHAIN, MAX_NESTING, UNREADABLE, Source, tokens, too_deep


def policy(condition: str) -> str:
    return f"permit (principal, action, resource) when {{ {condition} }};"


def texts(source: str) -> list[str]:
    return [token.text for token in tokens(source)]


def test_comments_and_space_are_no_tokens():
    assert texts("a // b ; c\n  d") == ["a", "d"]


def test_marks_inside_strings_are_part_of_the_string():
    assert texts('a::"x;\\"(y" ;') == ["a", "::", '"x;\\"(y"', ";"]


def test_a_string_that_does_not_end_is_the_last_token():
    assert [(token.kind, token.text) for token in tokens('a "b ; c')] == [("name", "a"), ("invalid", '"')]


def test_statements_end_at_their_semicolon():
    source = Source("permit(a);  forbid(b);\n x")
    assert [source.text[each.start : each.end] for each in source.statements()] == ["permit(a);", "forbid(b);", "x"]


def test_places_count_lines_and_columns_from_one():
    source = Source("ab\ncd\n")
    assert [source.place(offset) for offset in (0, 1, 3, 4)] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_an_excerpt_points_at_the_place():
    assert Source("first\nsecond line\n").excerpt(13, 4) == "2 | second line\n  |        ^^^^"


def test_an_excerpt_of_a_long_line_stays_near_the_place():
    excerpt = Source("x" * 5000 + "HERE" + "y" * 5000).excerpt(5000, 4)
    above, below = excerpt.split("\n")
    assert len(above) < 130
    assert above[below.index("^") : below.index("^") + 4] == "HERE"


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 1000 + "true" + ")" * 1000,
        "[" * 1000 + "1" + "]" * 1000 + " == 1",
        "{a:" * 1000 + "1" + "}" * 1000 + " == 1",
        "if true then " * 1000 + "true" + " else false" * 1000,
        "principal" + ".a" * 5000 + " == 1",
        "principal" + '["a"]' * 5000 + " == 1",
        "principal" + ".contains(1)" * 5000,
        "principal" + ".a.contains(1)" * 5000,
        "true } when { " * 5000 + "true",
        "true" + " && true" * 20_000,
        "true" + " || true" * 20_000,
        "1" + " + 1" * 20_000 + " == 1",
    ],
    ids=[
        "parentheses",
        "sets",
        "records",
        "if",
        "attributes",
        "indexes",
        "calls",
        "members",
        "when",
        "and",
        "or",
        "plus",
    ],
)
def test_text_that_would_overflow_the_engine_is_found_to_be_too_deep(condition):
    assert too_deep(policy(condition)) is not None


def test_brackets_inside_strings_and_comments_are_not_nested():
    assert too_deep("// " + "(" * 200 + "\n" + policy('"' + "(" * 200 + '" == "x"')) is None


def test_nesting_hidden_behind_an_unreadable_character_is_not_passed_on():
    text = "# " + policy("(" * 1000 + "true" + ")" * 1000)
    assert too_deep(text) == (0, UNREADABLE)


def test_many_small_policies_are_not_deep():
    assert too_deep(policy("(principal == resource)") * 5000) is None


def test_a_long_list_of_alternatives_is_not_deep():
    assert too_deep(policy(" || ".join(['resource == file_system::File::"/x"'] * (MAX_CHAIN - 1)))) is None


def test_long_sets_are_not_deep():
    assert too_deep(policy("[" + ", ".join(['file_system::File::"/x"'] * 5000) + "].contains(resource)")) is None


def test_members_of_many_operands_are_not_one_chain():
    assert too_deep(policy(" || ".join(['resource.path like "/x"', 'context["run"].id == "x"'] * 300))) is None


def test_chains_in_chains_are_as_deep_as_both():
    inner = "(" + " || ".join(["true"] * (MAX_CHAIN // 2 + 10)) + ")"
    assert too_deep(policy(inner + " && true" * (MAX_CHAIN // 2))) is not None
    assert too_deep(policy(f"[{inner}, {inner}].contains(true)")) is None


def test_the_engine_decides_the_deepest_text_that_is_passed_on():
    """Each kind of nesting at its bound: parsed, validated, rendered and evaluated, in a process of its own."""
    depth, chain = MAX_NESTING - 3, MAX_CHAIN - MAX_NESTING
    path = 'resource == file_system::File::"/x"'
    conditions = [
        "(" * depth + path + ")" * depth,
        "if true then " * depth + path + " else false" * depth,
        "(" * (depth - 1) + path + f" && {path}" * chain + ")" * (depth - 1),
        f"{path}" + f" || {path}" * chain,
        "1" + " + 1" * chain + " == 1",
        "!(" * depth + path + ")" * depth,
        " && ".join(['context.run["id"] == ""'] * (chain // 2)),
        " } when { ".join([path] * chain),
    ]
    text = "\n".join(policy(each) for each in conditions)
    assert too_deep(text) is None
    program = """if True:
        import sys
        from trex.authorization import *
        policy = Policy.load(sys.stdin.read())
        decision = Authorizer(policy, Entity("User", "a"), RunRecord("", "", "", "")).decide(
            Action("file_system", "open"), file("/x"))
        print(decision.reason, *decision.errors)"""
    done = subprocess.run([sys.executable, "-c", program], input=text, text=True, capture_output=True)
    assert (done.returncode, done.stdout.strip()) == (0, "permitted"), done.stderr[-300:]


@given(st.text(alphabet=st.sampled_from('permit(){}[];"\\/ \n=&|.?:aif'), max_size=60))
def test_tokens_and_space_together_are_the_text(text):
    """Every character belongs to one token or to the space between two, up to the first that is unreadable."""
    end = 0
    for token in tokens(text):
        between = text[end : token.start]
        assert all(line.isspace() or not line or line.lstrip().startswith("//") for line in between.split("\n"))
        assert text[token.start : token.start + len(token.text)] == token.text
        end = token.start + len(token.text)
