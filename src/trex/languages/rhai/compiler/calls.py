"""Calls: functions of the script, library functions, function pointers, the callable words.

Owns:  which function a call means, as far as the text says, and how it is reached.
Relies on: `semantics.calls` and `semantics.methods` for what is known only at run time.
Never: passes a container that a callee could change behind the caller's back.

Arguments are passed without marking. A function that changes or captures a parameter marks it at its
start; the caller marks only what others could change during the call: shared variables and `this`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.expressions import LOWER, Expressions
from trex.languages.rhai.compiler.frame import UNIT_VALUE, Value
from trex.languages.rhai.compiler.kinds import K_ANY, Kind
from trex.languages.rhai.library.registry import Overloads
from trex.languages.rhai.parser.checks import start_of
from trex.languages.rhai.semantics.state import ScriptFunction
from trex.languages.rhai.syntax import Call, Chain, Function, Name, Qualified, This, Variable
from trex.languages.rhai.values import Array, Blob, Char, Map, Range

# Library functions that keep none of their arguments.
READERS = frozenset(
    "len is_empty contains index_of split split_rev starts_with ends_with sub_string replace remove get"
    " to_string to_debug parse_int parse_float max min range to_int to_float abs sqrt floor crop truncate chop"
    " extract drain retain keys values to_json trim pop shift get_bit set_bit get_bits set_bits bits chars"
    " to_upper to_lower make_upper make_lower repeat log atan hypot is_def_fn blob timestamp".split()
)

TYPE_OF_BITS: dict[int, type] = {
    k.INT: int,
    k.FLOAT: float,
    k.BOOL: bool,
    k.STR: str,
    k.CHAR: Char,
    k.UNIT: type(None),
    k.ARRAY: Array,
    k.MAP: Map,
    k.BLOB: Blob,
    k.RANGE: Range,
}


class Calls(Expressions):
    """Lowering of calls in function style."""

    function: Function
    code_name: str

    @property
    def level(self) -> Any:
        """The level this code runs at."""
        return b.load("depth") if self.code_name else b.const(self.link.level)

    @property
    def level_below(self) -> Any:
        """The level a function called from here runs at."""
        return b.binary(b.load("depth"), "+", b.ONE) if self.code_name else b.const(self.link.level + 1)

    def call(self, node: Call) -> Value:
        name, arguments = node.name, node.arguments
        if node.path:
            return self.module_call(node)
        special = _SPECIAL.get((name, len(arguments)))
        if special is not None:
            value = special(self, node)
            if value is not None:
                return value
        if node.in_scope and not (name == "call" and arguments):
            return self.call_in_scope(node)
        function = self.link.functions.get((name, len(arguments)))
        if function is not None:
            return self.direct(function, node)
        foreign = self.link.foreign.get((name, len(arguments)))
        if foreign is not None:
            return self.direct_foreign(foreign, node)
        if name == "call" and arguments:
            return self.call_pointer(node)
        if name == "curry" and len(arguments) > 1:
            return self.curry(node)
        if name == "exit" and len(arguments) < 2 and not node.in_scope:
            value = self.lower(arguments[0]) if arguments else UNIT_VALUE
            return Value(b.call("exit_script", [self.stored(value)], node.position), k.K_NEVER)
        if name in ("print", "debug") and len(arguments) < 2:
            values = [self.lower(argument).node for argument in arguments]
            line = b.const(node.position >> 20)
            return Value(b.call(f"{name}_out", [line, *values], node.position), k.K_UNIT)
        return self.native(node)

    def argument(self, node: Any, value: Value) -> Any:
        """An argument of a script function: marked where others could change it during the call."""
        if value.owned or not value.kind.bits & k.CONTAINER:
            return value.node
        root = node
        while type(root) is Chain:
            root = root.root
        if type(root) is Name and root.variable is not None and not root.variable.captured:
            return value.node
        return self.stored(value)

    def direct(self, function: Function, node: Call) -> Value:
        """A function of the script, called by name."""
        keep = bool(node.arguments) and type(node.arguments[0]) is Name
        values = self.operands(node.arguments, self.lower, keep)
        arguments = [self.argument(n, v) for n, v in zip(node.arguments, values, strict=True)]
        if function.this:
            arguments.insert(0, b.load("UNBOUND"))
        arguments.append(self.level_below)
        self.effects += 1
        kind = K_ANY
        if self.link.typed_calls:
            kind = k.known(function.returns)
        return Value(b.call(self.link.code_names[function], arguments, node.position), kind)

    def direct_foreign(self, function: ScriptFunction, node: Call) -> Value:
        """A function of the program that this text was added to."""
        values = self.operands(node.arguments, self.lower)
        arguments = [self.stored(value) for value in values]
        if function.this:
            arguments.insert(0, b.load("UNBOUND"))
        arguments.append(self.level_below)
        self.effects += 1
        return Value(b.call(self.link.thing("f", function.code), arguments, node.position))

    # --- library and host functions ---

    def native(self, node: Call) -> Value:
        """A library or host function in function style."""
        name, nodes = node.name, node.arguments
        if not nodes:
            if name not in self.link.nullary:
                return self.held(Value(b.call("unknown_function", [b.const(name)], node.position)))
            return Value(b.call_node(b.load(self.link.thing("n", self.link.nullary[name])), [], node.position))
        first = nodes[0]
        overloads = self.link.overloads(name, len(nodes))
        # A variable that only `eval` can have declared is looked for after the other arguments, as any is read.
        late = overloads is not None and overloads.changes and self.is_late(first)
        if late:
            values = [Value(b.NONE), *self.operands(nodes[1:], self.lower)]
        else:
            # The container of `in` comes first, whatever it is; it stands behind the operator.
            operator = len(nodes) == 2 and start_of(nodes[1]) < node.position
            keep = type(first) is Name and not (operator and first.variable is None)
            values = self.operands(nodes, self.lower, keep)
        rest = self.kept(name, values[1:])
        if overloads is None:
            every = [values[0].node, *rest]
            return self.held(Value(b.call("unknown_function", [b.const(name), *every], node.position)))
        kind = self.link.result_of(name, len(nodes), values[0].kind)
        if overloads.changes:
            self.effects += 1
            # By reference to a plain variable; anything else is changed in a copy.
            variable = first.variable if type(first) is Name else None
            if variable is not None and not variable.constant and not variable.captured:
                result = self.temporary()
                slot = self.slot(variable)
                made = b.call(
                    "native_reference",
                    [b.load(self.link.table(name, len(nodes))), b.load(slot), b.tuple_(rest), self.level],
                    node.position,
                )
                self.emit(b.assign(b.tuple_store([b.store(slot), b.store(result)]), made))
                return Value(b.load(result), kind, True, True, True)
            if (variable is not None and not variable.constant) or late:
                table = b.load(self.link.table(name, len(nodes)))
                cell = b.load(self.slot(variable)) if variable is not None else self.late_cell(first)
                return self.held(
                    Value(b.call("native_on_cell", [table, cell, b.tuple_(rest), self.level], node.position), kind)
                )
            if type(first) is Qualified:
                self.emit(b.expression(values[0].node))
                refused = b.call("refuse_method", [b.const(name)], node.position)
                return Value(refused, kind)
            receiver = self.stored(values[0])
            made = b.call("native_call", [b.const(name), b.tuple_([receiver, *rest]), self.level], node.position)
            return Value(made, kind)
        receiver = values[0]
        if overloads.calls:
            receiver = Value(self.argument(first, receiver), receiver.kind, True, receiver.simple, receiver.fixed)
        return self.dispatched(name, overloads, receiver, rest, node.position, kind)

    def is_late(self, node: Any) -> bool:
        """Whether only `eval` can have declared this variable."""
        if type(node) is not Name or node.variable is not None or not self.link.evaluates:
            return False
        return self.link.caller_scope(node.name) is None and not self.link.is_function(node.name)

    def late_cell(self, node: Name) -> Any:
        """The cell of a variable that only `eval` can have declared, held."""
        return self.held(Value(b.call("late_cell", [b.load("late"), b.const(node.name)], node.position))).node

    def kept(self, name: str, values: list[Value]) -> list[Any]:
        """Arguments of a library function, marked if it may keep them."""
        if name in READERS:
            return [value.node for value in values]
        return [self.stored(value) for value in values]

    def dispatched(
        self, name: str, overloads: Overloads, receiver: Value, rest: list[Any], position: int, kind: Kind
    ) -> Value:
        """A library function that changes nothing, by the type of its receiver."""
        extra: list[Any] = []
        if overloads.calls:
            self.effects += 1
            extra = [self.level]
        known = TYPE_OF_BITS.get(receiver.kind.bits)
        arguments = len(rest) + 1
        if known is not None and known in overloads:
            made = b.call(self.link.implementation(name, arguments, known), [receiver.node, *rest, *extra], position)
            return Value(made, kind)
        receiver_node = receiver.node
        type_of_it = b.apply("type", [receiver_node])
        if not receiver.simple:
            held = self.temporary()
            type_of_it = b.apply("type", [b.walrus(held, receiver_node)])
            receiver_node = b.load(held)
        chosen = b.subscript(b.load(self.link.table(name, arguments)), type_of_it, position)
        return Value(b.call_node(chosen, [receiver_node, *rest, *extra], position), kind)

    def module_call(self, node: Call) -> Value:
        values = self.operands(node.arguments, self.lower)
        arguments = [self.stored(value) for value in values]
        self.effects += 1
        path = b.const("::".join(node.path))
        made = b.call("module_call", [path, b.const(node.name), b.tuple_(arguments), self.level], node.position)
        return Value(b.between_positions(made, node.path_position, node.position))

    # --- function pointers ---

    def call_pointer(self, node: Call) -> Value:
        """`call(f, ..)`. A library function changes a plain variable that is its first argument."""
        self.effects += 1
        second = node.arguments[1] if len(node.arguments) > 1 else None
        variable = second.variable if type(second) is Name else None
        position = node.position
        self.note_parts(position, [start_of(node.arguments[0])])
        if variable is not None and not variable.constant and not variable.captured:
            slot = self.slot(variable)
            result = self.temporary()
            values = self.operands(node.arguments, self.lower)
            rest = b.tuple_([self.stored(value) for value in values[2:]])
            read = [values[0].node, values[1].node, b.load(slot)]
            made = b.call("call_reference", [*read, rest, self.level_below], position)
            self.emit(b.assign(b.tuple_store([b.store(slot), b.store(result)]), made))
            return Value(b.load(result), K_ANY, True, True, True)
        values = self.operands(node.arguments, self.lower)
        arguments = b.tuple_([self.stored(value) for value in values[1:]])
        return Value(b.call("call_function", [values[0].node, arguments, self.level_below], position))

    def curry(self, node: Call) -> Value:
        values = self.operands(node.arguments, self.lower)
        arguments = b.tuple_([self.stored(value) for value in values[1:]])
        return Value(b.call("curry_function", [values[0].node, arguments], start_of(node.arguments[0])), k.K_FN)

    def make_pointer(self, node: Call) -> Value:
        value = self.lower(node.arguments[0])
        return Value(b.call("make_pointer", [value.node], start_of(node.arguments[0])), k.K_FN)

    # --- questions about names ---

    def type_of(self, node: Call) -> Value:
        return Value(b.call("type_name", [self.lower(node.arguments[0]).node], node.position), k.K_STR)

    def is_shared(self, node: Call) -> Value:
        argument = node.arguments[0]
        if type(argument) is Name and argument.variable is not None and argument.variable.captured:
            return Value(b.attribute(b.load(self.slot(argument.variable)), "shared"), k.K_BOOL)
        if type(argument) is This or (type(argument) is Name and argument.variable is not None):
            return Value(b.FALSE, k.K_BOOL, simple=True, fixed=True)
        value = self.lower(argument)
        if not value.simple:
            self.emit(b.expression(value.node))
        return Value(b.FALSE, k.K_BOOL, simple=True, fixed=True)

    def is_def_var(self, node: Call) -> Value:
        self.note_parts(node.position, [start_of(argument) for argument in node.arguments])
        value = self.lower(node.arguments[0])
        names = b.load(self.link.constant(frozenset(node.visible).union(self.link.scope_of_caller)))
        late = [b.load("late")] if self.link.evaluates else []
        return Value(b.call("is_visible", [value.node, names, *late], node.position), k.K_BOOL)

    def is_def_fn(self, node: Call) -> Value:
        self.note_parts(node.position, [start_of(argument) for argument in node.arguments])
        values = self.operands(node.arguments, self.lower)
        return Value(b.call("is_defined_function", [v.node for v in values], node.position), k.K_BOOL)

    def take(self, node: Call) -> Value | None:
        """`take(x)` on a plain variable empties it; on anything else it gives the value."""
        argument = node.arguments[0]
        if type(argument) is not Name or argument.variable is None or argument.variable.captured:
            return None
        if argument.variable.constant or ("take", 1) in self.link.functions:
            return None
        self.effects += 1
        value = self.held(Value(b.load(self.slot(argument.variable))))
        self.emit(b.assign_name(self.slot(argument.variable), b.NONE))
        return value

    def evaluate(self, node: Call) -> Value:
        value = self.lower(node.arguments[0])
        self.effects += 1
        cells, fixed = self.visible_cells(node.visible)
        place = start_of(node.arguments[0])
        made = b.call("evaluate_text", [value.node, cells, fixed, b.load("late"), self.level_below], place)
        return self.held(Value(made, owned=False))

    def visible_cells(self, visible: dict[str, Variable]) -> tuple[Any, Any]:
        """A dictionary of the cells of all variables in scope, and the names of the constants among them."""
        # A variable that is not yet there has no cell: the block that declares it has not reached it.
        cells = {name: self.slot(variable) for name, variable in visible.items() if variable.captured}
        constants = {name for name, variable in visible.items() if variable.constant}
        for name, cell in self.link.scope_of_caller.items():
            if name not in visible:
                cells[name] = cell
                if name in self.link.scope_constants:
                    constants.add(name)
        fixed = b.load(self.link.constant(frozenset(constants)))
        return b.dict_([b.const(name) for name in cells], [b.load(cell) for cell in cells.values()]), fixed

    def call_in_scope(self, node: Call) -> Value:
        """`f!(..)`: a function that sees the variables here."""
        self.effects += 1
        values = self.operands(node.arguments, self.lower)
        arguments = b.tuple_([self.stored(value) for value in values])
        scope = self.visible_cells(node.visible)
        made = b.call("call_in_scope", [b.const(node.name), arguments, *scope, self.level_below], node.position)
        return self.held(Value(made))


_SPECIAL: dict[tuple[str, int], Callable[[Calls, Call], Value | None]] = {
    ("type_of", 1): Calls.type_of,
    ("is_shared", 1): Calls.is_shared,
    ("is_def_var", 1): Calls.is_def_var,
    ("is_def_fn", 2): Calls.is_def_fn,
    ("is_def_fn", 3): Calls.is_def_fn,
    ("Fn", 1): Calls.make_pointer,
    ("eval", 1): Calls.evaluate,
    ("take", 1): Calls.take,
}
LOWER[Call] = Calls.call
