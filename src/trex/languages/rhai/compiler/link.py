"""What the code of one program refers to: its names, constants, functions and helpers.

Owns:  the global names of the generated module, and what each will hold.
Never: lowers a node.

Names in generated code are of our choosing: a variable `x` is `x_1`, a function `f` of two parameters
`f_f_2`, a closure `closure_3`, a constant `c_4`, a table of overloads `n_len_1`. A script cannot make one
that means something else, because every name it chooses gets a number.
"""

from __future__ import annotations

from typing import Any

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
        *,
        typed_calls: bool,
        strict_properties: bool = False,
        keeps_scope: bool = False,
        foreign: dict[tuple[str, int], ScriptFunction] | None = None,
        prefix: str = "",
    ) -> None:
        """`keeps_scope`: the caller wants to see the program's variables; they live in cells, in `scope`.
        `foreign`: functions of a running program that this one is added to.
        `prefix`: tells apart the names of code that is added to a running program."""
        self.limits = limits
        self.natives = natives
        self.nullary = nullary
        self.typed_calls = typed_calls
        self.strict_properties = strict_properties
        self.prefix = prefix
        self.evaluates = program.evaluates
        self.uses_global = program.uses_global
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
        self.scope_of_caller: dict[str, str] = {}
        # Code name -> position -> container and index of an inline subscript: the local names, or values.
        self.sites: dict[str, dict[int, Operands]] = {}
        # function slot -> label for call lines; None for the program itself.
        self.labels: dict[str, tuple[str, str]] = {}
        self._numbers = 0
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
            self.code_names[function] = f"f_{function.name[:_NAME_LENGTH]}_{prefix}{self.number()}"
            if function.receiver is None:
                self.functions[function.name, arity] = function
            else:
                self.typed_functions.setdefault((function.name, arity), []).append(function)

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    def slot(self, name: str) -> str:
        """A fresh name for a variable."""
        return f"{name[:_NAME_LENGTH]}_{self.prefix}{self.number()}"

    def constant(self, value: Any) -> str:
        """The name of a value that code needs and cannot write down."""
        key = (type(value), value)
        name = self._constants.get(key)
        if name is None:
            name = self._constants[key] = f"c_{self.prefix}{self.number()}"
            self.values[name] = value
        return name

    def thing(self, kind: str, value: Any) -> str:
        """The name of an object made for this program."""
        name = f"{kind}_{self.prefix}{self.number()}"
        self.values[name] = value
        return name

    def closure(self, function: Function) -> str:
        """The name of a closure's pointer (without captures) or prototype; its code follows."""
        name = self.code_names.get(function)
        if name is None:
            name = self.code_names[function] = f"closure_{self.prefix}{self.number()}"
            self.pending.append(function)
        return f"p_{name}"

    def may_change(self, name: str, arguments: int) -> bool:
        """Whether a method of this name could change its receiver in its place.

        A function of the library that only reads can be hidden by one in a map; `method_reference` then
        works on a marked receiver.
        """
        if self.has_method(name, arguments) or (name == "call" and arguments):
            return True
        overloads = self.overloads(name, arguments + 1)
        return overloads is None or overloads.changes

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
        short = f"n_{name[:_NAME_LENGTH]}_{arguments}"
        if short not in self.values:
            self.values[short] = self.natives[name, arguments]
        return short

    def method_table(self, name: str, arguments: int, untyped: Function | None, typed: dict[type, Function]) -> str:
        """The name of a table of the code of a method, by the type of the receiver."""
        short = f"m_{name[:_NAME_LENGTH]}_{arguments}"
        self.method_tables[short] = (untyped, typed)
        return short

    def implementation(self, name: str, arguments: int, kind: type) -> str:
        """The name of the one implementation for receivers of a type."""
        short = f"n_{name[:_NAME_LENGTH]}_{arguments}_{kind.__name__}"
        if short not in self.values:
            self.values[short] = self.natives[name, arguments][kind]
        return short

    def caller_scope(self, name: str) -> str | None:
        """In a function that runs in the scope of its caller: the cell of the caller's variable."""
        return self.scope_of_caller.get(name)

    def site(self, function: str, position: int, operands: Operands) -> None:
        """An inline subscript: where it is, and what its message needs."""
        self.sites.setdefault(function, {})[position] = operands
