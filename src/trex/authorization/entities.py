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

    __slots__ = ("attributes", "id", "json", "parents", "tags", "type")

    def __init__(
        self,
        type: str,
        id: str,
        attributes: Mapping[str, Any] = MappingProxyType({}),
        parents: tuple[Entity, ...] = (),
        tags: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.type, self.id, self.parents = type, id, parents
        self.attributes: Mapping[str, Any] = MappingProxyType(dict(attributes))
        self.tags: Mapping[str, str] = MappingProxyType(dict(tags))
        self.json: str | None
        try:
            self.json = self._json()
        except UnicodeEncodeError:  # a name from the host with bytes that are not UTF-8
            self.json = None

    def _json(self) -> str:
        document: dict[str, Any] = {
            "uid": self.uid,
            "attrs": {name: plain(value) for name, value in self.attributes.items()},
            "parents": [parent.uid for parent in self.parents],
        }
        if self.tags:
            document["tags"] = dict(self.tags)
        return _encode(document).decode()

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


_REMEMBERED_LENGTH = 256


def file(path: str) -> Entity:
    """The file of a normal path, inside the chain of its directories."""
    return Entity("file_system::File", path, {"path": path}, (directory(parent_path(path)),))


def directory(path: str) -> Entity:
    """The directory of a normal path, inside the chain up to `/`."""
    if len(path) <= _REMEMBERED_LENGTH:
        return _near_directory(path)
    # From the root down: a hostile path has thousands of parts, more than Python may recurse, or we remember.
    entity = _ROOT
    for end, character in enumerate(path + "/"):
        if character == "/" and end:
            entity = Entity("file_system::Dir", path[:end], {"path": path[:end]}, (entity,))
    return entity


@lru_cache(maxsize=256)
def _near_directory(path: str) -> Entity:
    if path == "/":
        return _ROOT
    return Entity("file_system::Dir", path, {"path": path}, (_near_directory(parent_path(path)),))


def parent_path(path: str) -> str:
    """A normal path without its last part."""
    return path.rpartition("/")[0] or "/"


def plain(value: Any) -> Any:
    """An attribute's value in the engine's JSON."""
    kind = type(value)
    if kind is str or kind is bool or kind is int:
        return value
    if kind is IpAddress:
        return {"__extn": {"fn": "ip", "arg": value.text}}
    if kind is Entity:
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
    if type(value) is Entity:
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


_ROOT = Entity("file_system::Dir", "/", {"path": "/"})
