"""From a module's syntax tree to functions that can be called.

Owns:  the names that generated code may use, and nothing else: its globals hold these helpers, the
       program's own functions and constants, and an empty `__builtins__`.
Never: puts anything into generated code that a script wrote, but numbers, texts and names of ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.compiler import build
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.compiler.program import lower
from trex.languages.rhai.errors import too_complex
from trex.languages.rhai.positions import pack
from trex.languages.rhai.semantics import exceptions, loops, methods, operators, overflow, places, pointers, text
from trex.languages.rhai.semantics.arithmetic import joined, joined_text
from trex.languages.rhai.semantics.calls import UNBOUND, native_call
from trex.languages.rhai.semantics.containers import array_made, array_of, array_push, copy, map_made, map_of, share
from trex.languages.rhai.semantics.indexing import get_property, index, set_property, store_index
from trex.languages.rhai.semantics.sizes import check_array, check_map, check_pieces, check_string
from trex.languages.rhai.semantics.state import ScriptFunction
from trex.languages.rhai.syntax import Program
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import Array, Blob, Cell, Char, FnPtr, Map, Range, This, char

ATOMS = frozenset({int, float, bool, str, type(None), Char, FnPtr, Range})
SCALARS = frozenset({int, float, bool, type(None), Char, FnPtr, Range})

_OPERATORS = (
    "add sub mul div mod power shl shr bit_and bit_or bit_xor eq ne lt le gt ge range_exclusive range_inclusive"
    " neg pos not_ assign_add assign_sub assign_mul assign_div assign_mod assign_power assign_shl assign_shr"
    " assign_bit_and assign_bit_or assign_bit_xor"
).split()

_MODULES: dict[Any, str] = {
    overflow: "add_overflow sub_overflow mul_overflow add_overflow_at sub_overflow_at mul_overflow_at",
    pointers: "make_pointer named_function close_over curry_function call_function call_reference call_method"
    " is_defined_function"
    " is_visible exit_script unknown_variable unknown_function refuse_constant refuse_method not_bool unbound_this"
    " late_variable late_cell enter_block leave_block",
    methods: "method_reference method_value cell_method native_reference native_on_cell",
    places: "store_at update_at method_at cell_store_at cell_update_at cell_method_at constant_method"
    " store_in_constant change_within check_all",
    exceptions: "CATCHABLE caught catch detached thrown_again",
    loops: "iterate same in_case",
    errors: "Thrown stack_overflow too_many_operations too_many_variables",
}

HELPERS: dict[str, Any] = {
    "__builtins__": {},
    "type": type,
    "len": len,
    "range": range,
    "enumerate": enumerate,
    "int": int,
    "float": float,
    "str": str,
    "compress": itertools.compress,
    "char": char,
    "Array": Array,
    "Map": Map,
    "Blob": Blob,
    "Cell": Cell,
    "Char": Char,
    "This": This,
    "ord": ord,
    "FnPtr": FnPtr,
    "ATOMS": ATOMS,
    "SCALARS": SCALARS,
    "UNBOUND": UNBOUND,
    "array_made": array_made,
    "array_of": array_of,
    "array_push": array_push,
    "map_made": map_made,
    "map_of": map_of,
    "copy": copy,
    "share": share,
    "index": index,
    "store_index": store_index,
    "get_property": get_property,
    "set_property": set_property,
    "check_array": check_array,
    "check_map": check_map,
    "check_string": check_string,
    "check_pieces": check_pieces,
    "joined": joined,
    "text": text.text,
    "joined_text": joined_text,
    "type_name": type_name,
    "native_call": native_call,
    **{name: getattr(operators, name) for name in _OPERATORS},
    **{name: getattr(module, name) for module, names in _MODULES.items() for name in names.split()},
}


class Methods(dict[type, Any]):
    """The code of a method by the type of its receiver; `default` for all other types."""

    default: Any = None

    def __missing__(self, kind: type) -> Any:
        return self.default


class Compiled:
    """A program that can be run: `main(scope)` and the tree it came from."""

    __slots__ = ("closures", "functions", "globals", "link", "main", "program", "typed")

    def __init__(self, program: Program, link: Link, namespace: dict[str, Any]) -> None:
        self.program = program
        self.link = link
        self.globals = namespace
        self.functions: dict[tuple[str, int], ScriptFunction] = {}
        self.typed: dict[tuple[str, str, int], ScriptFunction] = {}
        self.closures: list[ScriptFunction] = []
        self.main: Callable[[dict[str, Cell]], Any] = namespace[link.main]


def build_code(program: Program, link: Link) -> Any:
    """The code object of a program's module. Raises `ParseError` for what is nested too deep."""
    module = lower(program, link)
    try:
        return compile_module(module)
    finally:
        build.forget()


def compile_module(module: Any) -> Any:
    """The code object of a syntax tree of ours. Raises `ParseError` for what is nested too deep.

    CPython's compiler has bounds of its own, beyond those of the request: twenty loops and handlers within
    each other, and its stack. They are no less an answer to the script than those of the parser.
    """
    try:
        return compile(module, exceptions.SCRIPT, "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:
        raise too_complex(pack(error.lineno or 0, (error.offset or 1) - 1)) from None
    except RecursionError:
        raise too_complex() from None


def load(program: Program, link: Link, extra: dict[str, Any]) -> Compiled:
    """Compile and link a program; its functions are in `Compiled.functions` and `.typed`."""
    code = build_code(program, link)
    namespace = {**HELPERS, **extra, **link.values}
    exec(code, namespace)  # noqa: S102 - the code is ours; the script chose only its shape
    exceptions.register(link.labels, link.sites, link.parts)
    made_program = Compiled(program, link, namespace)
    for function in program.functions:
        made = ScriptFunction(
            function.name,
            tuple(param.name for param in function.params),
            namespace[link.code_names[function]],
            function.this,
            function.receiver,
            function.private,
        )
        if function.receiver is None:
            made_program.functions[function.name, len(function.params)] = made
        else:
            made_program.typed[function.receiver, function.name, len(function.params)] = made
    for table, (untyped, typed) in link.method_tables.items():
        codes = Methods({kind: namespace[link.code_names[method]] for kind, method in typed.items()})
        codes.default = namespace[link.code_names[untyped]] if untyped is not None else None
        namespace[table] = codes
    for closure in program.closures:
        name = link.code_names.get(closure)
        if name is not None:
            code_object = namespace[f"make_{name}" if closure.captures else name]
            namespace[f"p_{name}"] = FnPtr(closure.name, code_object, len(closure.params), closure.this)
            params = (*closure.captures, *[param.name for param in closure.params])
            made_program.closures.append(ScriptFunction(closure.name, params, code_object, closure.this, None, False))
    return made_program


__all__ = ["HELPERS", "Compiled", "load"]
