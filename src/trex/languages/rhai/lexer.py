"""Text to tokens.

Owns:  where one token ends and the next begins, escapes in strings, numbers, positions.
Never: fails: what is no token becomes an `ERROR` token, at which the parser stops if it gets that far,
       so that the first mistake in the text is the one reported.

The whole text is cut at once, in time and space linear in its length. An interpolated string comes as
`FRAGMENT`s and a final `STRING`, with the tokens of each `${ .. }` block between them, braces included.
"""

from __future__ import annotations

import re
from typing import Any

from trex.languages.rhai.positions import NOWHERE, pack
from trex.languages.rhai.tokens import (
    BEFORE_SIGN,
    CALLABLE_WORDS,
    CHARACTER,
    END,
    ERROR,
    FLOAT,
    FOREIGN_SYMBOLS,
    FRAGMENT,
    IDENTIFIER,
    INTEGER,
    KEYWORDS,
    RESERVED,
    RESERVED_WORDS,
    STRING,
    SYMBOLS,
)
from trex.languages.rhai.values import char
from trex.values import INT_MAX, INT_MIN

_SYMBOL = "|".join(
    re.escape(symbol) for symbol in sorted((SYMBOLS | set(FOREIGN_SYMBOLS)) - {"!in"}, key=len, reverse=True)
)
# Comments and strings come before symbols; the groups are told apart by `lastindex`.
_TOKEN = re.compile(
    r"[ \t\r\f]*(?:"
    r"([A-Za-z_][A-Za-z0-9_]*)"  # 1 word
    r"|(\n)"  # 2
    r"|([0-9])"  # 3 start of a number
    r'|"([^"\\\r\n]*)"(?!")'  # 4 plain string
    r"|(//|/\*)"  # 5 comment
    r"|(!in(?![A-Za-z0-9_]))"  # 6
    r"|([\"`']|\#[\"#])"  # 7 start of any other literal
    rf"|({_SYMBOL})"  # 8
    r"|(\Z)"  # 9
    r")"
)
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F_]*|0[oO][0-7_]*|0[bB][01_]*"
    r"|[0-9][0-9_]*"
    r"(?:\.(?:[0-9][0-9_]*|(?=[^0-9A-Za-z_.])))?"
    r"(?:[eE](?:[+-][0-9_]*|(?=[0-9])[0-9_]*))?"
)
_LINE_COMMENT = re.compile(r"[^\r\n]*(?:\r\n?|\n)?")
_BLOCK_MARK = re.compile(r"/\*|\*/")
_PLAIN = {'"': re.compile(r'[^"\\\r\n]+'), "'": re.compile(r"[^'\\\r\n]+"), "`": re.compile(r"[^`$\r]+")}
_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}


class _Failed(Exception):
    """A literal that is none: (lexical kind, message), offset."""

    def __init__(self, kind: str, message: str, at: int) -> None:
        super().__init__(message)
        self.error = (kind, message)
        self.at = at


class Tokens:
    """The tokens of a text as three parallel lists; the last one is `END` or `ERROR`."""

    __slots__ = ("kinds", "positions", "values")

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.values: list[Any] = []
        self.positions: list[int] = []


