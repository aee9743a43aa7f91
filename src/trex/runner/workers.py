"""Starting, awaiting and ending workers.

Owns:      worker processes and templates, their sockets and pidfds; the check of what a worker
           proves about itself.
Relies on: `trex.worker`, which is started by the path of its first file and never imported here.
Never:     shares a descriptor beyond the socket, an environment variable or a worker with anybody;
           runs a script in a worker that is not locked as required.

A worker is the child of the broker, or of a `Template`, and dies with it. The kernel ties that to
the *thread* that started it: a worker started in a thread ends when that thread ends.
"""

from __future__ import annotations

import _socket
import _thread
import contextlib
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Callable

import msgspec

import trex
from trex.broker.channel import BrokerChannel
from trex.errors import IsolationUnavailable, LimitExceeded, RequestInvalid, WorkerDied
from trex.isolation.profile import LAYERS, SOCKET, optional_layers
from trex.limits import Limits
from trex.protocol.messages import FromWorker, Ready

LANGUAGE = "trex.languages.rhai"

# Far beyond what starting takes (30 ms), for a machine that is very busy.
_SECONDS_TO_START = 30.0
# What the kernel needs to end a process that was killed; more means that it hangs in the kernel.
_SECONDS_TO_DIE = 10.0

# A worker with no more than this left (KiB) has used up its share and most of the reserve; the C library asks for
# memory in steps of 132 KiB, so that it may never get nearer.
_NEARLY = 256


class WorkerProcess:
    """A worker: started, perhaps still on its way to being ready.

    Use it as a context manager: leaving it ends the worker and closes everything.
    """

    def __init__(
        self,
        pid: int,
        pidfd: int,
        socket: _socket.socket,
        limits: Limits,
        optional: frozenset[str],
        reap: Callable[[], int | None],
        status_pipe: int | None = None,
    ) -> None:
        self.pid = pid
        self.pidfd = pidfd
        self.channel = BrokerChannel(socket, pid, self._end, self._watch, limits.max_time)
        self._max_memory = limits.max_memory
        self._memory_bound: int | None = None  # what the kernel holds the worker to, once it is known
        self._optional = optional
        self._reap = reap
        self._status_pipe = status_pipe
        self._ready: Ready | None = None
        self._status: int | None = None
        self._has_ended = False

    @property
    def ready(self) -> Ready:
        """What the worker proved about itself. Waits until it has.

        Raises `IsolationUnavailable` if a required layer is missing, or `WorkerDied`.
        """
        if self._ready is None:
            try:
                message = self.channel.receive(time.monotonic() + _SECONDS_TO_START)
            except LimitExceeded:
                self.kill()
                raise WorkerDied(self.wait(), f"it was not ready within {_SECONDS_TO_START:g} seconds") from None
            self._ready = self._judged(message)
        return self._ready

    def kill(self) -> None:
        """End the worker now. No effect on one that has ended."""
        if not self._has_ended:
            _kill(self.pidfd)

    def wait(self, timeout: float = _SECONDS_TO_DIE) -> int | None:
        """Wait until the worker has ended; its exit status, or minus a signal's number.

        None if it did not end in time, or if nobody knows.
        """
        if not self._has_ended:
            if not _has_ended(self.pidfd, timeout):
                return None
            self._status = self._reap()
            self._has_ended = True
        return self._status

    def close(self) -> None:
        """End the worker and close what belongs to it."""
        if self.pidfd >= 0:
            self.kill()
            self.wait()
            self.channel.close()
            os.close(self.pidfd)
            self.pidfd = -1
            if self._status_pipe is not None:
                os.close(self._status_pipe)  # now the template lets the pid go

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _end(self) -> int | None:
        """End the worker, if it has not ended by itself, and say how it ended."""
        # One that closes its socket is about to end and knows best with which status.
        status = self.wait(0.2)
        if status is None and not self._has_ended:
            self.kill()
            status = self.wait()
        return status

    def _watch(self) -> None:
        """Look at a worker that computes: has it used up its memory?

        Usually it then gets a MemoryError, and says so. But an interpreter without a single byte left
        may go round in circles between that error and the next (CPython 3.11 does, when it cannot
        make the integer that an exception handler needs), and a broken one may just go on. A script
        that keeps to its limit never comes here: the bound lies above it by what the worker keeps
        in reserve.
        """
        if self._ready is None:
            return
        try:
            if self._memory_bound is None:
                self._memory_bound = _number(self.pid, "limits", b"Max data size", 3) // 1024
            used = _number(self.pid, "status", b"VmData:", 1)
        except (OSError, ValueError):  # it has just ended, or this user may not look: the deadline remains
            return
        if used >= self._memory_bound - _NEARLY:
            raise LimitExceeded("max_memory", self._max_memory)

    def _judged(self, message: FromWorker) -> Ready:
        assert isinstance(message, Ready)  # the conversation begins with nothing else
        missing = tuple(
            layer.name
            for layer in LAYERS
            if layer.name not in message.layers and not (layer.name in self._optional and layer.name in message.missing)
        )
        if missing:
            self.kill()
            # After the first missing layer the worker tried no other: that one is the news.
            named = tuple(name for name in missing if name in message.missing) or missing
            reasons = "; ".join(f"{name}: {message.missing[name]}" for name in named if name in message.missing)
            raise IsolationUnavailable(named, reasons)
        return message


