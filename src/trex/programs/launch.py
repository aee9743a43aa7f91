"""From a fork to the exec, and the warden that stays with what was started.

Owns:      the two processes between the broker and a program, and the order of steps in each.
Relies on: a `Plan` that was made before the fork; blocked signals at its moment.
Never:     returns in a child; opens or imports anything there but /dev/null and /proc; lets an error
           of a child look like the program's own.

    broker -- fork --> warden -- fork --> program
                 socket                (exec)

The **warden** is a subreaper: whatever the program leaves behind, however often it forks and whatever
session it makes, becomes the warden's child when its parent ends. So everything that a program started
can be found and ended, and by which program it was started is known. It also enters a pid namespace in
the broker's place, which never leaves its own. It ends when nothing is left, and it ends everything
when the broker closes the socket: on purpose, or by dying.

**Forking a process that runs Python.** The broker of a run has one thread, so that nothing is held by
another at the fork. In a front end with threads, the children still do only what cannot wait for
another thread: system calls through functions that were looked up before, and small allocations, whose
locks the C library and the interpreter renew in a child. Should a child hang all the same, the broker's
deadline ends it. Signals are blocked during the fork, so that no handler of the broker runs in a child.
Children leave by `_exit` or exec only: nothing of the broker's is unwound, flushed or finalised in them.

**The order in the program's process** matters. The session comes first, then descriptors while they can
still be moved. The directory and limits are set with the broker's rights, before the user changes.
Capabilities follow the user, because the change clears them. A parent's death signal is cleared by a
change of user, so it comes after. The walls come last, because they forbid all of the above.
"""

from __future__ import annotations

import _socket
import contextlib
import fcntl
import gc
import os
import resource
import select
import signal
import struct
from _signal import SIG_BLOCK, SIG_SETMASK, pthread_sigmask  # type: ignore[import-not-found]  # half of `signal`
from collections.abc import Iterable
from typing import NoReturn

from msgspec import Struct

from trex.invocations import NUMBER_OF
from trex.isolation import becoming, kernel
from trex.isolation.becoming import Texts
from trex.programs.confinement import Confinement

# What crosses the socket: a letter, then numbers. Of a failure the stage and the error, of an end the status and
# whether anything is left, of a signal its number.
FAILED, EXITED, END, SIGNAL = b"F", b"E", b"K", b"S"
MESSAGE = struct.Struct("=cii")

# Where a child was when it failed; the position is what it tells.
STAGES = (
    "session", "directory", "descriptors", "limits", "capabilities", "user", "parent", "confinement", "execution",
    "namespace", "fork",
)  # fmt: skip

FIRST_KEPT = 3  # where the descriptors begin that a program gets beside its three streams
_OUT_OF_THE_WAY = 32  # descriptors are first moved beyond this, so that none is overwritten on its way
_PATIENCE = 20_000  # turns of ending children, of some 20 microseconds each

_ALL_SIGNALS = [int(number) for number in signal.valid_signals()]


class Identity(Struct, frozen=True):
    """The user, group and further groups to take on; `groups` None: those that we have."""

    uid: int
    gid: int
    groups: tuple[int, ...] | None = None


class Plan(Struct, frozen=True):
    """Everything that a child needs, made before the fork.

    program:      a descriptor of the file to execute.
    streams:      standard input, output and error.
    kept:         descriptors that the program gets as 3, 4, ...; the last `scripts` of them are scripts for their
                  interpreters, which must be executable themselves.
    directory:    a descriptor of the working directory; None: the broker's own.
    identity:     None: the broker's own.
    capabilities: a bit mask of those that pass the exec.
    namespace:    a pidfd of a process in the pid namespace to be born in.
    """

    program: int
    arguments: Texts
    environment: Texts
    streams: tuple[int, int, int]
    kept: tuple[int, ...] = ()
    scripts: int = 0
    directory: int | None = None
    identity: Identity | None = None
    capabilities: int = 0
    namespace: int | None = None
    confinement: Confinement | None = None

    def descriptors(self) -> set[int]:
        """All that a child must not close."""
        found = {self.program, *self.streams, *self.kept}
        found.update(each for each in (self.directory, self.namespace) if each is not None)
        if self.confinement is not None:
            found.add(self.confinement.ruleset.number)
        return found


