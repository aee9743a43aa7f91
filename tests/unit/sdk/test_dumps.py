"""Core dumps under policies: what gdb is let to tell, and what it is not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from support import dumps, scripts
from support.host import Broker, Failure
from trex.errors import LimitExceeded
from trex.limits import Limits
from trex.resources import dumps as resource
from trex.values import Object

pytestmark = dumps.NEEDED

GUIDE = Path(__file__).resolve().parents[3] / "docs/guides/core-dumps.md"


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> tuple[Path, Path]:
    return dumps.failed_program(tmp_path_factory.mktemp("dumps"))


@pytest.fixture
def broker():
    return Broker()


def named(program: Path, core: Path) -> Object:
    return Object("CoreDump", {"exe_path": str(program), "core_dump_path": str(core)})


def functions(process: Object, thread: int) -> list[str]:
    return [frame.fields["function_name"] for frame in process.fields["threads"][thread].fields["frames"]]


def policy(*statements: str) -> str:
    return "\n".join(("permit (principal, action, resource);", *statements))


def forbid(verb: str, kind: str, path: object) -> str:
    return f'forbid (principal, action == file_system::Action::"{verb}", resource == file_system::{kind}::"{path}");'


# --- what is told ---


def test_every_frame_of_every_thread_is_told(broker, made):
    """W-D9: only the innermost frame of one thread was."""
    process = broker.call("inspection.backtrace", named(*made))
    assert functions(process, 0)[:4] == ["fail", "fail", "fail", "main"]
    assert "wait_for_ever" in functions(process, 1)
    failed, outer = process.fields["threads"][0].fields["frames"][:2]
    assert (failed.fields["frame_number"], outer.fields["frame_number"]) == (0, 1)
    assert outer.fields["source"].endswith("program.c")
    assert outer.fields["line_number"] == 10
    assert int(outer.fields["instruction_ptr"], 16) > 0


def test_the_numbers_of_process_and_threads_are_told(broker, made):
    process = broker.call("inspection.backtrace", named(*made))
    first, second = process.fields["threads"]
    assert (first.fields["id"], second.fields["id"]) == (1, 2)
    assert first.fields["tid"] == process.fields["pid"] > 1
    assert second.fields["tid"] != first.fields["tid"]


def test_values_are_those_of_the_names_that_were_asked_for(broker, made):
    """Where one name is unknown, the values of the others were shifted."""
    asked = ["missing", "depth", "at->name", "at->next->x", "sizes", "sizes[1]", "*at@1", "origin.x", "at.missing"]
    told = broker.call("inspection.get_variables", named(*made), 1, asked)
    assert set(told) == set(asked) - {"missing", "at.missing"}
    assert told["depth"] == "1"
    assert told["at->name"].endswith('"here"')
    assert told["at->next->x"] == "7" == told["origin.x"]
    assert (told["sizes"], told["sizes[1]"]) == ("{10, 20, 1}", "20")


def test_a_thread_can_be_chosen(broker, made):
    frames = functions(broker.call("inspection.backtrace", named(*made)), 1)
    number = frames.index("wait_for_ever")
    told = broker.call("inspection.get_variables_of_thread", named(*made), 2, number, ["given", "depth"])
    assert set(told) == {"given"}


@pytest.mark.parametrize("place", [(99,), (99, 0), (1, 99)])
def test_a_thread_or_frame_that_there_is_not_fails(broker, made, place):
    label = "inspection.get_variables" if len(place) == 1 else "inspection.get_variables_of_thread"
    with pytest.raises(Failure, match="There is no frame"):
        broker.call(label, named(*made), *place, ["depth"])


@pytest.mark.parametrize("number", [-1, 2**32])
def test_numbers_beyond_those_of_frames_are_refused(broker, made, number):
    with pytest.raises(Failure, match="TryFromIntError"):
        broker.call("inspection.get_variables", named(*made), number, ["depth"])


def test_no_variables_give_no_values(broker, made):
    assert broker.call("inspection.get_variables", named(*made), 0, []) == {}


# --- what is asked ---


def test_a_core_dump_is_named_without_a_question(broker):
    found = broker.call("inspection.core_dump", "anything", "/anywhere")
    assert found.fields == {"exe_path": "anything", "core_dump_path": "/anywhere"}
    assert broker.asked == []


def test_the_policy_is_asked_for_gdb_and_both_files(broker, made):
    program, core = made
    broker.call("inspection.backtrace", named(program, core))
    home = program.parent
    questions = [each for each in broker.asked if "/usr/bin" in each or str(home) in each]
    assert [each for each in questions if "/usr/bin" not in each] == [
        f"open Dir {home}",
        f"open File {program}",
        f"read File {program}",
        f"open Dir {home}",
        f"open File {core}",
        f"read File {core}",
    ]
    assert questions[:2] == ["open Dir /usr/bin", "open File /usr/bin/gdb"]
    assert questions[-1].startswith("execute File /usr/bin/gdb")


def test_gdb_does_not_run_without_execute(made):
    """W-E4: no `execute` was asked for."""
    broker = Broker(policy('forbid (principal, action == file_system::Action::"execute", resource);'))
    with pytest.raises(Failure) as failure:
        broker.call("inspection.backtrace", named(*made))
    assert failure.value.denial is not None
    assert "exit_code" not in broker.audit.facts


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("verb", ["open", "read"])
def test_both_files_must_be_permitted(made, which, verb):
    broker = Broker(policy(forbid(verb, "File", made[which])))
    with pytest.raises(Failure) as failure:
        broker.call("inspection.backtrace", named(*made))
    assert failure.value.denial is not None


def test_a_policy_can_tell_by_the_arguments_what_gdb_is_asked(made):
    only = 'forbid (principal, action == file_system::Action::"execute", resource) unless { context.argument_list.values.contains("thread apply all backtrace") };'
    broker = Broker(policy(only))
    broker.call("inspection.backtrace", named(*made))
    with pytest.raises(Failure) as failure:
        broker.call("inspection.get_variables", named(*made), 0, ["depth"])
    assert failure.value.denial is not None


def test_the_guide_s_policy_is_enough(made):
    """Confined to what it permits, gdb still finds all that it needs."""
    program, core = made
    (shown,) = re.findall(r"^```cedar\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    if Path("/usr/bin/gdb").is_symlink():
        shown += f'permit (principal, action, resource == file_system::File::"{Path("/usr/bin/gdb").resolve()}");'
    broker = Broker(shown.replace("/srv/crash", str(program.parent)))
    assert functions(broker.call("inspection.backtrace", named(program, core)), 0)[:4] == ["fail"] * 3 + ["main"]
    assert broker.audit.facts["confined"] is True
    broker.call("inspection.get_variables", named(program, core), 1, ["at->next", "sizes[0]"])


# --- what is refused ---


@pytest.mark.parametrize(
    "expression",
    [
        '$_shell("touch {T}/pwned")',
        "depth\nshell touch {T}/pwned",
        "depth | touch {T}/pwned",
        "-elements 1 -- depth",
        "/x depth",
        "depth = 3",
        "fail(1)",
        "(int)depth",
        "depth+1",
        "'program.c'::origin",
        '"text"',
        "5",
        "{int}0",
        "depth;",
        "depth ",
        "",
        "dépth",
        "a" * 201,
        "x\0",
    ],
)
def test_what_is_no_way_through_variables_is_refused(broker, made, tmp_path, expression):
    """W-E4: gdb's expressions run programs."""
    with pytest.raises(Failure, match="InvalidArguments"):
        broker.call("inspection.get_variables", named(*made), 0, ["depth", expression.replace("{T}", str(tmp_path))])
    assert list(tmp_path.iterdir()) == []
    assert broker.asked == []


