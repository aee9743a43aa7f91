"""Tokens to the resolved tree: expressions and statements.

Owns:  the grammar, its errors, and the order in which they are found.
Relies on: `scopes` for what names mean.
Never: evaluates anything; folds only a sign in front of a number, as the grammar says.

Depth. Every production that can nest counts one level, in the same places as the language's own engine,
so that the limits mean the same; a limit of 0 is replaced by one that protects this process's stack.
Long flat chains count too (`x + x + x ..`, `.a.a.a`, `else if`): the tree is walked recursively later.
"""

from __future__ import annotations

from typing import Any, NoReturn

from msgspec import Struct

from trex.languages.rhai.errors import ParseError
from trex.languages.rhai.lexer import Tokens, tokenize
from trex.languages.rhai.scopes import Scope
from trex.languages.rhai.syntax import (
    ArrayLiteral,
    Assign,
    Binary,
    Block,
    Break,
    Call,
    Case,
    Chain,
    Closure,
    Continue,
    Do,
    Export,
    For,
    Function,
    If,
    Import,
    IndexStep,
    Interpolation,
    Let,
    Literal,
    Logical,
    MapLiteral,
    MethodStep,
    Name,
    Program,
    PropertyStep,
    Qualified,
    Return,
    StatementExpression,
    Switch,
    This,
    Throw,
    Try,
    Unary,
    Variable,
    While,
)
from trex.languages.rhai.tokens import (
    ASSIGNMENTS,
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
    is_function_name,
)
from trex.languages.rhai.values import Char, Range
from trex.limits import LanguageLimits
from trex.values import INT_MIN

# What bounds nesting where the request sets no limit: the recursion of parser and compiler.
DEEPEST = 200

NOTHING = Block([], 0)
_CLOSES_RANGE = frozenset("] ) } , ; =>".split())
_JUMPS = frozenset(("break", "continue", "return", "throw"))
_STATEMENT_STARTS = frozenset("{ if switch while loop do for".split())
_LITERALS = frozenset((INTEGER, FLOAT, CHARACTER, STRING))


class Options(Struct, frozen=True):
    """What the host decides about the language.

    strict:   an undefined variable or namespace is a parse error.
    disabled: words and symbols that are switched off.
    namespaces: those that the host offers without an import.
    """

    strict: bool = False
    disabled: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()


