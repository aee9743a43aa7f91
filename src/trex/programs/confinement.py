"""The walls around a confined program: a ruleset of Landlock and a filter of system calls.

Owns:      making both from what is permitted, and entering them.
Relies on: `profile` for what is refused; `no_new_privs`, which lets anybody enter.
Never:     grants what is not in its `Permitted`; goes on where the kernel has no Landlock.

The places are descriptors: a rule is bound to the object that was opened, whatever its name becomes.
Two walls, for different things: Landlock checks files at the object, the filter checks calls by
number and argument. Each takes away what the other cannot see.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from trex.authorization import reach
from trex.host.files import Descriptor
from trex.invocations import NUMBER_OF
from trex.isolation import becoming, kernel, landlock, seccomp
from trex.isolation.profile import LANDLOCK_RIGHTS
from trex.isolation.seccomp import ALLOW, ARGUMENTS_AT, JUMP_IF_AT_LEAST, JUMP_IF_EQUAL, LOAD, RETURN, Instruction
from trex.programs.profile import (
    COMMON_NUMBERS,
    ENOSYS,
    KEPT_CAPABILITIES,
    NETWORK_CAPABILITIES,
    NEWEST_CALL,
    NUMBERS,
    REFUSED,
    Refusal,
)

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_SYM = (1 << bit for bit in (7, 8, 9, 10, 12))
_REFER, _TRUNCATE, _IOCTL_DEV = (1 << bit for bit in (13, 14, 15))

# Rights of the policy as rights of Landlock.
_RIGHTS = {
    reach.READ: _READ_FILE,
    reach.LIST: _READ_DIR,
    reach.WRITE: _WRITE_FILE | _TRUNCATE,
    reach.EXECUTE: _EXECUTE | _READ_FILE,  # the kernel opens for reading what it executes, and Landlock asks for both
    reach.MAKE_FILE: _MAKE_REG | _MAKE_SYM | _MAKE_FIFO,
    reach.MAKE_DIRECTORY: _MAKE_DIR,
    reach.REMOVE_FILE: _REMOVE_FILE,
    reach.REMOVE_DIRECTORY: _REMOVE_DIR,
    reach.MOVE: _REFER,
}
_ON_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


class Permitted(Struct, frozen=True):
    """What a program may do beside using the places that it is given.

    actions:    what is permitted on every file: of `chmod`, `chown`, `set_x_attr`, `read`, `write`.
    network:    whether it may speak to other hosts.
    everything: all rights on `/`, and the network: what no longer needs a wall is then let through.
    """

    actions: frozenset[str] = frozenset()
    network: bool = False
    everything: bool = False


class Confinement:
    """Walls that are made, and not entered yet. `allow` opens them to one place after another.

    capabilities: a bit mask of those that may be left.
    ruleset:      must stay open until it is entered.
    """

    __slots__ = ("_everything", "_files", "_filter", "capabilities", "ruleset")

    def __init__(self, permitted: Permitted, abi: int | None = None) -> None:
        """Raises `OSError` where the kernel cannot do it. `abi`: of Landlock, if an older one is to be assumed."""
        version = landlock.abi() if abi is None else abi
        reason = seccomp.unavailable()
        if reason is None and kernel.MACHINE not in NUMBERS:
            reason = f"no table of system calls for {kernel.MACHINE}"
        if reason is not None:
            raise OSError(0, reason)
        names = KEPT_CAPABILITIES | (NETWORK_CAPABILITIES if permitted.network else {})
        self.capabilities = sum(1 << NUMBER_OF[name] for name in names)
        self._filter = _filter(permitted, version)
        files = network = scopes = 0
        for known in LANDLOCK_RIGHTS:
            if known.abi <= version:
                files |= known.files
                network |= known.network
                scopes |= known.scopes
        self._files, self._everything = files, permitted.everything
        self.ruleset = Descriptor(becoming.make_ruleset(files, 0 if permitted.network else network, scopes))

    def allow(self, place: int, is_directory: bool, rights: int) -> None:
        """Let the program use what a descriptor is open on, and for a directory all below it.

        rights: as in `trex.authorization.reach`.
        """
        wanted = _IOCTL_DEV | _MAKE_SOCK if self._everything else 0
        for right, mask in _RIGHTS.items():
            wanted |= mask if rights & right else 0
        wanted &= self._files if is_directory else self._files & _ON_A_FILE
        if wanted:
            becoming.allow(self.ruleset.number, place, wanted)

    def enter(self, ruleset: int) -> None:
        """Enter both, for good: in the process that is about to execute the program.

        ruleset: where the descriptor is by then.
        """
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        kernel.call("landlock_restrict_self", ruleset, 0)
        self._filter.load()


# --- the filter ---


@lru_cache(maxsize=8)
def _filter(permitted: Permitted, abi: int) -> becoming.LoadableFilter:
    return becoming.LoadableFilter(seccomp.assemble(program(permitted, abi)))


def program(permitted: Permitted, abi: int, machine: str = kernel.MACHINE) -> list[Instruction]:
    """The filter for what is permitted, on a kernel with that version of Landlock."""
    granted = set(permitted.actions)
    granted |= {"network"} if permitted.network else set()
    granted |= {"everything"} if permitted.everything else set()
    numbers = COMMON_NUMBERS | NUMBERS[machine]
    by_number: dict[int, list[Refusal]] = {}
    for refusal in REFUSED:
        if refusal.unless in granted or (refusal.before and abi >= refusal.before):
            continue
        for name in refusal.names.split():
            if name in numbers:
                by_number.setdefault(numbers[name], []).append(refusal)
    lines = [
        Instruction(LOAD, seccomp.ARCHITECTURE_AT),
        Instruction(JUMP_IF_EQUAL, seccomp.AUDIT_ARCHITECTURES[machine], if_true=1),
        Instruction(RETURN, seccomp.KILL_PROCESS),
        Instruction(LOAD, seccomp.NUMBER_AT),
        # Newer calls, and on x86 the numbers of its x32 variant: as if they did not exist.
        Instruction(JUMP_IF_AT_LEAST, NEWEST_CALL + 1, if_false=1),
        Instruction(RETURN, _failing(ENOSYS)),
    ]
    for number, refusals in by_number.items():
        block = _block(refusals)
        lines += [Instruction(JUMP_IF_EQUAL, number, if_false=len(block)), *block]
    return [*lines, Instruction(RETURN, ALLOW)]


def _block(refusals: list[Refusal]) -> list[Instruction]:
    """What happens to one call: the first refusal whose conditions hold, else it is let through."""
    lines: list[Instruction] = []
    for refusal in refusals:
        if not refusal.when:
            return [*lines, Instruction(RETURN, _failing(refusal.error))]
        checks: list[Instruction] = []
        # From the end, so that each check knows how far it is to behind the refusal.
        left = 1
        for condition in reversed(refusal.when):
            check = [Instruction(LOAD, ARGUMENTS_AT + 8 * condition.index)]
            if condition.mask != 0xFFFFFFFF:
                check.append(Instruction(seccomp.AND, condition.mask))
            skip = {"if_false": left} if condition.equal else {"if_true": left}
            check.append(Instruction(JUMP_IF_EQUAL, condition.value, **skip))
            checks = check + checks
            left += len(check)
        lines += [*checks, Instruction(RETURN, _failing(refusal.error))]
    return [*lines, Instruction(RETURN, ALLOW)]


def _failing(error: int) -> int:
    return 0x00050000 | error  # SECCOMP_RET_ERRNO
