"""Changes to names that happen as a whole or not at all: replace, create, remove.

Owns:      temporary files, and the order of steps that leaves the old or the new, never a mixture.
Relies on: `files` for descriptors; the parent directory is always held open.
Never:     acts on a name without checking that it still denotes the object that was judged.

How each is made whole:

create   The content is written to a file without a name (O_TMPFILE), synced, then linked to its
         name, which fails if the name is taken.
replace  The new file is linked under a private name and *exchanged* with the old one in a single
         step; what now stands under the private name must be the object that was judged. If it is
         not, somebody replaced it meanwhile: they are exchanged back and the operation fails.
remove   The name is first moved aside to a private name; what stands there must be the object that
         was judged, or it is moved back and the operation fails.

What remains: between checking and the last unlink, a process that may write the same directory
could swap the private name too; it could then as well have removed the file itself. On file
systems without these renames (EINVAL), and where moving aside would need space that is not there,
the check comes immediately before the change, and a swap in between is not noticed. A broker that
is killed between two steps leaves a file whose name starts with `PRIVATE`.
"""

from __future__ import annotations

import os
from errno import EACCES, EDQUOT, EINVAL, EISDIR, ENOSPC, ENOSYS, EOPNOTSUPP, ESTALE
from stat import S_IMODE

from trex.host.files import Descriptor, Identity, create_file, denotes, identity

PRIVATE = b".trex-"

_RETRIES = 8


class Replaced(OSError):
    """The name does not denote the object that was judged any more; nothing was changed."""

    def __init__(self) -> None:
        super().__init__(ESTALE, "the name was given to another object after it was authorized")


def private_name() -> bytes:
    """A name that nobody else uses or guesses."""
    return PRIVATE + os.urandom(12).hex().encode()


class NewFile:
    """A file that nobody sees until it is published.

    descriptor: open for reading and writing.
    """

    __slots__ = ("_directory", "_name", "descriptor")

    def __init__(self, directory: Descriptor, mode: int = 0o666) -> None:
        """In `directory`, on its file system. The process's umask applies to `mode`."""
        from trex.host import syscalls

        self._directory = directory
        self._name: bytes | None = None
        try:
            flags = os.O_TMPFILE | os.O_RDWR
            number = syscalls.openat2(directory.number, b".", flags, syscalls.RESOLVE_BENEATH, mode)
        except OSError as error:
            if error.errno not in (EOPNOTSUPP, EISDIR, EINVAL):
                raise
            # This file system has no files without a name: take a private one.
            self._name = private_name()
            self.descriptor = create_file(directory, self._name, os.O_RDWR, mode)
        else:
            self.descriptor = Descriptor(number)

    def fill(self, content: bytes) -> None:
        """Write all of the content and wait until the disk has it."""
        self.write(content)
        self.finish()

    def write(self, block: bytes | memoryview) -> None:
        """Write one more block behind what it has."""
        view = memoryview(block)
        while view:
            view = view[os.write(self.descriptor.number, view) :]

    def finish(self) -> None:
        """Wait until the disk has what was written."""
        os.fsync(self.descriptor.number)

    def take_over(self, old: os.stat_result, ownership: bool) -> None:
        """Give it the mode of the file that it will replace, and the owner where wanted."""
        number = self.descriptor.number
        if ownership:
            mine = os.fstat(number)
            if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
                os.fchown(number, old.st_uid, old.st_gid)
        os.fchmod(number, S_IMODE(old.st_mode))  # last: a change of owner clears some bits

    def publish(self, name: bytes, durable: bool = True) -> bool:
        """Give it the name, if it is free; otherwise False. `durable`: wait until the disk has the name."""
        try:
            if self._name is None:
                self._link(name)
            else:
                _move(self._directory, self._name, name)
        except FileExistsError:
            return False
        self._name = None
        if durable:
            sync(self._directory)
        return True

    def publish_over(self, name: bytes, expected: Identity, durable: bool = True) -> None:
        """Take the place of `name`, which must be the `expected` object. Raises `Replaced`."""
        if not denotes(self._directory, name, expected):
            raise Replaced
        if self._name is None:
            private = private_name()
            self._link(private)
            self._name = private
        private = self._name
        if not _exchange(self._directory, private, name):
            # No exchange on this file system: one more look, then the plain rename.
            if not denotes(self._directory, name, expected):
                raise Replaced
            os.rename(private, name, src_dir_fd=self._directory.number, dst_dir_fd=self._directory.number)
            self._name = None
        else:
            self._name = None  # what stands under the private name is not ours any more
            if not denotes(self._directory, private, expected):
                self._give_back(private, name)
                raise Replaced
            _unlink(self._directory, private)
        if durable:
            sync(self._directory)

    def discard(self) -> None:
        """Leave nothing behind; after publishing this does nothing."""
        name, self._name = self._name, None
        if name is not None:
            _unlink(self._directory, name)

    def _give_back(self, private: bytes, name: bytes) -> None:
        """Undo an exchange: what came to the private name returns to where it was."""
        mine = identity(os.fstat(self.descriptor.number))
        try:
            _exchange(self._directory, private, name)
        except Replaced:  # our file was taken away from the name meanwhile, so the name is free
            _move(self._directory, private, name)
        else:
            if denotes(self._directory, private, mine):
                _unlink(self._directory, private)

    def _link(self, name: bytes) -> None:
        source = f"/proc/self/fd/{self.descriptor.number}"
        os.link(source.encode(), name, dst_dir_fd=self._directory.number, follow_symlinks=True)


