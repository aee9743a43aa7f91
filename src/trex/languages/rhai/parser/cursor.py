"""The tokens of one text, the place reached, and the errors of what stands there.

Owns:  the state of a parse: limits, scopes, functions found, flags of the construct being read.
Never: knows the grammar.
"""

from __future__ import annotations

from typing import NoReturn

from msgspec import Struct

from trex.languages.rhai.errors import ParseError, too_complex
from trex.languages.rhai.lexer import Tokens, tokenize
from trex.languages.rhai.scopes import Scope
from trex.languages.rhai.syntax import (
    Function,
    Variable,
)
from trex.languages.rhai.tokens import (
    END,
    ERROR,
    IDENTIFIER,
    RESERVED,
)
from trex.languages.rhai.values import Char
from trex.limits import LanguageLimits

# What bounds nesting where the request sets no limit: the recursion of parser and compiler.
DEEPEST = 200


class Options(Struct, frozen=True):
    """What the host decides about the language.

    strict:   an undefined variable or namespace is a parse error.
    disabled: words and symbols that are switched off.
    namespaces: those that the host offers without an import.
    everywhere: the caller's variables count as defined in functions too, although a function finds none of them
                when it runs. (The language's engine has it so; the host of a script does not want it.)
    """

    strict: bool = False
    disabled: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    everywhere: bool = False


class Cursor:
    """One text, read from left to right, and what is known at the place reached."""

    def __init__(
        self, text: str, limits: LanguageLimits, options: Options, outer: dict[str, bool] | None = None
    ) -> None:
        """`outer`: the caller's variables, with whether each is constant."""
        self.limits = limits
        self.strict = options.strict
        self.namespaces = options.namespaces
        self.everywhere = options.everywhere
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
        # Of the loop around: its jumps so far.
        self.jumps = 0
        self.global_level = True
        self.in_function = False
        self.statements_allowed = True
        self.stop_at_pipe = False
        self.evaluates = self.block_evaluates = False
        self.assigns_this = False
        self.entries: set[str] = set()
        self.uses_global = False
        main = Function("", [], 0)
        self.outer = {name: Variable(name, "outer", constant, constant) for name, constant in (outer or {}).items()}
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

    def up(self, level: int, construct: int | None = None) -> int:
        """One level deeper. `construct`: where what goes too deep starts, if not here."""
        if level >= self.max_depth:
            raise too_complex(self.positions[self.i] if construct is None else construct)
        return level + 1

    # --- programs ---
