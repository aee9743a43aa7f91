"""A policy: loaded, strictly validated, and never run before that.

Owns:      `Policy`: the text, its digest, the engine's handle, and what its parts are called.
Relies on: the engine for parsing and validation; `diagnosis` for words when they fail.
Never:     accepts what does not validate, or a template, which would permit or forbid nothing.

An empty policy is valid and permits nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from trex.authorization import source
from trex.authorization.engine import engine
from trex.errors import PolicyInvalid
from trex.limits import Limits

if TYPE_CHECKING:
    from trex.authorization.engine import PolicySet


class Policy:
    """A validated set of Cedar policies; `Policy.load` makes it.

    digest: SHA-256 of its text, for the audit log and the outcome.
    """

    def __init__(self, text: str, name: str, handle: PolicySet) -> None:
        """Use `load`; this does not validate."""
        self.text, self.name, self.handle = text, name, handle
        self.digest = sha256(text.encode()).hexdigest()

    @classmethod
    def load(cls, text: str | bytes, name: str = "policy", limit: int = Limits().max_policy) -> Policy:
        """Read, parse and validate; raises `PolicyInvalid` with a sentence for each problem.

        limit: the most bytes of UTF-8 that it may have; 0: any number.
        """
        text = _as_text(text, name, limit)
        deep = source.too_deep(text)
        if deep is not None:
            from trex.authorization import diagnosis

            raise diagnosis.invalid(name, [diagnosis.at(text, *deep)])
        try:
            handle = engine().parse(text)
        except ValueError as error:
            from trex.authorization import diagnosis

            raise diagnosis.invalid(name, diagnosis.of_parsing(text, str(error))) from None
        if handle.templates():
            from trex.authorization import diagnosis

            raise diagnosis.invalid(name, diagnosis.of_templates(text, handle.templates()))
        findings = engine().validate(text)
        if findings:
            from trex.authorization import diagnosis

            raise diagnosis.invalid(name, diagnosis.of_validation(text, findings))
        return cls(text, name, handle)

    def __len__(self) -> int:
        return len(self.handle)

    @cached_property
    def statements(self) -> dict[str, source.Statement]:
        """Each policy's place in the text, by the id that the engine gives it: it numbers them as they stand."""
        return {f"policy{n}": each for n, each in enumerate(source.Source(self.text).statements())}

    @cached_property
    def annotations(self) -> dict[str, dict[str, str]]:
        """The annotations of each policy, by the engine's id."""
        if "@" not in self.text:
            return {f"policy{n}": {} for n in range(len(self))}
        # Annotations alone, on policies without a body: those may be nested deeper than we can decode.
        heads = [
            f"{_annotations(self.text, each)} permit (principal, action, resource);"
            for each in self.statements.values()
        ]
        policies = msgspec.json.decode(engine().to_json("".join(heads)))["staticPolicies"]
        return {
            id: {name: str(value or "") for name, value in policies[id].get("annotations", {}).items()}
            for id in self.statements
        }

    @cached_property
    def labels(self) -> dict[str, str]:
        """What each policy is called: its `@id` where it has one, and the engine's id where that is not unique."""
        named = {id: annotations.get("id", "") for id, annotations in self.annotations.items()}
        holders: dict[str, int] = {}
        for name in named.values():
            holders[name] = holders.get(name, 0) + 1
        return {id: f"{name} ({id})" if name and holders[name] > 1 else name or id for id, name in named.items()}

    def line(self, id: str) -> int:
        """The line on which a policy starts."""
        return source.Source(self.text).place(self.statements[id].start)[0]

    def syntax(self, id: str) -> dict[str, Any] | None:
        """The syntax of one policy in the engine's JSON form; None if it is nested too deeply to be decoded."""
        statement = self.statements[id]
        try:
            document = msgspec.json.decode(engine().to_json(self.text[statement.start : statement.end]))
        except RecursionError:
            return None
        (policy,) = document["staticPolicies"].values()
        return dict(policy)

    def label(self, id: str) -> str:
        """What a policy is called."""
        return self.labels.get(id, id)

    def marks(self, label: str, name: str) -> list[str | None]:
        """What the annotation `name` says on each policy that is called so: usually one; None where it has none."""
        return [self.annotations[id].get(name) for id, known in self.labels.items() if known == label]

    def notes(self) -> list[str]:
        """What is valid and still deserves a look, a sentence each with its line."""
        found: list[tuple[int, str]] = []
        for id, label in self.labels.items():
            if label.endswith(f" ({id})"):
                found.append((self.line(id), f"another policy has the same @id as {label}"))
            policy = self.syntax(id)
            if policy is not None and _permits_everything(policy):
                found.append((self.line(id), f"{label} permits everything to everybody"))
        found += self._unmatched_paths()
        if not self.text.isascii():
            for number, text in enumerate(self.text.split("\n"), 1):
                if any(_is_hidden(character) for character in text):
                    found.append((number, "it holds an invisible or direction-changing character"))
        return [f"line {line}: {note}" for line, note in sorted(found)]

    def _unmatched_paths(self) -> Iterator[tuple[int, str]]:
        """Paths in a form that no file or directory is ever known by: a `forbid` of one forbids nothing."""
        text = source.Source(self.text)
        for statement in self.statements.values():
            for type, _, path in zip(statement.tokens, statement.tokens[1:], statement.tokens[2:], strict=False):
                if type.text in ("File", "Dir") and path.kind == "string":
                    name = path.text[1:-1]
                    if not name.startswith("/") or (name != "/" and not set(name.split("/")[1:]).isdisjoint(_UNUSUAL)):
                        note = f"{path.text} never matches: a path is known by its normal form"
                        yield text.place(path.start)[0], note + ", absolute and without `//`, `.`, `..` or a final `/`"


def position(id: str) -> int:
    """The number in an id that the engine gave: policies are numbered as they stand in the text."""
    return int(id.removeprefix("policy"))


_UNUSUAL = {"", ".", ".."}


def _annotations(text: str, statement: source.Statement) -> str:
    """The annotations before a policy's effect, as written."""
    for n, token in enumerate(statement.tokens):
        # A name after `@` is the annotation's own, which may well be `permit`.
        if token.text in ("permit", "forbid") and (n == 0 or statement.tokens[n - 1].text != "@"):
            return text[statement.start : token.start]
    raise AssertionError("a policy that was parsed has an effect")


def _permits_everything(policy: dict[str, Any]) -> bool:
    unrestricted = all(policy[part]["op"] == "All" for part in ("principal", "action", "resource"))
    return policy["effect"] == "permit" and unrestricted and not policy["conditions"]


def _is_hidden(character: str) -> bool:
    return not character.isprintable() and character not in "\t\r" and not character.isspace()


def _as_text(text: str | bytes, name: str, limit: int) -> str:
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if limit and len(content) > limit:
        raise PolicyInvalid((f"the policy has {len(content)} bytes, more than {limit}",), name)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PolicyInvalid((f"line {line}: the policy is not UTF-8 text",), name) from None
    if text.startswith("\ufeff"):
        raise PolicyInvalid(("the policy starts with a byte order mark; save it as UTF-8 without one",), name)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise PolicyInvalid((f"line {line}: the policy holds a NUL character",), name)
    return text
