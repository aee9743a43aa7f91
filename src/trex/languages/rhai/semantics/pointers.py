"""Function pointers and names at run time: making, currying, calling, asking.

Owns:  what `Fn`, `call`, `curry`, `is_def_fn`, `exit` and closures do.
Never: compiles; a closure's code exists before it is closed over.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.errors import Exit, ParseError, RhaiError
from trex.languages.rhai.positions import NOWHERE
from trex.languages.rhai.semantics.calls import invoke
from trex.languages.rhai.semantics.methods import call_on, native_reference
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.tokens import FOREIGN_SYMBOLS, KEYWORDS, RESERVED_WORDS, SYMBOLS, is_function_name
from trex.languages.rhai.typenames import internal_type_name, type_name
from trex.languages.rhai.values import Cell, FnPtr


def parse_failure(error: ParseError) -> RhaiError:
    """A parse error met at run time."""
    made = RhaiError("ErrorParsing", f"Syntax error: {error.message}", None, error.position)
    made.parse = error
    return made


def make_pointer(name: Any) -> FnPtr:
    """`Fn(name)`."""
    if type(name) is not str:
        raise errors.mismatch(internal_type_name(name), "string")
    if is_function_name(name):
        return FnPtr(name)
    if name in KEYWORDS or name in RESERVED_WORDS or name in SYMBOLS or name in FOREIGN_SYMBOLS or name == "_":
        noun = "keyword" if name[:1].isalpha() else "symbol"
        failure = parse_failure(ParseError("Reserved", f"'{name}' is a reserved {noun}", NOWHERE))
        failure.position = None
        raise failure
    raise errors.no_function(name)


def close_over(prototype: FnPtr, *cells: Cell) -> FnPtr:
    """A closure that shares these cells with the variables they belong to."""
    for cell in cells:
        cell.shared = True
    return FnPtr(prototype.name, prototype.code(*cells), prototype.params, prototype.this, captures=cells)


def named_function(name: str) -> FnPtr:
    """The pointer that the bare name of a function gives: to that very function, if there is only one."""
    counts = [count for known, count in RUN.functions if known == name]
    if len(counts) != 1 or any(known == name for _, known, _ in RUN.typed):
        return FnPtr(name)
    function = RUN.generic((name, counts[0]))
    assert function is not None
    return FnPtr(name, function.code, counts[0], function.this)


# More arguments than any function takes; each `curry` copies them all, and no other limit counts them.
_MOST_CURRIED = 1024


def curry_function(f: Any, arguments: tuple[Any, ...]) -> FnPtr:
    """`f.curry(..)`."""
    if type(f) is not FnPtr:
        raise errors.mismatch(type_name(f), "Fn")
    if len(f.curry) + len(arguments) > _MOST_CURRIED:
        raise errors.too_large("Size of array/BLOB")
    return FnPtr(f.name, f.code, f.params, f.this, f.curry + arguments, f.captures)


def call_function(f: Any, arguments: tuple[Any, ...], level: int) -> Any:
    """`call(f, ..)`; the callee runs at `level`."""
    if type(f) is not FnPtr:
        raise errors.of_part(errors.mismatch(type_name(f), "Fn"), 0)
    return invoke(f, arguments, level)


def call_reference(f: Any, first: Any, now: Any, rest: tuple[Any, ...], level: int) -> tuple[Any, Any]:
    """`call(f, variable, ..)`: a library function may change the variable. (variable, result).

    first: the variable as it was read in order; now: as the other arguments left it.
    """
    if type(f) is not FnPtr:
        raise errors.of_part(errors.mismatch(type_name(f), "Fn"), 0)
    count = len(rest) + 1
    if f.code is None and not f.curry and (f.name, count) not in RUN.functions:
        overloads = RUN.natives.get((f.name, count))
        if overloads is not None:
            return native_reference(overloads, now, rest, level - 1)
    return now, invoke(f, (first, *rest), level)


def call_method(receiver: Any, arguments: tuple[Any, ...], level: int) -> Any:
    """`receiver.call(..)` on a temporary."""
    return call_on(receiver, arguments, level)[1]


def is_defined_function(*arguments: Any) -> bool:
    """`is_def_fn(name, n)` and `is_def_fn(type, name, n)`: about functions of the script only."""
    *names, count = arguments
    for at, name in enumerate(names):
        if type(name) is not str:
            raise errors.of_part(errors.mismatch(internal_type_name(name), "string"), at)
    if type(count) is not int:
        raise errors.of_part(errors.mismatch(type_name(count), "i64"), len(names))
    if len(names) == 1:
        return (names[0], count) in RUN.functions
    return (names[0], names[1], count) in RUN.typed


def is_visible(name: Any, names: frozenset[str], late: dict[str, Any] | None = None) -> bool:
    """`is_def_var(name)`."""
    if type(name) is not str:
        raise errors.of_part(errors.mismatch(internal_type_name(name), "string"), 0)
    return name in names or bool(late and name in late)


def exit_script(value: Any) -> None:
    """`exit(value)`."""
    raise Exit(value)


def unknown_variable(name: str) -> Any:
    """A name that nothing declares was reached."""
    raise errors.variable_not_found(name)


def unknown_function(name: str, *arguments: Any) -> Any:
    """A call of a function that does not exist was reached."""
    raise errors.function_not_found(name, *arguments)


def refuse_constant(name: str) -> None:
    """An assignment to a constant was reached."""
    raise errors.constant_assigned(name)


def refuse_method(name: str) -> None:
    """A function that changes its first argument was given a constant of a module, which is no copy."""
    raise errors.constant_method(name)


def unbound_this() -> Any:
    """`this` was read where it is not bound."""
    raise errors.unbound_this()


def not_bool(value: Any) -> bool:
    """A condition whose type was not known."""
    if type(value) is bool:
        return value
    raise errors.not_a_bool(value)


def late_variable(late: dict[str, Any], name: str) -> Any:
    """A variable that only `eval` can have declared, or the name of a function."""
    return late_cell(late, name).v


# Where `late` notes the variables that `eval` declared anew, with the values that these hid.
HIDDEN = ""


def enter_block(late: dict[str, Any]) -> tuple[frozenset[str], int]:
    """A block starts in which `eval` may declare variables."""
    return frozenset(late), len(late.get(HIDDEN, ()))


def leave_block(late: dict[str, Any], before: tuple[frozenset[str], int]) -> None:
    """It ends: what was declared in it is gone, and what that hid is back."""
    known, count = before
    hidden = late.get(HIDDEN, [])
    while len(hidden) > count:
        cell, value = hidden.pop()
        cell.v = value
    for name in late.keys() - known:
        del late[name]


def late_cell(late: dict[str, Any], name: str) -> Any:
    """The cell of a variable that only `eval` can have declared."""
    cell = late.get(name)
    if cell is None:
        if any(name == known for known, _ in RUN.functions):
            return Cell(named_function(name))
        raise errors.variable_not_found(name)
    return cell