def remove_file(directory: Descriptor, name: bytes, expected: Identity) -> None:
    """Remove `name`, which must be the `expected` object and no directory. Raises `Replaced`."""
    from trex.host import syscalls

    if not denotes(directory, name, expected):
        raise Replaced
    aside = private_name()
    try:
        syscalls.renameat2(directory.number, name, directory.number, aside, syscalls.RENAME_NOREPLACE)
    except OSError as error:
        if error.errno not in (EINVAL, ENOSYS, ENOSPC, EDQUOT):
            raise
        os.unlink(name, dir_fd=directory.number)  # see the module's text: checked just before
        return
    if denotes(directory, aside, expected):
        try:
            os.unlink(aside, dir_fd=directory.number)
        except OSError:
            _move(directory, aside, name)
            raise
        return
    _move(directory, aside, name)
    raise Replaced


def sync(directory: Descriptor) -> None:
    """Make the names of a directory survive a crash of the machine."""
    from trex.host.files import reopen

    try:
        with reopen(directory, os.O_RDONLY | os.O_DIRECTORY) as readable:
            os.fsync(readable.number)
    except OSError as error:
        # A directory that may be written but not read (mode 0300), or that cannot be synced at all.
        if error.errno not in (EACCES, EINVAL, EOPNOTSUPP):
            raise


def sync_file_system(descriptor: Descriptor) -> None:
    """Make everything that was written to a file system survive a crash of the machine."""
    from trex.host import syscalls

    syscalls.syncfs(descriptor.number)


def _exchange(directory: Descriptor, private: bytes, name: bytes) -> bool:
    """Swap two names in one step; False where the file system cannot. Raises `Replaced` if `name` is gone."""
    from trex.host import syscalls

    try:
        syscalls.renameat2(directory.number, private, directory.number, name, syscalls.RENAME_EXCHANGE)
    except FileNotFoundError:
        raise Replaced from None
    except OSError as error:
        if error.errno not in (EINVAL, ENOSYS):
            raise
        return False
    return True


def _move(directory: Descriptor, name: bytes, free: bytes) -> None:
    """Rename to a name that must be free. Raises FileExistsError."""
    from trex.host import syscalls

    number = directory.number
    try:
        syscalls.renameat2(number, name, number, free, syscalls.RENAME_NOREPLACE)
    except OSError as error:
        if error.errno not in (EINVAL, ENOSYS):
            raise
        os.link(name, free, src_dir_fd=number, dst_dir_fd=number, follow_symlinks=False)
        os.unlink(name, dir_fd=number)


def _unlink(directory: Descriptor, name: bytes) -> None:
    try:
        os.unlink(name, dir_fd=directory.number)
    except FileNotFoundError:  # the exchange had to be a plain rename, or somebody cleaned up
        return
