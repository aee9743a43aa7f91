"""The words of the language that cannot be names, and the check of a name that a caller chooses.

Owns:  the lists of keywords and reserved words, and the rule for identifiers.
Never: imports anything: both processes use it, and the broker's start must not load a language.
"""

from __future__ import annotations

KEYWORDS = frozenset(
    (
        "true false let const if else switch do while until loop for in continue break return throw try catch"
        " fn private import export as"
    ).split()
)
CALLABLE = frozenset("print debug type_of eval Fn call curry is_shared is_def_var is_def_fn".split())
CALLABLE_AS_METHOD = frozenset("type_of call curry is_shared".split())
RESERVED = frozenset(
    (
        "var static shared is goto go match case public protected new use with module package super thread spawn"
        " sync async await yield default void null nil"
    ).split()
)

# Words that a host switches off: nothing is evaluated from text. (`print` works here: it goes to the output log.)
DISABLED = ("eval",)


def unusable_name(name: str) -> str | None:
    """Why a script could not refer to a variable of this name; None when it could."""
    if not name:
        return "the name is empty"
    if name == "this" or name in KEYWORDS:
        return f"{name!r} is a keyword"
    if name in CALLABLE or name in RESERVED:
        return f"{name!r} is a reserved word"
    start = name.lstrip("_")
    if not name.isascii() or not start or not start[0].isalpha() or not name.replace("_", "").isalnum():
        return "a name is made of ASCII letters, digits and _, and the first of them that is not _ is a letter"
    return None
