"""What a language may ask of the process around it.

Owns:  the `Host` protocol: the only way from a language to anything outside.
Never: implements it; the worker's channel does.
"""

from __future__ import annotations

from typing import Any, Protocol


class Host(Protocol):
    """The worker's end of the conversation with the broker."""

    def call(self, operation: str, arguments: list[Any], line: int | None) -> Any:
        """Perform an operation; arguments and result are values of `trex.values`.

        Raises `trex.errors.OperationError` for what a script may catch.
        """

    def log(self, level: str, message: str, line: int | None) -> None:
        """Send one log record; `level` as in `trex.protocol.messages.Log`."""
