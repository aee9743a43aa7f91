"""Scripts run in this process with everything watched that a script could use to reach Python.

Owns:      `run`, which says how a script ended and what generated code it made; the checks of values and of code.
Relies on: the language's two places that compile and execute what they generated.
Never:     forgives: an exception of Python out of a run is the test's failure.
"""

from __future__ import annotations

import ast
import dis
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import Any

from trex.languages.rhai import session as sessions
from trex.languages.rhai.bindings import Making
from trex.languages.rhai.compiler import code as generated
from trex.languages.rhai.compiler.code import HELPERS
from trex.languages.rhai.errors import Exit, ParseError, RhaiError, Thrown
from trex.languages.rhai.library import packages
from trex.languages.rhai.library.moments import DateTime
from trex.languages.rhai.library.ranges import FloatSteps
from trex.languages.rhai.library.registry import ANY, Overloads
from trex.languages.rhai.library.strings import Characters
from trex.languages.rhai.parser import Options
from trex.languages.rhai.semantics import exceptions
from trex.languages.rhai.semantics.pointers import parse_failure
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.semantics.text import text
from trex.languages.rhai.session import Session
from trex.languages.rhai.values import (
    Array,
    Blob,
    Cell,
    Char,
    Constant,
    FnPtr,
    Items,
    Map,
    Object,
    Range,
    This,
    Timestamp,
)
from trex.limits import LanguageLimits
from trex.values import INT_MAX, INT_MIN

assert packages.__all__

SIZES = LanguageLimits(
    max_steps=200_000, max_string_size=200_000, max_array_size=20_000, max_map_size=20_000, max_modules=4
)

# --- values ---

SCALARS = (type(None), bool, float, Range, Timestamp, DateTime)


def check_text(found: Any) -> None:
    """A string is exactly that, and could be sent to anyone."""
    assert type(found) is str
    found.encode()


def check_value(value: Any) -> None:
    """The value is of the language's closed set of types, in all its parts."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is int:
            assert INT_MIN <= one <= INT_MAX
        elif kind is str:
            check_text(one)
        elif kind is Char:
            check_text(one.text)
            assert len(one.text) == 1
        elif kind in SCALARS or id(one) in seen:
            pass
        elif kind is Array:
            seen.add(id(one))
            assert type(one.v) is list
            waiting += one.v
        elif kind is Map:
            seen.add(id(one))
            assert type(one.v) is dict
            waiting += one.v
            waiting += one.v.values()
        elif kind is Blob:
            assert type(one.v) is bytearray
        elif kind is Items:
            assert type(one.source) in (range, list, tuple, str, FloatSteps, Characters, bytes), type(one.source)
        elif kind is FnPtr:
            seen.add(id(one))
            check_text(one.name)
            waiting += one.curry
            for cell in one.captures:
                assert type(cell) in (Cell, This)
                if id(cell) not in seen:
                    seen.add(id(cell))
                    waiting.append(cell.v)
        elif kind is Object or kind is Making:
            waiting += one.fields.values()
        elif kind is Constant:
            waiting += one.arguments
        else:
            raise AssertionError(f"no value of the language: {kind}")


# What texts of the language never hold: how Python shows its own things, and the names of its exceptions.
PYTHON = re.compile(
    r"Traceback|object at 0x|<class|<function|<built-in|<module|<frame|<code|<generator|NoneType|bytearray|builtins"
    r"|(?:Attribute|Type|Value|Name|Key|Index|Lookup|Overflow|Recursion|Memory|ZeroDivision|UnboundLocal|Assertion"
    r"|Unicode\w*|Syntax|Runtime|NotImplemented)Error\b(?!\")|StopIteration"
)


def check_message(message: str, script: str) -> None:
    """A text for people says nothing of Python that the script did not say first."""
    check_text(message)
    for found in PYTHON.findall(message):
        assert found in script, message


# --- generated code ---

# The attributes that generated code reads and writes: slots of the language's values, methods of their contents.
ATTRIBUTES = frozenset("v state extra_array extra_map extra_string shared text code direct bound append get".split())
NODES = frozenset(
    "Module FunctionDef arguments arg Assign AugAssign Expr If While For Return Raise Try ExceptHandler Pass Break"
    " Continue Global Name Constant Attribute Subscript Call BinOp BoolOp UnaryOp Compare IfExp NamedExpr List Tuple Dict"
    " JoinedStr FormattedValue Load Store Del"
    " Add Sub Mult Div FloorDiv Mod RShift LShift BitAnd BitOr BitXor Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn Not USub"
    " And Or".split()
)
# Names without a number behind them are fixed ones. What a script chooses only ever stands before `_` and a number.
FIXED = frozenset("this depth scope late make _".split())
TEMPORARY = re.compile(r"t[0-9]+\Z")
NUMBERED = re.compile(r"(?:make_)?(?P<chosen>[A-Za-z0-9_]*)_[0-9]+(?:_c)?\Z", re.ASCII)
CONSTANTS = (type(None), bool, int, float, str)


def check_name(name: str) -> None:
    """A name of generated code is one of ours, or ends in a number that is ours."""
    assert type(name) is str
    assert name.isascii()
    if name in HELPERS or name in RUN_HELPERS or name in FIXED or TEMPORARY.match(name):
        return
    assert NUMBERED.match(name), f"{name!r} is neither fixed nor numbered"
    assert name not in __builtins__, name  # type: ignore[operator]  # a dictionary in a module that was imported


def check_tree(tree: ast.Module) -> None:
    """The tree holds plain code only, and no attribute or name that a script's text became."""
    for node in ast.walk(tree):
        kind = type(node).__name__
        assert kind in NODES, kind
        match node:
            case ast.Attribute(attr=name):
                assert name in ATTRIBUTES, name
            case ast.Name(id=name) | ast.arg(arg=name):
                check_name(name)
            case ast.Global(names=names):
                for name in names:
                    check_name(name)
            case ast.FunctionDef(name=name):
                check_name(name)
                assert not node.decorator_list
                made = node.args
                assert made.vararg is made.kwarg is None
                assert not [*made.defaults, *made.kwonlyargs, *made.posonlyargs]
            case ast.ExceptHandler(name=name):
                if name is not None:
                    check_name(name)
            case ast.Call():
                assert not node.keywords
            case ast.FormattedValue():
                assert node.conversion == -1
                assert node.format_spec is None
            case ast.Constant(value=value):
                assert type(value) in CONSTANTS, type(value)


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and all within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def check_code(code: CodeType, namespace: dict[str, Any]) -> None:
    """The code loads no global name but those that it was linked to, no attribute but ours, and imports nothing."""
    builtins = namespace["__builtins__"]
    assert type(builtins) is dict
    assert not builtins
    for each in codes(code):
        for instruction in dis.get_instructions(each):
            operation, name = instruction.opname, instruction.argval
            assert not operation.startswith(("IMPORT", "LOAD_BUILD_CLASS", "YIELD", "LOAD_LOCALS")), operation
            if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
                assert name in namespace, f"{name!r} is linked to nothing"
            elif operation in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"):
                assert name in ATTRIBUTES, name


