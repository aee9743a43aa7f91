"""Programs that may be executed: the one that was judged, and the walls around it.

Owns:      the sequence of checks of `execute`; how a program's end looks to a script.
Relies on: `trex.programs` to run it; `interpreters` and `walls` for what belongs to it.
Never:     executes by name; lets a failure before the exec look like an exit status.

In order: names of users and groups, of which an unknown one is not told yet; `open` on a working
directory; `execute` on the file, in the context of the call, before anything is asked of the host about
the program; then what the file is.

A script's interpreter needs no permit of its own, since whoever permits a script permits what it is made
of; but a policy may forbid it. A loader is not judged: without it no program runs.

A program is confined unless a policy that permits it in this call says `@confine("off")`. That is
for who writes policies to say: there is no option of scripts that could.
"""

from __future__ import annotations

import os
from errno import EPERM
from typing import TYPE_CHECKING

from msgspec import Struct

from trex.authorization import reach as rights_of
from trex.authorization.entities import directory as directory_entity
from trex.authorization.entities import file as file_entity
from trex.authorization.reach import TooManyPolicies
from trex.errors import OperationError
from trex.host import files, paths
from trex.host.files import Descriptor
from trex.invocations import NUMBER_OF
from trex.programs import Finished, launch
from trex.programs.running import NotStarted, Program, TimedOut, TooMuchOutput
from trex.resources import failures, invocation
from trex.resources.file_system import OPEN, Directory, followed
from trex.resources.interpreters import Executed, executed, loader
from trex.resources.invocation import Identity, Invocation
from trex.resources.named import parse
from trex.resources.programs import EXECUTE
from trex.resources.walls import Walls

if TYPE_CHECKING:
    from typing import Any

    from trex.catalogue.access import Gate, Permit
    from trex.host.paths import Path


class Runnable(Struct, frozen=True):
    """A program that may be run now."""

    gate: Gate
    path: Path
    call: Invocation
    who: Identity
    executed: Executed
    walls: Walls | None
    directory: Descriptor | None
    namespace: Descriptor | None

    def run(self) -> Finished:
        """Run it to its end. What it leaves behind goes on until the end of the run."""
        gate = self.gate
        gate.facts["confined"] = self.walls is not None
        if self.walls is not None:
            gate.facts["places"] = self.walls.places
            if self.walls.incomplete:
                gate.facts["incomplete"] = True
                text = f"execute: the policy permits too many single places; some are closed: {self.path.text}"
                gate.report.log("WARN", text, gate.line)
        program = self._start()
        try:
            finished = program.finish(gate.budget, self.call.timeout, self.call.max_output)
        except BaseException as problem:
            program.close()
            told = self._told(problem)
            if told is None:
                raise
            raise told from problem
        if program.is_over():
            program.close()
        else:
            gate.facts["left_running"] = True
            gate.keep(program)
        gate.facts["exit_code"] = finished.status
        if finished.status < 0:
            self._note_signal(-finished.status)
        return finished

    def _start(self) -> Program:
        who, call = self.who, self.call
        return Program(
            self.executed.program.number,
            self.executed.arguments,
            call.variables(),
            stdin=None if call.stdin is None else call.stdin.encode(),
            kept=tuple(each.number for each in (*call.kept, *self.executed.scripts)),
            scripts=len(self.executed.scripts),
            directory=None if self.directory is None else self.directory.number,
            identity=launch.Identity(who.uid, who.gid, who.groups) if who.changes else None,
            capabilities=_mask(call.capabilities),
            namespace=None if self.namespace is None else self.namespace.number,
            confinement=None if self.walls is None else self.walls.confinement,
        )

    def _note_signal(self, number: int) -> None:
        import signal

        try:
            name = signal.Signals(number).name
        except ValueError:  # a real-time signal
            name = f"SIG{number}"
        text = f"Execute API: Child stopped because it received a signal {name}"
        self.gate.report.log("INFO", text, self.gate.line)

    def _told(self, problem: BaseException) -> Exception | None:
        """What a script sees of a program that was not started, or was ended; None: it sees something else."""
        path = self.path.text
        match problem:
            case TimedOut():
                text = f"it took longer than {self.call.timeout} seconds: {path}"
                return failures.failure("ProcessTerminated", f"Process terminated: {text}")
            case TooMuchOutput():
                text = f"it wrote more than {self.call.max_output} bytes to {problem.stream}: {path}"
                return failures.failure("ProcessTerminated", f"Process terminated: {text}")
            case NotStarted():
                return self._not_started(problem.stage, OSError(problem.number, ""))
            case _:
                return None

    def _not_started(self, stage: str, error: OSError) -> Exception:
        reason = failures.os_text(error)
        if stage == "execution":
            return failures.from_os(error)
        if stage == "namespace":
            return failures.failure("ProcessNamespaceFatalError", f"Process namespace fatal error: {reason}")
        if stage == "confinement":
            return cannot_confine(reason)
        if stage == "user" and error.errno == EPERM:
            text = f"to run as {self.who.user}, group {self.who.group}, CAP_SETUID and CAP_SETGID are needed"
            return failures.failure("Other", f"Capability error: {text}")
        if stage == "capabilities" and error.errno == EPERM:
            text = f"not all of {', '.join(self.call.capabilities)} are ours to pass on"
            return failures.failure("Other", f"Capability error: {text}")
        return failures.failure("Other", f"Process not started ({stage}): {reason}")


