"""The errors of scripts: their kinds, their sentences, and how they are told apart.

Owns:  `RhaiError` and one constructor per sentence; nothing else in the language words an error.
Never: catches anything.

An error is raised without a position. Where it surfaced is read from the traceback when somebody
wants to know (`semantics.exceptions`), so that code that does not fail pays nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trex.languages.rhai.positions import NOWHERE, column_of, describe, line_of
from trex.languages.rhai.typenames import internal_type_name, signature, type_name

UNCATCHABLE = frozenset(
    {
        "ErrorParsing",
        "ErrorSystem",
        "ErrorCustomSyntax",
        "ErrorTooManyOperations",
        "ErrorTooManyVariables",
        "ErrorTooManyModules",
        "ErrorStackOverflow",
        "ErrorDataTooLarge",
        "ErrorTerminated",
    }
)


# The `part` of an error that is about the value assigned, not about the place it goes to.
VALUE = -1


class RhaiError(Exception):
    """A run-time error of a script.

    kind:     such as `"ErrorArithmetic"`.
    message:  the sentence without position and call lines.
    position: where it happened; None until that has been read from the traceback; `NOWHERE` where
              the language knows none.
    place:    where it happened in code, for people, where the language gives it no position.
    details:  what a caught error shows beside `error`, `message`, `line` and `position`.
    calls:    the calls that it passed through, innermost first: (label, position), such as
              `("in call to function 'f'", 1048586)`. None until read from the traceback.
    denial:   the number of the denial behind it, if any.
    part:     which part of the operation it is about, where the language points at that: an argument, an
              element; `VALUE` for the value of an assignment.
    code:     the name of the code that the position is in, where it was read from the traceback.
    module:   name and text of the module that the position is in, where that is known already.
    """

    # Most errors have none of these, and an error that is caught should cost little.
    kind = "ErrorRuntime"
    message = ""
    details: dict[str, Any] = {}  # noqa: RUF012 - never changed
    position: int | None = None
    place = NOWHERE
    calls: list[tuple[str, str, int]] | None = None
    denial: int | None = None
    parse: ParseError | None = None
    part: int | None = None
    code = ""
    module: tuple[str, str] | None = None

    def __init__(
        self, kind: str, message: str, details: dict[str, Any] | None = None, position: int | None = None
    ) -> None:
        self.kind = kind
        self.message = message
        if details is not None:
            self.details = details
        if position is not None:
            self.position = position

    def __str__(self) -> str:
        return self.message

    @property
    def catchable(self) -> bool:
        """Whether `try` may catch it."""
        return self.kind not in UNCATCHABLE or bool(self.calls and self.kind == "ErrorParsing")


class Thrown(RhaiError):
    """`throw value`, or a host function that failed with a value.

    It has no constructor of its own: raising one is as cheap as Python's own errors.
    """

    if TYPE_CHECKING:

        def __init__(self, value: Any) -> None: ...

    else:
        __init__ = Exception.__init__

    @property
    def value(self) -> Any:
        """What was thrown."""
        return self.args[0]


class ParseError(Exception):
    """The text is not a program.

    kind:    such as `"MissingToken"`; `lex` is the lexical kind where `kind` is `"BadInput"`.
    message: the sentence without position.
    """

    def __init__(self, kind: str, message: str, position: int, lex: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.position = position
        self.lex = lex
        # Names that an undefined variable may have meant.
        self.known: list[str] = []
        # Whether the name of an undefined variable is one outside of the function.
        self.outside = False

    def __str__(self) -> str:
        return self.message + describe(self.position)

    @property
    def line(self) -> int | None:
        return line_of(self.position)

    @property
    def column(self) -> int | None:
        return column_of(self.position)


class Exit(BaseException):
    """`exit(value)`: ends the program normally, from any depth."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def variable_not_found(name: str) -> RhaiError:
    return RhaiError("ErrorVariableNotFound", f"Variable not found: {name}", {"variable": name})


def property_not_found(name: str) -> RhaiError:
    return RhaiError("ErrorPropertyNotFound", f"Property not found: {name}", {"variable": name})


def function_not_found(name: str, *arguments: Any) -> RhaiError:
    """No overload of `name` takes these arguments."""
    return no_function(signature(name, arguments))


def no_function(text: str) -> RhaiError:
    """`text` is a signature, or what the library says instead of one."""
    return RhaiError("ErrorFunctionNotFound", f"Function not found: {text}", {"function": text})


def module_not_found(name: str) -> RhaiError:
    return RhaiError("ErrorModuleNotFound", f"Module not found: {name}", {"module": name})


def unbound_this() -> RhaiError:
    return RhaiError("ErrorUnboundThis", "'this' not bound")


def mismatch(actual: str, wanted: str) -> RhaiError:
    """A value of one type where another is needed; both as type names."""
    return RhaiError(
        "ErrorMismatchDataType",
        f"Data type incorrect: {actual} (expecting {wanted})",
        {"requested": wanted, "actual": actual},
    )


def misfit(actual: str, wanted: str) -> RhaiError:
    """A value of one type assigned where only another can be."""
    return of_part(mismatch(actual, wanted), VALUE)


