"""Types that scripts see beyond their language: records, handles, constants, flags, option sets.

Owns:      how a Python class declares one, and what of it goes into the interface.
Relies on: annotations that are objects: modules that declare types do not postpone them.
Never:     knows an operation, a permission or the host.

    class WordCount(Struct, frozen=True):
        \"""What `wc` counted.\"""

        line_count: Annotated[int, "newline bytes"]

Every field says what it is in the text of its annotation; a field without one fails at import.
"""

from __future__ import annotations

from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_origin

from msgspec import Struct

from trex.errors import ProtocolViolation
from trex.interface import Builder, Field, Member, Module, ObjectType, Parameter, Rule, Setter
from trex.values import Constant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trex.invocations import Shape


class Moment(Struct, frozen=True):
    """A date and time, which languages have their own type for."""

    seconds: int
    nanoseconds: int


PLAIN = {
    str: "string",
    int: "int",
    float: "float",
    bool: "bool",
    bytes: "blob",
    list: "array",
    dict: "map",
    NoneType: "unit",
    Any: "any",
    Moment: "DateTime",
}


class DeclarationError(TypeError):
    """A declaration is incomplete or contradicts itself. Raised at import, never while running."""


# --- what the second part of an annotation may hold, beside its text ---


class Alias(Struct, frozen=True):
    """Another name of the same flag: `Annotated[bool, "number the lines", Alias("n")]`."""

    name: str


class Takes(Struct, frozen=True):
    """The name of the number that a flag such as `max_count(5)` takes."""

    name: str


class Bounds(Struct, frozen=True):
    """Inclusive bounds of a number in an option set, and what fails outside them."""

    minimum: int | None = None
    maximum: int | None = None
    message: str = ""
    checked: Literal["set", "build"] = "build"


class Keyed(Struct, frozen=True):
    """A map in an option set that is filled entry by entry: `.add(key, value)`."""


class Unsigned(Struct, frozen=True):
    """A number that must not be negative."""


class Shaped(Struct, frozen=True):
    """An array or map in an option set that holds what a shape of `trex.invocations` says."""

    shape: Shape


class Method(Struct, frozen=True):
    """A field of a record that scripts read as `x.name()`, not as `x.name`."""


METHOD = Method()
UNSIGNED = Unsigned()
KEYED = Keyed()


class Declared(Struct, frozen=True):
    """One annotated name: of a parameter, a field or a flag."""

    name: str
    type: Any
    doc: str
    extras: tuple[Any, ...]

    def marked(self, kind: type) -> Any:
        """The part of the annotation that is of this kind, or None."""
        return next((extra for extra in self.extras if type(extra) is kind), None)

    def without_none(self) -> Declared:
        """The same, of the type that it has when it is not absent."""
        return Declared(self.name, without_none(self.type), self.doc, self.extras)


def declared(name: str, annotation: Any, where: str) -> Declared:
    """Read `Annotated[type, ..., "what it is"]`."""
    if get_origin(annotation) is not Annotated:
        raise DeclarationError(f"{where}: `{name}` says not what it is")
    texts = [extra for extra in annotation.__metadata__ if type(extra) is str]
    if len(texts) != 1 or not texts[0].strip():
        raise DeclarationError(f"{where}: `{name}` needs one text that says what it is")
    extras = tuple(extra for extra in annotation.__metadata__ if type(extra) is not str)
    return Declared(name, annotation.__origin__, texts[0], extras)


def members(cls: type) -> tuple[Declared, ...]:
    """The annotated fields of a class, in order."""
    where = f"{cls.__module__}.{cls.__qualname__}"
    return tuple(declared(name, annotation, where) for name, annotation in cls.__annotations__.items())


def first_line(thing: Any, where: str) -> str:
    """The first line of a docstring; without one the declaration fails."""
    text = (thing.__doc__ or "").strip()
    if not text:
        raise DeclarationError(f"{where} has no docstring")
    return str(text.partition("\n")[0])


# --- constants ---


class Enumeration:
    """A module of constants: `EntryType::FILE`.

    texts: each constant's name to what it prints as, and what it means.
    """

    __slots__ = ("_constants", "module", "name")

    def __init__(self, name: str, doc: str, texts: Mapping[str, tuple[str, str]]) -> None:
        self.name = name
        self._constants = {member: Constant(name, member) for member in texts}
        self.module = Module(
            name, name, tuple(Member((member,), text=text, doc=note) for member, (text, note) in texts.items()), doc
        )

    def __getitem__(self, name: str) -> Constant:
        return self._constants[name]

    def __contains__(self, name: str) -> bool:
        return name in self._constants


