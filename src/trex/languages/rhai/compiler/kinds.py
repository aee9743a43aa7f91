"""What the compiler knows of a value before it exists: sets of types, and bounds of integers.

Owns:  the lattice: a `Kind` is a bit set of types with bounds for the integers among them.
Never: guesses: what is not certain is `ANY`.

A wrong kind would be a wrong program, so each rule here is one the operators and the library keep.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from trex.languages.rhai.values import Char
from trex.values import INT_MAX, INT_MIN

INT, FLOAT, BOOL, STR, CHAR, UNIT, ARRAY, MAP, BLOB, RANGE, FN, OTHER = (1 << n for n in range(12))
ANY = (1 << 12) - 1
NUMBER = INT | FLOAT
CONTAINER = ARRAY | MAP | BLOB
NEVER = 0


class Kind(NamedTuple):
    """Types a value may have; `low` and `high` bound it where it is an integer."""

    bits: int
    low: int = INT_MIN
    high: int = INT_MAX


K_ANY = Kind(ANY)
K_INT = Kind(INT)
K_FLOAT = Kind(FLOAT)
K_NUMBER = Kind(NUMBER)
K_BOOL = Kind(BOOL)
K_STR = Kind(STR)
K_CHAR = Kind(CHAR)
K_UNIT = Kind(UNIT)
K_ARRAY = Kind(ARRAY)
K_MAP = Kind(MAP)
K_BLOB = Kind(BLOB)
K_RANGE = Kind(RANGE)
K_FN = Kind(FN)
K_OTHER = Kind(OTHER)
K_NEVER = Kind(NEVER, INT_MAX, INT_MIN)
K_LENGTH = Kind(INT, 0, 2**40)

_LITERALS: dict[type, Kind] = {float: K_FLOAT, bool: K_BOOL, str: K_STR, Char: K_CHAR, type(None): K_UNIT}


def of_literal(value: Any) -> Kind:
    """The kind of a literal."""
    if type(value) is int:
        return Kind(INT, value, value)
    return _LITERALS[type(value)]


def join(a: Kind, b: Kind) -> Kind:
    """Either of two."""
    if a is b:
        return a
    return Kind(a.bits | b.bits, a.low if a.low < b.low else b.low, a.high if a.high > b.high else b.high)


def integer(low: int, high: int) -> Kind:
    """An integer result: what leaves 64 bits is an error and not a value."""
    if low < INT_MIN:
        low = INT_MIN
    if high > INT_MAX:
        high = INT_MAX
    return Kind(INT, low, high)


def exact_bounds(op: str, a: Kind, b: Kind) -> tuple[int, int]:
    """The mathematical bounds of `a op b` for `+`, `-`, `*`."""
    if op == "+":
        return a.low + b.low, a.high + b.high
    if op == "-":
        return a.low - b.high, a.high - b.low
    products = (a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high)
    return min(products), max(products)


def binary(op: str, a: Kind, b: Kind) -> Kind:
    """The kind of `a op b`."""
    x, y = a.bits, b.bits
    if x == INT and y == INT:
        return _integers(op, a, b)
    if op in _COMPARISONS:
        return K_BOOL
    if op == ".." or op == "..=":
        return K_RANGE
    if not (x | y) & ~NUMBER and op in _NUMERIC:
        return K_FLOAT if x == FLOAT or y == FLOAT else K_NUMBER
    if op == "+":
        if x == STR or y == STR or (x == CHAR and y == CHAR):
            return K_STR
        if x == ARRAY and y == ARRAY:
            return K_ARRAY
        if x == MAP and y == MAP:
            return K_MAP
        return Kind(NUMBER | STR | ARRAY | MAP | BLOB | OTHER)
    if op == "-":
        return K_STR if x == STR else Kind(NUMBER | STR | OTHER)
    if op in "&|^":
        return K_BOOL if x == BOOL and y == BOOL else Kind(INT | BOOL | OTHER)
    if op in _NUMERIC:
        return Kind(NUMBER | OTHER)
    return Kind(INT | OTHER)


_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_NUMERIC = frozenset(("+", "-", "*", "/", "%", "**"))


def _integers(op: str, a: Kind, b: Kind) -> Kind:
    if op in ("+", "-", "*"):
        return integer(*exact_bounds(op, a, b))
    if op in _COMPARISONS:
        return K_BOOL
    if op == "%":
        most = max(abs(b.low), abs(b.high)) - 1
        if most < 0:
            return K_INT
        return Kind(INT, 0 if a.low >= 0 else max(a.low, -most), min(max(a.high, 0), most))
    if op == "/":
        if b.low > 0:
            return Kind(INT, min(a.low, 0), max(a.high, 0))
        return K_INT
    if op == "&":
        if a.low >= 0 or b.low >= 0:
            return Kind(INT, 0, min(x.high for x in (a, b) if x.low >= 0))
        return K_INT
    if op == ">>":
        if a.low >= 0 and b.low >= 0:
            return Kind(INT, 0, a.high)
        return K_INT
    if op in ("|", "^"):
        if a.low >= 0 and b.low >= 0:
            return Kind(INT, 0, (1 << max(a.high.bit_length(), b.high.bit_length())) - 1)
        return K_INT
    if op == ".." or op == "..=":
        return K_RANGE
    return K_INT


def assigned(op: str, a: Kind, b: Kind) -> Kind:
    """The kind of the target after `a op= b`."""
    bits = a.bits
    if bits == INT and b.bits == INT:
        return _integers(op, a, b)
    if not (bits | b.bits) & ~NUMBER:
        return binary(op, a, b)
    if op == "+" and not bits & ~(ARRAY | STR | MAP | BLOB):
        return a if bits in (ARRAY, STR, MAP, BLOB) else Kind(bits)
    return K_ANY


# What library functions give, by name; only for receivers of the kinds in the second place.
RESULTS: dict[str, tuple[Kind, int]] = {
    "len": (K_LENGTH, STR | ARRAY | BLOB),
    "bytes": (K_LENGTH, STR),
    "is_empty": (K_BOOL, STR | ARRAY | BLOB | RANGE),
    "contains": (K_BOOL, STR | ARRAY | BLOB | RANGE),
    "starts_with": (K_BOOL, STR),
    "ends_with": (K_BOOL, STR),
    "index_of": (Kind(INT, -1, 2**40), STR | ARRAY),
    "sub_string": (K_STR, STR),
    "to_upper": (K_STR, STR),
    "to_lower": (K_STR, STR),
    "split": (K_ARRAY, STR | ARRAY),
    "to_string": (K_STR, NUMBER | BOOL | STR | CHAR | UNIT | ARRAY | BLOB | RANGE),
    "to_int": (K_INT, NUMBER | CHAR),
    "to_float": (K_FLOAT, NUMBER),
    "sqrt": (K_FLOAT, FLOAT),
    "floor": (K_FLOAT, FLOAT),
    "ceiling": (K_FLOAT, FLOAT),
    "round": (K_FLOAT, FLOAT),
    "sin": (K_FLOAT, FLOAT),
    "cos": (K_FLOAT, FLOAT),
    "exp": (K_FLOAT, FLOAT),
    "ln": (K_FLOAT, FLOAT),
    "parse_int": (K_INT, STR),
    "parse_float": (K_FLOAT, STR),
    "is_odd": (K_BOOL, INT),
    "is_even": (K_BOOL, INT),
    "map": (K_ARRAY, ARRAY),
    "filter": (K_ARRAY, ARRAY),
    "to_chars": (K_ARRAY, STR),
    "to_hex": (K_STR, INT),
    "blob": (K_BLOB, INT),
    "to_blob": (K_BLOB, STR),
    "to_array": (K_ARRAY, BLOB),
    "keys": (K_ARRAY, MAP),
    "values": (K_ARRAY, MAP),
    "extract": (K_ARRAY, ARRAY),
    "abs": (K_NUMBER, NUMBER),
    "push": (K_UNIT, ARRAY),
    "reverse": (K_UNIT, ARRAY),
    "sort": (K_UNIT, ARRAY),
    "type_of": (K_STR, ANY),
}


def of_call(name: str, receiver: Kind) -> Kind:
    """What a library function of this name gives for a receiver of this kind."""
    found = RESULTS.get(name)
    if found is None or receiver.bits & ~found[1] or not receiver.bits:
        return K_ANY
    return found[0]
