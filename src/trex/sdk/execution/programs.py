"""Run an open file as a program.

Owns:      the option sets of `execute`, and what it gives.
Relies on: `trex.resources.execution` to judge, confine and run it; nothing here takes a path.
Never:     starts a process itself, decides a permission, or knows which language called.
"""

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import Bounds, Shaped
from trex.resources.programs import FileExecuted

if TYPE_CHECKING:
    from trex.resources.invocation import Invocation

_NO_PID = "Parameter conversion failed for target_process: out of range integral type conversion attempted"


@CATALOGUE.option_set
class ChildNamespaceOptions(Struct, frozen=True):
    """The pid namespace that a program runs in."""

    target_process: Annotated[
        int,
        Bounds(minimum=0, maximum=2**32 - 1, message=_NO_PID, checked="set"),
        "the number of a process that is in it",
    ]


@CATALOGUE.option_set
class ExecuteOptions(Struct, frozen=True):
    """How to run a program."""

    args: Annotated[
        list[Any], Shaped("arguments"), 'its arguments: texts, or keys with values such as `["-p", "tcp"]`'
    ] = []
    env: Annotated[dict[str, Any], Shaped("environment"), "its whole environment; it inherits nothing"] = {}
    capabilities: Annotated[list[Any], Shaped("capabilities"), 'what it is given, such as `"CAP_NET_RAW"`'] = []
    user: Annotated[str | None, "the name of the user it runs as, with that user's groups"] = None
    group: Annotated[str | None, "the name of the group it runs as, and of no other"] = None
    namespace: Annotated[ChildNamespaceOptions | None, "the pid namespace it runs in"] = None
    working_directory: Annotated[str | None, "the directory it starts in; else that of Trex"] = None
    stdin: Annotated[str | None, "what it reads from its standard input; else nothing"] = None
    timeout: Annotated[
        int | None,
        Bounds(minimum=1, message="timeout must be at least 1"),
        "seconds after which it is ended; else the run's own end",
    ] = None
    max_output: Annotated[
        int | None,
        Bounds(minimum=0, message="max_output must not be negative"),
        "bytes of each of its outputs, beyond which it is ended",
    ] = None

    def invocation(self) -> "Invocation":
        """How the program is called, once more checked."""
        from trex.resources.invocation import Invocation, checked

        return Invocation(
            arguments=checked(self.args, self.env, self.capabilities),
            environment=self.env,
            user=self.user,
            group=self.group,
            capabilities=tuple(self.capabilities),
            namespace=None if self.namespace is None else self.namespace.target_process,
            directory=self.working_directory,
            stdin=self.stdin,
            timeout=self.timeout,
            max_output=self.max_output,
        )


@CATALOGUE.record(map=(("exit_code", "exit_code"), ("stdout", "stdout"), ("stderr", "stderr")))
class ExecuteResult(Struct, frozen=True):
    """How a program ended, and what it wrote."""

    exit_code: Annotated[int, "its exit status, or minus the number of the signal that ended it"]
    stdout: Annotated[str, "what it wrote to its standard output; bytes that are not UTF-8 are replaced"]
    stderr: Annotated[str, "what it wrote to its standard error, likewise"]


@CATALOGUE.operation("execute")
def execute(
    program: Annotated[FileExecuted, "the program, opened for reading only"],
    options: Annotated[ExecuteOptions, "how to run it"],
) -> ExecuteResult:
    """Run an open file as a program, wait for its end, and give what it wrote.

    The very file that was opened is executed, whatever its name means by then; a script's interpreter
    likewise. The program is confined: it reaches what the policy lets the script itself reach, unless a
    policy that permits it says `@confine("off")`. A program that cannot be started is a failure, and not an
    exit status. Processes that it leaves behind end with the run.

    directory.open_file("uptime", OpenFileOptions().read(true).build()).execute(ExecuteOptions().build()).stdout
    """
    finished = program.run()
    return ExecuteResult(
        finished.status, finished.stdout.decode("utf-8", "replace"), finished.stderr.decode("utf-8", "replace")
    )
