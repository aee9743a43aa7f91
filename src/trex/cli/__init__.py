"""The command line: `trex`, one module per command, each loaded only when it is used.

Owns:  the entry point and its outermost frame.
Never: imports anything before it must: what stands here runs before every command.
"""

from __future__ import annotations


def main() -> None:
    """The `trex` program."""
    from trex.cli import entry

    entry.main()
