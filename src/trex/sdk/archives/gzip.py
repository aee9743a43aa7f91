"""Gzip files that stay open: compress into, read, search, describe.

Owns:      what each method gives for compressed content.
Relies on: `trex.resources` to authorize, to unpack and to search; nothing here takes a path.
Never:     opens a file, decides a permission, or gives a part of what a damaged file held.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import UNSIGNED, Bounds
from trex.resources import failures
from trex.resources.content import MATCH, Content
from trex.resources.held import FileRead
from trex.resources.outputs import FileFilled
from trex.resources.shapes import Match, ReadLinesOptions


@CATALOGUE.option_set
class CompressGzipOptions(Struct, frozen=True):
    """How to compress."""

    level: Annotated[
        int,
        UNSIGNED,
        Bounds(1, 9, "Validation error: Compression level must be between 1 and 9, got {value}"),
        "1 is the fastest, 9 gives the smallest result",
    ] = 6


@CATALOGUE.operation("compress_gzip")
def compress_gzip(
    file: Annotated[FileRead, "the file to compress, opened for reading; it stays as it is"],
    dest_file: Annotated[FileFilled, "the file that gets the result, opened for writing"],
    options: Annotated[CompressGzipOptions, "how to compress"],
) -> None:
    """Compress an open file into another one.

    The whole file is compressed, and the result is the whole content of the destination. Whoever
    reads that meanwhile sees the old content or the new, never a part.

    file.compress_gzip(dest, CompressGzipOptions().level(9).build())
    """
    from trex.resources.compressed import packed

    dest_file.fill(packed(file, options.level))


@CATALOGUE.operation("read_gzip_lines")
def read_gzip_lines(
    file: Annotated[FileRead, "the compressed file, opened for reading"],
    options: Annotated[ReadLinesOptions, "which lines"],
) -> list[str]:
    """Give some lines of what is packed in an open gzip file, without their ends.

    A file of several members, as appending to a compressed log makes it, is read through all of them.

    file.read_gzip_lines(ReadLinesOptions().count(-10).build())
    """
    from trex.resources.compressed import Unpacked
    from trex.resources.lines import selected

    if options.count is None and options.start is None:
        raise failures.failure("ValidationError", "Validation error: Must specify count or start option")
    return selected(Unpacked(file), options.count, options.start)


@CATALOGUE.record(
    map=(
        ("compressed_size_bytes", "compressed_size_bytes"),
        ("uncompressed_size_bytes", "uncompressed_size_bytes"),
        ("compression_ratio", "compression_ratio"),
    )
)
class GzipInfo(Struct, frozen=True):
    """How much a gzip file saves."""

    compressed_size_bytes: Annotated[int, "bytes of the file"]
    uncompressed_size_bytes: Annotated[int, "bytes of what is packed in it"]
    compression_ratio: Annotated[float, "how many times as large that is"]


@CATALOGUE.operation("gzip_info")
def gzip_info(file: Annotated[FileRead, "the compressed file, opened for reading"]) -> GzipInfo:
    """Give the sizes of an open gzip file and of what is packed in it.

    The file is unpacked to count: the size that a gzip file ends in is that of its last member
    only, and starts again from 0 at 4 GiB. A damaged file fails.

    file.gzip_info().compression_ratio
    """
    from trex.resources.compressed import Unpacked

    size = file.size
    unpacked = sum(len(block) for block in Unpacked(file).blocks())
    return GzipInfo(size, unpacked, unpacked / size)


@CATALOGUE.option_set
class SearchGzipOptions(Struct, frozen=True):
    """Which matching lines a search gives."""

    exclude_pattern: Annotated[str | None, "leave out lines that match this too; it minds the case of letters"] = None
    case_insensitive: Annotated[bool, "match letters of either case"] = False
    max_results: Annotated[int, "the first so many; negative: the last so many; 0: all"] = 0


@CATALOGUE.operation("search_gzip")
def search_gzip(
    file: Annotated[FileRead, "the compressed file, opened for reading"],
    pattern: Annotated[str, "a regular expression, searched for in each line"],
    options: Annotated[SearchGzipOptions, "which matching lines"],
) -> list[Match]:
    """Give the lines that match a regular expression, of what is packed in an open gzip file.

    A line that is not UTF-8 fails, as does a damaged file, if the search gets there.

    file.search_gzip("error", SearchGzipOptions().max_results(-5).build())
    """
    from trex.resources.compressed import Unpacked

    wanted = options.max_results
    unpacked = Unpacked(file)
    found = _found(unpacked, pattern, options)
    if wanted < 0:
        found = _last(unpacked, found, -wanted)
    elif wanted:
        found = islice(found, wanted)
    return [unpacked.matched(number, line) for number, line in found]


@CATALOGUE.operation("search_gzip_exists")
def search_gzip_exists(
    file: Annotated[FileRead, "the compressed file, opened for reading"],
    pattern: Annotated[str, "a regular expression, searched for in each line"],
    options: Annotated[SearchGzipOptions, "what to leave out; `max_results` does not matter"],
) -> bool:
    """Say whether any line matches a regular expression, of what is packed in an open gzip file.

    The search ends at the first line that does.

    file.search_gzip_exists("error", SearchGzipOptions().build())
    """
    from trex.resources.compressed import Unpacked

    return next(_found(Unpacked(file), pattern, options), None) is not None


def _found(content: Content, pattern: str, options: SearchGzipOptions) -> Iterator[tuple[int, bytes]]:
    from trex.resources.patterns import matcher
    from trex.resources.searching import matching

    found = matching(content, pattern, options.case_insensitive)
    if options.exclude_pattern is None:
        return found
    excluded = matcher(options.exclude_pattern, budget=content.budget)
    return (each for each in found if not excluded(each[1]))


def _last(content: Content, found: Iterator[tuple[int, bytes]], count: int) -> Iterator[tuple[int, bytes]]:
    window: deque[tuple[int, bytes]] = deque()
    held = 0
    for each in found:
        window.append(each)
        held += len(each[1]) + MATCH
        if len(window) > count:
            held -= len(window.popleft()[1]) + MATCH
        content.check_held(held)
    return iter(window)
