"""Other programs: what a file is as one, how it is started by descriptor, confined, bounded and ended.

`running.Program` starts one and gives what it wrote. The modules are imported by name, when a run
first executes something.
"""

from msgspec import Struct


class Finished(Struct, frozen=True):
    """How a program ended: its exit status, or minus the signal's number, and what it wrote."""

    status: int
    stdout: bytes
    stderr: bytes
