"""A script's result as plain JSON.

Owns:  the mapping: unit is null, a character a string of one, a blob base64 text, an object its
       fields, a constant its name. A number that is not finite has no JSON form and becomes its text.
Never: looks at anything but the closed set of values.
"""

from __future__ import annotations

import binascii
import math
from typing import Any

from trex.values import Char, Constant, Object


def plain(value: Any) -> Any:
    """The JSON form of a value; raises `RecursionError` where it is nested beyond the interpreter's stack."""
    kind = type(value)
    if kind is float and not math.isfinite(value):
        return "NaN" if value != value else "inf" if value > 0 else "-inf"
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is list:
        return [plain(item) for item in value]
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is bytes:
        return binascii.b2a_base64(value, newline=False).decode()
    if kind is Char:
        return value.text
    if kind is Object:
        return {name: plain(item) for name, item in value.fields.items()}
    if kind is Constant:
        return value.name
    raise TypeError(f"{kind.__name__} is not a value")
