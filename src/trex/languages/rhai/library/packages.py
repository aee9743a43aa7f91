"""All modules of the standard packages: importing this fills the tables of `registry`.

Owns:  the list.
"""

from __future__ import annotations

from trex.languages.rhai.library import (
    array_calls,
    arrays,
    bits,
    blobs,
    core,
    functions,
    json,
    maps,
    numbers,
    ranges,
    sorting,
    strings,
    time,
)

__all__ = [
    "array_calls",
    "arrays",
    "bits",
    "blobs",
    "core",
    "functions",
    "json",
    "maps",
    "numbers",
    "ranges",
    "sorting",
    "strings",
    "time",
]
