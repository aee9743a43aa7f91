"""The commands that administrators know: cat, grep, wc, write, replace, touch, mkdir, rm.

Owns:      what each command gives for what it was given.
Relies on: `trex.resources.named` to open and authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import Alias, Takes
from trex.resources.named import (
    DirectoryMade,
    FileTouched,
    ReadableFile,
    Removed,
    WrittenFile,
)
from trex.resources.shown import ShownFile
from trex.sdk.files.counting import counted_in


@CATALOGUE.flag_set("cat", "CatFlag")
class CatFlags(Struct, frozen=True):
    """How `cat` shows the content."""

    number: Annotated[bool, "number the lines", Alias("n")] = False


@CATALOGUE.operation("cat")
def cat(flags: Annotated[CatFlags, "how to show it"], file: Annotated[ShownFile, "the file"]) -> str:
    """Give the content of a file, which must be UTF-8.

    With `number`, each line comes after its number and a tab, and the last line has no end.

    cat("/etc/hosts")
    """
    if not flags.number:
        return file.text()
    return "\n".join(f"{number:>6}\t{file.kept(line)}" for number, line in enumerate(file.lines(), 1))


@CATALOGUE.flag_set("grep", "GrepFlag")
class GrepFlags(Struct, frozen=True):
    """Which lines `grep` gives, and how."""

    ignore_case: Annotated[bool, "match letters of either case", Alias("i")] = False
    count: Annotated[bool, "give only the number of lines, as one text", Alias("c")] = False
    invert: Annotated[bool, "give the lines that do not match", Alias("v")] = False
    line_number: Annotated[bool, "put the number of the line and a colon before it", Alias("n")] = False
    max_count: Annotated[int, "stop after so many lines", Alias("m"), Takes("count")] = 0


@CATALOGUE.operation("grep")
def grep(
    flags: Annotated[GrepFlags, "which lines, and how"],
    pattern: Annotated[str, "a regular expression, searched for in each line"],
    file: Annotated[ShownFile, "the file"],
) -> list[str]:
    """Give the lines of a file that match a regular expression.

    The expression takes time linear in the size of the file; it has no look-around and no
    back-references. No matching line gives an empty array.

    grep([grep::ignore_case], "error", "/var/log/syslog")
    """
    from trex.resources.searching import matching

    kept: list[str] = []
    count = 0
    for number, raw in matching(file, pattern, flags.ignore_case, flags.invert):
        count += 1
        if not flags.count:
            line = file.decoded(raw)
            kept.append(file.kept(f"{number}:{line}" if flags.line_number else line))
        if count == flags.max_count:
            break
    return [str(count)] if flags.count else kept


@CATALOGUE.flag_set("wc", "WcFlag")
class WcFlags(Struct, frozen=True):
    """What `wc` counts; without any flag, all three."""

    lines: Annotated[bool, "newline characters", Alias("l")] = False
    words: Annotated[bool, "runs of anything but spaces, tabs and line ends", Alias("w")] = False
    bytes: Annotated[bool, "bytes", Alias("c")] = False


@CATALOGUE.operation("wc")
def wc(flags: Annotated[WcFlags, "what to count"], file: Annotated[ReadableFile, "the file"]) -> dict[str, int]:
    """Count the lines, words and bytes of a file.

    wc([wc::lines], "/etc/hosts").lines
    """
    wants_words = flags.words or not (flags.lines or flags.bytes)
    counted = counted_in(file, wants_words)
    counts = {"lines": counted.line_count, "words": counted.word_count, "bytes": counted.byte_count}
    wanted = [name for name in counts if getattr(flags, name)]
    return {name: counts[name] for name in wanted or counts}


@CATALOGUE.flag_set("write", "WriteFlag")
class WriteFlags(Struct, frozen=True):
    """Where `write` puts the content; without any flag, at the end."""

    append: Annotated[bool, "at the end", Alias("a")] = False
    replace: Annotated[bool, "in place of the old content", Alias("r")] = False


@CATALOGUE.operation("write")
def write(
    flags: Annotated[WriteFlags, "where the content goes"],
    file: Annotated[WrittenFile, "the file"],
    content: Annotated[str, "what to write"],
) -> None:
    """Add text to the end of a file, or replace its content; a missing file is made.

    Replacing keeps owner and mode, and whoever reads meanwhile sees the old content or the new,
    never a part. `replace` counts if both flags are given.

    write([write::replace], "/tmp/report.txt", "done\\n")
    """
    if flags.replace:
        file.replace(content.encode())
    else:
        file.append(content.encode())


@CATALOGUE.operation("replace")
def replace(file: Annotated[WrittenFile, "the file"], content: Annotated[str, "what to write"]) -> None:
    """Replace the content of a file; a missing file is made. The same as `write` with `replace`.

    replace("/tmp/report.txt", "done\\n")
    """
    file.replace(content.encode())


@CATALOGUE.operation("touch")
def touch(file: Annotated[FileTouched, "the file"]) -> None:
    """Make an empty file, or set the times of one that is there to now.

    touch("/tmp/marker")
    """
    file.touch()


@CATALOGUE.flag_set("mkdir", "MkdirFlag")
class MkdirFlags(Struct, frozen=True):
    """How `mkdir` makes a directory."""

    parents: Annotated[bool, "also make what is missing above it", Alias("p")] = False


@CATALOGUE.operation("mkdir")
def mkdir(flags: Annotated[MkdirFlags, "how to make it"], directory: Annotated[DirectoryMade, "the directory"]) -> None:
    """Make a directory; one that is there already is left as it is.

    With `parents`, either all missing directories are made or none.

    mkdir([mkdir::parents], "/tmp/a/b/c")
    """
    directory.make()


@CATALOGUE.flag_set("rm", "RmFlag")
class RmFlags(Struct, frozen=True):
    """How `rm` removes."""

    force: Annotated[bool, "that nothing is there is no failure", Alias("f")] = False
    recursive: Annotated[bool, "a directory with everything in it", Alias("r")] = False


@CATALOGUE.operation("rm")
def rm(
    flags: Annotated[RmFlags, "how to remove it"],
    target: Annotated[Removed, "a file, a symbolic link or a directory"],
) -> None:
    """Remove a file, a symbolic link or a directory. A link is removed itself, never what it leads to.

    Before anything of a tree is removed, `delete` must be permitted on all of it.

    rm([rm::recursive], "/tmp/old")
    """
    target.remove(flags.force, flags.recursive)
