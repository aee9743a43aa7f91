"""What the host offers, as functions, types, modules and builders of the language.

Owns:  turning an `Interface` into callable names, and values across the boundary in both directions.
Relies on: the `Host` to perform operations; the broker checks everything again.
Never: decides a permission; keeps a handle alive that the script has dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from trex.errors import OperationError
from trex.interface import CURSOR_NEXT, Builder, Function, Interface, Member, Module, ObjectType, Rule, Setter
from trex.invocations import built_problem, set_problem
from trex.languages.host import Host
from trex.languages.rhai import errors
from trex.languages.rhai.errors import RhaiError, Thrown
from trex.languages.rhai.library.moments import DateTime, OutOfRange, moment_of
from trex.languages.rhai.library.registry import ANY, Effect, Implementation, Overloads
from trex.languages.rhai.library.texts import LOCAL
from trex.languages.rhai.positions import NOWHERE, describe
from trex.languages.rhai.semantics import exceptions
from trex.languages.rhai.semantics.calls import invoke
from trex.languages.rhai.semantics.containers import array_of, map_of, map_set, own, share
from trex.languages.rhai.semantics.exceptions import SCRIPT
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.semantics.text import set_text, text
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import Array, Blob, Char, Constant, FnPtr, Map, Object
from trex.values import INT_MAX, INT_MIN

_PLAIN: dict[str, type] = {
    "int": int,
    "float": float,
    "string": str,
    "bool": bool,
    "char": Char,
    "unit": type(None),
    "array": Array,
    "map": Map,
    "blob": Blob,
    "fn": FnPtr,
    "any": ANY,
}
_NAMES = {"int": "i64", "float": "f64", "unit": "()", "fn": "Fn"}


class Making:
    """A builder with the fields that were set so far. Setters give a new one."""

    __slots__ = ("declaration", "fields")

    def __init__(self, declaration: Builder, fields: dict[str, Any]) -> None:
        self.declaration = declaration
        self.fields = fields

    @property
    def type_name(self) -> str:
        return self.declaration.name


class Handle(int):
    """The number of a resource that the broker holds; it is given back when the last value goes."""

    release: Callable[[list[int]], None] | None = None

    def __del__(self) -> None:
        release = Handle.release
        if release is not None:
            release([int(self)])


# --- values ---


def to_host(value: Any) -> Any:
    """A value of the language as one that can cross the boundary."""
    kind = type(value)
    if kind is Array:
        return [to_host(item) for item in value.v]
    if kind is Map:
        return {key: to_host(item) for key, item in value.v.items()}
    if kind is Blob:
        return bytes(value.v)
    if kind is Object:
        handle = None if value.handle is None else int(value.handle)
        return Object(value.type, {key: to_host(item) for key, item in value.fields.items()}, handle)
    if kind is Making:
        return Object(value.declaration.product, {key: to_host(item) for key, item in value.fields.items()})
    if kind is Constant:
        return Constant(value.type, value.name, tuple(map(to_host, value.arguments)))
    if kind in _ALIKE:
        return value
    if kind is DateTime:
        return _moment(value)
    raise errors.mismatch(type_name(value), "a value that the host takes")


_ALIKE = frozenset({int, float, bool, str, type(None), Char})


def _moment(date: DateTime) -> Object:
    """A date as the host knows it: the seconds since 1970 and the nanoseconds."""
    try:
        seconds, nanoseconds = moment_of(date)
    except OutOfRange as error:
        raise errors.runtime(f"Invalid time component: {error}") from None
    return Object("DateTime", {"seconds": seconds, "nanoseconds": nanoseconds})


def from_host(value: Any, handles: dict[int, Handle] | None = None) -> Any:
    """A value that came from the host as one of the language. `handles`: those of this reply, shared."""
    kind = type(value)
    if kind in _ALIKE:
        return value
    handles = {} if handles is None else handles
    if kind is list:
        return array_of([from_host(item, handles) for item in value])
    if kind is dict:
        return map_of({key: from_host(item, handles) for key, item in value.items()})
    if kind is bytes:
        return Blob(bytearray(value))
    if kind is Object:
        handle = value.handle
        if handle is not None:
            handle = handles.setdefault(handle, Handle(handle)) if handle not in handles else handles[handle]
        return Object(value.type, {key: from_host(item, handles) for key, item in value.fields.items()}, handle)
    return value


def to_plain(value: Any) -> Any:
    """A result as plain data, or `NotPlain` where it has no such form."""
    kind = type(value)
    if kind in (int, float, bool, str, type(None)):
        return value
    if kind is Char:
        return value.text
    if kind is Array:
        return [to_plain(item) for item in value.v]
    if kind is Map:
        return {key: to_plain(item) for key, item in value.v.items()}
    raise NotPlain


class NotPlain(Exception):
    """The value, or a part of it, has no form as plain data."""


def script_line() -> int | None:
    """The line of the script that is being executed."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == SCRIPT:
            return frame.f_lineno  # type: ignore[no-any-return]
        frame = frame.f_back
    return None


