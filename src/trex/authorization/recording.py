"""Resources and contexts as the audit log may have them.

Owns:      the rendering of entities into plain data, by what the vocabulary lets be recorded.
Relies on: the vocabulary's `recorded` and `recorded_tags`.
Never:     passes on the value of an attribute or tag that the vocabulary keeps back; names stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trex.authorization.entities import Entity, IpAddress
from trex.authorization.vocabulary import ENTITY_TYPES

WITHHELD = "(not recorded)"


def recorded_resource(entity: Entity) -> dict[str, Any]:
    """Type and id, and the attributes that say more than the id does."""
    kind = ENTITY_TYPES.get(entity.type)
    known = {each.name: each.recorded for each in kind.attributes} if kind is not None else {}
    fields = {
        name: recorded_value(value) if known.get(name) else WITHHELD
        for name, value in entity.attributes.items()
        if value != entity.id
    }
    if entity.tags:
        may = kind is not None and kind.recorded_tags
        fields["tags"] = dict(entity.tags) if may else dict.fromkeys(entity.tags, WITHHELD)
    return {"type": entity.type, "id": entity.id, **fields}


def recorded_value(value: Any) -> Any:
    """A value of a context or an attribute as plain data."""
    if isinstance(value, Entity):
        return recorded_resource(value)
    if isinstance(value, IpAddress):
        return value.text
    if isinstance(value, Mapping):
        return {name: recorded_value(each) for name, each in value.items()}
    if isinstance(value, set | frozenset | list | tuple):
        return [recorded_value(each) for each in value]
    return value


def recorded_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """A decision's context, without the `run` that stands in the log's first record."""
    return {name: recorded_value(value) for name, value in context.items()}
