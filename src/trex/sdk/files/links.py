"""Symbolic links: open one itself, read where it leads, make one.

Owns:      what each method gives.
Relies on: `trex.resources.links` to open and authorize; nothing here takes a path.
Never:     follows a link, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.resources.held import DirectoryHeld
from trex.resources.links import LinkMade, LinkNamed, LinkSeen, LinkTarget, Symlink
from trex.sdk.files.status import Metadata, metadata_of


@CATALOGUE.operation("open_symlink")
def open_symlink(
    directory: Annotated[DirectoryHeld, "the directory that holds it"],
    name: Annotated[LinkNamed, "its name in the directory"],
) -> Symlink:
    """Open a symbolic link of an open directory: the link itself.

    directory.open_symlink("current").metadata().symlink_target()
    """
    return name


@CATALOGUE.operation("read_link_target")
def read_link_target(
    directory: Annotated[DirectoryHeld, "the directory that holds it"],
    name: Annotated[LinkTarget, "its name, or its path from the directory"],
) -> str:
    """Give the text that a symbolic link holds, which may lead anywhere or nowhere.

    directory.read_link_target("current")
    """
    return name


@CATALOGUE.option_set
class CreateSymlinkOptions(Struct, frozen=True):
    """How to make a symbolic link."""

    force: Annotated[bool, "in place of a file or link of that name, in one step"] = False


@CATALOGUE.operation("create_symlink")
def create_symlink(
    directory: Annotated[DirectoryHeld, "the directory that will hold it"],
    target: Annotated[str, "what it holds: any text, relative to the link's directory unless it starts with `/`"],
    link_name: Annotated[LinkMade, "its name in the directory"],
    options: Annotated[CreateSymlinkOptions, "how to make it"],
) -> None:
    """Make a symbolic link. What it leads to is neither looked at nor asked about.

    directory.create_symlink("releases/7", "current", CreateSymlinkOptions().force(true).build())
    """
    link_name.make(target)


@CATALOGUE.operation("metadata")
def symlink_metadata(link: Annotated[LinkSeen, "the link"]) -> Metadata:
    """Give the status of an open symbolic link itself.

    directory.open_symlink("current").metadata().last_modified_time()
    """
    return metadata_of(link)