# --- functions ---


class Bindings:
    """One interface, bound into the current run."""

    def __init__(self, interface: Interface, host: Host) -> None:
        self.interface = interface
        self.host = host
        self.types = {declared.name: declared for declared in interface.types}
        # (name, number of arguments) -> type names of the arguments -> what to call
        self.calls: dict[tuple[str, int], dict[tuple[str, ...], Implementation]] = {}
        self.takes_depth: set[tuple[str, int]] = set()
        self.first_types: dict[tuple[str, int], set[type]] = {}
        self.replaces: set[tuple[str, int]] = set()

    def bind(self) -> None:
        """Make everything callable."""
        release = getattr(self.host, "release", None)
        Handle.release = release
        for function in self.interface.functions:
            self.function(function)
        for declared in self.interface.types:
            self.object_type(declared)
        for module in self.interface.modules:
            self.module(module)
        for builder in self.interface.builders:
            self.builder(builder)
        for level in ("error", "warn", "info", "trace"):
            self.add(level, ("string",), self.logger(level.upper()))
        for key, table in self.calls.items():
            self.install(key, table)
        set_text(Object, self.object_text)
        set_text(Making, lambda value: str(value.type_name))
        set_text(Constant, self.constant_text)

    def python_type(self, name: str) -> type:
        found = _PLAIN.get(name)
        if found is not None:
            return found
        if any(builder.name == name and builder.finish for builder in self.interface.builders):
            return Making
        if any(module.product == name for module in self.interface.modules):
            return Constant
        return Object

    def add(
        self,
        name: str,
        types: tuple[str, ...],
        implementation: Implementation,
        *,
        depth: bool = False,
        replaces: bool = False,
    ) -> None:
        """Declare one overload."""
        key = (name, len(types))
        if not types:
            RUN.nullary[name] = implementation
            return
        shown = tuple(_NAMES.get(each, each) for each in types)
        self.calls.setdefault(key, {})[shown] = implementation
        self.first_types.setdefault(key, set()).add(self.python_type(types[0]))
        if depth:
            self.takes_depth.add(key)
        if replaces:
            self.replaces.add(key)

    def install(self, key: tuple[str, int], table: dict[tuple[str, ...], Implementation]) -> None:
        """Put the overloads of one name and number of arguments beside the library's."""
        name, _ = key
        library = RUN.natives.get(key)
        merged = Overloads(name) if library is None else library.extended()
        with_depth = key in self.takes_depth
        for kind in self.first_types[key]:
            own_effect: Effect = "replace" if kind is Making and key in self.replaces else "value"
            behind = library.get(kind) if library is not None else None
            effect: Effect = library.effects[kind] if library is not None and behind is not None else own_effect
            chooser = self.chooser(name, table, behind, effect, with_depth or merged.calls, own_effect)
            merged.add(kind, chooser, effect)
        merged.calls = merged.calls or with_depth
        RUN.natives[key] = merged

    def chooser(
        self,
        name: str,
        table: dict[tuple[str, ...], Implementation],
        behind: Implementation | None,
        effect: str,
        with_depth: bool,
        own_effect: str,
    ) -> Implementation:
        """A function that finds the overload by the types of its arguments."""
        wild = [types for types in table if "any" in types]
        wrap = behind is not None and effect == "replace"

        def choose(*arguments: Any) -> Any:
            depth = 0
            if with_depth:
                *given, depth = arguments
                arguments = tuple(given)
            types = tuple(map(type_name, arguments))
            implementation = table.get(types)
            if implementation is None:
                for candidate in wild:
                    if all(want in ("any", have) for want, have in zip(candidate, types, strict=True)):
                        implementation = table[candidate]
                        break
                else:
                    if behind is not None:
                        return behind(*arguments, depth) if with_depth else behind(*arguments)
                    raise errors.function_not_found(name, *arguments)
            if getattr(implementation, "takes_depth", False):
                return implementation(*arguments, depth)
            result = implementation(*arguments)
            return (arguments[0], result) if wrap else result

        return choose

    def function(self, declared: Function) -> None:
        """An operation of the host."""
        types = tuple(parameter.type for parameter in declared.parameters)
        if declared.local:
            self.add(declared.name, types, self.local(declared))
        elif declared.each:
            self.add(declared.name, types, self.walk(declared), depth=True)
        else:
            operation, failure = declared.operation, declared.failure

            def perform(*arguments: Any) -> Any:
                return from_host(self.perform(operation, failure, [to_host(argument) for argument in arguments]))

            self.add(declared.name, types, perform)

    @staticmethod
    def local(declared: Function) -> Implementation:
        """A function of this process: what it refuses is caught like an operation's failure."""
        implementation, failure = LOCAL[declared.operation], declared.failure

        def perform(*arguments: Any) -> Any:
            try:
                return implementation(*arguments)
            except OperationError as error:
                raise failed(error, failure) from None

        return perform

    def perform(self, operation: str, failure: str, arguments: list[Any]) -> Any:
        """Ask the broker. What it refuses becomes the error that the script catches."""
        try:
            return self.host.call(operation, arguments, script_line())
        except OperationError as error:
            raise failed(error, failure) from None

    def walk(self, declared: Function) -> Implementation:
        """An operation whose last argument is called for every item of a cursor."""
        operation, failure = declared.operation, declared.failure

        def perform(*arguments: Any) -> Any:
            *given, callback, depth = arguments
            cursor = from_host(self.perform(operation, failure, [to_host(each) for each in given]))
            while True:
                items = from_host(self.perform(CURSOR_NEXT, failure, [to_host(cursor)]))
                if not items.v:
                    return None
                for item in items.v:
                    try:
                        invoke(callback, (share(item),), depth + 2)
                    except exceptions.CATCHABLE as error:
                        raise failed_callback(error) from None

        perform.takes_depth = True  # type: ignore[attr-defined]
        return perform

    def logger(self, level: str) -> Implementation:
        def log(message: str) -> None:
            self.host.log(level, message, script_line())

        return log

    # --- types ---

    def object_type(self, declared: ObjectType) -> None:
        """Readable data of an object: properties, methods and `to_map`."""
        for field in declared.fields:
            name = field.name
            if field.access == "method":
                self.add(name, (declared.name,), lambda value, name=name: share(value.fields.get(name)))
            else:
                RUN.getters = {**RUN.getters, Object: {**RUN.getters.get(Object, {}), name: self.property(name)}}
        if declared.map is not None:
            shape = declared.map
            self.add("to_map", (declared.name,), lambda value: self.as_map(value, shape))
        self.add("to_string", (declared.name,), self.object_text)

    def property(self, name: str) -> Implementation:
        def read(value: Object) -> Any:
            declared = self.types.get(value.type)
            if declared is None or not any(f.name == name and f.access == "property" for f in declared.fields):
                raise errors.unknown_property(name, value)
            return value.fields.get(name)

        return read

    def as_map(self, value: Object, shape: tuple[tuple[str, str], ...]) -> Map:
        """`to_map()`"""
        entries: dict[str, Any] = {}
        for key, path in shape:
            path, _, form = path.partition(":")
            found: Any = value
            for part in path.split("."):
                found = found.fields.get(part) if type(found) is Object else None
            entries[key] = text(found) if form == "text" else self.maps(found) if form == "map" else share(found)
        return map_of(entries)

    def maps(self, value: Any) -> Any:
        """An object, or the objects of an array, each by its own `to_map()`."""
        if type(value) is Array:
            return array_of([self.maps(each) for each in value.v])
        shape = self.types[value.type].map if type(value) is Object else None
        return share(value) if shape is None else self.as_map(value, shape)

    @staticmethod
    def object_text(value: Object) -> str:
        return value.type

    def constant_text(self, value: Constant) -> str:
        for module in self.interface.modules:
            if module.product == value.type:
                for member in module.members:
                    if member.names[0] == value.name:
                        return member.text if member.text is not None else value.name
        return value.name

    # --- modules ---

    def module(self, declared: Module) -> None:
        """A namespace of constants and flags."""
        RUN.constants[declared.name] = Constants(declared)
        product = declared.product
        self.add("to_string", (product,), self.constant_text)

    # --- builders ---

    def builder(self, declared: Builder) -> None:
        """`Name()`, its setters and `build()`."""
        defaults = {s.name: s.default for s in declared.setters if s.default is not None}
        RUN.nullary[declared.name] = lambda: Making(declared, dict(defaults))
        for setter in declared.setters:
            types = (declared.name, "string", setter.type) if setter.keyed else (declared.name, setter.type)
            # Setters are found by the builder's name, which is no type of values that the host makes.
            self.add_setter(setter.name, types, self.setter(setter))
        if declared.finish is None:
            self.add_setter("build", (declared.name,), self.build(declared), replaces=False)

    def add_setter(
        self, name: str, types: tuple[str, ...], implementation: Implementation, replaces: bool = True
    ) -> None:
        key = (name, len(types))
        self.add(name, types, implementation, replaces=replaces)
        kinds = self.first_types[key]
        kinds.discard(Object) if not self._object_first(key, types) else None
        kinds.add(Making)

    def _object_first(self, key: tuple[str, int], types: tuple[str, ...]) -> bool:
        """Whether another overload of this name takes an object of the host first."""
        shown = tuple(_NAMES.get(each, each) for each in types)
        return any(
            other != shown and self.python_type(other[0]) is Object
            for other in self.calls[key]
            if other[0] not in self._builder_names()
        )

    def _builder_names(self) -> set[str]:
        return {builder.name for builder in self.interface.builders}

    def setter(self, declared: Setter) -> Implementation:
        """A setter changes the builder it is called on, and gives it."""

        def put(making: Making, *given: Any) -> tuple[Making, Making]:
            value = given[-1]
            if type(value) is int:
                if declared.unsigned and value < 0:
                    raise errors.runtime(
                        f"Parameter conversion failed for {declared.name}:"
                        " out of range integral type conversion attempted"
                    )
                if declared.checked == "set":
                    check_bounds(declared, value)
            if declared.shape and (problem := set_problem(declared.shape, to_host(value))) is not None:
                raise errors.runtime(problem)
            fields = dict(making.fields)
            if declared.keyed:
                entries = own(fields.get(declared.name) or Map({}))
                map_set(entries, given[0], value)
                value = entries
            fields[declared.name] = share(value)
            changed = Making(making.declaration, fields)
            return changed, changed

        return put

    def build(self, declared: Builder) -> Implementation:
        def finish(making: Making) -> Object:
            for setter in declared.setters:
                value = making.fields.get(setter.name)
                if value is None and setter.required:
                    raise errors.runtime(declared.missing.format(field=setter.name))
                if setter.checked == "build" and type(value) is int:
                    check_bounds(setter, value)
                if setter.shape and value is not None:
                    problem = built_problem(setter.shape, to_host(value))
                    if problem is not None:
                        raise errors.runtime(problem)
            for rule in declared.rules:
                if self.breaks(rule, making.fields):
                    raise errors.runtime(rule.message)
            return Object(declared.product, making.fields)

        return finish

    def breaks(self, rule: Rule, fields: dict[str, Any]) -> bool:
        """Whether the fields together are what the rule refuses."""
        given = [fields.get(name) not in (None, False) for name in rule.fields]
        if rule.kind == "at_most_one":
            return sum(given) > 1
        if rule.kind == "needs":
            return given[0] and not any(given[1:])
        value = fields.get(rule.fields[0])
        return type(value) is Constant and self.argument(value, rule.fields[1]) < 0

    def argument(self, value: Constant, name: str) -> int:
        """The number of that name which a constant was made with; 0 where it has none."""
        for module in self.interface.modules:
            for member in module.members if module.product == value.type else ():
                if member.names[0] == value.name:
                    names = [parameter.name for parameter in member.parameters or ()]
                    return int(value.arguments[names.index(name)]) if name in names else 0
        return 0


