"""The chain that holds an audit log together, and its verification.

Owns:  what a sound log is.
Never: writes.

**The chain.** Each record carries the SHA-256 of its run's line before it, and the first record of a
run that of the log's last line at that moment. A changed, removed, inserted or reordered line breaks
it, and so does a missing run, if a later one began after it. What the chain alone cannot show is a log
that was cut at its end, or rewritten from some line to the end by somebody who may write it: for that,
keep heads (the hash of a run's last line, which its outcome tells) elsewhere and give them to `verify`.

Runs of several processes interleave in one log. A line may be torn by a crash or a full disk; the
run that wrote it ended there, and the next record begins on a line of its own.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from errno import EINVAL
from hashlib import sha256
from typing import BinaryIO

import msgspec
from msgspec import Struct

from trex.audit.record import FORMAT, AnyRecord, RunEnded, RunStarted, decode

MAX_LINE = 256 * 1024


class Finding(Struct, frozen=True):
    """Something that is wrong with a line of a log; line 0: with the log as a whole."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class Verification(Struct, frozen=True):
    """What was found in a log.

    findings:   what is wrong; a sound log has none.
    unfinished: runs without their last record: killed, still running, or cut off.
    heads:      the hash of each run's last line.
    """

    records: int
    findings: tuple[Finding, ...]
    unfinished: tuple[str, ...]
    heads: dict[str, str]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with what is there."""
        return not self.findings


def digest(line: bytes) -> str:
    """The hash of a line, without its line break, as the next record carries it."""
    return sha256(line.rstrip(b"\n")).hexdigest()


def verify(path: str | os.PathLike[str], heads: dict[str, str] | None = None) -> Verification:
    """Check a whole log; raises `OSError` if it cannot be read.

    heads: hashes by run that were kept elsewhere; the log must still hold those lines as those runs' last.
    """
    checker = _Checker()
    # O_NONBLOCK: opening a FIFO would wait for its other end; whatever is no file may never end.
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(EINVAL, os.strerror(EINVAL))
        for number, line in enumerate(_lines(file), 1):
            checker.check(number, line)
    findings = checker.findings
    for run, head in (heads or {}).items():
        if checker.heads.get(run) != head:
            findings.append(Finding(0, f"run {run}: its last record is not the one that is known from elsewhere"))
    unfinished = tuple(run for run in checker.heads if run not in checker.ended)
    return Verification(checker.records, tuple(findings), unfinished, checker.heads)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of an overlong one only so much that it is seen to be overlong."""
    while line := file.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE + 1)


class _Checker:
    """The state of a verification: for each run what must come next."""

    def __init__(self) -> None:
        self.records = 0
        self.findings: list[Finding] = []
        self.heads: dict[str, str] = {}
        self.ended: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._digests: set[str] = set()
        self._all_began_in_a_new_log = True

    def check(self, number: int, line: bytes) -> None:
        """Check the next line."""
        if not line.endswith(b"\n"):
            self.findings.append(Finding(number, "the line is torn or too long"))
            return
        self._digests.add(digest(line))
        try:
            record = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.findings.append(Finding(number, "this is no record"))
            return
        self.records += 1
        text = self._started(record) if isinstance(record, RunStarted) else self._continued(record)
        if text:
            self.findings.append(Finding(number, text))
        self._numbers[record.run] = record.number
        self.heads[record.run] = digest(line)
        if isinstance(record, RunEnded):
            self.ended.add(record.run)

    def _started(self, record: RunStarted) -> str:
        if record.run in self.heads:
            return f"run {record.run} begins twice"
        if record.format != FORMAT:
            return f"the record has format {record.format}, not {FORMAT}"
        if record.number != 0 or record.previous:
            return f"run {record.run} does not begin with its first record"
        if not record.after:
            # Several runs may find the log empty at once, but none that others preceded.
            return "" if self._all_began_in_a_new_log else "the run says that the log was empty, which it was not"
        self._all_began_in_a_new_log = False
        if record.after not in self._digests:
            return "records before this run are missing or were changed"
        return ""

    def _continued(self, record: AnyRecord) -> str:
        if record.run not in self.heads:
            return f"the beginning of run {record.run} is missing"
        if record.run in self.ended:
            return f"run {record.run} goes on after its end"
        if record.number != self._numbers[record.run] + 1:
            return f"record {self._numbers[record.run] + 1} of run {record.run} is missing; this is {record.number}"
        if record.previous != self.heads[record.run]:
            return f"record {record.number - 1} of run {record.run} was changed"
        return ""
