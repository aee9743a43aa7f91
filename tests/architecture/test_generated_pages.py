"""Pages that are derived are what `make generate` would write."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("generate", ROOT / "tools/generate.py")
assert _spec is not None
assert _spec.loader is not None
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)


@pytest.mark.parametrize("name,text", list(generate.pages()), ids=lambda value: value if "\n" not in value else "")
def test_a_generated_page_is_fresh(name, text):
    assert (ROOT / name).read_text() == text, "run `make generate`"


def test_every_module_says_in_its_first_line_what_it_is():
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src/trex").rglob("*.py")
        if path.read_text().strip() and not generate.first_line(path)
    ]
    assert silent == []
