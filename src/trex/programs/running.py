"""One program from its start to its end: fed, listened to, bounded, and ended with all that it started.

Owns:      the streams and the socket to the warden; the waiting, in the kernel and not by looking again.
Relies on: `launch` for the processes; a budget that knows the run's deadline and is told of its end.
Never:     waits for a stream longer than for the program; keeps more output than was asked for; leaves
           a process behind that nobody will end.

A program has ended when its own process has. What it wrote until then is in the pipes and is read to the
last byte. Processes that it left behind may hold the pipes open; they are given a moment to finish what
they write, and then nobody listens any more. They live on until the run ends, or they do.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Protocol

from trex.isolation.becoming import Texts
from trex.programs import Finished
from trex.programs.launch import EXITED, FAILED, MESSAGE, SIGNAL, STAGES, Plan, start

if TYPE_CHECKING:
    import _socket

_PIECE = 64 * 1024
# For the last words of processes that were left behind, after the program itself has ended.
_LINGER = 0.2
# Between asking a program to end and ending it, when its time is up.
GRACE = 2.0
# What the kernel needs to end processes that were killed.
_SECONDS_TO_DIE = 10.0


class Budget(Protocol):
    """What bounds a program beside its own limits."""

    deadline: float

    def check_time(self) -> None:
        """Raise if the run is over or was asked to stop."""

    def read(self, size: int) -> None:
        """So many more bytes come to the script."""

    def wake(self) -> int:
        """A descriptor that becomes readable when the run is asked to stop."""


class NotStarted(Exception):
    """The program was not executed; `stage` says where it ended, one of `launch.STAGES`."""

    def __init__(self, stage: str, number: int) -> None:
        super().__init__(stage, number)
        self.stage, self.number = stage, number


class TimedOut(Exception):
    """The program took longer than it may; it was ended."""


class TooMuchOutput(Exception):
    """The program wrote more to that stream than it may; it was ended."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.stream = stream


class _Stream:
    """One pipe that a program writes to."""

    __slots__ = ("data", "name", "number", "pieces")

    def __init__(self, name: str, number: int) -> None:
        self.name, self.number = name, number
        self.pieces: list[bytes] = []
        self.data = 0

    def close(self) -> None:
        number, self.number = self.number, -1
        if number >= 0:
            os.close(number)


class Program:
    """A program that was started; leave it by `close`, or hand it on to be kept until the run ends."""

    def __init__(
        self,
        program: int,
        arguments: list[bytes],
        environment: list[bytes],
        *,
        stdin: bytes | None = None,
        **how: object,
    ) -> None:
        """Start it. `how`: the other fields of a `Plan`. Raises `OSError` where nothing can be forked or opened."""
        with contextlib.ExitStack() as theirs:
            source = _input(stdin)
            theirs.callback(os.close, source)
            self._streams: list[_Stream] = []
            writable = []
            try:
                for name in ("stdout", "stderr"):
                    ours, end = os.pipe2(os.O_CLOEXEC)
                    theirs.callback(os.close, end)
                    os.set_blocking(ours, False)
                    self._streams.append(_Stream(name, ours))
                    writable.append(end)
                plan = Plan(
                    program,
                    Texts(arguments),
                    Texts(environment),
                    (source, writable[0], writable[1]),
                    **how,  # type: ignore[arg-type]  # checked by the Plan
                )
                warden, self._control = start(plan)
            except BaseException:
                self._close_streams()
                raise
        self._pid = warden
        self._warden = os.pidfd_open(warden)
        self._status: int | None = None
        self._left = True
        self._failure: NotStarted | None = None

    def finish(self, budget: Budget, timeout: float | None = None, max_output: int | None = None) -> Finished:
        """Listen until the program has ended.

        timeout, max_output: seconds, and bytes of each stream. Raises `NotStarted`, `TimedOut`,
        `TooMuchOutput`, or what the budget raises; then the program must be closed.
        """
        listener = _Listener(self, budget, timeout, max_output)
        listener.listen()
        self._close_streams()
        if self._failure is not None:
            raise self._failure
        if self._status is None:
            raise NotStarted("fork", 0)  # the warden ended without a word: killed from outside
        out, error = (b"".join(each.pieces) for each in self._streams)
        return Finished(self._status, out, error)

    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return self._warden < 0 or self._reaped(0 if self._left else _SECONDS_TO_DIE)

    def close(self) -> None:
        """End it and everything that it started, and wait until they have ended."""
        self._close_streams()
        if self._warden < 0:
            return
        self._control.close()  # at this the warden ends them all
        if not self._reaped(_SECONDS_TO_DIE):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._warden, signal.SIGKILL)
            self._reaped(_SECONDS_TO_DIE)

    def ask_to_end(self) -> None:
        """Send SIGTERM to the program and its group."""
        with contextlib.suppress(OSError):
            self._control.send(MESSAGE.pack(SIGNAL, signal.SIGTERM, 0))

    def _reaped(self, seconds: float) -> bool:
        """Whether the warden has ended, within that time; it is buried then."""
        poll = select.poll()
        poll.register(self._warden, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return False
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PIDFD, self._warden, os.WEXITED)
        os.close(self._warden)
        self._warden = -1
        self._control.close()
        return True

    def _close_streams(self) -> None:
        for stream in self._streams:
            stream.close()

    def __del__(self) -> None:
        if hasattr(self, "_warden"):
            self.close()


