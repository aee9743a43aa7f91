"""What the documents promise about themselves: commands that stand alone, links that lead somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from trex.audit.audit import Denial
from trex.authorization import Policy
from trex.runner import outcome

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
# Fragments stand in the page that is made of them, so their links start there.
FRAGMENTS = {"differences": ROOT / "docs", "attacks": ROOT / "docs", "introductions": ROOT / "docs/reference"}


def test_the_first_two_commands_of_the_readme_stand_alone():
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks[:2] == ["make demo\n", "make test\n"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_to_something(page):
    base = FRAGMENTS.get(page.parent.name, page.parent)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (base / target).exists(), f"{target} in {page.name}"


def test_the_extras_that_pages_name_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for page in PAGES:
        for extra in re.findall(r"(?:trex|\.)\[([a-z]+)\]", page.read_text()):
            assert extra in extras, page


def blocks_of(language: str) -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for number, block in enumerate(
            re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        ):
            found.append((f"{page.relative_to(ROOT)}-{number}", block))
    return found


@pytest.mark.parametrize(
    "text", [block for _, block in blocks_of("cedar")], ids=[name for name, _ in blocks_of("cedar")]
)
def test_a_policy_shown_in_a_page_is_valid(text):
    Policy.load(text)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.cedar")), ids=lambda path: path.name)
def test_a_policy_among_the_examples_is_valid(path):
    Policy.load(path.read_text())


def test_the_page_on_outcomes_names_every_key():
    page = (ROOT / "docs/reference/outcome.md").read_text()
    for part in (outcome.Outcome, outcome.Error, outcome.Alarm, outcome.Metric, outcome.Run, outcome.Decisions, Denial):
        for key in part.__struct_fields__:
            assert f"`{key}`" in page, key


def test_no_page_or_source_names_a_path_of_the_machine_it_was_written_on():
    home = ("/" + "work" + "/", "/tmp/v3" + "11", "/opt/" + "oracle", "/opt/" + "rex/bin")
    for path in [
        *PAGES,
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "tools").rglob("*.py"),
        *(ROOT / "bench").rglob("*.py"),
    ]:
        text = path.read_text()
        assert not any(name in text for name in home), path
