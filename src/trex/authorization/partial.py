"""Policies evaluated where only a part is known: is this met by everything, by nothing, or does it depend?

Owns:      `Subject`, the evaluation of one policy for one, and the paths that a policy speaks of.
Relies on: the policies' syntax as the engine gives it; strict validation before, so that types fit.
Never:     takes what it does not know for true or false.

Known are the principal, the action, the run, the type of the resource and the directory that it
lies in. The rest of its name and of the context is not, and what depends on it is `UNKNOWN`. An
evaluation may fail (an overflow), which denies; where this is possible `may_fail` is set. Whatever
form of the syntax is not known here is unknown *and* may fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from trex.authorization.vocabulary import ACTIONS, group_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from trex.authorization.entities import Action

    _Test = Callable[[str, str], Any]

FILE, DIR, URL = "file_system::File", "file_system::Dir", "network::url"


class _Unknown:
    """A value that depends on what is not known. Never true, never false."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Any = _Unknown()
_RESOURCE: Any = object()
_CONTEXT: Any = object()


class Subject:
    """What is asked about: the resource of that type at `path`, or any below it.

    below:   any resource *strictly* below `path`; for a URL: any URL, and the path means nothing.
    unnamed: of those, one that no policy names and that lies in no directory that one names.
    """

    __slots__ = ("below", "path", "prefix", "type", "unnamed")

    def __init__(self, type: str, path: str, below: bool, unnamed: bool = False) -> None:
        self.type, self.path, self.below, self.unnamed = type, path, below, unnamed
        self.prefix = path if path.endswith("/") else path + "/"

    def is_in(self, type: str, id: str) -> Any:
        """Whether it is that entity or lies in it."""
        same = self.equals(type, id)
        if same is True or type != DIR or self.type == URL:
            return same
        inside = "/" if id == "/" else id + "/"
        if self.below and (self.path == id or self.path.startswith(inside)):
            return True
        if not self.below and self.path.startswith(inside) and self.path != id:
            return True
        # Something below may lie in a directory further down.
        return UNKNOWN if self.below and not self.unnamed and id.startswith(self.prefix) else False

    def equals(self, type: str, id: str) -> Any:
        """Whether it is that entity."""
        if type != self.type:
            return False
        if self.type == URL:
            return UNKNOWN
        if self.below:
            return UNKNOWN if not self.unnamed and id.startswith(self.prefix) and id != self.prefix else False
        return id == self.path


class Known:
    """What does not depend on the question: who asks (`groups`: and all that contains them), and the run."""

    __slots__ = ("groups", "principal", "run")

    def __init__(self, principal: tuple[str, str], groups: frozenset[tuple[str, str]], run: dict[str, str]) -> None:
        self.principal, self.groups, self.run = principal, groups, run


def names_action(scope: dict[str, Any], wanted: Action) -> Any:
    match scope:
        case {"op": "All"}:
            return True
        case {"op": "==", "entity": entity}:
            return _is_action(entity, wanted)
        case {"op": "in", "entity": entity}:
            return _is_action(entity, wanted, group=True)
        case {"op": "in", "entities": entities}:
            return any(_is_action(each, wanted, group=True) for each in entities)
        case _:
            return UNKNOWN


def _is_action(entity: dict[str, str], wanted: Action, group: bool = False) -> bool:
    known = (wanted, group_of(wanted)) if group else (wanted,)
    return any(entity == {"type": f"{each.namespace}::Action", "id": each.verb} for each in known)


