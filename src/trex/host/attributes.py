"""Attributes of files by descriptor: mode, owner, times, extended attributes.

Owns:      changing them on the very object that is held, and taking them over from one file to another.
Relies on: /proc/self/fd, whose entries lead to the held object itself, whatever its name has become;
           so a descriptor opened with O_PATH will do, and a symbolic link is changed itself.
Never:     decides; changes the bits that give privileges (set-user-id, set-group-id, sticky) on its own.
"""

from __future__ import annotations

import os
from errno import EACCES, ENODATA, ENOTSUP, EOPNOTSUPP, EPERM
from stat import S_IMODE

from trex.host.files import Descriptor

PERMISSION_BITS = 0o777

# Labels and lists of who may what. Not `security.capability`, which gives privileges, nor the seals
# of `security.ima` and `security.evm`, which belong to a content that is going away.
_KEPT_WITH_A_NAME = ("user.", "system.posix_acl_access", "security.selinux", "trusted.")
_GONE_OR_NONE = frozenset({ENODATA, ENOTSUP, EOPNOTSUPP})


def set_mode(descriptor: Descriptor, mode: int) -> None:
    """Give it these permission bits, and no others than those in `mode`."""
    os.chmod(_itself(descriptor), mode)


def set_owner(descriptor: Descriptor, uid: int | None, gid: int | None) -> None:
    """Give it another user or group, or both; None leaves what it has."""
    os.chown(_itself(descriptor), -1 if uid is None else uid, -1 if gid is None else gid)


def set_times(descriptor: Descriptor, accessed: int, modified: int) -> None:
    """Set its times, in nanoseconds since 1970."""
    os.utime(_itself(descriptor), ns=(accessed, modified))


def attribute(descriptor: Descriptor, name: str) -> bytes:
    """The value of an extended attribute. Raises OSError (ENODATA) where it has none of that name."""
    return os.getxattr(_itself(descriptor), name)


def set_attribute(descriptor: Descriptor, name: str, value: bytes) -> None:
    """Set an extended attribute."""
    os.setxattr(_itself(descriptor), name, value)


def take_mode_and_times(new: Descriptor, old: os.stat_result) -> None:
    """Permission bits and times of another file, as `cp -p` takes them; no bits that give privileges."""
    set_mode(new, S_IMODE(old.st_mode) & PERMISSION_BITS)
    set_times(new, old.st_atime_ns, old.st_mtime_ns)


def take_everything(new: Descriptor, source: Descriptor, old: os.stat_result) -> None:
    """All attributes, as a file keeps them when it moves: owner, mode, times, extended attributes.

    What this process may not give stays out: an owner that is not given takes along the bits that
    would give its privileges to somebody else.
    """
    mode = S_IMODE(old.st_mode)
    mine = os.fstat(new.number)
    if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
        try:
            set_owner(new, old.st_uid, old.st_gid)
        except PermissionError:
            mode &= PERMISSION_BITS
    take_extended(new, source)
    set_mode(new, mode)  # after the owner: a change of owner clears some bits
    set_times(new, old.st_atime_ns, old.st_mtime_ns)


def take_extended(new: Descriptor, source: Descriptor) -> None:
    """Labels and access lists, as far as this process and the file system can give them."""
    try:
        names = os.listxattr(_itself(source))
    except OSError as error:
        if error.errno not in _GONE_OR_NONE:
            raise
        return
    for name in names:
        if name.startswith(_KEPT_WITH_A_NAME):
            try:
                set_attribute(new, name, attribute(source, name))
            except OSError as error:
                if error.errno not in _GONE_OR_NONE and error.errno not in (EPERM, EACCES):
                    raise


def _itself(descriptor: Descriptor) -> str:
    return f"/proc/self/fd/{descriptor.number}"
