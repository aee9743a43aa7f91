"""Core dumps, and the debugger that reads them.

Owns:      the sequence of checks for a core dump; how gdb is called, and what a script may have it print.
Relies on: `execution` to judge, confine, bound and run gdb as any other program.
Never:     gives gdb a file by name, a command of a script's, or an expression that is not a plain way
           through variables.

In order: `open` on gdb and its directory; `open` and `read` on the program and on the core dump, links
not followed; then `execute` on gdb, in the context of this very call.

What gdb reads may be hostile, and gdb can do much: run commands, load scripts that a program brings
along, ask servers for debug information. All of that is turned off, before it sees a file. An expression
can call functions of gdb itself, `$_shell("...")` among them, so that only names, members, indices and
signs between them are let through: without parentheses nothing is called.

The program and the core dump are passed open. Libraries gdb opens itself, by the names in the core dump;
the walls around it decide which of them it can read.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Struct

from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.catalogue.declare import Need, Resource
from trex.errors import ProtocolViolation
from trex.resources import failures
from trex.resources.content import ReadableContent
from trex.resources.file_system import OPEN, READ, File, followed, strict_directory
from trex.resources.held import place_of_file
from trex.resources.named import parse
from trex.resources.programs import EXECUTE
from trex.resources.shapes import OpenFileOptions

if TYPE_CHECKING:
    from trex.catalogue.access import Gate
    from trex.programs import Finished
    from trex.resources.programs import Runnable

GDB = "/usr/bin/gdb"
SECONDS = 30
MAX_OUTPUT = 8 * 1024 * 1024  # bytes of a trace: some 50,000 frames
MAX_FRAMES = 1000  # of each thread
MAX_VARIABLES = 100
MAX_EXPRESSION = 200
MAX_NUMBER = 2**32 - 1

# What gdb prints before each of its answers, alone on a line with a name; in values it escapes this character.
MARK = "\036"

_QUIETLY = (
    "-nx", "-nh",  # no start-up files, of nobody
    "-batch",
    "-iex", "set auto-load off",  # scripts in and beside programs and libraries
    "-iex", "set auto-load safe-path /dev/null",
    "-iex", "set libthread-db-search-path /dev/null",
    "-iex", "set debuginfod enabled off",
    "-iex", "set index-cache enabled off",
    "-iex", "set startup-with-shell off",
    "-iex", "set may-call-functions off",
    "-iex", "set confirm off",
    "-iex", "set width 0",
    "-iex", "set height 0",
    "-iex", "set style enabled off",
    "-iex", f"set backtrace limit {MAX_FRAMES}",
    "-iex", "set print frame-arguments presence",
    "-iex", "set print max-depth 20",
    "-iex", "set max-value-size 65536",
)  # fmt: skip  # pairs
_FILES = ("/proc/self/fd/3", "/proc/self/fd/4")  # the program and the core dump, as `kept` puts them

_NAME = r"(?:\$?[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*)"
_STEP = rf"(?:\.{_NAME}|->{_NAME}|\[(?:[0-9]+|{_NAME})\])"
_EXPRESSION = re.compile(rf"[*&]*{_NAME}{_STEP}*(?:@[0-9]{{1,4}})?", re.ASCII)


class Dump(Struct, frozen=True):
    """A core dump with its program, both open, and gdb, which may be run on them now."""

    program: ReadableContent
    program_path: str
    core: ReadableContent
    core_path: str
    debugger: Runnable

    def ask(self) -> Finished:
        """What gdb answers. It must have been seen before that both files are of the right kind."""
        return self.debugger.run()


class DumpToRead(Resource):
    """A core dump, by what `CoreDump(...)` gave, to be asked about."""

    type = "CoreDump"
    sample: Any = MappingProxyType({"exe_path": "/sample/program", "core_dump_path": "/sample/core"})
    needs = (
        Need(OPEN, "Dir", "the directory of gdb (`/usr/bin`), as given and as found"),
        Need(OPEN, "File", "gdb (`/usr/bin/gdb`), as given and as found"),
        Need(OPEN, "Dir", "the directories of the program and of the core dump"),
        Need(OPEN, "File", "the program and the core dump"),
        Need(READ, "File", "the program and the core dump"),
        Need(EXECUTE, "File", "gdb"),
    )

    def check(self, argument: Any) -> tuple[str, str]:
        exe, core = argument.fields.get("exe_path"), argument.fields.get("core_dump_path")
        if type(exe) is not str or type(core) is not str:
            raise ProtocolViolation("a core dump without its paths")
        return exe, core

    def commands(self, *used: Any) -> list[str]:
        """What gdb is to do with it."""
        return _asking("process", "info inferiors") + _asking("threads", "thread apply all backtrace")

    def acquire(self, gate: Gate, argument: tuple[str, str], *used: Any) -> Dump:
        from trex.resources.execution import judge
        from trex.resources.invocation import Invocation

        called = [*_QUIETLY, *_FILES, *self.commands(*used)]
        gdb = _gdb(gate)
        program, core = (_opened(gate, path) for path in argument)
        call = Invocation(
            arguments=[(each, None) for each in called],
            timeout=SECONDS,
            max_output=min(MAX_OUTPUT, gate.budget.max_read),
            kept=(program.descriptor, core.descriptor),
        )
        return Dump(
            ReadableContent(program.descriptor, gate.budget),
            program.path.text,
            ReadableContent(core.descriptor, gate.budget),
            core.path.text,
            judge(gate, gdb.path, call).prepare(gdb.descriptor, "gdb"),
        )


class DumpToShow(DumpToRead):
    """The same, to have variables printed in one frame."""

    uses: tuple[str, ...] = ("frame", "variables")

    def commands(self, *used: Any) -> list[str]:
        *place, variables = used
        if not all(0 <= number <= MAX_NUMBER for number in place):
            raise failures.failure("TryFromIntError", "out of range integral type conversion attempted")
        _check(variables)
        *thread, frame = place
        told = [part for each in thread for part in ("-ex", f"thread {each}")]
        # A number that there is not leaves things as they were: which thread and frame it is, is read back.
        told += ["-ex", f"frame {frame}", *_asking("thread", "print $_thread"), *_asking("frame", "info frame")]
        # Nothing is behind the mark where gdb has no answer.
        for number, name in enumerate(variables):
            told += _asking(str(number), f"print {name}")
        return told


class DumpOfThread(DumpToShow):
    """The same, in one frame of one thread."""

    uses = ("thread", "frame", "variables")


DumpRead = Annotated[Dump, DumpToRead()]
DumpShown = Annotated[Dump, DumpToShow()]
DumpOfThreadShown = Annotated[Dump, DumpOfThread()]


def _asking(mark: str, command: str) -> list[str]:
    return ["-ex", f"echo \\n\\036{mark}\\n", "-ex", command]


def _check(variables: list[Any]) -> None:
    if len(variables) > MAX_VARIABLES:
        raise failures.invalid_arguments(f"more than {MAX_VARIABLES} variables")
    for name in variables:
        if type(name) is not str:
            raise failures.invalid_arguments("the names of variables are texts")
        if len(name) > MAX_EXPRESSION or _EXPRESSION.fullmatch(name) is None:
            raise failures.invalid_arguments(f"not a variable, a member or an element: {name[:MAX_EXPRESSION]}")


def _gdb(gate: Gate) -> File:
    path = parse(GDB)
    parent = path.parent
    directory = followed(parent, gate.permit(OPEN, directory_entity(parent.text)), gate)
    return place_of_file(gate, directory, path.name, OpenFileOptions(read=True, follow_symlinks=True)).open()


def _opened(gate: Gate, text: str) -> File:
    """A file by its path, opened for reading; no link anywhere on the way."""
    path = parse(text)
    if path.is_root:
        raise failures.failure("InvalidPath", "Invalid path: File has no parent directory")
    parent = path.parent
    directory = strict_directory(parent, gate.permit(OPEN, directory_entity(parent.text)))
    place = place_of_file(gate, directory, path.name, OpenFileOptions(read=True))
    gate.permit(READ, file_entity(path.text))
    return place.open()
