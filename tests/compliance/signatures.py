"""The library functions of values, with the sorts of arguments that they take.

Owns:      the table, as text: a function and the sorts of its arguments, by the sort of its receiver.
Never:     says what a function gives.
"""

from __future__ import annotations

# Receiver, then what may be called on it with which arguments.
SIGNATURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("string", (
        "len", "bytes", "is_empty", "get small", "set small char", "contains string", "contains char", "starts_with string",
        "ends_with string", "starts_with char", "index_of string", "index_of char", "index_of string small",
        "index_of char small", "sub_string small", "sub_string small small", "sub_string range", "crop small",
        "crop small small", "crop range", "split", "split string", "split char", "split string small", "split small",
        "split_rev string", "split_rev string small", "to_chars", "to_blob", "to_upper", "to_lower", "make_upper", "trim",
        "append string", "append int", "append float", "replace text string", "replace char string", "replace text char",
        "replace char char", "remove string", "remove char", "truncate small", "pad small text", "pad small char", "clear",
        "pop", "pop small", "to_debug",
    )),
    ("array", (
        "len", "get small", "set small int", "push string", "append array", "insert small char", "pad small int", "pop", "shift",
        "remove small", "reverse", "truncate small", "chop small", "extract small", "extract small small", "extract range",
        "splice small small array", "splice range array", "split small", "drain small small", "drain range", "drain test",
        "retain small small", "retain range", "retain test", "contains int", "contains string", "index_of int",
        "index_of int small", "index_of test", "find test", "find test small", "find_map change", "some test", "all test",
        "map change", "filter test", "for_each change", "dedup", "to_string", "to_debug", "zip array change", "sort",
    )),
    ("ints", (
        "sort", "sort_desc", "order", "order_desc", "sort order", "order order", "sort_by order", "order_by order", "dedup",
        "reduce fold", "reduce fold small", "reduce_rev fold", "reduce_rev fold string", "index_of small", "contains small",
        "filter test", "map change",
    )),
    ("map", (
        "len", "is_empty", "contains key", "get key", "set key int", "remove key", "mixin map", "fill_with map", "keys", "values",
        "to_json", "filter pick", "drain pick", "retain pick", "map pick", "to_string",
    )),
    ("blob", (
        "len", "get small", "set small int", "push int", "append int", "append string", "append blob", "insert small int",
        "pad small int", "pop", "shift", "remove small", "reverse", "truncate small", "chop small", "extract small",
        "extract small small", "extract range", "splice small small blob", "splice range blob", "split small",
        "drain small small", "drain range", "retain small small", "retain range", "contains int", "to_array", "as_string",
        "parse_le_int small small", "parse_be_int small small", "parse_le_int range", "parse_le_float small small",
        "parse_be_float small small", "write_le small small int", "write_be small small int", "write_le range int",
        "write_be small small float", "write_utf8 small small string", "write_ascii small small string",
        "write_utf8 range string", "to_string",
    )),
    ("int", (
        "abs", "sign", "is_zero", "is_odd", "to_float", "to_hex", "to_octal", "to_binary", "to_string", "get_bit small",
        "set_bit small bool", "get_bits small small", "get_bits bits", "set_bits small small int", "set_bits bits int",
        "max int", "min float",
    )),
    ("float", (
        "abs", "sign", "floor", "ceiling", "round", "int", "fraction", "to_int", "sqrt", "to_string", "to_debug", "max float",
        "min int", "is_zero", "to_radians", "to_degrees",
    )),
    ("number text", ("parse_int", "parse_int radix", "parse_float", "parse_json")),
    ("range", ("start", "end", "is_empty", "contains small", "is_inclusive")),
    ("char", ("to_upper", "to_lower", "to_int", "to_string", "to_debug")),
)  # fmt: skip
CALLS = tuple((receiver, *call.split(" ")) for receiver, table in SIGNATURES for call in table)

# One value of each sort, for tables that try every function once in every place.
TYPICAL = {
    "small": "1", "int": "258", "float": "2.5", "string": '"l"', "text": '"xy"', "char": "'l'", "bool": "true",
    "array": '[7, "z"]', "ints": "[3, 1, 2]", "map": "#{a: 9, z: 8}", "blob": "blob(2, 65)", "range": "1..3", "bits": "1..3",
    "test": "|x| x == 2", "change": "|x, i| [x, i]", "fold": "|a, x| a + x", "order": "|x, y| y - x", "key": '"a"',
    "pick": "|k, v| v == 1", "radix": "16", "number text": '"12"',
}  # fmt: skip

# A receiver of each sort on which the functions have something to do.
RECEIVERS = {
    "string": '"hello l"', "array": '[1, 2, 2, "l"]', "ints": "[3, 1, 2, 2]", "map": "#{a: 1, b: 2, c: 1}",
    "blob": 'blob_of(6)', "int": "22", "float": "-2.75", "number text": '" 12"', "range": "1..4", "char": "'l'",
}  # fmt: skip
