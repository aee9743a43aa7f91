"""Regular expressions on the content of files, in the dialect of scripts: linear time, within the run's time.

Owns:      compiling for RE2, bounds on a single search, and replacing.
Relies on: `trex.regex` for the dialect; google-re2, which takes time linear in the text and in the
           size of the compiled pattern, whatever they are.
Never:     falls back to an engine that can take exponential time; waits longer than the run may take.

A search is one call of C code, which nothing can interrupt, and whose time is at worst the product
of two sizes: up to 50 ns for each byte and instruction. So many lines are searched a window of
lines at a time, and a search whose product is large by itself (one very long line, a whole text)
runs in a thread of its own, which is left behind when the time of the run is over.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trex.regex import for_re2, syntax, template
from trex.texts import MAX_PATTERN, invalid_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from trex.catalogue.access import Budget

_MAX_MEMORY = 16 * 1024 * 1024  # of the compiled form, which a pattern such as `(x{1000}){1000}` inflates
_AT_ONCE = 20_000_000  # bytes times instructions: a second at the very worst, mostly a hundredth of one


def matcher(pattern: str, ignore_case: bool = False, budget: Budget | None = None) -> Callable[[bytes], object]:
    """A function that finds the pattern in a line of UTF-8; its result is true where it is found."""
    return _bounded(_compiled(pattern, ignore_case, by_line=False, groups=False), budget)


def finder(pattern: str, ignore_case: bool = False, budget: Budget | None = None) -> Callable[[bytes, int], Any]:
    """A function that finds the pattern in any of many lines, from a position on; its result has a `start`.

    What it finds is inside one line, as if that line were alone. The position is the start of a line.
    """
    return finder_of(_compiled(pattern, ignore_case, by_line=True, groups=False), budget)


def finder_of(expression: Any, budget: Budget | None = None) -> Callable[[bytes, int], Any]:
    """As `finder`, of an expression that was compiled to be searched for in each of many lines."""
    search = _bounded(expression, budget)
    window = _AT_ONCE // expression.programsize

    def find(text: bytes, position: int) -> Any:
        size = len(text)
        while size - position > window:
            end = text.find(b"\n", position + window)
            if end < 0:
                break
            # Without the line's end: behind it the next line would look like an empty one.
            found = search(text, position, end)
            if found is not None:
                return found
            position = end + 1
            if budget is not None:
                budget.check_time()
        return search(text, position)

    return find


def replaced(text: str, pattern: str, replacement: str, replace_all: bool, budget: Budget) -> str:
    """The text with the replacement in place of the first match, or of all; `$1` and `${name}` are groups.

    The pattern is searched for in the text as a whole. What the text grows by counts as read by the script.
    """
    parsed = _parsed(pattern, False)
    pieces = template.parse(replacement, parsed.groups, parsed.names)
    wants_groups = any(type(piece) is int and piece for piece in pieces)
    search = _bounded(_compiled(pattern, False, by_line=False, groups=wants_groups), budget)
    parts = [piece.encode() if type(piece) is str else piece for piece in pieces]
    content = text.encode()
    made = bytearray()
    position = after = 0  # where to search next, and where what was not copied yet starts
    last_end = -1
    grown = counted = 0
    for count in range(len(content) + 1):
        found = search(content, position)
        if found is None:
            break
        start, end = found.span()
        if start == end == last_end:  # an empty match right behind the last one is none
            position = _next_character(content, position)
            if position > len(content):
                break
            continue
        new = [part if type(part) is bytes else found[part] or b"" for part in parts]
        grown += sum(map(len, new)) - (end - start)
        if grown > counted:
            budget.read(grown - counted)
            counted = grown
        made += content[after:start]
        for piece in new:
            made += piece
        after = last_end = end
        position = end if start < end else _next_character(content, end)
        if not replace_all or position > len(content):
            break
        if not count & 0xFF:
            budget.check_time()
    made += content[after:]
    return made.decode()


def _next_character(content: bytes, position: int) -> int:
    position += 1
    while position < len(content) and content[position] & 0xC0 == 0x80:
        position += 1
    return position


def _bounded(expression: Any, budget: Budget | None) -> Callable[..., Any]:
    """The expression's `search`, within the run's time."""
    search, instructions = expression.search, expression.programsize
    if budget is None:
        return search  # type: ignore[no-any-return]  # of an untyped library
    at_once = _AT_ONCE // instructions

    def find(text: bytes, position: int = 0, end: int | None = None) -> Any:
        if (len(text) if end is None else end) - position <= at_once:
            return search(text, position, end)
        return _in_a_thread(search, text, position, end, budget)

    return find


def _in_a_thread(search: Callable[..., Any], text: bytes, position: int, end: int | None, budget: Budget) -> Any:
    from threading import Thread

    found: list[Any] = []
    thread = Thread(target=lambda: found.append(search(text, position, end)), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.02)
        budget.check_time()  # also notices that the run was asked to stop
    return found[0]


@lru_cache(maxsize=32)
def _compiled(pattern: str, ignore_case: bool, by_line: bool, groups: bool) -> Any:
    try:
        return compiled(_parsed(pattern, ignore_case), by_line, groups)
    except CannotBeCompiled as error:
        raise invalid_pattern(pattern, str(error)) from None


class CannotBeCompiled(ValueError):
    """The pattern parses, but RE2 cannot do it, or it becomes too large."""


def compiled(pattern: syntax.Pattern, by_line: bool, groups: bool, memory: int = _MAX_MEMORY) -> Any:
    """The expression for a pattern. `by_line`: to be searched for in each of many lines."""
    import re2  # type: ignore[import-untyped]  # it has no stubs

    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    options.never_capture = not groups
    options.never_nl = by_line  # not even a class such as `[^a]` matches the end of a line
    try:
        return re2.compile(for_re2.write(pattern, by_line), options=options)
    except for_re2.CannotBeWritten as error:
        raise CannotBeCompiled(str(error)) from None
    except re2.error as error:
        reason = error.args[0] if error.args else "it does not parse"
        raise CannotBeCompiled(reason.decode() if isinstance(reason, bytes) else str(reason)) from None


@lru_cache(maxsize=32)
def _parsed(pattern: str, ignore_case: bool) -> syntax.Pattern:
    if len(pattern) > MAX_PATTERN:
        raise invalid_pattern(pattern[:64] + "…", f"longer than {MAX_PATTERN} characters")
    try:
        return syntax.parse(pattern, ignore_case)
    except syntax.PatternInvalid as error:
        raise invalid_pattern(pattern, str(error)) from None
