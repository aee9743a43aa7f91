"""Redacted reading: of a file that may not be read, the lines that the operator's dictionary knows.

Owns:      the dictionary, its syntax, and `RedactedContent`, which gives what is shown and nothing else.
Relies on: the gate, which has the dictionary of the run; RE2 for matching.
Never:     lets a line of the file reach anything but the dictionary: whoever searches, counts or
           replaces is given the shown text, so that what is hidden cannot be asked about. Asks the
           policy about the dictionary: it is the operator's, not the script's.

A line of the dictionary is a format as programs print it, such as `User %s logged in from port %d`.
A line of the file is shown if it is such a text from its start to its end; all of it is replaced by
`[REDACTED]` otherwise. Everything but the specifiers stands for itself: no character is special.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from trex.host import files
from trex.resources import failures
from trex.resources.content import Content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.catalogue.access import Budget, Redaction
    from trex.host.files import Identity

MARKER = b"[REDACTED]"

MAX_SIZE = 1024 * 1024
_MAX_MEMORY = 64 * 1024 * 1024  # of the compiled form: the operator's own text, whatever its size

# Between `%` and the letter: flags, width, precision, and the length of integers.
_SKIPPED = frozenset("0123456789#- +.*zl")
_SPECIFIERS = {"s": r"\S+", "d": r"-?\d+", "u": r"\d+", "m": ".*?"}


def expression_of(line: str) -> str | None:
    """The regular expression for a line of the dictionary; None if it is empty, a comment or of no known form."""
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    pieces: list[str] = []
    position = 0
    while position < len(line):
        character = line[position]
        position += 1
        if character != "%":
            pieces.append(_literal(character))
            continue
        while position < len(line) and line[position] in _SKIPPED:
            position += 1
        if position == len(line):
            break  # a lone `%` at the end says nothing
        found = _SPECIFIERS.get(line[position])
        if found is None:
            return None
        pieces.append(found)
        position += 1
    return "".join(pieces)


def _literal(character: str) -> str:
    plain = character.isalnum() or not character.isascii() or character == "_"
    return character if plain else "\\x{" + f"{ord(character):x}" + "}"


class Dictionary:
    """The dictionary of a run; read when it is first needed, and then kept."""

    __slots__ = ("_expression", "_identity", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._identity: Identity | None = None
        self._expression: Any = None

    def load(self) -> None:
        """Read it, unless that is done. Raises what scripts see where it cannot be read."""
        if self._identity is not None:
            return
        text, identity = self._read()
        expressions = list(filter(None, map(expression_of, text.splitlines())))
        self._expression = self._compiled(expressions) if expressions else None
        self._identity = identity

    def is_itself(self, identity: Identity) -> bool:
        """Whether that file is the dictionary, whatever name led to it."""
        return identity == self._identity

    def shown(self, lines: bytes, budget: Budget) -> bytes:
        """Whole lines, with all that may not be seen replaced; each ends in a line end."""
        text = lines.replace(b"\r\n", b"\n").removesuffix(b"\r")
        if not text.endswith(b"\n"):
            text += b"\n"
        hidden = MARKER + b"\n"
        if self._expression is None:
            return hidden * text.count(b"\n")
        from trex.resources.patterns import finder_of

        find = finder_of(self._expression, budget)
        pieces: list[bytes] = []
        after, size = 0, len(text)
        while after < size:
            found = find(text, after)
            start = found.start() if found is not None else size
            pieces.append(hidden * text.count(b"\n", after, start))
            if start == size:
                break
            end = text.index(b"\n", start) + 1
            pieces.append(text[start:end])
            after = end
        return b"".join(pieces)

    def _read(self) -> tuple[str, Identity]:
        try:
            number = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise self._unusable(failures.os_text(error)) from None
        with files.Descriptor(number) as descriptor:
            found = files.status(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise self._unusable("it is no regular file")
            theirs = found.st_uid not in (0, os.geteuid()) or found.st_mode & stat.S_IWOTH
            if theirs or (found.st_mode & stat.S_IWGRP and found.st_gid not in (0, os.getegid())):
                raise self._unusable("somebody other than the operator may write it")
            if found.st_size > MAX_SIZE:
                raise self._unusable(f"it is larger than {MAX_SIZE} bytes")
            try:
                text = files.read_at(descriptor, MAX_SIZE, 0).decode()
            except UnicodeDecodeError:
                raise self._unusable("stream did not contain valid UTF-8") from None
            return text, files.identity(found)

    def _unusable(self, reason: str) -> Exception:
        directory = os.path.dirname(self.path) or "."
        if not os.path.isdir(directory):
            text = f"Directory error: Failed to open redaction dictionary directory: {reason}: {directory}"
            return failures.failure("DirectoryError", text)
        text = f"File error: Failed to open redaction dictionary file: {reason}: {self.path}"
        return failures.failure("FileError", text)

    def _compiled(self, expressions: list[str]) -> Any:
        from trex.regex.syntax import parse
        from trex.resources.patterns import CannotBeCompiled, compiled

        pattern = "^(?:" + "|".join(expressions) + ")$"
        try:
            return compiled(parse(pattern), by_line=True, groups=False, memory=_MAX_MEMORY)
        except CannotBeCompiled:
            raise self._unusable("it is too large to be compiled") from None


class RedactedContent(Content):
    """What is shown of a file that may be read redacted."""

    __slots__ = ("_redaction", "_source")

    def __init__(self, source: Content, redaction: Redaction, budget: Budget) -> None:
        super().__init__(budget)
        self._source, self._redaction = source, redaction

    def blocks(self) -> Iterator[bytes]:
        """The shown lines, many at a time."""
        for lines in self._source.chunks():
            yield self._redaction.shown(lines, self.budget)

    def text(self) -> str:
        """All that is shown; the last line has no end."""
        pieces: list[bytes] = []
        for block in self.blocks():
            self.budget.read(len(block))
            pieces.append(block)
        return self.decoded(b"".join(pieces).removesuffix(b"\n"))


def dictionary_itself() -> Exception:
    """What scripts see when they would read the dictionary redacted by itself."""
    return failures.unsupported("Trying to redacted_read the redaction dictionary is not supported/allowed")
