"""Methods whose receiver's type is known only at run time.

Owns:  the lookup order of `x.f(..)`: a function in a map, a typed function of the script, an untyped
       one, the library and the host; and how each gets its receiver.
Never: changes a receiver that is held elsewhere: it is replaced by a copy, which the caller stores.

`method_reference` gives (receiver, result): the receiver is the object to put back in its place.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import ANY, Overloads
from trex.languages.rhai.semantics.calls import invoke, script_call
from trex.languages.rhai.semantics.containers import own, share
from trex.languages.rhai.semantics.state import RUN, ScriptFunction
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import THIS_CELL, FnPtr, Map, This


class ConstantCell:
    """A `this` that must not change, or a constant that `eval` declared: assigning to it, or into it, is an error."""

    shared = False

    def __init__(self, value: Any, name: str = "") -> None:
        self._value = share(value)
        self.name = name

    @property
    def v(self) -> Any:
        return self._value

    @v.setter
    def v(self, value: Any) -> None:
        raise errors.constant_assigned(self.name)


def script_method(receiver: Any, name: str, count: int) -> ScriptFunction | None:
    """The function of the script that `receiver.name(..)` means, if any."""
    if RUN.typed:
        typed = RUN.typed.get((type_name(receiver), name, count))
        if typed is not None:
            return typed
    return RUN.functions.get((name, count))


def native_reference(overloads: Overloads, receiver: Any, rest: tuple[Any, ...], depth: int) -> tuple[Any, Any]:
    """A library or host function on a receiver by reference: (receiver, result)."""
    kind: Any = type(receiver)
    implementation = overloads.get(kind)
    if implementation is None:
        kind = ANY
        implementation = overloads.get(kind)
        if implementation is None:
            raise errors.function_not_found(overloads.name, receiver, *rest)
    effect = overloads.effects[kind]
    if overloads.calls:
        rest = (*rest, depth)
    if effect == "change":
        receiver = own(receiver)
        return receiver, implementation(receiver, *rest)
    if effect == "replace":
        return implementation(receiver, *rest)  # type: ignore[no-any-return]
    return receiver, implementation(receiver, *rest)


def native_on_cell(overloads: Overloads, cell: Any, rest: tuple[Any, ...], depth: int) -> Any:
    """A library or host function whose first argument is a variable that some closure captures.

    Until a closure did, it changes the variable; from then on a copy.
    """
    if cell.shared or type(cell) is ConstantCell:
        return native_reference(overloads, share(cell.v), rest, depth)[1]
    cell.v, result = native_reference(overloads, cell.v, rest, depth)
    return result


def method_reference(receiver: Any, name: str, arguments: tuple[Any, ...], depth: int) -> tuple[Any, Any]:
    """`receiver.name(arguments)` on a receiver by reference: (receiver, result). `depth` is the caller's level."""
    if type(receiver) is Map:
        held = receiver.v.get(name)
        if type(held) is FnPtr:
            overloads = RUN.natives.get((name, len(arguments) + 1))
            if overloads is not None and not overloads.changes:
                # The compiler took the name for a function that only reads: the map may be held elsewhere.
                share(receiver)
            return on_cell(held, receiver, arguments, depth + 1)
    if name == "call":
        return call_on(receiver, arguments, depth + 1)
    count = len(arguments)
    function = script_method(receiver, name, count)
    if function is not None:
        if function.this != THIS_CELL:
            given = (receiver, *arguments) if function.this else arguments
            return receiver, function.code(*given, depth + 1)
        cell = This(receiver)
        result = function.code(cell, *arguments, depth + 1)
        return cell.v, result
    overloads = RUN.natives.get((name, count + 1))
    if overloads is None:
        raise errors.function_not_found(name, receiver, *arguments)
    return native_reference(overloads, receiver, arguments, depth)


def on_cell(f: FnPtr, receiver: Any, arguments: tuple[Any, ...], depth: int) -> tuple[Any, Any]:
    """Call a pointer with `this` bound to a value: (value, result)."""
    if not f.this and f.params == len(f.curry) + len(arguments):
        return receiver, invoke(f, arguments, depth)
    cell = This(receiver)
    result = invoke(f, arguments, depth, cell)
    return cell.v, result


