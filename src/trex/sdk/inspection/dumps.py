"""Core dumps: where each thread was, and what its variables held.

Owns:      the operations, and the records that they give.
Relies on: `trex.resources` to authorize the files and gdb, and to run it; `traces` to read its answers.
Never:     opens a file, decides a permission, or passes on what gdb complains of, which may tell of
           files that the policy hides.
"""

from typing import Annotated, Any

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.errors import OperationError
from trex.resources import failures
from trex.resources.dumps import Dump, DumpOfThreadShown, DumpRead, DumpShown

_PROGRAMS, _CORE = (2, 3), 4  # ET_EXEC and ET_DYN, ET_CORE


@CATALOGUE.record(map=(("exe_path", "exe_path"), ("core_dump_path", "core_dump_path")))
class CoreDump(Struct, frozen=True):
    """A core dump and the program that it is of, by name."""

    exe_path: Annotated[str, "the program"]
    core_dump_path: Annotated[str, "the core dump"]


@CATALOGUE.record(
    map=(
        ("frame_number", "frame_number"),
        ("function_name", "function_name"),
        ("instruction_ptr", "instruction_ptr"),
        ("source", "source"),
        ("line_number", "line_number"),
    )
)
class Frame(Struct, frozen=True):
    """One function that had not returned."""

    frame_number: Annotated[int, "0 is the innermost"]
    function_name: Annotated[str, "the function, or `??`"]
    instruction_ptr: Annotated[str | None, "the address in it, in hexadecimal, unless a line begins there"]
    source: Annotated[str | None, "the source file, or the library where the file is not known"]
    line_number: Annotated[int | None, "the line in the source file"]


@CATALOGUE.record(map=(("id", "id"), ("tid", "tid"), ("frames", "frames:map")))
class TracedThread(Struct, frozen=True):
    """One thread of a process that was dumped."""

    id: Annotated[int, "the debugger's number for it; 1 is the one that failed"]
    tid: Annotated[int | None, "the kernel's number for it"]
    frames: Annotated[list[Frame], "its frames, the innermost first; at most 1000"]


@CATALOGUE.record(map=(("pid", "pid"), ("threads", "threads:map")))
class TracedProcess(Struct, frozen=True):
    """A process that was dumped."""

    pid: Annotated[int | None, "the number that it had"]
    threads: Annotated[list[TracedThread], "its threads"]


@CATALOGUE.operation("CoreDump", open="it keeps two names; each use of them is judged")
def core_dump(
    exe_path: Annotated[str, "the path of the program"], core_dump_path: Annotated[str, "the path of the core dump"]
) -> CoreDump:
    """Name a core dump and its program, to be asked about. Neither is opened yet.

    CoreDump("/usr/sbin/serverd", "/var/crash/core.4711").backtrace()
    """
    return CoreDump(exe_path, core_dump_path)


@CATALOGUE.operation("backtrace")
def backtrace(core: Annotated[DumpRead, "the core dump"]) -> TracedProcess:
    """Tell in which function each thread of a dumped process was, and which functions had called it.

    It is gdb that reads the files. It runs confined as with `execute`, for at most 30 seconds, and loads
    nothing that a program brings along for it.

    CoreDump("/usr/sbin/serverd", "/var/crash/core.4711").backtrace().threads[0].frames
    """
    from trex.sdk.inspection import traces

    answers = _asked(core, ["process", "threads"])
    found = [
        TracedThread(
            thread.number,
            thread.tid,
            [Frame(each.number, each.function, each.address, each.source, each.line) for each in thread.frames],
        )
        for thread in traces.threads(answers["threads"])
    ]
    if not any(thread.frames for thread in found):
        raise _unparsed(core)
    return TracedProcess(traces.process(answers["process"]), found)


@CATALOGUE.operation("get_variables")
def get_variables(
    core: Annotated[DumpShown, "the core dump"],
    frame: Annotated[int, "the frame's number"],
    variables: Annotated[list[Any], "the variables' names, such as `request`, `request->path` or `sizes[0]`"],
) -> dict[str, str]:
    """Give the values of variables in one frame of the thread that failed.

    What gdb knows no value for is left out. A name can go on with members, with elements and with `*`,
    `&` and `@`; other expressions are refused.

    CoreDump("/usr/sbin/serverd", "/var/crash/core.4711").get_variables(2, ["request->path"])
    """
    return _shown(core, None, frame, variables)


@CATALOGUE.operation("get_variables")
def get_variables_of_thread(
    core: Annotated[DumpOfThreadShown, "the core dump"],
    thread: Annotated[int, "the thread's `id`"],
    frame: Annotated[int, "the frame's number"],
    variables: Annotated[list[Any], "the variables' names"],
) -> dict[str, str]:
    """Give the values of variables in one frame of one thread.

    CoreDump("/usr/sbin/serverd", "/var/crash/core.4711").get_variables(3, 0, ["request->path"])
    """
    return _shown(core, thread, frame, variables)


def _shown(core: Dump, thread: int | None, frame: int, variables: list[str]) -> dict[str, str]:
    from trex.sdk.inspection import traces

    marks = [str(number) for number in range(len(variables))]
    answers = _asked(core, ["thread", "frame", *marks])
    place = traces.place(answers["thread"], answers["frame"])
    if place is None or (thread is not None and place[0] != thread) or place[1] != frame:
        where = f"frame {frame}" if thread is None else f"frame {frame} of thread {thread}"
        raise failures.failure("Other", f"There is no {where} in core file {core.core_path}")
    told = {name: traces.value(answers[mark]) for mark, name in zip(marks, variables, strict=True)}
    return {name: value for name, value in told.items() if value is not None}


def _asked(core: Dump, marks: list[str]) -> dict[str, str]:
    """What gdb answers; both files are seen to be what they should be before gdb gets them."""
    from trex.sdk.inspection import traces
    from trex.sdk.inspection.elf import Elf

    try:
        is_program = Elf(core.program).kind in _PROGRAMS
    except OperationError:
        is_program = False
    if not is_program:
        raise failures.failure("Other", f"Invalid executable: {core.program_path}")
    try:
        is_core = Elf(core.core).kind == _CORE
    except OperationError:
        is_core = False
    if not is_core:
        raise _unparsed(core)
    ended = core.ask()
    answers = traces.answers(ended.stdout.decode("utf-8", "replace"), marks)
    if ended.status < 0 or answers is None:  # it failed itself, over what the files hold
        raise _unparsed(core)
    return answers


def _unparsed(core: Dump) -> OperationError:
    text = f"Unable to parse trace for executable {core.program_path} and core file {core.core_path}"
    return failures.failure("Other", text)
