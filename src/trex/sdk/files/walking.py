"""Looking for entries: ls, find_files, and the walk of a directory with a function.

Owns:      which entries are wanted, and how `ls` shows one in a line.
Relies on: `trex.resources.walked` for trees that may be read; nothing here takes a path.
Never:     opens anything, decides a permission, or keeps what it has passed.
"""

import stat
import time
from collections.abc import Callable, Iterator
from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import Alias, Moment
from trex.errors import AccessDenied, OperationError
from trex.host.paths import decode
from trex.interface import Rule
from trex.resources import globs
from trex.resources.file_system import Entry
from trex.resources.shapes import SIZE_RANGE, bounds_of
from trex.resources.walked import TreeListed, TreeSearched, TreeWalked
from trex.resources.walks import Found, Tree
from trex.sdk.files.status import group_name, user_name
from trex.values import Constant

# --- ls ---


@CATALOGUE.flag_set("ls", "LsFlag")
class LsFlags(Struct, frozen=True):
    """Which entries `ls` gives, and what of them."""

    all: Annotated[bool, "also names that start with a dot", Alias("a")] = False
    long: Annotated[bool, "each entry with a line of its details, in `long`", Alias("l")] = False
    recursive: Annotated[bool, "also what is below, by its path from the directory", Alias("R")] = False


@CATALOGUE.operation("ls")
def ls(
    flags: Annotated[LsFlags, "which entries"], directory: Annotated[TreeListed, "the directory"]
) -> dict[str, Entry]:
    """List a directory: a map from each name to its entry.

    With `recursive`, the map has the path of each entry from the directory, such as `ssh/sshd_config`;
    directories that may not be entered are listed and passed over. With `long`, each entry has in
    `long` a line with mode, links, owner, group, size, time (UTC) and name; question marks stand for
    what may not be seen.

    ls("/etc").keys()
    """
    if not flags.long and not flags.recursive:
        entries = directory.listing().entries()
        return {entry.name: entry for entry in entries if flags.all or not entry.name.startswith(".")}
    top = directory.directory.path
    start = 1 if top.is_root else len(top.text) + 1
    listed = {}
    for found in directory.walk(None if flags.recursive else 1, hidden=flags.all, closed=True):
        entry = directory.entry(found)
        if flags.long:
            entry.line = _line(directory, found)
        listed[found.path[start:]] = entry
    return listed


def _line(tree: Tree, found: Found) -> str | None:
    """An entry as `ls -l` shows it."""
    shown = f"?????????? ? ? ? ? ? {found.name}"
    try:
        status = tree.status(found)
        target = tree.target(found) if stat.S_ISLNK(status.st_mode) else None
    except (AccessDenied, OSError):
        return shown
    size = str(status.st_size)
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        size = f"{status.st_rdev >> 8 & 0xFFF}, {status.st_rdev & 0xFF | status.st_rdev >> 12 & 0xFFF00}"
    seconds = time.gmtime(status.st_mtime)
    parts = [
        stat.filemode(status.st_mode),
        str(status.st_nlink),
        user_name(status.st_uid),
        group_name(status.st_gid),
        size,
        time.strftime("%Y-%m-%d %H:%M", seconds),
        found.name,
    ]
    return " ".join(parts) + (f" -> {decode(target)}" if target is not None else "")


# --- find_files ---


@CATALOGUE.flag_set("glob", "GlobFlag")
class GlobFlags(Struct, frozen=True):
    """Where `find_files` looks."""

    recursive: Annotated[bool, "also in everything below", Alias("r")] = False


@CATALOGUE.operation("find_files")
def find_files(
    flags: Annotated[GlobFlags, "where to look"],
    pattern: Annotated[str, "of names, such as `*.log`; `?` and `[a-z]` are known too"],
    directory: Annotated[TreeSearched, "the directory"],
) -> list[str]:
    """Give the names of files and directories that match a pattern.

    These are names, not paths. Links are not followed.

    find_files([glob::recursive], "*.log", "/var/log")
    """
    matches = globs.matcher(pattern)
    names = []
    for found in directory.walk(None if flags.recursive else 1):
        if matches(found.name):
            directory.count(found.name)
            names.append(found.name)
    return names


# --- find ---


