"""How much space things take: du, and the usage of directories and files.

Owns:      what is counted, and counting it once.
Relies on: `trex.resources.walked` for trees that may be measured; nothing here takes a path.
Never:     opens anything or decides a permission.

Counted are regular files and directories; links, FIFOs, sockets and devices hold no content. A file
with several names counts once, where it is met first. What may not be seen counts for nothing,
with all that it holds.
"""

import os
import stat
from typing import Annotated, Any

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import Alias, Takes
from trex.errors import AccessDenied
from trex.interface import Rule
from trex.resources import failures
from trex.resources.walked import FileMeasured, HeldTreeMeasured, TreeMeasured
from trex.resources.walks import Found, Tree

_UNIT = 512  # bytes of a block, whatever the file system's own is

_CONTRADICTION = "Validation error: cannot both summarize and show all entries"


@CATALOGUE.option_set(rules=(Rule("at_most_one", ("summarize", "all_files"), _CONTRADICTION),))
class DiskUsageOptions(Struct, frozen=True):
    """What of a directory's usage to tell, and how to count."""

    summarize: Annotated[bool, "only the directory itself"] = False
    all_files: Annotated[bool, "also what is no directory"] = False
    one_file_system: Annotated[bool, "not what is mounted below"] = False
    count_hard_links: Annotated[bool, "a file as often as it has names"] = False
    apparent_size: Annotated[bool, "the size of the content, not the space on disk"] = False
    track_largest_subdir: Annotated[bool, "open the largest directory below, of those that are told"] = False
    max_depth: Annotated[int | None, "tell only what is so deep; all is counted"] = None


@CATALOGUE.record(map=(("path", "path"), ("size_bytes", "size_bytes"), ("inode_count", "inode_count")))
class DiskUsageEntry(Struct, frozen=True):
    """How much one directory takes, with all that is in it, or one file."""

    path: Annotated[str, "its path"]
    size_bytes: Annotated[int, "bytes"]
    inode_count: Annotated[int, "how many files and directories, itself included"]


@CATALOGUE.record
class DiskUsageResult(Struct, frozen=True):
    """How much a directory takes, and each directory in it."""

    entries: Annotated[list[Any], "one `DiskUsageEntry` for each, the directory itself last"]
    largest_subdir_handle: Annotated[Any, "the largest directory below, open, if that was wanted; else `()`"]


@CATALOGUE.operation("disk_usage")
def disk_usage(
    directory: Annotated[HeldTreeMeasured, "the directory"],
    options: Annotated[DiskUsageOptions, "what to tell"],
) -> DiskUsageResult:
    """Tell how much an open directory and each directory in it takes.

    A directory's numbers include those of what it holds, and it comes after what it holds.

    directory.disk_usage(DiskUsageOptions().summarize(true).build()).entries[0].size_bytes
    """
    usage = _Usage(directory, options)
    entries = usage.measure()
    largest = usage.largest
    return DiskUsageResult(entries, directory.open(largest) if largest is not None else None)


@CATALOGUE.operation("disk_usage")
def file_disk_usage(
    file: Annotated[FileMeasured, "the file"], options: Annotated[DiskUsageOptions, "how to count"]
) -> DiskUsageEntry:
    """Tell how much an open file takes.

    file.disk_usage(DiskUsageOptions().build()).size_bytes
    """
    return DiskUsageEntry(file.path, _size(file.status, options.apparent_size), 1)


@CATALOGUE.flag_set("du", "DuFlag")
class DuFlags(Struct, frozen=True):
    """What `du` tells, and how it counts."""

    summarize: Annotated[bool, "only the directory itself", Alias("s")] = False
    all_files: Annotated[bool, "also what is no directory", Alias("a")] = False
    apparent_size: Annotated[bool, "the size of the content, not the space on disk"] = False
    max_depth: Annotated[int | None, "tell only what is so deep; all is counted", Alias("d"), Takes("depth")] = None


