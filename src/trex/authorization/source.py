"""Policy text as tokens with places: for depth checks, and to say where a problem is.

Owns:  the tokens of Cedar, the borders of each policy in a text, and the bound on nesting.
Never: decides whether a text is a policy; that is the engine's word.

**Depth.** The engine parses by recursion without a bound of its own: with the usual 8 MiB of stack
some 600 nested brackets, 4000 nested `if` or `has a.a.a`, or 15000 chained operators end the process.
It evaluates with a bound, some 1700 levels, beyond which a policy can only fail. So what is deeper
than a fraction of these is refused before the engine sees it. A chain such as `a || b || c` is as deep
as it has operators. Where the mere number of marks shows that a text cannot be deep, nothing is scanned.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

MAX_NESTING = 64
MAX_CHAIN = 1000
UNREADABLE = "no word or mark of the policy language begins here"

_OPENING = ("(", "[", "{")
_CLOSING = (")", "]", "}")
_OPERAND_ENDS = ("name", "string", ")", "]", "}")
_OPERATORS = ("&&", "||", "+", "-", "*")


class Token(Struct, frozen=True):
    """One token: what it is, its text, and where it starts in the source.

    kind: `name`, `string`, `number`, `mark`, or `invalid` where no token can begin.
    """

    kind: str
    text: str
    start: int


class Statement(Struct, frozen=True):
    """One policy of a text: its tokens up to and with `;`, and its borders in the source."""

    tokens: tuple[Token, ...]
    start: int
    end: int


class Source(Struct, frozen=True):
    """A policy text that can say where things are."""

    text: str

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, offset) + 1, offset - line_start + 1

    def excerpt(self, offset: int, length: int = 1) -> str:
        """The line of an offset with carets below, shortened around the place if it is long."""
        line_start = self.text.rfind("\n", 0, offset) + 1
        line_end = self.text.find("\n", offset)
        line = self.text[line_start : line_end if line_end >= 0 else len(self.text)].rstrip("\r")
        column = offset - line_start
        first = max(0, column - 80) if len(line) > 120 else 0
        shown = "".join(each if each.isprintable() else " " for each in line[first : first + 120])
        carets = "^" * max(1, min(length, len(shown) - (column - first)))
        number = str(self.place(offset)[0])
        return f"{number} | {shown}\n{' ' * len(number)} | {' ' * (column - first)}{carets}"

    def statements(self) -> list[Statement]:
        """The policies of the text, in order, as far as tokens tell; the last may lack its `;`."""
        found: list[Statement] = []
        current: list[Token] = []
        for token in tokens(self.text):
            current.append(token)
            if token.text == ";" and token.kind == "mark":
                found.append(_statement(current))
                current = []
        if current:
            found.append(_statement(current))
        return found


def _statement(parts: list[Token]) -> Statement:
    return Statement(tuple(parts), parts[0].start, parts[-1].start + len(parts[-1].text))


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text; after the first `invalid` one, which spans one character, there are no more."""
    import re  # only for texts that are deep, or wrong, or explained

    pattern = re.compile(
        r"(?P<space>\s+|//[^\n\r]*)"
        r"|(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)"
        r'|(?P<string>"(?:\\.|[^"\\])*")'
        r"|(?P<number>[0-9]+)"
        r"|(?P<mark>::|==|!=|<=|>=|&&|\|\||\?[_a-zA-Z][_a-zA-Z0-9]*|[][(){},;:.@<>!+*=%/-])"
        r"|(?P<invalid>.)",
        re.DOTALL,
    )
    position = 0
    while found := pattern.match(text, position):
        position = found.end()
        kind = found.lastgroup or "invalid"
        if kind != "space":
            yield Token(kind, found.group(), found.start())
        if kind == "invalid":
            return


class _Level:
    """What is between two brackets: how deep it is so far."""

    __slots__ = ("conditions", "deepest", "members", "operators")

    def __init__(self) -> None:
        self.operators = self.conditions = self.members = self.deepest = 0

    def depth(self) -> int:
        return self.operators + self.deepest


def too_deep(text: str) -> tuple[int, str] | None:
    """Where and how a text is nested beyond what the engine survives; None if it is not."""
    nested = sum(map(text.count, (*_OPENING, "if")))
    if nested <= MAX_NESTING and sum(map(text.count, _OPERATORS)) + text.count(".") < MAX_CHAIN - MAX_NESTING:
        return None
    levels = [_Level()]
    before = ""
    for token in tokens(text):
        if token.kind == "invalid":
            # What follows cannot be counted, so the engine must not see it.
            return token.start, UNREADABLE
        mark = token.text if token.kind in ("mark", "name") else ""
        level = levels[-1]
        if mark == "." or (mark == "[" and before in _OPERAND_ENDS):
            level.members += 1  # `a.b["c"].d(e)` nests as deep as it is long
        elif token.kind == "mark" and mark not in ("(", ")", "]"):
            level.members = 0
        if mark in _OPENING:
            levels.append(_Level())
        elif mark in _CLOSING and len(levels) > 1:
            levels.pop()
            levels[-1].deepest = max(levels[-1].deepest, level.depth() + 1)
        elif mark == ",":
            level.deepest, level.operators, level.conditions = level.depth(), 0, 0
        elif mark == ";":
            levels = [_Level()]
        elif mark == "if":
            level.conditions += 1
        elif mark in _OPERATORS or mark in ("when", "unless"):
            level.operators += 1
        before = token.kind if token.kind in ("name", "string") else mark
        if len(levels) - 1 + sum(each.conditions + each.members for each in levels) > MAX_NESTING:
            return token.start, f"the policy is nested deeper than {MAX_NESTING} levels"
        if level.depth() > MAX_CHAIN:
            return token.start, f"the policy joins more than {MAX_CHAIN} conditions; split it into several policies"
    return None
