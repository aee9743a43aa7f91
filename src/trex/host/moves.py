"""Moving a file by name, verified: what arrives is what was judged, what goes is what was judged.

Owns:      the order of steps, and the way back when the names turn out to denote something else.
Relies on: `changes` for removal; both directories are held open.
Never:     replaces what was not judged; copies (another file system is the caller's part, EXDEV).

To a free name     The rename refuses a name that is taken. What arrived must be the judged file, or it
                   is renamed back.
Over another file  Both names are *exchanged* in one step. What arrived must be the judged file, and what
                   came back the judged old one, or they are exchanged again. Then the old one is removed.

A broker that is killed between exchange and removal leaves the old file under the name of the moved
one: both are whole. On file systems without these renames (EINVAL) both names are looked at
immediately before a plain rename, and a swap in between is not noticed.
"""

from __future__ import annotations

import os
from errno import EINVAL, ENOSYS

from trex.host import changes, syscalls
from trex.host.changes import Replaced
from trex.host.files import Descriptor, Identity, denotes, identity, status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Named:
    """A name in an open directory, and the object that it was judged to denote; None: nothing."""

    __slots__ = ("directory", "identity", "name")

    def __init__(self, directory: Descriptor, name: bytes, identity: Identity | None) -> None:
        self.directory, self.name, self.identity = directory, name, identity

    def is_as_judged(self) -> bool:
        """Whether the name denotes that object at this moment."""
        if self.identity is not None:
            return denotes(self.directory, self.name, self.identity)
        try:
            os.stat(self.name, dir_fd=self.directory.number, follow_symlinks=False)
        except FileNotFoundError:
            return True
        return False


def move(source: Named, target: Named) -> None:
    """Give the file the target's name. Raises `Replaced`, FileExistsError or OSError (EXDEV among them)."""
    assert source.identity is not None, "a file is moved, not a free name"
    if source.identity == target.identity:
        _drop_other_name(source, target)
        return
    if not source.is_as_judged():
        raise Replaced
    if target.identity is None:
        _to_free_name(source, target)
    else:
        _over(source, target, changes.remove_file)
    changes.sync(target.directory)
    if source.directory.number != target.directory.number:
        changes.sync(source.directory)


def move_directory(source: Named, target: Named) -> None:
    """The same for a directory; one that it replaces must be empty, or this fails with ENOTEMPTY."""
    assert source.identity is not None, "a directory is moved, not a free name"
    if source.identity == target.identity:  # a directory has one name only
        return
    if not source.is_as_judged():
        raise Replaced
    if target.identity is None:
        _to_free_name(source, target)
    else:
        _over(source, target, _remove_directory)
    changes.sync(target.directory)
    if source.directory.number != target.directory.number:
        changes.sync(source.directory)


def _remove_directory(directory: Descriptor, name: bytes, expected: Identity) -> None:
    if not denotes(directory, name, expected):
        raise Replaced
    os.rmdir(name, dir_fd=directory.number)


def _drop_other_name(source: Named, target: Named) -> None:
    """Both names are the same file: one of them goes, unless it is the same name."""
    assert source.identity is not None, "checked by the caller"
    same_directory = identity(status(source.directory)) == identity(status(target.directory))
    if source.name != target.name or not same_directory:
        changes.remove_file(source.directory, source.name, source.identity)


def _to_free_name(source: Named, target: Named) -> None:
    arrived = Named(target.directory, target.name, source.identity)
    if not _rename(source, target, syscalls.RENAME_NOREPLACE):
        if not target.is_as_judged():
            raise FileExistsError(17, os.strerror(17))
        _plain(source, target)
        return
    if not arrived.is_as_judged():
        _rename(target, source, syscalls.RENAME_NOREPLACE)
        raise Replaced


def _over(source: Named, target: Named, remove: Callable[[Descriptor, bytes, Identity], None]) -> None:
    if not _rename(source, target, syscalls.RENAME_EXCHANGE):
        if not target.is_as_judged():
            raise Replaced
        _plain(source, target)
        return
    arrived = Named(target.directory, target.name, source.identity)
    old = Named(source.directory, source.name, target.identity)
    if not arrived.is_as_judged() or not old.is_as_judged():
        _rename(source, target, syscalls.RENAME_EXCHANGE)
        raise Replaced
    assert old.identity is not None, "it was there"
    try:
        remove(old.directory, old.name, old.identity)
    except OSError:
        _rename(source, target, syscalls.RENAME_EXCHANGE)
        raise


def _rename(source: Named, target: Named, flags: int) -> bool:
    """Rename in one step; False where the file system does not know the flags. Raises `Replaced`."""
    try:
        syscalls.renameat2(source.directory.number, source.name, target.directory.number, target.name, flags)
    except FileNotFoundError:
        raise Replaced from None
    except OSError as error:
        if error.errno not in (EINVAL, ENOSYS):
            raise
        return False
    return True


def _plain(source: Named, target: Named) -> None:
    if not source.is_as_judged():
        raise Replaced
    os.rename(source.name, target.name, src_dir_fd=source.directory.number, dst_dir_fd=target.directory.number)
