"""Why a policy is refused, in sentences with places and, where the mistake is plain, a suggestion.

Owns:      `Problem`; finding the place of what the engine objects to, for it tells none; suggestions.
Relies on: `source` for tokens, `vocabulary` for the right words, the engine's wording for the rest.
Never:     decides that a policy is good or bad: it is called when the engine has refused, and a
           wording that it does not know is passed on as it is.

**Places.** The engine's parser stops at the first token that cannot continue a policy, so every
shorter beginning fails only for being cut short: the place of an unexpected token is found by
bisection over beginnings. Other objections name a word; the place is where that word stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from trex.authorization.engine import Finding, engine
from trex.authorization.source import UNREADABLE, Source, Statement, Token
from trex.authorization.vocabulary import ACTIONS, ENTITY_TYPES, NAMESPACES, RUN
from trex.errors import PolicyInvalid

MAX_PROBLEMS = 20
_CUT_SHORT = "unexpected end of input"


class Problem(Struct, frozen=True):
    """One thing that is wrong with a policy, and where."""

    message: str
    line: int | None = None
    column: int | None = None
    suggestion: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}: " if self.line is not None else ""
        return place + self.message + (f"; {self.suggestion}" if self.suggestion else "")


def invalid(name: str, problems: Sequence[Problem]) -> PolicyInvalid:
    """The refusal that tells these problems."""
    shown = problems[:MAX_PROBLEMS]
    more = len(problems) - len(shown)
    sentences = [str(each) for each in shown] + ([f"and {more} more problems"] if more else [])
    first = shown[0]
    return PolicyInvalid(tuple(sentences), name, first.line, first.column, first.excerpt, tuple(shown))


def at(text: str, offset: int, message: str, suggestion: str = "", length: int = 1) -> Problem:
    """A problem at a place of the text."""
    source = Source(text)
    line, column = source.place(offset)
    return Problem(message, line, column, suggestion, source.excerpt(offset, length))


# --- texts that do not parse ---


def of_parsing(text: str, words: str) -> list[Problem]:
    """One problem for each policy of a text that does not parse; `words` are the engine's for the whole."""
    problems = []
    for statement in Source(text).statements():
        *_, last = statement.tokens
        if last.kind == "invalid":
            message = "a string begins here and does not end" if last.text == '"' else UNREADABLE
            problems.append(at(text, last.start, message))
            continue
        try:
            engine().parse(text[statement.start : statement.end])
        except ValueError as error:
            problems.append(_unparsable(text, statement, str(error)))
    return problems or [Problem(words)]


def _unparsable(text: str, statement: Statement, words: str) -> Problem:
    last = statement.tokens[-1]
    if words == _CUT_SHORT:
        missing = ": it lacks its closing `;`" if last.text != ";" else ""
        return at(text, last.start, f"the policy ends too early{missing}", length=len(last.text))
    if words.startswith("unexpected token"):
        token = _first_unexpected(text, statement)
        return at(text, token.start, words, _parsing_suggestion(token, statement), len(token.text))
    found = _named(words, statement)
    if found is None:
        return _somewhere(text, statement, words)
    start, length = found
    return at(text, start, words, _word_suggestion(words, text[start : start + length]), length)


def _somewhere(text: str, statement: Statement, words: str, suggestion: str = "") -> Problem:
    """A problem of a policy as a whole, or at a place that the engine does not tell."""
    first = statement.tokens[0]
    return at(text, first.start, f"in the policy that begins here, {words}", suggestion, len(first.text))


def _first_unexpected(text: str, statement: Statement) -> Token:
    """The first token that cannot continue the policy."""
    low, high = 0, len(statement.tokens) - 1
    while low < high:
        middle = (low + high) // 2
        token = statement.tokens[middle]
        if _is_viable(text[statement.start : token.start + len(token.text)]):
            low = middle + 1
        else:
            high = middle
    return statement.tokens[low]


def _is_viable(beginning: str) -> bool:
    try:
        engine().parse(beginning)
    except ValueError as error:
        return str(error) == _CUT_SHORT
    return True


