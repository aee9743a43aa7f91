"""Sizes, ranges and dates in option sets, and what `build()` refuses of fields together."""

from typing import Annotated

import pytest
from msgspec import Struct

from trex.catalogue.declare import Catalogue
from trex.catalogue.interface import interface
from trex.catalogue.types import Moment
from trex.errors import ProtocolViolation
from trex.interface import Rule
from trex.languages.rhai.bindings import Bindings, Making, to_host
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.library.moments import DateTime
from trex.languages.rhai.semantics.text import text
from trex.languages.rhai.values import Constant as LanguageConstant
from trex.resources.shapes import SIZE_RANGE, bounds_of, in_bytes
from trex.values import Constant, Object

KIB = Constant("SizeUnit", "KIBIBYTES")


def between(low: object, high: object, unit: object = KIB) -> Constant:
    return Constant("SizeRange", "between", (low, high, unit))


@pytest.fixture
def catalogue() -> Catalogue:
    made = Catalogue()
    made.measures["SizeRange"] = SIZE_RANGE

    @made.option_set(
        rules=(
            Rule("at_most_one", ("name", "regex"), "one of both"),
            Rule("needs", ("negate", "name"), "needs a name"),
            Rule("not_negative", ("size", "min"), "too small"),
        )
    )
    class Wanted(Struct, frozen=True):
        """What is wanted."""

        name: Annotated[str | None, "a name"] = None
        regex: Annotated[str | None, "an expression"] = None
        negate: Annotated[bool, "the others"] = False
        size: Annotated[Constant | None, SIZE_RANGE, "of that size"] = None
        since: Annotated[Moment | None, "from then on"] = None

    return made


def converted(catalogue: Catalogue, **fields: object) -> object:
    (cls,) = catalogue.options
    return catalogue.options_converter(cls)(Object("Wanted", fields))


def test_a_range_is_read_in_bytes():
    assert bounds_of(between(1, 2)) == (1024, 2048)
    assert bounds_of(Constant("SizeRange", "min_only", (3, KIB))) == (3072, None)
    assert bounds_of(Constant("SizeRange", "max_only", (3, KIB))) == (0, 3072)


def test_sizes_beyond_64_bits_do_not_wrap():
    assert in_bytes(2**63 - 1, Constant("SizeUnit", "GIBIBYTES")) == (2**63 - 1) * 2**30


def test_a_range_and_a_date_reach_the_operation(catalogue):
    wanted = converted(catalogue, size=between(1, 2), since=Object("DateTime", {"seconds": 5, "nanoseconds": 6}))
    assert wanted.size == between(1, 2)
    assert wanted.since == Moment(5, 6)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 5},
        {"size": Constant("SizeRange", "about", (1, KIB))},
        {"size": between(1, KIB)},
        {"size": between(1, 2, 3)},
        {"size": between(1, 2, Constant("SizeUnit", "BYTES", (1,)))},
        {"size": Constant("SizeRange", "between", (1, 2))},
        {"since": 5},
        {"since": Object("DateTime", {"seconds": 5})},
        {"since": Object("DateTime", {"seconds": 5.0, "nanoseconds": 0})},
        {"since": Object("Dir", {"seconds": 5, "nanoseconds": 0})},
    ],
)
def test_what_no_script_can_build_is_a_violation(catalogue, fields):
    with pytest.raises(ProtocolViolation):
        converted(catalogue, **fields)


def test_a_measure_is_part_of_the_interface(catalogue):
    (module,) = [each for each in interface(catalogue).modules if each.name == "SizeRange"]
    assert [[each.name for each in member.parameters] for member in module.members][2] == ["min", "max", "unit"]


# --- in the language ---


@pytest.mark.parametrize(
    "fields, refusal",
    [
        ({"name": "a", "regex": "b"}, "one of both"),
        ({"negate": True}, "needs a name"),
        ({"negate": True, "regex": "b"}, "needs a name"),
        ({"size": LanguageConstant("SizeRange", "between", (-1, 2, KIB))}, "too small"),
        ({"size": LanguageConstant("SizeRange", "min_only", (-1, KIB))}, "too small"),
    ],
)
def test_build_refuses_fields_that_do_not_go_together(catalogue, fields, refusal):
    builder = interface(catalogue).builders[0]
    bindings = Bindings(interface(catalogue), None)
    with pytest.raises(RhaiError) as failed:
        bindings.build(builder)(Making(builder, fields))
    assert text(failed.value.value) == refusal


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": "a", "negate": True},
        {"name": "a", "negate": False, "regex": None},
        {"regex": "b"},
        {"size": LanguageConstant("SizeRange", "max_only", (-1, KIB))},
    ],
)
def test_build_takes_what_goes_together(catalogue, fields):
    builder = interface(catalogue).builders[0]
    assert Bindings(interface(catalogue), None).build(builder)(Making(builder, fields)).fields == fields


def test_a_date_crosses_as_seconds_since_1970():
    crossed = to_host(DateTime(1970, 1, 2, 0, 0, 1, 5))
    assert (crossed.type, crossed.fields) == ("DateTime", {"seconds": 86401, "nanoseconds": 5})


def test_a_date_that_does_not_exist_does_not_cross():
    with pytest.raises(RhaiError):
        to_host(DateTime(1970, 2, 30, 0, 0, 0, 0))