def test_names_must_be_texts_and_not_too_many(broker, made):
    with pytest.raises(Failure, match="InvalidArguments"):
        broker.call("inspection.get_variables", named(*made), 0, [1])
    with pytest.raises(Failure, match="InvalidArguments"):
        broker.call("inspection.get_variables", named(*made), 0, ["x"] * (resource.MAX_VARIABLES + 1))


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/", ""])
def test_what_is_no_path_of_a_file_is_refused(broker, made, path):
    with pytest.raises(Failure):
        broker.call(
            "inspection.backtrace",
            named(Path(path) if path else made[0], made[1])
            if path
            else Object("CoreDump", {"exe_path": "", "core_dump_path": str(made[1])}),
        )


def test_a_program_that_is_none_is_refused_before_gdb_sees_it(broker, made, tmp_path):
    text = tmp_path / "text"
    text.write_text("no program\n")
    with pytest.raises(Failure, match=f"Invalid executable: {text}"):
        broker.call("inspection.backtrace", named(text, made[1]))
    with pytest.raises(Failure, match="Invalid executable"):
        broker.call("inspection.backtrace", named(made[1], made[1]))
    assert "exit_code" not in broker.audit.facts


def test_a_core_dump_that_is_none_is_refused_before_gdb_sees_it(broker, made, tmp_path):
    text = tmp_path / "text"
    text.write_text("no core dump\n")
    for other in (text, made[0]):
        with pytest.raises(Failure, match="Unable to parse trace"):
            broker.call("inspection.backtrace", named(made[0], other))
    assert "exit_code" not in broker.audit.facts


