"""What scripts can do to files: small programs under policies, from `tests/scripts/sdk`."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import scripts

PROGRAMS = [
    program for file in sorted((Path(__file__).parent / "sdk").glob("*.rhai")) for program in scripts.programs(file)
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.place)
def test_a_program_gives_what_it_says(program, tmp_path):
    scripts.check(program, tmp_path)
