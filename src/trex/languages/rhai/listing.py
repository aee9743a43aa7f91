"""What a script is compiled to, and how long that takes: the answer to `trex compile`.

Owns:      the description: sizes, times, functions with what is known of their variables, the lowered form.
Relies on: the same steps as a run, in the same order and with the same limits and functions of the host.
Never:     runs a statement of the script. A run's worker never loads this: it is a language of its own to
           the worker, which answers every `Start` with a description.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import Any

from msgspec import Struct

from trex.languages.host import Host
from trex.languages.rhai import errors
from trex.languages.rhai.bindings import Handle
from trex.languages.rhai.compiler import build
from trex.languages.rhai.compiler.code import HELPERS, compile_module
from trex.languages.rhai.compiler.kinds import K_ANY, kind_of
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.compiler.printing import Printer, shown_kind
from trex.languages.rhai.compiler.program import lower
from trex.languages.rhai.errors import ParseError
from trex.languages.rhai.evaluate import evaluate
from trex.languages.rhai.execute import failed, session_of
from trex.languages.rhai.lexer import tokenize
from trex.languages.rhai.library.registry import Overloads
from trex.languages.rhai.positions import line_of
from trex.languages.rhai.semantics.pointers import parse_failure
from trex.languages.rhai.session import Session, milliseconds
from trex.languages.rhai.syntax import Closure, For, Function, Let, Node, Program, Try, Variable
from trex.languages.words import DISABLED
from trex.protocol.messages import Failed, Finished, Start

# Longer texts of constants are cut in the list of names.
_LONGEST = 60


def execute(start: Start, host: Host) -> Finished | Failed:
    """Compile a script and describe what became of it."""
    session = session_of(start, host)
    try:
        return Finished("", described(session, start.script, dict.fromkeys(start.arguments, False)), True, {})
    except ParseError as error:
        return failed(parse_failure(error), start, session, {})
    finally:
        Handle.release = None


def described(session: Session, source: str, outer: dict[str, bool]) -> dict[str, Any]:
    """Sizes, times in milliseconds, functions and names of one program. Raises `ParseError`."""
    times: dict[str, float] = {}
    began = milliseconds()
    tokens = tokenize(source, frozenset(DISABLED), session.limits.max_string_size)
    times["lex"] = milliseconds() - began
    began = milliseconds()
    program = session.parse(source, outer)
    # Parsing cuts the text into tokens again; that share of it is known.
    times["parse"] = max(0.0, milliseconds() - began - times["lex"])
    try:
        began = milliseconds()
        link = session.link(program)
        module = lower(program, link)
        times["lower"] = milliseconds() - began
        began = milliseconds()
        code = compile_module(module)
        times["compile"] = milliseconds() - began
        functions, names = _functions(source, program, link, module)
    except RecursionError:
        raise errors.too_complex() from None
    finally:
        build.forget()
    return {
        "bytes": len(source.encode()),
        "lines": source.count("\n") + (not source.endswith("\n")),
        "tokens": len(tokens.kinds),
        "code_bytes": sum(len(each.co_code) for each in _code_objects(code)),
        "milliseconds": times,
        "functions": functions,
        "names": _meanings(names, link, session),
    }


def _code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _code_objects(each)


# --- functions ---


def _functions(source: str, program: Program, link: Link, module: Any) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Each function with its text, in the order of the lowered form; what names of the code became in it."""
    by_name = {name: function for function, name in link.code_names.items()}
    by_name[link.main] = program.main
    printer = Printer(source)
    described = []
    for node in module.body:
        name = node.name
        function = by_name.get(name) or by_name[name.removeprefix("make_")]
        text = printer.function(node, 0 if function is program.main else line_of(function.position) or 0)
        described.append(_function(function, link, text, printer))
    return described, {name: printer.names[name] for name in printer.names}


