"""One run of a script in this process: compile, link, execute; what `eval` and `import` add later.

Owns:  the run's programs, modules and steps, and the helpers of generated code that need them.
Never: talks to anything but the `Host` it was given.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Container
from typing import Any

from trex.languages.host import Host
from trex.languages.rhai import errors
from trex.languages.rhai.compiler import build
from trex.languages.rhai.compiler.code import HELPERS, Compiled, compile_module, load
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.compiler.program import Lowering, lower_closures
from trex.languages.rhai.errors import ParseError, RhaiError, Thrown
from trex.languages.rhai.library import packages
from trex.languages.rhai.parser import Options, parse, parse_expression
from trex.languages.rhai.positions import NOWHERE
from trex.languages.rhai.semantics import exceptions, sizes
from trex.languages.rhai.semantics.calls import native_call, script_call
from trex.languages.rhai.semantics.methods import ConstantCell
from trex.languages.rhai.semantics.pointers import HIDDEN, parse_failure
from trex.languages.rhai.semantics.state import RUN, ScriptFunction
from trex.languages.rhai.semantics.text import debug, text
from trex.languages.rhai.syntax import Function, Program
from trex.languages.rhai.typenames import internal_type_name
from trex.languages.rhai.values import Cell
from trex.limits import LanguageLimits

_DYNAMIC_CALLS = frozenset(("Fn", "call", "curry"))
UNBOUNDED_STEPS = 2**62

# How deep Python may call, whatever the script does: calls of its functions take one frame each, callbacks of
# library functions three to eight. The worst of them (a comparer that sorts) takes 1 KiB of the C stack for
# each frame, so this fits the usual 8 MiB; beyond it a script ends in a stack overflow of the language.
_FRAMES = 8000


class Module:
    """What an `import` gives: functions that are not private, and exported values."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.functions: dict[tuple[str, int], ScriptFunction] = {}
        self.values: dict[str, Any] = {}
        self.namespaces: dict[str, Module] = {}


def closure_parts(function: Function, code: str) -> list[Any]:
    """What makes the pointer of a closure, or its prototype: name, code, parameters, `this`."""
    maker = build.load(f"make_{code}" if function.captures else code)
    return [build.const(function.name), maker, build.const(len(function.params)), build.const(function.this)]


# How deep calls of `eval` may be nested.
DEEPEST_EVAL = 64