def test_links_are_not_followed(broker, made, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(made[0])
    (tmp_path / "home").symlink_to(made[0].parent)
    with pytest.raises(Failure, match="symbolic link"):
        broker.call("inspection.backtrace", named(link, made[1]))
    with pytest.raises(Failure, match="DirectoryOpenError"):
        broker.call("inspection.backtrace", named(tmp_path / "home" / made[0].name, made[1]))


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo"])
def test_what_is_no_file_fails(broker, made, tmp_path, kind):
    import os

    path = tmp_path / kind
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(Failure):
        broker.call("inspection.backtrace", named(made[0], path))


def test_output_has_a_bound(made):
    broker = Broker(limits=Limits(max_read=300))
    with pytest.raises((Failure, LimitExceeded)):
        broker.call("inspection.backtrace", named(*made))


# --- what gdb could do by itself ---


def test_scripts_that_a_program_brings_along_are_not_loaded(broker, made, tmp_path):
    program, core = tmp_path / "program", tmp_path / "core"
    shutil.copy(made[0], program)
    shutil.copy(made[1], core)
    for name in ("program-gdb.gdb", ".gdbinit", "core-gdb.gdb"):
        (tmp_path / name).write_text(f"shell touch {tmp_path}/pwned\n")
    (tmp_path / "program-gdb.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\n")
    assert functions(broker.call("inspection.backtrace", named(program, core)), 0)[0] == "fail"
    assert not (tmp_path / "pwned").exists()


def test_libraries_are_read_only_where_the_policy_permits_it(tmp_path):
    """A core dump names the libraries, and a hostile one names what it likes."""
    program, core, place = dumps.failed_library(tmp_path)
    told = functions(Broker().call("inspection.backtrace", named(program, core)), 0)
    assert told[0] == "named_in_the_library"
    inside = f'forbid (principal, action, resource) when {{ resource in file_system::Dir::"{place}" }};'
    told = functions(Broker(policy(inside)).call("inspection.backtrace", named(program, core)), 0)
    assert "named_in_the_library" not in told


# --- as scripts see it ---


def test_a_script_gets_maps_all_the_way_down(made):
    told = scripts.run(
        "CoreDump(program, core).backtrace().to_map()", Broker(), program=str(made[0]), core=str(made[1])
    )
    frame = told.value["threads"][0]["frames"][0]
    assert set(told.value) == {"pid", "threads"}
    assert set(told.value["threads"][0]) == {"id", "tid", "frames"}
    assert set(frame) == {"frame_number", "function_name", "instruction_ptr", "source", "line_number"}
    assert (frame["frame_number"], frame["function_name"]) == (0, "fail")


def test_a_script_gets_variables_by_name(made):
    source = (
        'let dump = CoreDump(program, core); [dump.get_variables(1, ["depth"]), dump.get_variables(1, 1, ["depth"])]'
    )
    told = scripts.run(source, Broker(), program=str(made[0]), core=str(made[1]))
    assert told.value == [{"depth": "1"}, {"depth": "1"}]


def test_a_script_reads_what_it_named():
    told = scripts.run('CoreDump("/a", "/b").to_map()', Broker())
    assert told.value == {"exe_path": "/a", "core_dump_path": "/b"}
