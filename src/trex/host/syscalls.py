"""The system calls about files that Python does not offer: openat2, renameat2 and syncfs.

Owns:      their numbers, structures and flags.
Relies on: the C library's `syscall`, through ctypes; Linux 5.6 or newer.
Never:     decides what may be opened; falls back to a weaker call. On a kernel without `openat2`
           every call fails with ENOSYS, and so does the operation.
"""

from __future__ import annotations

import os
from ctypes import CDLL, c_char_p, c_int, c_long, c_size_t, c_uint, get_errno
from errno import EAGAIN, EINTR
from struct import pack

RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08

RENAME_NOREPLACE = 0x01
RENAME_EXCHANGE = 0x02

AT_FDCWD = -100

_OPENAT2 = 437  # the same on every architecture, as all calls added since Linux 5.1
_RENAMEAT2 = {"x86_64": 316, "aarch64": 276}

_libc = CDLL(None, use_errno=True)
_openat2 = _libc["syscall"]
_openat2.argtypes = (c_long, c_int, c_char_p, c_char_p, c_size_t)
_openat2.restype = c_long
_renameat2 = _libc["syscall"]
_renameat2.argtypes = (c_long, c_int, c_char_p, c_int, c_char_p, c_uint)
_renameat2.restype = c_long
_syncfs = _libc["syncfs"]
_syncfs.argtypes = (c_int,)
_syncfs.restype = c_int


def openat2(directory: int, name: bytes, flags: int, resolve: int, mode: int = 0) -> int:
    """Open `name` relative to `directory`; the result is always close-on-exec."""
    if b"\0" in name:
        raise ValueError("a name with a NUL byte")
    how = pack("=QQQ", flags | os.O_CLOEXEC, mode, resolve)
    tries = 0
    while True:
        number = _openat2(_OPENAT2, directory, name, how, 24)
        if number >= 0:
            return int(number)
        errno = get_errno()
        # EAGAIN: something was renamed while the kernel proved that the path stays beneath.
        tries += 1
        if errno == EINTR or (errno == EAGAIN and tries < 64):
            continue
        raise OSError(errno, os.strerror(errno))


def renameat2(old_directory: int, old: bytes, new_directory: int, new: bytes, flags: int) -> None:
    """Rename with `RENAME_NOREPLACE` or `RENAME_EXCHANGE`; EINVAL where the file system lacks it."""
    if b"\0" in old or b"\0" in new:
        raise ValueError("a name with a NUL byte")
    number = _RENAMEAT2[os.uname().machine]
    if _renameat2(number, old_directory, old, new_directory, new, flags) < 0:
        errno = get_errno()
        raise OSError(errno, os.strerror(errno))


def syncfs(descriptor: int) -> None:
    """Wait until the disk has everything of the file system that the descriptor is on."""
    if _syncfs(descriptor) < 0:
        errno = get_errno()
        raise OSError(errno, os.strerror(errno))
