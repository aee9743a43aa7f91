"""One run's authorizer: may this principal do this to that?

Owns:      the decision: what counts as permitted, the `run` record in every context, and the memory
           of what was already asked.
Relies on: a `Decider` for answers; by default the official engine.
Never:     fails open. Permitted is only what the engine allows while *no* policy failed to be
           evaluated; a `forbid` that could not be evaluated might have forbidden.

**The memory** holds answers by the exact text that was put to the engine: action, resource, entities
with attributes and ancestors, context. Principal, policy and run never change for one authorizer, so
nothing else can matter, and two questions that differ in anything never share an answer.

A run that asks about many paths gets a second memory, by what the policy can observe of a path
(`classes`): there, questions share an answer that differ in nothing that the policy looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec
from msgspec import Struct

from trex.authorization.engine import engine
from trex.authorization.entities import Action, Entity, PathEntity, entities_in, plain
from trex.authorization.policy import Policy, position

if TYPE_CHECKING:
    from trex.authorization.classes import Classes, Key
    from trex.authorization.engine import Entities, PolicySet
    from trex.authorization.explain import Explanation
    from trex.authorization.reach import Reach

# `not_forbidden` is never the answer to a question: it is what is recorded where no permit was needed.
Reason = Literal["permitted", "forbidden", "not_permitted", "policy_error", "not_forbidden"]

# A name or an argument list that a script chose must not cost without bound.
MAX_QUESTION = 2 * 1024 * 1024
MAX_REMEMBERED = 8 * 1024 * 1024
MAX_SHARED = 4096  # answers that many paths share
MANY = 16  # questions of which the policy is not yet read for what it can observe

_encode = msgspec.json.Encoder().encode
_EMPTY: Mapping[str, Any] = {}


class RunRecord(Struct, frozen=True):
    """The run that asks, as policies see it in `context.run`."""

    id: str
    script: str
    language: str
    caller: str


class Decision(Struct, frozen=True):
    """What the policy says to one question.

    policies: names of the policies that decided: those that permit, that forbid, or that could not be
              evaluated.
    errors:   what could not be evaluated, in the engine's words.
    """

    allowed: bool
    reason: Reason
    policies: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class Question(Struct, frozen=True):
    """One question in full, and its two texts for the engine."""

    principal: Entity
    action: Action
    resource: Entity
    context: Mapping[str, Any]
    entities_json: str
    context_json: str


class Decider(Protocol):
    """Something that answers questions about one policy."""

    def answer(self, question: Question) -> Decision:
        """The decision; a question that it cannot decide is a denial."""


class EngineDecider:
    """The official engine as a decider. Keeps the last entity store: a resource is asked about several times."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._engine = engine()
        self._store: tuple[str, Entities] | None = None

    def answer(self, question: Question) -> Decision:
        """The engine's decision, with every failure turned into a denial."""
        request = _request(question.principal, question.action, question.resource, question.context_json)
        try:
            if self._store is None or self._store[0] != question.entities_json:
                self._store = (question.entities_json, self._engine.entities(question.entities_json))
            answer = self._engine.ask(request, self._policy.handle, self._store[1])
        except ValueError as error:  # an entity or a name that does not conform to the schema
            return failed(str(error))
        decided, errors = answer.diagnostics.reason, answer.diagnostics.errors
        if errors:
            return Decision(False, "policy_error", self._failing(errors), errors)
        labels = tuple(self._policy.label(id) for id in sorted(decided, key=position))
        if answer.decision == "Allow" and decided:
            return Decision(True, "permitted", labels)
        if answer.decision == "Deny":
            return Decision(False, "forbidden" if decided else "not_permitted", labels)
        return failed("the engine made no decision")

    def _failing(self, errors: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the policies that errors are about; the engine tells them in words only."""
        beginnings = {f"error while evaluating policy `{id}`:": label for id, label in self._policy.labels.items()}
        return tuple(label for words, label in beginnings.items() if any(e.startswith(words) for e in errors))


def failed(error: str) -> Decision:
    """The denial of a question that could not be decided."""
    return Decision(False, "policy_error", (), (error,))


class Authorizer:
    """Decides for one run: one policy, one principal, one script."""

    def __init__(self, policy: Policy, principal: Entity, run: RunRecord, decider: Decider | None = None) -> None:
        self.policy, self.principal, self.run = policy, principal, run
        self._decider = decider if decider is not None else EngineDecider(policy)
        self._run_field = '"run":' + _encode(run).decode()
        self._classes: Classes | None = None
        self._shared: dict[tuple[Action, Key], Decision] = {}
        self._until_many = MANY if decider is None else 0  # another decider may look at anything
        self._remembered: dict[tuple[Action, str, str, str, str], Decision] = {}
        self._remembered_size = 0

    @cached_property
    def reach(self) -> Reach:
        """What the policy permits on whole trees."""
        from trex.authorization.reach import Reach

        return Reach(self.policy, self.principal, self.run)

    def decide(self, action: Action, resource: Entity, context: Mapping[str, Any] = _EMPTY) -> Decision:
        """May the principal do `action` to `resource`? Each distinct question is asked once.

        context: by field name, values as in an entity's attributes; `run` is added here.
        """
        shared: tuple[Action, Key] | None = None
        if self._classes is not None and not context and type(resource) is PathEntity and _is_text(resource.id):
            shared = action, self._classes.key(resource)
            known = self._shared.get(shared)
            if known is not None:
                return known
        try:
            entities_json, context_json = self._texts(resource, context)
        except _TooLargeError as error:
            return failed(str(error))
        if entities_json is None or context_json is None:
            return failed("a name is no Unicode text, so no policy can speak of it")
        # The resource is one of the entities; which one is part of the question.
        key = (action, resource.type, resource.id, entities_json, context_json)
        decision = self._remembered.get(key)
        if decision is None:
            question = Question(self.principal, action, resource, context, entities_json, context_json)
            decision = self._decider.answer(question)
            size = len(entities_json) + len(context_json)
            if self._remembered_size + size > MAX_REMEMBERED:
                self._remembered.clear()
                self._remembered_size = 0
            self._remembered[key] = decision
            self._remembered_size += size
            self._count()
        if shared is not None and not decision.errors:  # errors may name the resource
            if len(self._shared) >= MAX_SHARED:
                self._shared.clear()
            self._shared[shared] = decision
        return decision

    def _count(self) -> None:
        """One more question was put; once they are many, find out which of them are alike."""
        if self._until_many:
            self._until_many -= 1
            if not self._until_many:
                from trex.authorization.classes import classes_of

                self._classes = classes_of(self.policy)

    def _texts(self, resource: Entity, context: Mapping[str, Any]) -> tuple[str | None, str | None]:
        """The question as the engine reads it: all entities that it is about, and the context."""
        principal = self.principal.json
        if context or self.principal.parents or len(resource.parents) > 1:
            return self._long_texts(resource, context)
        # The usual question: a thing in a chain of others, and nothing else.
        documents = [principal]
        size = 0
        entity = resource
        while True:
            document = entity.json
            documents.append(document)
            size += len(document or "")
            if size > MAX_QUESTION:
                raise _TooLargeError
            parents = entity.parents
            if not parents:
                break
            if len(parents) > 1:
                return self._long_texts(resource, context)
            (entity,) = parents
        return _joined(documents), "{" + self._run_field + "}"

    def _long_texts(self, resource: Entity, context: Mapping[str, Any]) -> tuple[str | None, str | None]:
        if "run" in context:
            raise ValueError("the context's field `run` is set by the authorizer alone")
        # By text: what is named twice and is the same is said once; of what differs, the engine hears both and refuses.
        documents: dict[str | None, None] = {}
        visited: set[int] = set()
        waiting = [self.principal, resource, *entities_in(context)]
        while waiting:
            entity = waiting.pop()
            if id(entity) not in visited:
                visited.add(id(entity))
                documents[entity.json] = None
                waiting.extend(entity.parents)
        try:
            fields = _encode({name: plain(value) for name, value in context.items()}).decode()
        except UnicodeEncodeError:
            return None, None
        inner = fields[1:-1]
        if len(inner) + sum(len(each or "") for each in documents) > MAX_QUESTION:
            raise _TooLargeError
        return _joined(documents), "{" + self._run_field + ("," + inner if inner else "") + "}"

    def holds(self, condition: PolicySet, action: Action, resource: Entity, context: Mapping[str, Any]) -> bool:
        """Whether a single condition, made into a policy of its own, holds for this question."""
        entities_json, context_json = self._texts(resource, context)
        assert entities_json is not None, "only decided questions are explained"
        assert context_json is not None, "only decided questions are explained"
        request = _request(self.principal, action, resource, context_json)
        answer = engine().ask(request, condition, engine().entities(entities_json))
        return answer.decision == "Allow" and not answer.diagnostics.errors

    def explain(self, action: Action, resource: Entity, context: Mapping[str, Any] = _EMPTY) -> Explanation:
        """Why the answer is what it is, in words; costs a few decisions more."""
        from trex.authorization.explain import explain

        return explain(self, action, resource, context)


class _TooLargeError(ValueError):
    """The question takes more text than the engine is given."""

    def __str__(self) -> str:
        return f"the question takes more than {MAX_QUESTION} characters"


def _is_text(id: str) -> bool:
    """Whether the engine could be told this name."""
    if id.isascii():
        return True
    try:
        id.encode()
    except UnicodeEncodeError:
        return False
    return True


def _request(principal: Entity, action: Action, resource: Entity, context_json: str) -> dict[str, Any]:
    return {
        "principal": principal.uid,
        "action": {"type": f"{action.namespace}::Action", "id": action.verb},
        "resource": resource.uid,
        "context": context_json,
    }


def _joined(documents: Iterable[str | None]) -> str | None:
    texts = [each for each in documents if each is not None]
    return "[" + ",".join(texts) + "]" if len(texts) == len(list(documents)) else None
