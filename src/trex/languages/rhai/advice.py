"""For people: the line of an error with a mark under its place, and what may have been meant.

Owns:  excerpts and suggestions.
Never: changes what an error is; never longer than a few lines, whatever the script.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trex.interface import Interface, Module
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.positions import column_of, line_of
from trex.languages.rhai.semantics.state import RUN

_WIDTH = 120
_MOST_NAMES = 4000
_MOST_SHAPES = 4


def distance(a: str, b: str, most: int) -> int:
    """How many characters to insert, delete, replace or swap to get from one word to the other; at most `most` + 1."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is plainly meant, if there is one."""
    most = 1 if len(name) < 5 else 2
    best: tuple[int, str] | None = None
    for number, candidate in enumerate(known):
        if number > _MOST_NAMES:
            break
        if candidate != name:
            found = distance(name, candidate, most)
            if found <= most and (best is None or (found, candidate) < best):
                best = found, candidate
    return best[1] if best else None


def suggestion(error: RhaiError, interface: Interface) -> str:
    """What to write instead, where the mistake is plain."""
    if error.kind == "ErrorFunctionNotFound":
        name = str(error.details.get("function", "")).partition(" ")[0]
        functions = [known for known, _ in RUN.functions]
        names = [*functions, *(known for known, _ in RUN.natives), *RUN.nullary]
        if name in names:
            counts = sorted({count for known, count in (*RUN.natives, *RUN.functions) if known == name})
            if _is_unbuilt(name, error, interface):
                return f"'.build()' is missing before '.{name}'"
            taken = _taken(name, error, interface)
            if taken:
                return f"'{name}' takes {' or '.join(taken)}"
            return f"'{name}' exists, but not for these arguments" + (
                f" (it takes {' or '.join(map(str, counts))})" if counts and not _fits(error, counts) else ""
            )
        found = nearest(name, names)
        return f"did you mean '{found}'?" if found else ""
    if error.kind == "ErrorVariableNotFound":
        path, _, name = str(error.details.get("variable", "")).rpartition("::")
        members = [known for module in interface.modules if module.name == path for known in _members(module)]
        found = nearest(name, members)
        return f"did you mean '{path}::{found}'?" if found else ""
    if error.parse is not None and error.parse.kind in ("VariableUndefined", "ModuleUndefined"):
        name = error.parse.message.rpartition(" ")[2]
        names = [module.name for module in interface.modules]
        if error.parse.outside:
            return f"a function sees no variables or arguments of the script: make '{name}' a parameter of it"
        if error.parse.kind == "VariableUndefined":
            names = error.parse.known
        found = nearest(name, names)
        if found is None and error.parse.kind == "VariableUndefined":
            return f"neither the script nor its arguments have a '{name}'"
        return f"did you mean '{found}'?" if found else ""
    return ""


def _members(module: Module) -> Iterator[str]:
    return (name for member in module.members for name in member.names)


def _receiver(error: RhaiError) -> str:
    """The type of the first argument of a function that was not found."""
    return str(error.details.get("function", "")).partition("(")[2].rstrip(")").partition(",")[0]


def _is_unbuilt(name: str, error: RhaiError, interface: Interface) -> bool:
    """Whether an option set is used before it is made: its type has the name of what makes it."""
    receiver = _receiver(error)
    return any(
        builder.name == receiver
        and all(setter.name != name for setter in builder.setters)
        and any(
            known.name == name
            and known.parameters
            and known.parameters[0].type == builder.product
            and _fits(error, [len(known.parameters)])
            for known in interface.functions
        )
        for builder in interface.builders
        if builder.finish is None
    )


def _taken(name: str, error: RhaiError, interface: Interface) -> list[str]:
    """What an operation or setter of this name takes, as its overloads say; nothing for the language's own."""
    receiver = _receiver(error)
    for builder in interface.builders:
        if builder.name == receiver:
            return [f"({setter.type})" for setter in builder.setters if setter.name == name and not setter.keyed]
    shapes = [
        f"({', '.join(each.type for each in known.parameters)})" for known in interface.functions if known.name == name
    ]
    return shapes if len(shapes) <= _MOST_SHAPES else []


def _fits(error: RhaiError, counts: list[int]) -> bool:
    inside = str(error.details.get("function", "")).partition("(")[2].rstrip(")")
    return (inside.count(",") + 1 if inside else 0) in counts


def excerpt(source: str, position: int, error: RhaiError, interface: Interface, module: str = "") -> str:
    """The source line with a caret under the place, and a suggestion; `module`: whose text it is."""
    lines: list[str] = []
    line, column = line_of(position), column_of(position)
    if line is not None and column is not None:
        text = source.split("\n", line)[line - 1] if source.count("\n") >= line - 1 else ""
        start = max(0, column - 1 - _WIDTH // 2)
        shown = text[start : start + _WIDTH].replace("\t", " ").rstrip("\r")
        shown = "".join(c if c.isprintable() else "?" for c in shown)
        margin = f"{module}:{line} | " if module else f"{line} | "
        lines = [margin + shown, " " * (len(margin) + column - 1 - start) + "^"]
    hint = suggestion(error, interface)
    if hint:
        lines.append(hint)
    return "\n".join(lines)
