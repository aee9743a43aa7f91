"""Values as people write them in the programs' expectations, and as the eval protocol types them.

Owns:      the notation below, in both directions: `parse` and `show`.
Relies on: nothing; typed values are the dictionaries of the eval protocol (`{"t": "int", "v": 5}`).
Never:     evaluates anything. An expectation is data, not a program.

    5  -5                 int                     ()               unit
    5.0  1e3  inf  NaN    float                   true  false      bool
    'c'                   char                    "text"           string
    [1, "a"]              array                   #{a: 1, "b c": 2}  map
    blob[0, 255]          blob                    1..5  1..=5      range, range=
    Fn(name)              function pointer        <type>           anything else, by its type name

In strings and chars a backslash escapes: `\\n \\r \\t \\0 \\\\ \\" \\'` and `\\u{hex}`.
"""

from __future__ import annotations

import math
import re
from typing import Any

Typed = dict[str, Any]

TOKEN = re.compile(
    r"""\s*(?:
      (?P<float>[+-]?(?:inf\b|NaN\b|\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+))
    | (?P<int>[+-]?\d+)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<char>'(?:[^'\\]|\\(?:u\{[0-9a-f]+\}|.))')
    | (?P<fn>Fn\([^()]*\))
    | (?P<other><[^<>]*>)
    | (?P<unit>\(\))
    | (?P<open>blob\[|\#\{|\[)
    | (?P<mark>\.\.=|\.\.|[\],}:])
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
    )""",
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))", re.DOTALL)
ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "'": "'"}


class NotationError(ValueError):
    """The text is no value of the notation."""


def parse(text: str) -> Typed:
    """The typed value that the text denotes."""
    value, end = _value(text, 0)
    if text[end:].strip():
        raise NotationError(f"unexpected {text[end:]!r} after the value in {text!r}")
    return value


def show(value: Typed) -> str:
    """The text that denotes the typed value."""
    kind, content = value["t"], value.get("v")
    match kind:
        case "unit":
            return "()"
        case "bool":
            return "true" if content else "false"
        case "int":
            return str(content)
        case "float":
            return content if isinstance(content, str) else repr(float(content))
        case "char":
            return f"'{_escape(content, chr(39))}'"
        case "string":
            return f'"{_escape(content, chr(34))}"'
        case "array":
            return f"[{', '.join(map(show, content))}]"
        case "map":
            return "#{" + ", ".join(f"{_key(name)}: {show(item)}" for name, item in content.items()) + "}"
        case "blob":
            return f"blob[{', '.join(map(str, content))}]"
        case "range":
            return f"{content[0]}..{content[1]}"
        case "range_inclusive":
            return f"{content[0]}..={content[1]}"
        case "fnptr":
            return f"Fn({content})"
        case _:
            return f"<{value['type']}>"


def same(left: Typed, right: Typed) -> bool:
    """Whether two typed values are the same: types strict, NaN the same as NaN, 0.0 not the same as -0.0."""
    if left["t"] != right["t"]:
        return False
    a, b = left.get("v"), right.get("v")
    match left["t"]:
        case "array":
            return len(a) == len(b) and all(map(same, a, b))
        case "map":
            return list(a) == list(b) and all(same(a[name], b[name]) for name in a)
        case "float":
            x, y = float(a), float(b)
            return (x == y and math.copysign(1, x) == math.copysign(1, y)) or (x != x and y != y)
        case "other":
            return left["type"] == right["type"]
        case "unit":
            return True
        case _:
            return type(a) is type(b) and a == b


def _value(text: str, at: int) -> tuple[Typed, int]:
    kind, token, at = _next(text, at)
    match kind:
        case "int":
            following = _peek(text, at)
            if following in ("..", "..="):
                at = _next(text, at)[2]
                end_kind, end, at = _next(text, at)
                if end_kind != "int":
                    raise NotationError(f"a range ends in an integer, not {end!r}")
                return {"t": "range" if following == ".." else "range_inclusive", "v": [int(token), int(end)]}, at
            return {"t": "int", "v": int(token)}, at
        case "float":
            number = float(token)
            return {"t": "float", "v": number if math.isfinite(number) else token.lstrip("+").replace("nan", "NaN")}, at
        case "string" | "char":
            return {"t": kind, "v": _unescape(token[1:-1])}, at
        case "unit":
            return {"t": "unit"}, at
        case "fn":
            return {"t": "fnptr", "v": token[3:-1]}, at
        case "other":
            return {"t": "other", "type": token[1:-1], "v": ""}, at
        case "word" if token in ("true", "false"):
            return {"t": "bool", "v": token == "true"}, at
        case "open" if token == "#{":
            return _map(text, at)
        case "open":
            items, at = _items(text, at)
            if token == "blob[":
                return {"t": "blob", "v": [item["v"] for item in items]}, at
            return {"t": "array", "v": items}, at
    raise NotationError(f"unexpected {token!r} in {text!r}")


def _items(text: str, at: int) -> tuple[list[Typed], int]:
    items: list[Typed] = []
    while _peek(text, at) != "]":
        if items:
            at = _expect(text, at, ",")
        item, at = _value(text, at)
        items.append(item)
    return items, _expect(text, at, "]")


def _map(text: str, at: int) -> tuple[Typed, int]:
    entries: dict[str, Typed] = {}
    while _peek(text, at) != "}":
        if entries:
            at = _expect(text, at, ",")
        kind, token, at = _next(text, at)
        if kind not in ("word", "string"):
            raise NotationError(f"a map key is a name or a string, not {token!r}")
        at = _expect(text, at, ":")
        entries[_unescape(token[1:-1]) if kind == "string" else token], at = _value(text, at)
    return {"t": "map", "v": dict(sorted(entries.items()))}, _expect(text, at, "}")


def _next(text: str, at: int) -> tuple[str, str, int]:
    found = TOKEN.match(text, at)
    if found is None or found.lastgroup is None:
        raise NotationError(f"no value at {text[at:]!r}")
    return found.lastgroup, found.group(found.lastgroup), found.end()


def _peek(text: str, at: int) -> str | None:
    return _next(text, at)[1] if text[at:].strip() else None


def _expect(text: str, at: int, mark: str) -> int:
    _, token, end = _next(text, at)
    if token != mark:
        raise NotationError(f"expected {mark!r}, found {token!r} in {text!r}")
    return end


def _unescape(text: str) -> str:
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else ESCAPED[found[2]], text)


def _escape(text: str, quote: str) -> str:
    special = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\\": "\\\\", quote: "\\" + quote}
    return "".join(special.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in text)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", name) else f'"{_escape(name, chr(34))}"'
