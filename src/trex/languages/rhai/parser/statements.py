"""The grammar of statements, definitions and programs, and the order in which mistakes are found.

Relies on: `expressions` for what statements are made of.
"""

from __future__ import annotations

from typing import Any, NoReturn

from trex.languages.rhai.errors import ParseError
from trex.languages.rhai.parser.checks import (
    is_constant,
    is_folded,
    not_iterable,
    position_of,
    start_of,
)
from trex.languages.rhai.parser.cursor import Options
from trex.languages.rhai.parser.switches import Switches, self_terminated
from trex.languages.rhai.scopes import Scope
from trex.languages.rhai.syntax import (
    Assign,
    Block,
    Break,
    Chain,
    Closure,
    Continue,
    Do,
    Export,
    For,
    Function,
    If,
    Import,
    Let,
    Logical,
    MethodStep,
    Name,
    Program,
    Qualified,
    Return,
    This,
    Throw,
    Try,
    While,
)
from trex.languages.rhai.tokens import (
    ASSIGNMENTS,
    END,
    ERROR,
    FRAGMENT,
    IDENTIFIER,
    RESERVED,
    STRING,
    UNIT,
    is_function_name,
)
from trex.limits import LanguageLimits


class Parser(Switches):
    """One text. `program()` or `expression_only()` is called once."""

    def program(self) -> Program:
        """A whole script."""
        statements: list[Any] = []
        kinds = self.kinds
        while kinds[self.i] != END:
            statement = self.statement(0)
            if statement is None:
                continue
            statements.append(statement)
            kind = kinds[self.i]
            if kind == ";":
                self.i += 1
            elif kind != END and not self_terminated(statement):
                self.missing(";", "to terminate this statement")
        self.main.body = Block(statements, self.positions[0])
        return self.finished()

    def expression_only(self) -> Program:
        """A text that is one expression, without statements."""
        self.statements_allowed = False
        expression = self.expression(0)
        if self.kinds[self.i] != END:
            self.left_over()
        self.main.body = Block([expression], self.positions[0])
        return self.finished()

    def left_over(self) -> NoReturn:
        """A token behind the expression, whatever it is."""
        kind, value = self.kinds[self.i], self.values[self.i]
        if kind == ERROR:
            text = value[1]
        elif kind == STRING:
            text = f'"{value}"'
        elif kind == FRAGMENT:
            text = "string"
        elif type(value) is float:
            text = str(value).replace("e+", "e")
        else:
            text = self.spelling()
        raise ParseError("BadInput", f"Unexpected '{text}'", self.positions[self.i], "UnexpectedInput")

    def finished(self) -> Program:
        """The tree, with what the parser noticed on the way."""
        return Program(
            self.main,
            self.functions,
            self.closures,
            self.outer,
            evaluates=self.evaluates,
            assigns_this=self.assigns_this,
            uses_global=self.uses_global,
            entries=self.entries,
            top=self.program_scope.top,
        )

    # --- expressions ---

    def statement(self, level: int) -> Any:
        """One statement, without its semicolon; None for an empty one and for function definitions."""
        kind = self.kinds[self.i]
        method = _STATEMENTS.get(kind)
        if method is not None:
            return method(self, level)
        if kind == END:
            return None
        return self.expression_statement(self.up(level))

    def operand_statement(self, kind: str, level: int) -> Any:
        if kind == "{":
            return self.block(level)
        if kind == "if":
            return self.if_statement(level)
        if kind == "switch":
            return self.switch_statement(level)
        if kind == "do":
            return self.do_statement(level)
        if kind == "for":
            return self.for_statement(level)
        return self.while_statement(level)

    def empty_statement(self, level: int) -> None:
        self.i += 1

    def nested_block(self, level: int) -> Any:
        return self.block(self.up(level))

    def block(self, level: int, construct: int | None = None) -> Block:
        kinds = self.kinds
        position = self.positions[self.i]
        if kinds[self.i] != "{":
            self.missing("{", "to start a statement block")
        self.i += 1
        level = self.up(level, construct or position)
        statements: list[Any] = []
        if not self.statements_allowed:
            statements.append(self.expression_statement(level))
            if not self.accept("}"):
                self.missing("{", "to start a statement block")
            return Block(statements, position)
        scope = self.scope
        scope.open()
        saved = self.global_level, self.stop_at_pipe, self.block_evaluates
        self.global_level = self.stop_at_pipe = self.block_evaluates = False
        while True:
            kind = kinds[self.i]
            if kind == "}":
                break
            if kind == END:
                self.missing("}", "to terminate this block")
            statement = self.statement(level)
            if statement is None:
                continue
            statements.append(statement)
            kind = kinds[self.i]
            if kind == "}":
                break
            if kind == ";":
                self.i += 1
            elif not self_terminated(statement):
                self.missing(";", "to terminate this statement")
        self.i += 1
        made = Block(statements, position, self.block_evaluates)
        self.global_level, self.stop_at_pipe, self.block_evaluates = saved
        scope.close()
        return made

    def expression_statement(self, level: int) -> Any:
        expression = self.expression(level)
        kind = self.kinds[self.i]
        if kind == "=":
            operator = None
        else:
            operator = ASSIGNMENTS.get(kind)
            if operator is None:
                return expression
        position = self.positions[self.i]
        self.i += 1
        value = self.expression(level)
        return self.assignment(expression, operator, value, position)

    def assignment(self, target: Any, operator: str | None, value: Any, position: int) -> Any:
        kind = type(target)
        if kind is Name:
            variable = target.variable
            if variable is not None:
                if variable.constant and variable.role != "outer":
                    self.fail("AssignmentToConstant", f"Cannot assign to constant {target.name}", target.position)
                variable.assigned += 1
        elif kind is Chain:
            root = target.root
            for step in target.steps:
                if type(step) is MethodStep:
                    self.invalid_target(step.position)
            if type(root) not in (Name, This, Qualified):
                self.invalid_target(position_of(root))
            if type(root) is Name and root.variable is not None:
                root.variable.changed = True
            elif type(root) is This:
                self.scope.function.changes_this = True
        elif kind is This:
            self.assigns_this = self.scope.function.changes_this = True
        elif kind is Qualified:
            pass
        elif is_constant(target) or (kind is Closure and not target.function.captures):
            self.fail("AssignmentToConstant", "Cannot assign to a constant value", start_of(target))
        elif kind is Logical and operator is None:
            self.improper("=", "Possibly a typo of '=='?", position)
        else:
            self.invalid_target(position_of(target))
        return Assign(target, operator, value, position)

    def invalid_target(self, position: int) -> NoReturn:
        self.fail("AssignmentToInvalidLHS", "Expression cannot be assigned to", position)

    def if_statement(self, level: int, construct: int | None = None) -> Any:
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level, construct or position)
        condition = self.condition(level)
        body = self.block(level, position)
        other: Any = None
        if self.accept("else"):
            chained = self.kinds[self.i] == "if"
            other = self.if_statement(level, position) if chained else self.block(level, position)
        return If(condition, body, other, position)

    def while_statement(self, level: int) -> Any:
        kind = self.kinds[self.i]
        position = self.positions[self.i]
        level = self.up(level)
        self.i += 1
        condition = self.condition(level) if kind == "while" else None
        self.scope.function.loops = True
        body = self.loop_body(level, position)
        return While(condition, body, position)

    def loop_body(self, level: int, position: int) -> Block:
        saved = self.breakable, self.jumps
        self.breakable = True
        body = self.block(level, position)
        self.breakable, self.jumps = saved
        return body

    def do_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level, position)
        self.scope.function.loops = True
        body = self.loop_body(level, position)
        kind = self.kinds[self.i]
        if kind != "while" and kind != "until":
            self.fail("MissingToken", "Expecting 'while' for the do statement")
        self.i += 1
        return Do(body, self.condition(level), kind == "until", position)

    def for_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level, position)
        counter_name = None
        if self.accept("("):
            name_position = self.positions[self.i]
            name = self.variable_name()
            if not self.accept(","):
                self.fail("MissingToken", "Expecting ',' after the iteration variable name")
            counter_position = self.positions[self.i]
            counter_name = self.variable_name()
            if counter_name == name:
                self.fail("DuplicatedVariable", f"Duplicated variable name: {name}", counter_position)
            if not self.accept(")"):
                self.fail("MissingToken", "Expecting ')' to close the iteration variable")
        else:
            name_position = self.positions[self.i]
            name = self.variable_name()
        if not self.accept("in"):
            self.missing("in", "after the iteration variable")
        if self.kinds[self.i] == "{":
            self.fail("ExprExpected", "Expecting a boolean expression")
        iterable = self.expression(level)
        wrong = not_iterable(iterable)
        if wrong:
            self.fail("MismatchedType", f"Expecting an iterable value, not {wrong}", start_of(iterable))
        scope = self.scope
        scope.function.loops = True
        scope.open()
        counter = None if counter_name is None else scope.declare(counter_name, "loop")
        variable = scope.declare(name, "loop")
        body = self.loop_body(level, position)
        scope.close()
        return For(variable, counter, iterable, body, position, name_position)

    def function_definition(self, level: int) -> None:
        position = self.positions[self.i]
        private = self.accept("private")
        if private and self.kinds[self.i] != "fn":
            self.fail("MissingToken", "Expecting 'fn' following 'private'")
        if not self.global_level:
            self.fail(
                "WrongFnDefinition",
                "Function definitions must be at global level and cannot be inside a block or another function",
                position,
            )
        position = self.positions[self.i]
        if len(self.functions) + len(self.closures) >= self.max_functions:
            self.fail("TooManyFunctions", "Number of functions defined exceeds maximum limit")
        self.i += 1
        enclosing = self.scope
        function = Function("", [], position, private=private)
        scope = self.scope = Scope(function, enclosing)
        saved = self.breakable, self.in_function, self.max_depth
        self.breakable = self.global_level = False
        self.in_function = True
        self.max_depth = self.function_depth
        self.function_body(function)
        self.breakable, self.in_function, self.max_depth = saved
        self.global_level = True
        self.scope = enclosing
        del scope
        key = (function.receiver, function.name, len(function.params))
        if key in self.function_keys:
            count = len(function.params)
            how = "no parameters" if not count else "1 parameter" if count == 1 else f"{count} parameters"
            self.fail("FnDuplicatedDefinition", f"Function {function.name} with {how} already exists", position)
        self.function_keys.add(key)
        self.function_names.add(function.name)
        self.functions.append(function)

    def function_body(self, function: Function) -> None:
        kinds, values = self.kinds, self.values
        level = self.up(0, function.position)
        if kinds[self.i] == STRING or (kinds[self.i] == IDENTIFIER and kinds[self.i + 1] == "."):
            receiver = values[self.i]
            self.i += 1
            if kinds[self.i] != ".":
                self.fail("MissingToken", "Expecting '.' after the type name for 'this'")
            self.i += 1
            function.receiver = {"int": "i64", "float": "f64"}.get(receiver, receiver)
        kind = kinds[self.i]
        name = values[self.i]
        if kind == RESERVED:
            noun = "keyword" if name[0].isalpha() else "symbol"
            self.fail("Reserved", f"'{name}' is a reserved {noun}")
        if kind != IDENTIFIER or not is_function_name(name):
            self.fail("FnMissingName", "Expecting function name in function declaration")
        self.i += 1
        function.name = name
        kind = kinds[self.i]
        if kind == UNIT:
            self.i += 1
        elif kind == "(":
            self.i += 1
            self.parameters(
                function,
                ")",
                f"to close the parameters list of function '{name}'",
                f"to separate the parameters of function '{name}'",
            )
        else:
            self.fail("FnMissingParams", f"Expecting parameters for function {name}")
        if kinds[self.i] != "{":
            self.fail("FnMissingBody", f"Expecting body statement block for function {name}")
        function.body = self.block(level, function.position)

    def let_statement(self, level: int, exported: str | None = None, construct: int | None = None) -> Any:
        level = self.up(level, construct)
        constant = self.kinds[self.i] == "const"
        keyword = self.positions[self.i]
        self.i += 1
        position = self.positions[self.i]
        name = self.variable_name()
        value = self.expression(self.up(level, keyword)) if self.accept("=") else None
        variable = self.scope.declare(name, "local", constant)
        if constant:
            variable.literal = is_folded(value)
        return Let(variable, value, position, keyword, name if exported is not None else None)

    def jump(self, level: int) -> Any:
        """`break`, `continue`, `return`, `throw`."""
        kind = self.kinds[self.i]
        position = self.positions[self.i]
        if kind in ("break", "continue") and not self.breakable:
            self.fail("LoopBreak", "Break statement should only be used inside a loop")
        self.i += 1
        if kind == "continue":
            self.jumps += 1
            return Continue(position)
        here = self.i
        value: Any = None
        level = self.up(level, position)
        try:
            value = self.expression(level)
        except ParseError:
            # Nothing that could be a value follows.
            if self.i != here:
                raise
        if kind == "break":
            self.jumps += 1
            return Break(value, position)
        if kind == "return":
            return Return(value, position)
        return Throw(value, position)

    def try_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        level = self.up(self.up(level))
        self.i += 1
        self.scope.function.catches = True
        jumps = self.jumps
        body = self.block(level, position)
        escapes = self.jumps != jumps
        if not self.accept("catch"):
            self.fail("MissingToken", "Expecting 'catch' for the 'try' statement")
        self.scope.open()
        variable = None
        name_position = 0
        if self.accept("("):
            name_position = self.positions[self.i]
            variable = self.scope.declare(self.variable_name(), "catch")
            if not self.accept(")"):
                self.fail("MissingToken", "Expecting ')' to enclose the catch variable")
        handler = self.block(level, position)
        self.scope.close()
        return Try(body, variable, handler, position, name_position, escapes)

    def import_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        level = self.up(self.up(level))
        self.i += 1
        path = self.expression(level)
        alias = self.variable_name() if self.accept("as") else None
        if alias is not None:
            self.scope.imports.append(alias)
        return Import(path, alias, position)

    def export_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        if not self.global_level:
            self.fail("WrongExport", "Export statement can only appear at global level")
        level = self.up(level)
        self.i += 1
        if self.kinds[self.i] in ("let", "const"):
            return self.let_statement(level, "", position)
        name_position = self.positions[self.i]
        name = self.variable_name()
        alias = self.variable_name() if self.accept("as") else name
        variable = self.scope.find(name, self.function_names, name_position)
        return Export(Name(name, variable, name_position), alias, position)


