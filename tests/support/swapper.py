"""An attacker: exchanges two names over and over, as fast as it can, until its input is closed.

    python swapper.py PATH OTHER [PATH OTHER …]

It prints one line when it has started. A name that is missing at the moment is tried again.
"""

from __future__ import annotations

import os
import select
import sys

from trex.host.syscalls import AT_FDCWD, RENAME_EXCHANGE, renameat2


def main() -> None:
    names = [os.fsencode(name) for name in sys.argv[1:]]
    pairs = list(zip(names[::2], names[1::2], strict=True))
    print("started", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        for _ in range(50):
            for name, other in pairs:
                try:
                    renameat2(AT_FDCWD, name, AT_FDCWD, other, RENAME_EXCHANGE)
                except OSError:
                    continue


if __name__ == "__main__":
    main()