class Case:
    """The evaluation of one policy for one action and subject.

    may_fail: something may be evaluated whose evaluation may fail.
    """

    __slots__ = ("_action", "_known", "_subject", "may_fail")

    def __init__(self, known: Known, action: Action, subject: Subject) -> None:
        self._known, self._action, self._subject = known, action, subject
        self.may_fail = False

    def applies(self, policy: dict[str, Any]) -> Any:
        """Whether scope and conditions are met."""
        result: Any = True
        for met in self._parts(policy):
            if met is False:
                return False
            if met is UNKNOWN:
                result = UNKNOWN
        return result

    def _parts(self, policy: dict[str, Any]) -> Iterator[Any]:
        yield self._scope(policy["principal"], "User", self._is_principal, self._principal_is_in)
        yield names_action(policy["action"], self._action)
        subject = self._subject
        yield self._scope(policy["resource"], subject.type, subject.equals, subject.is_in)
        for condition in policy["conditions"]:
            value = self.value(condition["body"])
            yield value if condition["kind"] == "when" else _negated(value)

    def _scope(self, scope: dict[str, Any], type: str, equals: _Test, is_in: _Test) -> Any:
        match scope:
            case {"op": "All"}:
                return True
            case {"op": "==", "entity": entity}:
                return equals(entity["type"], entity["id"])
            case {"op": "in", "entity": entity}:
                return is_in(entity["type"], entity["id"])
            case {"op": "is", "entity_type": wanted, "in": {"entity": entity}}:
                return is_in(entity["type"], entity["id"]) if wanted == type else False
            case {"op": "is", "entity_type": wanted, **rest} if not rest:
                return wanted == type
            case _:
                self.may_fail = True
                return UNKNOWN

    def _is_principal(self, type: str, id: str) -> bool:
        return (type, id) == self._known.principal

    def _principal_is_in(self, type: str, id: str) -> bool:
        return (type, id) in self._known.groups

    def value(self, expression: dict[str, Any]) -> Any:
        """The value of an expression, or `UNKNOWN`; a resource or context is itself."""
        ((form, body),) = expression.items()
        method = _FORMS.get(form)
        if method is None:
            self.may_fail = True
            return UNKNOWN
        return method(self, body)

    # --- one method for each form of the syntax ---

    def literal(self, body: Any) -> Any:
        if isinstance(body, dict):
            entity = body.get("__entity")
            return (entity["type"], entity["id"]) if entity is not None else UNKNOWN
        return [self.literal(each) for each in body] if isinstance(body, list) else body

    def variable(self, body: str) -> Any:
        if body == "principal":
            return self._known.principal
        if body == "action":
            return f"{self._action.namespace}::Action", self._action.verb
        return _RESOURCE if body == "resource" else _CONTEXT

    def conjunction(self, body: dict[str, Any]) -> Any:
        left = self.value(body["left"])
        if left is False:
            return False
        right = self.value(body["right"])
        if right is False:
            return False
        return True if left is True and right is True else UNKNOWN

    def disjunction(self, body: dict[str, Any]) -> Any:
        left = self.value(body["left"])
        if left is True:
            return True
        right = self.value(body["right"])
        if right is True:
            return True
        return False if left is False and right is False else UNKNOWN

    def negation(self, body: dict[str, Any]) -> Any:
        return _negated(self.value(body["arg"]))

    def choice(self, body: dict[str, Any]) -> Any:
        condition = self.value(body["if"])
        if condition is True:
            return self.value(body["then"])
        if condition is False:
            return self.value(body["else"])
        then, otherwise = self.value(body["then"]), self.value(body["else"])
        return then if type(then) is bool and then is otherwise else UNKNOWN

    def equality(self, body: dict[str, Any]) -> Any:
        left, right = self.value(body["left"]), self.value(body["right"])
        return self._equal(left, right)

    def inequality(self, body: dict[str, Any]) -> Any:
        return _negated(self.equality(body))

    def _equal(self, left: Any, right: Any) -> Any:
        for one, other in ((left, right), (right, left)):
            if one is _RESOURCE:
                return self._subject.equals(*other) if type(other) is tuple else UNKNOWN
            if type(one) is _Path:
                return one.equals(other) if type(other) is str else UNKNOWN
        if type(left) in _COMPARABLE and type(right) in _COMPARABLE:
            return type(left) is type(right) and left == right
        return UNKNOWN

    def membership(self, body: dict[str, Any]) -> Any:
        left, right = self.value(body["left"]), self.value(body["right"])
        groups = right if type(right) is list else [right]
        answers = [self._in(left, each) for each in groups]
        if any(each is True for each in answers):
            return True
        return False if all(each is False for each in answers) else UNKNOWN

    def _in(self, left: Any, group: Any) -> Any:
        if type(group) is not tuple:
            return UNKNOWN
        if left is _RESOURCE:
            return self._subject.is_in(*group)
        if left == self._known.principal:
            return group in self._known.groups
        if left == (f"{self._action.namespace}::Action", self._action.verb):
            return _is_action({"type": group[0], "id": group[1]}, self._action, group=True)
        return UNKNOWN

    def kind(self, body: dict[str, Any]) -> Any:
        left = self.value(body["left"])
        if left is _RESOURCE:
            is_kind = body["entity_type"] == self._subject.type
        elif type(left) is tuple:
            is_kind = body["entity_type"] == left[0]
        else:
            return UNKNOWN
        if not is_kind or body.get("in") is None:
            return is_kind
        return self._in(left, self.value(body["in"]))

    def attribute(self, body: dict[str, Any]) -> Any:
        left, name = self.value(body["left"]), body["attr"]
        if left is _RESOURCE:
            if name == "path" and self._subject.type in (FILE, DIR):
                return _Path(self._subject) if self._subject.below else self._subject.path
            return UNKNOWN
        if left is _CONTEXT:
            return self._known.run if name == "run" else UNKNOWN
        if type(left) is dict and name in left:
            return left[name]
        return UNKNOWN

    def presence(self, body: dict[str, Any]) -> Any:
        left, name = self.value(body["left"]), body["attr"]
        if left is _RESOURCE:
            return name == "path" if self._subject.type in (FILE, DIR) else name == "url" or UNKNOWN
        if left is _CONTEXT:
            if name == "run":
                return True
            declared = next((each for each in ACTIONS[self._action].context if each.name == name), None)
            return False if declared is None else UNKNOWN if declared.optional else True
        if type(left) is dict:
            return name in left
        return False if left == self._known.principal else UNKNOWN

    def pattern(self, body: dict[str, Any]) -> Any:
        left, pattern = self.value(body["left"]), _pattern(body["pattern"])
        if type(left) is str:
            return len(pattern) in _positions(pattern, left)
        return left.matches(pattern) if type(left) is _Path else UNKNOWN

    def collection(self, body: list[Any]) -> Any:
        return [self.value(each) for each in body]

    def record(self, body: dict[str, Any]) -> Any:
        for each in body.values():
            self.value(each)
        return UNKNOWN

    def order(self, body: dict[str, Any]) -> Any:
        """Comparisons of numbers: never about names, so not worth knowing."""
        self.value(body["left"]), self.value(body["right"])
        return UNKNOWN

    def two_sets(self, body: dict[str, Any]) -> Any:
        self.value(body["left"]), self.value(body["right"])
        return UNKNOWN

    def contains(self, body: dict[str, Any]) -> Any:
        left, right = self.value(body["left"]), self.value(body["right"])
        if type(left) is not list:
            return UNKNOWN
        answers = [self._equal(each, right) for each in left]
        if any(each is True for each in answers):
            return True
        return False if all(each is False for each in answers) else UNKNOWN

    def one_argument(self, body: dict[str, Any]) -> Any:
        self.value(body["arg"])
        return UNKNOWN

    def method(self, body: list[Any]) -> Any:
        """A method of addresses, which never fails."""
        for each in body:
            self.value(each)
        return UNKNOWN

    def constructor(self, body: list[Any]) -> Any:
        """An address or decimal number made from text: from a literal it was validated, else it may fail."""
        if not all(set(each) == {"Value"} for each in body):
            self.may_fail = True
        return UNKNOWN


