"""What a `Kind` claims, checked against values: the meaning of the lattice, apart from its rules.

Owns:      which values a kind allows, which kinds say less than others, and random ones of both.
Never:     uses a rule of `kinds` to judge one.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.kinds import Kind
from trex.languages.rhai.semantics.containers import array_of, map_of
from trex.languages.rhai.values import Array, Blob, Char, FnPtr, Map, Range, char
from trex.values import INT_MAX, INT_MIN

BITS: dict[type, int] = {
    int: k.INT,
    float: k.FLOAT,
    bool: k.BOOL,
    str: k.STR,
    Char: k.CHAR,
    type(None): k.UNIT,
    Array: k.ARRAY,
    Map: k.MAP,
    Blob: k.BLOB,
    Range: k.RANGE,
    FnPtr: k.FN,
}


def allows(kind: Kind, value: Any) -> bool:
    """Whether a value may be one of this kind."""
    bit = BITS.get(type(value), k.OTHER)
    if not kind.bits & bit:
        return False
    if bit == k.INT:
        return kind.low <= value <= kind.high
    if bit == k.ARRAY and kind.item is not None:
        return all(allows(kind.item, item) for item in value.v)
    if bit == k.MAP and kind.fields is not None:
        others = kind.fields[None]
        # What is missing reads as unit.
        named = all(allows(each, value.v.get(name)) for name, each in kind.fields.items() if name is not None)
        return named and all(allows(others, item) for name, item in value.v.items() if name not in kind.fields)
    return True


def says_less(kind: Kind, than: Kind) -> bool:
    """Whether `kind` allows all that `than` does, by the look of both."""
    if than.bits & ~kind.bits:
        return False
    if than.bits & k.INT and not kind.low <= than.low <= than.high <= kind.high:
        return False
    if than.bits & k.ARRAY and kind.item is not None and (than.item is None or not says_less(kind.item, than.item)):
        return False
    if than.bits & k.MAP and kind.fields is not None:
        if than.fields is None:
            return False
        names = kind.fields.keys() | than.fields.keys()
        return all(
            says_less(kind.fields.get(name, kind.fields[None]), than.fields.get(name, than.fields[None]))
            for name in names
        )
    return True


def depth(kind: Kind) -> int:
    """How deep what is known of contents reaches."""
    inner = [] if kind.item is None else [kind.item]
    inner += [] if kind.fields is None else kind.fields.values()
    return 1 + max(map(depth, inner)) if inner else 0


BOUNDS = st.one_of(st.integers(-20, 20), st.sampled_from([INT_MIN, INT_MAX, INT_MIN + 1, 2**32]))
NAMES = st.sampled_from("abcd")
BARE = st.sampled_from([k.FLOAT, k.BOOL, k.STR, k.CHAR, k.UNIT, k.BLOB, k.RANGE, k.FN, k.OTHER])


@st.composite
def _integer(draw: Any) -> Kind:
    low, high = sorted((draw(BOUNDS), draw(BOUNDS)))
    return Kind(k.INT, low, high)


def _around(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    arrays = st.one_of(st.none(), inner).map(lambda item: Kind(k.ARRAY, item=item))
    # A name that is not there reads as unit, whatever the others may be.
    others = st.one_of(st.just(k.K_UNIT), inner.map(lambda kind: k.join(kind, k.K_UNIT)))
    maps = st.builds(
        lambda fields, rest: Kind(k.MAP, fields={**fields, None: rest}),
        st.dictionaries(NAMES, inner, max_size=3),
        others,
    )
    return st.one_of(arrays, maps, st.just(k.K_MAP))


SINGLE = st.recursive(st.one_of(_integer(), BARE.map(Kind)), _around, max_leaves=4)


@st.composite
def kinds(draw: Any) -> Kind:
    """Any kind: some types, each with or without more about it."""
    parts = draw(st.lists(SINGLE, max_size=3))
    if draw(st.integers(0, 9)) == 0:
        return k.K_ANY
    bits, low, high = 0, INT_MAX, INT_MIN
    item: Kind | None = None
    fields: dict[str | None, Kind] | None = None
    for part in parts:
        if bits & part.bits:
            continue
        bits |= part.bits
        if part.bits & k.INT:
            low, high = part.low, part.high
        item = part.item if part.bits & k.ARRAY else item
        fields = part.fields if part.bits & k.MAP else fields
    if not bits:
        return k.K_NEVER
    return Kind(bits, low, high, item, fields) if bits & k.INT else Kind(bits, item=item, fields=fields)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3).map(array_of),
        st.dictionaries(NAMES, inner, max_size=3).map(map_of),
    )


NO_NUMBERS = st.one_of(
    st.booleans(),
    st.none(),
    st.text(st.sampled_from("ab1 -Ü"), max_size=4),
    st.sampled_from("ab1Ü").map(char),
)
SCALARS = st.one_of(BOUNDS, st.integers(INT_MIN, INT_MAX), st.floats(), NO_NUMBERS)
OTHER_VALUES = st.one_of(
    st.binary(max_size=4).map(lambda data: Blob(bytearray(data))),
    st.builds(Range, st.integers(-5, 5), st.integers(-5, 5), st.booleans()),
    st.just(FnPtr("nothing")),
)
CONTAINERS = _containers(st.recursive(SCALARS, _containers, max_leaves=5))
VALUES = st.one_of(st.recursive(SCALARS, _containers, max_leaves=5), OTHER_VALUES)


def kind_of_value(value: Any) -> Kind:
    """What the compiler would know of a literal of this value."""
    if type(value) is Array:
        return k.array_of(map(kind_of_value, value.v))
    if type(value) is Map:
        return k.map_of((name, kind_of_value(item)) for name, item in value.v.items())
    if type(value) in (int, float, bool, str, Char, type(None)):
        return k.of_literal(value)
    return Kind(BITS.get(type(value), k.OTHER))
