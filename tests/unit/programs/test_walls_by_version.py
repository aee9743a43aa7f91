"""Programs behind real walls, as older kernels would make them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trex.authorization.reach import EXECUTE, LIST, MAKE_FILE, READ, REMOVE_FILE
from trex.broker.budget import Budget
from trex.host import files
from trex.isolation import landlock
from trex.limits import Limits
from trex.programs import Finished
from trex.programs.confinement import Confinement, Permitted
from trex.programs.images import Binary, image
from trex.programs.profile import PLACES
from trex.programs.running import Program

try:
    ABI = landlock.abi()
except OSError as error:  # pragma: no cover
    pytest.skip(f"no Landlock: {error.strerror}", allow_module_level=True)

SH = os.path.realpath("/bin/sh")


def give(confinement: Confinement, path: object, rights: int) -> None:
    with files.follow_object(os.fsencode(str(path))) as found:
        confinement.allow(found.number, os.path.isdir(str(path)), rights)


@pytest.fixture(params=range(1, ABI + 1), ids=lambda version: f"Landlock {version}")
def confinement(request) -> Iterator[Confinement]:
    """Walls with a shell, its libraries, and the places that every program needs."""
    made = Confinement(Permitted(), abi=request.param)
    for each in PLACES:
        if os.path.exists(each.path):
            give(made, each.path, each.rights)
    give(made, SH, EXECUTE)
    with open(SH, "rb") as binary:
        loader = image(binary.fileno())
    assert isinstance(loader, Binary)
    if loader.loader is not None:
        give(made, loader.loader.decode(), EXECUTE)
    yield made
    made.ruleset.close()


def sh(confinement: Confinement, script: str) -> Finished:
    program = os.open(SH, os.O_RDONLY | os.O_CLOEXEC)
    try:
        started = Program(program, [b"sh", b"-c", script.encode()], [b"PATH=/usr/bin"], confinement=confinement)
        try:
            return started.finish(Budget(Limits(), time.monotonic() + 30))
        finally:
            started.close()
    finally:
        os.close(program)


def test_a_program_runs(confinement):
    assert sh(confinement, "echo out; (exit 3)") == Finished(3, b"out\n", b"")


def test_what_was_not_given_is_closed(confinement, tmp_path):
    (tmp_path / "f").write_text("SECRET")
    done = sh(confinement, f"read x < {tmp_path}/f; echo $x; : > {tmp_path}/new; : >> {tmp_path}/f")
    assert b"SECRET" not in done.stdout
    assert os.listdir(tmp_path) == ["f"]


def test_what_was_given_for_reading_is_neither_written_nor_emptied(confinement, tmp_path):
    (tmp_path / "f").write_text("content\n")
    give(confinement, tmp_path, READ | LIST)
    done = sh(confinement, f"read x < {tmp_path}/f; echo $x; : > {tmp_path}/f; echo y >> {tmp_path}/f")
    assert done.stdout == b"content\n"
    assert (tmp_path / "f").read_text() == "content\n"


def test_what_may_be_made_and_removed_need_not_be_readable(confinement, tmp_path):
    (tmp_path / "f").write_text("SECRET\n")
    give(confinement, tmp_path, MAKE_FILE | REMOVE_FILE)
    done = sh(confinement, f"read x < {tmp_path}/f; echo $x; exec 2>&-; : > {tmp_path}/new")
    assert b"SECRET" not in done.stdout
    assert Path(tmp_path / "f").read_text() == "SECRET\n"


def test_another_program_is_not_started(confinement):
    assert sh(confinement, "/usr/bin/env; echo $?").stdout == b"126\n"
