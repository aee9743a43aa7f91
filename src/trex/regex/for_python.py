"""Patterns for Python's `re`, which the worker uses on texts of the script.

Owns:      how each part of the tree is written in Python's syntax.
Relies on: the worker's own bounds on time: unlike RE2, this engine may take exponential time.
Never:     copies a character of the pattern that Python could read as syntax.

Sets that Python has no words for are written with a look ahead: `[a-z&&[^x]]` is a place where
`[^x]` comes next, and then a character of `[a-z]`.
"""

from __future__ import annotations

from trex.regex.characters import ASCII, SPACES, Ranges, ranges
from trex.regex.syntax import (
    Alternatives,
    Character,
    Class,
    Concat,
    Dot,
    Group,
    Named,
    Node,
    Pattern,
    Place,
    Range,
    Repeat,
    Set,
    Union,
)

MAX_REPEAT = 65535


class CannotBeWritten(ValueError):
    """The engine has nothing that means this; the message says what."""


def write(pattern: Pattern, ascii: bool) -> str:
    """The pattern for Python. `ascii`: the text holds nothing else, so the tables of Unicode are not needed."""
    return _node(pattern.tree, ascii)


_PLACES = {
    "text_start": r"\A",
    "text_end": r"\Z",
    "line_start": "(?m:^)",
    "line_end": r"(?=\n|\Z)",
    # With a character of a word for `{}`.
    "word": "(?:(?<={})(?!{})|(?<!{})(?={}))",
    "not_word": "(?:(?<={})(?={})|(?<!{})(?!{}))",
    "word_start": "(?<!{})(?={})",
    "word_end": "(?<={})(?!{})",
    "word_start_half": "(?<!{})",
    "word_end_half": "(?!{})",
}


def _place(node: Place, ascii: bool) -> str:
    if node.kind == "word" and ascii:
        return r"\b"
    word = _named(Named("perl", "w", unicode=node.unicode), fold=False, ascii=ascii)
    return _PLACES[node.kind].replace("{}", word)


def _node(node: Node, ascii: bool) -> str:
    if isinstance(node, Character):
        text = _character(ord(node.character))
        return f"(?i:{text})" if node.fold else text
    if isinstance(node, Dot):
        return r"[\s\S]" if node.newline else r"[^\n]"
    if isinstance(node, Class):
        text = _class(node.of, node.fold, ascii)
        return f"(?i:{text})" if node.fold else text
    if isinstance(node, Place):
        return _place(node, ascii)
    if isinstance(node, Group):
        return f"({_node(node.part, ascii)})"
    if isinstance(node, Repeat):
        return f"(?:{_node(node.part, ascii)}){_count(node)}"
    if isinstance(node, Concat):
        return "".join([_node(part, ascii) for part in node.parts])
    assert isinstance(node, Alternatives), "the only other kind of node"
    return "(?:" + "|".join([_node(part, ascii) for part in node.parts]) + ")"


def _count(node: Repeat) -> str:
    if max(node.least, node.most or 0) > MAX_REPEAT:
        raise CannotBeWritten(f"a repetition of more than {MAX_REPEAT}")
    return f"{{{node.least},{'' if node.most is None else node.most}}}" + ("" if node.greedy else "?")


def _character(number: int) -> str:
    character = chr(number)
    if character.isascii() and character.isalnum():
        return character
    return f"\\U{number:08x}" if number > 0xFF else f"\\x{number:02x}"


def _class(of: Set, fold: bool, ascii: bool) -> str:
    if isinstance(of, Range):
        return f"[{_text_of([(of.first, of.last)])}]"
    if isinstance(of, Named):
        return _named(of, fold, ascii)
    if isinstance(of, Union):
        if len(of.parts) == 1 and isinstance(part := of.parts[0], Named):
            return _named(Named(part.kind, part.name, part.negated is not of.negated, part.unicode), fold, ascii)
        if all(isinstance(part, Range) for part in of.parts):
            items = _text_of([(part.first, part.last) for part in of.parts if isinstance(part, Range)])
            if items:
                return f"[{'^' if of.negated else ''}{items}]"
        either = "|".join([_class(part, fold, ascii) for part in of.parts]) or "(?!)"
        return rf"(?:(?!{either})[\s\S])" if of.negated else f"(?:{either})"
    left, right = _class(of.left, fold, ascii), _class(of.right, fold, ascii)
    if of.operator == "&&":
        return f"(?:(?={left}){right})"
    if of.operator == "--":
        return f"(?:(?!{right}){left})"
    return f"(?:(?!{right}){left}|(?!{left}){right})"


def _named(of: Named, fold: bool, ascii: bool) -> str:
    mark = "^" if of.negated else ""
    if of.kind == "ascii":
        return f"[{mark}{_text_of(list(ASCII[of.name]))}]"
    if of.kind == "perl" and (ascii or not of.unicode or of.name == "d"):
        if of.name == "s":
            return f"[{mark}{_text_of(list(ASCII['space']))}]"
        text = f"[{mark}\\{of.name}]"
        return text if of.unicode and not ascii else f"(?a:{text})"
    if of.kind == "perl" and of.name == "s":
        return f"[{mark}{_text_of(list(SPACES))}]"
    try:
        items = _text_of(ranges(of, fold))
    except LookupError:
        raise CannotBeWritten(f"the property {of.name} is not known here") from None
    return f"[{items}]" if items else "(?!)"


def _text_of(of: Ranges) -> str:
    return "".join(
        [_character(first) if first == last else f"{_character(first)}-{_character(last)}" for first, last in of]
    )
