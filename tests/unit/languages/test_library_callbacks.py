"""Library functions that call functions of the script: the forms of the call, `this`, and errors on the way."""

from __future__ import annotations

from typing import Any

import pytest

from support.language import call, fresh_run, function, shown, value
from trex.languages.rhai import errors
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.semantics.containers import array_of, share
from trex.languages.rhai.semantics.state import RUN, ScriptFunction
from trex.languages.rhai.values import NO_THIS, SHARED, THIS_CELL, THIS_VALUE, Cell, FnPtr

LEVEL_OF_A_CALLBACK = 2


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


def defined(name: str, params: int, code: Any) -> FnPtr:
    """A function of the script that is known by name only, as `Fn(name)` gives it."""
    RUN.functions[name, params] = ScriptFunction(name, ("p",) * params, code, NO_THIS, None, False)
    return FnPtr(name)


def bump(cell: Cell, level: int) -> int:
    """`this += 1`, and gives what it was."""
    cell.v += 1
    return cell.v - 1


def keep_large(cell: Cell, level: int) -> bool:
    """`this += 1; this > 2`"""
    cell.v += 1
    return cell.v > 2


# --- the number of parameters selects the form ---


@pytest.mark.parametrize("name", ["map", "filter", "find", "find_map", "some", "all", "index_of", "drain", "retain"])
def test_a_callback_of_an_array_takes_the_element_or_also_its_index(name: str) -> None:
    seen: list[Any] = []
    call(name, value("[7, 8]"), function(lambda x, level: seen.append((x, level)), 1))
    assert seen[0] == (7, LEVEL_OF_A_CALLBACK)
    seen.clear()
    call(name, value("[7, 8]"), function(lambda x, i, level: seen.append((x, i, level)), 2))
    assert seen[0] == (7, 0, LEVEL_OF_A_CALLBACK)


@pytest.mark.parametrize(
    ("name", "afterwards", "result"),
    [
        ("map", "[2, 3, 4]", "[1, 2, 3]"),
        ("filter", "[2, 3, 4]", "[]"),
        ("some", "[2, 3, 4]", "false"),
        ("drain", "[2, 3, 4]", "[]"),
        ("retain", "[]", "[2, 3, 4]"),
        ("for_each", "[2, 3, 4]", "()"),
    ],
)
def test_without_parameters_the_element_is_this_and_changes_stay(name: str, afterwards: str, result: str) -> None:
    array, found = call(name, value("[1, 2, 3]"), function(bump, 0, this=THIS_CELL))
    assert (shown(array), shown(found)) == (afterwards, result)


@pytest.mark.parametrize("name", ["map", "filter", "find", "some", "all", "drain", "for_each"])
def test_a_callback_that_only_reads_this_takes_the_element_itself(name: str) -> None:
    seen: list[Any] = []
    array = share(value("[7, 8]"))
    call(name, array, function(lambda this, level: seen.append((this, level)), 0, this=THIS_VALUE))
    assert seen[0] == (7, LEVEL_OF_A_CALLBACK)
    call(name, array, function(lambda a, level: seen.append(a), 1, curry=(5,)))
    assert seen[-1] == 5


def test_a_callback_with_an_index_may_read_this_too() -> None:
    seen: list[Any] = []
    call("for_each", value("[7, 8]"), function(lambda this, i, level: seen.append((this, i)), 1, this=THIS_VALUE))
    assert seen == [(7, 0), (8, 1)]


def test_filter_keeps_what_the_callback_left_in_this() -> None:
    array, kept = call("filter", value("[1, 2, 3]"), function(keep_large, 0, this=THIS_CELL))
    assert (shown(array), shown(kept)) == ("[2, 3, 4]", "[3, 4]")


def test_an_element_made_larger_through_this_is_counted() -> None:
    def grow(cell: Cell, level: int) -> None:
        cell.v = value('["abc", [1]]')

    array = call("for_each", value('[1, "x"]'), function(grow, 0, this=THIS_CELL))[0]
    assert (array.extra_array, array.extra_string) == (6, 6)


def test_an_array_that_others_hold_is_not_changed_through_this() -> None:
    array = share(value("[1, 2]"))
    call("map", array, function(bump, 0, this=THIS_CELL))
    assert shown(array) == "[1, 2]"


