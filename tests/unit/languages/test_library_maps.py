"""Object maps: what the functions give, as the language's engine was seen to give it."""

from __future__ import annotations

import pytest

from support.language import call, fresh_run, outcome, shown, value
from trex.languages.rhai.values import SHARED

ROWS = r"""
    len(#{a: 1}) => [#{a: 1}, 1]
    is_empty(#{}) => [#{}, true]
    contains(#{a: 1}, "a") => [#{a: 1}, true]
    contains(#{a: 1}, 'a') => ! ErrorFunctionNotFound: Function not found: contains (map, char)
    get(#{a: 1}, "b") => [#{a: 1}, ()]
    set(#{a: 1}, "b", [2]) => [#{a: 1, b: [2]}, ()]
    remove(#{a: 1}, "a") => [#{}, 1]
    remove(#{a: 1}, "b") => [#{a: 1}, ()]
    clear(#{a: [1]}) => [#{}, ()]
    mixin(#{a: 1, b: 2}, #{b: 3, c: 4}) => [#{a: 1, b: 3, c: 4}, ()]
    fill_with(#{a: 1}, #{a: 9, d: 5}) => [#{a: 1, d: 5}, ()]
    keys(#{z: 1, "B": 2, a: 3}) => [#{B: 2, a: 3, z: 1}, ["B", "a", "z"]]
    values(#{z: 1, "B": 2, a: 3}) => [#{B: 2, a: 3, z: 1}, [2, 3, 1]]
    set(#{}, 1, 2) => ! ErrorFunctionNotFound: Function not found: set (map, i64, i64)
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_a_function_gives_what_the_engine_gives(row: str) -> None:
    call_text, _, expected = row.strip().partition(" => ")
    assert outcome(call_text) == expected


def test_merging_counts_what_is_replaced_only_once() -> None:
    map = value('#{a: "abc", b: [1]}')
    call("mixin", map, value('#{a: "é", c: #{d: 1}}'))
    assert (map.extra_array, map.extra_map, map.extra_string) == (1, 1, 2)


def test_a_map_merged_with_itself_is_itself() -> None:
    map = value('#{a: "abc", b: [1]}')
    call("mixin", map, map)
    assert (shown(map), map.extra_array, map.extra_string) == ('#{a: "abc", b: [1]}', 1, 3)


def test_values_and_entries_that_stay_are_marked() -> None:
    map = value("#{a: [1]}")
    assert call("values", map)[1].v[0].state & SHARED
    assert call("get", value("#{a: [1]}"), "a")[1].state & SHARED


def test_keys_are_in_the_order_of_their_bytes_after_every_change() -> None:
    map = value("#{b: 1, a: 1}")
    call("keys", map)
    call("remove", map, "a")
    call("set", map, "é", 1)
    assert call("keys", map)[1].v == ["b", "é"]
