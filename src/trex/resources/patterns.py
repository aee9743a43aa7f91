"""Regular expressions on the content of files: linear time, in the dialect of Rust's `regex`.

Owns:      the translation of that dialect to RE2's, and what it refuses because it would differ.
Relies on: google-re2, which takes time linear in the text whatever the pattern.
Never:     falls back to an engine that can take exponential time.

Both have no look-around and no back-references. What differs is translated: `\\d \\w \\s` mean
Unicode there and ASCII in RE2; `\\u{e9}` is `\\x{e9}`. Set operations and nested classes inside
brackets (`[a-z&&[^x]]`), which RE2 would read as plain characters, are refused. `\\b` stays ASCII,
and so do `\\W` and `\\S` inside brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trex.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PATTERN = 64 * 1024
_MAX_MEMORY = 16 * 1024 * 1024  # of the compiled form, which a pattern such as `(x{1000}){1000}` inflates

_WORD = r"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}"
_SPACE = r"\t\n\x0b\f\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_OUTSIDE = {
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "w": f"[{_WORD}]",
    "W": f"[^{_WORD}]",
    "s": f"[{_SPACE}]",
    "S": f"[^{_SPACE}]",
}
_INSIDE = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": _WORD, "s": _SPACE}


def matcher(pattern: str, ignore_case: bool = False) -> Callable[[bytes], object]:
    """A function that finds the pattern in a line of UTF-8; its result is true where it is found."""
    search: Callable[[bytes], object] = _compiled(pattern, ignore_case, many_lines=False).search
    return search


def finder(pattern: str, ignore_case: bool = False) -> Callable[[bytes, int], Any] | None:
    """A function that finds the pattern in any of many lines, from a position on; its result has a `start`.

    What it finds is inside one line, as if that line were alone. None for patterns of which that
    cannot be said: those that name the start or the end of the whole text, or turn off flags.
    """
    if "\\A" in pattern or "\\z" in pattern or any("-" in _flags(part) for part in pattern.split("(?")[1:]):
        return None
    search: Callable[[bytes, int], Any] = _compiled(pattern, ignore_case, many_lines=True).search
    return search


def _flags(group: str) -> str:
    """The flags at the start of what follows `(?`."""
    return group[: len(group) - len(group.lstrip("imsU-"))]


def _compiled(pattern: str, ignore_case: bool, many_lines: bool) -> Any:
    import re2  # type: ignore[import-untyped]  # it has no stubs

    if len(pattern) > MAX_PATTERN:
        raise _invalid(pattern[:64] + "…", f"longer than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    options.case_sensitive = not ignore_case
    options.never_capture = True
    options.never_nl = many_lines  # not even a class such as `[^a]` matches the end of a line
    try:
        return re2.compile("(?m)" * many_lines + translated(pattern), options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it does not parse"
        raise _invalid(pattern, reason.decode() if isinstance(reason, bytes) else str(reason)) from None


def translated(pattern: str) -> str:
    """The pattern in RE2's dialect."""
    pieces: list[str] = []
    position = 0
    inside = False
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            piece, position = _escape(pattern, position, inside)
            pieces.append(piece)
            continue
        if inside:
            if character == "[" and not pattern.startswith("[:", position):
                raise _invalid(pattern, "nested character classes are not supported")
            if character == "[":
                end = pattern.find(":]", position)
                if end < 0:
                    raise _invalid(pattern, "unclosed character class")
                pieces.append(pattern[position : end + 2])
                position = end + 2
                continue
            if pattern[position : position + 2] in ("&&", "--", "~~"):
                raise _invalid(pattern, "set operations in character classes are not supported")
            inside = character != "]"
        elif character == "[":
            inside = True
            # A bracket right after the opening, or after its `^`, is a plain character.
            start = position + 1 + pattern.startswith("^", position + 1)
            if pattern.startswith("]", start):
                pieces.append(pattern[position : start + 1].replace("]", r"\]"))
                position = start + 1
                continue
        pieces.append(character)
        position += 1
    return "".join(pieces)


def _escape(pattern: str, position: int, inside: bool) -> tuple[str, int]:
    following = pattern[position + 1 : position + 2]
    table = _INSIDE if inside else _OUTSIDE
    if following in table and following:
        return table[following], position + 2
    if following in ("u", "U", "x"):
        if pattern.startswith("{", position + 2):
            end = pattern.find("}", position)
            if end > 0:
                return r"\x" + pattern[position + 2 : end + 1], end + 1
        elif following != "x":
            width = 4 if following == "u" else 8
            return r"\x{" + pattern[position + 2 : position + 2 + width] + "}", position + 2 + width
    return pattern[position : position + 2], position + 2


def _invalid(pattern: str, reason: str) -> OperationError:
    text = f"Validation error: Invalid regex pattern: '{pattern}' - {reason}"
    return OperationError("IoErrorKind", "ValidationError", text)
