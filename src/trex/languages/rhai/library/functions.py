"""What a function pointer tells about itself.

Owns:  the name of a function pointer, and whether it is a closure.
Never: calls one (`callbacks`, `semantics.calls`).
"""

from __future__ import annotations

from trex.languages.rhai.library.registry import function
from trex.languages.rhai.values import FnPtr


@function("name", FnPtr, arguments=1, effect="pure", getter=True)
def name(f: FnPtr) -> str:
    return f.name


@function("is_anonymous", FnPtr, arguments=1, effect="pure", getter=True)
def is_anonymous(f: FnPtr) -> bool:
    return f.name.startswith("anon$")
