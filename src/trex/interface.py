"""What a script may call, as data: the one thing that the worker learns about the host.

Owns:  the shape of an interface: functions, object types, modules of constants, builders.
Never: holds code; imports nothing of ours. The catalogue derives an `Interface` from the
       declarations of operations; a language's bindings turn it into callable names.

Type names are `int float string bool char unit array map blob fn any`, or the name of an object
type, a builder product or a module's product.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Failure = Literal["map", "text"]

CURSOR_NEXT = "cursor.next"


class Parameter(Struct, frozen=True):
    """One parameter of a function; `type` is a type name."""

    name: str
    type: str
    doc: str = ""


class Function(Struct, frozen=True):
    """One overload of a callable name. `x.f(a)` and `f(x, a)` are the same call.

    name:      what scripts write.
    operation: what the broker looks up, such as `"files.cat"`.
    local:     the worker does it by itself, and the broker knows no such operation.
    failure:   whether scripts catch a map (`kind`, `message`, `source`) or a plain string.
    each:      the last parameter is a function, which stays in the worker; the operation takes the
               others and returns `Object("Cursor", {}, handle)`. The worker calls that function
               once for every item; `CURSOR_NEXT` with the cursor gives the next array of items,
               an empty one at the end.
    """

    name: str
    operation: str
    parameters: tuple[Parameter, ...]
    returns: str
    failure: Failure = "map"
    each: bool = False
    doc: str = ""
    local: bool = False


class Field(Struct, frozen=True):
    """One piece of an object's data, read as `x.name` or called as `x.name()`."""

    name: str
    type: str
    access: Literal["property", "method"] = "property"
    doc: str = ""


class ObjectType(Struct, frozen=True):
    """A type of object: its display name, readable fields, and the shape of its `to_map()`.

    map: pairs of key and path, such as `("owner_user", "owner.user")`; a path that ends in
         `:text` gives the text of the value, one in `:map` what its own `to_map()`, or that of each
         element, gives. None where the type has no `to_map()`.
    """

    name: str
    fields: tuple[Field, ...] = ()
    map: tuple[tuple[str, str], ...] | None = None
    doc: str = ""


class Member(Struct, frozen=True):
    """A member of a module: a constant, or with `parameters` a function that makes one.

    names: the canonical name first, then its aliases.
    text:  what `to_string()` gives; the canonical name where it is None.
    value: a plain number that the member stands for, such as `SizeUnit::KIBIBYTES`; None: opaque.
    """

    names: tuple[str, ...]
    parameters: tuple[Parameter, ...] | None = None
    text: str | None = None
    value: int | None = None
    doc: str = ""


class Module(Struct, frozen=True):
    """A namespace of constants and flags: `EntryType::FILE`, `tail::n(5)`."""

    name: str
    product: str
    members: tuple[Member, ...]
    doc: str = ""


class Setter(Struct, frozen=True):
    """One setter of a builder, named as the field it fills.

    keyed:            called with a key and a value; each call adds an entry to a map of strings
                      to `type`, which is the field.
    unsigned:         a negative number fails at once, as a number that is out of range.
    minimum, maximum: inclusive bounds for numbers; outside, the setter (`checked="set"`) or
                      `build()` (`checked="build"`) fails with `message`.
    shape:            for arrays and maps, what they hold: a shape of `trex.invocations`.
    """

    name: str
    type: str
    required: bool = False
    default: bool | int | float | str | None = None
    minimum: int | None = None
    maximum: int | None = None
    checked: Literal["set", "build"] = "set"
    message: str = ""
    unsigned: bool = False
    keyed: bool = False
    doc: str = ""
    shape: Literal["", "arguments", "environment", "capabilities"] = ""


class Rule(Struct, frozen=True):
    """What `build()` refuses although each field by itself is fine, and the sentence it then says.

    A field counts as given unless it is absent or `false`.

    kind: `"at_most_one"` of the fields may be given; `"needs"`: the first may be given only with one
          of the others; `"not_negative"`: the number that a constant was made with, such as the
          `min` of `SizeRange::between(min, max, unit)`: `fields` is the field and that name.
    """

    kind: Literal["at_most_one", "needs", "not_negative"]
    fields: tuple[str, ...]
    message: str


class Builder(Struct, frozen=True):
    """`Name()`, chained setters, `.build()`: an option set, made in the worker from plain data.

    missing: the text of the failure for a required field that was not set; `{field}` is its name.
    finish:  the operation that takes the builder itself (`publish`), where there is no `build()`.
    """

    name: str
    product: str
    setters: tuple[Setter, ...]
    missing: str = "Field not initialized: {field}"
    finish: str | None = None
    doc: str = ""
    rules: tuple[Rule, ...] = ()


class Interface(Struct, frozen=True):
    """Everything that scripts of one run may name beyond their language."""

    functions: tuple[Function, ...] = ()
    types: tuple[ObjectType, ...] = ()
    modules: tuple[Module, ...] = ()
    builders: tuple[Builder, ...] = ()