@CATALOGUE.operation("du", failure="text")
def du(
    flags: Annotated[DuFlags, "what to tell"], directory: Annotated[TreeMeasured, "the directory"]
) -> dict[str, Any]:
    """Tell how much a directory and each directory in it takes.

    `entries` has a map with `path`, `size_bytes` and `inode_count` for each, the directory itself last;
    `total_size_bytes` and `total_inode_count` are those of the directory itself, in which every file
    counts once. A failure is a text.

    du([du::summarize], "/var/log").total_size_bytes
    """
    if flags.summarize and flags.all_files:
        raise failures.failure("ValidationError", _CONTRADICTION)
    usage = _Usage(
        directory,
        DiskUsageOptions(
            summarize=flags.summarize,
            all_files=flags.all_files,
            apparent_size=flags.apparent_size,
            max_depth=flags.max_depth,
        ),
    )
    entries = usage.measure()
    return {
        "entries": [
            {"path": each.path, "size_bytes": each.size_bytes, "inode_count": each.inode_count} for each in entries
        ],
        "total_size_bytes": usage.total.size,
        "total_inode_count": usage.total.count,
    }


class _Sum:
    """What was counted in one directory so far; `is_hidden`: it counts for nothing."""

    __slots__ = ("count", "is_hidden", "size")

    def __init__(self, size: int, is_hidden: bool = False) -> None:
        self.size, self.count, self.is_hidden = size, 1, is_hidden


class _Usage:
    """One measurement of a tree.

    total:   of the directory itself.
    largest: the path of the largest directory below it, among those that are told.
    """

    def __init__(self, tree: Tree, options: DiskUsageOptions) -> None:
        self._tree, self._options = tree, options
        self._top = os.fstat(tree.directory.descriptor.number)
        self._seen: set[tuple[int, int]] = set()
        self._entries: list[DiskUsageEntry] = []
        self._largest_size = -1
        self.total = _Sum(_size(self._top, options.apparent_size))
        self.largest: str | None = None

    def measure(self) -> list[DiskUsageEntry]:
        """Walk the tree; one entry for each directory, children first, and for each file if wanted."""
        device = self._top.st_dev if self._options.one_file_system else None
        sums = [self.total]
        for found in self._tree.walk(leaving=True, device=device):
            if not found.leaving:
                status = self._status(found)
                if found.is_directory:
                    size = 0 if status is None else _size(status, self._options.apparent_size)
                    sums.append(_Sum(size, is_hidden=status is None))
                elif status is not None:
                    self._count_file(found, status, sums[-1])
                continue
            left = sums.pop()
            if not left.is_hidden:
                sums[-1].size += left.size
                sums[-1].count += left.count
                if self._tell(found.path, found.depth, left) and left.size > self._largest_size:
                    self._largest_size = left.size
                    self.largest = found.path if self._options.track_largest_subdir else None
        self._tell(self._tree.directory.path.text, 0, self.total)
        return self._entries

    def _count_file(self, found: Found, status: os.stat_result, into: _Sum) -> None:
        if status.st_nlink > 1 and not self._options.count_hard_links:
            identity = status.st_dev, status.st_ino
            if identity in self._seen:
                return
            self._seen.add(identity)
        size = _size(status, self._options.apparent_size)
        if stat.S_ISREG(status.st_mode):
            into.size += size
            into.count += 1
        if self._options.all_files:
            self._tell(found.path, found.depth, _Sum(size))

    def _status(self, found: Found) -> os.stat_result | None:
        try:
            return self._tree.status(found)
        except (AccessDenied, FileNotFoundError):
            return None
        except OSError as error:
            self._tree.problem(found.path, failures.os_text(error))
            return None

    def _tell(self, path: str, depth: int, counted: _Sum) -> bool:
        options = self._options
        if (options.summarize and depth) or (options.max_depth is not None and depth > options.max_depth):
            return False
        self._tree.count(path)
        self._entries.append(DiskUsageEntry(path, counted.size, counted.count))
        return True


def _size(status: os.stat_result, is_apparent: bool) -> int:
    return status.st_size if is_apparent else status.st_blocks * _UNIT
