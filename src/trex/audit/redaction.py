"""What of a value may enter a record, and how much of it.

Owns:  the rules: names and numbers stay, contents and credentials go, and everything has a bound.
Never: lets a value of bytes pass, whatever it holds.

| value | what is recorded | why |
|---|---|---|
| bytes | their number | contents of files |
| text with a URL | without what stands before `@`, and the values of its query | tokens travel there |
| text beyond `MAX_TEXT` | its beginning, its length and its SHA-256 | a script must not fill the disk |
| collections beyond `MAX_ITEMS` | the first, and how many there are | the same |
| anything nested deeper than `MAX_DEPTH` | that it is | the same |

Values of environment variables never come here: `authorization.recording` names the attributes that
may be recorded, from the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_TEXT = 4096
MAX_ITEMS = 64
MAX_DEPTH = 4
MAX_KEY = 256
HIDDEN = "(hidden)"


def recordable(value: Any, depth: int = MAX_DEPTH) -> Any:
    """`value` as it may be recorded."""
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return f"({len(value)} bytes)"
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        raise TypeError(f"no value of a record: {type(value).__name__}")
    if depth == 0:
        return "(nested deeper)"
    first = list(value)[:MAX_ITEMS]
    more = len(value) - len(first)
    if isinstance(value, Mapping):
        kept = {text(str(key), MAX_KEY): recordable(value[key], depth - 1) for key in first}
        return kept | ({"(more)": more} if more else {})
    items = [recordable(each, depth - 1) for each in first]
    return [*items, f"({more} more)"] if more else items


def text(value: str, limit: int = MAX_TEXT) -> str:
    """A text as it may be recorded: encodable, without credentials, not longer than the limit and a note."""
    if not value.isascii():
        value = value.encode("utf-8", "backslashreplace").decode()  # bytes of a name that are not UTF-8
    if "://" in value:
        value = without_credentials(value)
    if len(value) <= limit:
        return value
    from hashlib import sha256

    return f"{value[:limit]}(cut: {len(value)} characters, SHA-256 {sha256(value.encode()).hexdigest()})"


def without_credentials(value: str) -> str:
    """A text whose URLs have lost user names, passwords and the values of their queries."""
    scheme, *rests = value.split("://")
    parts = [scheme]
    for rest in rests:
        end = next((n for n, each in enumerate(rest) if each in " \t\n\"'<>"), len(rest))
        parts.append(_without_credentials(rest[:end]) + rest[end:])
    return "://".join(parts)


def _without_credentials(rest: str) -> str:
    """The same for one URL behind its `://`."""
    end = next((n for n, each in enumerate(rest) if each in "/?#\\"), len(rest))
    authority, path = rest[:end], rest[end:]
    _, at, host = authority.rpartition("@")
    if at:
        authority = f"{HIDDEN}@{host}"  # the name too: tokens stand there
    path, fragment_mark, fragment = path.partition("#")
    path, mark, query = path.partition("?")
    if mark:
        fields = [field.partition("=") for field in query.split("&")]
        # A field without a name is a value: `?token`.
        query = "&".join(f"{name}={HIDDEN}" if equals else HIDDEN for name, equals, _ in fields if name or equals)
    return authority + path + mark + query + fragment_mark + (HIDDEN if fragment else "")
