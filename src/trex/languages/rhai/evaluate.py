"""The eval protocol: one program as a JSON request, its answer as JSON.

Owns:  requests, typed values and answers, in both directions.
Never: reaches a host: a program has the language and nothing else.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from msgspec import DecodeError, Meta, Struct, json

from trex.languages.rhai import errors
from trex.languages.rhai.errors import Exit, ParseError, RhaiError, Thrown
from trex.languages.rhai.parser import Options
from trex.languages.rhai.positions import NOWHERE, column_of, line_of
from trex.languages.rhai.semantics import exceptions
from trex.languages.rhai.semantics.containers import array_of, keys, map_of
from trex.languages.rhai.semantics.methods import ConstantCell
from trex.languages.rhai.semantics.pointers import HIDDEN, parse_failure
from trex.languages.rhai.semantics.sizes import check_blob, check_string
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.semantics.text import text
from trex.languages.rhai.session import Session, milliseconds
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import Array, Blob, Cell, Char, FnPtr, Map, Range, char
from trex.limits import LanguageLimits
from trex.values import INT_MAX, INT_MIN

# The defaults of the language's engine: no bounds on sizes.
ENGINE_LIMITS = LanguageLimits(max_string_size=0, max_array_size=0, max_map_size=0, max_modules=0)
_LIMITS = {"max_operations": "max_steps"}


Natural = Annotated[int, Meta(ge=0)]


class CallRequest(Struct):
    """A function to call once the script has run."""

    fn: str
    args: list[Any] = []


class LanguageOptions(Struct, frozen=True):
    """Switches of the language."""

    strict_variables: bool = False
    fail_on_invalid_map_property: bool = False
    disabled_symbols: list[str] = []


class Request(Struct):
    """One request, as the protocol describes it; other keys are ignored."""

    script: str
    api: Literal["script", "expression", "compile"] = "script"
    scope: dict[str, Any] = {}
    setup: list[str] = []
    call: CallRequest | None = None
    limits: dict[str, Natural] = {}
    options: LanguageOptions = LanguageOptions()
    bench: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


_decode = json.Decoder(Request).decode


class BadRequest(Exception):
    """The request is not one of the protocol."""


def to_value(typed: Any) -> Any:
    """A value of the language from a typed value. Nothing else gets in: what it takes is checked type for type."""
    if type(typed) is not dict or "t" not in typed:
        raise BadRequest("a typed value is an object with a key 't'")
    kind, given = typed["t"], typed.get("v")
    make = _FROM_TYPED.get(kind) if type(kind) is str else None
    if make is None:
        raise BadRequest(f"unknown type '{kind}' of a typed value")
    try:
        return make(given)
    except (TypeError, ValueError):
        raise BadRequest(f"no value of type '{kind}'") from None


def _only(kind: type) -> Any:
    def check(given: Any) -> Any:
        if type(given) is not kind:
            raise TypeError
        return given

    return check


def _integer(given: Any) -> int:
    if type(given) is not int or not INT_MIN <= given <= INT_MAX:
        raise ValueError
    return given


def _float(given: Any) -> float:
    if type(given) not in (int, float) and given not in _NOT_FINITE:
        raise ValueError
    return float(given)


def _char(given: Any) -> Char:
    if type(given) is not str or len(given) != 1:
        raise ValueError
    return char(given)


def _array(given: Any) -> Array:
    return array_of([to_value(item) for item in _list(given)])


def _map(given: Any) -> Map:
    return map_of({key: to_value(item) for key, item in _dict(given).items()})


def _range(given: Any, inclusive: bool) -> Range:
    start, end = _list(given)
    return Range(_integer(start), _integer(end), inclusive)


_NOT_FINITE = ("NaN", "inf", "-inf")
_list, _dict, _string = _only(list), _only(dict), _only(str)
_FROM_TYPED: dict[str, Any] = {
    "unit": lambda given: None,
    "bool": _only(bool),
    "int": _integer,
    "float": _float,
    "string": lambda given: check_string(_string(given)),
    "char": _char,
    "array": _array,
    "map": _map,
    "blob": lambda given: check_blob(Blob(bytearray(map(_integer, _list(given))))),
    "range": lambda given: _range(given, False),
    "range_inclusive": lambda given: _range(given, True),
    "fnptr": lambda given: FnPtr(_string(given)),
}


def to_typed(value: Any) -> dict[str, Any]:
    """A typed value from a value of the language."""
    kind = type(value)
    if value is None:
        return {"t": "unit"}
    if kind is bool:
        return {"t": "bool", "v": value}
    if kind is int:
        return {"t": "int", "v": value}
    if kind is float:
        if math.isfinite(value):
            return {"t": "float", "v": value}
        return {"t": "float", "v": "NaN" if value != value else "inf" if value > 0 else "-inf"}
    if kind is str:
        return {"t": "string", "v": value}
    if kind is Char:
        return {"t": "char", "v": value.text}
    if kind is Array:
        return {"t": "array", "v": [to_typed(item) for item in value.v]}
    if kind is Map:
        return {"t": "map", "v": {key: to_typed(value.v[key]) for key in keys(value)}}
    if kind is Blob:
        return {"t": "blob", "v": list(value.v)}
    if kind is Range:
        return {"t": "range_inclusive" if value.inclusive else "range", "v": [value.start, value.end]}
    if kind is FnPtr:
        return {"t": "fnptr", "v": value.name}
    return {"t": "other", "type": type_name(value), "v": text(value)}


def describe_error(error: RhaiError) -> dict[str, Any]:
    """The error of an answer."""
    understood = exceptions.understand(error)
    chain = [_outer_kind(label) for _, label, _ in reversed(understood.calls or ())]
    parse = understood.parse
    position = understood.position or NOWHERE
    answer: dict[str, Any] = {
        "kind": understood.kind,
        "chain": [*chain, understood.kind],
        "message": exceptions.full_text(understood),
        "line": line_of(position),
        "position": column_of(position),
    }
    if parse is not None:
        answer["parse"] = parse.kind
        if parse.lex is not None:
            answer["lex"] = parse.lex
    if type(understood) is Thrown:
        answer["thrown"] = _thrown(understood.value)
    return answer


def _thrown(value: Any) -> dict[str, Any]:
    try:
        return to_typed(value)
    except RecursionError:
        return {"t": "other", "type": type_name(value), "v": "nested too deep"}


def _outer_kind(label: str) -> str:
    return "ErrorInModule" if label.startswith("in module") else "ErrorInFunctionCall"


class _Evaluation:
    """One request."""

    def __init__(self, request: Request) -> None:
        self.request = request
        limits = {}
        for name, bound in request.limits.items():
            field = _LIMITS.get(name, name)
            if field not in LanguageLimits.__struct_fields__:
                raise BadRequest(f"unknown limit '{name}'")
            limits[field] = bound
        values = {name: getattr(ENGINE_LIMITS, name) for name in LanguageLimits.__struct_fields__}
        options = request.options
        self.session = Session(
            LanguageLimits(**{**values, **limits}),
            Options(options.strict_variables, frozenset(options.disabled_symbols), everywhere=True),
        )
        RUN.strict_properties = options.fail_on_invalid_map_property
        self.scope: dict[str, Any] = {}  # cells
        self.constants: dict[str, bool] = {}
        for name, typed in request.scope.items():
            self.scope[name] = Cell(to_value(typed))
            self.constants[name] = bool(typed.get("const"))

    def run(self) -> dict[str, Any]:
        """The answer, without what was printed."""
        request, session = self.request, self.session
        for script in request.setup:
            self.set_up(script)
        session.printed.clear()
        started = milliseconds()
        if request.api == "compile":
            session.parse(request.script, self.constants)
            return {"ok": True, "value": to_typed(None)}
        if request.call is not None and request.options.strict_variables:
            # The scope comes with the call: the text is checked without.
            session.parse(request.script)
        live = {name for name, cell in self.scope.items() if cell.shared or request.call is not None}
        compiled = session.compile(request.script, self.constants, expression=request.api == "expression", live=live)
        compile_ms = milliseconds() - started
        if request.bench is not None:
            return self.bench(compiled, request.bench, compile_ms)
        value = self.value_of(compiled)
        call = request.call
        if call is not None:
            value = self.guarded(lambda: self.called(call))
        return {"ok": True, "value": to_typed(value)}

    def called(self, call: CallRequest) -> Any:
        """The value of a function of the script, called in the scope."""
        session = self.session
        arguments = tuple(to_value(argument) for argument in call.args)
        if session.generic((call.fn, len(arguments))) is None:
            raise errors.no_function(call.fn)
        constants = frozenset(name for name, constant in self.constants.items() if constant)
        try:
            return session.call_in_scope(call.fn, arguments, self.scope, constants, 0)
        except RhaiError as error:
            if error.kind in errors.UNCATCHABLE:
                # It was called from nowhere.
                error = exceptions.understand(error)
                if not error.calls:
                    error.position = NOWHERE
                error.__traceback__ = None
            raise

    def set_up(self, source: str) -> None:
        """Run a script on the scope; whatever comes of it is ignored, but its variables stay."""
        session = self.session
        try:
            compiled = session.compile(source, self.constants, keeps_scope=True)
            before = dict(self.scope)
            try:
                compiled.main(self.scope)
            finally:
                self.scope.pop(HIDDEN, None)
                for name in self.scope.keys() - self.constants:
                    self.constants[name] = type(self.scope[name]) is ConstantCell
                for variable in compiled.program.top:
                    if variable.name in self.scope and self.scope[variable.name] is not before.get(variable.name):
                        self.constants[variable.name] = variable.constant
        except (RhaiError, ParseError, IndexError, Exit):
            pass
        session.programs = 0
        session.first = session.untyped = None
        RUN.functions, RUN.typed, RUN.closures = {}, {}, []

    def value_of(self, compiled: Any) -> Any:
        return self.guarded(lambda: compiled.main(dict(self.scope)))

    @staticmethod
    def guarded(run: Any) -> Any:
        try:
            return run()
        except Exit as ended:
            return ended.value

    def bench(self, compiled: Any, runs: int, compile_ms: float) -> dict[str, Any]:
        """Run several times after compiling once; each on its own copy of the scope."""
        times: list[float] = []
        value: Any = None
        for _ in range(runs):
            self.session.printed.clear()
            self.session.refill_steps(compiled)
            scope = {name: Cell(cell.v) for name, cell in self.scope.items()}
            started = milliseconds()
            value = self.guarded(lambda scope=scope: compiled.main(scope))
            times.append(milliseconds() - started)
        return {"ok": True, "value": to_typed(value), "compile_ms": compile_ms, "run_ms": times}


def evaluate(request: bytes) -> bytes:
    """Answer one request of the eval protocol; a program never makes this raise."""
    printed: list[str] = []
    try:
        evaluation = _Evaluation(_decode(request))
        printed = evaluation.session.printed
        answer = evaluation.run()
    except (BadRequest, DecodeError, UnicodeDecodeError) as error:
        answer = {"ok": False, "error": {"kind": "BadRequest", "message": str(error)}}
    except ParseError as error:
        answer = {"ok": False, "error": describe_error(parse_failure(error))}
    except (RhaiError, IndexError, RecursionError) as error:
        answer = {"ok": False, "error": describe_error(error)}  # type: ignore[arg-type]
    answer["printed"] = [line for entry in printed for line in entry.split("\n")]
    try:
        return json.encode(answer)
    except RecursionError as error:
        answer = {"ok": False, "error": describe_error(error), "printed": answer["printed"]}  # type: ignore[arg-type]
        return json.encode(answer)
