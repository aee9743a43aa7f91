"""Patterns for RE2, which the broker searches files with: linear time whatever the pattern.

Owns:  how each part of the tree is written in RE2's syntax.
Never: copies a character of the pattern that RE2 could read as syntax.

What RE2 cannot do is refused: a repetition beyond 1000, `\\b{start}` and its like. `\\b` tells words of
ASCII only.
"""

from __future__ import annotations

from trex.regex.characters import ASCII, SPACES, WORD, Ranges, category_of, ranges
from trex.regex.syntax import (
    Alternatives,
    Character,
    Class,
    Concat,
    Dot,
    Group,
    Named,
    Node,
    Operation,
    Pattern,
    Place,
    Range,
    Repeat,
    Set,
)

MAX_REPEAT = 1000


class CannotBeWritten(ValueError):
    """The engine has nothing that means this; the message says what."""


def write(pattern: Pattern, by_line: bool = False) -> str:
    """The pattern for RE2.

    by_line: the text will be many lines, and each is to be searched as if it were alone; this needs
             RE2's option `never_nl`.
    """
    return _node(pattern.tree, by_line)


_PLACES = {
    "text_start": r"\A",
    "text_end": r"\z",
    "line_start": "(?m:^)",
    "line_end": "(?m:$)",
    "word": r"\b",
    "not_word": r"\B",
}
_BY_LINE = _PLACES | {"text_start": "(?m:^)", "text_end": "(?m:$)"}


def _node(node: Node, by_line: bool) -> str:
    if isinstance(node, Character):
        text = _character(ord(node.character))
        return f"(?i:{text})" if node.fold and node.character.lower() != node.character.upper() else text
    if isinstance(node, Dot):
        return "(?s:.)" if node.newline else "."
    if isinstance(node, Class):
        text = _class(node.of, node.fold)
        return f"(?i:{text})" if node.fold else text
    if isinstance(node, Place):
        places = _BY_LINE if by_line else _PLACES
        if node.kind not in places:
            raise CannotBeWritten("the ends of words (`\\b{start}`, `\\<` and their like) are not supported here")
        return places[node.kind]
    if isinstance(node, Group):
        return f"({_node(node.part, by_line)})"
    if isinstance(node, Repeat):
        return f"(?:{_node(node.part, by_line)}){_count(node)}"
    if isinstance(node, Concat):
        return "".join([_node(part, by_line) for part in node.parts])
    assert isinstance(node, Alternatives), "the only other kind of node"
    return "(?:" + "|".join([_node(part, by_line) for part in node.parts]) + ")"


def _count(node: Repeat) -> str:
    least, most = node.least, node.most
    if max(least, most or 0) > MAX_REPEAT:
        raise CannotBeWritten(f"a repetition of more than {MAX_REPEAT}")
    shown = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((least, most))
    if shown is None:
        shown = f"{{{least},{'' if most is None else most}}}" if least != most else f"{{{least}}}"
    return shown if node.greedy else shown + "?"


def _character(number: int) -> str:
    character = chr(number)
    return character if character.isascii() and character.isalnum() else f"\\x{{{number:x}}}"


def _class(of: Set, fold: bool) -> str:
    negated, items = _items(of)
    if items is None:
        try:
            negated, items = False, _text_of(ranges(of, fold))
        except LookupError as error:
            raise CannotBeWritten(f"the property {error.args[0]} cannot be combined with other sets") from None
    if not items:
        return r"[^\x00-\x{10FFFF}]" if not negated else r"[\x00-\x{10FFFF}]"
    return f"[{'^' if negated else ''}{items}]"


def _items(of: Set) -> tuple[bool, str | None]:
    """Whether the class is negated, and what stands in its brackets; None where that must be computed."""
    if isinstance(of, Range):
        return False, _text_of([(of.first, of.last)])
    if isinstance(of, Named):
        return of.negated, _named(of)
    if isinstance(of, Operation):
        return False, None
    parts = [_items(part) for part in of.parts]
    if len(parts) == 1:
        negated, items = parts[0]
        return negated is not of.negated, items
    if any(negated or items is None for negated, items in parts):
        return False, None
    return of.negated, "".join([items or "" for _, items in parts])


def _named(of: Named) -> str:
    if of.kind == "ascii":
        return _text_of(list(ASCII[of.name]))
    if of.kind == "perl":
        if not of.unicode:
            return _text_of(list(ASCII[{"d": "digit", "w": "word", "s": "space"}[of.name]]))
        if of.name == "s":
            return _text_of(list(SPACES))
        return "".join([f"\\p{{{name}}}" for name in (WORD if of.name == "w" else ("Nd",))])
    category = category_of(of.name)
    if category == "LC":
        return r"\p{Ll}\p{Lt}\p{Lu}"
    if category in ("C", "Cn"):  # RE2 does not count what is not assigned
        return _text_of(ranges(Named("property", category), fold=False))
    return f"\\p{{{category or of.name.replace(' ', '_').title()}}}"


def _text_of(of: Ranges) -> str:
    return "".join(
        [_character(first) if first == last else f"{_character(first)}-{_character(last)}" for first, last in of]
    )
