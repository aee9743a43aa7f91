"""Files that stay open.

Owns:      what each method of an open file gives.
Relies on: `trex.resources.held` to authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.resources.file_system import File
from trex.resources.held import FileDeleted, FileRead, FileSeen, FileWritten
from trex.resources.lines import selected
from trex.resources.shapes import ReadLinesOptions
from trex.resources.shown import FileShown
from trex.sdk.files import errors
from trex.sdk.files.status import Metadata, metadata_of

__all__ = ["errors"]


@CATALOGUE.operation("read")
def read(file: Annotated[FileShown, "the file, opened for reading"]) -> str:
    """Give the content of an open file, which must be UTF-8.

    Where only `redacted_read` is permitted, lines that the operator's dictionary does not know are
    replaced by `[REDACTED]`.

    file.read()
    """
    return file.text()


@CATALOGUE.operation("read_lines")
def read_lines(
    file: Annotated[FileRead, "the file, opened for reading"],
    options: Annotated[ReadLinesOptions, "which lines"],
) -> list[str]:
    """Give some lines of an open file, without their ends.

    file.read_lines(ReadLinesOptions().count(-10).build())
    """
    return selected(file, options.count, options.start)


@CATALOGUE.option_set
class WriteOptions(Struct, frozen=True):
    """How to replace the content of a file."""

    preserve_ownership: Annotated[bool, "keep the owner and group"] = True


_KEEP = WriteOptions()


@CATALOGUE.operation("write")
def write_opened(
    file: Annotated[FileWritten, "the file, opened for writing"],
    content: Annotated[str, "the new content"],
    options: Annotated[WriteOptions, "how to replace it"] = _KEEP,
) -> File:
    """Replace the content of an open file, and give the file that has it.

    Whoever reads meanwhile sees the old content or the new, never a part. The file that was passed
    still has the old content.

    file = file.write("done\\n")
    """
    return file.replace(content.encode(), options.preserve_ownership)


@CATALOGUE.operation("metadata")
def file_metadata(file: Annotated[FileSeen, "the file"]) -> Metadata:
    """Give the status of an open file.

    file.metadata().file_size()
    """
    return metadata_of(file)


@CATALOGUE.option_set
class DeleteFileOptions(Struct, frozen=True):
    """How to remove a file."""

    force: Annotated[bool, "that it is gone already is no failure"] = False


@CATALOGUE.operation("delete")
def delete_file(
    file: Annotated[FileDeleted, "the file"], options: Annotated[DeleteFileOptions, "how to remove it"]
) -> None:
    """Remove an open file by the name it was opened under; a link that led to it is removed itself.

    file.delete(DeleteFileOptions().build())
    """
    file.remove(options.force, recursive=False)
