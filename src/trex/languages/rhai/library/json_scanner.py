"""Reads JSON as the language's own parser would: with comments, trailing commas and constant expressions.

Owns:  the texts that `parse_json` accepts beyond strict JSON, and what it says about those it refuses.
Never: runs anything: no names, calls, properties, indexes or interpolation.

One pass over the text, by recursive descent, not deeper than `MAX_DEPTH`. Positions are those of the text
that is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.positions import pack
from trex.languages.rhai.semantics import operators
from trex.languages.rhai.semantics.containers import array_of, map_of
from trex.languages.rhai.semantics.sizes import LIMITS
from trex.languages.rhai.tokens import KEYWORDS, RESERVED_WORDS
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import char
from trex.values import INT_MAX

MAX_DEPTH = 128

_SPACE = " \t\r\n\f"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_DECIMAL = frozenset("0123456789")
_RADIXES = {"x": (16, "0123456789abcdefABCDEF"), "o": (8, "01234567"), "b": (2, "01")}
_ESCAPES = {"\\": "\\", "r": "\r", "n": "\n", "t": "\t"}
_CODES = {"x": 2, "u": 4, "U": 8}
_WORDS = {"true": True, "false": False, "null": None}


def _logical(x: Any, y: Any, both: bool) -> bool:
    for value in (x, y):
        if type(value) is not bool:
            raise errors.mismatch(type_name(value), "bool")
    return bool(x and y) if both else bool(x or y)


# Binary operators by how tightly they bind; `**` binds to the right.
_BINARY: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "||": (30, lambda x, y: _logical(x, y, False)),
    "&&": (60, lambda x, y: _logical(x, y, True)),
    "|": (30, operators.bit_or),
    "^": (30, operators.bit_xor),
    "&": (60, operators.bit_and),
    "==": (90, operators.eq),
    "!=": (90, operators.ne),
    "<": (130, operators.lt),
    "<=": (130, operators.le),
    ">": (130, operators.gt),
    ">=": (130, operators.ge),
    "..": (140, operators.range_exclusive),
    "..=": (140, operators.range_inclusive),
    "+": (150, operators.add),
    "-": (150, operators.sub),
    "*": (180, operators.mul),
    "/": (180, operators.div),
    "%": (180, operators.mod),
    "**": (190, operators.power),
    "<<": (210, operators.shl),
    ">>": (210, operators.shr),
}
_PREFIX = {"-": operators.neg, "+": operators.pos, "!": operators.not_}
_SYMBOLS = ("..=", "||", "&&", "**", "<<", ">>", "==", "!=", "<=", ">=", "..")


def scan(text: str) -> Any:
    """The value of a JSON text. Raises the language's syntax error."""
    scanner = _Scanner(text)
    try:
        value = scanner.expression(0, 0)
    except RecursionError:
        raise scanner.error("ExprTooDeep", "Expression exceeds maximum complexity") from None
    scanner.skip()
    if scanner.at < len(text):
        raise scanner.unexpected()
    return value


