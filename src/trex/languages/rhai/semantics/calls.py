"""Calling functions whose identity is known only at run time.

Owns:  the lookup order of calls by name, calls through function pointers, and `this`.
Never: handles calls that the compiler resolved; those are plain Python calls in the generated code.

Depth. The program is level 0; a function runs one level deeper than its caller, and a callback of a
library function two. Compiled functions take their own level as last argument and check it.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import ANY
from trex.languages.rhai.semantics.containers import own
from trex.languages.rhai.semantics.state import RUN, ScriptFunction
from trex.languages.rhai.values import THIS_CELL, Cell, FnPtr


class Unbound:
    """The `this` of a function that was not called as a method."""

    shared = False

    @property
    def v(self) -> Any:
        raise errors.unbound_this()

    @v.setter
    def v(self, value: Any) -> None:
        raise errors.unbound_this()


UNBOUND = Unbound()


def script_call(function: ScriptFunction, arguments: tuple[Any, ...], depth: int, this: Any = UNBOUND) -> Any:
    """Run a function of the script at level `depth`. `this` is a cell."""
    if not function.this:
        return function.code(*arguments, depth)
    return function.code(this_of(function, this), *arguments, depth)


def this_of(function: ScriptFunction | FnPtr, cell: Any) -> Any:
    """What a function that names `this` takes for a cell."""
    return cell if function.this == THIS_CELL or cell is UNBOUND else cell.v


def on_this(f: FnPtr) -> Any:
    """The code of a pointer that names `this`, as a function of a cell and the rest."""
    code = f.code
    if f.this == THIS_CELL:
        return code
    return lambda cell, *rest: code(this_of(f, cell), *rest)


def native_call(name: str, arguments: tuple[Any, ...], depth: int, cell: Any = None) -> Any:
    """Call a library or host function. `depth` is the caller's level.

    cell: holds the receiver by reference, where the caller has it so; else it is changed in a copy.
    """
    if not arguments:
        nullary = RUN.nullary.get(name)
        if nullary is None:
            raise errors.function_not_found(name)
        return nullary()
    receiver = arguments[0]
    overloads = RUN.natives.get((name, len(arguments)))
    if overloads is None:
        raise errors.function_not_found(name, *arguments)
    kind: type = type(receiver)
    implementation = overloads.get(kind)
    if implementation is None:
        kind = ANY
        implementation = overloads.get(ANY)
        if implementation is None:
            raise errors.function_not_found(name, *arguments)
    effect = overloads.effects[kind]
    extra = (depth,) if overloads.calls else ()
    if effect == "change":
        receiver = own(receiver)
        if cell is not None:
            cell.v = receiver
        return implementation(receiver, *arguments[1:], *extra)
    if effect == "replace":
        receiver, result = implementation(receiver, *arguments[1:], *extra)
        if cell is not None:
            cell.v = receiver
        return result
    return implementation(*arguments, *extra)


def invoke(f: FnPtr, arguments: tuple[Any, ...], depth: int, this: Any = None) -> Any:
    """Call through a function pointer; the callee, if a script function, runs at level `depth`.

    this: a cell, or None. A native function takes the value of the cell as its first argument.
    """
    if f.curry:
        arguments = f.curry + arguments
    code = f.code
    if code is not None:
        if f.params == len(arguments):
            if not f.this:
                return code(*arguments, depth)
            return code(this_of(f, this or UNBOUND), *arguments, depth)
        if f.captures:
            arguments = (*[cell.v for cell in f.captures], *arguments)
    return by_name(f.name, arguments, depth, this)


def by_name(name: str, arguments: tuple[Any, ...], depth: int, this: Any = None) -> Any:
    """Call whatever has this name: a script function, else a library or host function."""
    if this is not None and RUN.typed:
        from trex.languages.rhai.typenames import type_name

        typed = RUN.typed.get((type_name(this.v), name, len(arguments)))
        if typed is not None:
            return script_call(typed, arguments, depth, this)
    key = name, len(arguments)
    if key in RUN.functions:
        function = RUN.generic(key)
        assert function is not None
        if not function.this:
            return function.code(*arguments, depth)
        return script_call(function, arguments, depth, this or UNBOUND)
    if this is not None:
        return native_call(name, (this.v, *arguments), depth - 1, this)
    return native_call(name, arguments, depth - 1)


def cell_of(value: Any) -> Cell:
    """A cell for a `this` that is not a variable."""
    return Cell(value)
