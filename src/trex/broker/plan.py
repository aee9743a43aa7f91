"""How the arguments of one overload become what its operation takes.

Owns:      decoding by declared type, conversion, handles, and the order in which resources are
           acquired. Worked out once per overload and run.
Relies on: `trex.protocol.encoding` to refuse what is not of the declared type.
Never:     makes a system call while converting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trex.broker.handles import Cursor
from trex.errors import ProtocolViolation
from trex.protocol.encoding import argument_decoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Raw

    from trex.broker.gate import CallGate
    from trex.broker.handles import Handles
    from trex.catalogue.declare import Operation


class Plan:
    """One overload of one operation, ready to be called."""

    __slots__ = ("_acquired", "_defaults", "_each", "_handler", "_no_flags", "_steps")

    def __init__(self, operation: Operation, count: int, handles: Handles) -> None:
        left_out = operation.arrange(count)
        if left_out is None:
            raise ProtocolViolation(f"{operation.label} does not take {count} arguments")
        without_flags, without_last = left_out
        given = operation.parameters[without_flags : len(operation.parameters) - without_last]
        self._steps = [
            (
                argument_decoder(each.type),
                handles.resource if each.held else handles.resources if each.many else None,
                each.convert,
            )
            for each in given
        ]
        self._no_flags: Callable[[list[Any]], Any] | None = None
        if without_flags:
            self._no_flags = operation.parameters[0].convert
        self._defaults = [each.default for each in operation.parameters[len(operation.parameters) - without_last :]]
        self._acquired = [
            (index, resource.acquire, operation.parameters[index].uses)
            for index in operation.acquired
            if (resource := operation.parameters[index].resource) is not None
        ]
        self._handler, self._each = operation.handler, operation.each

    def convert(self, raws: list[Raw]) -> list[Any]:
        """The arguments as resources and the operation take them."""
        values = [self._no_flags([])] if self._no_flags is not None else []
        for raw, (decode, resource, convert) in zip(raws, self._steps, strict=True):
            value = decode(raw)
            if resource is not None:
                value = resource(value)
            values.append(value if convert is None else convert(value))
        values += self._defaults
        return values

    def acquire(self, gate: CallGate, values: list[Any]) -> None:
        """Replace the arguments that name resources by what was opened and authorized."""
        for index, acquire, uses in self._acquired:
            values[index] = acquire(gate, values[index], *[values[used] for used in uses])

    def perform(self, gate: CallGate, values: list[Any]) -> Any:
        """Do it. A walk only starts: its items are taken when the worker asks for them."""
        result = self._handler(*values)
        return Cursor(result, gate) if self._each else result