class Parser:
    """One text. `program()` or `expression()` is called once."""

    def __init__(
        self, text: str, limits: LanguageLimits, options: Options, outer: dict[str, bool] | None = None
    ) -> None:
        """`outer`: the caller's variables, with whether each is constant."""
        self.limits = limits
        self.strict = options.strict
        self.namespaces = options.namespaces
        tokens: Tokens = tokenize(text, options.disabled, limits.max_string_size)
        self.kinds = tokens.kinds
        self.values = tokens.values
        self.positions = tokens.positions
        self.i = 0
        self.functions: list[Function] = []
        self.function_keys: set[tuple[str | None, str, int]] = set()
        self.function_names: set[str] = set()
        self.closures: list[Function] = []
        self.program_depth = min(limits.max_expr_depth or DEEPEST, DEEPEST)
        self.function_depth = min(limits.max_function_expr_depth or DEEPEST, DEEPEST)
        self.max_depth = self.program_depth
        self.max_array = limits.max_array_size
        self.max_map = limits.max_map_size
        self.max_functions = limits.max_functions or 2**62
        self.breakable = False
        self.global_level = True
        self.in_function = False
        self.statements_allowed = True
        self.stop_at_pipe = False
        self.evaluates = False
        self.assigns_this = False
        self.uses_global = False
        main = Function("", [], 0)
        self.outer = {name: Variable(name, "outer", constant) for name, constant in (outer or {}).items()}
        self.scope = self.program_scope = Scope(main, None, self.outer)
        self.main = main

    # --- tokens ---

    def fail(self, kind: str, message: str, position: int | None = None) -> NoReturn:
        """Raise a parse error, here unless told otherwise."""
        raise ParseError(kind, message, self.positions[self.i] if position is None else position)

    def fail_lexical(self) -> NoReturn:
        """The token here is an `ERROR`: that is the mistake."""
        lex, message = self.values[self.i]
        kind = "LiteralTooLarge" if lex == "StringTooLong" else "BadInput"
        raise ParseError(kind, message, self.positions[self.i], None if kind == "LiteralTooLarge" else lex)

    def missing(self, token: str, reason: str) -> NoReturn:
        """`token` should stand here."""
        if self.kinds[self.i] == ERROR:
            self.fail_lexical()
        self.fail("MissingToken", f"Expecting '{token}' {reason}")

    def unexpected(self) -> NoReturn:
        """The token here cannot start an expression."""
        kind = self.kinds[self.i]
        if kind == ERROR:
            self.fail_lexical()
        if kind == END:
            self.fail("UnexpectedEOF", "Script is incomplete")
        raise ParseError("BadInput", f"Unexpected '{self.spelling()}'", self.positions[self.i], "UnexpectedInput")

    def spelling(self) -> str:
        """The token here as text, for messages."""
        kind, value = self.kinds[self.i], self.values[self.i]
        if value is None:
            return "" if kind == END else kind
        return value.text if type(value) is Char else str(value)

    def improper(self, symbol: str, message: str, position: int) -> NoReturn:
        text = message or f"Invalid symbol encountered: '{symbol}'"
        raise ParseError("BadInput", text, position, "ImproperSymbol")

    def accept(self, kind: str) -> bool:
        """Consume the token here if it is of this kind."""
        if self.kinds[self.i] == kind:
            self.i += 1
            return True
        return False

    def variable_name(self) -> str:
        """An identifier that a declaration introduces."""
        kind = self.kinds[self.i]
        if kind == IDENTIFIER:
            self.i += 1
            return self.values[self.i - 1]  # type: ignore[no-any-return]
        if kind == RESERVED and self.values[self.i][0].isalpha():
            self.fail("Reserved", f"'{self.values[self.i]}' is a reserved keyword")
        if kind == ERROR:
            self.fail_lexical()
        self.fail("VariableExpected", "Expecting name of a variable")

    def up(self, level: int) -> int:
        """One level deeper."""
        if level >= self.max_depth:
            self.fail("ExprTooDeep", "Expression exceeds maximum complexity")
        return level + 1

    # --- programs ---

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
            self.unexpected()
        self.main.body = Block([expression], self.positions[0])
        return self.finished()

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
            top=self.program_scope.top,
        )

    # --- expressions ---

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
            operand = self.unary(self.up(level))
            if kind != "!" and type(operand) is Literal and type(operand.value) in (int, float):
                if kind == "+":
                    return operand
                value = operand.value
                return Literal(-value if value != INT_MIN or type(value) is float else -float(value), position)
            return Unary(kind, operand, position)
        return self.primary(level)

    def binary(self, level: int, parent: int, root: Any) -> Any:
        kinds = self.kinds
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
                right = self.binary(self.up(level), precedence, right)
            level = self.up(level)
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
        name = _not_boolean(expression)
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
                variable = self.scope.find(name, self.function_names)
                if (
                    variable is None
                    and self.strict
                    and name not in self.function_names
                    and not self.scope.function.closure
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
            root = self.expression(self.up(level))
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
        if self.kinds[self.i] in _POSTFIX:
            return self.postfix(root, level)
        return root

    def undefined(self, name: str, position: int) -> NoReturn:
        error = ParseError("VariableUndefined", f"Undefined variable: {name}", position)
        error.known = [*self.scope.visible, *self.function_names]
        raise error

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
        if (
            path
            and self.strict
            and path[0] != "global"
            and path[0] not in self.namespaces
            and not self.scope.knows_module(path[0])
        ):
            self.fail("ModuleUndefined", f"Undefined module: {path[0]}", path_position)
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
            arguments = self.arguments(name, level)
        else:
            self.uses_global = self.uses_global or path[0] == "global"
            return Qualified(path, name, position, path_position)
        call = Call(name, arguments, position, path, path_position, in_scope)
        if in_scope or name == "eval" or name == "is_def_var":
            call.visible = self.scope.snapshot()
            if name != "is_def_var":
                for variable in call.visible.values():
                    variable.captured = variable.changed = True
                    variable.assigned += 1
                self.evaluates = self.evaluates or name == "eval"
        return call

    def arguments(self, name: str, level: int) -> list[Any]:
        """The arguments behind an opening parenthesis, up to the closing one."""
        kinds = self.kinds
        found: list[Any] = []
        kind = kinds[self.i]
        if kind == ")":
            self.i += 1
            return found
        if kind == END:
            self.missing(")", f"to close the arguments list of this function call '{name}'")
        level = self.up(level)
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
        literal = _indexable_literal(root)
        while True:
            kind = kinds[self.i]
            position = self.positions[self.i]
            if kind == "[" or kind == "?[":
                inner = self.up(level)
                while True:
                    elvis = kind == "?["
                    self.i += 1
                    index = self.expression(self.up(inner))
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
                level = self.up(level)
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
        if kind == "(":
            self.i += 1
            return MethodStep(name, self.arguments(name, level), elvis, position)
        if kind == UNIT:
            self.i += 1
            return MethodStep(name, [], elvis, position)
        if kind == "!":
            self.i += 1
            if self.kinds[self.i] not in ("(", UNIT):
                self.missing("(", "to start arguments list of function call")
            self.fail(
                "MalformedCapture", "method-call style does not support running within the caller's scope", position
            )
        if kind == "::":
            self.improper("::", "", self.positions[self.i])
        if name in METHOD_WORDS:
            self.fail("Reserved", f"'{name}' is a reserved keyword", position)
        return PropertyStep(name, elvis, position)

    def check_index(self, receiver: str, index: Any) -> None:
        """A literal index into a literal must be of a type that can work."""
        what = _index_kind(index)
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
            items.append(self.expression(self.up(level)))
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
            entries.append((name, self.expression(self.up(level))))
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
            block = self.block(level)
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
        body = self.statement(self.up(level))
        self.breakable, self.global_level, self.in_function, self.stop_at_pipe = saved
        self.scope = enclosing
        function.body = self.block_of(body)
        for name, (inner, _) in list(function.captures.items()):
            variable = enclosing.find(name, self.function_names)
            if variable is not None:
                variable.captured = True
                function.captures[name] = (inner, variable)
            elif self.strict and name not in self.function_names and not enclosing.function.closure:
                self.undefined(name, position)
        del scope
        self.closures.append(function)
        return Closure(function, position)

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
            elif kind in KEYWORDS:
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

    def statement(self, level: int) -> Any:
        """One statement, without its semicolon; None for an empty one and for function definitions."""
        kind = self.kinds[self.i]
        method = _STATEMENTS.get(kind)
        if method is not None:
            return method(self, level)
        if kind == END:
            return None
        return self.expression_statement(self.up(level))

    def block_of(self, statement: Any) -> Block:
        """A statement as a block."""
        if type(statement) is Block:
            return statement
        return Block([] if statement is None else [statement], 0)

    def empty_statement(self, level: int) -> None:
        self.i += 1

    def nested_block(self, level: int) -> Any:
        return self.block(self.up(level))

    def block(self, level: int) -> Block:
        kinds = self.kinds
        position = self.positions[self.i]
        if kinds[self.i] != "{":
            self.missing("{", "to start a statement block")
        self.i += 1
        level = self.up(level)
        statements: list[Any] = []
        if not self.statements_allowed:
            statements.append(self.expression(level))
            if not self.accept("}"):
                self.missing("{", "to start a statement block")
            return Block(statements, position)
        scope = self.scope
        scope.open()
        saved = self.global_level, self.stop_at_pipe
        self.global_level = self.stop_at_pipe = False
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
        self.global_level, self.stop_at_pipe = saved
        scope.close()
        return Block(statements, position)

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
            if type(root) not in (Name, This, Qualified):
                self.invalid_target(position_of(root))
            for step in target.steps:
                if type(step) is MethodStep:
                    self.invalid_target(step.position)
            if type(root) is Name and root.variable is not None:
                root.variable.changed = True
        elif kind is This:
            self.assigns_this = True
        elif kind is Qualified:
            pass
        elif is_constant(target):
            self.fail("AssignmentToConstant", "Cannot assign to a constant value", start_of(target))
        elif kind is Logical and operator is None:
            self.improper("=", "Possibly a typo of '=='?", position)
        else:
            self.invalid_target(position_of(target))
        return Assign(target, operator, value, position)

    def invalid_target(self, position: int) -> NoReturn:
        self.fail("AssignmentToInvalidLHS", "Expression cannot be assigned to", position)

    def condition(self, level: int) -> Any:
        """The condition of `if`, `while` and the like."""
        if self.kinds[self.i] == "{":
            self.fail("ExprExpected", "Expecting a boolean expression")
        expression = self.boolean(self.expression(level))
        if self.kinds[self.i] == "=":
            self.improper("=", "Possibly a typo of '=='?", self.positions[self.i])
        return expression

    def if_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level)
        condition = self.condition(level)
        body = self.block(level)
        other: Any = None
        if self.accept("else"):
            other = self.if_statement(level) if self.kinds[self.i] == "if" else self.block(level)
        return If(condition, body, other, position)

    def while_statement(self, level: int) -> Any:
        kind = self.kinds[self.i]
        position = self.positions[self.i]
        level = self.up(level)
        self.i += 1
        condition = self.condition(level) if kind == "while" else None
        self.scope.function.loops = True
        saved, self.breakable = self.breakable, True
        body = self.block(level)
        self.breakable = saved
        return While(condition, body, position)

    def do_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level)
        self.scope.function.loops = True
        saved, self.breakable = self.breakable, True
        body = self.block(level)
        self.breakable = saved
        kind = self.kinds[self.i]
        if kind != "while" and kind != "until":
            self.fail("MissingToken", "Expecting 'while' for the do statement")
        self.i += 1
        return Do(body, self.condition(level), kind == "until", position)

    def for_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level)
        counter_name = None
        if self.accept("("):
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
            name = self.variable_name()
        if not self.accept("in"):
            self.missing("in", "after the iteration variable")
        if self.kinds[self.i] == "{":
            self.fail("ExprExpected", "Expecting a boolean expression")
        iterable = self.expression(level)
        wrong = _not_iterable(iterable)
        if wrong:
            self.fail("MismatchedType", f"Expecting an iterable value, not {wrong}", start_of(iterable))
        scope = self.scope
        scope.function.loops = True
        scope.open()
        counter = None if counter_name is None else scope.declare(counter_name, "loop")
        variable = scope.declare(name, "loop")
        saved, self.breakable = self.breakable, True
        body = self.block(level)
        self.breakable = saved
        scope.close()
        return For(variable, counter, iterable, body, position)

    def switch_statement(self, level: int) -> Any:
        kinds = self.kinds
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level)
        subject = self.expression(level)
        if kinds[self.i] != "{":
            self.missing("{", "to start a switch block")
        self.i += 1
        cases: list[Case] = []
        default_at: int | None = None
        ranges = False
        while True:
            kind = kinds[self.i]
            case_position = self.positions[self.i]
            if kind == "}":
                self.i += 1
                break
            if kind == END:
                self.missing("}", "to end this switch block")
            values: list[Any] = []
            guard: Any = None
            if kind == "_" and default_at is None:
                default_at = case_position
                self.i += 1
                if kinds[self.i] == "if":
                    self.fail("WrongSwitchCaseCondition", "This switch case cannot have a condition")
            elif default_at is not None:
                self.fail("WrongSwitchDefaultCase", "Default switch case must be the last", default_at)
            else:
                values = self.case_values(level)
                if self.accept("if"):
                    guard = self.condition(level)
            if kinds[self.i] != "=>":
                self.missing("=>", "in this switch case")
            self.i += 1
            self.scope.open()
            if self.statements_allowed:
                body = self.statement(level)
                need_comma = body is not None and not self_terminated(body)
            else:
                body = self.expression(level)
                need_comma = True
            self.scope.close()
            literals: list[Any] = []
            for expression in values:
                value = literal_value(expression)
                if value is _NO_LITERAL:
                    self.fail("ExprExpected", "Expecting a literal expression", start_of(expression))
                if type(value) is Range:
                    if value.start < value.end + value.inclusive:
                        ranges = True
                        literals.append(value)
                    continue
                if ranges and type(value) in (int, float):
                    self.fail(
                        "WrongSwitchIntegerCase", "Numeric switch case cannot follow a range case", start_of(expression)
                    )
                literals.append(value)
            cases.append(Case(literals if values else [], guard, self.block_of(body), case_position))
            if values and not literals:
                cases.pop()
            kind = kinds[self.i]
            if kind == ",":
                self.i += 1
            elif kind == END:
                self.missing(")", "to end this switch block")
            elif kind == ERROR:
                self.fail_lexical()
            elif kind != "}" and need_comma:
                self.missing(",", "to separate the items in this switch block")
        return Switch(subject, cases, position)

    def case_values(self, level: int) -> list[Any]:
        values: list[Any] = []
        while True:
            saved, self.stop_at_pipe = self.stop_at_pipe, True
            try:
                values.append(self.expression(level))
            except ParseError as error:
                self.fail("ExprExpected", "Expecting literal expression", error.position)
            finally:
                self.stop_at_pipe = saved
            if not self.accept("|"):
                return values

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
        level = self.up(0)
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
        function.body = self.block(level)

    def let_statement(self, level: int, exported: str | None = None) -> Any:
        level = self.up(level)
        constant = self.kinds[self.i] == "const"
        self.i += 1
        position = self.positions[self.i]
        name = self.variable_name()
        value = self.expression(self.up(level)) if self.accept("=") else None
        variable = self.scope.declare(name, "local", constant)
        return Let(variable, value, position, name if exported is not None else None)

    def jump(self, level: int) -> Any:
        """`break`, `continue`, `return`, `throw`."""
        kind = self.kinds[self.i]
        position = self.positions[self.i]
        if kind in ("break", "continue") and not self.breakable:
            self.fail("LoopBreak", "Break statement should only be used inside a loop")
        self.i += 1
        if kind == "continue":
            return Continue(position)
        here = self.i
        value: Any = None
        try:
            value = self.expression(self.up(level))
        except ParseError:
            # Nothing that could be a value follows.
            if self.i != here:
                raise
        if kind == "break":
            return Break(value, position)
        if kind == "return":
            return Return(value, position)
        return Throw(value, position)

    def try_statement(self, level: int) -> Any:
        position = self.positions[self.i]
        level = self.up(self.up(level))
        self.i += 1
        self.scope.function.catches = True
        body = self.block(level)
        if not self.accept("catch"):
            self.fail("MissingToken", "Expecting 'catch' for the 'try' statement")
        self.scope.open()
        variable = None
        if self.accept("("):
            variable = self.scope.declare(self.variable_name(), "catch")
            if not self.accept(")"):
                self.fail("MissingToken", "Expecting ')' to enclose the catch variable")
        handler = self.block(level)
        self.scope.close()
        return Try(body, variable, handler, position)

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
            return self.let_statement(level, "")
        name_position = self.positions[self.i]
        name = self.variable_name()
        alias = self.variable_name() if self.accept("as") else name
        variable = self.scope.find(name, self.function_names)
        return Export(Name(name, variable, name_position), alias, position)