def _named(words: str, statement: Statement) -> tuple[int, int] | None:
    """Start and length of what the engine's words are about: something that they quote or end in."""
    for name in [*words.replace("'", "`").split("`")[1::2], words.rpartition(": ")[2].strip("`'")]:
        found = _reference(statement, name)
        if found is None and name.startswith("\\"):  # an escape inside a string
            inside = [each for each in statement.tokens if each.kind == "string" and name in each.text]
            found = (inside[0].start, len(inside[0].text)) if inside else None
        if found is not None:
            return found
    if words.startswith("integer parse error"):
        longest = max(statement.tokens, key=lambda each: len(each.text) if each.kind == "number" else 0)
        return longest.start, len(longest.text)
    return None


_METHODS = (
    "contains", "containsAll", "containsAny", "isEmpty", "hasTag", "getTag", "isInRange", "isLoopback", "isMulticast",
    "isIpv4", "isIpv6", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "offset", "durationSince",
    "toDate", "toTime", "toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays",
)  # fmt: skip
_FUNCTIONS = ("ip", "decimal", "datetime", "duration")
_VARIABLES = ("principal", "action", "resource", "context", "true", "false")


def _word_suggestion(words: str, word: str) -> str:
    if word == "=":
        return "equality is `==`"
    for beginning, candidates in (
        ("invalid policy effect", ("permit", "forbid")),
        ("invalid policy condition", ("when", "unless")),
        ("invalid variable", _VARIABLES),
        (f"`{word}` is not a valid method", _METHODS),
        (f"`{word}` is not a valid function", _FUNCTIONS),
    ):
        if words.startswith(beginning):
            return did_you_mean(word, candidates)
    return ""


def _parsing_suggestion(token: Token, statement: Statement) -> str:
    before = [each.text for each in statement.tokens if each.start < token.start]
    if len(before) > 1 and before[-1] in ("permit", "forbid"):
        return "the policy before may lack its closing `;`"
    return _OPERATORS.get(token.text, "")


_OPERATORS = {"and": "the operator is `&&`", "or": "the operator is `||`", "not": "the operator is `!`"}


# --- templates ---


def of_templates(text: str, templates: Iterable[dict[str, Any]]) -> list[Problem]:
    """One problem for each policy with a slot."""
    source = Source(text)
    statements = source.statements()
    problems = []
    for number in sorted(int(each["id"].removeprefix("policy")) for each in templates):
        slot = next(each for each in statements[number].tokens if each.text.startswith("?"))
        message = f"this policy is a template, because it holds `{slot.text}`, and would never apply"
        suggestion = "write the entity itself"
        problems.append(at(text, slot.start, message, suggestion, len(slot.text)))
    return problems


# --- policies that do not validate ---


def of_validation(text: str, findings: Sequence[Finding]) -> list[Problem]:
    """The findings of strict validation, those about one mistake merged into one."""
    statements = Source(text).statements()
    merged: dict[tuple[str, str], Problem] = {}
    inapplicable = []
    for finding in sorted(findings, key=lambda each: each.error):  # the engine lists them in no order
        if not finding.policy_id.removeprefix("policy").isdigit():
            merged[finding.policy_id, finding.error] = Problem(finding.error)
            continue
        statement = statements[int(finding.policy_id.removeprefix("policy"))]
        words = finding.error.removeprefix(f"for policy `{finding.policy_id}`, ")
        if words.startswith("unable to find an applicable action"):
            inapplicable.append((finding.policy_id, statement))
            continue
        mistake, problem = _invalid(text, statement, words)
        merged.setdefault((finding.policy_id, mistake), problem)
    explained = {id for id, _ in merged}
    for id, statement in inapplicable:  # it follows from any misspelt name, and only counts alone
        if id not in explained:
            merged[id, ""] = _never_applies(text, statement)
    return sorted(merged.values(), key=lambda each: (each.line or 0, each.column or 0))


