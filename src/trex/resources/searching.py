"""Lines that match a pattern, or that do not, with their numbers.

Owns:      finding them in many lines at once, and falling back to one line at a time.
Relies on: `Content` for whole lines, `patterns` for the expressions.
Never:     keeps a line: what is found is the caller's to keep and to count.

A call of the expression costs about a microsecond, whatever the size of the text: so it is asked
for its next match in a whole chunk of lines, and the line around the match is cut out. Where the
text is not valid UTF-8, it is asked line by line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trex.resources.content import split_lines
from trex.resources.patterns import finder, matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trex.resources.content import Content


def matching(
    content: Content, pattern: str, ignore_case: bool = False, invert: bool = False
) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that matches; with `invert`, of each that does not.

    The pattern is compiled before the first line is read. Every line up to the last one that is
    taken must be UTF-8.
    """
    by_line = matcher(pattern, ignore_case, content.budget)
    in_chunk = finder(pattern, ignore_case, content.budget)
    return _matching(content, by_line, in_chunk, invert)


def _matching(
    content: Content,
    by_line: Callable[[bytes], object],
    in_chunk: Callable[[bytes, int], Any],
    invert: bool,
) -> Iterator[tuple[int, bytes]]:
    number = 1  # of the first line of the chunk
    for chunk in content.chunks():
        if not _is_utf8(chunk):
            lines = split_lines(chunk)
            for line in lines:
                content.decoded(line)
                if bool(by_line(line)) is not invert:
                    yield number, line
                number += 1
            continue
        text = chunk
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
            if text.endswith(b"\r"):  # the last line of all
                text = text[:-1] + b"\n"
        size = len(text)
        after = 0  # where the line after the last match starts
        while after < size:
            found = in_chunk(text, after)
            position = found.start() if found is not None else size
            if position == size and (found is None or text.endswith(b"\n")):
                break
            start = text.rfind(b"\n", after, position) + 1 or after
            if invert:
                for line in text[after:start].split(b"\n")[:-1]:
                    yield number, line
                    number += 1
            else:
                number += text.count(b"\n", after, start)
            end = text.find(b"\n", position)
            if end < 0:
                end = size
            if not invert:
                yield number, text[start:end]
            number += 1
            after = end + 1
        if invert:
            rest = text[after:].split(b"\n")
            if not rest[-1]:
                rest.pop()
            for line in rest:
                yield number, line
                number += 1
        else:
            number += text.count(b"\n", after)


def _is_utf8(chunk: bytes) -> bool:
    if chunk.isascii():
        return True
    try:
        chunk.decode()
    except UnicodeDecodeError:
        return False
    return True
