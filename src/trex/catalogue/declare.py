"""What an operation is: one declaration, from which everything else about it is derived.

Owns:      `Catalogue` and its decorators, `Operation`, `Resource`; the completeness of declarations.
Relies on: annotations that are objects: modules that declare operations do not postpone them.
Never:     performs an operation, asks for a permission, or knows which language calls.

    @CATALOGUE.operation("wc")
    def wc(flags: Annotated[WcFlags, "what to count"], file: Annotated[ReadableFile, "the file"]) -> dict[str, int]:
        \"""Count lines, words and bytes of a file.

        wc("/etc/hosts").lines
        \"""

The first line says what it does; the last paragraph is an example; parameters say what they are;
a parameter that is a `Resource` says which permits it takes. Flags, which come first, may be left
out by scripts, and so may parameters with a default, which come last.
"""

from __future__ import annotations

from abc import abstractmethod
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_origin

from msgspec import Struct

from trex.catalogue.convert import constant_converter, flags_converter, options_converter
from trex.catalogue.types import (
    PLAIN,
    DeclarationError,
    Enumeration,
    Flags,
    Measure,
    Options,
    Record,
    declared,
    field_of,
    first_line,
    members,
    without_none,
)
from trex.interface import Function, ObjectType, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trex.authorization.entities import Action
    from trex.catalogue.access import Gate
    from trex.interface import Rule

C = TypeVar("C", bound=type[Any])
F = TypeVar("F", bound="Callable[..., Any]")

EACH = "Iterator"


class Need(Struct, frozen=True):
    """One permit that a resource takes: the action, on what kind of entity, and on which.

    when: under which circumstance, if not always.
    """

    action: Action
    kind: str
    of: str
    when: str = ""


class Resource:
    """How an argument becomes an opened and authorized thing. Subclasses live in `trex.resources`.

    type:   the type that scripts pass: `"string"` for a path, or the name of a handle or option set.
    needs:  the permits it takes, in order; for documentation and completeness.
    many:   the argument is an array in which handles stand; `check` gets what is behind each of them.
    uses:   names of other parameters of the operation that matter for it, such as its flags.
    sample: an argument for tests: text for a path, fields for an option set, a name for a handle.
    """

    type: str = "string"
    many: bool = False
    needs: tuple[Need, ...] = ()
    uses: tuple[str, ...] = ()
    sample: Any = None

    @abstractmethod
    def check(self, argument: Any) -> Any:
        """Judge the argument by itself: text to a name, without asking the host anything."""

    @abstractmethod
    def acquire(self, gate: Gate, argument: Any, *used: Any) -> Any:
        """Authorize the name, open without effect, authorize what was opened."""


class ParameterSpec:
    """One parameter of an operation.

    convert:  from the decoded value to what `acquire` or the operation takes; None: as it is.
    flags:    the module whose flags it is an array of, such as `"cat"`; empty for any other parameter.
    held:     the argument is a handle, which the broker replaces by the resource that it holds.
    many:     the argument is an array in which handles stand, which the broker replaces likewise.
    """

    __slots__ = ("convert", "default", "doc", "flags", "held", "many", "name", "resource", "sample", "type", "uses")

    def __init__(self, name: str, type: str, doc: str) -> None:
        self.name, self.type, self.doc = name, type, doc
        self.convert: Callable[[Any], Any] | None = None
        self.resource: Resource | None = None
        self.uses: tuple[int, ...] = ()
        self.flags = ""
        self.held = False
        self.many = False
        self.default: Any = _REQUIRED
        self.sample: Any = _SAMPLES.get(type)

    @property
    def is_optional(self) -> bool:
        return self.default is not _REQUIRED

    @property
    def is_flags(self) -> bool:
        return bool(self.flags)


_REQUIRED: Any = object()
_SAMPLES: dict[str, Any] = {
    "string": "sample", "int": 1, "float": 1.0, "bool": True, "array": [], "map": {}, "blob": b"", "any": None,
}  # fmt: skip