def start(plan: Plan) -> tuple[int, _socket.socket]:
    """Fork the warden, which forks the program; the warden's pid, and the socket to it. Raises `OSError`."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    previous = pthread_sigmask(SIG_BLOCK, _ALL_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _warden(plan, theirs.fileno())
    except BaseException:
        ours.close()
        raise
    finally:
        pthread_sigmask(SIG_SETMASK, previous)
        theirs.close()
    return pid, ours


# --- the warden ---


def _warden(plan: Plan, control: int) -> NoReturn:
    """Start the program, tell how it ended, and stay until nothing of it is left."""
    stage = "fork"
    try:
        gc.disable()
        os.setsid()
        ended = _when_children_end()
        _close_all_but({control, *ended, *plan.descriptors()})
        kernel.prctl(becoming.PR_SET_CHILD_SUBREAPER, 1)
        if plan.namespace is not None:
            stage = "namespace"
            becoming.enter_pid_namespace(plan.namespace)
            stage = "fork"
        # In another namespace than ours, it sees nobody above it.
        parent = (os.getpid(),) if plan.namespace is None else (os.getpid(), 0)
        program = os.fork()
        if program == 0:
            _become(plan, control, parent)
        _close_all_but({control, *ended})
        _attend(program, control, ended[0])
    except OSError as error:
        _tell(control, FAILED, STAGES.index(stage), error.errno or 0)
    finally:
        os._exit(0)  # whatever happened: nothing of the broker may go on in here


def _when_children_end() -> tuple[int, int]:
    """A pipe that becomes readable when a child has ended; other signals are not for us."""
    readable, writable = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    return readable, writable


def _attend(program: int, control: int, ended: int) -> None:
    """Wait for the program and whatever it leaves behind, or for the broker's word to end it all."""
    pthread_sigmask(SIG_SETMASK, ())
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(ended, select.POLLIN)
    while _reap(program, control):
        for descriptor, _ in poll.poll():
            if descriptor == ended:
                with contextlib.suppress(BlockingIOError):
                    os.read(ended, 4096)
                continue
            message = _listen(control)
            if message is None:
                _end_all(program, control)
                return
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program, message)


def _listen(control: int) -> int | None:
    """A signal to pass on to the program's group; None: end everything, or the broker is gone."""
    try:
        data = os.read(control, MESSAGE.size)
    except ConnectionError:
        return None
    if len(data) != MESSAGE.size:
        return None
    kind, number, _ = MESSAGE.unpack(data)
    return number if kind == SIGNAL else None


