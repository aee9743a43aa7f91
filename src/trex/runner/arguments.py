"""Script arguments: from tagged JSON, or from `name=text` and `name:=json` pairs, to values.

Owns:      both notations, their ranges, names and the depth rule.
Relies on: the language's list of words that cannot be names.
Never:     lets one value silently replace another: a name that stands twice is an error.

The tagged notation is the reference's: an object of name to tagged value, and a tagged value is an
object with exactly one key, its type. The depth of nesting is bounded by what a frame to the worker
may hold, not by two levels as there.
"""

from __future__ import annotations

import json
import math
from typing import Any

from trex.errors import RequestInvalid
from trex.languages.words import unusable_name
from trex.values import INT_MAX, INT_MIN

# Levels of lists and maps in one argument. The decoder of the worker stops at 128 levels for a whole
# message; no honest argument comes near 32.
MAX_DEPTH = 32

_INTEGER_RANGES = {"integerValue": (-(2**31), 2**31 - 1), "longValue": (INT_MIN, INT_MAX)}
_TAGS = ("stringValue", "integerValue", "longValue", "doubleValue", "booleanValue", "listValue", "mapValue")


class ArgumentsInvalid(RequestInvalid):
    """An argument has a name or a value that cannot be passed to a script."""

    code = "arguments_invalid"


def from_tagged_json(text: str, where: str) -> dict[str, Any]:
    """The arguments that a file in the tagged notation holds."""
    document = _parse(text, where)
    if type(document) is not dict:
        raise ArgumentsInvalid(f"the top level must be an object of name to tagged value, not {_kind(document)}", where)
    arguments = {}
    for name, tagged in document.items():
        _check_name(name, where)
        arguments[name] = _untag(tagged, name, where, 1)
    return arguments


def add_pairs(arguments: dict[str, Any], pairs: tuple[str, ...]) -> None:
    """Add arguments from the command line: `name=text` is a string, `name:=json` any JSON value."""
    for pair in pairs:
        name, value = _split(pair)
        _check_name(name, "")
        if name in arguments:
            raise ArgumentsInvalid(f"argument {name!r} is given twice")
        arguments[name] = value


def _split(pair: str) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    if not equals:
        raise ArgumentsInvalid(f"argument {pair!r} is not of the form name=text or name:=json")
    if not name.endswith(":"):
        _check_text(text, name, "")
        return name, text
    name = name[:-1]
    return name, _from_json(_parse(text, f"argument {name!r}"), name, 1)


def check_names(names: tuple[str, ...]) -> None:
    """Refuse names that no script could use."""
    for name in names:
        _check_name(name, "")


def _check_name(name: str, where: str) -> None:
    problem = unusable_name(name)
    if problem:
        raise ArgumentsInvalid(f"argument {name!r} cannot be used by a script: {problem}", where)


# --- JSON, strictly: no duplicate keys, no NaN, no half characters ---


class _DuplicateKeyError(Exception):
    """A key stood twice in one object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return result


def _no_constant(text: str) -> Any:
    raise ArgumentsInvalid(f"{text} is not JSON")


def _integer(text: str) -> int:
    # 4300 digits is where Python refuses; nothing beyond 20 is in range anyway.
    if len(text) > 20:
        raise ArgumentsInvalid(f"the integer {text[:20]}... is out of range (64 bits)")
    return int(text)


def _parse(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        reason = f"not valid JSON: {error.msg}"
        raise ArgumentsInvalid(reason, where, error.lineno, error.colno) from None
    except _DuplicateKeyError as error:
        raise ArgumentsInvalid(f"the name {error.args[0]!r} stands twice in one object", where) from None
    except RecursionError:
        raise ArgumentsTooDeep("the JSON is nested too deeply", where) from None
    except ArgumentsInvalid as error:
        raise ArgumentsInvalid(error.reason, where) from None


class ArgumentsTooDeep(ArgumentsInvalid):
    """An argument nests lists and maps beyond `MAX_DEPTH`."""

    code = "arguments_too_deep"


# --- values ---


def _untag(tagged: Any, path: str, where: str, depth: int) -> Any:
    """The value of one tagged value; `path` names it in messages."""
    if depth > MAX_DEPTH:
        top = path.partition(".")[0].partition("[")[0]
        raise ArgumentsTooDeep(f"argument {top!r} is nested deeper than {MAX_DEPTH} levels", where)
    if type(tagged) is not dict or len(tagged) != 1:
        found = f"an object of {len(tagged)} keys" if type(tagged) is dict else _kind(tagged)
        raise ArgumentsInvalid(
            f'{path}: expected an object with exactly one key, its type, as in {{"stringValue": "x"}}; found {found}',
            where,
        )
    ((tag, value),) = tagged.items()
    kind = type(value)
    if tag == "stringValue" and kind is str:
        _check_text(value, path, where)
        return value
    if tag in _INTEGER_RANGES and kind is int:
        low, high = _INTEGER_RANGES[tag]
        if not low <= value <= high:
            raise ArgumentsInvalid(f"{path}: {value} is out of the range of {tag} ({low} to {high})", where)
        return value
    if tag == "doubleValue" and kind in (int, float):
        return _finite(float(value), path, where)
    if tag == "booleanValue" and kind is bool:
        return value
    if tag == "listValue" and kind is list:
        return [_untag(item, f"{path}[{index}]", where, depth + 1) for index, item in enumerate(value)]
    if tag == "mapValue" and kind is dict:
        for key in value:
            _check_text(key, path, where)
        return {key: _untag(item, f"{path}.{key}", where, depth + 1) for key, item in value.items()}
    if tag not in _TAGS:
        raise ArgumentsInvalid(f"{path}: unknown type {tag!r}; the types are {', '.join(_TAGS)}", where)
    raise ArgumentsInvalid(f"{path}: {tag} cannot hold {_kind(value)}", where)


def _from_json(value: Any, path: str, depth: int) -> Any:
    """The value of plain JSON, as `name:=json` gives it; `null` is the empty value."""
    if depth > MAX_DEPTH:
        raise ArgumentsTooDeep(f"argument {path!r} is nested deeper than {MAX_DEPTH} levels")
    if type(value) is int and not INT_MIN <= value <= INT_MAX:
        raise ArgumentsInvalid(f"{path}: {value} is out of range (64 bits)")
    if type(value) is float:
        return _finite(value, path, "")
    if type(value) is str:
        _check_text(value, path, "")
    if type(value) is list:
        return [_from_json(item, path, depth + 1) for item in value]
    if type(value) is dict:
        for key in value:
            _check_text(key, path, "")
        return {key: _from_json(item, path, depth + 1) for key, item in value.items()}
    return value


def _finite(value: float, path: str, where: str) -> float:
    if not math.isfinite(value):
        raise ArgumentsInvalid(f"{path}: the number is out of the range of a 64-bit float", where)
    return value


def _check_text(text: str, path: str, where: str) -> None:
    """Refuse half of a surrogate pair (`"\\ud800"`): it is no character, and no UTF-8 can carry it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentsInvalid(f"{path}: the text is not valid Unicode", where) from None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
