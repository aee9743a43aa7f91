"""The grammar of `switch`, and of conditions.

Relies on: `expressions` for its values and its body.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai.errors import ParseError
from trex.languages.rhai.parser.checks import NO_LITERAL, literal_value, start_of
from trex.languages.rhai.parser.expressions import Expressions
from trex.languages.rhai.syntax import Block, Case, For, If, Switch, Try, While
from trex.languages.rhai.tokens import END, ERROR
from trex.languages.rhai.values import Range

_SELF_TERMINATED = frozenset((Block, If, Switch, While, For, Try))


def self_terminated(statement: Any) -> bool:
    """Whether the statement needs no semicolon behind it."""
    return type(statement) in _SELF_TERMINATED


class Switches(Expressions):
    """Reads `switch` statements."""

    def condition(self, level: int) -> Any:
        """The condition of `if`, `while` and the like."""
        if self.kinds[self.i] == "{":
            self.fail("ExprExpected", "Expecting a boolean expression")
        expression = self.boolean(self.expression(level))
        if self.kinds[self.i] == "=":
            self.improper("=", "Possibly a typo of '=='?", self.positions[self.i])
        return expression

    def switch_statement(self, level: int) -> Any:
        kinds = self.kinds
        position = self.positions[self.i]
        self.i += 1
        level = self.up(level, position)
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
                need_comma = not self_terminated(body)
            else:
                body = self.expression(level)
                need_comma = True
            self.scope.close()
            literals: list[Any] = []
            for expression in values:
                value = literal_value(expression)
                if value is NO_LITERAL:
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