def _mask(capabilities: tuple[str, ...]) -> int:
    return sum(1 << NUMBER_OF[each] for each in set(capabilities))


def cannot_confine(reason: str) -> Exception:
    """A program that has to be confined and cannot be does not run."""
    text = f'the program cannot be confined, and no policy that permits it says @confine("off"): {reason}'
    return failures.failure("UnsupportedOperationError", f"Unsupported Operation error: {text}")


class Judged(Struct, frozen=True):
    """A call of a program that the policy permits; nothing has been asked of the host about the program.

    context: of the decision, in Rex's own reading of the arguments.
    """

    gate: Gate
    path: Path
    call: Invocation
    who: Identity
    directory: Directory | None
    permits: list[Permit]
    context: dict[str, Any]

    def prepare(self, program: Descriptor, name: str) -> Runnable:
        """Find what belongs to the program, which is open and must still have its path.

        name: what it is told that it is called.
        """
        gate, call = self.gate, self.call
        if not files.is_at(program, self.path):
            raise failures.moved(self.path)
        arguments = [paths.encode(name), *(text.encode() for text in call.texts())]
        found = executed(gate, program, arguments, len(call.kept), self.context)
        is_free = all("off" in gate.marks(permit, "confine") for permit in self.permits)
        directory = None
        if self.directory is not None:
            directory = self.directory.descriptor
        elif self.context["working_directory"] == "/":  # where we are may be gone
            directory = files.follow_object(b"/")
        return Runnable(
            gate,
            self.path,
            call,
            self.who,
            found,
            None if is_free else _walls(gate, call, found),
            directory,
            None if call.namespace is None else _process(call.namespace),
        )


def judge(gate: Gate, path: Path, call: Invocation) -> Judged:
    """Ask the policy about a call of the program at `path`: once for every reading of its arguments."""
    unknown = None
    try:
        who = invocation.identity(call.user, call.group)
    except OperationError as problem:  # told only to whom the policy lets run the program as such a one
        unknown, who = problem, invocation.stranger(call.user, call.group)
    directory = _directory(gate, call)
    where = invocation.current_directory() if directory is None else directory.path.text
    entity = file_entity(path.text)
    contexts = list(invocation.contexts(call, who, where))
    permits = [gate.permit(EXECUTE, entity, context) for context in contexts]
    for permit in permits:
        permit.require(EXECUTE, path.text)
    if unknown is not None:
        raise unknown
    return Judged(gate, path, call, who, directory, permits, contexts[0])


def _directory(gate: Gate, call: Invocation) -> Directory | None:
    if call.directory is None:
        return None
    path = parse(call.directory)
    return followed(path, gate.permit(OPEN, directory_entity(path.text)), gate)


def _process(number: int) -> Descriptor:
    """A process by its number, for its namespace."""
    try:
        if number < 1:
            raise ProcessLookupError
        return Descriptor(os.pidfd_open(number))
    except (OSError, OverflowError):  # scripts know larger numbers than the kernel's are
        text = f"File descriptor operation failed: Failed to open pidfd for PID {number}"
        raise failures.failure("Other", text) from None


def _walls(gate: Gate, call: Invocation, found: Executed) -> Walls:
    binary = found.binary
    if binary is not None and binary.bits != 64:
        raise cannot_confine("calls of 32-bit programs are not filtered")
    try:
        walls = Walls(gate.reach, gate.budget)
        walls.draw(binary is None or binary.loader is not None)
        walls.allow(found.program, rights_of.EXECUTE)
        its_loader = loader(binary)
        if its_loader is not None:
            walls.allow(its_loader, rights_of.EXECUTE)
        for each in (*call.kept, *found.scripts):
            walls.allow(each, rights_of.READ)
    except TooManyPolicies:
        raise cannot_confine("the policy has too many rules to tell what they permit on whole trees") from None
    except OSError as error:
        raise cannot_confine(str(error.strerror or error)) from error
    return walls
