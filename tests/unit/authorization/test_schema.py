"""The schema that policies are validated against."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from cedarpy import Schema

from trex.authorization.schema import PUBLISHED, published_text, schema_text

ROOT = Path(__file__).resolve().parents[3]


def test_the_engine_accepts_the_schema():
    assert "SafeIO" in str(Schema.from_str(schema_text()))


def test_the_published_file_is_fresh():
    assert (ROOT / PUBLISHED).read_text() == published_text(), "run `make generate`"


def test_every_line_of_the_vocabulary_is_documented_in_the_schema():
    lines = schema_text().splitlines()
    for before, line in pairwise(lines):
        word = line.strip().split(" ")[0]
        if word in ("action", "entity", "namespace", "type"):
            assert before.strip().startswith("// "), line