class Operation:
    """One declared operation.

    label:   domain and function, such as `"files.cat"`: what calls and the audit name.
    name:    what scripts write.
    handler: the function; it gets acquired resources, never a path.
    open:    for operations on no resource: why they need no permission.
    local:   the worker does it; the broker is never asked.
    """

    __slots__ = (
        "acquired", "details", "doc", "each", "example", "failure", "handler", "label", "local", "name", "needs",
        "open", "optional", "parameters", "returns",
    )  # fmt: skip

    def __init__(self, catalogue: Catalogue, name: str, handler: Callable[..., Any], **how: Any) -> None:
        where = f"{handler.__module__}.{handler.__qualname__}"
        if type(handler) is not FunctionType:
            raise DeclarationError(f"{where} is no function")
        self.name, self.handler = name, handler
        self.label = f"{how['domain'] or handler.__module__.split('.')[2]}.{handler.__name__}"
        self.failure: Literal["map", "text"] = how["failure"]
        self.open: str = how["open"]
        self.local: bool = how.get("local", False)
        self.doc = first_line(handler, where)
        paragraphs = [part.strip() for part in (handler.__doc__ or "").split("\n\n")]
        if len(paragraphs) < 2:
            raise DeclarationError(f"{where} has no example: its docstring ends in one")
        # Up to Python 3.12 a docstring has the indentation of its source.
        self.details = ["\n".join(map(str.strip, paragraph.splitlines())) for paragraph in paragraphs[1:-1]]
        self.example = "\n".join(line.removeprefix("        ") for line in paragraphs[-1].splitlines())
        self.parameters = tuple(self._parameters(catalogue, handler, where))
        self.acquired = tuple(index for index, each in enumerate(self.parameters) if each.resource is not None)
        self.needs = tuple(need for each in self.parameters if each.resource for need in each.resource.needs)
        if not self.needs and not self.open.strip():
            raise DeclarationError(f"{where} needs no permission and does not say why")
        if self.needs and self.open:
            raise DeclarationError(f"{where} needs permissions and says that it does not")
        self.optional = sum(each.is_optional for each in self.parameters)
        if self.optional and self.parameters[0].is_flags:
            raise DeclarationError(f"{where}: flags and optional parameters cannot be told apart")
        returns = handler.__annotations__.get("return", Any)
        self.each = getattr(get_origin(returns), "__name__", "") == EACH
        self.returns = "unit" if self.each else catalogue.type_name(returns)

    def _parameters(self, catalogue: Catalogue, handler: FunctionType, where: str) -> Iterator[ParameterSpec]:
        names = handler.__code__.co_varnames[: handler.__code__.co_argcount]
        defaults = handler.__defaults__ or ()
        for index, name in enumerate(names):
            if name not in handler.__annotations__:
                raise DeclarationError(f"{where}: `{name}` has no type")
            read = declared(name, handler.__annotations__[name], where)
            spec = catalogue.parameter(read.name, read.type, read.doc, read.extras)
            if spec.resource is not None:
                missing = [used for used in spec.resource.uses if used not in names]
                if missing:
                    raise DeclarationError(f"{where}: `{name}` goes by {missing}, which are no parameters")
                spec.uses = tuple(names.index(used) for used in spec.resource.uses)
            if spec.is_flags and index:
                raise DeclarationError(f"{where}: flags come first")
            if index >= len(names) - len(defaults):
                spec.default = defaults[index - len(names) + len(defaults)]
            yield spec

    def arrange(self, count: int) -> tuple[int, int] | None:
        """For a call with so many arguments: how many parameters go without one, at start and end."""
        missing = len(self.parameters) - count
        if missing == 0:
            return 0, 0
        if missing == 1 and self.parameters and self.parameters[0].is_flags:
            return 1, 0
        if 0 < missing <= self.optional:
            return 0, missing
        return None

    def functions(self) -> Iterator[Function]:
        """Every overload that scripts may call."""
        parameters = tuple(Parameter(each.name, each.type, each.doc) for each in self.parameters)
        shapes = [parameters[: len(parameters) - left_out] for left_out in range(self.optional, -1, -1)]
        if parameters and self.parameters[0].is_flags:
            shapes = [parameters[1:], parameters]
        callback = (Parameter("callback", "fn", "called with each item"),) if self.each else ()
        for shape in shapes:
            parts = shape + callback
            yield Function(self.name, self.label, parts, self.returns, self.failure, self.each, self.doc, self.local)