def _invalid(text: str, statement: Statement, words: str) -> tuple[str, Problem]:
    """What the mistake is about, and its problem."""
    quoted = words.split("`")[1::2]
    subject = quoted[0] if quoted else words
    found, suggestion = _reference(statement, subject), ""
    if words.startswith("unrecognized action"):
        suggestion = suggest_action(subject)
    elif words.startswith("unrecognized entity type"):
        suggestion = suggest_entity_type(subject)
    elif words.startswith("attribute"):
        found = _attribute(statement, subject)
        suggestion = did_you_mean(subject, _attributes_of(words))
    elif words.startswith("unable to guarantee safety of access to optional attribute"):
        found = _attribute(statement, subject)
        suggestion = f"it may be missing: ask `has {subject}` first, joined by `&&`"
    elif words.startswith("unable to guarantee safety of access to tag"):
        found = _reference(statement, "getTag")
        suggestion = f"it may be missing: ask `hasTag({subject})` first, joined by `&&`"
    elif f"{RUN.name}: {{" in words:
        suggestion = f"the context also holds `{RUN.name}`: compare its other fields one by one"
    if found is None:
        return subject, _somewhere(text, statement, words, suggestion)
    return subject, at(text, found[0], words, suggestion, found[1])


def _never_applies(text: str, statement: Statement) -> Problem:
    message = "this policy never applies: none of its actions is for such a resource and principal"
    named = [action for action in ACTIONS if _reference(statement, str(action)) is not None]
    suggestion = "; ".join(
        f"{action} is for {' or '.join(f'{action.namespace}::{each}' for each in ACTIONS[action].resources)}"
        for action in named[:3]
    )
    token = statement.tokens[0]
    return at(text, token.start, message, suggestion, len(token.text))


def _reference(statement: Statement, reference: str) -> tuple[int, int] | None:
    """Start and length of the tokens that spell a reference, such as `a::Action::"b"`."""
    parts = statement.tokens
    for first, token in enumerate(parts):
        spelt = ""
        for last in parts[first:]:
            spelt += last.text
            if spelt == reference and (first == 0 or parts[first - 1].text != "::"):
                return token.start, last.start + len(last.text) - token.start
            if not reference.startswith(spelt):
                break
    return None


def _attribute(statement: Statement, name: str) -> tuple[int, int] | None:
    """Start and length of an attribute's name where it is read."""
    for before, token in zip(statement.tokens, statement.tokens[1:], strict=False):
        if (before.text == "." and token.text == name) or (before.text == "[" and token.text == f'"{name}"'):
            return token.start, len(token.text)
    return None


# --- the right words ---


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """A suggestion where one candidate is close enough that the mistake is plain."""
    close = _closest(word, candidates)
    return f"did you mean `{close}`?" if close else ""


def suggest_action(reference: str) -> str:
    """A suggestion for an action that does not exist."""
    known = [str(action) for action in ACTIONS]
    known += [f'{each.name}::Action::"{each.group}"' for each in NAMESPACES]
    verb = reference.partition("::Action::")[2] or reference.rpartition("::")[2]
    same_verb = [each for each in known if each.endswith(f"::Action::{verb}")]
    return did_you_mean(reference, known) or (f"did you mean `{same_verb[0]}`?" if len(same_verb) == 1 else "")


def suggest_entity_type(name: str) -> str:
    """A suggestion for an entity type that does not exist."""
    same_end = [each for each in ENTITY_TYPES if each.rpartition("::")[2].lower() == name.rpartition("::")[2].lower()]
    return f"did you mean `{same_end[0]}`?" if len(same_end) == 1 else did_you_mean(name, ENTITY_TYPES)


def _closest(word: str, candidates: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    known = list(candidates)
    for each in known:
        if each.lower() == word.lower():
            return each
    close = get_close_matches(word, known, n=1, cutoff=0.7)
    return close[0] if close else None


def _attributes_of(words: str) -> list[str]:
    """The attributes of the entity type or context that the engine's words name."""
    where = words.partition("` on entity type `")[2].partition("`")[0]
    if where in ENTITY_TYPES:
        return [each.name for each in ENTITY_TYPES[where].attributes]
    where = words.partition("in context for ")[2].removesuffix(" not found")
    for action, verb in ACTIONS.items():
        if str(action) == where:
            fields = [*verb.context, RUN]
            nested = [each.name for field in fields if not isinstance(field.type, str) for each in field.type]
            return [each.name for each in fields] + nested
    return []
