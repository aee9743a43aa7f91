"""What scripts see of files beside their content: entry types, entry fields, option sets, matches.

Owns:  their names, fields, defaults and descriptions.
Never: opens anything.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import METHOD, UNSIGNED, Bounds
from trex.values import Constant

ENTRY_TYPE = CATALOGUE.enumeration(
    "EntryType",
    "What an entry of a directory is.",
    {
        "FILE": ("File", "a regular file"),
        "DIR": ("Dir", "a directory"),
        "SYMLINK": ("Symlink", "a symbolic link"),
        "UNKNOWN": ("Unknown", "none of the others"),
        "FIFO": ("Fifo", "a named pipe"),
        "SOCKET": ("Socket", "a socket of the local host"),
        "CHAR_DEVICE": ("CharDevice", "a device that is read byte by byte"),
        "BLOCK_DEVICE": ("BlockDevice", "a device that is read block by block"),
    },
)

EntryKind = Annotated[Constant, ENTRY_TYPE]


class EntryFields:
    """What is known of an entry without opening it."""

    name: Annotated[str, "its name in the directory"]
    inode: Annotated[int, "the number of its inode"]
    type: Annotated[Constant, ENTRY_TYPE, METHOD, "what it is"]


@CATALOGUE.option_set
class DirConfig(Struct, frozen=True):
    """The path of a directory to open."""

    path: Annotated[str, "its absolute path"]


@CATALOGUE.option_set
class OpenDirOptions(Struct, frozen=True):
    """How to open a directory."""

    create: Annotated[bool, "make it; fails if it is there, unless `recursive` is set"] = False
    recursive: Annotated[bool, "with `create`: make what is missing above it, and take it if it is there"] = False
    follow_symlinks: Annotated[bool, "accept symbolic links in the path; it must then exist"] = False


@CATALOGUE.option_set
class OpenFileOptions(Struct, frozen=True):
    """How to open a file. At least one of `read`, `write` and `create` is needed."""

    read: Annotated[bool, "for reading"] = False
    write: Annotated[bool, "for writing"] = False
    create: Annotated[bool, "make it if it is missing; includes `write`"] = False
    permissions: Annotated[int | None, "the mode of a file that is made, such as 0o640; the umask applies"] = None
    follow_symlinks: Annotated[bool, "if the name is a symbolic link, open what it leads to"] = False


@CATALOGUE.option_set
class ReadLinesOptions(Struct, frozen=True):
    """Which lines to read. At least one of the two is needed."""

    count: Annotated[int | None, "so many lines; negative: so many that end with `start` or the last line"] = None
    start: Annotated[
        int | None,
        UNSIGNED,
        Bounds(
            minimum=1,
            message="Invalid line to start reading from: must be a positive integer greater than 1 (>= 1): {value}",
        ),
        "the number of a line, from 1",
    ] = None


@CATALOGUE.record
class Match(Struct, frozen=True):
    """A line that a search found."""

    line_number: Annotated[int, "its number, from 1"]
    line_content: Annotated[str, "the line without its end"]