def start(
    limits: Limits, isolation: str = "strict", language: str = LANGUAGE, directory: str | None = None
) -> WorkerProcess:
    """Start a worker for one run; returns at once, while the worker loads and locks itself.

    isolation: `"strict"`, or `"degraded:LAYER,..."` with the layers that may be missing.
    language:  a package with `execute` and `evaluate`; `directory` is where its top package lies,
               if that is not trex itself.
    """
    optional = _optional(isolation)
    share = [str(limits.max_memory), repr(limits.max_time), ",".join(optional)]
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        pid = _spawn(theirs, "worker", language, directory, share)
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    pidfd = os.pidfd_open(pid)
    return WorkerProcess(pid, pidfd, ours, limits, optional, lambda: _reap_child(pidfd))


class Template:
    """A process that has the language loaded and forks locked workers, for who starts many.

    It can be used by several threads. Closing it, or the end of this process, ends its workers.
    """

    def __init__(self, language: str = LANGUAGE, directory: str | None = None) -> None:
        self._control, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        try:
            self.pid = _spawn(theirs, "template", language, directory, [])
        except BaseException:
            self._control.close()
            raise
        finally:
            theirs.close()
        self.pidfd = os.pidfd_open(self.pid)
        self._turn = _thread.allocate_lock()
        self._control.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, struct.pack("@ll", int(_SECONDS_TO_START), 0))

    def start(self, limits: Limits, isolation: str = "strict") -> WorkerProcess:
        """Start a worker for one run, as `start` does. Raises `WorkerDied` if the template is gone."""
        optional = _optional(isolation)
        request = f"{limits.max_memory} {limits.max_time!r} {','.join(optional)}".encode()
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
        status, status_end = os.pipe2(os.O_CLOEXEC)
        try:
            with self._turn:
                pid, pidfd = self._ask(request, struct.pack("=2i", theirs.fileno(), status_end))
        except BaseException:
            ours.close()
            os.close(status)
            raise
        finally:
            theirs.close()
            os.close(status_end)
        return WorkerProcess(pid, pidfd, ours, limits, optional, lambda: self._status(status), status)

    def close(self) -> None:
        """End the template and the workers that it started."""
        if self.pidfd >= 0:
            self._control.close()  # at this the template ends its workers, and itself
            if not _has_ended(self.pidfd, _SECONDS_TO_DIE):
                _kill(self.pidfd)
            _reap_child(self.pidfd)
            os.close(self.pidfd)
            self.pidfd = -1

    def __enter__(self) -> Template:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _status(self, pipe: int) -> int | None:
        """What the template wrote about a worker; None if it died before it could.

        A method so that each worker keeps its template alive.
        """
        data = os.read(pipe, 4)
        return struct.unpack("=i", data)[0] if len(data) == 4 else None

    def _ask(self, request: bytes, descriptors: bytes) -> tuple[int, int]:
        try:
            self._control.sendmsg([request], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
            data, ancillary, _, _ = self._control.recvmsg(64, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
        except (ConnectionError, BlockingIOError):
            raise WorkerDied(None, "the template process does not answer") from None
        if not ancillary:
            raise WorkerDied(
                None, f"the template process: {data.decode()}" if data else "the template process has ended"
            )
        return int(data), struct.unpack("=i", ancillary[0][2])[0]


def _optional(isolation: str) -> frozenset[str]:
    try:
        return optional_layers(isolation)
    except ValueError as problem:
        raise RequestInvalid(str(problem), "isolation") from None


def _spawn(socket: _socket.socket, role: str, language: str, directory: str | None, arguments: list[str]) -> int:
    """Start a clean interpreter: no environment, no descriptor but the socket, no site directories."""
    package = os.path.dirname(os.path.abspath(trex.__file__))
    library = os.path.dirname(os.path.dirname(os.path.abspath(msgspec.__file__)))
    command = [
        sys.executable,
        "-I",  # no environment variables, no user site directory, no current directory
        "-S",  # no site-packages: `boot` finds the two packages that are needed
        "-X",
        "utf8",  # whatever the locale would be: there is none
        os.path.join(package, "worker", "boot.py"),
        f"trex={os.path.dirname(package)}",
        f"msgspec={library}",
        *([f"{language.partition('.')[0]}={directory}"] if directory is not None else ()),
        "--",
        role,
        str(os.getpid()),
        language,
        *arguments,
    ]
    try:
        return os.posix_spawn(
            sys.executable,
            command,
            {},
            file_actions=[
                # First the copy: the socket may itself be one of the three that are closed then.
                (os.POSIX_SPAWN_DUP2, socket.fileno(), SOCKET),
                *((os.POSIX_SPAWN_CLOSE, standard) for standard in (0, 1, 2)),
            ],
            setsigmask=(),
            setsigdef=[number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)],
        )
    except OSError as error:  # such as an interpreter that the user who runs Trex may not execute
        reason = f"{sys.executable} cannot be started: {os.strerror(error.errno or 0)}"
        raise IsolationUnavailable(("process",), reason) from None


def _number(pid: int, file: str, label: bytes, field: int) -> int:
    """A number from a line of /proc/PID/FILE that begins with `label`. Raises `OSError`, `ValueError`."""
    with open(f"/proc/{pid}/{file}", "rb") as opened:
        for line in opened:
            if line.startswith(label):
                return int(line.split()[field])
    raise ValueError(f"no {label.decode()} in {file}")


def _has_ended(pidfd: int, timeout: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def _kill(pidfd: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended and waits to be reaped
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _reap_child(pidfd: int) -> int | None:
    try:
        result = os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    except ChildProcessError:  # somebody else waits for all children of this process
        return None
    if result is None:
        return None
    return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status
