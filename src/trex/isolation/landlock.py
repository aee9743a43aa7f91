"""Landlock: a process without a file system, TCP or signals to others.

Owns:      making the ruleset and entering it.
Relies on: the rights listed in `profile`; `no_new_privs`, which lets anybody enter a ruleset.
Never:     adds a rule: what is handled and not allowed is denied, so an empty ruleset denies all.

Landlock is checked by the kernel at the object. The filter of system calls would have to fail
for it to matter, and the other way round: two independent walls.
"""

from __future__ import annotations

import os

from trex.isolation import kernel
from trex.isolation.profile import LANDLOCK_RIGHTS

_VERSION_QUERY = 1  # flag of landlock_create_ruleset: report the ABI, make nothing


def abi() -> int:
    """The version of the interface that this kernel offers. Raises `OSError` where there is none.

    ENOSYS: a kernel before 5.13 or built without; EOPNOTSUPP: built in, switched off at boot.
    """
    return kernel.call("landlock_create_ruleset", 0, 0, _VERSION_QUERY)


def create_ruleset(version: int) -> int:
    """A descriptor of an empty ruleset that handles every right of `version`."""
    known = [rights for rights in LANDLOCK_RIGHTS if rights.abi <= version]
    files = network = scopes = 0
    for rights in known:
        files |= rights.files
        network |= rights.network
        scopes |= rights.scopes
    # The kernel refuses a structure longer than the one it knows only if the surplus is not zero;
    # rights that it does not know are zero here.
    attributes = b"".join(mask.to_bytes(8, "little") for mask in (files, network, scopes))
    return kernel.call("landlock_create_ruleset", attributes, len(attributes), 0)


def enter(ruleset: int) -> None:
    """Enter the ruleset for good, and close its descriptor."""
    kernel.call("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)
