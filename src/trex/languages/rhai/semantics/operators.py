"""Every operator as a function of its operands, by the names that compiled code uses.

Owns:  nothing but the list; `arithmetic`, `comparison` and `assignment` implement.
"""

from __future__ import annotations

from trex.languages.rhai.semantics.arithmetic import (
    add,
    bit_and,
    bit_or,
    bit_xor,
    div,
    mod,
    mul,
    neg,
    not_,
    pos,
    power,
    range_exclusive,
    range_inclusive,
    shl,
    shr,
    sub,
)
from trex.languages.rhai.semantics.assignment import (
    assign_add,
    assign_bit_and,
    assign_bit_or,
    assign_bit_xor,
    assign_div,
    assign_mod,
    assign_mul,
    assign_power,
    assign_shl,
    assign_shr,
    assign_sub,
)
from trex.languages.rhai.semantics.comparison import contains, eq, ge, gt, le, lt, ne

__all__ = [
    "add",
    "assign_add",
    "assign_bit_and",
    "assign_bit_or",
    "assign_bit_xor",
    "assign_div",
    "assign_mod",
    "assign_mul",
    "assign_power",
    "assign_shl",
    "assign_shr",
    "assign_sub",
    "bit_and",
    "bit_or",
    "bit_xor",
    "contains",
    "div",
    "eq",
    "ge",
    "gt",
    "le",
    "lt",
    "mod",
    "mul",
    "ne",
    "neg",
    "not_",
    "pos",
    "power",
    "range_exclusive",
    "range_inclusive",
    "shl",
    "shr",
    "sub",
]
