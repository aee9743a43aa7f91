"""Declarations: what is derived from them, and what they must not leave out."""

from typing import Annotated, Any

import pytest
from msgspec import Struct

from trex import sdk
from trex.authorization.vocabulary import action
from trex.catalogue.declare import Catalogue, Need, Resource
from trex.catalogue.interface import functions, interface
from trex.catalogue.types import METHOD, UNSIGNED, Alias, Bounds, DeclarationError, Takes
from trex.interface import Builder, Member, Parameter


class Thing(Resource):
    """A thing by name."""

    sample = "/thing"
    needs = (Need(action("file_system", "open"), "File", "the thing"),)

    def check(self, argument: Any) -> Any:
        return argument

    def acquire(self, gate: Any, argument: Any, *used: Any) -> Any:
        return argument


AThing = Annotated[str, Thing()]


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


def declare(catalogue: Catalogue, handler: Any, **how: Any) -> None:
    catalogue.operation("show", domain="things", **how)(handler)


def test_one_declaration_gives_every_overload(catalogue):
    @catalogue.flag_set("show", "ShowFlag")
    class Flags(Struct):
        """How to show it."""

        number: Annotated[bool, "numbered", Alias("n")] = False

    def show(flags: Annotated[Flags, "how"], thing: Annotated[AThing, "which"]) -> str:
        """Show a thing.

        show("/x")
        """
        return thing

    declare(catalogue, show)
    shown = [
        (each.name, [(p.name, p.type) for p in each.parameters], each.returns)
        for each in interface(catalogue).functions
    ]
    assert shown == [
        ("show", [("thing", "string")], "string"),
        ("show", [("flags", "array"), ("thing", "string")], "string"),
    ]
    assert interface(catalogue).modules[0].members == (Member(("number", "n"), doc="numbered"),)


def test_a_parameter_with_a_default_may_be_left_out(catalogue):
    def show(thing: Annotated[AThing, "which"], times: Annotated[int, "how often"] = 1) -> None:
        """Show a thing.

        show("/x", 2)
        """

    declare(catalogue, show)
    assert [len(each.parameters) for each in interface(catalogue).functions] == [1, 2]


def undocumented(thing: Annotated[AThing, "which"]) -> None:
    pass


def without_example(thing: Annotated[AThing, "which"]) -> None:
    """Show a thing."""


def with_silent_parameter(thing: AThing) -> None:
    """Show a thing.

    show("/x")
    """


def with_untyped_parameter(thing) -> None:  # type: ignore[no-untyped-def]  # the point of the test
    """Show a thing.

    show("/x")
    """


def without_permission(text: Annotated[str, "which"]) -> None:
    """Show a thing.

    show("/x")
    """


def with_unknown_result(thing: Annotated[AThing, "which"]) -> Thing:
    """Show a thing.

    show("/x")
    """


@pytest.mark.parametrize(
    "handler",
    [
        undocumented,
        without_example,
        with_silent_parameter,
        with_untyped_parameter,
        without_permission,
        with_unknown_result,
    ],
    ids=lambda handler: handler.__name__,
)
def test_an_incomplete_declaration_fails_at_import(catalogue, handler):
    with pytest.raises(DeclarationError):
        declare(catalogue, handler)


def test_an_operation_that_needs_no_permission_says_why(catalogue):
    declare(catalogue, without_permission, open="it only speaks")
    assert functions(catalogue)[0]["no_permission"] == "it only speaks"


def test_the_same_label_cannot_be_declared_twice(catalogue):
    declare(catalogue, without_permission, open="it only speaks")
    with pytest.raises(DeclarationError):
        declare(catalogue, without_permission, open="it only speaks")


def test_an_option_set_becomes_a_builder(catalogue):
    @catalogue.option_set
    class ShowOptions(Struct):
        """How to show."""

        path: Annotated[str, "where"]
        times: Annotated[int | None, UNSIGNED, Bounds(minimum=1, message="no: {value}"), "how often"] = None

    (builder,) = interface(catalogue).builders
    assert isinstance(builder, Builder)
    path, times = builder.setters
    assert (path.name, path.type, path.required, path.doc) == ("path", "string", True, "where")
    assert (times.type, times.required, times.unsigned, times.minimum, times.checked) == (
        "int",
        False,
        True,
        1,
        "build",
    )


def test_a_record_becomes_an_object_type(catalogue):
    @catalogue.record(map=(("size", "size"),))
    class Shown(Struct):
        """What was shown."""

        size: Annotated[int, METHOD, "bytes"]

    (shown,) = interface(catalogue).types
    assert (shown.name, shown.fields[0].access, shown.map) == ("Shown", "method", (("size", "size"),))


def test_a_flag_with_a_number_says_its_name(catalogue):
    @catalogue.flag_set("show", "ShowFlag")
    class Flags(Struct):
        """How to show it."""

        times: Annotated[int, "how often", Takes("count")] = 1

    assert interface(catalogue).modules[0].members[0].parameters == (Parameter("count", "int"),)
    with pytest.raises(DeclarationError):

        @catalogue.flag_set("show", "ShowFlag")
        class Silent(Struct):
            """How to show it."""

            times: Annotated[int, "how often"] = 1


def test_the_listing_names_the_permissions_of_every_operation():
    for listed in functions(sdk.load()):
        assert listed["permissions"] or listed["no_permission"], listed["operation"]
        assert listed["doc"]
        assert listed["example"]
        assert listed["signatures"]
