"""Calling the language's own functions without a script around them.

Owns:      values from and as text (the notation of the compliance tests), and calls of library functions by name.
Relies on: `semantics.methods` to find the overload, as compiled code does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from compliance import notation
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.evaluate import to_typed, to_value
from trex.languages.rhai.library import packages
from trex.languages.rhai.semantics import exceptions, sizes
from trex.languages.rhai.semantics.methods import native_reference
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.values import NO_THIS, FnPtr
from trex.limits import LanguageLimits

assert packages.__all__


def value(text: str) -> Any:
    """The value that a text in the notation denotes."""
    return to_value(notation.parse(text))


def shown(of: Any) -> str:
    """A value in the notation."""
    return notation.show(to_typed(of))


def fresh_run() -> None:
    """Start from nothing, without limits."""
    RUN.begin(LanguageLimits())
    sizes.set_limits(0, 0, 0)


@contextmanager
def limited(string: int = 0, array: int = 0, map: int = 0) -> Iterator[None]:
    """Sizes bounded for a while."""
    sizes.set_limits(string, array, map)
    try:
        yield
    finally:
        sizes.set_limits(0, 0, 0)


def call(name: str, *arguments: Any) -> tuple[Any, Any]:
    """`name(arguments)`, the first by reference: what became of it, and the result."""
    if not arguments:
        return None, RUN.nullary[name]()
    overloads = RUN.natives[name, len(arguments)]
    return native_reference(overloads, arguments[0], arguments[1:], 0)


def outcome(text: str) -> str:
    """What `name(arguments)`, written in the notation, gives: `[first argument afterwards, result]`, or the error."""
    name, _, rest = text.partition("(")
    arguments = value(f"[{rest[:-1]}]").v
    try:
        receiver, result = call(name, *arguments)
    except RhaiError as error:
        return f"! {error.kind}: {exceptions.message(error)}"
    if not arguments:
        return shown(result)
    return f"[{shown(receiver)}, {shown(result)}]"


def function(code: Any, params: int, this: int = NO_THIS, curry: tuple[Any, ...] = ()) -> FnPtr:
    """A function as the compiler would make it: `code` takes what `this` says, the parameters, and a level."""
    return FnPtr("anon$", code, params, this, curry)
