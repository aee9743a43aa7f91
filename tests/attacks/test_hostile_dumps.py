"""Core dumps and programs that were made to harm who looks at them (P5, P8).

Whoever can make a program fail chooses what its core dump says: addresses, names, sizes, libraries.
gdb was not written for that. It may fail; the run must not, and nothing else may come of it.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from support import dumps
from support.host import Broker, Failure
from support.races import Place, swapping
from trex.resources.dumps import MARK
from trex.values import Object

pytestmark = dumps.NEEDED

TRIES = min(int(os.environ.get("TREX_ATTACK_TRIES", "150")) // 10, 300)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    return dumps.failed_program(tmp_path_factory.mktemp("dumps"))


def ask(program: Path, core: Path) -> str:
    """How it ended: a word, or the failure's kind."""
    broker = Broker()
    named = Object("CoreDump", {"exe_path": str(program), "core_dump_path": str(core)})
    try:
        broker.call("inspection.backtrace", named)
        broker.call("inspection.get_variables", named, 1, ["depth", "at->next->name"])
        return "told"
    except Failure as failure:
        return failure.kind
    finally:
        broker.handles.close()


def damaged(source: Path, target: Path, dice: random.Random, where: int) -> None:
    """A copy in which some bytes of the first `where` are others, or that is cut off."""
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        if dice.random() < 0.2:
            file.truncate(dice.randrange(64, source.stat().st_size))
        for _ in range(dice.randrange(1, 20)):
            file.seek(dice.randrange(18, min(where, source.stat().st_size)))
            file.write(dice.choice([b"\xff" * 8, b"\0" * 8, dice.randbytes(4), dice.randbytes(1)]))


@pytest.mark.parametrize("which", ["program", "core"])
def test_damaged_files_end_in_an_answer_or_a_failure(made, tmp_path, which):
    """Random damage, mostly to the headers, of one of the two."""
    dice = random.Random(which)
    program, core = made
    for _ in range(max(TRIES, 1)):
        target = tmp_path / "damaged"
        damaged(program if which == "program" else core, target, dice, 4096)
        started = time.monotonic()
        kind = ask(target, core) if which == "program" else ask(program, target)
        assert kind in ("told", "Other", "ProcessTerminated"), kind
        assert time.monotonic() - started < 80  # two questions, each with its own bound


def test_a_core_dump_that_calls_itself_without_end_is_bounded(tmp_path):
    """Frames are the dump's choice: a recursion a million deep is told up to its thousandth frame."""
    source = "volatile int x; void again(int n) { if (!n) *(volatile int *)0 = 1; again(n - 1); x = n; }"
    program = dumps.compiled(source + "int main(void) { again(50000); return 0; }", tmp_path / "deep", "-g")
    core = dumps.dumped(program)
    named = Object("CoreDump", {"exe_path": str(program), "core_dump_path": str(core)})
    (thread,) = Broker().call("inspection.backtrace", named).fields["threads"]
    assert len(thread.fields["frames"]) == 1000


def test_names_that_look_like_answers_are_not_taken_for_some(tmp_path):
    """A function can be called anything: here as what gdb prints before an answer, and a frame of its own."""
    name = "a" * 60
    program = dumps.compiled(
        f"void {name}(void) {{ *(volatile int *)0 = 1; }} int main(void) {{ {name}(); return 0; }}", tmp_path / "named"
    )
    forged = f"\n{MARK}threads\nThread 7 (LWP 7):\n#0  0x7 in forged ()\nx".encode()
    program.write_bytes(program.read_bytes().replace(name.encode(), forged.ljust(len(name), b"y")))
    core = dumps.dumped(program)
    named = Object("CoreDump", {"exe_path": str(program), "core_dump_path": str(core)})
    with pytest.raises(Failure, match="Unable to parse trace"):
        Broker().call("inspection.backtrace", named)


# --- races ---

PLAIN_AND_SECRET = """
void plain(void) { *(volatile int *)0 = 1; }
void SECRET(void) { *(volatile int *)0 = 1; }
int main(int argc, char **argv) { if (argc > 1) SECRET(); plain(); return 0; }
"""


@pytest.mark.parametrize("name, link", [("core", "link-core"), ("d", "link-d"), ("d/core", "link-core")])
def test_a_core_dump_is_exchanged_with_a_link_to_a_hidden_one(tmp_path, name, link):
    """The dump that was judged is the one that gdb reads: it gets it open, and not by name."""
    program = dumps.compiled(PLAIN_AND_SECRET, tmp_path / "program", "-g")
    place = Place(tmp_path)
    (place.allowed / "link-core").symlink_to(place.secret / "core")
    shutil.copy(program, place.allowed / "program")
    for top, core in ((place.allowed, dumps.dumped(program)), (place.secret, dumps.dumped(program, "more"))):
        shutil.copy(core, top / "core")
        shutil.copy(core, top / "d" / "core")
    places = [f'resource in file_system::Dir::"{each}"' for each in (place.allowed, "/usr/bin")]
    policy = f"permit (principal, action, resource) when {{ {' || '.join(places)} }};"
    named = Object(
        "CoreDump",
        {
            "exe_path": str(place.allowed / "program"),
            "core_dump_path": str(place.allowed / ("core" if name == "core" else "d/core")),
        },
    )
    with swapping(place, place.allowed / name, place.allowed / link):
        while place.done + place.refused < max(TRIES, 20) or not place.done:
            place.broker = Broker(policy)
            place.call("inspection.backtrace", named)
            place.broker.handles.close()