def _reap(program: int, control: int) -> bool:
    """Bury who has ended, and tell if it was the program; whether anybody is left.

    What the program leaves behind is our child before its own end can be seen, so that nobody is overlooked.
    """
    status = None
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)
            is_left = True
        except ChildProcessError:
            found, is_left = None, False
        if found is None:
            if status is not None:
                _tell(control, EXITED, status, is_left)
            return is_left
        if found.si_pid == program:
            status = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _end_all(program: int, control: int) -> None:
    """End every descendant.

    Only our own children are killed by number: nobody but us can bury them, so that the number is theirs.
    Who loses a parent by that becomes our child, and its turn comes. Groups are killed as a whole,
    which a process that forks as fast as it can does not survive; and a group is of the program's
    making, for it lies in a session that one of its processes made.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program, signal.SIGKILL)
    for turn in range(_PATIENCE):
        children = _children()
        for child in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                group = os.getpgid(child)
                os.kill(child, signal.SIGKILL)
                if group != os.getpgrp():
                    os.killpg(group, signal.SIGKILL)
        if not _reap(program, control):
            return
        if turn > 100 and not children:
            # Nothing left to kill, and something has not ended yet: in the kernel, on its way out.
            select.select([], [], [], 0.001)


def _children() -> list[int]:
    try:
        with open("/proc/thread-self/children", "rb") as file:
            return [int(each) for each in file.read().split()]
    except OSError:
        return list(_children_by_search())


def _children_by_search() -> Iterable[int]:
    """The same on kernels without that file (CONFIG_PROC_CHILDREN)."""
    us = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                if int(file.read().rpartition(b")")[2].split()[1]) == us:
                    yield int(name)


# --- the program's process ---


def _become(plan: Plan, control: int, parent: tuple[int, ...]) -> NoReturn:
    """Take every step in order, and become the program."""
    stage = "session"
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        becoming.default_signals()
        stage = "directory"
        if plan.directory is not None:
            os.fchdir(plan.directory)
        stage = "descriptors"
        walls = plan.confinement
        program, control, ruleset = _arrange(plan, control, walls.ruleset.number if walls is not None else control)
        stage = "limits"
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        stage = "capabilities"
        if walls is not None and kernel.capabilities()[0] >> NUMBER_OF["CAP_SETPCAP"] & 1:
            becoming.bound(walls.capabilities | plan.capabilities)
        if plan.identity is not None:
            stage = "user"
            who = plan.identity
            becoming.become(who.uid, who.gid, list(who.groups) if who.groups is not None else None, plan.capabilities)
        stage = "capabilities"
        becoming.pass_on(plan.capabilities)
        stage = "execution"
        for place in range(len(plan.kept) - plan.scripts, len(plan.kept)):
            _check_executable(FIRST_KEPT + place)
        stage = "parent"
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() not in parent:
            os._exit(127)  # the warden is gone: nobody waits for us
        stage = "confinement"
        if walls is not None:
            walls.enter(ruleset)
        stage = "execution"
        becoming.execute(program, plan.arguments, plan.environment)
    except OSError as error:
        _tell(control, FAILED, STAGES.index(stage), error.errno or 0)
    except MemoryError:
        _tell(control, FAILED, STAGES.index(stage), 12)
    finally:
        os._exit(127)


def _arrange(plan: Plan, control: int, ruleset: int) -> tuple[int, int, int]:
    """Put the streams and kept descriptors in their places; everything else ends with the exec."""

    def moved(descriptor: int) -> int:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)

    # First the ones that are about to be placed, then what else is needed: all beyond the places.
    placed = [moved(each) for each in (*plan.streams, *plan.kept)]
    program, control, ruleset = moved(plan.program), moved(control), moved(ruleset)
    for target, descriptor in enumerate(placed):
        os.dup2(descriptor, target, inheritable=True)
    becoming.close_all_on_exec(FIRST_KEPT + len(plan.kept))
    return program, control, ruleset


def _check_executable(script: int) -> None:
    """What the kernel asks of a script before it looks for the interpreter: as the user that we are by now."""
    if not os.access(f"/proc/self/fd/{script}", os.X_OK, effective_ids=True):
        raise OSError(13, "")  # EACCES


# --- for both ---


def _tell(control: int, kind: bytes, first: int, second: int) -> None:
    with contextlib.suppress(OSError):  # the broker is gone: nobody wants to know
        os.write(control, MESSAGE.pack(kind, first, second))


def _close_all_but(kept: set[int]) -> None:
    """Close every descriptor that is not needed, and give the first three to nobody."""
    nothing = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    for standard in range(3):
        if standard not in kept:
            os.dup2(nothing, standard, inheritable=False)
    first = 3
    for number in sorted(kept):
        if number >= first:
            if number > first:
                kernel.close_range(first, number - 1)
            first = number + 1
    kernel.close_range(first, 0xFFFFFFFF)