_CALLS = frozenset(("(", UNIT, "!", "::"))
_POSTFIX = frozenset((".", "?.", "[", "?["))
_PREFIX = frozenset(("-", "+", "!"))
# Tokens that most often follow an operand without being operators.
_ENDS = frozenset((";", ")", ",", "]", "}", "{", "=", END, "=>", ":"))

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

_SELF_TERMINATED = frozenset((Block, If, Switch, While, For, Try))


def self_terminated(statement: Any) -> bool:
    """Whether the statement needs no semicolon behind it."""
    return type(statement) in _SELF_TERMINATED


def position_of(node: Any) -> int:
    """Where errors about a node point: for operators the operator."""
    return node.position  # type: ignore[no-any-return]


def start_of(node: Any) -> int:
    """Where the text of an expression starts."""
    kind = type(node)
    while kind in (Binary, Logical, Chain):
        node = node.root if kind is Chain else node.left
        kind = type(node)
    return node.position  # type: ignore[no-any-return]


_LITERAL_WORDS: dict[type, str] = {
    type(None): "()",
    int: "a number",
    float: "a floating-point number",
    Char: "a character",
    str: "a string",
}


def _not_boolean(node: Any) -> str | None:
    kind = type(node)
    if kind is Literal:
        return _LITERAL_WORDS.get(type(node.value))
    if kind is Interpolation:
        return "a string"
    if kind is ArrayLiteral:
        return "an array"
    if kind is MapLiteral:
        return "an object map"
    return "Fn" if kind is Closure else None