class _Scanner:
    __slots__ = ("at", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, kind: str, message: str, at: int | None = None, lex: str | None = None) -> errors.RhaiError:
        """A syntax error at a place in the text; where the scanner stands if none is given."""
        place = self.at if at is None else at
        before = self.text[:place]
        position = pack(before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1)
        error = errors.RhaiError("ErrorParsing", f"Syntax error: {message}", None, position)
        error.parse = errors.ParseError(kind, message, position, lex)
        return error

    def unexpected(self) -> errors.RhaiError:
        """What stands here cannot stand here."""
        if self.at >= len(self.text):
            return self.error("UnexpectedEOF", "Script is incomplete", len(self.text))
        found = self.text[self.at]
        if found in _LETTERS or found in _DECIMAL:
            found = self.word()
        elif found == "{":
            found = "#{"
        return self.error("BadInput", f"Unexpected '{found}'", lex="UnexpectedInput")

    def missing(self, token: str, why: str) -> errors.RhaiError:
        return self.error("MissingToken", f"Expecting '{token}' {why}")

    def too_large(self, what: str, limit: int) -> errors.RhaiError:
        return self.error("LiteralTooLarge", f"{what} exceeds the maximum limit ({limit})")

    def skip(self) -> None:
        """Go past white space and comments."""
        text, at = self.text, self.at
        size = len(text)
        while at < size:
            if text[at] in _SPACE:
                at += 1
            elif text.startswith("//", at):
                end = text.find("\n", at)
                at = size if end < 0 else end
            elif text.startswith("/*", at):
                at = self.past_comment(at)
            else:
                break
        self.at = at

    def past_comment(self, at: int) -> int:
        """The end of the block comment that starts here; comments nest."""
        text, size = self.text, len(self.text)
        depth = 1
        at += 2
        opening = closing = -1
        while depth:
            # Each search goes on where the last one of its kind ended, so that all are one pass.
            if opening < at:
                opening = text.find("/*", at)
                if opening < 0:
                    opening = size
            if closing < at:
                closing = text.find("*/", at)
                if closing < 0:
                    return size
            if opening < closing:
                depth += 1
                at = opening + 2
            else:
                depth -= 1
                at = closing + 2
        return at

    def peek(self) -> str:
        """The next character that is not space, or nothing."""
        self.skip()
        return self.text[self.at] if self.at < len(self.text) else ""

    def word(self) -> str:
        end = self.at
        text = self.text
        while end < len(text) and (text[end] in _LETTERS or text[end] in _DECIMAL):
            end += 1
        return text[self.at : end]

    def symbol(self) -> str:
        for symbol in _SYMBOLS:
            if self.text.startswith(symbol, self.at):
                return symbol
        return self.text[self.at]

    def expression(self, binding: int, depth: int) -> Any:
        """Operands joined by operators that bind at least as tightly as this."""
        if depth > MAX_DEPTH:
            raise self.error("ExprTooDeep", "Expression exceeds maximum complexity")
        left = self.operand(depth)
        while self.peek():
            symbol = self.symbol()
            known = _BINARY.get(symbol)
            if known is None or known[0] < binding:
                break
            self.at += len(symbol)
            strength, operation = known
            # Each level of a chain is one of Python's too, so it counts.
            right = self.expression(strength if symbol == "**" else strength + 1, depth + 1)
            left = operation(left, right)
        return left

    def operand(self, depth: int) -> Any:
        first = self.peek()
        if first == '"' or first == "`":
            return self.string(first)
        if first in _DECIMAL and first:
            return self.number(negative=False)
        if first == "{":
            return self.map(depth)
        if first == "[":
            return self.array(depth)
        if first == "'":
            return self.character()
        if first == "-" and self.text[self.at + 1 : self.at + 2] in _DECIMAL:
            self.at += 1
            return self.number(negative=True)
        if first in _PREFIX and self.text[self.at + 1 : self.at + 2] not in ("-", "+"):
            if depth > MAX_DEPTH:
                raise self.error("ExprTooDeep", "Expression exceeds maximum complexity")
            self.at += 1
            return _PREFIX[first](self.operand(depth + 1))
        if first == "(" and not self.text.startswith("()", self.at):
            self.at += 1
            value = self.expression(0, depth + 1)
            if self.peek() != ")":
                raise self.missing(")", "for a matching ( in this expression")
            self.at += 1
            return value
        if first == "#" and self.text[self.at + 1 : self.at + 2] in ('"', "#"):
            return self.raw_string()
        return self.named()

    def named(self) -> Any:
        """A word, or what cannot stand where a value is expected."""
        if self.text.startswith(("()", "#{"), self.at):
            symbol = self.text[self.at : self.at + 2]
            raise self.error("BadInput", f"Invalid symbol encountered: '{symbol}'", lex="ImproperSymbol")
        word = self.word()
        if word in _WORDS:
            self.at += len(word)
            return _WORDS[word]
        if not word or word in KEYWORDS:
            raise self.unexpected()
        if word == "this":
            raise self.error("BadInput", "'this' can only be used in functions", lex="ImproperSymbol")
        if word in RESERVED_WORDS:
            raise self.error("Reserved", f"'{word}' is a reserved keyword")
        if self.text.startswith("()", self.at + len(word)):
            self.at += len(word)
            return self.named()
        error = errors.variable_not_found(word)
        error.position = self.error("", "").position
        raise error

    def array(self, depth: int) -> Any:
        self.at += 1
        items: list[Any] = []
        places: list[int] = []
        while True:
            following = self.peek()
            if len(items) >= LIMITS.array:
                raise self.too_large("Size of array literal", LIMITS.array)
            if following == "]":
                break
            if not following:
                raise self.missing("]", "to end this array literal")
            places.append(self.at)
            items.append(self.expression(0, depth + 1))
            following = self.peek()
            if following == ",":
                self.at += 1
            elif not following:
                raise self.missing("]", "to end this array literal")
            elif following != "]":
                raise self.missing(",", "to separate the items of this array literal")
        self.at += 1
        return self.sized(array_of, items, places)

    def map(self, depth: int) -> Any:
        self.at += 1
        entries: dict[str, Any] = {}
        places: list[int] = []
        while self.peek() != "}":
            at = self.at
            key = self.key(first=not entries)
            if key in entries:
                message = f"Duplicated property for object map literal: {key}"
                raise self.error("DuplicatedProperty", message, at)
            if self.peek() != ":":
                raise self.missing(":", f"to follow the property '{key}' in this object map literal")
            self.at += 1
            self.skip()
            if len(entries) >= LIMITS.map:
                raise self.too_large("Number of properties in object map literal", LIMITS.map)
            places.append(self.at)
            entries[key] = self.expression(0, depth + 1)
            if self.peek() == ",":
                self.at += 1
            elif self.peek() != "}":
                raise self.missing("}", "to end this object map literal")
        self.at += 1
        return self.sized(map_of, entries, places)

    def sized(self, make: Callable[[Any], Any], parts: Any, places: list[int]) -> Any:
        """The container of these parts; if it is too large, the error points at the part that was one too many."""
        try:
            return make(parts)
        except errors.RhaiError as error:
            if error.part is not None and error.part >= 0:
                error.position = self.error("", "", places[error.part]).position
                error.part = None
            raise

    def key(self, first: bool) -> str:
        quote = self.peek()
        if quote == '"' or quote == "`":
            return self.string(quote)
        if first and (not quote or quote not in _LETTERS):
            raise self.missing("}", "to end this object map literal")
        raise self.error("PropertyExpected", "Expecting name of a property")

    def number(self, negative: bool) -> int | float:
        text, start = self.text, self.at
        radix = _RADIXES.get(text[start + 1 : start + 2].lower()) if text[start] == "0" else None
        if radix is not None:
            return self.radix_number(*radix, negative)
        end = self.past_digits(start)
        fraction = False
        following = text[end + 1 : end + 2]
        if text[end : end + 1] == "." and following and following not in _LETTERS and following != ".":
            fraction = True
            end = self.past_digits(end + 1) if following in _DECIMAL else end + 1
        if text[end : end + 1] in ("e", "E") and text[end : end + 1]:
            exponent = end + 2 if text[end + 1 : end + 2] in ("+", "-") else end + 1
            if text[exponent : exponent + 1] in _DECIMAL:
                fraction = True
                end = self.past_digits(exponent)
        digits = text[start:end].replace("_", "")
        self.at = end
        if not fraction and len(digits) < 20:
            number = -int(digits) if negative else int(digits)
            if -INT_MAX - 1 <= number <= INT_MAX:
                return number
        return -float(digits) if negative else float(digits)

    def past_digits(self, at: int) -> int:
        text = self.text
        while at < len(text) and (text[at] in _DECIMAL or text[at] == "_"):
            at += 1
        return at

    def radix_number(self, radix: int, allowed: str, negative: bool) -> int:
        start = self.at
        end = start + 2
        while end < len(self.text) and (self.text[end] in allowed or self.text[end] == "_"):
            end += 1
        digits = self.text[start + 2 : end].replace("_", "")
        number = int(digits, radix) if 0 < len(digits) <= 64 else -1
        if not 0 <= number < 1 << 64:
            raise self.error("BadInput", f"Invalid number: '{digits}'", lex="MalformedNumber")
        self.at = end
        signed = number if number <= INT_MAX else number - (1 << 64)
        return int(operators.neg(signed)) if negative else signed

    def string(self, quote: str) -> str:
        """A string in double quotes, with escapes, or in back-ticks, without; doubled quotes stand for one."""
        text = self.text
        opening = self.at
        at = opening + 1
        if quote == "`" and text.startswith(("\n", "\r\n"), at):
            at += 1 if text[at] == "\n" else 2
        parts: list[str] = []
        while True:
            end = at
            while end < len(text) and text[end] != quote and (quote == "`" or text[end] not in "\\\n"):
                end += 1
            # A line ends in a line feed, whatever stands before it in the text.
            parts.append(text[at:end].replace("\r\n", "\n"))
            if end >= len(text) or text[end] == "\n":
                raise self.error("BadInput", "Open string is not terminated", opening, "UnterminatedString")
            if text[end] == "\\":
                made, at = self.escape(end, quote)
                parts.append(made)
            elif text.startswith(quote, end + 1):
                parts.append(quote)
                at = end + 2
            else:
                self.at = end + 1
                made = "".join(parts)
                if quote == "`" and "${" in made:
                    message = "Invalid symbol encountered: 'interpolated string'"
                    raise self.error("BadInput", message, opening, "ImproperSymbol")
                return made

    def escape(self, at: int, quote: str) -> tuple[str, int]:
        """The character that an escape at this place stands for, and where it ends."""
        text = self.text
        kind = text[at + 1 : at + 2]
        if kind == quote and kind:
            return quote, at + 2
        if kind in _ESCAPES:
            return _ESCAPES[kind], at + 2
        size = _CODES.get(kind)
        digits = text[at + 2 : at + 2 + size] if size else ""
        if size and len(digits) == size and all(digit in _RADIXES["x"][1] for digit in digits):
            code = int(digits, 16)
            if code < 0x110000 and not 0xD800 <= code < 0xE000:
                return chr(code), at + 2 + size
        shown = text[at : at + 2 + len(digits)]
        last = at + max(len(shown), 1) - 1
        raise self.error("BadInput", f"Invalid escape sequence: '{shown}'", last, "MalformedEscapeSequence")

    def raw_string(self) -> str:
        """A string between quotes with the same number of `#` before and after."""
        opening = self.at
        at = opening
        while self.text.startswith("#", at):
            at += 1
        if not self.text.startswith('"', at):
            raise self.unexpected()
        closing = '"' + "#" * (at - opening)
        end = self.text.find(closing, at + 1)
        if end < 0:
            raise self.error("BadInput", "Open string is not terminated", opening, "UnterminatedString")
        self.at = end + len(closing)
        return self.text[at + 1 : end]

    def character(self) -> Any:
        opening = self.at
        text = self.text
        at = opening + 1
        if text.startswith("\\", at):
            made, at = self.escape(at, "'")
        else:
            made, at = text[at : at + 1], at + 1
        if not made or made == "'" or made == "\n" or text[at : at + 1] != "'":
            end = text.find("'", at)
            if end < 0:
                raise self.error("BadInput", "Open string is not terminated", opening, "UnterminatedString")
            shown = "" if made == "'" else text[opening + 1 : end]
            raise self.error("BadInput", f"Invalid character: '{shown}'", opening, "MalformedChar")
        self.at = at + 1
        return char(made)
