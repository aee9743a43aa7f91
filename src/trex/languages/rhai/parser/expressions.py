"""The grammar of expressions.

Relies on: `statements` for blocks inside expressions; `scopes` for what names mean.
Never: evaluates anything; folds only a sign in front of a number, as the grammar says.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NoReturn

from trex.languages.rhai.errors import ParseError
from trex.languages.rhai.parser.checks import index_kind, indexable_literal, not_boolean, start_of
from trex.languages.rhai.parser.cursor import Cursor
from trex.languages.rhai.scopes import Scope
from trex.languages.rhai.syntax import (
    ArrayLiteral,
    Binary,
    Block,
    Call,
    Chain,
    Closure,
    Function,
    IndexStep,
    Interpolation,
    Literal,
    Logical,
    MapLiteral,
    MethodStep,
    Name,
    PropertyStep,
    Qualified,
    StatementExpression,
    This,
    Unary,
    Variable,
)
from trex.languages.rhai.tokens import (
    CALLABLE_WORDS,
    CHARACTER,
    END,
    ERROR,
    FLOAT,
    FRAGMENT,
    IDENTIFIER,
    INTEGER,
    KEYWORDS,
    METHOD_WORDS,
    PRECEDENCE,
    RESERVED,
    STRING,
    UNIT,
)
from trex.values import INT_MIN

_CLOSES_RANGE = frozenset("] ) } , ; =>".split())
_JUMPS = frozenset(("break", "continue", "return", "throw"))
_STATEMENT_STARTS = frozenset("{ if switch while loop do for".split())
_LITERALS = frozenset((INTEGER, FLOAT, CHARACTER, STRING))
_CALLS = frozenset(("(", UNIT, "!", "::"))
_POSTFIX = frozenset((".", "?.", "[", "?["))
_PREFIX = frozenset(("-", "+", "!"))
# Tokens that most often follow an operand without being operators.
_ENDS = frozenset((";", ")", ",", "]", "}", "{", "=", END, "=>", ":"))


class Expressions(Cursor):
    """Reads expressions; the statements inside them are the subclass's."""

    @abstractmethod
    def statement(self, level: int) -> Any:
        """One statement; None for an empty one."""

    @abstractmethod
    def block(self, level: int, construct: int | None = None) -> Block:
        """Statements in braces; `construct`: where that starts which they are the body of."""

    @abstractmethod
    def operand_statement(self, kind: str, level: int) -> Any:
        """A statement that has a value, as an operand."""

    def block_of(self, statement: Any) -> Block:
        """A statement as a block."""
        if type(statement) is Block:
            return statement
        return Block([] if statement is None else [statement], 0)

    def expression(self, level: int) -> Any:
        level = self.up(level)
        left = self.unary(level)
        if self.kinds[self.i] in _ENDS:
            return left
        return self.binary(level, 0, left)

    def unary(self, level: int) -> Any:
        kind = self.kinds[self.i]
        if kind in _PREFIX and not (kind == "|" and self.stop_at_pipe):
            position = self.positions[self.i]
            self.i += 1
            operand = self.unary(self.up(level, position))
            if kind != "!" and type(operand) is Literal and type(operand.value) in (int, float):
                if kind == "+":
                    return operand
                value = operand.value
                return Literal(-value if value != INT_MIN or type(value) is float else -float(value), position)
            return Unary(kind, operand, position)
        return self.primary(level)

    def binary(self, level: int, parent: int, root: Any) -> Any:
        kinds = self.kinds
        construct = root.position
        while True:
            op = kinds[self.i]
            if op == "|" and self.stop_at_pipe:
                return root
            precedence = PRECEDENCE.get(op, 0)
            if not precedence:
                if op == RESERVED:
                    self.check_operator()
                return root
            if precedence < parent or (precedence == parent and op != "**"):
                return root
            position = self.positions[self.i]
            self.i += 1
            following = kinds[self.i]
            if op == "??" and following in _JUMPS:
                right: Any = StatementExpression(self.block_of(self.statement(level)), position)
            elif (op == ".." or op == "..=") and following in _CLOSES_RANGE:
                right = Literal(None, self.positions[self.i])
            else:
                right = self.unary(level)
            following = kinds[self.i]
            tighter = PRECEDENCE.get(following, 0)
            if following == RESERVED:
                self.check_operator()
            if (tighter > precedence or (tighter == precedence and op == "**")) and not (
                following == "|" and self.stop_at_pipe
            ):
                right = self.binary(self.up(level, construct), precedence, right)
            level = self.up(level, construct)
            construct = position
            if op == "&&" or op == "||":
                root = Logical(op, self.boolean(root), self.boolean(right), position)
            elif op == "??":
                root = Logical(op, root, right, position)
            elif op == "in" or op == "!in":
                root = Call("contains", [right, root], position)
                if op == "!in":
                    root = Unary("!", root, position)
            else:
                root = Binary(op, root, right, position)

    def check_operator(self) -> None:
        """A reserved symbol where an operator would stand."""
        value = self.values[self.i]
        if not (value[0].isalpha() or value[0] == "_"):
            self.fail("UnknownOperator", f"Unknown operator: '{value}'")

    def boolean(self, expression: Any) -> Any:
        """The expression, unless it is a literal that can never be a boolean."""
        name = not_boolean(expression)
        if name:
            self.fail("MismatchedType", f"Expecting a boolean expression, not {name}", start_of(expression))
        return expression

    def primary(self, level: int) -> Any:
        i = self.i
        kind = self.kinds[i]
        position = self.positions[i]
        if kind == IDENTIFIER:
            self.i += 1
            name = self.values[i]
            following = self.kinds[i + 1]
            if following in _CALLS:
                root: Any = self.call_or_path(name, position, level)
            else:
                variable = self.scope.find(name, self.function_names, position)
                if (
                    variable is None
                    and self.strict
                    and name not in self.function_names
                    and not self.scope.function.closure
                    and not (self.everywhere and name in self.outer)
                ):
                    self.undefined(name, position)
                root = Name(name, variable, position)
        elif kind in _LITERALS:
            self.i += 1
            root = Literal(self.values[i], position)
        elif kind == "true" or kind == "false":
            self.i += 1
            root = Literal(kind == "true", position)
        elif kind == "(":
            self.i += 1
            root = self.expression(self.up(level, position))
            if self.kinds[self.i] != ")":
                self.missing(")", "for a matching ( in this expression")
            self.i += 1
            if type(root) is Name and self.kinds[self.i] in _CALLS:
                root = self.call_or_path(root.name, root.position, level)
        elif kind == "[":
            root = self.array(self.up(level))
        elif kind == "#{":
            root = self.map(self.up(level))
        elif kind == FRAGMENT:
            root = self.interpolation(self.up(level))
        elif kind == UNIT:
            self.i += 1
            root = Literal(None, position)
        elif kind == ".." or kind == "..=":
            root = Literal(0, position)
        elif kind == "|" or kind == "||":
            if kind == "|" and self.stop_at_pipe:
                self.unexpected()
            root = self.closure(level)
        elif kind == RESERVED:
            root = self.reserved(level)
        elif kind in _STATEMENT_STARTS and self.statements_allowed:
            root = StatementExpression(self.operand_statement(kind, self.up(level)), position)
        elif kind in ("if", "switch"):
            # Expression-only texts still have these two.
            root = StatementExpression(self.operand_statement(kind, self.up(level)), position)
        else:
            self.unexpected()
        made = self.postfix(root, level) if self.kinds[self.i] in _POSTFIX else root
        if type(root) is Qualified:
            self.check_module(root.path, root.path_position)
        return made

    def undefined(self, name: str, position: int) -> NoReturn:
        error = ParseError("VariableUndefined", f"Undefined variable: {name}", position)
        error.known = [*self.scope.visible, *self.function_names]
        error.outside = self.scope is not self.program_scope and name in self.program_scope.visible
        raise error

    def reserved(self, level: int) -> Any:
        """A reserved word or symbol as an operand."""
        word = self.values[self.i]
        position = self.positions[self.i]
        self.i += 1
        if word in CALLABLE_WORDS and self.kinds[self.i] in ("(", "!", UNIT):
            return self.call_or_path(word, position, level)
        if word == "this":
            if not self.in_function:
                self.improper("this", "'this' can only be used in functions", position)
            self.scope.function.uses_this = True
            return This(position)
        noun = "keyword" if word[0].isalpha() else "symbol"
        self.fail("Reserved", f"'{word}' is a reserved {noun}", position)

    def call_or_path(self, name: str, position: int, level: int) -> Any:
        """A call, or a path through namespaces; the token here is `(`, `()`, `!` or `::`."""
        path: list[str] = []
        path_position = position
        while self.kinds[self.i] == "::":
            self.i += 1
            path.append(name)
            position = self.positions[self.i]
            name = self.variable_name()
        kind = self.kinds[self.i]
        in_scope = kind == "!"
        if in_scope:
            bang = self.positions[self.i]
            self.i += 1
            kind = self.kinds[self.i]
            if path:
                if kind == "(" or kind == UNIT:
                    raise ParseError("BadInput", "Unexpected '!'", bang, "UnexpectedInput")
                self.improper("!", "'!' cannot be used to call module functions", bang)
            if kind != "(" and kind != UNIT:
                self.missing("(", "to start arguments list of function call")
        if kind == UNIT:
            self.i += 1
            arguments: list[Any] = []
        elif kind == "(":
            self.i += 1
            arguments = self.arguments(name, level, position)
        else:
            self.uses_global = self.uses_global or path[0] == "global"
            return Qualified(path, name, position, path_position)
        if path:
            self.check_module(path, path_position)
        call = Call(name, arguments, position, path, path_position, in_scope)
        if in_scope or name == "eval" or name == "is_def_var":
            call.visible = self.scope.snapshot()
            if name != "is_def_var":
                for variable in call.visible.values():
                    variable.captured = variable.changed = variable.open = True
                    variable.assigned += 1
                if name == "eval":
                    self.evaluates = self.block_evaluates = True
        return call

    def check_module(self, path: list[str], position: int) -> None:
        """A namespace must be known where undefined names are mistakes."""
        root = path[0]
        if self.scope.function.closure:
            return
        if self.strict and root != "global" and root not in self.namespaces and not self.scope.knows_module(root):
            self.fail("ModuleUndefined", f"Undefined module: {root}", position)

    def arguments(self, name: str, level: int, construct: int) -> list[Any]:
        """The arguments behind an opening parenthesis, up to the closing one; the name stands at `construct`."""
        kinds = self.kinds
        found: list[Any] = []
        kind = kinds[self.i]
        if kind == ")":
            self.i += 1
            return found
        if kind == END:
            self.missing(")", f"to close the arguments list of this function call '{name}'")
        level = self.up(level, construct)
        while True:
            if kinds[self.i] != ")":
                found.append(self.expression(level))
            kind = kinds[self.i]
            if kind == ",":
                self.i += 1
            elif kind == ")":
                self.i += 1
                return found
            elif kind == END:
                self.missing(")", f"to close the arguments list of this function call '{name}'")
            else:
                self.missing(",", f"to separate the arguments to function call '{name}'")

    def postfix(self, root: Any, level: int) -> Any:
        """Steps behind an operand."""
        kinds = self.kinds
        if type(root) is Chain:
            steps = root.steps
            chain = root
        else:
            steps = []
            chain = Chain(root, steps, self.positions[self.i])
        literal = indexable_literal(root)
        while True:
            kind = kinds[self.i]
            position = self.positions[self.i]
            if kind == "[" or kind == "?[":
                inner = self.up(level)
                while True:
                    elvis = kind == "?["
                    self.i += 1
                    index = self.expression(self.up(inner, position))
                    if literal and not steps:
                        self.check_index(literal, index)
                    steps.append(IndexStep(index, elvis, start_of(index), position))
                    if kinds[self.i] != "]":
                        self.missing("]", "for a matching [ in this index expression")
                    self.i += 1
                    kind = kinds[self.i]
                    if kind != "[" and kind != "?[":
                        break
                    position = self.positions[self.i]
                    inner = self.up(inner)
            elif kind == "." or kind == "?.":
                self.i += 1
                level = self.up(level, position)
                steps.append(self.member(kind == "?.", level))
            else:
                return chain

    def member(self, elvis: bool, level: int) -> Any:
        """A property or method name behind a dot."""
        kind = self.kinds[self.i]
        position = self.positions[self.i]
        name = self.values[self.i]
        if kind == RESERVED and name not in METHOD_WORDS:
            noun = "keyword" if name[0].isalpha() else "symbol"
            self.fail("Reserved", f"'{name}' is a reserved {noun}")
        if kind != IDENTIFIER and kind != RESERVED:
            self.fail("PropertyExpected", "Expecting name of a property")
        self.i += 1
        kind = self.kinds[self.i]
        if name == "take":
            # The one library function that leaves a value of another type, in `this` too.
            self.assigns_this = True
        if kind == "(":
            self.i += 1
            return MethodStep(name, self.arguments(name, level, position), elvis, position)
        if kind == UNIT:
            self.i += 1
            return MethodStep(name, [], elvis, position)
        if kind == "!":
            self.i += 1
            if self.kinds[self.i] not in ("(", UNIT):
                self.missing("(", "to start arguments list of function call")
            if self.kinds[self.i] == "(":
                self.i += 1
                self.arguments(name, level, position)
            self.fail(
                "MalformedCapture", "method-call style does not support running within the caller's scope", position
            )
        if name in METHOD_WORDS:
            self.fail("Reserved", f"'{name}' is a reserved keyword", position)
        if kind == "::":
            self.improper("::", "", self.positions[self.i])
        self.entries.add(name)
        return PropertyStep(name, elvis, position)

    def check_index(self, receiver: str, index: Any) -> None:
        """A literal index into a literal must be of a type that can work."""
        what = index_kind(index)
        if what is None or what == ("a string" if receiver == "map" else "a number"):
            return
        if receiver == "map":
            text = f"Object map expects string index, not {what}"
        elif what == "a string":
            text = "Array, string or bit-field expects numeric index, not a string"
        else:
            text = f"Array, string or bit-field expects integer index, not {what}"
        self.fail("MalformedIndexExpr", text, start_of(index))

    def array(self, level: int) -> Any:
        kinds = self.kinds
        position = self.positions[self.i]
        self.i += 1
        items: list[Any] = []
        while True:
            if self.max_array and len(items) >= self.max_array:
                self.too_large("Size of array literal", self.max_array)
            kind = kinds[self.i]
            if kind == "]":
                self.i += 1
                break
            if kind == END:
                self.missing("]", "to end this array literal")
            items.append(self.expression(self.up(level, position)))
            kind = kinds[self.i]
            if kind == ",":
                self.i += 1
            elif kind == END:
                self.missing("]", "to end this array literal")
            elif kind != "]":
                self.missing(",", "to separate the items of this array literal")
        return ArrayLiteral(items, position)

    def too_large(self, what: str, limit: int) -> NoReturn:
        self.fail("LiteralTooLarge", f"{what} exceeds the maximum limit ({limit})")

    def map(self, level: int) -> Any:
        kinds = self.kinds
        position = self.positions[self.i]
        self.i += 1
        entries: list[tuple[str, Any]] = []
        seen: set[str] = set()
        while True:
            kind = kinds[self.i]
            if kind == "}":
                self.i += 1
                break
            if kind == END:
                self.missing("}", "to end this object map literal")
            name = self.values[self.i]
            if kind in (IDENTIFIER, STRING):
                if name in seen:
                    self.fail("DuplicatedProperty", f"Duplicated property for object map literal: {name}")
                seen.add(name)
                self.i += 1
            elif kind == FRAGMENT:
                self.fail("PropertyExpected", "Expecting name of a property")
            elif kind == RESERVED and name[0].isalpha():
                self.fail("Reserved", f"'{name}' is a reserved keyword")
            elif kind == ERROR:
                self.fail_lexical()
            elif not entries:
                self.missing("}", "to end this object map literal")
            else:
                self.fail("PropertyExpected", "Expecting name of a property")
            if kinds[self.i] != ":":
                self.missing(":", f"to follow the property '{name}' in this object map literal")
            self.i += 1
            if self.max_map and len(entries) >= self.max_map:
                self.too_large("Number of properties in object map literal", self.max_map)
            self.entries.add(name)
            entries.append((name, self.expression(self.up(level, position))))
            kind = kinds[self.i]
            if kind == ",":
                self.i += 1
            elif kind == IDENTIFIER:
                self.missing(",", "to separate the items of this object map literal")
            elif kind != "}":
                self.missing("}", "to end this object map literal")
        return MapLiteral(entries, position)

    def interpolation(self, level: int) -> Any:
        position = self.positions[self.i]
        parts: list[Any] = []
        while True:
            text = self.values[self.i]
            kind = self.kinds[self.i]
            if kind == ERROR:
                self.fail_lexical()
            if text:
                parts.append(Literal(text, self.positions[self.i]))
            self.i += 1
            if kind == STRING:
                break
            opening = self.positions[self.i]
            block = self.block(level, position)
            parts.append(StatementExpression(block, opening))
        if not parts:
            return Literal("", position)
        return Interpolation(parts, position)

    def closure(self, level: int) -> Any:
        position = self.positions[self.i]
        if len(self.functions) + len(self.closures) >= self.max_functions:
            self.fail("TooManyFunctions", "Number of functions defined exceeds maximum limit")
        function = Function("", [], position, closure=True, captures={})
        enclosing = self.scope
        scope = self.scope = Scope(function, enclosing)
        kind = self.kinds[self.i]
        self.i += 1
        if kind == "|" and not self.accept("|"):
            self.parameters(
                function,
                "|",
                "to close the parameters list of anonymous function or closure",
                "to separate the parameters of anonymous function",
            )
        saved = self.breakable, self.global_level, self.in_function, self.stop_at_pipe
        self.breakable = self.global_level = False
        self.in_function = True
        self.stop_at_pipe = False
        body = self.statement(self.up(level, position))
        self.breakable, self.global_level, self.in_function, self.stop_at_pipe = saved
        self.scope = enclosing
        function.body = self.block_of(body)
        for name, (inner, _, named_at) in list(function.captures.items()):
            variable = enclosing.find(name, self.function_names, named_at)
            if variable is not None:
                variable.captured = True
                if variable.constant:
                    self.captured_constant(inner, variable)
                variable.assigned += inner.assigned
                inner.root = variable
                function.captures[name] = (inner, variable, named_at)
            elif (
                self.strict
                and name not in self.function_names
                and not enclosing.function.closure
                and not (self.everywhere and name in self.outer)
            ):
                self.undefined(name, named_at)
        del scope
        self.closures.append(function)
        return Closure(function, position)

    def captured_constant(self, inner: Variable, variable: Variable) -> None:
        """What a closure captured is constant, also for the closures in it; but see `Variable.literal`."""
        inner.constant, inner.literal = not variable.literal, variable.literal
        for closure in self.closures:
            for nested, outside, _ in closure.captures.values():
                if outside is inner:
                    self.captured_constant(nested, inner)

    def parameters(self, function: Function, closing: str, close_reason: str, comma_reason: str) -> None:
        """Parameter names up to the closing token."""
        while True:
            kind = self.kinds[self.i]
            value = self.values[self.i]
            if kind == closing:
                self.i += 1
                return
            if kind == IDENTIFIER:
                if any(param.name == value for param in function.params):
                    self.fail("FnDuplicatedParam", f"Duplicated parameter {value} for function {function.name}")
                function.params.append(self.scope.declare(value, "param"))
                self.i += 1
            elif kind == ERROR:
                self.fail_lexical()
            elif kind == RESERVED:
                noun = "keyword" if value[0].isalpha() else "symbol"
                self.fail("Reserved", f"'{value}' is a reserved {noun}")
            elif kind in KEYWORDS and kind != "switch":
                self.fail("VariableExpected", "Expecting name of a variable")
            else:
                self.missing(closing, close_reason)
            kind = self.kinds[self.i]
            if kind == closing:
                self.i += 1
                return
            if kind != ",":
                self.missing(",", comma_reason)
            self.i += 1

    # --- statements ---
