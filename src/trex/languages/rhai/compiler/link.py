"""What the code of one program refers to: its names, constants, functions and helpers.

Owns:  the global names of the generated module, and what each will hold.
Never: lowers a node.

Names in generated code are of our choosing: a variable `x` is `x_1`, a function `f` `f_f_2`, a closure
`closure_3`, a constant `c_4`, a table of overloads `n_len_5`. No number is given twice in a run, whatever
it is for, and no name without one ends so. That is why a script cannot make a name that means something
else: what it chooses only ever stands before a number that is not its choice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler.kinds import (
    ANY,
    BITS_BY_NAME,
    K_ANY,
    K_NEVER,
    Kind,
    contents_forgotten,
    join,
    may_hold,
    of_call,
)
from trex.languages.rhai.library.registry import Overloads
from trex.languages.rhai.semantics.state import ScriptFunction
from trex.languages.rhai.syntax import Function, Program, Variable
from trex.limits import LanguageLimits

_NAME_LENGTH = 40

# For each operand its name in the generated code, or "" and its value.
Operands = tuple[tuple[str, Any], ...]


class Link:
    """The names of one program."""

    def __init__(
        self,
        program: Program,
        limits: LanguageLimits,
        natives: dict[tuple[str, int], Overloads],
        nullary: dict[str, Any],
        number: Callable[[], int],
        *,
        typed_calls: bool,
        strict_properties: bool = False,
        keeps_scope: bool = False,
        foreign: dict[tuple[str, int], ScriptFunction] | None = None,
        level: int = 0,
    ) -> None:
        """`number`: a number that nothing else in the run has.
        `keeps_scope`: the caller wants to see the program's variables; they live in cells, in `scope`.
        `foreign`: functions of a running program that this one is added to.
        `level`: the call level that the program itself runs at."""
        self.limits = limits
        self.level = level
        self.natives = natives
        self.nullary = nullary
        self.typed_calls = typed_calls
        # A callback that names `this` may change what a library function hands to it.
        self.callbacks_change = any(f.uses_this for f in [*program.functions, *program.closures])
        self.strict_properties = strict_properties
        self.evaluates = program.evaluates
        self.assigns_this = program.assigns_this
        self.entries = program.entries
        # Constants that `global::` finds: those of the program level, where there are functions.
        has_functions = bool(program.functions or program.closures)
        self.globals = frozenset(program.top) if program.uses_global and has_functions else frozenset()
        self.keeps_scope = keeps_scope
        self.top = program.top if keeps_scope else []
        self.values: dict[str, Any] = {}
        self.functions: dict[tuple[str, int], Function] = {}
        self.typed_functions: dict[tuple[str, int], list[Function]] = {}
        # (name, arguments) of every method call; tables of methods by the type of the receiver.
        self.method_calls: set[tuple[str, int]] = set()
        self.method_tables: dict[str, tuple[Function | None, dict[type, Function]]] = {}
        self.method_names: set[str] = set()
        self.function_names: set[str] = set()
        self.pending: list[Function] = []
        self.exports: list[tuple[str, Variable]] = []
        # In a function that runs in the scope of its caller: the caller's variables, and which of them are constant.
        self.scope_of_caller: dict[str, str] = {}
        self.scope_constants: frozenset[str] = frozenset()
        # Code name -> position -> container and index of an inline subscript: the local names, or values.
        self.sites: dict[str, dict[int, Operands]] = {}
        # Code name -> position of an operation -> positions of its arguments or elements.
        self.parts: dict[str, dict[int, tuple[int, ...]]] = {}
        # function slot -> label for call lines; None for the program itself.
        self.labels: dict[str, tuple[str, str]] = {}
        self.number = number
        # The code of the program level.
        self.main = f"main_{number()}"
        # (name, arguments) of a table, and the type of its receivers in the case of one implementation.
        self._tables: dict[tuple[str, int, type | None], str] = {}
        self._methods: dict[tuple[str, int], str] = {}
        self._constants: dict[tuple[type, Any], str] = {}
        # Code names; a program may be lowered more than once.
        self.code_names: dict[Function, str] = {program.main: ""}
        # Functions of the program that this one is added to.
        self.foreign = foreign or {}
        for name, _ in self.foreign:
            self.function_names.add(name)
        for function in program.functions:
            self.function_names.add(function.name)
            arity = len(function.params)
            self.code_names[function] = f"f_{function.name[:_NAME_LENGTH]}_{number()}"
            if function.receiver is None:
                self.functions[function.name, arity] = function
            else:
                self.typed_functions.setdefault((function.name, arity), []).append(function)

    def slot(self, name: str) -> str:
        """A fresh name for a variable. A host may call one of its own as no script can; that stays out of code."""
        return f"{name[:_NAME_LENGTH] if name.isidentifier() and name.isascii() else 'v'}_{self.number()}"

    def constant(self, value: Any) -> str:
        """The name of a value that code needs and cannot write down."""
        key = (type(value), value)
        name = self._constants.get(key)
        if name is None:
            name = self._constants[key] = f"c_{self.number()}"
            self.values[name] = value
        return name

    def thing(self, kind: str, value: Any) -> str:
        """The name of an object made for this program."""
        name = f"{kind}_{self.number()}"
        self.values[name] = value
        return name

    def closure(self, function: Function) -> str:
        """The name of a closure's pointer (without captures) or prototype; its code follows."""
        name = self.code_names.get(function)
        if name is None:
            name = self.code_names[function] = f"closure_{self.number()}"
            self.pending.append(function)
        return f"p_{name}"

    def methods(self, name: str, arguments: int) -> list[Function]:
        """The functions of the script that a method call could mean."""
        key = (name, arguments)
        untyped = self.functions.get(key)
        found = self.typed_functions.get(key, [])
        return found if untyped is None else [*found, untyped]

    def may_change(self, name: str, arguments: int, receiver: Kind) -> bool:
        """Whether a method of this name could change its receiver in its place.

        A function of the library that only reads can be hidden by one in a map; `method_reference` then
        works on a marked receiver.
        """
        if (name == "call" and arguments) or (name, arguments) in self.foreign:
            return True
        functions = self.methods(name, arguments)
        if any(function.changes_this for function in functions):
            return True
        overloads = self.overloads(name, arguments + 1)
        if overloads is not None and overloads.changes:
            return True
        return (overloads is None or bool(functions)) and may_hold(receiver, name)

    def method_result(self, name: str, arguments: int, receiver: Kind) -> Kind:
        """What a method call gives where functions of the script have that name."""
        key = (name, arguments)
        if not self.typed_calls or key in self.foreign or may_hold(receiver, name):
            return K_ANY
        found = K_NEVER
        known = 0
        for function in self.methods(name, arguments):
            known |= BITS_BY_NAME.get(function.receiver, 0) if function.receiver is not None else ANY
            found = join(found, function.returns)
        return K_ANY if receiver.bits & ~known else found

    def this_kind(self, function: Function) -> Kind:
        """What `this` is: known for methods of one type, unless something assigns to a `this`."""
        if function.receiver is None or self.assigns_this:
            return K_ANY
        return Kind(BITS_BY_NAME.get(function.receiver, ANY))

    def result_of(self, name: str, arguments: int, receiver: Kind) -> Kind:
        """What a library function gives."""
        overloads = self.overloads(name, arguments)
        if overloads is not None and self.changed_by_callbacks(overloads):
            receiver = contents_forgotten(receiver)
        return of_call(name, receiver)

    def changed_by_callbacks(self, overloads: Overloads) -> bool:
        """Whether the callbacks that a library function runs may change its receiver's elements."""
        return overloads.calls and self.callbacks_change

    def is_function(self, name: str) -> bool:
        """Whether some function of the script has this name."""
        return name in self.function_names

    def has_method(self, name: str, arguments: int) -> bool:
        """Whether a function of the script could be called so as a method."""
        key = (name, arguments)
        return key in self.functions or key in self.typed_functions or key in self.foreign

    def overloads(self, name: str, arguments: int) -> Overloads | None:
        """The library's and the host's functions of this name and number of arguments."""
        return self.natives.get((name, arguments))

    def table(self, name: str, arguments: int) -> str:
        """The name of the table of overloads."""
        return self._table(name, arguments, None, self.natives[name, arguments])

    def _table(self, name: str, arguments: int, kind: type | None, value: Any) -> str:
        key = (name, arguments, kind)
        short = self._tables.get(key)
        if short is None:
            short = self._tables[key] = self.thing(f"n_{name[:_NAME_LENGTH]}", value)
        return short

    def method_table(self, name: str, arguments: int, untyped: Function | None, typed: dict[type, Function]) -> str:
        """The name of a table of the code of a method, by the type of the receiver."""
        key = (name, arguments)
        short = self._methods.get(key)
        if short is None:
            short = self._methods[key] = self.slot(f"m_{name}")
            self.method_tables[short] = (untyped, typed)
        return short

    def implementation(self, name: str, arguments: int, kind: type) -> str:
        """The name of the one implementation for receivers of a type."""
        return self._table(name, arguments, kind, self.natives[name, arguments][kind])

    def caller_scope(self, name: str) -> str | None:
        """In a function that runs in the scope of its caller: the cell of the caller's variable."""
        return self.scope_of_caller.get(name)

    @property
    def sized(self) -> bool:
        """Whether the size of some kind of value is limited."""
        limits = self.limits
        return bool(limits.max_string_size or limits.max_array_size or limits.max_map_size)

    def part_positions(self, function: str, position: int, parts: tuple[int, ...]) -> None:
        """Where the parts of the operation at a position stand."""
        self.parts.setdefault(function, {})[position] = parts

    def site(self, function: str, position: int, operands: Operands) -> None:
        """An inline subscript: where it is, and what its message needs."""
        self.sites.setdefault(function, {})[position] = operands