def _function(function: Function, link: Link, text: str, printer: Printer) -> dict[str, Any]:
    is_main = not link.code_names[function]
    return {
        "name": "" if is_main else function.name,
        "code": printer.name(link.main if is_main else link.code_names[function]),
        "kind": "program" if is_main else "closure" if function.closure else "method" if function.receiver else "fn",
        "signature": _signature(function, is_main),
        "line": line_of(function.position) or 1,
        "returns": "" if is_main else shown_kind(function.returns),
        "variables": [_variable(*each, printer) for each in _variables(function, link)],
        "text": text,
    }


def _signature(function: Function, is_main: bool) -> str:
    parameters = ", ".join(param.name for param in function.params)
    if is_main:
        return "the program"
    if function.closure:
        captured = f" over {', '.join(function.captures)}" if function.captures else ""
        return f"|{parameters}|{captured}"
    receiver = f"{function.receiver}." if function.receiver else ""
    return f"{'private ' if function.private else ''}fn {receiver}{function.name}({parameters})"


def _variables(function: Function, link: Link) -> Iterator[tuple[Variable, str]]:
    """The variables of a function and their roles, in the order of the text."""
    if function.this:
        yield Variable("this", "this", slot="this", kind=link.this_kind(function)), "this"
    for param in function.params:
        yield param, "parameter"
    for inner, _, _ in function.captures.values():
        yield inner, "captured"
    for variable in _declared(function.body):
        role = "constant" if variable.constant else variable.role
        yield variable, f"{role}, in a cell" if variable.captured else role


def _declared(part: Any) -> Iterator[Variable]:
    """What a part of a function declares, but not what closures in it do."""
    if type(part) is Closure:
        return
    if type(part) in (list, tuple):
        for each in part:
            yield from _declared(each)
    elif isinstance(part, Node) or (isinstance(part, Struct) and type(part).__name__ == "Case"):
        if type(part) in (Let, For, Try):
            yield from (each for each in _own(part) if each is not None)
        for field in part.__struct_fields__:
            yield from _declared(getattr(part, field))


def _own(node: Any) -> tuple[Variable | None, ...]:
    return (node.variable, node.counter) if type(node) is For else (node.variable,)


def _variable(variable: Variable, role: str, printer: Printer) -> dict[str, str]:
    kind = K_ANY if variable.open else kind_of(variable)
    known = variable.slot in printer.names
    return {
        "name": variable.name,
        "code": printer.names[variable.slot] if known else "",
        "role": role,
        "kind": shown_kind(variable.kind if role == "this" else kind),
    }


# --- names ---


def _meanings(names: dict[str, str], link: Link, session: Session) -> dict[str, str]:
    """What the names mean that are neither variables nor functions of the script, by name."""
    helpers = {**HELPERS, **session.helpers(link, {})}
    found = {}
    for name, shown in names.items():
        if name in link.values:
            found[shown] = _meaning(name, link.values[name])
        elif name in link.method_tables:
            found[shown] = "methods of the script, by the type of the receiver"
        elif name in _DATA:
            found[shown] = _DATA[name]
        elif name in helpers and (getattr(helpers[name], "__module__", None) or "").startswith("trex."):
            found[shown] = (helpers[name].__doc__ or "").partition("\n")[0]
    return dict(sorted(found.items()))


_DATA = {
    "STEPS": "gives a value for each step that is left of `--max-steps`",
    "ATOMS": "types whose values never change",
    "SCALARS": "types whose values never change and hold no text",
    "CATCHABLE": "what `catch` may catch",
}


def _meaning(name: str, value: Any) -> str:
    if isinstance(value, Overloads):
        return f"the library's `{name[2:].rpartition('_')[0]}`, by the type of the first argument"
    if callable(value):
        return (getattr(value, "__doc__", None) or "a function of the library or the host").partition("\n")[0]
    if isinstance(value, frozenset):
        text = f"one of {', '.join(sorted(map(repr, value)))}"
    elif isinstance(value, Struct) and hasattr(value, "kinds"):
        return f"a path of {len(value.kinds)} step{'s' * (len(value.kinds) != 1)}, with their places in the script"
    else:
        text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


__all__ = ["described", "evaluate", "execute"]
