"""What scripts do with text and numbers alone: replace, split, count up. No host is asked.

Owns:      `replaced`, `split`, `numbers`; what they give and what they refuse.
Relies on: the process that calls: their cost is the script's choice, so they run in the worker, which
           has loaded `trex.regex` before it was locked. The broker only splits.
Never:     holds state; sees a file.
"""

from __future__ import annotations

from functools import lru_cache

from trex.errors import OperationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from trex.regex import syntax

FAMILY = "IoErrorKind"
MAX_PATTERN = 64 * 1024


def split(text: str, delimiter: str) -> list[str]:
    """The parts between the delimiters; without a delimiter each character, and nothing at both ends."""
    return text.split(delimiter) if delimiter else ["", *text, ""]


def numbers(start: int, end: int, step: int) -> range:
    """The numbers from `start` to `end`, both included; downwards if `step` is negative."""
    if not step:
        raise OperationError(FAMILY, "InvalidArguments", "Invalid arguments: seq: step cannot be zero")
    return range(start, end + (1 if step > 0 else -1), step)


def replaced(text: str, old: str, new: str, is_regex: bool, replace_all: bool) -> str:
    """The text with `new` in place of the first `old`, or of all; a regular expression if so told."""
    if not is_regex:
        return text.replace(old, new) if replace_all else text.replace(old, new, 1)
    from trex.regex import template

    pattern, parsed = _compiled(old, text.isascii())
    pieces = template.parse(new, parsed.groups, parsed.names)
    found: list[str] = []
    position = after = 0  # where to search next, and where what was not copied yet starts
    last_end = -1
    while position <= len(text):
        match = pattern.search(text, position)
        if match is None:
            break
        start, end = match.span()
        if start == end == last_end:  # an empty match right behind the last one is none
            position += 1
            continue
        found.append(text[after:start])
        found += [piece if type(piece) is str else match[piece] or "" for piece in pieces]
        after = last_end = position = end
        if not replace_all:
            break
        if start == end:
            position += 1
    found.append(text[after:])
    return "".join(found)


@lru_cache(maxsize=32)
def _compiled(pattern: str, ascii: bool) -> tuple[re.Pattern[str], syntax.Pattern]:
    import re

    from trex.regex import for_python, syntax

    if len(pattern) > MAX_PATTERN:
        raise invalid_pattern(pattern[:64] + "…", f"longer than {MAX_PATTERN} characters")
    try:
        parsed = syntax.parse(pattern)
        return re.compile(for_python.write(parsed, ascii and pattern.isascii())), parsed
    except (syntax.PatternInvalid, for_python.CannotBeWritten, re.error, OverflowError) as error:
        raise invalid_pattern(pattern, str(error)) from None


def invalid_pattern(pattern: str, reason: str) -> OperationError:
    """What scripts see of a text that is no pattern."""
    return OperationError(FAMILY, "ValidationError", f"Validation error: Invalid regex pattern: '{pattern}' - {reason}")
