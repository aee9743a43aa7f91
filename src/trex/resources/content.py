"""The content of regular files: read under a bound, changed as a whole.

Owns:      reading in blocks, as text and as lines; append, replace, and the way back when they fail.
Relies on: a descriptor that was authorized; the budget of the run.
Never:     keeps more than the bound in memory, or leaves a file half-written without saying so.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from errno import EACCES, EBUSY, EINVAL, ENODEV, EOPNOTSUPP, EPERM, EXDEV
from typing import TYPE_CHECKING

from trex.host import attributes, changes, files
from trex.resources import failures
from trex.resources.shapes import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trex.catalogue.access import Budget
    from trex.host.files import Descriptor, Identity
    from trex.host.paths import Path

BLOCK = 256 * 1024

# What a line counts for beside its text, where each is a value of its own: short lines take much more
# memory than they have bytes, and empty ones are not nothing.
LINE = 16

MATCH = 128  # what a match counts for beside its line: a million empty lines are more than nothing

# A directory that cannot hold a temporary file, an owner that this process may not give away, or a
# name that cannot be exchanged (a file that is a mount point, as in containers): the content is then
# changed in the file itself.
IN_PLACE = frozenset({EACCES, EPERM, EOPNOTSUPP, EBUSY, EXDEV})


class Content:
    """Bytes that may be read, block by block; where they come from is the subclass's part."""

    __slots__ = ("budget",)

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    @abstractmethod
    def blocks(self) -> Iterator[bytes]:
        """All of it, block by block; nothing is kept and nothing counted against the script's share."""

    def chunks(self) -> Iterator[bytes]:
        """Whole lines, many at a time: each chunk ends where a line ends."""
        started: list[bytes] = []  # the pieces of a line whose end has not come yet
        size = 0
        for block in self.blocks():
            end = block.rfind(b"\n") + 1
            if end:
                chunk, rest = block[:end], block[end:]
                if started:
                    chunk = b"".join((*started, chunk))
                started, size = [], 0
                yield chunk
            else:
                rest = block
            if rest:
                started.append(rest)
                size += len(rest)
                self.check_held(size)
        if started:
            yield b"".join(started)

    def raw_lines(self) -> Iterator[bytes]:
        """Each line without its end (`\\n` or `\\r\\n`); a last line without one counts."""
        for chunk in self.chunks():
            yield from split_lines(chunk)

    def groups(self) -> Iterator[list[str]]:
        """Each line as UTF-8, many at a time: a step for each line would take longer than most work on it."""
        for chunk in self.chunks():
            try:
                text = chunk.decode()
            except UnicodeDecodeError:
                # Those before the bad line are given all the same.
                for line in split_lines(chunk):
                    yield [self.decoded(line)]
                continue
            lines = text.split("\n")
            if not lines[-1]:
                lines.pop()
            if "\r" in text:
                lines = [line[:-1] if line.endswith("\r") else line for line in lines]
            yield lines

    def lines(self) -> Iterator[str]:
        """Each line as UTF-8."""
        for group in self.groups():
            yield from group

    def decoded(self, line: bytes) -> str:
        """A line as UTF-8."""
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise failures.not_utf8() from None

    def last_lines(self, count: int, end: int | None = None) -> list[bytes]:
        """The last lines; with `end`, those up to that line. A final newline starts no further line."""
        from collections import deque

        # Chunks with the number of lines in each: lines are cut out only of those that are left.
        window: deque[tuple[bytes, int]] = deque()
        passed = lines = held = beyond = 0
        for chunk in self.chunks():
            number = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
            window.append((chunk, number))
            passed, lines, held = passed + number, lines + number, held + len(chunk)
            if end is not None and passed > end:
                beyond = passed - end
            while lines - window[0][1] >= count + beyond:
                chunk, number = window.popleft()
                lines, held = lines - number, held - len(chunk)
            self.check_held(held - len(window[0][0]))  # of the first one only a part may be needed
            if end is not None and passed >= end:
                break
        found = [line for chunk, _ in window for line in split_lines(chunk)]
        return found[max(0, len(found) - beyond - count) : len(found) - beyond]

    def check_held(self, size: int) -> None:
        """Fail if so many bytes are too many to be kept at a time."""
        if size > self.budget.max_read:
            self.budget.read(size)

    def matched(self, number: int, line: bytes) -> Match:
        """Count a line that goes to the script with its number."""
        text = self.decoded(line)
        self.budget.read(len(line) + MATCH)
        return Match(number, text)

    def all_kept(self, lines: list[str]) -> list[str]:
        """Count lines that go to the script."""
        text = "".join(lines)
        self.budget.read((len(text) if text.isascii() else len(text.encode())) + len(lines) * LINE)
        return lines

    def kept(self, line: str) -> str:
        """Count a line that goes to the script."""
        self.budget.read((len(line) if line.isascii() else len(line.encode())) + LINE)
        return line


