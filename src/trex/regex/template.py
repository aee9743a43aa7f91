"""Replacements: the text that takes the place of a match, with `$1` and `${name}` in it.

Owns:  their syntax, which is that of Rust's `regex`: a name is as long as possible, so that `$1a`
       is the group called `1a`; `$$` is a dollar; what names no group is nothing.
Never: matches.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")


def parse(replacement: str, groups: int, names: Mapping[str, int]) -> list[str | int]:
    """Texts and numbers of groups, in order. Groups that the pattern does not have are left out."""
    pieces: list[str | int] = []
    text = ""
    position = 0
    while position < len(replacement):
        dollar = replacement.find("$", position)
        if dollar < 0:
            break
        text += replacement[position:dollar]
        position = dollar
        if replacement.startswith("$$", position):
            text += "$"
            position += 2
            continue
        name, after = _name(replacement, position)
        if name is None:
            text += "$"
            position += 1
            continue
        position = after
        number = _number(name, groups, names)
        if number is not None:
            if text:
                pieces.append(text)
            text = ""
            pieces.append(number)
    text += replacement[position:]
    if text:
        pieces.append(text)
    return pieces


def _name(replacement: str, dollar: int) -> tuple[str | None, int]:
    """The name behind a dollar, and where it ends; None if the dollar is just that."""
    if replacement.startswith("{", dollar + 1):
        end = replacement.find("}", dollar)
        return (None, dollar) if end < 0 else (replacement[dollar + 2 : end], end + 1)
    end = dollar + 1
    while end < len(replacement) and replacement[end] in _NAME:
        end += 1
    return (None, dollar) if end == dollar + 1 else (replacement[dollar + 1 : end], end)


def _number(name: str, groups: int, names: Mapping[str, int]) -> int | None:
    if name.isascii() and name.isdecimal():
        number = int(name) if len(name) < 10 else groups + 1
        return number if number <= groups else None
    return names.get(name)
