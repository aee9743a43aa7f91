"""Columns of text files: the awk commands.

Owns:      what each command gives for what it was given.
Relies on: `trex.resources.shown` to open and authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from typing import Annotated

from trex import texts
from trex.catalogue.declare import CATALOGUE
from trex.resources.content import Content
from trex.resources.failures import invalid_arguments
from trex.resources.shown import ShownFile

_ENTRY = 32  # what a value of a map takes beside its text
_STARTS = frozenset("0123456789+-.iInN")  # of numbers, infinities and what is no number by name

Number = Annotated[int, "the number of the field, from 1"]
Delimiter = Annotated[str, "what separates the fields"]
TheFile = Annotated[ShownFile, "the file"]


def _cut(number: int, delimiter: str) -> Callable[[str], list[str]]:
    """What splits a line into fields, into no more of them than are needed: a line may have very many."""
    if number < 1:
        raise invalid_arguments("awk: field number must be >= 1")
    if delimiter:
        return lambda line: line.split(delimiter, number)
    return lambda line: texts.split(line, delimiter)


def _fields(number: int, delimiter: str, file: Content) -> Iterator[list[str]]:
    """That field of each line that has it, many at a time."""
    cut = _cut(number, delimiter)
    for lines in file.groups():
        yield [fields[number - 1] for line in lines if len(fields := cut(line)) >= number]


@CATALOGUE.operation("awk_field")
def awk_field(number: Number, delimiter: Delimiter, file: TheFile) -> list[str]:
    """Give one field of each line that has it.

    awk_field(1, ":", "/etc/passwd")
    """
    kept: list[str] = []
    for fields in _fields(number, delimiter, file):
        kept += file.all_kept(fields)
    return kept


@CATALOGUE.operation("awk_filter")
def awk_filter(text: Annotated[str, "what a line must contain"], file: TheFile) -> list[str]:
    """Give the lines that contain a text.

    awk_filter("nologin", "/etc/passwd")
    """
    kept: list[str] = []
    for lines in file.groups():
        kept += file.all_kept([line for line in lines if text in line])
    return kept


@CATALOGUE.operation("awk_filter_field")
def awk_filter_field(
    number: Number,
    delimiter: Delimiter,
    text: Annotated[str, "what the field must contain"],
    file: TheFile,
) -> list[str]:
    """Give the lines of which one field contains a text.

    awk_filter_field(7, ":", "nologin", "/etc/passwd")
    """
    cut = _cut(number, delimiter)
    kept: list[str] = []
    for lines in file.groups():
        kept += file.all_kept(
            [line for line in lines if len(fields := cut(line)) >= number and text in fields[number - 1]]
        )
    return kept


@CATALOGUE.operation("awk_sum")
def awk_sum(number: Number, delimiter: Delimiter, file: TheFile) -> float:
    """Add up one field of each line; what is no number counts nothing.

    awk_sum(3, ":", "/etc/passwd")
    """
    total = 0.0
    for fields in _fields(number, delimiter, file):
        text = "".join(fields)
        if text.isascii() and "_" not in text:
            try:
                # One after the other, as `sum` adds only up to Python 3.11: the same total everywhere.
                total = reduce(add, map(float, fields), total)
                continue
            except ValueError:  # some are no numbers
                pass
        total = reduce(add, map(_number, fields), total)
    return total


def _number(text: str) -> float:
    text = text.strip()
    # Most of what is no number is told by how it starts; and there are numbers to Python alone.
    if text[:1] not in _STARTS or "_" in text or not text.isascii():
        return 0.0
    try:
        return float(text)
    except ValueError:
        return 0.0


@CATALOGUE.operation("awk_count_unique")
def awk_count_unique(number: Number, delimiter: Delimiter, file: TheFile) -> dict[str, int]:
    """Count how often each value of one field occurs: a map from value to count.

    awk_count_unique(7, ":", "/etc/passwd")
    """
    counts: dict[str, int] = {}
    for fields in _fields(number, delimiter, file):
        for field in fields:
            known = counts.get(field)
            if known is None:
                file.kept(field)
                file.budget.read(_ENTRY)
                known = 0
            counts[field] = known + 1
    return counts


@CATALOGUE.operation("awk_filter_range")
def awk_filter_range(
    first: Annotated[int, "the number of the first line, from 1"],
    last: Annotated[int, "the number of the last line"],
    file: TheFile,
) -> list[str]:
    """Give the lines from one to another, both included.

    awk_filter_range(10, 20, "/var/log/syslog")
    """
    if first < 1 or last < first:
        raise invalid_arguments(f"awk: invalid range {first}..{last}")
    kept: list[str] = []
    for number, line in enumerate(file.lines(), 1):
        if number >= first:
            kept.append(file.kept(line))
        if number == last:
            break
    return kept
