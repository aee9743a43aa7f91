"""Arrays: what the functions give, as the language's engine was seen to give it."""

from __future__ import annotations

import pytest

from support.language import call, fresh_run, limited, outcome, shown, value
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.values import SHARED

ROWS = r"""
    len([1, 2]) => [[1, 2], 2]
    is_empty([]) => [[], true]
    get([1, 2, 3], -9) => [[1, 2, 3], 1]
    get([1, 2, 3], 3) => [[1, 2, 3], ()]
    set([1, 2, 3], -1, "x") => [[1, 2, "x"], ()]
    set([1, 2, 3], 5, "x") => [[1, 2, 3], ()]
    push([1], [2]) => [[1, [2]], ()]
    append([1], [2, [3]]) => [[1, 2, [3]], ()]
    append([1], 2) => ! ErrorFunctionNotFound: Function not found: append (array, i64)
    insert([1, 2], -1, 9) => [[1, 9, 2], ()]
    insert([1, 2], 99, 9) => [[1, 2, 9], ()]
    pad([1], 3, [0]) => [[1, [0], [0]], ()]
    pad([1], -1, 0) => [[1], ()]
    pop([1, 2]) => [[1], 2]
    pop([]) => [[], ()]
    shift([1, 2]) => [[2], 1]
    remove([1, 2, 3], -2) => [[1, 3], 2]
    remove([1, 2, 3], 3) => [[1, 2, 3], ()]
    clear([1, [2]]) => [[], ()]
    reverse([1, "a", ()]) => [[(), "a", 1], ()]
    truncate([1, 2, 3], 2) => [[1, 2], ()]
    truncate([1, 2, 3], -1) => [[], ()]
    chop([1, 2, 3], 2) => [[2, 3], ()]
    chop([1, 2, 3], 0) => [[], ()]
    extract([1, 2, 3, 4], 1) => [[1, 2, 3, 4], [2, 3, 4]]
    extract([1, 2, 3, 4], -3, 2) => [[1, 2, 3, 4], [2, 3]]
    extract([1, 2, 3, 4], 1..=1) => [[1, 2, 3, 4], [2]]
    extract([1, 2, 3, 4], -5..2) => [[1, 2, 3, 4], [1, 2]]
    splice([1, 2, 3, 4], 1, 2, [9]) => [[1, 9, 4], ()]
    splice([1, 2], 9, 1, [8]) => [[1, 2, 8], ()]
    splice([], 0, 0, [8]) => [[8], ()]
    splice([1, 2, 3], 2..=1, [7, 7]) => [[1, 2, 7, 7], ()]
    split([1, 2, 3], -1) => [[1, 2], [3]]
    split([1, 2, 3], 0) => [[], [1, 2, 3]]
    drain([1, 2, 3, 4], 1..3) => [[1, 4], [2, 3]]
    drain([1, 2, 3, 4], -1, 5) => [[1, 2, 3], [4]]
    drain([1, 2], 0, 0) => [[1, 2], []]
    retain([1, 2, 3, 4], 1, 2) => [[2, 3], [1, 4]]
    retain([1, 2, 3, 4], 9, 1) => [[1, 2, 3, 4], []]
    contains([1, 2.0, "a"], 2) => [[1, 2.0, "a"], true]
    contains(["a"], 'a') => [["a"], true]
    contains([true], 1) => [[true], false]
    index_of([1, 2, 1], 1, 1) => [[1, 2, 1], 2]
    index_of([1, 2, 1], 2, -1) => [[1, 2, 1], -1]
    index_of([[1], [2]], [2.0]) => [[[1], [2]], 1]
    dedup([1, 1, 2, 2.0, 1]) => [[1, 2, 1], ()]
    sort([3, 1, 2]) => [[1, 2, 3], ()]
    sort(["b", "a", "é"]) => [["a", "b", "é"], ()]
    sort(['b', 'a']) => [['a', 'b'], ()]
    sort([true, false]) => [[false, true], ()]
    sort([2.5, -1.0]) => [[-1.0, 2.5], ()]
    sort([1, "a"]) => ! ErrorFunctionNotFound: Function not found: elements of different types cannot be sorted
    sort([[1], [2]]) => ! ErrorFunctionNotFound: Function not found: elements of array cannot be sorted
    sort([1..2, 2..3]) => ! ErrorFunctionNotFound: Function not found: elements of core::ops::range::Range<i64> cannot be sorted
    sort([[1]]) => [[[1]], ()]
    sort_desc([1, 3, 2]) => [[3, 2, 1], ()]
    order([2, 1]) => [[2, 1], [1, 2]]
    order_desc([1, 2]) => [[1, 2], [2, 1]]
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_a_function_gives_what_the_engine_gives(row: str) -> None:
    call_text, _, expected = row.strip().partition(" => ")
    assert outcome(call_text) == expected


def test_what_is_read_and_stays_is_marked() -> None:
    array = value("[[1], #{a: 1}]")
    assert call("get", array, 0)[1].state & SHARED
    assert call("extract", array, 1)[1].v[0].state & SHARED


def test_what_is_removed_is_no_longer_counted() -> None:
    array = value('[[1, 2], "abc", #{a: "d"}]')
    call("shift", array)
    assert (array.extra_array, array.extra_map, array.extra_string) == (0, 1, 4)
    call("clear", array)
    assert (array.extra_array, array.extra_map, array.extra_string, array.state) == (0, 0, 0, 0)


def test_padding_is_measured_with_all_that_the_element_holds() -> None:
    with limited(array=10), pytest.raises(RhaiError, match="Size of array/BLOB too large"):
        call("pad", value("[]"), 4, value("[1, 2, 3]"))
    with limited(string=10), pytest.raises(RhaiError, match="Length of string too large"):
        call("pad", value("[]"), 2**60, "x")


def test_a_sort_that_fails_leaves_the_array_as_it_was() -> None:
    array = value('[2, 1, "a"]')
    with pytest.raises(RhaiError, match="elements of different types cannot be sorted"):
        call("sort", array)
    assert shown(array) == '[2, 1, "a"]'
