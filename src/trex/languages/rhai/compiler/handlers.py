"""Errors of the script: `throw`, and `try` with its handler.

Owns:       their lowering, and which `throw` is a jump.
Relies on:  `semantics.exceptions` for what is caught; `loops`, whose `break` a jump is.
Never:      catches what scripts may not catch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.frame import UNIT_VALUE
from trex.languages.rhai.compiler.kinds import K_UNIT
from trex.languages.rhai.compiler.loops import Loops
from trex.languages.rhai.compiler.statements import LOWER_TO, NO_RESULT, Result
from trex.languages.rhai.syntax import Throw, Try, Variable

# Loops and `try` around a `try` up to which one more block is no matter; Python has room for twenty.
_FEW_BLOCKS = 6


class Caught:
    """A handler of errors that is being lowered, or whose `try` is.

    name:   holds the error that it handles, or True.
    thrown: it may throw that again.
    loops:  in how many loops the `try` is, where a `throw` of its own can leave it by a jump; then `left` says
            whether one does.
    """

    __slots__ = ("left", "loops", "name", "thrown", "variable")

    def __init__(self, name: str, variable: Variable | None) -> None:
        self.name = name
        self.variable = variable
        self.thrown = False
        self.loops = -1
        self.left = False


class Handlers(Loops):
    """Lowering of `throw` and `try`."""

    caught: list[Caught | None]
    attempts: list[Caught]

    def throw(self, node: Throw, destination: str | None) -> Result:
        value = UNIT_VALUE if node.value is None else self.lower(node.value)
        handling = self.caught[-1] if self.caught else None
        if handling is not None and value.kind.bits & k.UNIT:
            # `throw;` in a handler raises the original error again.
            handling.thrown = True
            made = b.call("thrown_again", [value.node, b.load(handling.name)], node.position)
            self.emit(b.raise_(made, node.position))
            return NO_RESULT
        attempt = self.attempts[-1] if self.attempts else None
        if attempt is not None and attempt.loops == len(self.loops):
            # Thrown and caught in one function: a jump.
            if attempt.variable is not None:
                self.define(attempt.variable, self.stored(value))
            elif not value.simple:
                self.emit(b.expression(value.node))
            self.emit(b.assign_name(attempt.name, b.TRUE))
            self.emit(b.BREAK)
            attempt.left = True
            return NO_RESULT
        self.emit(b.raise_(b.call("Thrown", [self.stored(value)], node.position), node.position))
        return NO_RESULT

    def try_(self, node: Try, destination: str | None) -> Result:
        """The handler stands behind Python's `except` clause and not in it, where what Python calls blocks would
        nest deeper, and an error of the handler would hold on to the one that was caught."""
        error, handling = self.temporary(), Caught(self.temporary(), node.variable)
        full = node.variable is not None and self.exceeds(node.variable)

        def handle() -> None:
            self.lower_to(node.handler, None)
            if destination is not None:
                self.deliver(UNIT_VALUE, destination)

        def catch() -> None:
            if handling.variable is not None and not full:
                self.define(handling.variable, b.call("caught", [b.load(error)], 0))
            else:
                self.emit(b.expression(b.call("catch", [b.load(error)], 0)))
                if node.variable is not None and self.is_full(node.variable, node.name_position):
                    return
            kept = b.call("detached", [b.load(error)], 0) if handling.thrown else b.TRUE
            self.emit(b.assign_name(handling.name, kept))

        self.caught.append(handling)
        handler = self.nested(handle)
        self.caught.pop()
        if node.variable is not None and not (node.variable.slot or self.link.evaluates):
            # The handler does not look at it.
            handling.variable = None
        if not (node.escapes or handling.thrown or full) and len(self.loops) + len(self.attempts) < _FEW_BLOCKS:
            handling.loops = len(self.loops)
        self.attempts.append(handling)
        # What is thrown in here does not leave a handler around.
        self.caught.append(None)
        body, result = self.branch(node.body, destination)
        self.caught.pop()
        self.attempts.pop()
        self.emit(b.assign_name(handling.name, b.NONE))
        attempt = b.try_except(body, b.load("CATCHABLE"), error, self.nested(catch))
        # Where the compiler of Python says that nesting is too deep.
        for part in (attempt, attempt.handlers[0]):
            b.at(part, node.position)
        self.emit(b.at(b.while_(b.TRUE, [attempt, b.BREAK]), node.position) if handling.left else attempt)
        self.emit(b.if_(b.compare(b.load(handling.name), "is not", b.NONE), handler, []))
        return Result(k.join(result.kind, K_UNIT), result.owned)


_LOWERED: dict[type, Callable[[Any, Any, str | None], Result]] = {Throw: Handlers.throw, Try: Handlers.try_}
LOWER_TO.update(_LOWERED)