class Measure:
    """A module of functions that make constants of numbers: `SizeRange::min_only(5, SizeUnit::BYTES)`.

    members: each function's name to the names and types of its parameters, and what it makes. A type
             is `"int"` or the name of an enumeration.
    """

    __slots__ = ("_members", "module", "name")

    def __init__(self, name: str, doc: str, members: Mapping[str, tuple[tuple[tuple[str, str], ...], str]]) -> None:
        self.name = name
        self._members = {member: [type for _, type in parameters] for member, (parameters, _) in members.items()}
        self.module = Module(
            name,
            name,
            tuple(
                Member((member,), tuple(Parameter(*each) for each in parameters), doc=note)
                for member, (parameters, note) in members.items()
            ),
            doc,
        )

    def check(self, value: Any) -> None:
        """Refuse what no member of the module makes."""
        types = self._members.get(value.name) if type(value) is Constant and value.type == self.name else None
        if types is None or types != ["int" if type(each) is int else _constant(each) for each in value.arguments]:
            raise ProtocolViolation(f"{value!r} is no {self.name}")


def _constant(value: Any) -> str:
    return value.type if type(value) is Constant and not value.arguments else ""


# --- records, handles, option sets, flags: what the decorators of the catalogue keep ---


class Record:
    """A result with readable fields: made by an operation, data from then on."""

    __slots__ = ("cls", "fields", "name", "object_type")

    def __init__(self, cls: type, name: str, map: tuple[tuple[str, str], ...] | None, type_name: TypeNames) -> None:
        self.cls, self.name = cls, name
        fields = members(cls)
        self.fields = tuple(field.name for field in fields)
        self.object_type = ObjectType(
            name, tuple(field_of(field, type_name) for field in fields), map, first_line(cls, name)
        )


def field_of(field: Declared, type_name: TypeNames) -> Field:
    """What scripts may read of one field."""
    access: Literal["property", "method"] = "method" if field.marked(Method) else "property"
    return Field(field.name, named(field, type_name), access, field.doc)


def named(field: Declared, type_name: TypeNames) -> str:
    """The name of a field's type: of the constants that it is one of, or of its Python type."""
    made = field.marked(Enumeration) or field.marked(Measure)
    return str(made.name) if made is not None else type_name(field.type)


class Options:
    """An option set: `Name()`, setters, `.build()`; or a builder that ends in an operation."""

    __slots__ = ("builder", "cls", "defaults", "fields", "name")

    def __init__(
        self,
        cls: type[Struct],
        name: str,
        product: str,
        missing: str,
        finish: str | None,
        rules: tuple[Rule, ...],
        type_name: TypeNames,
    ) -> None:
        self.cls, self.name = cls, product
        self.fields = {field.name: field for field in members(cls)}
        required = len(self.fields) - len(cls.__struct_defaults__)
        self.defaults = dict(zip(list(self.fields)[required:], cls.__struct_defaults__, strict=True))
        setters = tuple(self._setter(field, type_name) for field in self.fields.values())
        self.builder = Builder(name, product, setters, missing, finish, first_line(cls, name), rules)

    def _setter(self, field: Declared, type_name: TypeNames) -> Setter:
        required = field.name not in self.defaults
        default = self.defaults.get(field.name)
        bounds: Bounds = field.marked(Bounds) or Bounds()
        keyed = field.marked(Keyed) is not None
        return Setter(
            field.name,
            "string" if keyed else named(field.without_none(), type_name),
            required,
            default if type(default) in (bool, int, float, str) else None,
            bounds.minimum,
            bounds.maximum,
            bounds.checked,
            bounds.message,
            field.marked(Unsigned) is not None,
            keyed,
            field.doc,
            shaped.shape if (shaped := field.marked(Shaped)) is not None else "",
        )


class Flags:
    """The flags of one command: `cat([cat::number], path)`."""

    __slots__ = ("cls", "command", "fields", "module", "product")

    def __init__(self, cls: type[Struct], command: str, product: str) -> None:
        self.cls, self.command, self.product = cls, command, product
        fields = members(cls)
        self.fields = {field.name: field for field in fields}
        if len(cls.__struct_defaults__) != len(fields):
            raise DeclarationError(f"{product}: every flag needs a default")
        self.module = Module(command, product, tuple(_member(field) for field in fields), first_line(cls, product))


def _member(flag: Declared) -> Member:
    # A name that Python has for itself, such as `from`, ends in an underscore as a field.
    names = (flag.name.removesuffix("_"), *(extra.name for extra in flag.extras if type(extra) is Alias))
    takes = [Parameter(extra.name, "int") for extra in flag.extras if type(extra) is Takes]
    if bool(takes) == (flag.type is bool):
        raise DeclarationError(f"flag `{flag.name}` is a bool, or says the names of the numbers it takes")
    return Member(names, tuple(takes) or None, doc=flag.doc)


def without_none(type_: Any) -> Any:
    """`X` of `X | None`, for what may be absent."""
    if type(type_) is UnionType:
        kept = [part for part in type_.__args__ if part is not NoneType]
        if len(kept) == 1:
            return kept[0]
    return type_


if TYPE_CHECKING:
    TypeNames = Callable[[Any], str]
