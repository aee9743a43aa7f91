"""Lock this process, in order, and prove it.

Owns:      the order of the layers and what happens when one is missing.
Relies on: the profile for what, its neighbours for how, `probe` for the proof; a single thread.
Never:     goes on without a layer that nobody named as optional; unlocks anything.

The order matters. Descriptors go first, before anything can be opened by accident. Memory is
measured when all imports are done. The uid changes before the capabilities vanish, because the
change needs one. Both come before `undumpable` and `parent`, because a change of credentials
resets these. `no_new_privileges` allows Landlock and the filter; the filter is last, because it
forbids every call made here.

After a layer that is missing nothing more is done: the caller tells the broker, and ends.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from msgspec import Struct

from trex.isolation import kernel, landlock, probe, rlimits, seccomp
from trex.isolation.profile import LAYERS, SOCKET

# systemd's range for dynamic users: by convention no account and no file has one of these.
_DYNAMIC_UIDS = range(61184, 65520)
_EINVAL = 22  # from the kernel for a capability that it does not know

# SECBIT_NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, each with its lock, and KEEP_CAPS_LOCKED.
_SECUREBITS = 0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40 | 0x80

# Without a descriptor to spare, opening a file would fail before Landlock is asked, and Landlock
# could not be proven.
_LAST_LIMIT = "RLIMIT_NOFILE"


class Plan(Struct, frozen=True):
    """What is particular to one worker.

    parent:   pid of the process that must be our parent, or we are orphaned already.
    optional: names of the layers that may be missing.
    """

    parent: int
    max_memory: int
    max_time: float
    optional: frozenset[str] = frozenset()


class Locked(Struct):
    """What was found: each layer is in exactly one of the two."""

    layers: dict[str, str]
    missing: dict[str, str]


class Orphaned(Exception):
    """The process that asked for this worker is gone."""


def lock(plan: Plan) -> Locked:
    """Apply and prove every layer.

    With a layer missing that `plan.optional` does not name, `missing` is not empty and the process
    is only partly locked: it must end.
    """
    lockdown = _Lockdown(plan)
    found = Locked({}, {})
    for layer in LAYERS:
        try:
            detail = lockdown.apply(layer.name)
        except OSError as problem:
            reason = problem.strerror or str(problem)
        except probe.Unproven as problem:
            reason = str(problem)
        else:
            found.layers[layer.name] = detail
            continue
        found.missing[layer.name] = reason
        if layer.name not in plan.optional:
            break
    return found


class _Lockdown:
    """The state that layers share while they are put in place."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.limits: dict[str, int] = {}
        self.ruleset: int | None = None
        self.uid_ranges: list[tuple[int, ...]] = []
        self.steps: dict[str, Callable[[], str]] = {
            "descriptors": self.close_descriptors,
            "environment": self.clear_environment,
            "session": self.leave_session,
            "limits": self.set_limits,
            "user": self.become_nobody,
            "capabilities": self.drop_capabilities,
            "undumpable": self.forbid_dumps,
            "parent": self.die_with_parent,
            "no_new_privileges": self.forbid_new_privileges,
            "landlock": self.enter_landlock,
            "seccomp": self.load_filter,
        }

    def apply(self, name: str) -> str:
        """Put one layer in place and prove it; the result says what was found."""
        return self.steps[name]()

    def close_descriptors(self) -> str:
        kernel.close_range(0, SOCKET - 1)
        kernel.close_range(SOCKET + 1, 0xFFFFFFFF)
        probe.only_the_socket_is_open()
        # Both now, while this process may still open something.
        self.uid_ranges = _uid_ranges()
        try:
            self.ruleset = landlock.create_ruleset(landlock.abi())
        except OSError:
            self.ruleset = None  # reported when its turn comes
        return f"only {SOCKET}"

    def clear_environment(self) -> str:
        os.environ.clear()
        kernel.clear_environment()
        probe.environment_is_empty()
        return "empty"

    def leave_session(self) -> str:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)  # Python's own handler would need a system call to return
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.chdir("/")
        os.umask(0o077)
        if os.getsid(0) != os.getpid():
            os.setsid()
        probe.session_is_its_own()
        return "own"

    def set_limits(self) -> str:
        self.limits = rlimits.wanted(self.plan.max_memory, self.plan.max_time)
        rlimits.set_limits({name: value for name, value in self.limits.items() if name != _LAST_LIMIT})
        return f"{self.plan.max_memory} bytes for the script"

    def become_nobody(self) -> str:
        if 0 not in (*os.getresuid(), *os.getresgid()):
            return f"uid {os.getuid()}, unchanged"
        # One uid for each worker, as far as the range goes: workers are strangers to each other.
        uid = _DYNAMIC_UIDS[os.getpid() % len(_DYNAMIC_UIDS)]
        self.empty_bounding_set()
        ordinary = self.outside(0)
        if ordinary and self.outside(uid) is None:
            # A user namespace without that uid: its root is an ordinary user to everything else,
            # and cannot become another one.
            return f"uid 0 of a user namespace, uid {ordinary} outside"
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        probe.is_nobody_special()
        return f"uid {uid}"

    def outside(self, uid: int) -> int | None:
        """What a uid is outside of this user namespace; None if the namespace has no such uid."""
        for first, outside, count in self.uid_ranges:
            if first <= uid < first + count:
                return outside + uid - first
        return None

    def empty_bounding_set(self) -> None:
        """While we may (it needs CAP_SETPCAP): what no later exec or setuid could bring back."""
        try:
            for capability in range(64):
                kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
        except OSError as problem:
            if problem.errno != _EINVAL:
                return
        kernel.prctl(kernel.PR_SET_SECUREBITS, _SECUREBITS)

    def drop_capabilities(self) -> str:
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
        kernel.drop_capabilities()
        probe.has_no_capability()
        return "none"

    def forbid_dumps(self) -> str:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        probe.is_undumpable()
        return "yes"

    def die_with_parent(self) -> str:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent may have died before the line above; then nobody would ever tell us.
        if os.getppid() != self.plan.parent:
            raise Orphaned
        return "dies with it"

    def forbid_new_privileges(self) -> str:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        probe.gains_no_privileges()
        return "set"

    def enter_landlock(self) -> str:
        version = landlock.abi()
        if self.ruleset is None:
            raise OSError(0, "no ruleset could be made")
        landlock.enter(self.ruleset)
        probe.files_are_denied()
        return f"abi {version}"

    def load_filter(self) -> str:
        rlimits.set_limits({_LAST_LIMIT: self.limits[_LAST_LIMIT]})
        probe.limits_hold(self.limits)
        reason = seccomp.unavailable()
        if reason is not None:
            raise OSError(0, reason)
        filter = seccomp.prepared()
        filter.load()
        probe.system_calls_are_filtered()
        return f"filter of {filter.size} instructions"


def _uid_ranges() -> list[tuple[int, ...]]:
    """The uids of this user namespace: first one, what it is outside, how many."""
    with open("/proc/self/uid_map", "rb") as file:
        return [tuple(int(field) for field in line.split()) for line in file]