@pytest.mark.parametrize(
    ("name", "result"), [("reduce", "[[[(), 1, 0], 2, 1], 3, 2]"), ("reduce_rev", "[[[(), 3, 2], 2, 1], 1, 0]")]
)
def test_a_fold_passes_what_it_has_the_element_and_its_real_index(name: str, result: str) -> None:
    three = function(lambda acc, x, i, level: array_of([acc, x, i]), 3)
    assert shown(call(name, value("[1, 2, 3]"), three)[1]) == result


def test_a_fold_starts_with_what_it_is_given() -> None:
    add = function(lambda acc, x, level: acc + x, 2)
    assert call("reduce", value("[1, 2]"), add, 10)[1] == 13
    assert call("reduce", value("[]"), add, 10)[1] == 10


def test_a_fold_of_one_parameter_has_the_element_as_this() -> None:
    fold = function(lambda cell, acc, level: acc + cell.v, 1, this=THIS_CELL)
    assert call("reduce", value("[1, 2]"), fold, 10)[1] == 13


def test_zip_goes_as_far_as_the_shorter() -> None:
    pairs = function(lambda x, y, i, level: x * 100 + y * 10 + i, 3)
    assert shown(call("zip", value("[1, 2, 3]"), value("[4, 5]"), pairs)[1]) == "[140, 251]"


@pytest.mark.parametrize("name", ["map", "filter", "drain", "retain"])
def test_a_callback_of_a_map_takes_key_and_value_in_order_of_keys(name: str) -> None:
    seen: list[Any] = []
    call(name, value("#{b: 2, a: 1}"), function(lambda k, v, level: seen.append((k, v)), 2))
    assert seen == [("a", 1), ("b", 2)]


def test_a_callback_of_a_map_with_one_parameter_has_the_value_as_this() -> None:
    def code(cell: Cell, key: str, level: int) -> bool:
        cell.v = key + "!"
        return key == "a"

    map, kept = call("filter", value("#{a: 1, b: 2}"), function(code, 1, this=THIS_CELL))
    assert (shown(map), shown(kept)) == ('#{a: "a!", b: "b!"}', '#{a: "a!"}')
    assert map.extra_string == 4


def test_curried_values_come_first_and_do_not_count() -> None:
    f = function(lambda a, x, level: a * 10 + x, 2, curry=(4,))
    assert shown(call("map", value("[1, 2]"), f)[1]) == "[41, 42]"


def test_only_true_accepts() -> None:
    assert shown(call("filter", value("[1]"), function(lambda x, level: 1, 1))[1]) == "[]"


# --- functions that are known by name only ---


def test_a_name_is_tried_with_this_then_with_the_element_then_with_the_index() -> None:
    assert shown(call("map", value('["ab", "c"]'), FnPtr("len"))[1]) == "[2, 1]"
    assert shown(call("map", value("[5, 0]"), FnPtr("max"))[1]) == "[5, 1]"
    assert shown(call("map", value("[5]"), defined("f", 1, lambda x, level: x + 1))[1]) == "[6]"


def test_a_library_function_may_change_the_element_it_is_called_on() -> None:
    assert shown(call("for_each", value('[" a "]'), FnPtr("trim"))[0]) == '["a"]'


def test_a_name_as_a_string_is_a_function_too() -> None:
    defined("f", 1, lambda x, level: x + 1)
    assert shown(call("map", value("[5]"), "f")[1]) == "[6]"
    with pytest.raises(RhaiError, match="Function not found: for_each \\(array, &str"):
        call("for_each", value("[5]"), "f")


def test_index_of_takes_a_string_for_a_function_only_where_the_script_has_it() -> None:
    assert call("index_of", value('["a", "f"]'), "f")[1] == 1
    defined("f", 1, lambda x, level: x == "a")
    assert call("index_of", value('["a", "f"]'), "f")[1] == 0


