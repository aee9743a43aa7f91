"""The vocabulary: complete, and the words of Rex in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trex.authorization import vocabulary
from trex.authorization.entities import Action
from trex.authorization.vocabulary import ACTIONS, ENTITY_TYPES, NAMESPACES, Attribute


def attributes(fields: tuple[Attribute, ...]) -> Iterator[Attribute]:
    for field in fields:
        yield field
        if not isinstance(field.type, str):
            yield from attributes(field.type)


def test_every_word_has_a_line_of_doc():
    for namespace in NAMESPACES:
        assert namespace.doc
        assert all(entity.doc and "\n" not in entity.doc for entity in namespace.entities)
        assert all(verb.doc and "\n" not in verb.doc for verb in namespace.verbs)
    for kind in ENTITY_TYPES.values():
        assert all(each.doc for each in attributes(kind.attributes))
    for verb in ACTIONS.values():
        assert all(each.doc for each in attributes(verb.context))


def test_every_action_applies_to_declared_entity_types():
    for action, verb in ACTIONS.items():
        assert {f"{action.namespace}::{each}" for each in verb.resources} <= set(ENTITY_TYPES)


def test_what_is_added_to_entities_of_rex_may_be_missing_unless_rex_promised_it():
    of_rex = [kind for kind in ENTITY_TYPES.values() if not kind.added]
    added = [each for kind in of_rex for each in kind.attributes if each.added]
    assert {each.name for each in added if not each.optional} == {"pid"}


def test_what_is_added_has_names_that_rex_uses_nowhere():
    """`resource has path` tells files from URLs in policies for Rex; it must go on doing so."""
    entities = [each for kind in ENTITY_TYPES.values() for each in attributes(kind.attributes)]
    contexts = [each for verb in ACTIONS.values() for each in attributes(verb.context)]
    added = {each.name for each in entities + contexts if each.added} | {vocabulary.RUN.name}
    assert added.isdisjoint(each.name for each in entities + contexts if not each.added)


def test_what_belongs_to_an_added_entity_is_added_too():
    for kind in ENTITY_TYPES.values():
        assert not kind.added or all(each.added for each in kind.attributes)


def test_a_declared_action_is_found():
    assert vocabulary.action("file_system", "open") == Action("file_system", "open")


def test_an_undeclared_action_is_an_error_where_it_is_asked():
    with pytest.raises(LookupError, match="opne"):
        vocabulary.action("file_system", "opne")


def test_every_action_has_the_group_of_its_namespace():
    assert vocabulary.group_of(Action("network", "GET")) == Action("network", "NetworkAction")
