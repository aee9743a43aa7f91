"""The syntax of regular expressions in scripts: text to a tree. The dialect is that of Rust's `regex`.

Owns:      what a pattern means, which flags hold where, and the sentence for a pattern that means nothing.
Relies on: nothing; every function here is pure.
Never:     matches. `for_re2` and `for_python` write the tree for an engine that does.

Both processes use it: the broker for patterns on files, the worker for patterns on texts of a script.
Neither engine reads this dialect itself (RE2 would take `[a&&b]` for a set of three characters, and
Python takes `a++` for a possessive loop), so no text of a script ever reaches one: what the emitters
write is made from the tree.

There is no look-around and no back-reference, as in Rust. What Rust has and this has not: bytes that
are not UTF-8 (`(?-u:\\xFF)`), the flag `R`, and properties other than categories and scripts.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

MAX_NESTING = 50  # groups and classes in one another; each takes a few frames of Python
MAX_STACKED = 5  # repetitions of a repetition, such as `a*?*`
MAX_CHARACTER = 0x10FFFF


class PatternInvalid(ValueError):
    """This text is no pattern; the message shows where, as Rust's does."""

    def __init__(self, pattern: str, start: int, end: int, reason: str) -> None:
        self.pattern, self.start, self.reason = pattern, start, reason
        shown = pattern if len(pattern) <= 200 and "\n" not in pattern else ""
        marks = " " * start + "^" * max(1, end - start)
        where = f"    {shown}\n    {marks}\n" if shown else f"    at character {start + 1}\n"
        super().__init__(f"regex parse error:\n{where}error: {reason}")


# --- the tree ---


class Character(Struct, frozen=True):
    """One character; `fold`: in either case."""

    character: str
    fold: bool = False


class Dot(Struct, frozen=True):
    """Any character; `newline`: also the end of a line."""

    newline: bool = False


class Range(Struct, frozen=True):
    """The characters from one to another, both included."""

    first: int
    last: int


class Named(Struct, frozen=True):
    """A set of characters that has a name.

    kind: `"perl"` (`d`, `w`, `s`), `"ascii"` (`alpha` of `[[:alpha:]]`) or `"property"` (`Greek` of `\\p{Greek}`).
    """

    kind: Literal["perl", "ascii", "property"]
    name: str
    negated: bool = False
    unicode: bool = True


class Union(Struct, frozen=True):
    """What is in any of the parts; `negated`: what is in none."""

    parts: tuple[Set, ...]
    negated: bool = False


class Operation(Struct, frozen=True):
    """Two sets: what is in both (`&&`), in the left only (`--`), in one of them only (`~~`)."""

    operator: Literal["&&", "--", "~~"]
    left: Set
    right: Set


Set = Range | Named | Union | Operation


class Class(Struct, frozen=True):
    """One character of a set; `fold`: in either case."""

    of: Set
    fold: bool = False


class Place(Struct, frozen=True):
    """A place between two characters.

    kind: `text_start`, `text_end`, `line_start`, `line_end`, `word`, `not_word`, `word_start`,
          `word_end`, `word_start_half` or `word_end_half`.
    """

    kind: str
    unicode: bool = True


class Group(Struct, frozen=True):
    """A part that is remembered, by number and perhaps by name."""

    part: Node
    number: int
    name: str | None = None


class Repeat(Struct, frozen=True):
    """A part, so many times; `most` is None without an upper bound."""

    part: Node
    least: int
    most: int | None
    greedy: bool


class Concat(Struct, frozen=True):
    """Parts in a row."""

    parts: tuple[Node, ...]


class Alternatives(Struct, frozen=True):
    """The first of these that leads to a match."""

    parts: tuple[Node, ...]


Node = Character | Dot | Class | Place | Group | Repeat | Concat | Alternatives


class Pattern(Struct, frozen=True):
    """A pattern. `names`: the groups that have one; `groups`: how many there are."""

    tree: Node
    groups: int
    names: dict[str, int]


def parse(pattern: str, ignore_case: bool = False) -> Pattern:
    """The tree of a pattern. Raises `PatternInvalid`."""
    return _Parser(pattern, ignore_case).whole()


# --- the parser ---


class _Flags(Struct, frozen=True):
    i: bool = False
    m: bool = False
    s: bool = False
    U: bool = False
    u: bool = True
    x: bool = False


_OPERATORS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_LOOKAROUND = "look-around, including look-ahead and look-behind, is not supported"
_ESCAPES = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
_PLACES = {"A": "text_start", "z": "text_end", "b": "word", "B": "not_word", "<": "word_start", ">": "word_end"}
_SPECIAL_WORDS = {
    "start": "word_start",
    "end": "word_end",
    "start-half": "word_start_half",
    "end-half": "word_end_half",
}
_ASCII_CLASSES = frozenset(
    "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split()
)