@CATALOGUE.option_set(
    rules=(
        Rule(
            "at_most_one",
            ("name", "iname", "regex"),
            "Validation error: Only one of 'name', 'iname', or 'regex' can be specified",
        ),
        Rule(
            "needs",
            ("negate_name", "name", "iname"),
            "Validation error: negate_name can only be used with 'name' or 'iname' patterns",
        ),
        Rule("not_negative", ("size_range", "min"), "Validation error: Size range minimum must be non-negative"),
        Rule("not_negative", ("size_range", "max"), "Validation error: Size range maximum must be non-negative"),
    )
)
class FindOptions(Struct, frozen=True):
    """Which entries a walk gives. All that is said must hold."""

    name: Annotated[str | None, "a pattern of names, such as `*.log`"] = None
    iname: Annotated[str | None, "the same, with letters of either case"] = None
    regex: Annotated[str | None, "a regular expression that is found anywhere in the whole path"] = None
    negate_name: Annotated[bool, "with `name` or `iname`: names that do not match"] = False
    size_range: Annotated[Constant | None, SIZE_RANGE, "the size of the content"] = None
    min_depth: Annotated[int, "what is less deep is passed, not given; the directory's own entries are at 1"] = 0
    max_depth: Annotated[int | None, "how deep to go"] = None
    min_creation_time: Annotated[Moment | None, "changed then or later, by content, owner, mode or name"] = None
    max_creation_time: Annotated[Moment | None, "changed so then or earlier"] = None
    min_modification_time: Annotated[Moment | None, "its content changed then or later"] = None
    max_modification_time: Annotated[Moment | None, "its content changed then or earlier"] = None
    follow_symlinks: Annotated[bool, "walk what links lead to; every directory is walked once"] = False


@CATALOGUE.operation("find")
def find(
    directory: Annotated[TreeWalked, "the directory"], options: Annotated[FindOptions, "which entries"]
) -> Iterator[Entry]:
    """Walk a directory, and call a function with each entry.

    A directory comes before what it holds. What may not be opened or read is passed over; the
    directory itself must be readable. A function that fails ends the walk, with the kind
    `CallbackError`.

    directory.find(FindOptions().name("*.log").build(), |entry| { info(entry.name); })
    """
    if options.min_depth < 0 or (options.max_depth is not None and options.max_depth < 0):
        text = "out of range integral type conversion attempted"
        raise OperationError("IoErrorKind", "TryFromIntError", text)
    named = _by_name(options, directory)
    seen = _by_status(options)
    return _found(directory, options, named, seen)


def _found(
    tree: Tree,
    options: FindOptions,
    named: Callable[[Found], object] | None,
    seen: Callable[[Found], bool] | None,
) -> Iterator[Entry]:
    for found in tree.walk(options.max_depth, follow=options.follow_symlinks):
        if found.depth < options.min_depth or (named is not None and not named(found)):
            continue
        if seen is not None:
            try:
                tree.status(found)
            except FileNotFoundError:  # it was removed meanwhile
                continue
            if not seen(found):
                continue
        yield tree.entry(found)


def _by_name(options: FindOptions, tree: Tree) -> Callable[[Found], object] | None:
    if options.regex is not None:
        matches = tree.expression(options.regex)
        return lambda found: matches(found.path.encode())
    pattern = options.name if options.name is not None else options.iname
    if pattern is None:
        return None
    match = globs.matcher(pattern, ignore_case=options.name is None)
    if options.negate_name:
        return lambda found: not match(found.name)
    return lambda found: match(found.name)


def _by_status(options: FindOptions) -> Callable[[Found], bool] | None:
    low, high = bounds_of(options.size_range) if options.size_range is not None else (0, None)
    changed = _nanoseconds(options.min_creation_time), _nanoseconds(options.max_creation_time)
    modified = _nanoseconds(options.min_modification_time), _nanoseconds(options.max_modification_time)
    if options.size_range is None and changed == modified == (None, None):
        return None

    def seen(found: Found) -> bool:
        status = found.status()
        return (
            status.st_size >= low
            and (high is None or status.st_size <= high)
            and _within(status.st_ctime_ns, *changed)
            and _within(status.st_mtime_ns, *modified)
        )

    return seen


def _nanoseconds(moment: Moment | None) -> int | None:
    return None if moment is None else moment.seconds * 1_000_000_000 + moment.nanoseconds


def _within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)
