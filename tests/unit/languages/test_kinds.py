"""What the compiler knows of values: the rules keep their word, for any kinds and any values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.knowledge import CONTAINERS, NO_NUMBERS, SCALARS, VALUES, allows, depth, kind_of_value, kinds, says_less
from support.language import call, fresh_run, limited
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.kinds import Kind, join
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.semantics import assignment, operators
from trex.languages.rhai.semantics.containers import array_of, copy
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.values import NO_THIS, Array, Blob, FnPtr, Map, char
from trex.values import INT_MAX, INT_MIN


@pytest.fixture(autouse=True)
def nothing_else() -> None:
    fresh_run()


# --- join ---


@settings(max_examples=60, deadline=None)
@given(kinds(), kinds())
def test_join_says_no_more_than_either(a: Kind, b: Kind) -> None:
    assert says_less(join(a, b), a)
    assert says_less(join(a, b), b)


@settings(max_examples=60, deadline=None)
@given(kinds(), kinds())
def test_join_does_not_care_for_the_order(a: Kind, b: Kind) -> None:
    one, other = join(a, b), join(b, a)
    assert says_less(one, other)
    assert says_less(other, one)


@settings(max_examples=60, deadline=None)
@given(kinds())
def test_join_with_itself_changes_nothing(a: Kind) -> None:
    assert join(a, a) is a
    assert join(a, Kind(a.bits, a.low, a.high, a.item, a.fields)) == a


@settings(max_examples=60, deadline=None)
@given(kinds(), kinds())
def test_joining_again_changes_nothing(a: Kind, b: Kind) -> None:
    both = join(a, b)
    assert join(both, b) == both
    assert join(both, a) == both


@settings(max_examples=60, deadline=None)
@given(kinds(), kinds(), kinds())
def test_join_does_not_care_for_the_grouping(a: Kind, b: Kind, c: Kind) -> None:
    one, other = join(join(a, b), c), join(a, join(b, c))
    assert says_less(one, other)
    assert says_less(other, one)


@settings(max_examples=60, deadline=None)
@given(kinds())
def test_never_is_neutral_and_any_is_all(a: Kind) -> None:
    assert join(a, k.K_NEVER) is a
    assert join(k.K_NEVER, a) == a
    assert join(a, k.K_ANY) == k.K_ANY
    assert join(k.K_ANY, a) is k.K_ANY


def test_join_keeps_bounds_apart_from_other_types() -> None:
    assert join(Kind(k.INT, 1, 2), k.K_STR) == Kind(k.INT | k.STR, 1, 2)
    assert join(k.K_STR, Kind(k.INT, 1, 2)) == Kind(k.INT | k.STR, 1, 2)
    assert join(Kind(k.INT, 1, 2), Kind(k.INT, 5, 9)) == Kind(k.INT, 1, 9)


def test_a_field_that_one_side_lacks_may_be_unit() -> None:
    one, other = k.map_of([("a", k.K_INT)]), k.map_of([("b", k.K_STR)])
    assert join(one, other).fields == {"a": join(k.K_INT, k.K_UNIT), "b": join(k.K_STR, k.K_UNIT), None: k.K_UNIT}


def test_maps_of_many_names_are_forgotten() -> None:
    one = k.map_of((f"a{n}", k.K_INT) for n in range(k.MOST_FIELDS - 1))
    other = k.map_of((f"b{n}", k.K_INT) for n in range(k.MOST_FIELDS - 1))
    assert one.fields is not None
    assert join(one, other) == k.K_MAP
    assert k.map_of((f"a{n}", k.K_INT) for n in range(k.MOST_FIELDS)) == k.K_MAP


# --- widened, clipped ---


@settings(max_examples=60, deadline=None)
@given(kinds(), kinds())
def test_widening_says_no_more_than_what_was_joined(a: Kind, b: Kind) -> None:
    both = join(a, b)
    assert says_less(k.widened(a, both), both)


@settings(max_examples=60, deadline=None)
@given(kinds(), kinds())
def test_a_bound_that_moved_is_given_up(a: Kind, b: Kind) -> None:
    both = join(a, b)
    wide = k.widened(a, both)
    if a.bits & k.INT:
        assert wide.low in (a.low, INT_MIN)
        assert wide.high in (a.high, INT_MAX)


@settings(max_examples=60, deadline=None)
@given(kinds())
def test_widening_what_did_not_move_changes_nothing(a: Kind) -> None:
    assert k.widened(a, join(a, a)) is a


@settings(max_examples=60, deadline=None)
@given(st.lists(kinds(), min_size=1, max_size=12))
def test_bounds_settle_when_they_are_widened(steps: list[Kind]) -> None:
    """However many kinds join a variable, each bound moves twice at most: to the first one known, and away."""
    kind = k.K_NEVER
    lows = []
    for step in steps:
        kind = k.widened(kind, join(kind, step))
        if kind.bits & k.INT:
            lows.append((kind.low, kind.high))
    assert len({low for low, _ in lows}) <= 2
    assert len({high for _, high in lows}) <= 2


@settings(max_examples=60, deadline=None)
@given(kinds(), st.integers(0, 3))
def test_clipping_says_no_more_and_reaches_no_deeper(a: Kind, most: int) -> None:
    clipped = k.clipped(a, most)
    assert says_less(clipped, a)
    assert depth(clipped) <= most
    assert depth(a) > most or clipped == a


# --- literals and their parts ---


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_a_literal_is_what_is_known_of_it(value: Any) -> None:
    assert allows(kind_of_value(value), value)


@settings(max_examples=60, deadline=None)
@given(st.lists(kinds(), max_size=4))
def test_an_array_may_hold_each_of_its_elements(items: list[Kind]) -> None:
    item = k.element(k.array_of(items), k.K_INT)
    assert all(says_less(item, each) for each in items)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), kinds(), max_size=3))
def test_a_map_has_its_entries_and_unit_for_all_others(entries: dict[str, Kind]) -> None:
    made = k.map_of(entries.items())
    assert all(says_less(k.element(made, name), kind) for name, kind in entries.items())
    assert k.element(made, "other") == k.K_UNIT


@settings(max_examples=60, deadline=None)
@given(st.one_of(VALUES, CONTAINERS), st.data())
def test_an_element_is_what_is_known_of_it(value: Any, data: st.DataObject) -> None:
    kind = kind_of_value(value)
    if type(value) is Array and value.v:
        at = data.draw(st.integers(0, len(value.v) - 1))
        assert allows(k.element(kind, k.of_literal(at)), value.v[at])
        assert allows(k.element(kind, k.K_INT), value.v[at])
    elif type(value) is Map:
        name = data.draw(st.sampled_from("abcde"))
        assert allows(k.element(kind, name), value.v.get(name))
        if name in value.v:
            assert allows(k.element(kind, k.K_STR), value.v[name])
    elif type(value) is str and value:
        assert allows(k.element(kind, k.K_INT), char(value[0]))
        assert allows(k.element(kind, "len"), len(value.encode()))
    elif type(value) is Blob and value.v:
        assert allows(k.element(kind, k.K_INT), value.v[0])


@settings(max_examples=60, deadline=None)
@given(kinds(), kinds(), VALUES)
def test_what_a_kind_allows_its_joins_allow(a: Kind, b: Kind, value: Any) -> None:
    if allows(a, value):
        assert allows(join(a, b), value)
        assert allows(k.clipped(a, 1), value)
        assert allows(k.contents_forgotten(a), value)
        assert allows(k.widened(b, join(b, a)), value)


@settings(max_examples=60, deadline=None)
@given(CONTAINERS, VALUES, st.lists(st.integers(0, 2), max_size=3))
def test_a_store_at_a_path_is_known(value: Any, new: Any, choices: list[int]) -> None:
    """After `value<path> = new`, the old kind with the new element allows the value."""
    steps: list[Any] = []
    changed = top = copy(value)
    for choice in choices or [0]:
        inside = list(changed.v) if type(changed) is Map else list(range(len(changed.v)))
        if not inside:
            return  # no place
        key = inside[choice % len(inside)]
        steps.append(key if type(key) is str else k.of_literal(key))
        part = changed.v[key]
        if type(part) not in (Array, Map) or len(steps) == len(choices or [0]):
            break
        inner = copy(part)
        changed.v[key] = inner
        changed = inner
    changed.v[key] = new
    after = k.with_element(kind_of_value(value), steps, 0, lambda _: kind_of_value(new))
    assert allows(after, top)
    assert allows(after, value)


def test_a_new_entry_is_known_by_its_name() -> None:
    after = k.with_element(k.map_of([("a", k.K_INT)]), ["b"], 0, lambda _: k.K_STR)
    assert k.element(after, "b") == join(k.K_STR, k.K_UNIT)
    assert k.element(after, "a") == k.K_INT


def test_a_store_by_a_name_that_is_not_known_may_change_any_entry() -> None:
    after = k.with_element(k.map_of([("a", k.K_INT)]), [k.K_STR], 0, lambda _: k.K_STR)
    assert k.element(after, "a") == join(k.K_INT, k.K_STR)
    assert k.element(after, "other") == join(k.K_UNIT, k.K_STR)


def test_a_store_into_an_integer_changes_its_bits() -> None:
    assert k.with_element(Kind(k.INT, 0, 3), [k.K_INT], 0, lambda _: k.K_BOOL) == k.K_INT


# --- small questions ---


@settings(max_examples=60, deadline=None)
@given(kinds())
def test_what_is_known_without_unit_allows_all_but_unit(a: Kind) -> None:
    without = k.without_unit(a)
    assert not without.bits & k.UNIT
    assert says_less(join(without, k.K_UNIT), a)


@settings(max_examples=60, deadline=None)
@given(kinds())
def test_code_that_nothing_reaches_is_compiled_for_anything(a: Kind) -> None:
    assert k.known(a) is (a if a.bits else k.K_ANY)


@pytest.mark.parametrize(
    ("kind", "may"),
    [
        (k.K_ANY, True),
        (k.K_MAP, True),
        (k.K_OTHER, True),
        (k.K_INT, False),
        (k.K_ARRAY, False),
        (k.map_of([("f", k.K_FN)]), True),
        (k.map_of([("f", k.K_INT)]), False),
        (k.map_of([("g", k.K_FN)]), False),
        (k.map_of([]), False),
        (k.with_element(k.map_of([]), [k.K_STR], 0, lambda _: k.K_FN), True),
        (join(k.map_of([("f", k.K_FN)]), k.K_INT), True),
    ],
)
def test_a_map_may_hold_a_function_under_a_name_unless_its_entries_are_known(kind: Kind, may: bool) -> None:
    assert k.may_hold(kind, "f") is may


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_a_map_that_holds_a_function_is_known_to(value: Any) -> None:
    if type(value) is Map and any(type(item) is FnPtr for item in value.v.values()):
        name = next(name for name, item in value.v.items() if type(item) is FnPtr)
        assert k.may_hold(kind_of_value(value), name)


# --- operators ---

OPERATORS = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "/": operators.div,
    "%": operators.mod,
    "**": operators.power,
    "<<": operators.shl,
    ">>": operators.shr,
    "&": operators.bit_and,
    "|": operators.bit_or,
    "^": operators.bit_xor,
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
    "..": operators.range_exclusive,
    "..=": operators.range_inclusive,
}
ASSIGNMENTS = {
    "+": assignment.assign_add,
    "-": assignment.assign_sub,
    "*": assignment.assign_mul,
    "/": assignment.assign_div,
    "%": assignment.assign_mod,
    "**": assignment.assign_power,
    "<<": operators.assign_shl,
    ">>": operators.assign_shr,
    "&": operators.assign_bit_and,
    "|": operators.assign_bit_or,
    "^": operators.assign_bit_xor,
}
INTEGERS = st.one_of(
    st.integers(-20, 20), st.integers(INT_MIN, INT_MAX), st.sampled_from([INT_MIN, INT_MAX, -1, 0, 64])
)


@st.composite
def around(draw: Any, value: int) -> Kind:
    """A kind of integers among which a value is."""
    return Kind(k.INT, min(draw(INTEGERS), value), max(draw(INTEGERS), value))


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=40, deadline=None)
@given(a=INTEGERS, b=INTEGERS, data=st.data())
def test_the_result_of_integers_is_within_its_bounds(operator: str, a: int, b: int, data: st.DataObject) -> None:
    known = k.binary(operator, data.draw(around(a)), data.draw(around(b)))
    try:
        result = OPERATORS[operator](a, b)
    except RhaiError:
        return
    assert allows(known, result)


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=40, deadline=None)
@given(a=VALUES, b=st.one_of(VALUES, SCALARS))
def test_the_result_of_an_operator_is_of_the_kind_that_is_known(operator: str, a: Any, b: Any) -> None:
    try:
        result = OPERATORS[operator](a, b)
    except RhaiError:
        return
    assert allows(k.binary(operator, kind_of_value(a), kind_of_value(b)), result)
    assert allows(k.binary(operator, k.K_ANY, kind_of_value(b)), result)
    assert allows(k.binary(operator, kind_of_value(a), k.K_ANY), result)


@pytest.mark.parametrize("operator", ASSIGNMENTS)
@settings(max_examples=40, deadline=None)
@given(a=VALUES, b=st.one_of(VALUES, SCALARS))
def test_the_target_of_an_assignment_is_of_the_kind_that_is_known(operator: str, a: Any, b: Any) -> None:
    known = k.assigned(operator, kind_of_value(a), kind_of_value(b))
    less = k.assigned(operator, k.K_ANY, kind_of_value(b)), k.assigned(operator, kind_of_value(a), k.K_ANY)
    try:
        result = ASSIGNMENTS[operator](copy(a) if type(a) in (Array, Map) else a, b)
    except RhaiError:
        return
    assert allows(known, result)
    assert all(allows(each, result) for each in less)


# --- functions of the library ---


@pytest.mark.parametrize("name", sorted({*k.RESULTS, *k._ELEMENT, *k._SOME}))
@settings(max_examples=40, deadline=None)
@given(receiver=VALUES, data=st.data())
def test_what_a_library_function_gives_is_known(name: str, receiver: Any, data: st.DataObject) -> None:
    known = k.of_call(name, kind_of_value(receiver))
    for count in range(3):
        if (name, count + 1) not in RUN.natives:
            continue
        arguments = [data.draw(st.one_of(st.integers(-3, 5), NO_NUMBERS)) for _ in range(count)]
        if name in ("map", "filter") and count == 1:
            arguments = [FnPtr("anon$", lambda *given: True, 1, NO_THIS, ())]
        try:
            with limited(1000, 1000, 1000):
                _, result = call(name, copy(receiver) if type(receiver) in (Array, Map) else receiver, *arguments)
        except RhaiError:
            continue
        assert allows(known, result), name


@pytest.mark.parametrize("name", sorted(k.KEEPS_ELEMENTS))
@settings(max_examples=40, deadline=None)
@given(receiver=st.lists(VALUES, max_size=4), argument=st.integers(-3, 5))
def test_what_only_takes_elements_away_leaves_those_that_were_there(
    name: str, receiver: list[Any], argument: int
) -> None:
    array = array_of(list(receiver))
    known = kind_of_value(array)
    for count in range(2):
        if (name, count + 1) not in RUN.natives:
            continue
        try:
            after, _ = call(name, array, *([argument] * count))
        except RhaiError:
            continue
        assert allows(known, after)
