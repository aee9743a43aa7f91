"""Elements, characters, bits and properties, read and written, as the language's engine was seen to do it."""

from __future__ import annotations

import pytest

from support.language import fresh_run, limited, shown, value
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.semantics import exceptions
from trex.languages.rhai.semantics.indexing import get_property, index, set_property, store_index
from trex.languages.rhai.semantics.state import RUN

# Two spaces around `@` and `=` tell them from what is part of a value.
READING = r"""
    [1, 2, 3]  @  -1 => 3
    [1, 2, 3]  @  3 => ! ErrorArrayBounds: Array index 3 out of bounds: only 3 elements in array
    [1]  @  -2 => ! ErrorArrayBounds: Array index -2 out of bounds: only 1 element in array
    []  @  0 => ! ErrorArrayBounds: Array index 0 out of bounds: array is empty
    [1]  @  "a" => ! ErrorMismatchDataType: Data type incorrect: string (expecting i64)
    [1]  @  0..1 => ! ErrorMismatchDataType: Data type incorrect: core::ops::range::Range<i64> (expecting i64)
    #{a: 1}  @  "a" => 1
    #{a: 1}  @  "b" => ()
    #{a: 1}  @  1 => ! ErrorMismatchDataType: Data type incorrect: i64 (expecting string)
    "héllo"  @  1 => 'é'
    "héllo"  @  -1 => 'o'
    "héllo"  @  5 => ! ErrorStringBounds: String index 5 out of bounds: only 5 characters in string
    ""  @  0 => ! ErrorStringBounds: String index 0 out of bounds: string is empty
    "hello"  @  1..3 => "el"
    "hello"  @  -3..-1 => "ll"
    "hello"  @  2..9223372036854775807 => "llo"
    "hello"  @  2..=2 => ""
    "hello"  @  0..=1 => "he"
    "a"  @  0..=0 => "a"
    "hello"  @  -9..2 => ! ErrorStringBounds: String index -9 out of bounds: only 5 characters in string
    "hello"  @  3..1 => ""
    ""  @  -5..2 => ""
    "hello"  @  1.0 => ! ErrorMismatchDataType: Data type incorrect: f64 (expecting i64)
    10  @  1 => true
    10  @  -1 => false
    10  @  64 => ! ErrorBitFieldBounds: Bit-field index 64 out of bounds: only 64 bits in bit-field
    10  @  1..4 => 5
    10  @  1..=2 => 1
    -1  @  60..64 => -1
    10  @  5..5 => 0
    10  @  0..65 => ! ErrorBitFieldBounds: Bit-field index 65 out of bounds: only 64 bits in bit-field
    10  @  -2..3 => ! ErrorBitFieldBounds: Bit-field index -2 out of bounds: only 64 bits in bit-field
    10  @  'a' => ! ErrorMismatchDataType: Data type incorrect: char (expecting i64)
    blob[7, 255]  @  -1 => 255
    blob[7]  @  1 => ! ErrorArrayBounds: Array index 1 out of bounds: only 1 element in array
    true  @  0 => ! ErrorIndexingType: Indexer unavailable: bool [i64]
    ()  @  "a" => ! ErrorIndexingType: Indexer unavailable: () [string]
"""
WRITING = r"""
    [1, 2, 3]  @  -1  =  "x" => [1, 2, "x"]
    [1]  @  1  =  2 => ! ErrorArrayBounds: Array index 1 out of bounds: only 1 element in array
    #{}  @  "a"  =  [1] => #{a: [1]}
    #{}  @  1  =  2 => ! ErrorMismatchDataType: Data type incorrect: i64 (expecting string)
    "hello"  @  0  =  'J' => "Jello"
    "hello"  @  0  =  "J" => ! ErrorMismatchDataType: Data type incorrect: string (expecting char)
    "hello"  @  9  =  'x' => ! ErrorStringBounds: String index 9 out of bounds: only 5 characters in string
    "hello"  @  1..4  =  "-" => "h-o"
    "hello"  @  3..3  =  "xy" => "helxylo"
    "hello"  @  9..9  =  "xy" => "helloxy"
    "hello"  @  3..1  =  "xy" => "helxyello"
    "hello"  @  2..=2  =  '_' => "he_lo"
    "hello"  @  1..=9  =  [1, 'c'] => "h[1, 'c']"
    ""  @  1..4  =  7 => "7"
    "hello"  @  -9..2  =  "x" => ! ErrorStringBounds: String index -9 out of bounds: only 5 characters in string
    0  @  3  =  true => 8
    -1  @  -1  =  false => 9223372036854775807
    0  @  0  =  1 => ! ErrorMismatchDataType: Data type incorrect: i64 (expecting bool)
    0  @  4..8  =  9 => 144
    0  @  60..64  =  300 => -4611686018427387904
    0  @  0..4  =  true => ! ErrorMismatchDataType: Data type incorrect: bool (expecting integer)
    5  @  3..3  =  7 => 5
    blob[1, 2]  @  0  =  -1 => blob[255, 2]
    blob[1, 2]  @  0  =  "a" => ! ErrorMismatchDataType: Data type incorrect: string (expecting INT)
    blob[1]  @  1  =  2 => ! ErrorArrayBounds: Array index 1 out of bounds: only 1 element in array
    true  @  0  =  1 => ! ErrorIndexingType: Indexer unavailable: bool [i64] = i64
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


def rows(table: str) -> list[str]:
    return [line.strip() for line in table.strip().splitlines()]


@pytest.mark.parametrize("row", rows(READING))
def test_an_index_reads_what_the_engine_reads(row: str) -> None:
    text, expected = row.split(" => ")
    container, at = map(value, text.split("  @  "))
    try:
        found = shown(index(container, at))
    except RhaiError as error:
        found = f"! {error.kind}: {exceptions.message(error)}"
    assert found == expected


@pytest.mark.parametrize("row", rows(WRITING))
def test_an_index_writes_what_the_engine_writes(row: str) -> None:
    text, expected = row.split(" => ")
    place, new = text.split("  =  ")
    container, at = map(value, place.split("  @  "))
    try:
        found = shown(store_index(container, at, value(new)))
    except RhaiError as error:
        found = f"! {error.kind}: {exceptions.message(error)}"
    assert found == expected


def test_a_negative_index_writes_the_character_it_reads() -> None:
    assert store_index("hello", -2, value("'x'")) == "helxo"


def test_properties_of_a_map_are_its_entries_and_nothing_else() -> None:
    map = value("#{a: 1}")
    assert (get_property(map, "a"), get_property(map, "len")) == (1, None)
    set_property(map, "b", value('"é"'))
    assert (shown(map), map.extra_string) == ('#{a: 1, b: "é"}', 2)


def test_a_missing_property_is_an_error_where_that_is_asked_for() -> None:
    RUN.strict_properties = True
    for read in (get_property, index):
        with pytest.raises(RhaiError, match="Property not found: b"):
            read(value("#{a: ()}"), "b")
        assert read(value("#{a: ()}"), "a") is None


def test_getters_are_found_by_type() -> None:
    assert get_property("añ", "len") == 2
    with pytest.raises(RhaiError, match="Unknown property 'len' - a getter is not registered for type 'i64'"):
        get_property(5, "len")


def test_only_maps_have_properties_that_can_be_written() -> None:
    with pytest.raises(
        RhaiError, match="No writable property 'len' - a setter is not registered for type 'string' to handle 'i64'"
    ):
        set_property("a", "len", 5)


def test_stores_keep_counts_and_limits() -> None:
    array = value('[1, "abc"]')
    store_index(array, 1, value("[1, 2]"))
    assert (array.extra_array, array.extra_string) == (2, 0)
    with limited(array=3), pytest.raises(RhaiError, match="Size of array/BLOB too large"):
        store_index(array, 0, value("[1]"))
    with limited(map=1), pytest.raises(RhaiError, match="Size of object map too large"):
        store_index(value("#{a: 1}"), "b", 2)
    with limited(string=5), pytest.raises(RhaiError, match="Length of string too large"):
        store_index("hello", 0, value("'é'"))
