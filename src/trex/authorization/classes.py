"""Questions that a policy cannot tell apart: put to the engine once, and answered for all of them.

Owns:      what a policy can observe of a file or directory, read from its syntax, and the key that
           questions which look alike to it have in common.
Relies on: the engine's JSON form of policies; paths being the only thing that files and directories
           are known by: their ancestors and their one attribute follow from it.
Never:     decides. Every answer is the engine's own, to a question that differs from the present one
           in nothing that any policy looks at.

A walk asks about a hundred thousand paths. Most policies look at a path in few ways: is it in this
directory, is it that file, does it match this pattern. The *key* of a path holds the answers to
exactly these, so that two paths with the same key are the same to the policy. What is known to be
looked at is listed in `_Reader`; a policy that does anything else with `resource`, or names an
entity in any other place, has no key, and each of its questions is put to the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.authorization.entities import PathEntity
    from trex.authorization.policy import Policy

_FILE, _DIRECTORY = "file_system::File", "file_system::Dir"
_REMEMBERED = 8192  # directories; a walk comes back to the one above only

Key = tuple[object, ...]
Pattern = tuple[str, ...]


class Classes:
    """The ways in which one policy looks at paths."""

    def __init__(self, literals: set[tuple[str, str]], texts: set[str], patterns: set[Pattern]) -> None:
        self._own = {type_: {id for kind, id in literals if kind == type_} for type_ in (_FILE, _DIRECTORY)}
        self._bits = {path: 1 << number for number, path in enumerate(sorted(self._own[_DIRECTORY]))}
        self._texts, self._patterns = frozenset(texts), tuple(sorted(patterns))
        self._above: dict[str, int] = {}

    def key(self, resource: PathEntity) -> Key:
        """What the policy can observe of a file or directory."""
        path, kind = resource.id, resource.type
        parent = path.rpartition("/")[0] or "/"
        above = self._above.get(parent)
        if above is None:
            above = self._in(parent)
        # The root has no parent, and is its own place in `_in`; no other path ends in a slash.
        own = path if path in self._own[kind] else None
        text = path if path in self._texts else None
        if not self._patterns:
            return (kind, path == "/", above, own, text)
        return (kind, path == "/", above, own, text, *[matches(path, pattern) for pattern in self._patterns])

    def _in(self, directory: str) -> int:
        """Which of the named directories a directory is, or lies in."""
        if len(self._above) >= _REMEMBERED:
            self._above.clear()
        # From the nearest one that is known: paths have thousands of parts, more than may recurse.
        missing = []
        found: int | None = 0
        while True:
            found = self._above.get(directory)
            if found is not None:
                break
            missing.append(directory)
            if directory == "/":
                found = 0
                break
            directory = directory.rpartition("/")[0] or "/"
        for each in reversed(missing):
            found |= self._bits.get(each, 0)
            self._above[each] = found
        return found


def matches(text: str, pattern: Pattern) -> bool:
    """Cedar's `like`: the pieces in this order, with anything between them, the first and last at the ends."""
    if len(pattern) == 1:
        return text == pattern[0]
    first, *middle, last = pattern
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:  # the first place is as good as any later one
        position = text.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True


def classes_of(policy: Policy) -> Classes | None:
    """The classes of a policy; None if it looks at resources in a way that is not known here."""
    reader = _Reader()
    for id in policy.statements:
        syntax = policy.syntax(id)
        if syntax is None or not reader.reads(syntax):
            return None
    return Classes(reader.literals, reader.texts, reader.patterns)