class _Lexer:
    def __init__(self, text: str, disabled: frozenset[str], max_string: int) -> None:
        self.text = text
        self.disabled = disabled
        self.max_string = max_string
        self.line = 1
        self.line_start = 0

    def position(self, at: int) -> int:
        return pack(self.line, at - self.line_start + 1)

    def new_line(self, at: int) -> None:
        """The next line starts at this offset."""
        self.line += 1
        self.line_start = at

    def run(self) -> Tokens:
        text = self.text
        tokens = Tokens()
        kinds, values, positions = tokens.kinds, tokens.values, tokens.positions
        match = _TOKEN.match
        disabled = self.disabled
        braces: list[int] = []  # open braces inside each `${` that is being read
        depth = 0
        previous = ";"
        at = 0
        while True:
            m = match(text, at)
            if m is None:
                at = _skip_blanks(text, at)
                self.fail(tokens, "UnexpectedInput", f"Unexpected '{text[at]}'", at)
                return tokens
            group = m.lastindex or 0
            start = m.start(group) - (group == 4)
            at = m.end()
            position = self.line << 20 | min(start - self.line_start + 1, 0xFFFFF)
            value: Any = None
            if group == 1:
                word = m[1]
                if word in KEYWORDS:
                    kind = word
                    if word in disabled:
                        kind, value = RESERVED, word
                elif word == "_":
                    kind = "_"
                elif word in RESERVED_WORDS:
                    kind, value = RESERVED, word
                    if word in disabled:
                        self.fail(tokens, "ImproperSymbol", f"reserved keyword '{word}' is disabled", start)
                        return tokens
                else:
                    if word[0] == "_" and not word.lstrip("_")[:1].isalpha():
                        self.fail(tokens, "MalformedIdentifier", f"Variable name is not proper: '{word}'", start)
                        return tokens
                    kind, value = IDENTIFIER, word
            elif group == 2:
                self.line += 1
                self.line_start = at
                continue
            elif group == 8:
                kind = m[8]
                if kind in FOREIGN_SYMBOLS:
                    if kind in ("#", "#!"):
                        at = start + 1
                    message = FOREIGN_SYMBOLS[kind]
                    if not message and kind in disabled:
                        message = f"reserved symbol '{kind}' is disabled"
                    if message:
                        self.fail(tokens, "ImproperSymbol", message, start)
                        return tokens
                    kind, value = RESERVED, kind
                elif kind == "-" and previous in BEFORE_SIGN and text[at : at + 1].isdigit() and text[at].isascii():
                    kind, value, at = self.number(at, "-")
                    if kind == ERROR:
                        self.fail(tokens, value[0], value[1], start)
                        return tokens
                elif braces:
                    if kind == "{" or kind == "#{":
                        depth += 1
                    elif kind == "}":
                        depth -= 1
                        if depth == 0:
                            kinds.append(kind)
                            values.append(None)
                            positions.append(position)
                            depth = braces.pop()
                            try:
                                kind, value, at, position = self.rest_of_backtick(at)
                            except _Failed as failed:
                                where = self.position(failed.at) if failed.at >= 0 else NOWHERE
                                self.fail_at(tokens, failed.error, where)
                                return tokens
                            if kind == FRAGMENT:
                                braces.append(depth)
                                depth = 0
                if kind in disabled:
                    kind, value = RESERVED, kind
            elif group == 3:
                kind, value, at = self.number(start, "")
                if kind == ERROR:
                    self.fail(tokens, value[0], value[1], start)
                    return tokens
            elif group == 4:
                kind, value = STRING, m[4]
                if self.max_string and len(value.encode()) > self.max_string:
                    self.fail_at(tokens, self.too_long(start).error, position)
                    return tokens
            elif group == 5:
                if m[5] == "//":
                    end = _LINE_COMMENT.match(text, at)
                    assert end is not None
                    at = end.end()
                    if text[at - 1] in "\r\n" and at > start + 2:
                        self.new_line(at)
                else:
                    at = self.block_comment(at)
                continue
            elif group == 6:
                kind = "!in"
            elif group == 7:
                try:
                    kind, value, at = self.literal(start, m[7])
                except _Failed as failed:
                    self.fail(tokens, *failed.error, failed.at) if failed.at >= 0 else self.fail_at(
                        tokens, failed.error, position
                    )
                    return tokens
                if kind == FRAGMENT:
                    braces.append(depth)
                    depth = 0
            else:
                kinds.append(END)
                values.append(None)
                positions.append(self.position(start))
                return tokens
            kinds.append(kind)
            values.append(value)
            positions.append(position)
            previous = kind

    def fail(self, tokens: Tokens, kind: str, message: str, at: int) -> None:
        """What stands at this offset is no token."""
        self.fail_at(tokens, (kind, message), self.position(at))

    def fail_at(self, tokens: Tokens, error: tuple[str, str], position: int) -> None:
        tokens.kinds.append(ERROR)
        tokens.values.append(error)
        tokens.positions.append(position)

    def too_long(self, at: int) -> _Failed:
        return _Failed("StringTooLong", f"Length of string exceeds the maximum limit ({self.max_string})", at)

    def number(self, at: int, sign: str) -> tuple[str, Any, int]:
        """A number at this offset: kind, value, end."""
        m = _NUMBER.match(self.text, at)
        assert m is not None
        digits = m[0].replace("_", "")
        end = m.end()
        second = digits[1:2]
        if second and second in "xXoObB":
            body = digits[2:]
            base = 16 if second in "xX" else 8 if second in "oO" else 2
            if not body or sign or len(body.lstrip("0")) > 64 or int(body, base) >= 1 << 64:
                return ERROR, ("MalformedNumber", f"Invalid number: '{digits[1:] if sign else body}'"), end
            number = int(body, base)
            return INTEGER, number - (1 << 64) if number > INT_MAX else number, end
        if digits.isdigit():
            # Longer ones are beyond 64 bits whatever their digits.
            if len(digits) <= 40 or len(digits.lstrip("0")) <= 40:
                number = int(sign + (digits.lstrip("0") or "0"))
                if INT_MIN <= number <= INT_MAX:
                    return INTEGER, number, end
            return FLOAT, float(sign + digits), end
        try:
            return FLOAT, float(sign + digits), end
        except ValueError:
            return ERROR, ("MalformedNumber", f"Invalid number: '{sign}{digits.lower()}'"), end

    def block_comment(self, at: int) -> int:
        """The end of a block comment whose opening is behind; nesting counts; an open one reaches the end."""
        text = self.text
        start = at
        level = 1
        while level:
            m = _BLOCK_MARK.search(text, at)
            if m is None:
                at = len(text)
                break
            level += 1 if m[0] == "/*" else -1
            at = m.end()
        lines = text.count("\n", start, at)
        if lines:
            self.line += lines
            self.line_start = text.rfind("\n", start, at) + 1
        return at

    def literal(self, start: int, opening: str) -> tuple[str, Any, int]:
        """A string or character that is not the plain case."""
        text = self.text
        if opening[0] == "#":
            return self.raw_string(start)
        if opening == "`":
            at = start + 1
            opened = self.position(start)
            if text.startswith("\r\n", at):
                at += 2
                self.new_line(at)
            elif text[at : at + 1] in ("\r", "\n"):
                at += 1
                self.new_line(at)
            # The literal's own position stays where it started; only what follows moves.
            kind, value, at, _ = self.backtick(at, start, opened)
            return kind, value, at
        if opening == "'":
            if text.startswith("'", start + 1):
                raise _Failed("MalformedChar", "Invalid character: ''", start)
            value, at = self.quoted(start, "'")
            if len(value) != 1:
                raise _Failed("MalformedChar", f"Invalid character: '{value}'", start)
            return CHARACTER, char(value), at
        value, at = self.quoted(start, '"')
        return STRING, value, at

    def quoted(self, start: int, quote: str) -> tuple[str, int]:
        """The text of a `"..."` or `'...'` literal and the offset behind it."""
        text = self.text
        pieces: list[str] = []
        size = 0
        at = start + 1
        plain = _PLAIN[quote]
        column = start - self.line_start + 1
        while True:
            m = plain.match(text, at)
            if m is not None:
                pieces.append(m[0])
                at = m.end()
                if self.max_string:
                    size += len(m[0].encode())
                    if size > self.max_string:
                        raise self.too_long(-1)
            if at >= len(text):
                raise _Failed("UnterminatedString", "Open string is not terminated", -1)
            c = text[at]
            if c == quote:
                if text.startswith(quote, at + 1):
                    pieces.append(quote)
                    at += 2
                    continue
                value = "".join(pieces)
                if self.max_string and len(value.encode()) > self.max_string:
                    raise self.too_long(-1)
                return value, at + 1
            if c == "\r":
                if not text.startswith("\n", at + 1):
                    pieces.append(c)
                at += 1
                continue
            if c == "\n":
                raise _Failed("UnterminatedString", "Open string is not terminated", -1)
            escape = text[at + 1 : at + 2]
            if escape in _ESCAPES:
                pieces.append(_ESCAPES[escape])
                at += 2
            elif escape == quote:
                pieces.append(quote)
                at += 2
            elif escape in _HEX_ESCAPES:
                digits = text[at + 2 : at + 2 + _HEX_ESCAPES[escape]]
                pieces.append(self.code_point(escape, digits, at))
                at += 2 + len(digits)
            elif quote == '"' and (escape == "\n" or text.startswith("\r\n", at + 1)):
                at += 2 if escape == "\n" else 3
                self.new_line(at)
                while at < len(text) and text[at].isspace() and text[at] != "\n" and at - self.line_start + 1 <= column:
                    at += 1
            elif not escape:
                raise _Failed("UnterminatedString", "Open string is not terminated", -1)
            else:
                raise _Failed("MalformedEscapeSequence", f"Invalid escape sequence: '\\{escape}'", at + 1)

    def code_point(self, escape: str, digits: str, at: int) -> str:
        for index, digit in enumerate(digits):
            if digit not in "0123456789abcdefABCDEF":
                sequence = f"\\{escape}{digits[: index + 1]}"
                raise _Failed("MalformedEscapeSequence", f"Invalid escape sequence: '{sequence}'", at + 2 + index)
        end = at + 1 + len(digits)
        if len(digits) == _HEX_ESCAPES[escape]:
            number = int(digits, 16)
            if number < 0xD800 or 0xDFFF < number < 0x110000:
                return chr(number)
        raise _Failed("MalformedEscapeSequence", f"Invalid escape sequence: '\\{escape}{digits}'", end)

    def raw_string(self, start: int) -> tuple[str, str, int]:
        text = self.text
        hashes = 0
        while text.startswith("#", start + hashes):
            hashes += 1
        begin = start + hashes + 1
        if begin > len(text):
            raise _Failed("UnterminatedString", "Open string is not terminated", -1)
        if text[begin - 1] != '"':
            raise _Failed("UnexpectedInput", f"Unexpected '{text[begin - 1]}'", -1)
        end = text.find('"' + "#" * hashes, begin)
        if end < 0:
            raise _Failed("UnterminatedString", "Open string is not terminated", -1)
        value = text[begin:end]
        if self.max_string and len(value.encode()) > self.max_string:
            raise self.too_long(-1)
        self.count_lines(begin, end)
        return STRING, value, end + 1 + hashes

    def count_lines(self, begin: int, end: int) -> None:
        lines = self.text.count("\n", begin, end)
        if lines:
            self.line += lines
            self.line_start = self.text.rfind("\n", begin, end) + 1

    def backtick(self, at: int, start: int, opened: int) -> tuple[str, str, int, int]:
        """A piece of a back-tick string: kind, text, end, position of the piece. `opened`: that of its start.

        It ends at the closing back-tick (`STRING`) or behind the `$` of `${` (`FRAGMENT`).
        """
        text = self.text
        position = self.position(at)
        begin = at
        pieces: list[str] = []
        plain = _PLAIN["`"]
        while True:
            m = plain.match(text, at)
            if m is not None:
                pieces.append(m[0])
                at = m.end()
            if at >= len(text):
                failed = _Failed("UnterminatedString", "Open string is not terminated", at)
                # A piece behind an interpolation that starts with two back-ticks is taken to start at the second.
                doubled = text[begin - 1] == "}" and text.startswith("``", begin)
                self.line, self.line_start = opened >> 20, at - (opened & 0xFFFFF) + 1 - doubled
                raise failed
            c = text[at]
            if c == "`":
                if text.startswith("`", at + 1):
                    pieces.append("`")
                    at += 2
                    continue
                kind = STRING
                break
            if c == "$":
                if text.startswith("{", at + 1):
                    if pieces and pieces[-1].endswith("\\"):
                        # `\${` is a literal `${`.
                        pieces[-1] = pieces[-1][:-1]
                        pieces.append("${")
                        at += 2
                        continue
                    kind = FRAGMENT
                    break
                pieces.append(c)
            elif not text.startswith("\n", at + 1):
                pieces.append(c)
            at += 1
        value = "".join(pieces)
        if self.max_string and len(value.encode()) > self.max_string:
            # A piece behind `${ .. }` is reported at the closing brace.
            raise self.too_long(start - 1 if start == begin else -1)
        self.count_lines(begin, at)
        return kind, value, at + 1, position

    def rest_of_backtick(self, at: int) -> tuple[str, str, int, int]:
        if at >= len(self.text):
            # Nothing is left to point at.
            raise _Failed("UnterminatedString", "Open string is not terminated", -1)
        return self.backtick(at, at, self.position(at))


def _skip_blanks(text: str, at: int) -> int:
    while text[at] in " \t\r\f":
        at += 1
    return at


def tokenize(text: str, disabled: frozenset[str] = frozenset(), max_string: int = 0) -> Tokens:
    """All tokens of a text.

    disabled:   words and symbols that are switched off.
    max_string: bytes that a string literal may have; 0 is no limit.
    """
    return _Lexer(text, disabled, max_string).run()


__all__ = ["CALLABLE_WORDS", "Tokens", "tokenize"]
