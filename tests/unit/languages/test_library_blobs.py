"""BLOBs: what the functions give, as the language's engine was seen to give it."""

from __future__ import annotations

import pytest

from support.language import call, fresh_run, limited, outcome, value
from trex.languages.rhai.errors import RhaiError

ROWS = r"""
    blob(3, 300) => [3, blob[44, 44, 44]]
    blob(-1) => [-1, blob[]]
    len(blob[1, 2]) => [blob[1, 2], 2]
    contains(blob[1, 44], 300) => [blob[1, 44], true]
    get(blob[1, 2], -1) => [blob[1, 2], 2]
    get(blob[1, 2], 9) => [blob[1, 2], 0]
    set(blob[1, 2], 0, -1) => [blob[255, 2], ()]
    push(blob[], 300) => [blob[44], ()]
    append(blob[1], "é") => [blob[1, 195, 169], ()]
    append(blob[1], 'a') => [blob[1, 97], ()]
    append(blob[1], blob[2]) => [blob[1, 2], ()]
    append(blob[1], 1.0) => ! ErrorFunctionNotFound: Function not found: append (blob, f64)
    insert(blob[1, 2], 1, 7) => [blob[1, 7, 2], ()]
    pad(blob[1], 3, 257) => [blob[1, 1, 1], ()]
    pop(blob[]) => [blob[], 0]
    shift(blob[1, 2]) => [blob[2], 1]
    remove(blob[1, 2], 9) => [blob[1, 2], 0]
    reverse(blob[1, 2]) => [blob[2, 1], ()]
    truncate(blob[1, 2, 3], 1) => [blob[1], ()]
    chop(blob[1, 2, 3], 1) => [blob[3], ()]
    extract(blob[1, 2, 3], 1) => [blob[1, 2, 3], blob[2, 3]]
    extract(blob[1, 2, 3], -2, 1) => [blob[1, 2, 3], blob[2]]
    extract(blob[1, 2, 3], 0..=0) => [blob[1, 2, 3], blob[1]]
    splice(blob[1, 2, 3], 0, 0, blob[9]) => [blob[1, 2, 3, 9], ()]
    splice(blob[1, 2, 3], 1, 1, blob[9, 9]) => [blob[1, 9, 9, 3], ()]
    splice(blob[1, 2, 3], 1..=2, blob[]) => [blob[1], ()]
    split(blob[1, 2, 3], -1) => [blob[1, 2], blob[3]]
    drain(blob[1, 2, 3], 0..2) => [blob[3], blob[1, 2]]
    retain(blob[1, 2, 3], 1, 1) => [blob[2], blob[1, 3]]
    retain(blob[1, 2, 3], 9, 1) => [blob[], blob[1, 2, 3]]
    retain(blob[1, 2, 3], 0, 0) => [blob[1, 2, 3], blob[]]
    to_array(blob[1, 255]) => [blob[1, 255], [1, 255]]
    as_string(blob[104, 255, 105]) => [blob[104, 255, 105], "h�i"]
    parse_le_int(blob[52, 18], 0, 2) => [blob[52, 18], 4660]
    parse_be_int(blob[1], 0, 1) => [blob[1], 72057594037927936]
    parse_le_int(blob[1], 5, 1) => [blob[1], 0]
    parse_le_float(blob[0, 0, 0, 0, 0, 0, 240, 63], 0, 8) => [blob[0, 0, 0, 0, 0, 0, 240, 63], 1.0]
    write_le(blob[0, 0, 0], 0, 2, 4660) => [blob[52, 18, 0], ()]
    write_be(blob[0, 0, 0], 1..3, 4660) => [blob[0, 0, 0], ()]
    write_le(blob[0, 0], 0, 2, 1.0) => [blob[0, 0], ()]
    write_utf8(blob[0, 0, 0], 0, 2, "é!") => [blob[195, 169, 0], ()]
    write_ascii(blob[0, 0, 0], 0, 3, "é!a") => [blob[33, 97, 0], ()]
"""


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@pytest.mark.parametrize("row", ROWS.strip().splitlines(), ids=str.strip)
def test_a_function_gives_what_the_engine_gives(row: str) -> None:
    call_text, _, expected = row.strip().partition(" => ")
    assert outcome(call_text) == expected


def test_a_blob_is_measured_before_it_is_made() -> None:
    with limited(array=10):
        for name, arguments in (
            ("blob", (2**60,)),
            ("append", (value("blob[1]"), "0123456789")),
            ("splice", (value("blob[1]"), 0, 0, value("blob[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"))),
        ):
            with pytest.raises(RhaiError, match="Size of array/BLOB too large"):
                call(name, *arguments)
        with pytest.raises(RhaiError, match="Size of BLOB too large"):
            call("pad", value("blob[1]"), 2**60, 0)
