"""Which declaration a name means.

Owns:  block scoping, re-declaration, captures of closures, namespaces of imports.
Never: reads tokens. The parser asks as it reads, because the language reports an undefined variable
       and a syntax error in the order of the text.

Each function has a `Scope`. `visible` maps a name to its innermost declaration; a block remembers what
it hid and puts it back at its end, so that a look-up is one dictionary access.
"""

from __future__ import annotations

from trex.languages.rhai.syntax import Function, Variable


class Scope:
    """The names of one function."""

    def __init__(self, function: Function, parent: Scope | None, outer: dict[str, Variable] | None = None) -> None:
        self.function = function
        self.parent = parent
        self.visible: dict[str, Variable] = dict(outer) if outer else {}
        self.count = len(self.visible)
        # One entry per open block: what to restore, and the names declared in this block.
        self.hidden: list[list[tuple[str, Variable | None]]] = [[]]
        self.own: list[dict[str, Variable]] = [{}]
        self.counts: list[int] = []
        # What is declared outside all blocks.
        self.top: list[Variable] = []
        self.imports: list[str] = []
        self.import_marks: list[int] = []

    def open(self) -> None:
        """A block starts."""
        self.hidden.append([])
        self.own.append({})
        self.counts.append(self.count)
        self.import_marks.append(len(self.imports))

    def close(self) -> None:
        """A block ends."""
        visible = self.visible
        for name, variable in reversed(self.hidden.pop()):
            if variable is None:
                del visible[name]
            else:
                visible[name] = variable
        self.own.pop()
        self.count = self.counts.pop()
        del self.imports[self.import_marks.pop() :]

    def declare(self, name: str, role: str, constant: bool = False) -> Variable:
        """A new variable; in the same block it takes the place of one with the same name."""
        own = self.own[-1]
        if name not in own:
            self.count += 1
        variable = Variable(name, role, constant, count=self.count)
        if len(self.own) == 1:
            self.top.append(variable)
        self.hidden[-1].append((name, self.visible.get(name)))
        self.visible[name] = variable
        own[name] = variable
        return variable

    def find(self, name: str, functions: set[str], position: int) -> Variable | None:
        """The variable that a name at a position means; inside a closure, captured from outside where need be."""
        variable = self.visible.get(name)
        if variable is not None or not self.function.closure:
            return variable
        if name in functions:
            return None
        inner = Variable(name, "capture", captured=True)
        self.function.captures[name] = (inner, None, position)
        # Behind all blocks: a captured name stays visible to the end of the closure.
        self.visible[name] = inner
        return inner

    def knows_module(self, name: str) -> bool:
        """Whether an `import` made this namespace, here or around."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.imports:
                return True
            scope = scope.parent
        return False

    def snapshot(self) -> dict[str, Variable]:
        """The names visible here."""
        return dict(self.visible)
