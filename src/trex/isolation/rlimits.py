"""Resource limits: what the kernel counts, and how much of it a script gets.

Owns:      the computed limits (memory, CPU time) and setting all of them.
Relies on: the fixed limits in `profile`; /proc to learn what the interpreter itself uses.
Never:     raises a limit that somebody lowered before us.

`max_memory` is what the *script* may use, so it is added to what this process has already. The
limit that counts is RLIMIT_DATA (private writable memory: heap and anonymous mappings).
RLIMIT_AS lies above it by the size of a full stack: if it were the tighter one, the stack could
fail to grow, which is a crash, where an allocation that fails is a MemoryError.
"""

from __future__ import annotations

import resource

from trex.isolation.profile import RESERVE, RESOURCE_LIMITS, STACK

_PAGE = resource.getpagesize()
# Beyond the broker's own deadline, which comes first unless the broker itself hangs.
_CPU_GRACE = 2
_LARGEST = 2**62


def memory_in_use() -> tuple[int, int]:
    """Bytes of this process that count for RLIMIT_AS and for RLIMIT_DATA.

    The second includes the stack, some hundred KiB, to the favour of the script.
    """
    with open("/proc/self/statm", "rb") as file:
        fields = file.read().split()
    return int(fields[0]) * _PAGE, int(fields[5]) * _PAGE


def wanted(max_memory: int, max_time: float) -> dict[str, int]:
    """Every limit, by name, for a script that gets that many bytes and seconds from now."""
    address_space, data = memory_in_use()
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime + max_time + _CPU_GRACE
    return {
        "RLIMIT_DATA": min(data + max_memory + RESERVE, _LARGEST),
        "RLIMIT_AS": min(address_space + max_memory + RESERVE + STACK, _LARGEST),
        "RLIMIT_CPU": int(min(seconds, 10**9)) + 1,
        **{limit.name: limit.value for limit in RESOURCE_LIMITS},
    }


def set_limits(limits: dict[str, int]) -> None:
    """Set each limit, soft and hard, or keep a lower one that is set already. Raises `OSError`."""
    for name, value in limits.items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(number, (lowest, lowest))
        except ValueError as problem:  # how the module reports EPERM and EINVAL
            raise OSError(1, f"{name}: {problem}") from None


def is_set(limits: dict[str, int]) -> str | None:
    """None if every limit holds; otherwise the name of one that does not."""
    for name, value in limits.items():
        soft, hard = resource.getrlimit(getattr(resource, name))
        if not (0 <= soft <= value and 0 <= hard <= value):  # RLIM_INFINITY is negative here
            return name
    return None
