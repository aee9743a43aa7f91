"""Patterns of file names: `*.log`, `?`, `[a-z]`, `[!a]`.

Owns:      their syntax, which is that of Rust's `glob`, and what is said of a pattern that is none.
Relies on: google-re2, which takes time linear in the name.
Never:     looks at the host; gives a leading dot a meaning of its own.

`?` is one character and `*` any number of them. In brackets stand characters and ranges; a `]` that
is the first of them is meant itself, and after `!` all others match. There are no braces, and a
backslash is a character like any other. `**` is a component of a path by itself: names have one
component only, so that `**/x` is `x` here, and a pattern with any other `/` matches nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trex.resources import failures

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_PATTERN = 4096  # characters; a name has at most 255

_NOTHING = r"[^\x{0}-\x{10FFFF}]"
_ANYTHING = r"[\x{0}-\x{10FFFF}]"


def matcher(pattern: str, ignore_case: bool = False) -> Callable[[str], object]:
    """A function whose result is true for the names that match; `ignore_case` is about ASCII letters."""
    import re2  # type: ignore[import-untyped]  # it has no stubs

    pieces = _pieces(pattern, ignore_case)
    if pieces is None:
        return lambda name: False
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.dot_nl = True
    match: Callable[[bytes], object] = re2.compile("".join(pieces), options=options).fullmatch
    return lambda name: match(name.encode())


def _pieces(pattern: str, ignore_case: bool) -> list[str] | None:
    """The pattern for RE2; None if it has a `/` and so matches no name."""
    if len(pattern) > MAX_PATTERN:
        raise _invalid(MAX_PATTERN, f"longer than {MAX_PATTERN} characters")
    pieces: list[str] = []
    matches_names = True
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "*":
            end = position
            while end < len(pattern) and pattern[end] == "*":
                end += 1
            if end - position == 1:
                pieces.append(".*")
                position = end
                continue
            _check_component(pattern, position, end)
            if end == len(pattern):
                pieces.append(".*")
            position = end + 1  # with its `/`
            continue
        if character == "[":
            piece, position = _brackets(pattern, position, ignore_case)
            pieces.append(piece)
            continue
        if character == "/":
            matches_names = False
        pieces.append("." if character == "?" else _character(character, ignore_case))
        position += 1
    return pieces if matches_names else None


def _check_component(pattern: str, start: int, end: int) -> None:
    """Check that `**` stands for whole components."""
    if end - start > 2:
        raise _invalid(start + 2, "wildcards are either regular `*` or recursive `**`")
    misplaced = "recursive wildcards must form a single path component"
    if start and pattern[start - 1] != "/":
        raise _invalid(start - 1, misplaced)
    if end < len(pattern) and pattern[end] != "/":
        raise _invalid(end, misplaced)


def _brackets(pattern: str, start: int, ignore_case: bool) -> tuple[str, int]:
    """`[…]` for RE2, and where it ends. At least one character stands in it, be it a `]`."""
    negated = pattern.startswith("!", start + 1)
    first = start + 1 + negated
    end = pattern.find("]", first + 1)
    if end < 0:
        raise _invalid(start, "invalid range pattern")
    inside = pattern[first:end]
    ranges: list[str] = []
    position = 0
    while position < len(inside):
        low = high = inside[position]
        if inside[position + 1 : position + 2] == "-" and position + 2 < len(inside):
            high = inside[position + 2]
            position += 2
        position += 1
        ranges.extend(_ranges(low, high, ignore_case))
    if not ranges:  # such as `[b-a]`
        return (_ANYTHING if negated else _NOTHING), end + 1
    return f"[{'^' * negated}{''.join(ranges)}]", end + 1


def _ranges(low: str, high: str, ignore_case: bool) -> list[str]:
    pairs = [(low, high)]
    letters = low.isascii() and low.isalpha() and high.isascii() and high.isalpha()
    if ignore_case and letters:
        pairs += [(low.lower(), high.lower()), (low.upper(), high.upper())]
    return [f"{_code(one)}-{_code(other)}" for one, other in pairs if one <= other]


def _character(character: str, ignore_case: bool) -> str:
    if ignore_case and character.isascii() and character.isalpha():
        return f"[{character.lower()}{character.upper()}]"
    return _code(character)


def _code(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"


def _invalid(position: int, reason: str) -> Exception:
    text = f"Validation error: Invalid glob pattern: - Pattern syntax error near position {position}: {reason}"
    return failures.failure("ValidationError", text)
