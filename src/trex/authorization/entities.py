"""What decisions are about, and its form for the engine: actions, entities, values.

Owns:  `Action`, `Entity`, `IpAddress`; references (for people) and JSON (for the engine).
Never: opens a file, normalises a name, or asks for a decision.

An entity's JSON is made once, when the entity is, and is all that the engine and the cache of
decisions ever see: what is judged and what is remembered cannot differ. Ids are data everywhere:
they reach the engine as `{"type", "id"}`, never pasted into Cedar text, so no quote, backslash or
line break in a name can make it another name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

_encode = msgspec.json.Encoder().encode


class Action(Struct, frozen=True):
    """One action of the vocabulary, such as `file_system::Action::"open"`."""

    namespace: str
    verb: str

    def __str__(self) -> str:
        return f'{self.namespace}::Action::"{self.verb}"'


class IpAddress(Struct, frozen=True):
    """An address or range, in the engine's own type: `IpAddress("10.0.0.1")`."""

    text: str


class Entity:
    """A thing with a type, an id, attributes, and the things that contain it. Not changed once made.

    attributes: `bool`, `int`, `str`, `IpAddress`, `Entity`, sets and lists of these, and records (`dict`).
    parents:    the entities that directly contain it, with their own parents.
    json:       its form for the engine, without its parents' own; None where the id or an attribute
                is no Unicode text, so that no policy can speak of it (every question is a denial).
    """

    __slots__ = ("_attributes", "_json", "_parents", "_tags", "id", "type")

    def __init__(
        self,
        type: str,
        id: str,
        attributes: Mapping[str, Any] = MappingProxyType({}),
        parents: tuple[Entity, ...] = (),
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.type, self.id, self._parents = type, id, parents
        self._attributes: Mapping[str, Any] = MappingProxyType(dict(attributes))
        self._tags: Mapping[str, str] = MappingProxyType(dict(tags))
        self._json = _json_of(self)

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self._attributes

    @property
    def parents(self) -> tuple[Entity, ...]:
        return self._parents

    @property
    def tags(self) -> Mapping[str, str]:
        return self._tags

    @property
    def json(self) -> str | None:
        return self._json

    @property
    def uid(self) -> dict[str, str]:
        """Type and id, as the engine wants them."""
        return {"type": self.type, "id": self.id}

    def __str__(self) -> str:
        return f'{self.type}::"{escaped(self.id)}"'

    def __repr__(self) -> str:
        return f"Entity({self})"

    def family(self) -> Iterator[Entity]:
        """The entity itself, then everything that contains it, each once."""
        seen: set[tuple[str, str]] = set()
        waiting = [self]
        while waiting:
            entity = waiting.pop()
            if (entity.type, entity.id) not in seen:
                seen.add((entity.type, entity.id))
                yield entity
                waiting.extend(entity.parents)


class PathEntity(Entity):
    """A file or directory, of which everything follows from its path; it is made when it is asked for.

    A walk makes one for each entry, and mostly only its path is looked at.
    """

    __slots__ = ()

    def __init__(self, type: str, path: str) -> None:
        self.type, self.id = type, path

    @property
    def attributes(self) -> Mapping[str, Any]:
        return MappingProxyType({"path": self.id})

    @property
    def parents(self) -> tuple[Entity, ...]:
        if self.id == "/" and self.type == _DIRECTORY:
            return ()
        return (directory(parent_path(self.id)),)

    @property
    def tags(self) -> Mapping[str, str]:
        return _NO_TAGS

    @property
    def json(self) -> str | None:
        try:
            return self._json
        except AttributeError:
            made = self._json = _json_of(self)
            return made


_FILE, _DIRECTORY = "file_system::File", "file_system::Dir"
_NO_TAGS: Mapping[str, str] = MappingProxyType({})
_REMEMBERED_LENGTH = 256


def file(path: str) -> PathEntity:
    """The file of a normal path, inside the chain of its directories."""
    return PathEntity(_FILE, path)


def directory(path: str) -> PathEntity:
    """The directory of a normal path, inside the chain up to `/`."""
    return _near_directory(path) if len(path) <= _REMEMBERED_LENGTH else PathEntity(_DIRECTORY, path)


@lru_cache(maxsize=256)
def _near_directory(path: str) -> PathEntity:
    return PathEntity(_DIRECTORY, path)


def parent_path(path: str) -> str:
    """A normal path without its last part."""
    return path.rpartition("/")[0] or "/"


def _json_of(entity: Entity) -> str | None:
    document: dict[str, Any] = {
        "uid": entity.uid,
        "attrs": {name: plain(value) for name, value in entity.attributes.items()},
        "parents": [parent.uid for parent in entity.parents],
    }
    if entity.tags:
        document["tags"] = dict(entity.tags)
    try:
        return _encode(document).decode()
    except UnicodeEncodeError:  # a name from the host with bytes that are not UTF-8
        return None


def plain(value: Any) -> Any:
    """An attribute's value in the engine's JSON."""
    kind = type(value)
    if kind is str or kind is bool or kind is int:
        return value
    if kind is IpAddress:
        return {"__extn": {"fn": "ip", "arg": value.text}}
    if isinstance(value, Entity):
        return {"__entity": value.uid}
    if isinstance(value, Mapping):
        # The engine reads records with such keys as something else than a record.
        if any(key.startswith("__") for key in value):
            raise ValueError("a field name must not start with two underscores")
        return {key: plain(each) for key, each in value.items()}
    if kind in (set, frozenset, list, tuple):
        items = [plain(each) for each in value]
        return sorted(items) if all(type(each) is str for each in items) else items
    raise TypeError(f"no Cedar value: {kind.__name__}")


def entities_in(value: Any) -> Iterator[Entity]:
    """The entities that a value refers to, at any depth."""
    if isinstance(value, Entity):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from entities_in(each)
    elif isinstance(value, set | frozenset | list | tuple):
        for each in value:
            yield from entities_in(each)


_ESCAPES = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", 0: "\\0"}


def escaped(text: str) -> str:
    """`text` as the inside of a Cedar string: nothing in it can end the string or steer a terminal."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(
        _ESCAPES.get(ord(each)) or (each if each.isprintable() else f"\\u{{{ord(each):x}}}") for each in text
    )
