"""Replacements with groups in them."""

from __future__ import annotations

import pytest

from trex.regex.template import parse


@pytest.mark.parametrize(
    "replacement, pieces",
    [
        ("", []),
        ("plain", ["plain"]),
        ("$0", [0]),
        ("a$1b", ["a"]),
        ("a${1}b", ["a", 1, "b"]),
        ("$x$x1$1", [2, 1]),
        ("${x}y", [2, "y"]),
        ("$$1", ["$1"]),
        ("$", ["$"]),
        ("a$", ["a$"]),
        ("$-", ["$-"]),
        ("${", ["${"]),
        ("${1", ["${1"]),
        ("${x y}", []),
        ("$3", []),
        ("$99999999999999999999", []),
        ("$é", ["$é"]),
    ],
)
def test_a_replacement_is_texts_and_groups(replacement, pieces):
    assert parse(replacement, 2, {"x": 2}) == pieces
