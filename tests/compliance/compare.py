"""What makes two answers of the eval protocol the same, and in which aspects they differ.

Owns:      normalising what may differ by design, and the list of aspects.
Relies on: `notation` for values.
Never:     asks an engine.

By design differ: the digits in names of anonymous functions (a hash); the internal names of iterator types, which are
`range` to a script; how the oracle spells lexical details (`parse_detail`, from which `lex` of the protocol is taken);
and how far a program comes before it has done too many operations, because engines count differently. Everything else
is compared as it stands.
"""

from __future__ import annotations

import re
from typing import Any

from .notation import same

Answer = dict[str, Any]

ANONYMOUS = re.compile(r"anon\$[0-9a-f]{16}")
ITERATOR = re.compile(r"^rhai::packages::iter_basic::\w+(<\w+>)?$")
LEXICAL = re.compile(r"BadInput\((\w+)")

# In the order in which a person wants to hear of them: the first one usually explains the others.
ASPECTS = ("lost", "ok", "value", "kind", "parse", "lex", "chain", "thrown", "printed", "message", "line", "position")


def normalise(answer: Answer) -> Answer:
    """The answer as a flat record of aspects, without what may differ by design."""
    answer = _without_internals(answer)
    if "lost" in answer:
        return {"lost": answer["lost"]}
    record: Answer = {"ok": answer["ok"], "printed": answer.get("printed", [])}
    if answer["ok"]:
        return record | {"value": answer["value"]}
    error = answer["error"]
    record |= {aspect: error.get(aspect) for aspect in ("kind", "chain", "message", "line", "position")}
    record |= {aspect: error[aspect] for aspect in ("parse", "lex", "thrown") if error.get(aspect) is not None}
    if lexical := LEXICAL.match(error.get("parse_detail", "")):
        record["lex"] = lexical[1]
    if record["kind"] == "ErrorTooManyOperations":
        return {"ok": False, "printed": [], "kind": record["kind"]}
    return record


def differences(expected: Answer, found: Answer) -> dict[str, tuple[Any, Any]]:
    """The aspects in which two normalised answers differ, each with both sides."""
    result = {}
    for aspect in ASPECTS:
        left, right = expected.get(aspect), found.get(aspect)
        if aspect in ("value", "thrown") and left is not None and right is not None:
            equal = same(left, right)
        else:
            equal = left == right
        if not equal:
            result[aspect] = (left, right)
    return result


def _without_internals(value: Any) -> Any:
    if isinstance(value, str):
        return ITERATOR.sub("range", ANONYMOUS.sub("anon$", value))
    if isinstance(value, list):
        return [_without_internals(item) for item in value]
    if isinstance(value, dict):
        return {_without_internals(name): _without_internals(item) for name, item in value.items()}
    return value
