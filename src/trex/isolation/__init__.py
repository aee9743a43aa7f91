"""Locking a process by the kernel, and proving that it is locked.

`lockdown.lock` locks, `probe` proves, `profile` says what is taken away and why. The modules are
imported by name: the broker reads the profile without loading the rest.
"""


def kernel_report() -> list[tuple[str, str, str]]:
    """What this kernel offers: see `trex.isolation.probe.kernel_report`."""
    from trex.isolation import probe

    return probe.kernel_report()
