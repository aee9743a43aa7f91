"""A template: a clean process that has the language loaded and forks a locked worker per request.

Owns:      the requests of the front end, the forks, and the exit statuses of the workers.
Relies on: a socket that keeps messages apart (SOCK_SEQPACKET), with descriptors beside them.
Never:     reads a script, a policy or anything else that is secret: it was started with an empty
           environment and one descriptor, and it passes both on.

One request is the three numbers of a `Plan` and two descriptors: the worker's socket, and a pipe
on which the worker's exit status is written when it has ended. The answer is the worker's pid,
with its pidfd beside it: a pid may be reused, a pidfd never means another process.

The template ends when the front end closes the socket, or dies; its workers die with it.
"""

from __future__ import annotations

import _socket
import contextlib
import gc
import os
import select
import signal
import struct
import time
from types import ModuleType
from typing import NoReturn

from trex.isolation import kernel, seccomp
from trex.isolation.lockdown import Plan
from trex.isolation.profile import SOCKET
from trex.worker.main import ENDED, ORPHANED, work

_ANCILLARY = _socket.CMSG_SPACE(2 * 4)
_LONGEST_REQUEST = 4096


def serve(parent: int, language: ModuleType) -> NoReturn:
    """Answer requests until the front end is gone."""
    kernel.close_range(0, SOCKET - 1)
    kernel.close_range(SOCKET + 1, 0xFFFFFFFF)
    os.setsid()
    os.chdir("/")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(ORPHANED)
    if seccomp.unavailable() is None:
        seccomp.prepared()
    # Workers share its pages as long as nobody writes to them; the collector would.
    gc.collect()
    gc.freeze()
    template = _Template(_socket.socket(fileno=SOCKET), language)
    template.run()
    template.end_workers()
    os._exit(ENDED)


class _Template:
    def __init__(self, control: _socket.socket, language: ModuleType) -> None:
        self.control = control
        self.language = language
        self.running: dict[int, tuple[int, int]] = {}  # pidfd to pid and the pipe for its status
        self.ended: dict[int, int] = {}  # such a pipe to a pid that is still ours
        self.poll = select.poll()
        self.poll.register(control.fileno(), select.POLLIN)

    def run(self) -> None:
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor in self.running:
                    self.report(descriptor)
                elif descriptor in self.ended:
                    self.reap(descriptor)
                elif not self.request():
                    return

    def request(self) -> bool:
        """Take one request; False when there will be none any more."""
        data, ancillary, _, _ = self.control.recvmsg(_LONGEST_REQUEST, _ANCILLARY)
        if not data:
            return False
        socket, status = struct.unpack("=2i", ancillary[0][2])
        memory, seconds, optional = data.decode().split(" ", 2)
        plan = Plan(os.getpid(), int(memory), float(seconds), frozenset(filter(None, optional.split(","))))
        before = time.perf_counter()
        try:
            pid = os.fork()
        except OSError as problem:  # too many processes, no memory: the next request may succeed
            os.close(socket)
            os.close(status)
            self.control.sendmsg([(problem.strerror or "fork failed").encode()])
            return True
        if pid == 0:
            os.dup2(socket, SOCKET)  # the control socket is gone with this; `lock` closes the rest
            self.control.detach()
            work(plan, self.language, {"fork": (time.perf_counter() - before) * 1000})
        os.close(socket)
        pidfd = os.pidfd_open(pid)
        self.running[pidfd] = (pid, status)
        self.poll.register(pidfd, select.POLLIN)
        self.control.sendmsg([str(pid).encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("=i", pidfd))])
        return True

    def report(self, pidfd: int) -> None:
        """A worker has ended: pass its status on, and keep its pid until the front end lets go of it.

        The front end uses the pid to place the worker on a CPU. While the dead child is not
        reaped, no other process can have its number.
        """
        pid, pipe = self.running.pop(pidfd)
        self.poll.unregister(pidfd)
        ended = os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT)
        assert ended is not None  # without WNOHANG there is a result
        os.close(pidfd)
        status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        self.ended[pipe] = pid
        self.poll.register(pipe, 0)  # an error is reported always: the other end was closed
        with contextlib.suppress(BrokenPipeError):  # closed already
            os.write(pipe, struct.pack("=i", status))

    def reap(self, pipe: int) -> None:
        """The front end has let go of a worker that ended."""
        self.poll.unregister(pipe)
        os.close(pipe)
        os.waitpid(self.ended.pop(pipe), 0)

    def end_workers(self) -> None:
        """The front end is gone, or done: leave no dead child for the system's first process to bury."""
        for pidfd, (pid, _) in self.running.items():
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.waitpid(pid, 0)
        for pid in self.ended.values():
            os.waitpid(pid, 0)