class _Listener:
    """The waiting for one program: for its streams, its end, the clock, and the end of the run."""

    def __init__(self, program: Program, budget: Budget, timeout: float | None, max_output: int | None) -> None:
        self._program, self._budget, self._max_output = program, budget, max_output
        self._started = time.monotonic()
        self._timeout = None if timeout is None else self._started + timeout
        self._ended: float | None = None  # until when last words are waited for
        self._asked = False
        self._poll = select.poll()
        self._open = {stream.number: stream for stream in program._streams}
        for number in self._open:
            self._poll.register(number, select.POLLIN)
        self._control: _socket.socket | None = program._control
        self._poll.register(program._control.fileno(), select.POLLIN)
        self._wake = budget.wake()
        self._poll.register(self._wake, select.POLLIN)

    def listen(self) -> None:
        """Until the program has ended and nothing more is to be read."""
        program = self._program
        while self._open or (program._status is None and self._control is not None):
            ready = self._poll.poll(self._wait())
            if not self._wait() and self._is_late():
                return
            for number, _ in ready:
                if number == self._wake:
                    self._budget.check_time()
                elif number in self._open:
                    self._read(self._open[number])
                else:
                    self._hear()
            if program._failure is not None:
                return

    def _wait(self) -> int:
        """Milliseconds until the clock has to be looked at, rounded up."""
        moments = [self._budget.deadline]
        if self._ended is not None:
            moments.append(self._ended)
        elif self._timeout is not None:
            moments.append(self._timeout)
        left = min(moments) - time.monotonic()
        return int(left * 1000) + 1 if left > 0 else 0

    def _is_late(self) -> bool:
        """What the clock says: True if no more last words are waited for. Raises when time is up."""
        self._budget.check_time()
        now = time.monotonic()
        if self._ended is not None:
            return now >= self._ended
        if self._timeout is not None and now >= self._timeout:
            if self._asked:
                raise TimedOut
            self._asked = True
            self._timeout = now + GRACE
            self._program.ask_to_end()
        return False

    def _read(self, stream: _Stream) -> None:
        try:
            piece = os.read(stream.number, _PIECE)
        except BlockingIOError:
            return
        if not piece:
            del self._open[stream.number]
            self._poll.unregister(stream.number)
            stream.close()
            return
        stream.data += len(piece)
        if self._max_output is not None and stream.data > self._max_output:
            raise TooMuchOutput(stream.name)
        self._budget.read(len(piece))
        stream.pieces.append(piece)

    def _hear(self) -> None:
        """What the warden says; its end of the socket closes when nothing is left."""
        assert self._control is not None
        try:
            data = self._control.recv(MESSAGE.size)
        except ConnectionError:
            data = b""
        if len(data) != MESSAGE.size:
            self._poll.unregister(self._control.fileno())
            self._control = None
        else:
            kind, first, second = MESSAGE.unpack(data)
            if kind == FAILED:
                self._program._failure = NotStarted(STAGES[first], second)
            elif kind == EXITED:
                self._program._status, self._program._left = first, bool(second)
        if self._ended is None and (self._program._status is not None or self._control is None):
            if self._asked:
                raise TimedOut
            self._ended = time.monotonic() + _LINGER


def _input(content: bytes | None) -> int:
    """A descriptor that reads as that content: a file in memory that nobody can change; None: nothing at all."""
    if content is None:
        return os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    memory = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(memory, view) :]
        _seal(memory)
        return os.open(f"/proc/self/fd/{memory}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(memory)


def _seal(memory: int) -> None:
    import fcntl

    fcntl.fcntl(
        memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    )
