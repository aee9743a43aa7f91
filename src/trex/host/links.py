"""Symbolic links, made and replaced as a whole.

Owns:      the order of steps by which a link takes the place of something else.
Relies on: `changes` for private names and their removal; the directory is held open.
Never:     follows a link; replaces what was not judged; leaves a name missing in between.

To replace, the link is made under a private name and *exchanged* with what stands there in a single
step; what then stands under the private name must be what was judged, or they are exchanged back. On file
systems without this step the name is looked at immediately before a plain rename. A broker that is
killed in between leaves a link or file whose name starts with `changes.PRIVATE`; so does an attacker
who exchanges names once more before what is not ours is given back.
"""

from __future__ import annotations

import os
from errno import EINVAL, EISDIR, ENOSYS

from trex.host import changes, syscalls
from trex.host.changes import Replaced
from trex.host.files import DIRECTORY, Descriptor, denotes, identity, kind


def make(directory: Descriptor, name: bytes, target: bytes) -> None:
    """A link of that name. Raises FileExistsError if the name is taken."""
    os.symlink(target, name, dir_fd=directory.number)
    changes.sync(directory)


def put(directory: Descriptor, name: bytes, target: bytes) -> None:
    """A link of that name, in place of whatever stands there, unless that is a directory."""
    try:
        make(directory, name, target)
        return
    except FileExistsError:
        pass
    old = os.stat(name, dir_fd=directory.number, follow_symlinks=False)
    if kind(old) == DIRECTORY:
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    private = changes.private_name()
    os.symlink(target, private, dir_fd=directory.number)
    mine = identity(os.stat(private, dir_fd=directory.number, follow_symlinks=False))
    number = directory.number
    try:
        syscalls.renameat2(number, private, number, name, syscalls.RENAME_EXCHANGE)
    except OSError as error:
        if error.errno not in (EINVAL, ENOSYS):
            os.unlink(private, dir_fd=number)
            raise
        _plain(directory, private, name, identity(old))
        return
    if not denotes(directory, private, identity(old)):
        _give_back(directory, private, name, mine)
        raise Replaced
    os.unlink(private, dir_fd=number)
    changes.sync(directory)


def _plain(directory: Descriptor, private: bytes, name: bytes, expected: tuple[int, int]) -> None:
    number = directory.number
    if not denotes(directory, name, expected):
        os.unlink(private, dir_fd=number)
        raise Replaced
    os.rename(private, name, src_dir_fd=number, dst_dir_fd=number)
    changes.sync(directory)


def _give_back(directory: Descriptor, private: bytes, name: bytes, mine: tuple[int, int]) -> None:
    """Somebody gave the name to another object, which is not ours to replace: back with it."""
    number = directory.number
    try:
        syscalls.renameat2(number, private, number, name, syscalls.RENAME_EXCHANGE)
    except FileNotFoundError:  # our link was taken away meanwhile, so the name is free
        syscalls.renameat2(number, private, number, name, syscalls.RENAME_NOREPLACE)
        return
    if denotes(directory, private, mine):
        os.unlink(private, dir_fd=number)
