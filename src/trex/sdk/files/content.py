"""The content of open files: pages, searches, counts, strings; writing in place, copying, sizes.

Owns:      what each method gives.
Relies on: `trex.resources` to authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import UNSIGNED, Bounds
from trex.resources.changed import FileChanged
from trex.resources.copying import FileCopied, FileReceiving
from trex.resources.file_system import File
from trex.resources.held import FileRead
from trex.resources.paging import FilePaged
from trex.resources.shapes import SIZE_UNIT, Match, in_bytes
from trex.resources.shown import FileShown
from trex.sdk.files.counting import WordCount, counted_in
from trex.values import Constant


@CATALOGUE.option_set
class ReadPageOptions(Struct, frozen=True):
    """How much to read at a time."""

    num_lines: Annotated[
        int,
        UNSIGNED,
        Bounds(
            minimum=1,
            message="Read page options require the num_lines option to be set and greater than zero: {value}",
        ),
        "so many lines",
    ]


@CATALOGUE.operation("read_page")
def read_page(
    file: Annotated[FilePaged, "the file, opened for reading"],
    options: Annotated[ReadPageOptions, "how much"],
) -> list[str]:
    """Give the next lines of an open file, without their ends; none at its end.

    The first page starts at the start. Everything else that reads or writes the content does so from
    the start whatever page was read, and the next page is then the first again.

    file.read_page(ReadPageOptions().num_lines(100).build())
    """
    return file.next(options.num_lines)


@CATALOGUE.operation("search")
def search(
    file: Annotated[FileShown, "the file, opened for reading"],
    pattern: Annotated[str, "a regular expression, searched for in each line"],
) -> list[Match]:
    """Give the lines of an open file that match a regular expression, with their numbers.

    Of a file that may only be read redacted, what is searched is what is shown.

    file.search("error")[0].line_number
    """
    from trex.resources.searching import matching

    return [file.matched(number, line) for number, line in matching(file, pattern)]


@CATALOGUE.operation("counts")
def counts(file: Annotated[FileRead, "the file, opened for reading"]) -> WordCount:
    """Count the lines, words and bytes of an open file.

    file.counts().line_count
    """
    return counted_in(file)


_SHORTEST = 4


@CATALOGUE.operation("extract_strings")
def extract_strings(file: Annotated[FileRead, "the file, opened for reading"]) -> list[str]:
    """Give the printable texts in an open file of any kind: four or more ASCII characters or tabs in a row.

    file.extract_strings()
    """
    import re

    texts = re.compile(rb"[\t\x20-\x7e]{%d,}" % _SHORTEST)
    found: list[str] = []
    started = b""  # printable characters at the end of the last block, which may go on
    for block in file.blocks():
        block = started + block
        end = len(block) - len(re.search(rb"[\t\x20-\x7e]*\Z", block)[0])  # type: ignore[index]  # matches always
        started = block[end:]
        file.check_held(len(started))
        found += [file.kept(text.decode()) for text in texts.findall(block, 0, end)]
    if len(started) >= _SHORTEST:
        found.append(file.kept(started.decode()))
    return found


@CATALOGUE.operation("write_in_place")
def write_in_place(
    file: Annotated[FileChanged, "the file, opened for writing"],
    content: Annotated[str, "the new content"],
) -> None:
    """Replace the content of the file itself, which keeps its inode and its other names.

    Whoever reads meanwhile may see a part, and so may whoever comes after a crash: `write` is safe
    from both.

    file.write_in_place("done\\n")
    """
    file.overwrite(content.encode())


@CATALOGUE.option_set
class CopyFileOptions(Struct, frozen=True):
    """How to copy a file."""

    force: Annotated[bool, "replace what the destination holds"] = False
    preserve: Annotated[bool, "also take over permissions and times"] = False


@CATALOGUE.operation("copy")
def copy(
    file: Annotated[FileCopied, "the file, opened for reading"],
    destination: Annotated[FileReceiving, "the destination, opened for writing"],
    options: Annotated[CopyFileOptions, "how to copy it"],
) -> File:
    """Copy the content of an open file into another, and give that one.

    Whoever reads the destination meanwhile sees its old content or the new, never a part.

    file.copy(destination, CopyFileOptions().force(true).build())
    """
    return destination.receive(file, options.force, options.preserve)


@CATALOGUE.option_set
class TruncateOptions(Struct, frozen=True):
    """Which size to give a file."""

    size: Annotated[int, "so much"] = 0
    format: Annotated[Constant, SIZE_UNIT, "what the size is counted in"] = SIZE_UNIT["BYTES"]


@CATALOGUE.operation("truncate")
def truncate(
    file: Annotated[FileChanged, "the file, opened for writing"],
    options: Annotated[TruncateOptions, "which size"],
) -> None:
    """Give an open file a size: cut off what is beyond, or add zeros that take no space.

    file.truncate(TruncateOptions().size(1).format(SizeUnit::MEBIBYTES).build())
    """
    file.cut(in_bytes(options.size, options.format))


@CATALOGUE.option_set
class FallocateOptions(Struct, frozen=True):
    """How much space to take for a file."""

    length: Annotated[int, Bounds(minimum=1, message="Validation error: Length must be greater than 0"), "so much"]
    format: Annotated[Constant, SIZE_UNIT, "what the length is counted in"] = SIZE_UNIT["BYTES"]


@CATALOGUE.operation("fallocate")
def fallocate(
    file: Annotated[FileChanged, "the file, opened for writing"],
    options: Annotated[FallocateOptions, "how much"],
) -> None:
    """Take space on the disk for an open file, which grows to that size and never shrinks.

    file.fallocate(FallocateOptions().length(10).format(SizeUnit::MEBIBYTES).build())
    """
    file.reserve(in_bytes(options.length, options.format))
