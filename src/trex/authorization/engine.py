"""The official Cedar engine: the only module that loads it, and all that is asked of it.

Owns:      loading the engine, parsing and validating policies, one decision, and the reading of the
           engine's answers into values.
Relies on: `cedarpy`, whose extension module does all of this; texts and JSON made by its callers.
Never:     interprets an answer: what counts as a denial is the authorizer's business.

Two properties of the engine are ours to mind. It overflows its stack, and with it the process, on
deeply nested text: `source.check_depth` runs before anything is parsed here. And it answers
"allow" when a `forbid` could not be evaluated, with the failure beside it: `Answer.errors`.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from trex.authorization.schema import schema_text

if TYPE_CHECKING:
    from cedarpy._internal import Entities as Entities
    from cedarpy._internal import PolicySet as PolicySet  # what the engine hands out


class Diagnostics(Struct, frozen=True):
    """Beside a decision: ids of the policies that decided, and what could not be evaluated."""

    reason: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """What the engine says to one question; `NoDecision` where the question does not fit the schema."""

    decision: Literal["Allow", "Deny", "NoDecision"]
    diagnostics: Diagnostics


class Finding(Struct, frozen=True):
    """One thing that validation found; `policy_id` is empty where the text does not parse."""

    policy_id: str
    error: str


class _Findings(Struct, frozen=True):
    validation_passed: bool
    errors: tuple[Finding, ...]


_answers = msgspec.json.Decoder(Answer)
_findings = msgspec.json.Decoder(_Findings)
_EXTENSION = "cedarpy._internal"


class Engine:
    """The engine with our schema; made once per process by `engine()`."""

    def __init__(self) -> None:
        self._cedar = _load()
        self._schema = self._cedar.Schema.from_str(schema_text())

    def parse(self, text: str) -> PolicySet:
        """The policies of a text; raises `ValueError` with the engine's words."""
        policies: PolicySet = self._cedar.PolicySet.from_str(text)
        return policies

    def parse_json(self, document: str) -> PolicySet:
        """The policies of a document in the engine's JSON form."""
        policies: PolicySet = self._cedar.PolicySet.from_json_str(document)
        return policies

    def validate(self, text: str) -> tuple[Finding, ...]:
        """What strict validation against the schema objects to; nothing, if it does not."""
        found = _findings.decode(self._cedar.validate_policies(text, self._schema))
        if not found.validation_passed and not found.errors:
            return (Finding("", "validation failed without a reason"),)
        return found.errors

    def to_json(self, text: str) -> str:
        """The policies of a text in the engine's JSON form."""
        return str(self._cedar.policies_to_json_str(text))

    def to_text(self, document: str) -> str:
        """The Cedar text of policies in JSON form."""
        return str(self._cedar.policies_from_json_str(document))

    def entities(self, document: str) -> Entities:
        """A checked entity store from JSON, with all actions and their groups; `ValueError` if it does not conform."""
        store: Entities = self._cedar.Entities.from_json_str(document, self._schema)
        return store

    def ask(self, request: dict[str, Any], policies: PolicySet, entities: Entities) -> Answer:
        """One decision. The request is checked against the schema."""
        (answer,) = self._cedar.is_authorized_batch([request], policies, entities, self._schema)
        return _answers.decode(answer)


_engine: Engine | None = None


def engine() -> Engine:
    """The process's engine, loaded when first asked for."""
    global _engine
    if _engine is None:
        _engine = Engine()
    return _engine


def _load() -> Any:
    """The engine's extension module, without the Python package around it.

    The package builds classes for a syntax tree that a run never uses; they cost nine tenths of its
    import time. The module loaded here is the same one that `import cedarpy` would find.
    """
    if _EXTENSION in sys.modules:
        return sys.modules[_EXTENSION]
    package = PathFinder.find_spec("cedarpy")
    places = package.submodule_search_locations if package is not None else None
    found = PathFinder.find_spec(_EXTENSION, [os.fspath(place) for place in places]) if places else None
    if found is None or found.loader is None:
        raise ModuleNotFoundError("the Cedar engine (cedarpy) is not installed", name="cedarpy")
    module = module_from_spec(found)
    found.loader.exec_module(module)
    sys.modules[_EXTENSION] = module
    return module
