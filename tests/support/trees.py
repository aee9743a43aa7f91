"""The resolved tree of a script as one line of text.

Owns:  the notation: `Type@line:column(parts)`, a variable as its name with what is said of it.
Never: parses anything itself.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai.parser import Options, parse
from trex.languages.rhai.positions import column_of, line_of
from trex.languages.rhai.syntax import Case, Function, Literal, Node, Program, Variable
from trex.limits import LanguageLimits

LIMITS = LanguageLimits()
_DROPPED = ("position", "keyword", "bracket", "path_position", "name_position", "in_scope", "visible", "evaluates")


def program(script: str, strict: bool = False, outer: dict[str, bool] | None = None) -> Program:
    """The tree."""
    return parse(script, LIMITS, Options(strict), outer)


def shown(part: Any) -> str:
    """A part of a tree."""
    if part is None:
        return "-"
    if type(part) is Variable:
        return ("const " if part.constant else "") + part.name
    if type(part) is Function:
        parameters = " ".join(map(shown, part.params))
        captured = f" over {' '.join(part.captures)}" if part.captures else ""
        return f"|{parameters}|{captured} {shown(part.body)}"
    if type(part) is Literal:
        return f"{part.value!r}{_place(part.position)}"
    if isinstance(part, Node | Case):
        fields = [name for name in part.__struct_fields__ if name not in _DROPPED]
        parts = [shown(value) for value in (getattr(part, name) for name in fields) if value not in (False, [], None)]
        return f"{type(part).__name__}{_place(getattr(part, 'position', 0))}({' '.join(parts)})"
    if type(part) in (list, tuple):
        return "[" + " ".join(map(shown, part)) + "]"
    return str(part)


def _place(position: int) -> str:
    return f"@{line_of(position)}:{column_of(position)}" if position else ""


def tree(script: str) -> str:
    """The statements of a script."""
    return " ".join(map(shown, program(script).main.body.statements))
