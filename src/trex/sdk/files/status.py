"""What the kernel says of a file: type, size, times, owner.

Owns:      the records `Metadata` and `Ownership`.
Relies on: the host's user and group lists for names.
Never:     asks about an object that was not authorized: it is given what was seen.
"""

import grp
import pwd
from functools import lru_cache
from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import METHOD
from trex.errors import OperationError
from trex.resources.file_system import entry_type
from trex.resources.held import Seen
from trex.resources.shapes import EntryKind

_SECOND = 1_000_000_000
_UNIT = 512  # bytes of a block, whatever the file system's own is


@CATALOGUE.record
class Ownership(Struct, frozen=True):
    """Who owns a file."""

    user: Annotated[str, "the name of the user"]
    group: Annotated[str, "the name of the group"]


@CATALOGUE.record(
    map=(
        ("type", "type:text"),
        ("permissions", "permissions"),
        ("file_size", "file_size"),
        ("allocated_size", "allocated_size"),
        ("last_modified_time", "last_modified_time"),
        ("num_hardlinks", "num_hardlinks"),
        ("owner_user", "owner.user"),
        ("owner_group", "owner.group"),
        ("symlink_target", "symlink_target"),
    )
)
class Metadata(Struct, frozen=True):
    """The status of a file, directory or other object."""

    type: Annotated[EntryKind, METHOD, "what it is"]
    file_size: Annotated[int, METHOD, "bytes of content"]
    blocks: Annotated[int, METHOD, "blocks of 512 bytes that it takes on disk"]
    allocated_size: Annotated[int, METHOD, "bytes that it takes on disk"]
    num_hardlinks: Annotated[int, METHOD, "how many names it has"]
    last_modified_time: Annotated[int, METHOD, "seconds since 1970"]
    last_modified_time_nanos_component: Annotated[int, METHOD, "nanoseconds on top of these seconds"]
    permissions: Annotated[int, METHOD, "the mode, with the bits of the type"]
    symlink_target: Annotated[str | None, METHOD, "what a symbolic link holds, where reading it is permitted"]
    owner: Annotated[Ownership, "who owns it"]


def metadata_of(seen: Seen) -> Metadata:
    """The record of what was seen."""
    status = seen.status
    seconds, nanoseconds = divmod(status.st_mtime_ns, _SECOND)
    return Metadata(
        type=entry_type(status),
        file_size=status.st_size,
        blocks=status.st_blocks,
        allocated_size=status.st_blocks * _UNIT,
        num_hardlinks=status.st_nlink,
        last_modified_time=seconds,
        last_modified_time_nanos_component=nanoseconds,
        permissions=status.st_mode,
        symlink_target=seen.target,
        owner=ownership_of(seen),
    )


def ownership_of(seen: Seen) -> Ownership:
    """Who owns what was seen."""
    return Ownership(_user(seen.status.st_uid), _group(seen.status.st_gid))


def user_name(uid: int) -> str:
    """The name of a user, or the number of one without a name."""
    try:
        return _user(uid)
    except OperationError:
        return str(uid)


def group_name(gid: int) -> str:
    """The name of a group, or the number of one without a name."""
    try:
        return _group(gid)
    except OperationError:
        return str(gid)


@lru_cache(maxsize=64)
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise _unknown("No user mapping found for uid", uid) from None


@lru_cache(maxsize=64)
def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        raise _unknown("No group mapping found for gid", gid) from None


def _unknown(reason: str, number: int) -> OperationError:
    text = f"Identity resolution error: {reason}: {number}"
    return OperationError("IoErrorKind", "IdentityResolutionError", text)