class Session:
    """A run. Make one per run; it resets everything that the process kept from another."""

    def __init__(
        self,
        limits: LanguageLimits,
        options: Options,
        host: Host | None = None,
        modules: dict[str, str] | None = None,
    ) -> None:
        self.limits = limits
        self.options = options
        self.host = host
        self.printed: list[str] = []
        sys.setrecursionlimit(_FRAMES)
        RUN.begin(limits, host)
        exceptions.forget()
        sizes.set_limits(limits.max_string_size, limits.max_array_size, limits.max_map_size)
        self.steps = itertools.repeat(True, limits.max_steps or UNBOUNDED_STEPS)
        self.sources = modules or {}
        self.loaded: dict[str, Module] = {}
        self.loading: list[str] = []
        # Name of the code of a module -> name and text of the module.
        self.texts: dict[str, tuple[str, str]] = {}
        self.first: Compiled | None = None
        self.untyped: dict[tuple[str, int], ScriptFunction] | None = None
        self.globals: dict[str, Any] = {}
        self.namespaces: dict[str, Module] = {}
        self.programs = 0
        # What `f!(..)` compiled: (name, arguments, names in scope, constants) -> (maker of the code, `this`).
        self.in_scope: dict[tuple[str, int, tuple[str, ...], frozenset[str]], tuple[Any, int]] = {}
        # For the names of generated code: no two things of a run have the same number.
        self.number = itertools.count(1).__next__
        self.compile_ms = 0.0
        RUN.print = self.print_line

    # --- compiling ---

    def parse(self, source: str, outer: dict[str, bool] | None = None, expression: bool = False) -> Program:
        """The tree of a text. Raises `ParseError`."""
        try:
            return (parse_expression if expression else parse)(source, self.limits, self.options, outer)
        except RecursionError:
            raise errors.too_complex() from None

    def compile(
        self,
        source: str,
        outer: dict[str, bool] | None = None,
        *,
        keeps_scope: bool = False,
        expression: bool = False,
        namespaces: dict[str, Module] | None = None,
        level: int = 0,
        live: Container[str] = (),
    ) -> Compiled:
        """A program, ready to run. Raises `ParseError`.

        outer:       the caller's variables, with whether each is constant.
        keeps_scope: the program's own variables stay visible to the caller.
        level:       the call level it runs at; one from 1 on belongs to the running program, as the text of `eval`.
        live:        variables of the caller that others can see, or change, while the program runs.
        """
        program = self.parse(source, outer, expression)
        link = self.link(program, keeps_scope=keeps_scope, level=level, live=live)
        first = self.programs == 1
        helpers = self.helpers(link, self.namespaces if namespaces is None else namespaces)
        try:
            compiled = load(program, link, helpers)
        except RecursionError:
            raise errors.too_complex() from None
        if first:
            RUN.functions, RUN.typed, RUN.closures = compiled.functions, compiled.typed, compiled.closures
            RUN.generic = self.generic
            self.first = compiled
        return compiled

    def link(self, program: Program, *, keeps_scope: bool = False, level: int = 0, live: Container[str] = ()) -> Link:
        """What the next program of the run is to be lowered with; see `compile`."""
        for name, variable in program.outer.items():
            if keeps_scope or name in live:
                variable.captured = variable.open = True
        if keeps_scope:
            for variable in program.top:
                variable.captured = variable.open = True
        self.programs += 1
        first = self.programs == 1
        return Link(
            program,
            self.limits,
            RUN.natives,
            RUN.nullary,
            self.number,
            typed_calls=first and not keeps_scope,
            strict_properties=RUN.strict_properties,
            keeps_scope=keeps_scope,
            foreign=None if first or not level else self.all_generic(),
            level=level,
        )

    def refill_steps(self, compiled: Compiled) -> None:
        """Give the run its steps again, to run a program once more."""
        self.steps = itertools.repeat(True, self.limits.max_steps or UNBOUNDED_STEPS)
        compiled.globals["STEPS"] = self.steps

    def generic(self, key: tuple[str, int]) -> ScriptFunction | None:
        """A function of the program compiled for arguments of any type, for calls that are not direct."""
        return self.all_generic().get(key)

    def all_generic(self) -> dict[tuple[str, int], ScriptFunction]:
        if self.untyped is None:
            first = self.first
            if first is None:
                return {}
            if not first.link.typed_calls or not first.program.functions:
                self.untyped = first.functions
            else:
                link = Link(
                    first.program,
                    self.limits,
                    RUN.natives,
                    RUN.nullary,
                    self.number,
                    typed_calls=False,
                    strict_properties=RUN.strict_properties,
                )
                self.untyped = load(first.program, link, self.helpers(link, self.namespaces)).functions
        return self.untyped

    def helpers(self, link: Link, namespaces: dict[str, Module]) -> dict[str, Any]:
        """The helpers that belong to this run."""

        def check_steps() -> None:
            """Whether a step was left."""
            if next(self.steps, None) is None:
                # All were drawn: the last turn had one, the loop itself has none.
                raise errors.too_many_operations()

        def import_module(path: Any, alias: str | None, depth: int) -> None:
            """`import path as alias`."""
            module = self.import_module(path)
            if alias is not None:
                namespaces[alias] = module

        def module_call(path: str, name: str, arguments: tuple[Any, ...], depth: int) -> Any:
            """`path::name(..)`."""
            return self.module_call(namespaces, path, name, arguments, depth)

        def module_variable(path: str, name: str) -> Any:
            """`path::name`."""
            return self.module_variable(namespaces, path, name)

        return {
            "STEPS": self.steps,
            "check_steps": check_steps,
            "print_out": self.print_out,
            "debug_out": self.debug_out,
            "evaluate_text": self.evaluate_text,
            "call_in_scope": self.call_in_scope,
            "define_global": self.globals.__setitem__,
            "import_module": import_module,
            "module_call": module_call,
            "module_variable": module_variable,
        }

    # --- output ---

    def print_out(self, line: int, value: Any = "") -> None:
        """`print(x)`."""
        self.print_line(text(value), line)

    def print_line(self, shown: str, line: int | None = None) -> None:
        """To the host's log; where there is no host, for the answer."""
        if self.host is None:
            self.printed.append(shown)
        else:
            self.host.log("PRINT", shown, line)

    def debug_out(self, line: int, value: Any = "") -> None:
        """`debug(x)`."""
        if self.host is not None:
            shown = debug(value)
            if type(value) is str:
                shown = shown[1:-1]
            self.host.log("DEBUG", shown, line)

    # --- eval and calls in the caller's scope ---

    def evaluate_text(
        self, source: Any, cells: dict[str, Cell], constants: frozenset[str], late: dict[str, Any], level: int
    ) -> Any:
        """`eval(text)`: it sees, changes and adds variables of the place where it stands."""
        if type(source) is not str:
            raise errors.mismatch(internal_type_name(source), "string")
        hidden = late.setdefault(HIDDEN, [])
        scope = {**late, **cells}
        del scope[HIDDEN]
        program = None
        try:
            # No call of its own for the language, but there must be an end.
            if level > max(RUN.call_levels, DEEPEST_EVAL):
                raise errors.stack_overflow()
            # With strict variables, a text may name only what it defines.
            outer = (
                {}
                if self.options.strict
                else {name: name in constants or type(cell) is ConstantCell for name, cell in scope.items()}
            )
            program = self.compile(source.strip(), outer, keeps_scope=True, level=level)
            if program.program.functions or program.program.closures:
                raise ParseError(
                    "WrongFnDefinition",
                    "Function definitions must be at global level and cannot be inside a block or another function",
                    NOWHERE,
                )
            return program.main(scope)
        except ParseError as error:
            failure = parse_failure(error)
            failure.calls = [("eval", "in call to function 'eval'", NOWHERE)]
            raise failure from None
        except RhaiError as error:
            understood = exceptions.understand(error)
            understood.calls = [*(understood.calls or ()), ("eval", "in call to function 'eval'", NOWHERE)]
            raise understood.with_traceback(None) from None
        finally:
            hidden.extend(scope.pop(HIDDEN, ()))
            fixed = {} if program is None else {v.name: v.constant for v in program.program.top}
            for name, cell in scope.items():
                known = cells.get(name)
                if known is None:
                    late[name] = ConstantCell(cell.v, name) if fixed.get(name) else cell
                elif known is not cell:
                    hidden.append((known, known.v))
                    known.v = cell.v

    def call_in_scope(
        self, name: str, arguments: tuple[Any, ...], cells: dict[str, Cell], constants: frozenset[str], level: int
    ) -> Any:
        """`f!(..)`: the function's free names are the caller's variables."""
        key = (name, len(arguments), tuple(cells), constants)
        known = self.in_scope.get(key)
        if known is None:
            tree = None if self.first is None else self.first.link.functions.get((name, len(arguments)))
            if tree is None:
                return native_call(name, arguments, level - 1)
            known = self.in_scope[key] = self.opened(tree, list(cells), constants), tree.this
        make, this = known
        return script_call(ScriptFunction(name, (), make(*cells.values()), this, None, False), arguments, level)

    def opened(self, tree: Function, names: list[str], constants: frozenset[str]) -> Any:
        """A function of the program, made by one that takes the cells of the variables that it may name."""
        known = self.all_generic()
        self.programs += 1
        program = Program(Function("", [], 0), [tree], [], {})
        link = Link(program, self.limits, RUN.natives, RUN.nullary, self.number, typed_calls=False, foreign=known)
        link.functions.clear()
        link.scope_of_caller = {name: link.slot("cell") for name in names}
        link.scope_constants = constants
        link.evaluates = self.first is not None and self.first.program.evaluates
        name = tree.name
        label = link.code_names[tree]
        link.labels[label] = (name, f"in call to function '{name}'")
        definitions = Lowering(link, tree).lowered()
        definitions += lower_closures(link)
        pointers = [
            build.assign_name(f"p_{code}", build.apply("FnPtr", closure_parts(function, code)))
            for function, code in link.code_names.items()
            if function.closure
        ]
        make = [*definitions, *pointers, build.return_(build.load(label))]
        factory = build.function("make", list(link.scope_of_caller.values()), make)
        code = compile_module(build.module([factory]))
        namespace = {**HELPERS, **self.helpers(link, self.namespaces), **link.values}
        exec(code, namespace)  # noqa: S102 - the code is ours; the script chose only its shape
        exceptions.register(link.labels, link.sites, link.parts)
        return namespace["make"]

    # --- modules ---

    def import_module(self, path: Any) -> Module:
        """`import path`. Only modules that came with the request exist."""
        if type(path) is not str:
            raise errors.mismatch(internal_type_name(path), "string")
        module = self.loaded.get(path)
        if module is not None:
            return module
        source = self.sources.get(path)
        if source is None or path in self.loading:
            raise errors.module_not_found(path)
        if self.limits.max_modules and len(self.loaded) + len(self.loading) >= self.limits.max_modules:
            raise errors.too_many_modules()
        module = Module(path)
        self.loading.append(path)
        try:
            compiled = self.compile(source, keeps_scope=True, namespaces=module.namespaces)
            self.texts.update(dict.fromkeys(compiled.link.labels, (path, source)))
            scope: dict[str, Cell] = {}
            compiled.main(scope)
            module.functions = {key: made for key, made in compiled.functions.items() if not made.private}
            for alias, variable in compiled.link.exports:
                module.values[alias] = scope[variable.name].v
        except ParseError as error:
            failure = parse_failure(error)
            failure.calls = [(path, f"in module '{path}'", NOWHERE)]
            failure.module = path, source
            raise failure from None
        except RhaiError as error:
            understood = exceptions.understand(error)
            if understood.kind not in errors.UNCATCHABLE and type(understood) is not Thrown:
                understood.calls = [*(understood.calls or ()), (path, f"in module '{path}'", NOWHERE)]
            raise understood.with_traceback(None) from None
        finally:
            self.loading.pop()
        self.loaded[path] = module
        return module

    @staticmethod
    def find(namespaces: dict[str, Module], path: str) -> Module:
        """The module behind a path such as `m::sub`."""
        module: Module | None = None
        for name in path.split("::"):
            module = (namespaces if module is None else module.namespaces).get(name)
            if module is None:
                raise errors.module_not_found(path)
        assert module is not None
        return module

    def module_call(
        self, namespaces: dict[str, Module], path: str, name: str, arguments: tuple[Any, ...], depth: int
    ) -> Any:
        """`m::f(..)`."""
        constants = RUN.constants.get(path)
        if constants is not None:
            return constants.call(name, arguments)
        module = self.find(namespaces, path)
        function = module.functions.get((name, len(arguments)))
        if function is None:
            raise errors.function_not_found(f"{path}::{name}", *arguments)
        return script_call(function, arguments, depth + 1)

    def module_variable(self, namespaces: dict[str, Module], path: str, name: str) -> Any:
        """`m::X`, and `global::X` for constants of the program."""
        if path == "global":
            if name not in self.globals:
                raise errors.variable_not_found(f"global::{name}")
            return self.globals[name]
        constants = RUN.constants.get(path)
        if constants is not None:
            return constants.member(name)
        module = self.find(namespaces, path)
        if name not in module.values:
            raise errors.variable_not_found(f"{path}::{name}")
        return module.values[name]


def milliseconds() -> float:
    """The monotonic clock, in milliseconds."""
    return time.perf_counter() * 1e3


__all__ = ["Module", "Session", "milliseconds", "packages"]
