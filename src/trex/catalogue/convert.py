"""Values to declared types and back: what a script sent, as an operation takes it.

Owns:      the conversion of flags, option sets and constants, and of results.
Relies on: `trex.protocol` to have decoded each argument as its declared type.
Never:     makes a system call, touches a handle's resource, or trusts that the worker checked.

What no script can cause, because the language chose the overload by the same types, is a violation
of the protocol and ends the worker. What a script can cause is an `OperationError`.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_origin

from trex.catalogue.types import Bounds, Enumeration, Keyed, Measure, Moment, Options, Record, Unsigned
from trex.errors import OperationError, ProtocolViolation
from trex.values import Char, Constant, Object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trex.catalogue.types import Flags

# How the reference's language names the types of values, for texts that name one.
_LANGUAGE_NAMES = {
    NoneType: "()",
    bool: "bool",
    int: "i64",
    float: "f64",
    str: "string",
    bytes: "blob",
    list: "array",
    dict: "map",
    Char: "char",
}


def language_name(value: Any) -> str:
    """The type of a value as scripts know it."""
    if type(value) in (Object, Constant):
        return str(value.type)
    return _LANGUAGE_NAMES[type(value)]


def flags_converter(flags: Flags) -> Callable[[Any], Any]:
    """From an array of constants to the flags of one command."""
    cls, product, command, fields = flags.cls, flags.product, flags.command, flags.fields
    names = {name: field for field, member in zip(fields, flags.module.members, strict=True) for name in member.names}

    def convert(values: list[Any]) -> Any:
        given: dict[str, Any] = {}
        for value in values:
            if type(value) is not Constant or value.type != product:
                text = f"{command}: expected {product} flag, got {language_name(value)}"
                raise OperationError("IoErrorKind", "Other", text)
            field = names.get(value.name)
            if field is None:
                raise ProtocolViolation(f"{product} has no member {value.name!r}")
            arguments = value.arguments
            if fields[field].type is bool:
                given[field] = True
            elif not all(type(argument) is int for argument in arguments):
                raise ProtocolViolation(f"{product} takes numbers")
            else:  # of several, the first counts
                given.setdefault(field, arguments[0] if len(arguments) == 1 else arguments)
        return cls(**given)

    return convert


def options_converter(options: Options, lookup: Mapping[Any, Any]) -> Callable[[Any], Any]:
    """From an option set that the worker built to the class that declares it.

    lookup: records, option sets and enumerations by their class.
    """
    cls, fields = options.cls, options.fields
    required = [name for name in fields if name not in options.defaults]
    nested = {
        name: options_converter(known, lookup)
        for name, field in fields.items()
        if type(known := lookup.get(field.without_none().type)) is Options
    }

    def convert(value: Object) -> Any:
        given = dict(value.fields)
        for name, part in value.fields.items():
            field = fields.get(name)
            if field is None:
                raise ProtocolViolation(f"{options.name} has no field {name!r}")
            if field.marked(Keyed) is not None:
                if type(part) is not dict or not all(type(each) is str for each in part.values()):
                    raise ProtocolViolation(f"{options.name}.{name} is not a map of strings")
            elif (kind := field.marked(Enumeration)) is not None:
                if type(part) is not Constant or part.type != kind.name or part.name not in kind:
                    raise ProtocolViolation(f"{options.name}.{name} is no {kind.name}")
            elif (measure := field.marked(Measure)) is not None:
                measure.check(part)
            elif field.without_none().type is Moment:
                given[name] = _moment(part)
            elif not _fits(part, field.type, lookup):
                raise ProtocolViolation(f"{options.name}.{name} is of another type")
            if name in nested and part is not None:
                given[name] = nested[name](part)
            if type(part) is int:
                _check_number(part, field.marked(Bounds), field.marked(Unsigned), name)
        for name in required:
            if name not in given:
                # A builder that ends in an operation is checked nowhere else.
                raise OperationError("IoErrorKind", "InvalidArguments", options.builder.missing.format(field=name))
        return cls(**given)

    return convert


def _moment(value: Any) -> Moment:
    if type(value) is Object and value.type == "DateTime":
        seconds, nanoseconds = value.fields.get("seconds"), value.fields.get("nanoseconds")
        if type(seconds) is int and type(nanoseconds) is int:
            return Moment(seconds, nanoseconds)
    raise ProtocolViolation("a date and time without its numbers")


def _check_number(value: int, bounds: Bounds | None, unsigned: Unsigned | None, name: str) -> None:
    if unsigned is not None and value < 0:
        text = f"Parameter conversion failed for {name}: out of range integral type conversion attempted"
        raise OperationError("IoErrorKind", "TryFromIntError", text)
    if bounds is None:
        return
    below = bounds.minimum is not None and value < bounds.minimum
    if below or (bounds.maximum is not None and value > bounds.maximum):
        raise OperationError("IoErrorKind", "InvalidArguments", bounds.message.format(value=value))


def _fits(value: Any, type_: Any, lookup: Mapping[Any, Any]) -> bool:
    if type(type_) is UnionType:
        return any(_fits(value, part, lookup) for part in type_.__args__)
    if type_ is Any:
        return True
    origin = get_origin(type_) or type_
    known = lookup.get(origin)
    if known is not None:
        return type(value) in (Object, Constant) and value.type == known.name
    return type(value) is origin


def constant_converter(enumeration: Enumeration) -> Callable[[Any], Constant]:
    """A constant of that module, and no other name."""

    def convert(value: Constant) -> Constant:
        if value.name not in enumeration or value.arguments:
            raise ProtocolViolation(f"{enumeration.name} has no member {value.name!r}")
        return enumeration[value.name]

    return convert


def value_of(result: Any, records: Mapping[type, Record], issue: Callable[[Any], Object]) -> Any:
    """The value that crosses to the worker for what an operation returned.

    issue: gives a resource that the script will hold a handle, and says how it looks.
    """
    kind = type(result)
    if kind in _AS_IT_IS:
        return result
    if kind is list:
        if all(type(each) is str for each in result):
            return result
        return [value_of(each, records, issue) for each in result]
    if kind is dict:
        return {key: value_of(each, records, issue) for key, each in result.items()}
    record = records.get(kind)
    if record is not None:
        return Object(record.name, {name: value_of(getattr(result, name), records, issue) for name in record.fields})
    return issue(result)


_AS_IT_IS = frozenset({str, int, float, bool, bytes, NoneType, Constant, Char})