def check_namespace(namespace: dict[str, Any]) -> None:
    """The globals of generated code are the helpers, unchanged, and things with numbered names."""
    for name, value in namespace.items():
        if name in HELPERS:
            assert value is HELPERS[name], name
        elif name not in RUN_HELPERS and name != "make":
            assert NUMBERED.match(name), name


class Generated:
    """What was generated in a run: trees, and code with its globals."""

    def __init__(self) -> None:
        self.trees: list[ast.Module] = []
        self.executed: list[tuple[CodeType, dict[str, Any]]] = []

    def check(self) -> None:
        """Everything that `check_tree` and its neighbours say."""
        assert len(self.trees) == len(self.executed)
        for tree, (code, namespace) in zip(self.trees, self.executed, strict=True):
            check_tree(tree)
            check_code(code, namespace)
            check_namespace(namespace)


@contextmanager
def watched() -> Iterator[Generated]:
    """See all code that is generated."""
    found = Generated()

    def compile_tree(tree: Any, *arguments: Any, **options: Any) -> Any:
        code = compile(tree, *arguments, **options)
        found.trees.append(tree)
        return code

    def execute(code: CodeType, namespace: dict[str, Any]) -> None:
        found.executed.append((code, namespace))
        exec(code, namespace)

    generated.compile = compile_tree  # type: ignore[attr-defined]  # hides the builtin of that name
    generated.exec = sessions.exec = execute  # type: ignore[attr-defined]
    try:
        yield found
    finally:
        del generated.compile, generated.exec, sessions.exec  # type: ignore[attr-defined]


RUN_HELPERS = frozenset(
    "STEPS check_steps print_out debug_out evaluate_text call_in_scope define_global import_module module_call"
    " module_variable".split()
)

# --- runs ---


class Ended:
    """How a script ended.

    value:     what it gave; of an error that was thrown, what was thrown.
    error:     the kind of error, or None.
    message:   the text of the error.
    printed:   what it printed.
    generated: the code that was made for it.
    """

    def __init__(
        self, value: Any, error: str | None, message: str, printed: list[str], generated_code: Generated
    ) -> None:
        self.value, self.error, self.message = value, error, message
        self.printed, self.generated = printed, generated_code

    @property
    def shown(self) -> tuple[str, str]:
        """The ending as two texts: the kind of error, and the value or message without positions."""
        if self.error is None:
            return "", text(self.value)
        return self.error, re.sub(r" \(line \d+, position \d+\)", "", self.message)


def run(
    script: str,
    scope: dict[str, Any] | None = None,
    modules: dict[str, str] | None = None,
    limits: LanguageLimits = SIZES,
    *,
    strict: bool = False,
) -> Ended:
    """Run a script. All that it gives out is checked: its value, what it throws, prints and hands to `probe`."""
    with watched() as found:
        session = Session(limits, Options(strict), None, modules)
        probe = Overloads("probe")
        probe[ANY] = lambda value: probed(value, script)
        probe.effects[ANY] = "value"
        RUN.natives["probe", 1] = probe
        value: Any = None
        error, message = None, ""
        given = scope or {}
        try:
            compiled = session.compile(script, dict.fromkeys(given, False))
            value = compiled.main({name: Cell(item) for name, item in given.items()})
        except Exit as ended:
            value = ended.value
        except ParseError as failed:
            understood = parse_failure(failed)
            error, message = understood.kind, exceptions.full_text(understood)
        except (RhaiError, IndexError, RecursionError) as failed:
            understood = exceptions.understand(failed)
            error, message = understood.kind, exceptions.full_text(understood)
            if type(understood) is Thrown:
                value = understood.value
    check_value(value)
    check_message(message, script)
    for line in session.printed:
        check_text(line)
    return Ended(value, error, message, session.printed, found)


def probed(value: Any, script: str) -> Any:
    """`probe(x)` gives `x`, which is watched as it passes."""
    check_value(value)
    check_message(text(value), script)
    return value
