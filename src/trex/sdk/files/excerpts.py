"""Parts of a file, and a file with parts replaced: tail, sed.

Owns:      what each command gives for what it was given.
Relies on: `trex.resources` to open and authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import Alias, Takes
from trex.resources.failures import invalid_arguments
from trex.resources.lines import selected
from trex.resources.named import ReadableFile
from trex.resources.shown import FileEdited


@CATALOGUE.flag_set("tail", "TailFlag")
class TailFlags(Struct, frozen=True):
    """Which lines `tail` gives; without any flag, the last ten."""

    n: Annotated[int | None, "so many lines: the last ones, or with `from` those that start there", Takes("count")] = (
        None
    )
    from_: Annotated[int | None, "all lines from this one on", Takes("line")] = None
    range: Annotated[
        tuple[int, int] | None, "the lines from the first to the last, both included", Takes("first"), Takes("last")
    ] = None


_LAST = 10


@CATALOGUE.operation("tail")
def tail(flags: Annotated[TailFlags, "which lines"], file: Annotated[ReadableFile, "the file"]) -> list[str]:
    """Give the last lines of a file, without their ends.

    With `from`, a positive `n` gives so many lines from there, a negative one so many that end there.
    `n` and `from` change what `range` says; a range that ends before it starts has no lines.

    tail([tail::n(5)], "/var/log/syslog")
    """
    count, start = flags.n, flags.from_
    if flags.range is not None:
        first, last = flags.range
        start = first if start is None else start
        if count is None:
            count = max(0, last - first + 1)
    if start is None:
        return selected(file, -abs(_LAST if count is None else count), None)
    if start < 1:
        raise invalid_arguments(
            f"Invalid line to start reading from: must be a positive integer greater than 1 (>= 1): {start}"
        )
    return selected(file, count, start)


@CATALOGUE.flag_set("sed", "SedFlag")
class SedFlags(Struct, frozen=True):
    """What `sed` replaces, and whether it changes the file."""

    regex: Annotated[bool, "what is replaced is a regular expression"] = False
    all: Annotated[bool, "replace all of them, not only the first in the file", Alias("g")] = False
    in_place: Annotated[bool, "change the file", Alias("i")] = False


@CATALOGUE.operation("sed")
def sed(
    flags: Annotated[SedFlags, "what to replace, and whether to change the file"],
    pattern: Annotated[str, "what is replaced"],
    replacement: Annotated[str, "what takes its place; with `regex`, `$1` and `${name}` stand for groups"],
    file: Annotated[FileEdited, "the file"],
) -> str:
    """Give the content of a file with a part replaced; with `in_place`, make that its content.

    The expression is searched for in the content as a whole. In place, whoever reads meanwhile sees
    the old content or the new, never a part.

    sed([sed::all, sed::in_place], "localhost", "db.internal", "/etc/app.conf")
    """
    text = file.content.text()
    budget = file.content.budget
    if flags.regex:
        from trex.resources.patterns import replaced

        changed = replaced(text, pattern, replacement, flags.all, budget)
    else:
        count = text.count(pattern) if flags.all else 1
        budget.read(max(0, count * (len(replacement.encode()) - len(pattern.encode()))))
        changed = text.replace(pattern, replacement, -1 if flags.all else 1)
    file.save(changed)
    return changed
