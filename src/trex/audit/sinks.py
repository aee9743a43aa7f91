"""Where audit records go: a file that can be trusted, or memory.

Owns:      opening the log, and writing a record wholly or not at all as far as the kernel lets us know.
Relies on: appends being atomic: one `write` to a descriptor with O_APPEND is not mixed with another
           process's, on every local file system of Linux.
Never:     follows a symbolic link, writes to what is no regular file, waits for a reader, continues
           after a failure, or adds to a file that is not an audit log.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Protocol

import msgspec

from trex.audit.chain import MAX_LINE, digest
from trex.audit.record import decode
from trex.errors import AuditUnavailable

# O_NONBLOCK: opening a FIFO must not wait. Reading is for the last line, to which the first record is chained.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class Sink(Protocol):
    """Takes lines. `after` is the hash of the last line that was there before, empty if none was."""

    after: str

    def write(self, line: bytes) -> None:
        """Keep one line, with its line break; raises `AuditUnavailable` if that is not certain."""

    def close(self) -> None:
        """No more lines will come."""


class Memory:
    """Keeps the lines of one run; for tests, and for front ends that read them back."""

    def __init__(self) -> None:
        self.after = ""
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        """Keep one line."""
        self.lines.append(line)

    def close(self) -> None:
        """Nothing is held."""


class LogFile:
    """A file of JSON lines. Opened, or made with mode 0600, before the run begins.

    durable: each record is on the disk before `write` returns; it costs a disk's round trip each time.
    """

    def __init__(self, path: str, durable: bool = False) -> None:
        self._durable = durable
        try:
            self._descriptor = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise AuditUnavailable(f"{_shown(path)}: {_why(error)}") from None
        except ValueError:
            raise AuditUnavailable(f"{_shown(path)}: the name holds a NUL character") from None
        try:
            problem = self._problem()
            self._torn, self.after = (False, "") if problem else self._last_line()
        except OSError as error:
            problem = _why(error)
        except _NoLogError:
            problem = "it holds something that is no audit log"
        if problem:
            self.close()
            raise AuditUnavailable(f"{_shown(path)}: {problem}")

    def _problem(self) -> str:
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            return "it is not a regular file"
        if status.st_uid not in (os.geteuid(), 0):
            return "it belongs to another user"
        if status.st_mode & stat.S_IWOTH:
            return "everybody may write to it"
        return ""

    def _last_line(self) -> tuple[bool, str]:
        """Whether the file's end is torn, and the hash of its last whole line."""
        size = os.fstat(self._descriptor).st_size
        if size == 0:
            return False, ""
        start = max(0, size - 2 * MAX_LINE)
        tail = os.pread(self._descriptor, size - start, start)
        whole, line_break, torn = tail.rpartition(b"\n")
        if not line_break:
            # Not one whole line. Ours, if a first record was torn; else we would write into somebody's file.
            if start or not tail.startswith(_BEGINNING[: len(tail)]):
                raise _NoLogError
            return True, ""
        line = whole.rpartition(b"\n")[2]
        if start and b"\n" not in whole:
            raise _NoLogError
        try:
            decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The line before may be torn, and another run began behind it; but somebody wrote records here.
            if not line.startswith(_BEGINNING):
                raise _NoLogError from None
        return bool(torn), digest(line)

    def write(self, line: bytes) -> None:
        """Append one line; a short write is a failure, because the record is not whole."""
        if self._torn:
            line, self._torn = b"\n" + line, False
        try:
            if os.fstat(self._descriptor).st_nlink == 0:
                raise AuditUnavailable("it was removed while it was in use")
            written = os.write(self._descriptor, line)
            if written != len(line):
                raise AuditUnavailable(f"only {written} of {len(line)} bytes of a record were written")
            if self._durable:
                os.fdatasync(self._descriptor)
        except OSError as error:
            raise AuditUnavailable(_why(error)) from None

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                os.close(descriptor)
            except OSError as error:  # the file system may tell only now what it could not write
                raise AuditUnavailable(_why(error)) from None


class _NoLogError(Exception):
    """The file holds something else."""


_BEGINNING = b'{"record":"'


def _shown(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _why(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a symbolic link"
    if error.errno == errno.ENXIO:
        return "it is not a regular file"
    return f"{os.strerror(error.errno or 0)} ({errno.errorcode.get(error.errno or 0, 'unknown error')})"
