"""Files that scripts hold open, to be executed.

Owns:      the action, and what `execute` needs from the policy.
Relies on: `execution` for everything else; it is loaded when a run first executes something.
Never:     starts anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Protocol

from trex.authorization.vocabulary import action
from trex.catalogue.declare import Need
from trex.resources import failures
from trex.resources.file_system import OPEN, File
from trex.resources.held import HeldFile

if TYPE_CHECKING:
    from trex.catalogue.access import Gate
    from trex.programs import Finished

EXECUTE = action("file_system", "execute")


class Runnable(Protocol):
    """A program that may be run now."""

    def run(self) -> Finished:
        """Run it to its end."""


class OpenedToExecute(HeldFile):
    """An open file to execute, called as `options` say. It must not be open for writing."""

    uses = ("options",)

    def acquire(self, gate: Gate, argument: File, *used: Any) -> Runnable:
        from trex.resources.execution import judge

        (options,) = used
        judged = judge(gate, argument.path, options.invocation())
        if argument.writable:
            text = "Attempted to execute a file opened with write permissions."
            raise failures.failure(
                "InvalidFileMode",
                f"Invalid file mode: {text} Files must be opened read-only for execution.: {argument.path.text}",
            )
        return judged.prepare(argument.descriptor, argument.link.name)


FileExecuted = Annotated[
    Runnable,
    OpenedToExecute(
        Need(OPEN, "Dir", "the working directory, as given and as found", "with `working_directory`"),
        Need(EXECUTE, "File", "the program; the interpreter of a script must not be forbidden"),
    ),
]