_BINARY = frozenset(
    {"==", "!=", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*", "in", "contains", "containsAll", "containsAny"}
)
_RESOURCE = {"Var": "resource"}
_PATH = {".": {"left": _RESOURCE, "attr": "path"}}


class _Reader:
    """Collects what policies look at; `reads` says whether that is all they do."""

    def __init__(self) -> None:
        self.literals: set[tuple[str, str]] = set()
        self.texts: set[str] = set()
        self.patterns: set[Pattern] = set()

    def reads(self, policy: dict[str, Any]) -> bool:
        """Take in one policy."""
        scope = policy["resource"]
        for entity in (scope.get("entity"), scope.get("in", {}).get("entity")):
            if entity is not None:
                self.literals.add((entity["type"], entity["id"]))
        return set(scope) <= {"op", "entity", "entity_type", "in"} and all(
            self._known(condition["body"]) for condition in policy["conditions"]
        )

    def _known(self, expression: dict[str, Any]) -> bool:
        """Whether nothing of an expression looks at the resource in an unknown way."""
        waiting = [expression]
        while waiting:
            each = waiting.pop()
            if len(each) != 1:
                return False
            ((operator, operands),) = each.items()
            if self._looks(operator, operands):
                continue
            parts = self._parts(operator, operands)
            if parts is None:
                return False
            waiting.extend(parts)
        return True

    def _looks(self, operator: str, operands: Any) -> bool:
        """Whether this is one of the known ways to look at a resource, or a test of who asks or how."""
        if operator in ("==", "!=", "in"):
            return self._compares(operator, operands["left"], operands["right"])
        if operator == "is" and operands["left"].get("Var") is not None:
            within = operands.get("in")
            return within is None or self._named(operands["left"], within)
        if operator == "has" and operands["left"] == _RESOURCE:
            return True  # which attributes there are follows from the type
        if operator == "like" and operands["left"] == _PATH:
            self.patterns.add(_pattern(operands["pattern"]))
            return True
        if operator == "contains" and operands["right"] == _PATH:
            texts = _texts(operands["left"])
            self.texts.update(texts or ())
            return texts is not None
        return False

    def _compares(self, operator: str, left: dict[str, Any], right: dict[str, Any]) -> bool:
        if left.get("Var") is not None and self._named(left, right):
            return True
        if operator == "in":
            return False
        for one, other in ((left, right), (right, left)):
            text = other.get("Value")
            if one == _PATH and type(text) is str:
                self.texts.add(text)
                return True
        return right.get("Var") is not None and self._named(right, left)

    def _named(self, variable: dict[str, Any], expression: dict[str, Any]) -> bool:
        """Whether a variable is compared with entities that are named; those of resources are noted."""
        entities = _entities(expression)
        if entities is None:
            return False
        if variable == _RESOURCE:
            self.literals.update(entities)
        return True

    def _parts(self, operator: str, operands: Any) -> Iterator[dict[str, Any]] | list[dict[str, Any]] | None:
        """The expressions inside one that does not look at the resource itself; None: not known."""
        if operator == "Value":
            return None if type(operands) is dict else []
        if operator == "Var":
            return None if operands == "resource" else []
        if operator in _BINARY:
            return [operands["left"], operands["right"]]
        if operator in ("!", "neg", "isEmpty"):
            return [operands["arg"]]
        if operator in (".", "has", "like"):
            return [operands["left"]]
        if operator == "if-then-else":
            return [operands["if"], operands["then"], operands["else"]]
        if operator == "Set":
            return list(operands)
        return None


def _entities(expression: dict[str, Any]) -> list[tuple[str, str]] | None:
    """The entities that an expression names, alone or as a set; None if it is anything else."""
    listed = expression.get("Set", [expression])
    found = []
    for each in listed:
        value = each.get("Value")
        entity = value.get("__entity") if type(value) is dict else None
        if entity is None:
            return None
        found.append((entity["type"], entity["id"]))
    return found


def _texts(expression: dict[str, Any]) -> list[str] | None:
    """The texts of a set of texts; None if it is anything else."""
    texts = [each.get("Value") for each in expression.get("Set", [None]) if each is not None]
    return [each for each in texts if type(each) is str] if texts and all(type(each) is str for each in texts) else None


def _pattern(pieces: list[Any]) -> Pattern:
    """The texts between the wildcards of a pattern."""
    texts = [""]
    for piece in pieces:
        if piece == "Wildcard":
            texts.append("")
        else:
            texts[-1] += piece["Literal"]
    return tuple(texts)