_STATEMENTS: dict[str, Any] = {
    ";": Parser.empty_statement,
    "{": Parser.nested_block,
    "fn": Parser.function_definition,
    "private": Parser.function_definition,
    "if": lambda self, level: self.if_statement(self.up(level)),
    "switch": lambda self, level: self.switch_statement(self.up(level)),
    "while": lambda self, level: self.while_statement(self.up(level)),
    "loop": lambda self, level: self.while_statement(self.up(level)),
    "do": lambda self, level: self.do_statement(self.up(level)),
    "for": lambda self, level: self.for_statement(self.up(level)),
    "continue": Parser.jump,
    "break": Parser.jump,
    "return": Parser.jump,
    "throw": Parser.jump,
    "try": Parser.try_statement,
    "let": Parser.let_statement,
    "const": Parser.let_statement,
    "import": Parser.import_statement,
    "export": Parser.export_statement,
}


def parse(text: str, limits: LanguageLimits, options: Options, outer: dict[str, bool] | None = None) -> Program:
    """A script's tree. Raises `ParseError`."""
    return Parser(text, limits, options, outer).program()


def parse_expression(
    text: str, limits: LanguageLimits, options: Options, outer: dict[str, bool] | None = None
) -> Program:
    """The tree of a text that is one expression."""
    return Parser(text, limits, options, outer).expression_only()
