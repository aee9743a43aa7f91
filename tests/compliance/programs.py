"""Files of small programs: how they are written, and how they become requests of the eval protocol.

Owns:      the file format.
Relies on: `notation` for expected values.
Never:     runs a program.

A file holds programs split by lines that read `---`. In a program

* lines at the top that start with `//#` are a title; it also serves the following programs up to the next title;
* lines at the top that start with `//:` hold a JSON object that is merged into the request (`limits`, `scope`,
  `call` ..., also `script` for text that does not survive an editor, such as control characters);
* a comment at the end of the last line states what must come out:
  `//=> value` in the notation of `notation`, or `//!> Kind: part of the message`, with the innermost kind.

Titles, request lines and the expectation are no part of the script, so positions count from its own first line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .notation import Typed, parse

MARKER = re.compile(r"[ \t]*//(?P<sort>[=!])> ?(?P<text>[^\n]*)\Z")


class Expectation(NamedTuple):
    """What a program must give: a value, or an error of a kind with a part of its message."""

    value: Typed | None
    kind: str | None = None
    message: str = ""


class Program(NamedTuple):
    """One program of a file."""

    topic: str
    title: str
    request: dict[str, Any]
    expectation: Expectation | None

    @property
    def digest(self) -> str:
        """A short name that stays the same when programs move, and changes when the request does."""
        return digest(self.request)


def digest(request: dict[str, Any]) -> str:
    """The first digits of the hash of a request."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def load(path: Path) -> Iterator[Program]:
    """The programs of a file, in order."""
    title = ""
    for block in re.split(r"(?m)^---\n", path.read_text("utf-8")):
        lines = block.strip("\n").split("\n")
        new_title: list[str] = []
        request: dict[str, Any] = {}
        while lines and lines[0].startswith(("//#", "//:")):
            line = lines.pop(0)
            if line.startswith("//#"):
                new_title.append(line[3:].strip())
            else:
                request |= json.loads(line[3:])
        title = " ".join(new_title) or title
        text = "\n".join(lines)
        expectation = None
        if marker := MARKER.search(text):
            text = text[: marker.start()]
            expectation = _expectation(marker["sort"], marker["text"].strip())
        if not text and "script" not in request:
            raise ValueError(f'{path}: an empty program after {title!r}; write it as //: {{"script": ""}}')
        yield Program(path.stem, title, {"script": text} | request, expectation)


def load_all(folder: Path) -> Iterator[Program]:
    """The programs of every file of a folder, by file name."""
    for path in sorted(folder.glob("*.rhai")):
        yield from load(path)


def _expectation(sort: str, text: str) -> Expectation:
    if sort == "=":
        return Expectation(parse(text))
    kind, _, message = text.partition(":")
    return Expectation(None, kind.strip(), message.strip())
