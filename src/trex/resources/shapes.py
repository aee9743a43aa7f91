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

SIZE_UNIT = CATALOGUE.enumeration(
    "SizeUnit",
    "What a size is counted in.",
    {
        "BYTES": ("Bytes", "bytes"),
        "KILOBYTES": ("Kilobytes", "1000 bytes"),
        "KIBIBYTES": ("Kibibytes", "1024 bytes"),
        "MEGABYTES": ("Megabytes", "1000 kilobytes"),
        "MEBIBYTES": ("Mebibytes", "1024 kibibytes"),
        "GIGABYTES": ("Gigabytes", "1000 megabytes"),
        "GIBIBYTES": ("Gibibytes", "1024 mebibytes"),
    },
)

_UNITS = {
    "BYTES": 1,
    "KILOBYTES": 10**3,
    "KIBIBYTES": 2**10,
    "MEGABYTES": 10**6,
    "MEBIBYTES": 2**20,
    "GIGABYTES": 10**9,
    "GIBIBYTES": 2**30,
}


def in_bytes(number: int, unit: Constant) -> int:
    """A size of that unit in bytes; it may be larger than the numbers of scripts."""
    return number * _UNITS[unit.name]


_UNIT = ("unit", "SizeUnit")

SIZE_RANGE = CATALOGUE.measure(
    "SizeRange",
    "From which to which size, both included.",
    {
        "min_only": ((("min", "int"), _UNIT), "that size or larger"),
        "max_only": ((("max", "int"), _UNIT), "that size or smaller"),
        "between": ((("min", "int"), ("max", "int"), _UNIT), "from one size to the other"),
    },
)


def bounds_of(size_range: Constant) -> tuple[int, int | None]:
    """The least and the greatest size in bytes."""
    *numbers, unit = size_range.arguments
    sizes = [in_bytes(number, unit) for number in numbers]
    if size_range.name == "min_only":
        return sizes[0], None
    return (0, sizes[0]) if size_range.name == "max_only" else (sizes[0], sizes[1])


class EntryFields:
    """What is known of an entry without opening it."""

    name: Annotated[str, "its name in the directory"]
    inode: Annotated[int, "the number of its inode"]
    type: Annotated[Constant, ENTRY_TYPE, METHOD, "what it is"]
    long: Annotated[str | None, "the line that `ls` with `long` shows of it; `()` from anywhere else"]


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


@CATALOGUE.option_set
class ExtractArchiveOptions(Struct, frozen=True):
    """What is kept of a member beside its content."""

    preserve_permissions: Annotated[bool, "its mode, without setuid, setgid and sticky bit"] = True
    preserve_ownership: Annotated[bool, "its user and group, by their names"] = False
    preserve_timestamps: Annotated[bool, "when it was modified"] = True


@CATALOGUE.record
class Match(Struct, frozen=True):
    """A line that a search found."""

    line_number: Annotated[int, "its number, from 1"]
    line_content: Annotated[str, "the line without its end"]


@CATALOGUE.option_set
class SetOwnershipOptions(Struct, frozen=True):
    """Whom something is to belong to. What is not given stays."""

    user: Annotated[str | None, "the name of the user"] = None
    group: Annotated[str | None, "the name of the group"] = None
    recursive: Annotated[bool, "for a directory: with everything in it"] = False


@CATALOGUE.option_set
class MoveOptions(Struct, frozen=True):
    """How to move a file or directory."""

    backup: Annotated[bool, "accepted; a source is never removed before its copy is verified"] = False
    verbose: Annotated[bool, "log from where to where it was moved"] = False
