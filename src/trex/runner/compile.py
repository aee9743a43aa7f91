"""Compiling a script without running it, to see what becomes of it.

Owns:      the question to a worker, and the form of its answer.
Relies on: a locked worker that parses and compiles, as for a run; its language only describes.
Never:     runs a statement; compiles anything in this process.
"""

from __future__ import annotations

import time
from typing import Any

from msgspec import Struct, ValidationError, convert

from trex.errors import ProtocolViolation
from trex.limits import Limits
from trex.protocol.messages import Failed, Start
from trex.runner.arguments import check_names
from trex.runner.check import Problem, answer_of, problem_of
from trex.runner.request import Source, read_source

LANGUAGE = "trex.languages.rhai.listing"


class Variable(Struct, frozen=True):
    """A variable, what it is, and what is known of its values; `code` is empty where no code needs it."""

    name: str
    code: str
    role: str
    kind: str


class Function(Struct, frozen=True):
    """A function of the lowered form. The program level has no name; `code` are names in the text."""

    name: str
    code: str
    kind: str
    signature: str
    line: int
    returns: str
    variables: list[Variable]
    text: str


class Listing(Struct, frozen=True):
    """What a script was compiled to. `names`: what those of the text mean that are not of the script."""

    bytes: int
    lines: int
    tokens: int
    code_bytes: int
    milliseconds: dict[str, float]
    functions: list[Function]
    names: dict[str, str]


def compile_script(source: Source, arguments: tuple[str, ...], limits: Limits, isolation: str) -> Listing | Problem:
    """The lowered form of a script with arguments of these names, as a run would make it; or why there is none."""
    from trex import sdk
    from trex.catalogue import interface

    check_names(arguments)
    deadline = time.monotonic() + limits.max_time
    text = read_source(source, "script", limits.max_script, "max_script", deadline)
    values: dict[str, Any] = dict.fromkeys(arguments)
    start = Start(text, values, interface(sdk.load()), limits, check=True)
    answer = answer_of(start, limits, isolation, deadline, LANGUAGE)
    if isinstance(answer, Failed):
        return problem_of(answer, "script", source.name)
    try:
        return convert(answer.value, Listing)
    except ValidationError as error:
        raise ProtocolViolation(f"a description of code that is none: {error}") from None


# --- for people ---

_HEADER = """\
Lowered form of {name}: what runs, as Python. A comment shows the line of the script that the code below it
carries out; what is known of variables stands above each function.
Names: the script's own end in a number (`x_1`); `t1` is a temporary; `depth` counts the calls around a
function; `scope` holds the cells of the script's arguments; `x.v` is what is in a container or a cell, and
`x.state` whether it has another owner. Numbers above a million that helpers take are places in the script.
"""


def header(listing: Listing, name: str) -> str:
    """What stands above the lowered form: how to read it, and what the names in it mean."""
    lines = _HEADER.format(name=name).splitlines()
    width = max(map(len, listing.names), default=0)
    lines += [f"  {each:{width}}  {meaning}" for each, meaning in listing.names.items()]
    return "\n".join(f"# {line}".rstrip() for line in lines)


def shown(functions: list[Function]) -> str:
    """Functions of the lowered form, each below what is known of it."""
    return "\n\n\n".join("\n".join([*_known(each), each.text]) for each in functions)


def _known(function: Function) -> list[str]:
    gives = f" -> {function.returns}" if function.returns else ""
    place = f", line {function.line}" if function.kind != "program" else ""
    lines = [f"# {function.signature}{gives}{place}"]
    for variable in function.variables:
        role = "" if variable.role == "local" or variable.role == variable.name else f"  ({variable.role})"
        lines.append(f"#   {variable.code or variable.name}: {variable.kind}{role}")
    return lines


def selected(listing: Listing, names: tuple[str, ...]) -> list[Function]:
    """The functions of these names, those of the script or of the lowered form; raises `KeyError`."""
    found: list[Function] = []
    for name in names:
        named = [each for each in listing.functions if name in (each.name, each.code)]
        if not named:
            raise KeyError(name)
        found += [each for each in named if each not in found]
    return found


def summary(listing: Listing) -> str:
    """Sizes and times, for a person."""
    kinds = [each.kind for each in listing.functions]
    closures = kinds.count("closure")
    functions = len(kinds) - closures - 1
    rows = [
        ("script", f"{listing.lines} lines, {listing.bytes} bytes, {listing.tokens} tokens"),
        ("code", f"{listing.code_bytes} bytes, functions: {functions}, closures: {closures}"),
        ("times", ", ".join(f"{step} {value:.1f} ms" for step, value in listing.milliseconds.items())),
    ]
    return "\n".join(f"{title:7} {text}" for title, text in rows)
