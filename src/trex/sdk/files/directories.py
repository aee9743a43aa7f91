"""Directories that stay open, and the entries that they list.

Owns:      what each method of a directory or entry gives.
Relies on: `trex.resources.held` to open and authorize; nothing here takes a path.
Never:     opens a directory, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.resources.file_system import Directory, Entry, File
from trex.resources.held import (
    DirectoryConfigured,
    DirectoryDeleted,
    DirectoryHeld,
    DirectoryRead,
    DirectorySeen,
    EntryDirectory,
    EntryFile,
    EntrySeen,
    FileNamed,
)
from trex.resources.relocation import DirectoryMoved
from trex.resources.shapes import MoveOptions, OpenDirOptions, OpenFileOptions
from trex.sdk.files.status import Metadata, metadata_of


@CATALOGUE.operation("open")
def open_directory(
    directory: Annotated[DirectoryConfigured, "where it is"],
    options: Annotated[OpenDirOptions, "how to open it"],
) -> Directory:
    """Open a directory, or make it.

    DirConfig().path("/etc").build().open(OpenDirOptions().build())
    """
    return directory.open()


@CATALOGUE.operation("open_file")
def open_file(
    directory: Annotated[DirectoryHeld, "the directory that holds it"],
    name: Annotated[FileNamed, "its name in the directory"],
    options: Annotated[OpenFileOptions, "how to open it"],
) -> File:
    """Open a regular file of an open directory, or make it.

    directory.open_file("hosts", OpenFileOptions().read(true).build())
    """
    return name.open()


@CATALOGUE.operation("list_entries")
def list_entries(directory: Annotated[DirectoryRead, "the directory"]) -> dict[str, Entry]:
    """List an open directory: a map from each name to its entry.

    directory.list_entries().keys()
    """
    return {entry.name: entry for entry in directory.entries()}


@CATALOGUE.operation("metadata")
def directory_metadata(directory: Annotated[DirectorySeen, "the directory"]) -> Metadata:
    """Give the status of an open directory.

    directory.metadata().owner.user
    """
    return metadata_of(directory)


@CATALOGUE.option_set
class DeleteDirOptions(Struct, frozen=True):
    """How to remove a directory."""

    force: Annotated[bool, "that it is gone already is no failure"] = False
    recursive: Annotated[bool, "with everything in it"] = False


@CATALOGUE.operation("delete")
def delete_directory(
    directory: Annotated[DirectoryDeleted, "the directory"],
    options: Annotated[DeleteDirOptions, "how to remove it"],
) -> None:
    """Remove an open directory.

    Before anything of a tree is removed, `delete` must be permitted on all of it.

    directory.delete(DeleteDirOptions().recursive(true).build())
    """
    directory.remove(options.force, options.recursive)


@CATALOGUE.operation("move")
def move_directory(
    parent: Annotated[DirectoryMoved, "the directory that holds it"],
    directory: Annotated[DirectoryHeld, "the directory to move"],
    destination: Annotated[DirectoryHeld, "the directory that it goes to"],
    name: Annotated[str, "its name there"],
    options: Annotated[MoveOptions, "how to move it"],
) -> Directory:
    """Move an open directory with all that it holds, or give it another name.

    An empty directory of that name is replaced; into one with entries it goes under the name that it
    had. To another file system it is copied, and removed once the copy is verified and in its place.
    The handle stands for the directory under its new name.

    parent.move(directory, destination, "archive", MoveOptions().build())
    """
    return parent.move(options.verbose)


@CATALOGUE.operation("open_as_file")
def entry_as_file(
    entry: Annotated[EntryFile, "the entry"], options: Annotated[OpenFileOptions, "how to open it"]
) -> File:
    """Open an entry as a regular file.

    directory.list_entries()["hosts"].open_as_file(OpenFileOptions().read(true).build())
    """
    return entry.open()


@CATALOGUE.operation("open_as_dir")
def entry_as_directory(
    entry: Annotated[EntryDirectory, "the entry"], options: Annotated[OpenDirOptions, "how to open it"]
) -> Directory:
    """Open an entry as a directory. It must exist; of the options, `follow_symlinks` counts.

    directory.list_entries()["ssh"].open_as_dir(OpenDirOptions().build())
    """
    return entry.open()


@CATALOGUE.operation("metadata")
def entry_metadata(entry: Annotated[EntrySeen, "the entry"]) -> Metadata:
    """Give the status of an entry. A symbolic link is not followed.

    directory.list_entries()["hosts"].metadata().file_size()
    """
    return metadata_of(entry)
