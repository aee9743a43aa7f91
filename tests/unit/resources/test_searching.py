"""Searching many lines at once finds what searching line by line finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trex.errors import OperationError
from trex.resources.content import Content
from trex.resources.patterns import matcher
from trex.resources.searching import matching


class Budget:
    """No bounds."""

    max_read = 1 << 30

    def check_time(self) -> None: ...
    def read(self, size: int) -> None: ...
    def write(self, size: int) -> None: ...


class Pieces(Content):
    """Content that comes in blocks of a size."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(Budget())
        self._data, self._size = data, size

    def blocks(self) -> Iterator[bytes]:
        for start in range(0, len(self._data), self._size):
            yield self._data[start : start + self._size]


def plainly(data: bytes, pattern: str, ignore_case: bool, invert: bool) -> list[tuple[int, bytes]]:
    """The definition: split, strip the end of each line, search each line alone."""
    search = matcher(pattern, ignore_case)
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    stripped = [line.removesuffix(b"\r") for line in lines]
    return [(number, line) for number, line in enumerate(stripped, 1) if bool(search(line)) is not invert]


PATTERNS = [
    "", "a", "^", "$", "^$", "a$", "^a", "b*", "[^a]", r"\s", r"\n", r"a\s*b", r"\b", r"\B", r"\bab\b", "a|^b", "(?s).", "(?s)a.b",
    r"\Aa", r"a\z", "(?-m)^a", "(?i-s)A.b", "(?i)AB", "(?m)^b$", "x+?", "(a|b)*c", r"[\s\S]b", "é", r"\W", "[^é]$", "-", "a{2}",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(PATTERNS),
    st.lists(st.sampled_from(["a", "b", "c", "\n", "\r\n", "\r", " ", "é", "ab", "\t"]), max_size=30),
    st.booleans(),
    st.booleans(),
    st.integers(1, 40),
)
@example("$", ["a", "\r", "\r\n", "a", "\r"], False, True, 40)
def test_the_same_lines_are_found(pattern, pieces, ignore_case, invert, size):
    data = "".join(pieces).encode()
    assert list(matching(Pieces(data, size), pattern, ignore_case, invert)) == plainly(
        data, pattern, ignore_case, invert
    )


def test_a_line_that_is_not_utf8_fails_where_it_is_reached():
    found = matching(Pieces(b"a1\na2\n\xff\na3\n", 100), "a")
    assert [next(found), next(found)] == [(1, b"a1"), (2, b"a2")]
    with pytest.raises(OperationError) as failed:
        next(found)
    assert failed.value.message == "stream did not contain valid UTF-8"


def test_a_pattern_that_does_not_parse_fails_before_anything_is_read():
    class Unread(Pieces):
        def blocks(self) -> Iterator[bytes]:
            raise AssertionError("it was read")

    with pytest.raises(OperationError):
        matching(Unread(b"", 1), "(")
