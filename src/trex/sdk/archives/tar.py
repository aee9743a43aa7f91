"""Tar archives: extract one into an open directory.

Owns:      the two passes over an archive, and what is said when one of them fails.
Relies on: `trex.resources.tar` for members, and the destination to judge and to make them.
Never:     makes anything of an archive before all of it was read and every member was permitted;
           passes over a member without a word.
"""

from collections.abc import Iterator
from typing import Annotated

from trex.catalogue.declare import CATALOGUE
from trex.errors import AccessDenied, OperationError
from trex.resources import failures
from trex.resources.content import ReadableContent
from trex.resources.extraction import DirectoryFilled, changed
from trex.resources.held import FileRead
from trex.resources.shapes import ExtractArchiveOptions

# How archives begin that other programs have packed.
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"7z\xbc\xaf": "7z"}


@CATALOGUE.operation("extract_archive")
def extract_archive(
    file: Annotated[FileRead, "the archive, plain or compressed by gzip, opened for reading"],
    dest_dir: Annotated[DirectoryFilled, "the directory that its members go to"],
    options: Annotated[ExtractArchiveOptions, "what is kept of a member beside its content"],
) -> None:
    """Extract a tar archive into an open directory.

    The archive is read twice. First every member is judged: if it holds a link, a device, a name
    that is absolute or has `..`, anything damaged, or a member that is not permitted, nothing is
    extracted at all. Then the members are made, each file as a whole. If the host fails meanwhile,
    the error says at which member, and how many were extracted before.

    Files that are there are replaced; a link or directory in the place of a file fails.

    archive.extract_archive(directory, ExtractArchiveOptions().build())
    """
    from trex.resources.tar import Archive, MemberRefused

    members = 0
    name = ""
    try:
        for member in Archive(*_opened(file)):
            members, name = member.number, member.shown
            dest_dir.judge(member)
    except AccessDenied:
        raise
    except MemberRefused as refused:
        raise _nothing_extracted(refused.failure, refused.number, refused.shown) from None
    except (OperationError, OSError) as problem:
        raise _nothing_extracted(failures.from_any(problem), members, name) from problem
    dest_dir.begin()
    done = 0
    finishing = False
    try:
        archive = Archive(*_opened(file))
        for member in archive:
            name = member.shown
            dest_dir.make(member, archive.content())
            done += 1
        if done < members:
            raise changed()
        finishing = True
        dest_dir.finish()
    except MemberRefused as refused:
        raise _partly_extracted(refused.failure, refused.shown, done, members, finishing) from None
    except (OperationError, OSError) as problem:
        raise _partly_extracted(failures.from_any(problem), name, done, members, finishing) from problem


def _opened(file: ReadableContent) -> tuple[Iterator[bytes], bool]:
    """The blocks of the archive itself, and whether they are checked on their way."""
    from trex.resources.compressed import MAGIC, Unpacked

    start = file.at(0, 8)
    if start.startswith(MAGIC):
        return Unpacked(file).blocks(), True
    for magic, program in _OTHERS.items():
        if start.startswith(magic):
            raise failures.unsupported(f"an archive of {program} is not extracted")
    return file.blocks(), False


def _nothing_extracted(failure: OperationError, number: int, name: str) -> OperationError:
    where = f"member {number} ({name!r})" if number else "the archive"
    return failures.failure(failure.kind, f"{failure.message}: {where}: nothing was extracted")


def _partly_extracted(failure: OperationError, name: str, done: int, members: int, finishing: bool) -> OperationError:
    if finishing:
        what = f"all {members} members were extracted, but not every directory has its mode, owner and time"
    else:
        what = (
            f"at member {done + 1} ({name!r}) of {members}: those before it were extracted, it and the others were not"
        )
    return failures.failure(failure.kind, f"{failure.message}: {what}")