class _Parser:
    def __init__(self, pattern: str, ignore_case: bool) -> None:
        self.pattern = pattern
        self.position = 0
        self.flags = _Flags(i=ignore_case)
        self.groups = 0
        self.names: dict[str, int] = {}
        self.nesting = 0

    def whole(self) -> Pattern:
        tree = self.alternatives()
        if self.position < len(self.pattern):
            raise self.error("unopened group", self.position, self.position + 1)
        return Pattern(tree, self.groups, self.names)

    # --- reading ---

    def error(self, reason: str, start: int | None = None, end: int | None = None) -> PatternInvalid:
        start = self.position if start is None else start
        return PatternInvalid(self.pattern, start, start + 1 if end is None else end, reason)

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.position)

    def here(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.position += len(text)
            return True
        return False

    def skip_space(self) -> None:
        """With the flag `x`, spaces and comments say nothing."""
        if not self.flags.x:
            return
        while self.position < len(self.pattern):
            if self.here().isspace():
                self.position += 1
            elif self.here() == "#":
                end = self.pattern.find("\n", self.position)
                self.position = len(self.pattern) if end < 0 else end + 1
            else:
                return

    def deeper(self, start: int) -> None:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(f"exceed the maximum number of nested parentheses/brackets ({MAX_NESTING})", start)

    # --- expressions ---

    def alternatives(self) -> Node:
        """Up to the end of the group or pattern; the flags that are set inside end there too."""
        outer = self.flags
        parts = [self.concat()]
        while self.take("|"):
            parts.append(self.concat())
        self.flags = outer
        return parts[0] if len(parts) == 1 else Alternatives(tuple(parts))

    def concat(self) -> Node:
        parts: list[Node] = []
        while True:
            self.skip_space()
            character = self.here()
            if character in ("", "|", ")"):
                return parts[0] if len(parts) == 1 else Concat(tuple(parts))
            if character in "*+?{":
                parts.append(self.repeat(parts))
            else:
                node = self.atom()
                if node is not None:
                    parts.append(node)
                elif self.repeats():  # `(?i)*`
                    raise self.error("repetition operator missing expression")

    def repeats(self) -> bool:
        self.skip_space()
        return self.here() != "" and self.here() in "*+?{"

    def repeat(self, parts: list[Node]) -> Repeat:
        start = self.position
        if not parts:
            raise self.error("repetition operator missing expression")
        stacked, inner = 0, parts[-1]
        while isinstance(inner, Repeat):
            stacked, inner = stacked + 1, inner.part
        if stacked == MAX_STACKED:
            raise self.error(f"exceed the maximum number of repetitions of a repetition ({MAX_STACKED})")
        operator = self.here()
        self.position += 1
        least, most = self.counts(start) if operator == "{" else _OPERATORS[operator]
        self.skip_space()
        greedy = self.take("?") is self.flags.U
        return Repeat(parts.pop(), least, most, greedy)

    def counts(self, start: int) -> tuple[int, int | None]:
        """What stands between `{` and `}`."""
        end = self.pattern.find("}", self.position)
        if end < 0:
            raise self.error("unclosed counted repetition", start, len(self.pattern))
        first, comma, second = self.pattern[self.position : end].partition(",")
        first, second = first.strip(), second.strip()
        if not _is_number(first) or not (second == "" or _is_number(second)):
            raise self.error("repetition quantifier expects a valid decimal", self.position, end)
        self.position = end + 1
        least = int(first)
        if not comma:
            return least, least
        most = int(second) if second else None
        if most is not None and least > most:
            reason = "invalid repetition count range, the start must be <= the end"
            raise self.error(reason, start, end + 1)
        return least, most

    def atom(self) -> Node | None:
        character = self.here()
        if character == "(":
            return self.group()
        if character == "[":
            return Class(self.bracket(), self.flags.i)
        if character == "\\":
            return self.escape()
        self.position += 1
        if character == ".":
            return Dot(self.flags.s)
        if character == "^":
            return Place("line_start" if self.flags.m else "text_start")
        if character == "$":
            return Place("line_end" if self.flags.m else "text_end")
        return Character(character, self.flags.i)

    def group(self) -> Node | None:
        start = self.position
        self.position += 1
        self.skip_space()
        for text in ("?=", "?!", "?<=", "?<!"):
            if self.peek(text):
                raise self.error(_LOOKAROUND, start, self.position + len(text))
        self.deeper(start)
        outer = self.flags
        number, name = 0, None
        if self.take("?P<") or self.take("?<"):
            name = self.group_name()
            number = self.next_group()
            self.names[name] = number
        elif self.take("?"):
            self.flags = self.new_flags(start)
            if self.take(")"):  # `(?i)`: for the rest of the group around it
                self.nesting -= 1
                return None
            self.position += 1  # the colon
        else:
            number = self.next_group()
        part = self.alternatives()
        if not self.take(")"):
            raise self.error("unclosed group", start)
        self.flags = outer
        self.nesting -= 1
        return Group(part, number, name) if number else Concat((part,))

    def next_group(self) -> int:
        self.groups += 1
        return self.groups

    def group_name(self) -> str:
        start = self.position
        end = self.pattern.find(">", start)
        if end < 0:
            raise self.error("unclosed capture group name", len(self.pattern))
        name = self.pattern[start:end]
        if not name:
            raise self.error("empty capture group name", start)
        for offset, character in enumerate(name):
            if not (
                character == "_" or character.isalpha() or (offset and (character.isalnum() or character in ".[]"))
            ):
                raise self.error("invalid capture group character", start + offset)
        if name in self.names:
            raise self.error("duplicate capture group name", start, end)
        self.position = end + 1
        return name

    def new_flags(self, start: int) -> _Flags:
        """The flags of `(?i-s)` or `(?i-s:`; stops before the `)` or `:`."""
        values = {name: getattr(self.flags, name) for name in "imsUux"}
        on, seen = True, set()
        first = self.position
        while not (self.peek(")") or self.peek(":")):
            flag = self.here()
            if not flag:
                raise self.error("expected flag but got end of regex", len(self.pattern))
            if flag == "-":
                if not on:
                    raise self.error("flag negation operator repeated")
                on = False
            elif flag in seen:
                raise self.error("duplicate flag")
            elif flag not in values:
                raise self.error("the flag R is not supported" if flag == "R" else "unrecognized flag")
            else:
                values[flag] = on
                seen.add(flag)
            self.position += 1
        if self.pattern[self.position - 1] == "-":
            raise self.error("dangling flag negation operator", self.position - 1)
        if self.position == first and self.peek(")"):
            raise self.error("repetition operator missing expression", start + 1)
        return _Flags(**values)

    # --- escapes ---

    def escape(self) -> Node:
        start = self.position
        self.position += 1
        character = self.here()
        if not character:
            reason = "incomplete escape sequence, reached end of pattern prematurely"
            raise self.error(reason, start, len(self.pattern))
        if character in _PLACES:
            self.position += 1
            kind = _PLACES[character]
            return Place(self.special_word(start) if character == "b" else kind, self.flags.u)
        named = self.named()
        if named is not None:
            return Class(named, self.flags.i)
        return Character(chr(self.escaped_character(start)), self.flags.i)

    def special_word(self, start: int) -> str:
        """`\\b{start}` and its like, or just `\\b`."""
        end = self.pattern.find("}", self.position)
        if not self.peek("{") or end < 0:
            return "word"
        name = self.pattern[self.position + 1 : end]
        if not name or not all(each.isascii() and (each.isalpha() or each == "-") for each in name):
            return "word"  # `\b{2}` repeats it
        if name not in _SPECIAL_WORDS:
            reason = (
                "unrecognized special word boundary assertion, valid choices are: start, end, start-half or end-half"
            )
            raise self.error(reason, start, end + 1)
        self.position = end + 1
        return _SPECIAL_WORDS[name]

    def named(self) -> Named | None:
        """`\\d` and `\\p{..}`, from behind the backslash; None if it is another escape."""
        start = self.position - 1
        character = self.here()
        if character in "dDwWsS":
            self.position += 1
            return Named("perl", character.lower(), character.isupper(), self.flags.u)
        if character not in "pP":
            return None
        self.position += 1
        if self.take("{"):
            end = self.pattern.find("}", self.position)
            if end < 0:
                raise self.error("invalid Unicode character class", start, len(self.pattern))
            name = self.pattern[self.position : end]
            self.position = end + 1
        else:
            name = self.here()
            self.position += 1
        negated = character == "P"
        for prefix in ("gc=", "general_category=", "sc=", "script=", "gc:", "sc:"):
            name = name[len(prefix) :] if name.lower().startswith(prefix) else name
        if not name or not all(each.isalnum() or each in "_- " for each in name):
            raise self.error("Unicode property not found", start, self.position)
        return Named("property", name, negated)

    def escaped_character(self, start: int) -> int:
        """The character that an escape stands for, from behind the backslash."""
        character = self.here()
        self.position += 1
        if character in _ESCAPES:
            return ord(_ESCAPES[character])
        if character in _HEX_DIGITS:
            return self.hexadecimal(start, _HEX_DIGITS[character])
        if character.isdecimal():
            raise self.error("backreferences are not supported", start, start + 2)
        if character.isalnum() or not character.isascii():
            raise self.error("unrecognized escape sequence", start, start + 2)
        return ord(character)

    def hexadecimal(self, start: int, digits: int) -> int:
        if self.take("{"):
            end = self.pattern.find("}", self.position)
            if end < 0:
                reason = "incomplete escape sequence, reached end of pattern prematurely"
                raise self.error(reason, start, len(self.pattern))
            text = self.pattern[self.position : end]
            after = end + 1
            if not text:
                raise self.error("hexadecimal literal empty", start, after)
        else:
            after = self.position + digits
            text = self.pattern[self.position : after]
            if len(text) < digits:
                reason = "incomplete escape sequence, reached end of pattern prematurely"
                raise self.error(reason, start, len(self.pattern))
        for offset, digit in enumerate(text):
            if digit not in "0123456789abcdefABCDEF":
                raise self.error("invalid hexadecimal digit", self.position + offset)
        number = int(text, 16) if len(text) <= 8 else MAX_CHARACTER + 1
        if number > MAX_CHARACTER or 0xD800 <= number <= 0xDFFF:
            raise self.error("hexadecimal literal is not a Unicode scalar value", start, after)
        self.position = after
        return number

    # --- classes ---

    def bracket(self) -> Set:
        start = self.position
        self.position += 1
        self.deeper(start)
        self.skip_space()
        negated = self.take("^")
        self.skip_space()
        parts: list[Set] = []
        while self.peek("-"):
            parts.append(Range(45, 45))
            self.position += 1
            self.skip_space()
        if not parts and self.take("]"):
            parts.append(Range(93, 93))
        left: tuple[Literal["&&", "--", "~~"], Set] | None = None
        while True:
            self.skip_space()
            if self.position >= len(self.pattern):
                raise self.error("unclosed character class", start)
            if self.take("]"):
                break
            operator = self.set_operator()
            if operator is not None:
                left = operator, _combined(left, parts)
                parts = []
                continue
            parts.append(self.class_item())
        self.nesting -= 1
        found = _combined(left, parts)
        return Union((found,), True) if negated else found

    def set_operator(self) -> Literal["&&", "--", "~~"] | None:
        if self.take("&&"):
            return "&&"
        if self.take("--"):
            return "--"
        return "~~" if self.take("~~") else None

    def class_item(self) -> Set:
        if self.here() == "[":
            ascii_class = self.ascii_class()
            return ascii_class if ascii_class is not None else self.bracket()
        start = self.position
        first = self.class_character()
        if not isinstance(first, int):
            return first
        self.skip_space()
        if not self.peek("-") or self.peek("--") or self.peek("-]"):
            return Range(first, first)
        self.position += 1
        self.skip_space()
        if self.position >= len(self.pattern):
            raise self.error("unclosed character class", start)
        boundary = self.position
        last = self.class_character() if self.here() != "[" else None
        if not isinstance(last, int):
            raise self.error("invalid range boundary, must be a literal", boundary, max(boundary + 1, self.position))
        if last < first:
            reason = "invalid character class range, the start must be <= the end"
            raise self.error(reason, start, self.position)
        return Range(first, last)

    def class_character(self) -> int | Named:
        start = self.position
        if not self.take("\\"):
            self.position += 1
            return ord(self.pattern[start])
        if not self.here():
            raise self.error("incomplete escape sequence, reached end of pattern prematurely", start, self.position)
        if self.here() in _PLACES:
            raise self.error("invalid escape sequence found in character class", start, start + 2)
        named = self.named()
        return named if named is not None else self.escaped_character(start)

    def ascii_class(self) -> Named | None:
        """`[:alpha:]`, or None if the bracket opens a class."""
        end = self.pattern.find(":]", self.position)
        if not self.peek("[:") or end < 0:
            return None
        name = self.pattern[self.position + 2 : end]
        negated = name.startswith("^")
        if name.removeprefix("^") not in _ASCII_CLASSES:
            return None
        self.position = end + 2
        return Named("ascii", name.removeprefix("^"), negated)


def _combined(left: tuple[Literal["&&", "--", "~~"], Set] | None, parts: list[Set]) -> Set:
    right = parts[0] if len(parts) == 1 else Union(tuple(parts))
    return right if left is None else Operation(left[0], left[1], right)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9
