"""The content of one file to another, by descriptor, in constant memory.

Owns:      copying and comparing contents of any size: shared extents, copies by the kernel, holes.
Relies on: descriptors that are open for reading and for writing; the caller's `progress`.
Never:     ends early without saying so: what it returns is how much it copied.

In this order: the whole file at once where the file system can share extents (FICLONE); else piece
by piece by the kernel (copy_file_range), leaving out holes; else through a buffer. The kernel may
refuse at any piece, also after some succeeded: the buffer then takes over at that place. A source
that shrinks meanwhile ends the copy where it ends now; one that grows is copied as far as it went
when the copy began. Files of /proc say that they are empty, and are read to their end.
"""

from __future__ import annotations

import os
from errno import EBADF, EINVAL, EISDIR, ENODEV, ENOSYS, ENOTTY, ENXIO, EOPNOTSUPP, EPERM, ETXTBSY, EXDEV
from fcntl import ioctl

from trex.host.files import Descriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FICLONE = 0x40049409
_PIECE = 8 * 1024 * 1024  # by the kernel: a few milliseconds
_BUFFER = 1024 * 1024

# What the kernel says where it cannot do it itself: another file system, an old kernel, /proc.
_CANNOT = frozenset({EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ENOTTY, EBADF, ETXTBSY, EISDIR, ENODEV})


def copy(source: Descriptor, target: Descriptor, progress: Callable[[int], None], empty: bool = True) -> int:
    """Copy all of the source to the start of the target; how long the target is to be.

    progress: told of each piece how many bytes it has; may raise to end the copy.
    empty:    the target holds nothing yet. Otherwise holes are written as zeros, and cutting off what
              is left of a longer target is the caller's part.
    """
    status = os.fstat(source.number)
    size = status.st_size
    if not size:
        return _through_a_buffer(source, target, 0, None, progress)
    if not empty:
        return _copy_extent(source, target, 0, size, progress)
    if _share(source, target):
        progress(min(size, status.st_blocks * 512))
        return os.fstat(target.number).st_size
    position = 0
    for start, end in _extents(source, size):
        position = _copy_extent(source, target, start, end, progress)
        if position < end:  # it ends here now
            return position
    if position < size:
        # A hole at the end, or a source that was cut there meanwhile.
        size = min(size, max(position, os.fstat(source.number).st_size))
        if os.fstat(target.number).st_size < size:
            os.ftruncate(target.number, size)
    return size


def differ(one: Descriptor, other: Descriptor, progress: Callable[[int], None]) -> bool:
    """Whether two contents are not the same."""
    position = 0
    while True:
        progress(0)
        first = os.pread(one.number, _BUFFER, position)
        if first != os.pread(other.number, _BUFFER, position):
            return True
        if not first:
            return False
        position += len(first)


def _share(source: Descriptor, target: Descriptor) -> bool:
    try:
        ioctl(target.number, _FICLONE, source.number)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True


def _extents(source: Descriptor, size: int) -> Iterator[tuple[int, int]]:
    """Where there is data, from start to end; between them are holes."""
    position = 0
    while position < size:
        try:
            start = os.lseek(source.number, position, os.SEEK_DATA)
            end = os.lseek(source.number, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == ENXIO:  # nothing but a hole up to the end
                return
            if error.errno not in _CANNOT:
                raise
            start, end = position, size
        end = min(end, size)
        if start < end:
            yield start, end
        position = end


def _copy_extent(source: Descriptor, target: Descriptor, start: int, end: int, progress: Callable[[int], None]) -> int:
    """Copy from `start` to `end`; how far it came, which is less only where the source ends."""
    position = start
    while position < end:
        piece = min(_PIECE, end - position)
        try:
            copied = os.copy_file_range(source.number, target.number, piece, position, position)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            return _through_a_buffer(source, target, position, end, progress)
        if not copied:
            # The end; some file systems say so as well where they cannot copy.
            return _through_a_buffer(source, target, position, end, progress)
        progress(copied)
        position += copied
    return position


def _through_a_buffer(
    source: Descriptor, target: Descriptor, position: int, end: int | None, progress: Callable[[int], None]
) -> int:
    buffer = memoryview(bytearray(_BUFFER))
    while end is None or position < end:
        wanted = _BUFFER if end is None else min(_BUFFER, end - position)
        count = os.preadv(source.number, [buffer[:wanted]], position)
        if not count:
            break
        progress(count)
        written = 0
        while written < count:
            written += os.pwrite(target.number, buffer[written:count], position + written)
        position += count
    return position