def check_bounds(declared: Setter, value: int) -> None:
    """Refuse a number outside the bounds of its field."""
    low = INT_MIN if declared.minimum is None else declared.minimum
    high = INT_MAX if declared.maximum is None else declared.maximum
    if not low <= value <= high:
        shown = declared.message or f"{declared.name} must be between {low} and {high}"
        raise errors.runtime(shown.replace("{value}", str(value)))


def failed(error: OperationError, failure: str) -> RhaiError:
    """What a script catches of a failed operation."""
    if failure == "text":
        raised = Thrown(error.message)
    else:
        kind = Constant(error.family, error.kind, (), error.denial)
        raised = Thrown(map_of({"kind": kind, "message": error.message, "source": error.family}))
    raised.denial = error.denial
    return raised


def failed_callback(error: Exception) -> RhaiError:
    """What a script catches when the function that it gave to a walk fails; the walk ends with it."""
    understood = exceptions.understand(error)
    if not understood.catchable:
        return understood
    value = understood.value if type(understood) is Thrown else None
    told = value.v.get("message") if type(value) is Map else None
    where = describe(understood.position or NOWHERE)
    shown = f"{told}{where}" if type(told) is str else exceptions.full_text(understood)
    outer = OperationError("IoErrorKind", "CallbackError", f"Rhai callback execution failed: {shown}")
    outer.denial = exceptions.denial_of(understood)
    return failed(outer, "map")


class Constants:
    """The members of a module: values, and functions that make them."""

    def __init__(self, declared: Module) -> None:
        self.declared = declared
        self.members: dict[str, Member] = {name: member for member in declared.members for name in member.names}

    def member(self, name: str) -> Any:
        """`module::name`"""
        member = self.members.get(name)
        if member is None or member.parameters is not None:
            raise errors.variable_not_found(f"{self.declared.name}::{name}")
        if member.value is not None:
            return member.value
        return Constant(self.declared.product, member.names[0])

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """`module::name(..)`"""
        member = self.members.get(name)
        types = tuple(map(type_name, arguments))
        wanted = None
        if member is not None and member.parameters is not None:
            wanted = tuple(_NAMES.get(parameter.type, parameter.type) for parameter in member.parameters)
        if member is None or wanted != types:
            raise errors.function_not_found(f"{self.declared.name}::{name}", *arguments)
        return Constant(self.declared.product, member.names[0], arguments)
