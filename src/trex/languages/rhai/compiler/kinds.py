"""What the compiler knows of a value before it exists: sets of types, and bounds of integers.

Owns:  the lattice: a `Kind` is a bit set of types with bounds for the integers among them.
Never: guesses: what is not certain is `ANY`.

A wrong kind would be a wrong program, so each rule here is one the operators and the library keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from trex.languages.rhai.syntax import Variable
from trex.languages.rhai.values import Char
from trex.values import INT_MAX, INT_MIN

INT, FLOAT, BOOL, STR, CHAR, UNIT, ARRAY, MAP, BLOB, RANGE, FN, OTHER = (1 << n for n in range(12))
ANY = (1 << 12) - 1
NUMBER = INT | FLOAT
CONTAINER = ARRAY | MAP | BLOB
NEVER = 0

# By the name a method gives for the type of its receiver.
BITS_BY_NAME = {
    "i64": INT,
    "f64": FLOAT,
    "bool": BOOL,
    "string": STR,
    "char": CHAR,
    "array": ARRAY,
    "map": MAP,
    "blob": BLOB,
    "Fn": FN,
}

# How deep what is known of elements reaches, and how many entries of a map are told apart.
DEEPEST = 3
MOST_FIELDS = 40


class Kind(Struct, frozen=True, gc=False):
    """Types a value may have.

    low, high: bounds, where it is an integer.
    item:      what its elements are, where it is an array; None where nothing is known of them.
    fields:    what its entries are by name, where it is an object map, under `None` those of all other names
               (unit where there are none); None where nothing is known of them.
    """

    bits: int
    low: int = INT_MIN
    high: int = INT_MAX
    item: Kind | None = None
    fields: dict[str | None, Kind] | None = None


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
K_BYTE = Kind(INT, 0, 255)
K_STRINGS = Kind(ARRAY, item=K_STR)

_LITERALS: dict[type, Kind] = {float: K_FLOAT, bool: K_BOOL, str: K_STR, Char: K_CHAR, type(None): K_UNIT}


_SMALL = {n: Kind(INT, n, n) for n in range(-16, 257)}


def of_literal(value: Any) -> Kind:
    """The kind of a literal."""
    if type(value) is int:
        return _SMALL.get(value) or Kind(INT, value, value)
    return _LITERALS[type(value)]


def join(a: Kind, b: Kind) -> Kind:
    """Either of two."""
    if a is b or not b.bits or a is K_ANY:
        return a
    if not a.bits or b is K_ANY:
        return b
    x, y = a.bits, b.bits
    low, high = INT_MIN, INT_MAX
    if not x & INT:
        low, high = b.low, b.high
    elif not y & INT:
        low, high = a.low, a.high
    else:
        low = a.low if a.low < b.low else b.low
        high = a.high if a.high > b.high else b.high
    if not (x | y) & (ARRAY | MAP):
        if x | y == x and low == a.low and high == a.high:
            return a
        return Kind(x | y, low, high)
    item = b.item if not x & ARRAY else a.item if not y & ARRAY else _join_items(a.item, b.item)
    fields = b.fields if not x & MAP else a.fields if not y & MAP else _join_fields(a.fields, b.fields)
    if x | y == x and low == a.low and high == a.high and item is a.item and fields is a.fields:
        return a
    return Kind(x | y, low, high, item, fields)


def _join_items(a: Kind | None, b: Kind | None) -> Kind | None:
    return None if a is None or b is None else join(a, b)


def _join_fields(a: dict[str | None, Kind] | None, b: dict[str | None, Kind] | None) -> dict[str | None, Kind] | None:
    if a is None or b is None or a is b:
        return a if b is not None else None
    rest, other = a[None], b[None]
    joined = {name: join(kind, b.get(name, other)) for name, kind in a.items()}
    for name, kind in b.items():
        if name not in a:
            joined[name] = join(rest, kind)
    if len(joined) > MOST_FIELDS:
        return None
    if len(joined) == len(a) and all(joined[name] is kind for name, kind in a.items()):
        return a
    return joined


def widened(old: Kind, new: Kind) -> Kind:
    """`new`, which contains `old`, with every bound that has moved given up."""
    if new is old:
        return old
    low = INT_MIN if new.low < old.low and old.bits & INT else new.low
    high = INT_MAX if new.high > old.high and old.bits & INT else new.high
    item = new.item if new.item is None or old.item is None else widened(old.item, new.item)
    fields = new.fields
    if fields is not None and old.fields is not None:
        before = old.fields
        fields = {name: widened(before[name], kind) if name in before else kind for name, kind in fields.items()}
    return Kind(new.bits, low, high, item, fields)


def clipped(kind: Kind, depth: int) -> Kind:
    """A kind that says nothing of what is nested deeper."""
    if kind.item is None and kind.fields is None:
        return kind
    if not depth:
        return Kind(kind.bits, kind.low, kind.high)
    item = None if kind.item is None else clipped(kind.item, depth - 1)
    fields = None
    if kind.fields is not None:
        fields = {name: clipped(entry, depth - 1) for name, entry in kind.fields.items()}
    return Kind(kind.bits, kind.low, kind.high, item, fields)


def array_of(items: Iterable[Kind]) -> Kind:
    """An array of these elements."""
    item = K_NEVER
    for each in items:
        item = join(item, each)
    return Kind(ARRAY, item=clipped(item, DEEPEST))


def map_of(entries: Iterable[tuple[str, Kind]]) -> Kind:
    """An object map of these entries and no others."""
    fields: dict[str | None, Kind] = {name: clipped(kind, DEEPEST) for name, kind in entries}
    fields[None] = K_UNIT
    return Kind(MAP, fields=fields) if len(fields) <= MOST_FIELDS else K_MAP


# A step to an element: by index with what is known of it, or by name.
Step = Kind | str


def element(kind: Kind, step: Step) -> Kind:
    """What stands at a step; `K_NEVER` where nothing can."""
    bits = kind.bits
    if type(step) is str:
        if bits != MAP or kind.fields is None:
            return K_LENGTH if step == "len" and not bits & ~(STR | ARRAY | BLOB) else K_ANY
        return kind.fields.get(step) or kind.fields[None]
    if bits == ARRAY:
        return K_ANY if kind.item is None or step.bits & ~INT else kind.item  # type: ignore[union-attr]
    if bits == STR:
        return K_CHAR if step.bits == INT else Kind(CHAR | STR)  # type: ignore[union-attr]
    if bits == BLOB and step.bits == INT:  # type: ignore[union-attr]
        return K_BYTE
    if bits == MAP and kind.fields is not None:
        found = K_NEVER
        for each in kind.fields.values():
            found = join(found, each)
        return found
    return K_ANY if bits else K_NEVER


def with_element(kind: Kind, steps: list[Step], at: int, change: Callable[[Kind], Kind]) -> Kind:
    """A kind after what stands at the steps from `at` on was replaced by what `change` makes of it."""
    if at == len(steps):
        return join(kind, change(kind))
    step = steps[at]
    item, fields = kind.item, kind.fields
    if item is not None:
        item = with_element(item, steps, at + 1, change)
    if fields is not None:
        if type(step) is str:
            found = with_element(fields.get(step) or fields[None], steps, at + 1, change)
            fields = {**fields, step: found}
        else:
            fields = {name: with_element(each, steps, at + 1, change) for name, each in fields.items()}
        if len(fields) > MOST_FIELDS:
            fields = None
    # A store into an integer changes its bits, one into a string its characters.
    low, high = (INT_MIN, INT_MAX) if kind.bits & INT else (kind.low, kind.high)
    return clipped(Kind(kind.bits, low, high, item, fields), DEEPEST)


def contents_forgotten(kind: Kind) -> Kind:
    """A value of the same type that was changed in an unknown way."""
    return Kind(kind.bits)


def without_unit(kind: Kind) -> Kind:
    """What is left of a kind where unit is ruled out."""
    return Kind(kind.bits & ~UNIT, kind.low, kind.high, kind.item, kind.fields) if kind.bits & UNIT else kind


def known(kind: Kind) -> Kind:
    """A kind for code that is compiled although nothing reaches it."""
    return kind if kind.bits else K_ANY


def may_hold(kind: Kind, name: str) -> bool:
    """Whether a value may have a function of its own under this name, or be of a type that is the host's."""
    if kind.bits & OTHER:
        return True
    if not kind.bits & MAP:
        return False
    return kind.fields is None or bool((kind.fields.get(name) or kind.fields[None]).bits & (FN | OTHER))


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
        if bits == ARRAY and a.item is not None:
            if b.bits == ARRAY:
                return K_ARRAY if b.item is None else Kind(ARRAY, item=join(a.item, b.item))
            return K_ARRAY if b.bits & ARRAY else Kind(ARRAY, item=clipped(join(a.item, b), DEEPEST))
        # A map and a string make a string.
        return Kind(bits | STR if bits & MAP and b.bits & STR else bits)
    return K_ANY