class ReadableContent(Content):
    """A regular file that may be read."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: Descriptor, budget: Budget) -> None:
        super().__init__(budget)
        self._descriptor = descriptor

    def blocks(self) -> Iterator[bytes]:
        """All of it, block by block; nothing is kept and nothing counted against the script's share."""
        position = 0
        while block := files.read_at(self._descriptor, BLOCK, position):
            self.budget.check_time()
            position += len(block)
            yield block

    @property
    def size(self) -> int:
        """Bytes that it has now."""
        return files.status(self._descriptor).st_size

    def at(self, position: int, size: int) -> bytes:
        """At most `size` bytes from `position`; fewer only at the end."""
        return files.read_at(self._descriptor, size, position)

    def is_same(self, descriptor: Descriptor) -> bool:
        """Whether that is the same file."""
        return files.identity(files.status(self._descriptor)) == files.identity(files.status(descriptor))

    def data(self) -> bytes:
        """All of it, which must fit into what one operation may bring to the script."""
        size = files.status(self._descriptor).st_size
        self.budget.read(size)  # before the first byte: a file of 10 GiB fails at once
        first = files.read_at(self._descriptor, size + 1, 0)
        if len(first) == size:
            return first
        # It grew meanwhile, or is a file whose size the kernel does not know beforehand.
        pieces = [first]
        position = len(first)
        counted = size
        while block := files.read_at(self._descriptor, BLOCK, position):
            self.budget.check_time()
            position += len(block)
            if position > counted:
                self.budget.read(position - counted)
                counted = position
            pieces.append(block)
        return b"".join(pieces)

    def text(self) -> str:
        """All of it as UTF-8."""
        try:
            return self.data().decode()
        except UnicodeDecodeError:
            raise failures.not_utf8() from None

    def last_lines(self, count: int, end: int | None = None) -> list[bytes]:
        """The last lines, read backwards; with `end`, those up to that line, which must be counted from the start."""
        size = files.status(self._descriptor).st_size
        if end is None and size:
            return self._from_the_end(count, size)
        return super().last_lines(count, end)

    def _from_the_end(self, count: int, size: int) -> list[bytes]:
        position, newlines, held = size, 0, 0
        pieces: list[bytes] = []
        while position and newlines <= count:
            self.budget.check_time()
            start = max(0, position - BLOCK)
            block = files.read_at(self._descriptor, position - start, start)
            position = start
            pieces.append(block)
            newlines += block.count(b"\n")
            held += len(block)
            self.check_held(held - BLOCK + min(newlines, count) * LINE)
        pieces.reverse()
        lines = b"".join(pieces).split(b"\n")
        if not lines[-1]:
            lines.pop()
        return [line[:-1] if line.endswith(b"\r") else line for line in lines[-count:]]


def split_lines(chunk: bytes) -> list[bytes]:
    """The lines of a chunk without their ends."""
    lines = chunk.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if b"\r" in chunk:
        return [line[:-1] if line.endswith(b"\r") else line for line in lines]
    return lines


def append(descriptor: Descriptor, content: bytes, path: Path) -> None:
    """Add to the end, all or nothing, through a descriptor opened with O_APPEND."""
    number = descriptor.number
    before = os.fstat(number).st_size
    written = 0
    view = memoryview(content)
    try:
        while written < len(content):
            written += os.write(number, view[written:])
        _sync(number)
    except OSError as error:
        # Take back what is ours, unless somebody else has appended behind it.
        if written and os.fstat(number).st_size == before + written:
            os.ftruncate(number, before)
        elif written:
            raise failures.file_failed(
                f"{written} of {len(content)} bytes were appended, then: {failures.os_text(error)}", path
            ) from error
        raise


def create(home: Descriptor, name: bytes, content: bytes) -> bool:
    """Make a file with this content, all or nothing; False if the name is taken."""
    new = changes.NewFile(home)
    try:
        new.fill(content)
        return new.publish(name)
    finally:
        new.discard()


def replace(
    home: Descriptor, name: bytes, expected: Identity, writable: Descriptor, content: bytes, path: Path, ownership: bool
) -> Descriptor:
    """Give the file `name` a new content; readers see the old or the new, never a mixture.

    The result is open for reading and writing. `writable` proves that this process may write the
    file itself: otherwise a file protected by its mode could be replaced by who may write its
    directory. Where no other file can take its place, it is written in place, through `writable`.
    """
    status = os.fstat(writable.number)
    try:
        new = changes.NewFile(home, 0o600)
        try:
            new.fill(content)
            new.take_over(status, ownership)
            attributes.take_extended(new.descriptor, writable)
            new.publish_over(name, expected)
            return by_name(home, name, new.descriptor)
        finally:
            new.discard()
    except OSError as error:
        if error.errno not in IN_PLACE:
            raise
    overwrite(writable, content, path)
    return writable


def by_name(home: Descriptor, name: bytes, new: Descriptor) -> Descriptor:
    """The new file, opened by its name: a file that was made without one never shows where it is."""
    try:
        found = files.open_name(home, name)
        if files.identity(files.status(found)) == files.identity(files.status(new)):
            return files.reopen(found, os.O_RDWR)
    except OSError:  # replaced again meanwhile, or of a mode that forbids to open it so
        return new
    return new


def overwrite(writable: Descriptor, content: bytes, path: Path) -> None:
    """Write into the file itself. Space is taken first; what fails later is said exactly."""
    number = writable.number
    before = os.fstat(number).st_size
    reserve(number, before, len(content))
    written = 0
    try:
        while written < len(content):
            written += os.pwrite(number, content[written:] if written else content, written)
        if os.fstat(number).st_size > len(content):
            os.ftruncate(number, len(content))
        _sync(number)
    except OSError as error:
        if not written:
            if os.fstat(number).st_size > before:
                os.ftruncate(number, before)
            raise
        raise failures.file_failed(
            f"{written} of {len(content)} bytes were written, then: {failures.os_text(error)}", path
        ) from error


def reserve(number: int, before: int, size: int) -> None:
    """Take space for a file that is to grow, so that there is enough before anything is written over."""
    if size <= before:
        return
    try:
        os.posix_fallocate(number, before, size - before)
    except OSError as error:
        if error.errno in (EINVAL, EOPNOTSUPP, ENODEV, EPERM):
            return  # a file of /proc or /sys, which takes no space
        if os.fstat(number).st_size > before:
            os.ftruncate(number, before)
        raise


def _sync(number: int) -> None:
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno != EINVAL:  # files of /proc and /sys are not on a disk
            raise
