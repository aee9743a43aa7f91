"""From a tree to a module of Python: every function lowered, in one syntax tree.

Owns:  the shape of the generated module, what stands at the start of each function.
Never: runs anything.

    def f_area_1(shape_2, depth): ...          a function of the script
    def closure_3(x_4, depth): ...             a closure that captures nothing
    def make_closure_5(total_6):               a closure over the cells of what it captures
        def closure_5(x_7, depth): ...
        return closure_5
    def main_8(scope): ...                     the program level
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler.handlers import Caught, Handlers
from trex.languages.rhai.compiler.inference import Inference
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.compiler.loops import Loop
from trex.languages.rhai.compiler.statements import RETURN
from trex.languages.rhai.syntax import Function, Program, Variable
from trex.languages.rhai.values import NO_THIS, THIS_CELL, THIS_VALUE


class Lowering(Handlers):
    """One function."""

    def __init__(self, link: Link, function: Function) -> None:
        super().__init__()
        self.link = link
        self.function = function
        self.code_name = link.code_names[function]
        self.hot = bool(self.code_name)
        self.loops: list[Loop] = []
        self.caught: list[Caught | None] = []
        self.attempts: list[Caught] = []
        self.dying: set[str] = set()

    def slot(self, variable: Variable) -> str:
        name = super().slot(variable)
        if variable.role == "local" and not variable.captured:
            self.dying.add(name)
        return name

    def start(self, params: list[Variable]) -> None:
        """What a function does before its body: its level, its step, its parameters."""
        levels = self.link.limits.max_call_levels
        position = self.function.position
        if levels:
            test = b.compare(b.load("depth"), ">", b.const(levels))
            self.emit(b.if_(test, [b.raise_(b.call("stack_overflow", [], position), position)], []))
        if self.counted:
            self.emit(b.for_(b.store("_"), b.load("STEPS"), [b.BREAK], self.out_of_steps(position)))
        limit = self.link.limits.max_variables
        if limit and len(params) + len(self.function.captures) > limit and self.function.body.statements:
            self.emit(b.raise_(b.call("too_many_variables", [], position), position))
        for param in params:
            name = self.slot(param)
            if param.changed or param.captured:
                self.emit(b.assign_name(name, b.call("share", [b.load(name)], 0)))
            if param.captured:
                self.emit(b.assign_name(name, b.call("Cell", [b.load(name)], 0)))
        for inner, outside, _ in self.function.captures.values():
            if self.copies(inner, outside):
                cell = b.attribute(b.load(f"{self.slot(inner)}_c"), "v")
                self.emit(b.assign_name(self.slot(inner), b.call("Cell", [b.call("share", [cell], 0)], 0)))
        if self.link.evaluates:
            self.emit(b.assign_name("late", b.dict_([], [])))

    @staticmethod
    def copies(inner: Variable, outside: Variable | None) -> bool:
        """Whether a closure changes a constant that it captured: each call then has its own copy of it."""
        return outside is not None and outside.constant and bool(inner.assigned or inner.changed or outside.changed)

    def lowered(self) -> list[Any]:
        """The Python functions that make up this one."""
        function = self.function
        self.start(function.params)
        self.lower_to(function.body, RETURN)
        names = ["this"] if function.this else []
        names += [self.slot(param) for param in function.params]
        made = b.function(self.code_name, [*names, "depth"], self.out)
        if not function.captures:
            return [made]
        cells = [
            f"{self.slot(inner)}_c" if self.copies(inner, outside) else self.slot(inner)
            for inner, outside, _ in function.captures.values()
        ]
        return [b.function(f"make_{self.code_name}", cells, [made, b.return_(b.load(self.code_name))])]

    def lowered_main(self, outer: dict[str, Variable]) -> Any:
        """The program level. It takes `scope`, the cells of the caller's variables by name."""
        if self.link.evaluates:
            # What `eval` declares is the caller's too, where the program's own variables are.
            self.emit(b.assign_name("late", b.load("scope") if self.link.keeps_scope else b.dict_([], [])))
        for name, variable in outer.items():
            cell = b.subscript(b.load("scope"), b.const(name), 0)
            self.emit(b.assign_name(self.slot(variable), cell if variable.captured else b.attribute(cell, "v")))
        self.lower_to(self.function.body, RETURN)
        return b.function(self.link.main, ["scope"], self.out)


def infer(program: Program, link: Link) -> None:
    """Fill in what is known of the variables."""
    Inference(program, link).run()
    for function in program.functions:
        reads = function.uses_this or (function.name, len(function.params)) in link.method_calls
        function.this = THIS_CELL if function.changes_this else THIS_VALUE if reads else NO_THIS
    for closure in program.closures:
        closure.this = THIS_CELL if closure.changes_this else THIS_VALUE if closure.uses_this else NO_THIS


def mark_parameters(program: Program) -> None:
    """A parameter that closures or changes reach must be marked by its function."""
    for closure in program.closures:
        for inner, outside, _ in closure.captures.values():
            inner.captured = True
            if outside is not None:
                outside.captured = True


def lower(program: Program, link: Link) -> Any:
    """The whole module. `link` learns all names it needs."""
    mark_parameters(program)
    infer(program, link)
    body: list[Any] = []
    link.labels[link.main] = ("", "")
    main = Lowering(link, program.main)
    last = main.lowered_main(program.outer)
    for function in program.functions:
        link.labels[link.code_names[function]] = (function.name, f"in call to function '{function.name}'")
        body.extend(Lowering(link, function).lowered())
    body += lower_closures(link)
    body.append(last)
    return b.module(body)


def lower_closures(link: Link) -> list[Any]:
    """The functions of all closures that lowering met, and of those that they contain."""
    body: list[Any] = []
    while link.pending:
        function = link.pending.pop()
        function.name = closure_name(function)
        link.labels[link.code_names[function]] = (function.name, "in closure call")
        body.extend(Lowering(link, function).lowered())
    return body


def closure_name(function: Function) -> str:
    """A closure's name as scripts see it; the digits mean nothing."""
    number = (function.position * 0x9E3779B97F4A7C15 + len(function.params)) & 0xFFFF_FFFF_FFFF_FFFF
    return f"anon${number:016x}"