@pytest.mark.parametrize(
    ("name", "container", "extra", "tried"),
    [
        ("map", "[1]", (), "(i64, i64)"),
        ("for_each", "[1]", (), "(i64, i64)"),
        ("reduce", "[1]", (), "((), i64, i64)"),
        ("zip", "[1]", ("[2]",), "(i64, i64, i64)"),
        ("drain", "#{a: 1}", (), "(&str | ImmutableString | String, i64)"),
    ],
)
def test_a_function_that_fits_no_form_is_not_found_in_the_call(
    name: str, container: str, extra: tuple[str, ...], tried: str
) -> None:
    with pytest.raises(RhaiError) as failure:
        call(name, value(container), *map(value, extra), function(lambda *all: None, 9))
    assert failure.value.message == f"Function not found: anon$ {tried}"
    assert [entry[:2] for entry in failure.value.calls or ()] == [(name, f"in call to function '{name}'")]


# --- errors on the way ---


def fail_at(bad: int) -> FnPtr:
    """A callback that fails at one element."""

    def code(x: int, level: int) -> bool:
        if x == bad:
            raise errors.Thrown(x)
        return True

    return function(code, 1)


def test_an_array_keeps_what_was_not_yet_taken_when_the_callback_fails() -> None:
    array = value("[1, 2, 3, 4]")
    with pytest.raises(errors.Thrown):
        call("drain", array, fail_at(3))
    assert shown(array) == "[3, 4]"


def test_a_map_keeps_what_was_not_yet_taken_when_the_callback_fails() -> None:
    map = value('#{a: 1, b: "x", c: 3}')

    def code(key: str, v: Any, level: int) -> bool:
        if key == "b":
            raise errors.Thrown(v)
        return True

    with pytest.raises(errors.Thrown):
        call("drain", map, function(code, 2))
    assert (shown(map), map.extra_string) == ('#{b: "x", c: 3}', 1)


def test_a_change_through_this_stays_when_the_callback_fails_afterwards() -> None:
    def code(cell: Cell, level: int) -> None:
        cell.v = value("[1, 2]")
        raise errors.Thrown(0)

    array = value("[0, 0]")
    with pytest.raises(errors.Thrown):
        call("for_each", array, function(code, 0, this=THIS_CELL))
    assert (shown(array), array.extra_array) == ("[[1, 2], 0]", 2)


# --- sorting ---


@pytest.mark.parametrize("answer", [lambda x, y: y - x, lambda x, y: x > y])
def test_a_comparer_gives_a_number_or_says_whether_it_is_before(answer: Any) -> None:
    f = function(lambda x, y, level: answer(x, y), 2)
    assert shown(call("sort", value("[2, 3, 1]"), f)[0]) == "[3, 2, 1]"
    array, ordered = call("order_by", value("[2, 3, 1]"), f)
    assert (shown(array), shown(ordered)) == ("[2, 3, 1]", "[3, 2, 1]")


def test_sorting_is_stable() -> None:
    by_first = function(lambda x, y, level: x.v[0] - y.v[0], 2)
    sorted_array = call("sort", value("[[1, 'b'], [0, 'x'], [1, 'a']]"), by_first)[0]
    assert shown(sorted_array) == "[[0, 'x'], [1, 'b'], [1, 'a']]"


def test_a_comparer_that_fails_or_gives_something_else_makes_elements_equal() -> None:
    def failing(x: Any, y: Any, level: int) -> Any:
        raise errors.Thrown("no")

    for f in (function(failing, 2), function(lambda x, y, level: "z", 2), FnPtr("no_such_function")):
        assert shown(call("sort", value("[2, 3, 1]"), f)[0]) == "[2, 3, 1]"


def test_what_ends_a_run_also_ends_a_sort() -> None:
    def exhausted(x: Any, y: Any, level: int) -> Any:
        raise errors.too_many_operations()

    for name in ("sort", "dedup"):
        with pytest.raises(RhaiError, match="Too many operations"):
            call(name, value("[2, 3, 1]"), function(exhausted, 2))


def test_dedup_compares_with_the_element_kept_before() -> None:
    near = function(lambda kept, x, level: x - kept < 3, 2)
    assert shown(call("dedup", value("[1, 2, 3, 4, 7, 8]"), near)[0]) == "[1, 4, 7]"


# --- who holds what ---


@pytest.mark.parametrize("name", ["filter", "order_by", "find"])
def test_elements_given_back_that_also_stay_are_marked(name: str) -> None:
    array = value("[[1], [2]]")
    count = 2 if name == "order_by" else 1
    call(name, array, function(lambda *all: True, count))
    assert array.v[0].state & SHARED
