"""The resolved tree: what the parser makes and the compiler reads.

Owns:  the node types, and `Variable`: one per declaration, shared by all places that name it.
Never: computes anything.

A block holds statements; an expression stands in it as itself. `position` is where an error of the
node is reported, packed as in `positions`. `kinds` and bounds on `Variable` are filled by `inference`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Node(Struct, eq=False):
    """Any node."""


class Variable(Struct, eq=False):
    """One declaration of a name.

    role:     `local`, `param`, `loop`, `catch`, `capture` (of a closure) or `outer` (the caller's scope).
    constant: declared with `const`, or constant in the caller's scope.
    literal:  a constant whose value stands in the text: closures have a copy of it that they may change.
    captured: some closure captures it, so that it lives in a `Cell`.
    root:     for a capture, the variable of the enclosing function that it shares the cell with.
    open:     code that is not there yet may assign it: that of `eval`, or the caller's.
    assigned: how many `=` and op-assignments name it whole.
    changed:  something may change its value in place: a store into it, or a method called on it.
    slot:     its name in the generated code.
    count:    how many variables are in scope once it is declared.
    kind:     what the compiler knows of its values.
    """

    name: str
    role: str
    constant: bool = False
    literal: bool = False
    captured: bool = False
    root: Any = None
    open: bool = False
    assigned: int = 0
    changed: bool = False
    slot: str = ""
    count: int = 0
    kind: Any = None


class Function(Struct, eq=False):
    """A function or closure.

    captures: for closures, by name: the variable inside, the one outside that it captures, where it is first named.
    uses_this, changes_this: what its text does with `this`; `this` is what it takes, as in `FnPtr`.
    loops, catches: whether it has loops, or handlers of errors.
    returns:  what the compiler knows of its results.
    """

    name: str
    params: list[Variable]
    position: int
    body: Any = None
    receiver: str | None = None
    private: bool = False
    uses_this: bool = False
    changes_this: bool = False
    this: int = 0
    closure: bool = False
    captures: dict[str, tuple[Variable, Any, int]] = {}
    returns: Any = None
    loops: bool = False
    catches: bool = False


# --- expressions ---


class Literal(Node):
    value: Any
    position: int


class Interpolation(Node):
    """Pieces of text: literals and expressions, in order."""

    parts: list[Any]
    position: int


class ArrayLiteral(Node):
    items: list[Any]
    position: int


class MapLiteral(Node):
    entries: list[tuple[str, Any]]
    position: int


class Name(Node):
    """A variable, or with `variable` None a name that nothing declares: a function, or an error at run time."""

    name: str
    variable: Variable | None
    position: int


class Qualified(Node):
    """`path::name`, a constant of a module."""

    path: list[str]
    name: str
    position: int
    path_position: int


class This(Node):
    position: int


class Call(Node):
    """`name(arguments)`, `path::name(arguments)`, or with `in_scope` `name!(arguments)`."""

    name: str
    arguments: list[Any]
    position: int
    path: list[str] = []
    path_position: int = 0
    in_scope: bool = False
    visible: Any = None


class Unary(Node):
    operator: str
    operand: Any
    position: int


class Binary(Node):
    operator: str
    left: Any
    right: Any
    position: int


class Logical(Node):
    """`&&`, `||` or `??`: the right side is evaluated only when needed."""

    operator: str
    left: Any
    right: Any
    position: int


class IndexStep(Node):
    """`position` is where the index starts, `bracket` where the step does."""

    index: Any
    elvis: bool
    position: int
    bracket: int


class PropertyStep(Node):
    name: str
    elvis: bool
    position: int


class MethodStep(Node):
    name: str
    arguments: list[Any]
    elvis: bool
    position: int


class Chain(Node):
    """`root` followed by steps. All indexes and arguments are evaluated before the root is."""

    root: Any
    steps: list[Any]
    position: int


class StatementExpression(Node):
    """A block, `if`, `switch` or loop where an operand stands."""

    statement: Any
    position: int


class Closure(Node):
    function: Function
    position: int


# --- statements ---


class Let(Node):
    """`position` is that of the name, `keyword` that of `let` or `const`."""

    variable: Variable
    value: Any
    position: int
    keyword: int
    exported: str | None = None


class Assign(Node):
    """`target = value`, or with `operator` `target op= value`."""

    target: Any
    operator: str | None
    value: Any
    position: int


class Block(Node):
    """`evaluates`: `eval` stands in it, outside inner blocks, and may declare variables that end with it."""

    statements: list[Any]
    position: int
    evaluates: bool = False


class If(Node):
    condition: Any
    body: Block
    other: Any
    position: int


class Case(Node):
    """`values`: literals; none for the default. `guard`: a condition or None."""

    values: list[Any]
    guard: Any
    body: Any
    position: int


class Switch(Node):
    subject: Any
    cases: list[Case]
    position: int


class While(Node):
    """`condition` None is `loop`."""

    condition: Any
    body: Block
    position: int


class Do(Node):
    body: Block
    condition: Any
    until: bool
    position: int


class For(Node):
    variable: Variable
    counter: Variable | None
    iterable: Any
    body: Block
    position: int
    name_position: int


class Break(Node):
    value: Any
    position: int


class Continue(Node):
    position: int


class Return(Node):
    value: Any
    position: int


class Throw(Node):
    value: Any
    position: int


class Try(Node):
    """escapes: its body has a `break` or `continue` of a loop around it."""

    body: Block
    variable: Variable | None
    handler: Block
    position: int
    name_position: int
    escapes: bool


class Import(Node):
    path: Any
    alias: str | None
    position: int


class Export(Node):
    name: Name
    alias: str
    position: int


class Program(Struct, eq=False):
    """A whole script.

    main:      the program level, as a function without parameters.
    functions: in the order of the text.
    closures:  every closure, innermost first.
    outer:     variables of the caller's scope that the program may name.
    evaluates: it calls `eval`.
    uses_global: it names `global::` somewhere.
    top: variables declared at program level, outside blocks.
    entries: names that it gives to entries of maps, or reads them by.
    assigns_this: some function assigns `this` as a whole, so that a method may change its receiver's type.
    """

    main: Function
    functions: list[Function]
    closures: list[Function]
    outer: dict[str, Variable]
    evaluates: bool = False
    assigns_this: bool = False
    uses_global: bool = False
    top: list[Variable] = []
    entries: set[str] = set()