def call_on(receiver: Any, arguments: tuple[Any, ...], level: int) -> tuple[Any, Any]:
    """`receiver.call(..)`: a pointer is called; on anything else the first argument is the pointer."""
    if type(receiver) is FnPtr:
        return receiver, invoke(receiver, arguments, level)
    if not arguments:
        raise errors.mismatch(type_name(receiver), "Fn")
    f = arguments[0]
    if type(f) is not FnPtr:
        raise errors.of_part(errors.mismatch(type_name(f), "Fn"), 0)
    return on_cell(f, receiver, arguments[1:], level)


def method_value(receiver: Any, name: str, arguments: tuple[Any, ...], depth: int) -> Any:
    """`receiver.name(arguments)` on a temporary."""
    return method_reference(receiver, name, arguments, depth)[1]


def cell_method(cell: Any, name: str, arguments: tuple[Any, ...], depth: int) -> Any:
    """A method on a shared variable, or on `this`.

    A shared variable is locked while other code runs on it: closures that reach for it fail.
    """
    receiver = cell.v
    if type(receiver) is FnPtr and name == "call":
        return invoke(receiver, arguments, depth + 1)
    if type(cell) is ConstantCell:
        return constant_receiver(receiver, name, arguments, depth)
    if not cell.shared:
        if script_method(receiver, name, len(arguments)) is not None and not (
            type(receiver) is Map and type(receiver.v.get(name)) is FnPtr
        ):
            return script_call(script_method(receiver, name, len(arguments)), arguments, depth + 1, cell)  # type: ignore[arg-type]
        new, result = method_reference(receiver, name, arguments, depth)
        if new is not receiver:
            cell.v = new
        return result
    if name == "call" and arguments and type(receiver) is not FnPtr:
        check_captures(arguments[0], cell)
    new = receiver
    del cell.v
    try:
        new, result = method_reference(receiver, name, arguments, depth)
        return result
    finally:
        cell.v = new


def check_captures(f: Any, cell: Any) -> None:
    """A closure cannot run on a variable that it captured."""
    if type(f) is FnPtr:
        for number, captured in enumerate(f.captures, 1):
            if captured is cell:
                raise errors.data_race(f"argument #{number} of function '{f.name}'")


def check_arguments(overloads: Overloads, value: Any, arguments: tuple[Any, ...], depth: int) -> None:
    """Raise if there is no such function for these arguments. It is tried on a copy."""
    try:
        native_reference(overloads, share(value), arguments, depth)
    except errors.RhaiError as error:
        if error.kind == "ErrorFunctionNotFound":
            raise


def constant_receiver(value: Any, name: str, arguments: tuple[Any, ...], depth: int) -> Any:
    """A method on a constant, or on a part of one: refused where it may change its receiver."""
    count = len(arguments)
    if type(value) is Map and type(value.v.get(name)) is FnPtr:
        return invoke(value.v[name], arguments, depth + 1, ConstantCell(value))
    if name == "call":
        if type(value) is FnPtr:
            return invoke(value, arguments, depth + 1)
        if arguments and type(arguments[0]) is FnPtr:
            return invoke(arguments[0], arguments[1:], depth + 1, ConstantCell(value))
    function = script_method(value, name, count)
    if function is not None:
        return script_call(function, arguments, depth + 1, ConstantCell(value))
    overloads = RUN.natives.get((name, count + 1))
    if overloads is None:
        raise errors.function_not_found(name, value, *arguments)
    kind: Any = type(value)
    if kind not in overloads:
        kind = ANY
        if kind not in overloads:
            raise errors.function_not_found(name, value, *arguments)
    if overloads.effects[kind] in ("change", "replace", "read"):
        if arguments and not overloads.calls:
            check_arguments(overloads, value, arguments, depth)
        raise errors.constant_method(name)
    return native_reference(overloads, value, arguments, depth)[1]