def _not_iterable(node: Any) -> str | None:
    if type(node) is MapLiteral:
        return "an object map"
    if type(node) is Literal:
        if type(node.value) is bool:
            return "a boolean"
        if type(node.value) is not str:
            return _LITERAL_WORDS[type(node.value)]
    return None


def _indexable_literal(node: Any) -> str | None:
    kind = type(node)
    if kind is MapLiteral:
        return "map"
    if kind in (ArrayLiteral, Interpolation) or (kind is Literal and type(node.value) in (int, str)):
        return "other"
    return None


def _index_kind(node: Any) -> str | None:
    kind = type(node)
    if kind is Literal:
        if type(node.value) is bool:
            return "a boolean"
        return "a float" if type(node.value) is float else _LITERAL_WORDS[type(node.value)]
    if kind is Interpolation:
        return "a string"
    if kind is Logical and node.operator != "??":
        return "a boolean"
    return None


def is_constant(node: Any) -> bool:
    """Whether an expression is made of literals alone."""
    kind = type(node)
    if kind is Literal:
        return True
    if kind is ArrayLiteral:
        return all(is_constant(item) for item in node.items)
    if kind is MapLiteral:
        return all(is_constant(value) for _, value in node.entries)
    return False


_NO_LITERAL = object()


def literal_value(node: Any) -> Any:
    """The value of an expression made of literals; arrays as lists, maps as dicts; else a marker."""
    kind = type(node)
    if kind is Literal:
        return node.value
    if kind is ArrayLiteral:
        items = [literal_value(item) for item in node.items]
        return _NO_LITERAL if any(item is _NO_LITERAL for item in items) else items
    if kind is MapLiteral:
        entries = {key: literal_value(value) for key, value in node.entries}
        return _NO_LITERAL if any(value is _NO_LITERAL for value in entries.values()) else entries
    if kind is Binary and node.operator in ("..", "..="):
        start, end = literal_value(node.left), literal_value(node.right)
        if end is None:
            end = 2**63 - 1
        if type(start) is int and type(end) is int:
            return Range(start, end, node.operator == "..=")
    return _NO_LITERAL


def parse(text: str, limits: LanguageLimits, options: Options, outer: dict[str, bool] | None = None) -> Program:
    """A script's tree. Raises `ParseError`."""
    return Parser(text, limits, options, outer).program()


def parse_expression(
    text: str, limits: LanguageLimits, options: Options, outer: dict[str, bool] | None = None
) -> Program:
    """The tree of a text that is one expression."""
    return Parser(text, limits, options, outer).expression_only()