# What library functions give, by name; only for receivers of the kinds in the second place.
RESULTS: dict[str, tuple[Kind, int]] = {
    "len": (K_LENGTH, STR | ARRAY | BLOB | MAP),
    "bytes": (K_LENGTH, STR),
    "is_empty": (K_BOOL, STR | ARRAY | BLOB | RANGE | MAP),
    "contains": (K_BOOL, STR | ARRAY | BLOB | RANGE | MAP),
    "starts_with": (K_BOOL, STR),
    "ends_with": (K_BOOL, STR),
    "index_of": (Kind(INT, -1, 2**40), STR | ARRAY),
    "sub_string": (K_STR, STR),
    "to_upper": (K_STR, STR),
    "to_lower": (K_STR, STR),
    "split": (K_STRINGS, STR),
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
    "to_chars": (Kind(ARRAY, item=K_CHAR), STR),
    "to_hex": (K_STR, INT),
    "blob": (K_BLOB, INT),
    "to_blob": (K_BLOB, STR),
    "to_array": (Kind(ARRAY, item=K_BYTE), BLOB),
    "keys": (K_STRINGS, MAP),
    "values": (K_ARRAY, MAP),
    "abs": (K_NUMBER, NUMBER),
    "push": (K_UNIT, ARRAY),
    "pad": (K_UNIT, ARRAY | STR),
    "reverse": (K_UNIT, ARRAY),
    "sort": (K_UNIT, ARRAY),
    "type_of": (K_STR, ANY),
}

