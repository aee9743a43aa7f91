"""Files that go somewhere else: cp, mv, and moving by handle.

Owns:      what each command and method gives for what it was given.
Relies on: `trex.resources` to open and authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import Alias
from trex.resources.copying import SourceCopied, Target
from trex.resources.file_system import File
from trex.resources.held import DirectoryHeld
from trex.resources.moving import FileMoved, SourceMoved
from trex.resources.shapes import MoveOptions


@CATALOGUE.flag_set("cp", "CpFlag")
class CpFlags(Struct, frozen=True):
    """How `cp` copies."""

    force: Annotated[bool, "replace what the destination holds", Alias("f")] = False
    preserve: Annotated[bool, "also take over permissions and times", Alias("p")] = False


@CATALOGUE.operation("cp")
def cp(
    flags: Annotated[CpFlags, "how to copy it"],
    source: Annotated[SourceCopied, "the file"],
    target: Annotated[Target, "the destination, a file; it is made if it is missing"],
) -> None:
    """Copy a file.

    Whoever reads the destination meanwhile sees its old content or the new, never a part.

    cp([cp::force], "/etc/app.conf", "/tmp/app.conf")
    """
    source.copy(flags.preserve)


@CATALOGUE.flag_set("mv", "MvFlag")
class MvFlags(Struct, frozen=True):
    """How `mv` moves."""

    backup: Annotated[bool, "accepted; a source is never removed before its copy is verified", Alias("b")] = False
    verbose: Annotated[bool, "log from where to where it was moved", Alias("v")] = False


@CATALOGUE.operation("mv")
def mv(
    flags: Annotated[MvFlags, "how to move it"],
    source: Annotated[SourceMoved, "the file"],
    target: Annotated[Target, "its new path; a file that is there is replaced"],
) -> None:
    """Move a file, or give it another name.

    To another file system it is copied, with its attributes, and removed once the copy is verified.

    mv("/tmp/report.new", "/tmp/report")
    """
    source.move(flags.backup, flags.verbose)


@CATALOGUE.operation("move")
def move_file(
    file: Annotated[FileMoved, "the file"],
    directory: Annotated[DirectoryHeld, "the directory that it goes to"],
    name: Annotated[str, "its name there; a file that is there is replaced"],
    options: Annotated[MoveOptions, "how to move it"],
) -> File:
    """Move an open file, or give it another name; a link that led to it is moved itself.

    The handle stands for the file under its new name.

    file.move(directory, "report.old", MoveOptions().build())
    """
    return file.move(options.backup, options.verbose)
