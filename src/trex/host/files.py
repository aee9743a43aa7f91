"""Files and directories by descriptor: open without effect, look, then act on what was opened.

Owns:      how a name becomes a descriptor, and how a descriptor becomes readable or writable.
Relies on: `openat2`; /proc, to open again what is already held and to read its path back.
Never:     follows a symbolic link or a magic link that it was not told to follow; blocks on a
           FIFO, touches a device, creates a controlling terminal; decides a permission.

Everything is first opened with O_PATH, which has no effect on the object and asks it nothing.
Its type is then known, and only a regular file or a directory is opened again, through
/proc/self/fd, which leads to the same object whatever its name has become in between.
"""

from __future__ import annotations

import os
from errno import EEXIST, ENAMETOOLONG, ENOENT, ENOTDIR
from stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

from trex.host.paths import Path
from trex.host.paths import decode as decode_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

REGULAR, DIRECTORY, SYMLINK = S_IFREG, S_IFDIR, S_IFLNK

# O_NONBLOCK and O_NOCTTY mean nothing for the regular files and directories that are opened; they
# stand here so that a mistake elsewhere cannot turn into a broker that waits on a FIFO for ever.
_HARMLESS = os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK

Identity = tuple[int, int]


class Descriptor:
    """An open descriptor that closes itself when nothing refers to it any more."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def close(self) -> None:
        """Close it now; closing again does nothing."""
        number, self.number = self.number, -1
        if number >= 0:
            os.close(number)

    def fileno(self) -> int:
        return self.number

    def __enter__(self) -> Descriptor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


# --- from a name to a descriptor; nothing here has an effect on what is opened ---


def open_directory(path: Path, follow: bool) -> Descriptor:
    """The directory at an absolute path. Without `follow`, no symbolic link anywhere on the way."""
    from trex.host import syscalls

    resolve = syscalls.RESOLVE_NO_MAGICLINKS
    flags = os.O_PATH | os.O_DIRECTORY
    if not follow:
        resolve |= syscalls.RESOLVE_NO_SYMLINKS
        flags |= os.O_NOFOLLOW
    return Descriptor(syscalls.openat2(syscalls.AT_FDCWD, path.encoded(), flags, resolve))


def open_object(path: Path) -> Descriptor:
    """Whatever stands at an absolute path; links on the way are followed, a last one is not."""
    from trex.host import syscalls

    flags = os.O_PATH | os.O_NOFOLLOW
    return Descriptor(syscalls.openat2(syscalls.AT_FDCWD, path.encoded(), flags, syscalls.RESOLVE_NO_MAGICLINKS))


def open_strictly(path: Path) -> Descriptor:
    """Whatever stands at an absolute path without any symbolic link on the way; a last one is opened itself."""
    from trex.host import syscalls

    resolve = syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_MAGICLINKS
    return Descriptor(syscalls.openat2(syscalls.AT_FDCWD, path.encoded(), os.O_PATH | os.O_NOFOLLOW, resolve))


def follow_object(path: bytes) -> Descriptor:
    """What an absolute path leads to, every link followed: read its path back."""
    from trex.host import syscalls

    return Descriptor(syscalls.openat2(syscalls.AT_FDCWD, path, os.O_PATH, syscalls.RESOLVE_NO_MAGICLINKS))


def open_name(directory: Descriptor, name: bytes) -> Descriptor:
    """Whatever `name` is inside `directory`: a symbolic link is opened itself."""
    from trex.host import syscalls

    resolve = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_MAGICLINKS
    return Descriptor(syscalls.openat2(directory.number, name, os.O_PATH | os.O_NOFOLLOW, resolve))


def open_subdirectory(directory: Descriptor, name: bytes, cross: bool = True) -> Descriptor:
    """The directory `name` inside `directory`, no link; without `cross`, not a mount point."""
    from trex.host import syscalls

    resolve = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_MAGICLINKS
    if not cross:
        resolve |= syscalls.RESOLVE_NO_XDEV
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY
    return Descriptor(syscalls.openat2(directory.number, name, flags, resolve))


def open_listing(directory: Descriptor, name: bytes, cross: bool = True) -> Descriptor:
    """As `open_subdirectory`, and open for reading its entries."""
    from trex.host import syscalls

    resolve = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_MAGICLINKS
    if not cross:
        resolve |= syscalls.RESOLVE_NO_XDEV
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | _HARMLESS
    return Descriptor(syscalls.openat2(directory.number, name, flags, resolve))


def follow_name(directory: Descriptor, name: bytes) -> Descriptor:
    """What `name` inside `directory` leads to, which may be anywhere: read its path back."""
    from trex.host import syscalls

    return Descriptor(syscalls.openat2(directory.number, name, os.O_PATH, syscalls.RESOLVE_NO_MAGICLINKS))


def follow_directory(directory: Descriptor, path: bytes) -> Descriptor:
    """The directory that `path`, seen from inside `directory`, leads to."""
    from trex.host import syscalls

    flags = os.O_PATH | os.O_DIRECTORY
    return Descriptor(syscalls.openat2(directory.number, path, flags, syscalls.RESOLVE_NO_MAGICLINKS))


def open_parent(directory: Descriptor) -> Descriptor:
    """The directory that holds `directory` now, wherever it has been moved to."""
    from trex.host import syscalls

    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
    return Descriptor(syscalls.openat2(directory.number, b"..", flags, syscalls.RESOLVE_NO_MAGICLINKS))


def reopen(descriptor: Descriptor, access: int) -> Descriptor:
    """The same object, opened for `access`: O_RDONLY, O_WRONLY or O_RDWR, with O_APPEND or O_DIRECTORY.

    The caller has checked that it is a regular file or a directory.
    """
    return Descriptor(os.open(f"/proc/self/fd/{descriptor.number}", access | _HARMLESS))


# --- what a descriptor is ---


def status(descriptor: Descriptor) -> os.stat_result:
    """The status of the object; `kind` and `identity` read from it."""
    return os.fstat(descriptor.number)


def kind(found: os.stat_result) -> int:
    """`REGULAR`, `DIRECTORY`, `SYMLINK` or another file type bit pattern."""
    return S_IFMT(found.st_mode)


def identity(found: os.stat_result) -> Identity:
    """What makes an object itself: the device and the number of its inode."""
    return found.st_dev, found.st_ino


def link_target(link: Descriptor) -> bytes:
    """The text that a symbolic link opened by `open_name` holds."""
    return os.readlink(b"", dir_fd=link.number)


def real_path(descriptor: Descriptor) -> Path:
    """The path of the object now, with every link resolved.

    Raises FileNotFoundError when it has no name any more.
    """
    from trex.host.paths import PathRefused, from_kernel

    raw = os.readlink(f"/proc/self/fd/{descriptor.number}".encode())
    try:
        path = from_kernel(raw)
    except PathRefused:  # "(unreachable)/…": on no mount that this process can see
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT)) from None
    if _is_gone(descriptor, raw):
        raise FileNotFoundError(ENOENT, os.strerror(ENOENT))
    return path


def resolve_text(path: Path) -> Path:
    """Where `path` leads, as far as it exists; what is missing is taken as written.

    By name, step by step: good for telling what would be opened, never for opening it.
    """
    from trex.host.paths import from_kernel

    return from_kernel(os.path.realpath(path.encoded()))


def is_at(descriptor: Descriptor, path: Path) -> bool:
    """Whether the object still has the path under which it was judged, or has lost its name.

    An object that was deleted, or replaced by another, is still the one that was judged.
    One that was moved has a name that nobody judged.
    """
    return stands_at(descriptor, path.encoded())


def stands_at(descriptor: Descriptor, path: bytes) -> bool:
    """As `is_at`, for the bytes of a path. Raises OSError for paths longer than the kernel tells."""
    raw = os.readlink(f"/proc/self/fd/{descriptor.number}".encode())
    return raw == path or _is_gone(descriptor, raw)


def _is_gone(descriptor: Descriptor, raw: bytes) -> bool:
    """Whether `raw`, read back from /proc, is the name of something that has none any more.

    The kernel appends " (deleted)" to such a name, but a name may also end so by itself.
    """
    if not raw.endswith(b" (deleted)"):
        return False
    try:
        named = os.stat(raw, follow_symlinks=False)
    except OSError as error:
        return error.errno in (ENOENT, ENOTDIR, ENAMETOOLONG)
    return identity(named) != identity(status(descriptor))


def denotes(directory: Descriptor, name: bytes, expected: Identity) -> bool:
    """Whether `name` inside `directory` is that object at this moment."""
    try:
        return identity(os.stat(name, dir_fd=directory.number, follow_symlinks=False)) == expected
    except FileNotFoundError:
        return False


# --- reading; the caller bounds it ---


def read_at(descriptor: Descriptor, size: int, position: int) -> bytes:
    """At most `size` bytes from `position`; empty at the end."""
    return os.pread(descriptor.number, size, position)


def entries(directory: Descriptor) -> Iterator[os.DirEntry[str]]:
    """The entries of a directory that was opened for reading, in the kernel's order."""
    with os.scandir(directory.number) as found:
        yield from found


