"""Attributes of open files and directories: owner, mode, labels, times.

Owns:      what each method gives and changes.
Relies on: `trex.resources` to authorize; nothing here takes a path.
Never:     opens a file, decides a permission, or knows which language called.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.resources.changed import FileLabel, FileMode, FileOwner
from trex.resources.held import DirectorySeen, FileSeen
from trex.resources.shapes import SetOwnershipOptions
from trex.sdk.files.status import Ownership, ownership_of


@CATALOGUE.operation("get_ownership")
def file_ownership(file: Annotated[FileSeen, "the file"]) -> Ownership:
    """Tell who owns an open file.

    file.get_ownership().user
    """
    return ownership_of(file)


@CATALOGUE.operation("get_ownership")
def directory_ownership(directory: Annotated[DirectorySeen, "the directory"]) -> Ownership:
    """Tell who owns an open directory.

    directory.get_ownership().group
    """
    return ownership_of(directory)


@CATALOGUE.operation("get_last_modified_time")
def last_modified_time(file: Annotated[FileSeen, "the file"]) -> int:
    """Tell when an open file was changed, in nanoseconds since 1970.

    file.get_last_modified_time()
    """
    return file.status.st_mtime_ns


@CATALOGUE.operation("chmod")
def change_file_mode(file: Annotated[FileMode, "the file"], permissions: Annotated[int, "from 0 to 0o777"]) -> None:
    """Change the permissions of an open file.

    file.chmod(0o640)
    """
    file.set(permissions)


@CATALOGUE.operation("set_ownership")
def change_file_owner(
    file: Annotated[FileOwner, "the file"], options: Annotated[SetOwnershipOptions, "to whom"]
) -> None:
    """Give an open file to another user or group.

    file.set_ownership(SetOwnershipOptions().user("www-data").build())
    """
    file.set(options.user, options.group)


@CATALOGUE.option_set(missing="`{field}` must be initialized")
class SetXAttrOptions(Struct, frozen=True):
    """Which extended attribute to set, and which parts of it: what is not given stays."""

    name: Annotated[str, "the attribute's name: `security.selinux`"]
    selinux_user: Annotated[str | None, "the user of an SELinux label"] = None
    selinux_role: Annotated[str | None, "the role of an SELinux label"] = None
    selinux_type: Annotated[str | None, "the type of an SELinux label"] = None
    selinux_level: Annotated[str | None, "the level of an SELinux label"] = None


@CATALOGUE.operation("set_extended_attr")
def set_extended_attribute(
    file: Annotated[FileLabel, "the file"], options: Annotated[SetXAttrOptions, "which, and to what"]
) -> None:
    """Change parts of the SELinux label of an open file, which must have one.

    file.set_extended_attr(SetXAttrOptions().name("security.selinux").selinux_type("etc_t").build())
    """
    file.set(
        user=options.selinux_user,
        role=options.selinux_role,
        type=options.selinux_type,
        level=options.selinux_level,
    )