# What gives an element of an array, or unit.
_ELEMENT = frozenset(("pop", "shift", "remove"))
# What gives an array of some of an array's elements.
_SOME = frozenset(("filter", "extract", "drain", "retain", "split"))
# What leaves in an array only elements that were there.
KEEPS_ELEMENTS = frozenset(("pop", "shift", "remove", "truncate", "chop", "reverse", "clear", "sort", "sort_desc"))
# What puts its last argument into an array.
ADDS_ELEMENT = frozenset(("push", "pad", "insert"))


def of_call(name: str, receiver: Kind) -> Kind:
    """What a library function of this name gives for a receiver of this kind."""
    if receiver.bits == ARRAY and receiver.item is not None:
        if name in _ELEMENT:
            return join(receiver.item, K_UNIT)
        if name in _SOME:
            return Kind(ARRAY, item=receiver.item)
    found = RESULTS.get(name)
    if found is None or receiver.bits & ~found[1] or not receiver.bits:
        return K_ANY
    return found[0]


def root_of(variable: Variable) -> Variable:
    """The variable whose cell a capture shares; any other variable itself."""
    while variable.root is not None:
        variable = variable.root
    return variable


def kind_of(variable: Variable) -> Kind:
    """What is known of a variable."""
    return root_of(variable).kind or K_NEVER