def entry_name(entry: os.DirEntry[str]) -> str:
    """The text of an entry's name, in the form of `paths`."""
    name = entry.name
    if name.isascii():
        return name
    return decode_name(os.fsencode(name))


# --- making names; the parent is held, so nothing but the last component can be swapped ---


def create_file(directory: Descriptor, name: bytes, access: int, mode: int) -> Descriptor:
    """A new empty file, opened for `access`. Raises FileExistsError if the name is taken."""
    from trex.host import syscalls

    resolve = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_MAGICLINKS
    flags = access | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | _HARMLESS
    return Descriptor(syscalls.openat2(directory.number, name, flags, resolve, mode))


def make_directory(directory: Descriptor, name: bytes, mode: int = 0o777) -> bool:
    """Make a directory; False if the name is taken, by whatever it is."""
    try:
        os.mkdir(name, mode, dir_fd=directory.number)
    except OSError as error:
        if error.errno == EEXIST:
            return False
        raise
    return True


def remove_directory(directory: Descriptor, name: bytes) -> None:
    """Remove the empty directory `name`; the kernel refuses anything else."""
    os.rmdir(name, dir_fd=directory.number)


def touch(descriptor: Descriptor) -> None:
    """Set both times of an object to now."""
    os.utime(f"/proc/self/fd/{descriptor.number}")


def umask() -> int:
    """The permissions that this process leaves out of what it makes."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