_COMPARABLE = (bool, int, str, tuple)
_FORMS: dict[str, Any] = {
    "Value": Case.literal, "Var": Case.variable, "&&": Case.conjunction, "||": Case.disjunction,
    "!": Case.negation, "if-then-else": Case.choice, "==": Case.equality, "!=": Case.inequality,
    "in": Case.membership, "is": Case.kind, ".": Case.attribute, "has": Case.presence, "like": Case.pattern,
    "Set": Case.collection, "Record": Case.record, "<": Case.order, "<=": Case.order, ">": Case.order,
    ">=": Case.order, "contains": Case.contains, "containsAll": Case.two_sets, "containsAny": Case.two_sets,
    "hasTag": Case.two_sets, "getTag": Case.two_sets, "isEmpty": Case.one_argument, "ip": Case.constructor,
    "decimal": Case.constructor, "isIpv4": Case.method, "isIpv6": Case.method, "isLoopback": Case.method,
    "isMulticast": Case.method, "isInRange": Case.method,
}  # fmt: skip


def _negated(value: Any) -> Any:
    return (not value) if type(value) is bool else UNKNOWN


# --- texts of which only the beginning is known ---


class _Path:
    """The path of any resource below a directory."""

    __slots__ = ("_prefix",)

    def __init__(self, subject: Subject) -> None:
        self._prefix = subject.prefix

    def equals(self, text: str) -> Any:
        return UNKNOWN if text.startswith(self._prefix) and text != self._prefix else False

    def matches(self, pattern: Sequence[str | None]) -> Any:
        """What ends in `*` and fits the beginning fits whatever follows; what cannot get so far fits nothing."""
        reached = _positions(pattern, self._prefix)
        if not reached:
            return False
        return True if pattern and pattern[-1] is None and len(pattern) in reached else UNKNOWN


def _pattern(parts: list[Any]) -> list[str | None]:
    """A pattern as characters, None for `*`."""
    pattern: list[str | None] = []
    for part in parts:
        if part == "Wildcard":
            pattern.append(None)
        else:
            pattern.extend(part["Literal"])
    return pattern


def _positions(pattern: Sequence[str | None], text: str) -> set[int]:
    """How far into the pattern one can be after all of the text."""

    def spread(positions: set[int]) -> set[int]:
        for position in sorted(positions):
            while position < len(pattern) and pattern[position] is None:
                position += 1
                positions.add(position)
        return positions

    reached = spread({0})
    for character in text:
        following = set()
        for position in reached:
            if position < len(pattern):
                if pattern[position] is None:
                    following.add(position)
                elif pattern[position] == character:
                    following.add(position + 1)
        reached = spread(following)
        if not reached:
            break
    return reached


def paths(syntax: Any) -> Iterator[str]:
    """The absolute paths in a policy's syntax; not those of its annotations."""
    waiting = [syntax[part] for part in ("resource", "conditions")]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("type") in (FILE, DIR) and isinstance(part.get("id"), str):
                yield part["id"]
                continue
            if isinstance(part.get("Value"), str) and part["Value"].startswith("/"):
                yield part["Value"]
            if isinstance(part.get("pattern"), list):
                yield from _beginning(_pattern(part["pattern"]))
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _beginning(pattern: Sequence[str | None]) -> Iterator[str]:
    """The directory that every match of a pattern lies in."""
    fixed = "".join(each for each in pattern[: pattern.index(None) if None in pattern else None] if each is not None)
    if fixed.startswith("/"):
        yield fixed if None not in pattern else fixed.rpartition("/")[0] or "/"
