"""Why a decision is what it is: in a sentence for people, and as data.

Owns:      `Explanation`, and the search for the permits that come nearest.
Relies on: the policies' syntax for what their scope says, and the engine for their conditions.
Never:     decides: it looks at a decision that was made, and asks the engine about parts of policies.

A permit applies if its scope (principal, action, resource) matches and all its conditions hold.
The scope is compared here, for its meaning is plain: equality, type, and membership in what
contains the entity. Conditions are put to the engine one at a time, `a && b` as `a` and then `b`,
and the first that does not hold is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from trex.authorization.engine import engine
from trex.authorization.entities import Action, Entity, escaped
from trex.authorization.vocabulary import group_of

if TYPE_CHECKING:
    from trex.authorization.authorizer import Authorizer, Decision

# Explaining asks the engine again: not without bound, however many policies there are.
MAX_CANDIDATES = 50
MAX_NEAREST = 3


class Nearest(Struct, frozen=True):
    """A permit that does not apply, and what it lacks."""

    policy: str
    line: int
    lacking: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.policy} (line {self.line}): {' and '.join(self.lacking)}"


class Explanation(Struct, frozen=True):
    """A decision with the policies behind it; `nearest` only where nothing permits."""

    allowed: bool
    reason: str
    sentence: str
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    nearest: tuple[Nearest, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"nearest: {each}" for each in self.nearest)])


def explain(authorizer: Authorizer, action: Action, resource: Entity, context: Mapping[str, Any]) -> Explanation:
    """Why the authorizer answers this question as it does."""
    decision = authorizer.decide(action, resource, context)
    nearest: tuple[Nearest, ...] = ()
    if decision.reason == "not_permitted":
        nearest = _nearest(authorizer, action, resource, context)
    sentence = sentence_of(decision, _named(authorizer, decision))
    return Explanation(decision.allowed, decision.reason, sentence, decision.policies, decision.errors, nearest)


def sentence_of(decision: Decision, policies: str) -> str:
    """A decision in one sentence; `policies` names those that made it."""
    if decision.reason == "permitted":
        return f"permitted by {policies}"
    if decision.reason == "forbidden":
        return f"forbidden by {policies}"
    if decision.reason == "not_permitted":
        return "no policy permits it"
    return f"denied, because {policies or 'the question'} could not be evaluated: " + "; ".join(
        escaped(each) for each in decision.errors
    )


def _named(authorizer: Authorizer, decision: Decision) -> str:
    policy = authorizer.policy
    ids = {label: id for id, label in policy.labels.items()}
    return ", ".join(f"{escaped(label)} (line {policy.line(ids[label])})" for label in decision.policies)


def _nearest(
    authorizer: Authorizer, action: Action, resource: Entity, context: Mapping[str, Any]
) -> tuple[Nearest, ...]:
    policy = authorizer.policy
    found: list[Nearest] = []
    for id, label in list(policy.labels.items())[:MAX_CANDIDATES]:
        syntax = policy.syntax(id)
        if syntax is None or syntax["effect"] != "permit":
            continue
        lacking = list(_scope_lacks(syntax, authorizer.principal, action, resource))
        if len(lacking) > 1:
            continue
        condition = _failing_condition(authorizer, syntax, action, resource, context)
        if condition:
            lacking.append(condition)
        found.append(Nearest(escaped(label), policy.line(id), tuple(lacking)))
    return tuple(sorted(found, key=lambda each: len(each.lacking))[:MAX_NEAREST])


# --- the scope ---


def _scope_lacks(syntax: dict[str, Any], principal: Entity, action: Action, resource: Entity) -> Iterator[str]:
    """What of a policy's scope does not match, a phrase for each part."""
    if not _matches(syntax["principal"], principal):
        yield f"it is for {_constraint('principal', syntax['principal'])}"
    if not _covers(syntax["action"], action):
        yield f"it does not cover {action}"
    if not _matches(syntax["resource"], resource):
        yield f"it is for {_constraint('resource', syntax['resource'])}"


def _matches(constraint: dict[str, Any], entity: Entity) -> bool:
    operator = constraint["op"]
    if operator == "All":
        return True
    if operator == "==":
        return bool(constraint["entity"] == entity.uid)
    if operator == "is" and constraint["entity_type"] != entity.type:
        return False
    within = constraint["entity"] if operator == "in" else constraint.get("in", {}).get("entity")
    return within is None or any(each.uid == within for each in entity.family())


def _covers(constraint: dict[str, Any], action: Action) -> bool:
    if constraint["op"] == "All":
        return True
    listed = constraint.get("entities") or [constraint["entity"]]
    names = [action] if constraint["op"] == "==" else [action, group_of(action)]
    return any({"type": f"{each.namespace}::Action", "id": each.verb} in listed for each in names)


def _constraint(part: str, constraint: dict[str, Any]) -> str:
    entity = constraint.get("entity") or constraint.get("in", {}).get("entity")
    reference = f'{entity["type"]}::"{escaped(entity["id"])}"' if entity else ""
    if constraint["op"] == "is":
        return f"{part} is {constraint['entity_type']}" + (f" in {reference}" if reference else "")
    return f"{part} {constraint['op']} {reference}"


# --- the conditions ---


def _failing_condition(
    authorizer: Authorizer, syntax: dict[str, Any], action: Action, resource: Entity, context: Mapping[str, Any]
) -> str:
    """The first condition that does not hold, as a phrase; nothing if all hold."""
    for condition in syntax["conditions"]:
        wanted = condition["kind"] == "when"
        for part in _conjuncts(condition["body"]) if wanted else [condition["body"]]:
            document = _alone(part)
            try:
                text = _body(engine().to_text(document))
                holds = authorizer.holds(engine().parse_json(document), action, resource, context)
            except (ValueError, RecursionError):  # nested deeper than the engine reads its own JSON, or too long
                return "one of its conditions, which is nested too deeply to be shown, does not hold"
            if holds is not wanted:
                return f"`{text}` {'does not hold' if wanted else 'holds'}"
    return ""


def _conjuncts(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of `a && b && c`, in order."""
    parts = []
    while set(body) == {"&&"}:
        parts.append(body["&&"]["right"])
        body = body["&&"]["left"]
    return [body, *reversed(parts)]


def _alone(body: dict[str, Any]) -> str:
    """A policy of nothing but one condition."""
    any_ = {"op": "All"}
    condition = {"kind": "when", "body": body}
    policy = {"effect": "permit", "principal": any_, "action": any_, "resource": any_, "conditions": [condition]}
    return msgspec.json.encode({"templates": {}, "templateLinks": [], "staticPolicies": {"policy0": policy}}).decode()


def _body(text: str) -> str:
    """The condition in the text of a policy made by `_alone`."""
    return text[text.index("{") + 1 : text.rindex("}")].strip()