class Catalogue:
    """All declared operations and types."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {}
        self.local_functions: dict[str, Operation] = {}
        self.records: dict[type, Record] = {}
        self.options: dict[type, Options] = {}
        self.flags: dict[type, Flags] = {}
        self.held: dict[type, ObjectType] = {}
        self.enumerations: dict[str, Enumeration] = {}
        self.measures: dict[str, Measure] = {}

    # --- decorators and declarations ---

    def operation(
        self, name: str, *, open: str = "", failure: Literal["map", "text"] = "map", domain: str = ""
    ) -> Callable[[F], F]:
        """Declare a function as the operation that scripts call `name`."""

        def declare(handler: F) -> F:
            operation = Operation(self, name, handler, open=open, failure=failure, domain=domain)
            if operation.label in self.operations:
                raise DeclarationError(f"{operation.label} is declared twice")
            self.operations[operation.label] = operation
            return handler

        return declare

    def local(self, name: str) -> Callable[[F], F]:
        """Declare a function that the worker carries out by itself: it needs no host, and so no permission."""

        def declare(handler: F) -> F:
            why = "the script's own process does it, without the host"
            function = Operation(self, name, handler, open=why, failure="map", domain="", local=True)
            self.local_functions[function.label] = function
            return handler

        return declare

    @property
    def callable(self) -> list[Operation]:
        """Everything that scripts may call: operations of the broker, and functions of the worker."""
        return [*self.operations.values(), *self.local_functions.values()]

    def record(self, cls: C | None = None, *, name: str = "", map: tuple[tuple[str, str], ...] | None = None) -> Any:
        """Declare a class as a result. `map` is the shape of its `to_map()`."""

        def declare(cls: C) -> C:
            self.records[cls] = Record(cls, name or cls.__name__, map, self.type_name)
            return cls

        return declare if cls is None else declare(cls)

    def option_set(
        self,
        cls: C | None = None,
        *,
        missing: str = "Invalid arguments: Field not initialized: {field}",
        product: str = "",
        finish: str | None = None,
        rules: tuple[Rule, ...] = (),
    ) -> Any:
        """Declare a class as what `Name()…build()` makes; or with `finish`, what an operation takes.

        rules: what `build()` refuses of fields together.
        """

        def declare(cls: C) -> C:
            name = cls.__name__
            self.options[cls] = Options(cls, name, product or name, missing, finish, rules, self.type_name)
            return cls

        return declare if cls is None else declare(cls)

    def flag_set(self, command: str, product: str) -> Callable[[C], C]:
        """Declare a class as the flags of a command: the module `command`, constants of type `product`."""

        def declare(cls: C) -> C:
            self.flags[cls] = Flags(cls, command, product)
            return cls

        return declare

    def handle(self, name: str, map: tuple[tuple[str, str], ...] | None = None) -> Callable[[C], C]:
        """Declare a class as a resource that scripts hold. Its inner class `Fields` says what they may read."""

        def declare(cls: C) -> C:
            fields = members(cls.Fields) if hasattr(cls, "Fields") else ()
            shown = tuple(field_of(field, self.type_name) for field in fields)
            self.held[cls] = ObjectType(name, shown, map, first_line(cls, name))
            return cls

        return declare

    def enumeration(self, name: str, doc: str, texts: dict[str, tuple[str, str]]) -> Enumeration:
        """Declare a module of constants; `texts` gives what each prints as and what it means."""
        made = self.enumerations[name] = Enumeration(name, doc, texts)
        return made

    def measure(self, name: str, doc: str, members: dict[str, tuple[tuple[tuple[str, str], ...], str]]) -> Measure:
        """Declare a module of functions that make constants of numbers."""
        made = self.measures[name] = Measure(name, doc, members)
        return made

    # --- what declarations refer to ---

    def type_name(self, type_: Any) -> str:
        """The name of a type in the interface."""
        if hasattr(type_, "__metadata__"):
            return self.type_name(type_.__origin__)
        wanted = without_none(type_)
        if wanted is not type_ and wanted is not None:
            return "any"
        origin = get_origin(type_) or type_
        if type_ is None:
            return "unit"
        if origin in PLAIN:
            return PLAIN[origin]
        for known in (self.records, self.options):
            if origin in known:
                return str(known[origin].name)
        if origin in self.held:
            return self.held[origin].name
        raise DeclarationError(f"{type_!r} is no declared type")

    def parameter(self, name: str, type_: Any, doc: str, extras: tuple[Any, ...]) -> ParameterSpec:
        """One parameter, by its annotation."""
        for extra in extras:
            if isinstance(extra, Resource):
                return self._resource(name, doc, extra)
            if type(extra) is Enumeration:
                spec = ParameterSpec(name, extra.name, doc)
                spec.convert = constant_converter(extra)
                spec.sample = extra[extra.module.members[0].names[0]]
                return spec
        if type_ in self.flags:
            spec = ParameterSpec(name, "array", doc)
            spec.flags = self.flags[type_].module.name
            spec.convert = flags_converter(self.flags[type_])
            return spec
        if type_ in self.options:
            spec = ParameterSpec(name, self.options[type_].name, doc)
            spec.convert = self.options_converter(type_)
            setters = self.options[type_].builder.setters
            spec.sample = {setter.name: _SAMPLES.get(setter.type) for setter in setters if setter.required}
            return spec
        return ParameterSpec(name, self.type_name(type_), doc)

    def options_converter(self, cls: type) -> Callable[[Any], Any]:
        """From the worker's form of an option set to its class."""
        return options_converter(self.options[cls], {**self.records, **self.options})

    def _resource(self, name: str, doc: str, resource: Resource) -> ParameterSpec:
        spec = ParameterSpec(name, resource.type, doc)
        spec.resource = resource
        spec.convert = resource.check
        spec.held = any(each.name == resource.type for each in self.held.values())
        spec.many = resource.many
        spec.sample = resource.sample
        if resource.sample is None:
            raise DeclarationError(f"resource of `{name}` has no sample")
        return spec


CATALOGUE = Catalogue()
