"""Mode and owner of directories, alone or with all that they hold, and of symbolic links.

Owns:      what each method changes.
Relies on: `trex.resources.whole_trees` to authorize; nothing here takes a path.
Never:     opens anything, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.resources.shapes import SetOwnershipOptions
from trex.resources.whole_trees import DirectoryMode, DirectoryOwner, LinkOwner


@CATALOGUE.option_set(missing="`{field}` must be initialized")
class ChmodDirOptions(Struct, frozen=True):
    """Which permissions a directory is to have."""

    permissions: Annotated[int, "from 0 to 0o777"]
    recursive: Annotated[bool, "the same for all that is in it; links are passed over"] = False


@CATALOGUE.operation("chmod")
def change_directory_mode(
    directory: Annotated[DirectoryMode, "the directory"],
    options: Annotated[ChmodDirOptions, "which permissions"],
) -> None:
    """Change the permissions of an open directory, with `recursive` of all that is in it.

    The directory itself must be permitted. What is denied below it stays as it was and is in the log;
    what the host refuses is an error, after everything else has been changed.

    directory.chmod(ChmodDirOptions().permissions(0o750).recursive(true).build())
    """
    directory.set_mode(options.permissions)


@CATALOGUE.operation("set_ownership")
def change_directory_owner(
    directory: Annotated[DirectoryOwner, "the directory"],
    options: Annotated[SetOwnershipOptions, "to whom"],
) -> None:
    """Give an open directory to another user or group, with `recursive` all that is in it.

    Links are given away themselves, never what they lead to. As for `chmod`, what is denied below stays
    as it was, and what the host refuses is an error at the end.

    directory.set_ownership(SetOwnershipOptions().user("www-data").recursive(true).build())
    """
    directory.set_owner(options.user, options.group)


@CATALOGUE.operation("set_ownership")
def change_link_owner(
    link: Annotated[LinkOwner, "the link"], options: Annotated[SetOwnershipOptions, "to whom"]
) -> None:
    """Give an open symbolic link to another user or group: the link itself.

    directory.open_symlink("current").set_ownership(SetOwnershipOptions().group("adm").build())
    """
    link.set(options.user, options.group)