def of_part(error: RhaiError, part: int) -> RhaiError:
    """The error, about this part of what failed."""
    error.part = part
    return error


def mismatch_output(actual: str, wanted: str) -> RhaiError:
    return RhaiError(
        "ErrorMismatchOutputType",
        f"Output type incorrect: {actual} (expecting {wanted})",
        {"requested": wanted, "actual": actual},
    )


def not_a_bool(value: Any) -> RhaiError:
    """A condition that is not a boolean."""
    return mismatch(internal_type_name(value), "bool")


def no_indexer(value: Any, index: Any) -> RhaiError:
    text = f"{type_name(value)} [{type_name(index)}]"
    return RhaiError("ErrorIndexingType", f"Indexer unavailable: {text}", {"type": text})


def no_index_setter(value: Any, index: Any, new: Any) -> RhaiError:
    """Like `no_indexer`, where the index was to be written."""
    text = f"{type_name(value)} [{type_name(index)}] = {type_name(new)}"
    return RhaiError("ErrorIndexingType", f"Indexer unavailable: {text}", {"type": text})


def _bounds(kind: str, what: str, index: int, length: int, holder: str, things: tuple[str, str]) -> RhaiError:
    if length == 0:
        tail = f"{holder} is empty"
    elif length == 1:
        tail = f"only 1 {things[0]} in {holder}"
    else:
        tail = f"only {length} {things[1]} in {holder}"
    return RhaiError(kind, f"{what} index {index} out of bounds: {tail}", {"length": length, "index": index})


def array_bounds(index: int, length: int) -> RhaiError:
    return _bounds("ErrorArrayBounds", "Array", index, length, "array", ("element", "elements"))


def string_bounds(index: int, length: int) -> RhaiError:
    return _bounds("ErrorStringBounds", "String", index, length, "string", ("character", "characters"))


def bit_bounds(index: int) -> RhaiError:
    return RhaiError(
        "ErrorBitFieldBounds",
        f"Bit-field index {index} out of bounds: only 64 bits in bit-field",
        {"length": 64, "index": index},
    )


def not_iterable() -> RhaiError:
    return RhaiError("ErrorFor", "For loop expects iterable type")


def data_race(variable: str | None = None) -> RhaiError:
    """A value was used while a method was changing it."""
    text = f" on variable '{variable}'" if variable else ""
    return RhaiError("ErrorDataRace", f"Data race detected{text}", {"variable": variable or ""}, NOWHERE)


def constant_method(name: str) -> RhaiError:
    """A method that may change its receiver was called on a constant."""
    return RhaiError(
        "ErrorNonPureMethodCallOnConstant",
        f"Non-pure method '{name}' cannot be called on constant",
        {"function": name},
    )


def constant_property(name: str) -> RhaiError:
    return RhaiError(
        "ErrorNonPureMethodCallOnConstant",
        f"Cannot modify property '{name}' of constant",
        {"function": name},
    )


def constant_assigned(name: str) -> RhaiError:
    return RhaiError("ErrorAssignmentToConstant", f"Cannot modify constant {name}", {"variable": name})


def unknown_property(name: str, value: Any) -> RhaiError:
    text = f"Unknown property '{name}' - a getter is not registered for type '{type_name(value)}'"
    return RhaiError("ErrorDotExpr", text, {"property": text})


def unwritable_property(name: str, value: Any, new: Any) -> RhaiError:
    text = (
        f"No writable property '{name}' - a setter is not registered for type '{type_name(value)}'"
        f" to handle '{type_name(new)}'"
    )
    return RhaiError("ErrorDotExpr", text, {"property": text})


def arithmetic(text: str, known_position: bool = True) -> RhaiError:
    """An arithmetic failure; those of built-in binary operators have no position."""
    return RhaiError("ErrorArithmetic", text, None, None if known_position else NOWHERE)


def runtime(text: str) -> Thrown:
    """A library function failed with a plain message."""
    return Thrown(text)


def too_many_operations() -> RhaiError:
    """The steps of the run are used up."""
    return RhaiError("ErrorTooManyOperations", "Too many operations")


def too_many_variables() -> RhaiError:
    """More variables in scope than allowed."""
    return RhaiError("ErrorTooManyVariables", "Too many variables defined")


def too_many_modules() -> RhaiError:
    return RhaiError("ErrorTooManyModules", "Too many modules imported")


def stack_overflow() -> RhaiError:
    """Calls are nested too deep."""
    return RhaiError("ErrorStackOverflow", "Stack overflow")


def too_large(what: str) -> RhaiError:
    """`what`: `Length of string`, `Size of array/BLOB`, `Size of object map`, `Size of BLOB`."""
    return of_part(RhaiError("ErrorDataTooLarge", f"{what} too large"), VALUE)


def too_complex(position: int = NOWHERE) -> ParseError:
    """Nested deeper than the limits allow, or than our own stack does."""
    return ParseError("ExprTooDeep", "Expression exceeds maximum complexity", position)


def terminated() -> RhaiError:
    return RhaiError("ErrorTerminated", "Script terminated")
