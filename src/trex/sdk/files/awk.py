"""Columns of text files: the awk commands.

Owns:      what each command gives for what it was given.
Relies on: `trex.resources.shown` to open and authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from collections.abc import Iterator
from typing import Annotated

from trex import texts
from trex.catalogue.declare import CATALOGUE
from trex.resources.content import Content
from trex.resources.failures import invalid_arguments
from trex.resources.shown import ShownFile

_ENTRY = 32  # what a value of a map takes beside its text

Number = Annotated[int, "the number of the field, from 1"]
Delimiter = Annotated[str, "what separates the fields"]
TheFile = Annotated[ShownFile, "the file"]


def _fields(number: int, delimiter: str, file: Content) -> Iterator[tuple[str, str]]:
    """Each line that has such a field, and the field."""
    if number < 1:
        raise invalid_arguments("awk: field number must be >= 1")
    for line in file.lines():
        fields = texts.split(line, delimiter)
        if len(fields) >= number:
            yield line, fields[number - 1]


@CATALOGUE.operation("awk_field")
def awk_field(number: Number, delimiter: Delimiter, file: TheFile) -> list[str]:
    """Give one field of each line that has it.

    awk_field(1, ":", "/etc/passwd")
    """
    return [file.kept(field) for _, field in _fields(number, delimiter, file)]


@CATALOGUE.operation("awk_filter")
def awk_filter(text: Annotated[str, "what a line must contain"], file: TheFile) -> list[str]:
    """Give the lines that contain a text.

    awk_filter("nologin", "/etc/passwd")
    """
    return [file.kept(line) for line in file.lines() if text in line]


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
    return [file.kept(line) for line, field in _fields(number, delimiter, file) if text in field]


@CATALOGUE.operation("awk_sum")
def awk_sum(number: Number, delimiter: Delimiter, file: TheFile) -> float:
    """Add up one field of each line; what is no number counts nothing.

    awk_sum(3, ":", "/etc/passwd")
    """
    return sum((_number(field) for _, field in _fields(number, delimiter, file)), 0.0)


def _number(text: str) -> float:
    text = text.strip()
    if "_" in text or not text.isascii():  # numbers to Python alone
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
    for _, field in _fields(number, delimiter, file):
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
