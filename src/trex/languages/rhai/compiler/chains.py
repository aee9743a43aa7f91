"""Chains: indexing, properties and method calls behind one another; stores through them.

Owns:  the lowering of `Chain`, read and written, and of method calls.
Relies on: `semantics.places`, which walks a path of steps for values of any type.
Never: changes a container that may be held elsewhere: every inline store tests for that first.

A *place* is a variable, or `this`, and the steps that lead from it to a value. What changes a value in
its place takes the root and the path, and gives back the root, which may have become another object.

All indexes and arguments of a chain are evaluated before its root is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.arithmetic import type_is
from trex.languages.rhai.compiler.calls import READERS, TYPE_OF_BITS, Calls
from trex.languages.rhai.compiler.expressions import LOWER, WEIGHTLESS, limited
from trex.languages.rhai.compiler.frame import UNIT_VALUE, Value
from trex.languages.rhai.compiler.kinds import K_ANY, Kind
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.semantics.places import Steps
from trex.languages.rhai.syntax import Chain, IndexStep, MethodStep, Name, PropertyStep, This

# Where a step stands: the position of its index or name, and that of its bracket or name.
Place = tuple[int, int]

CALLABLE_METHODS = frozenset(("call", "curry", "type_of", "is_shared"))


class Root:
    """Where a place starts: how to read it and how to write it back.

    constant: the name of a constant, for its error messages; None where it may be written.
    cell:     the node of the cell, for a shared variable or `this`.
    """

    __slots__ = ("cell", "constant", "read", "slot")

    def __init__(self, read: Value, slot: str | None, cell: Any, constant: str | None) -> None:
        self.read = read
        self.slot = slot
        self.cell = cell
        self.constant = constant


class Path:
    """The steps from a root: their kinds as text (`i`, `p`, capital when Elvis) and their keys."""

    __slots__ = ("keys", "kinds", "positions")

    def __init__(self) -> None:
        self.kinds = ""
        self.keys: list[Value] = []
        self.positions: list[Place] = []

    def add(self, kind: str, key: Value, at: Place) -> None:
        self.kinds += kind
        self.keys.append(key)
        self.positions.append(at)

    def nodes(self, link: Link) -> list[Any]:
        """The path as arguments of a helper: a `Steps`, and a tuple of the keys."""
        steps = link.thing("steps", Steps(self.kinds, tuple(self.positions)))
        return [b.load(steps), b.tuple_([key.node for key in self.keys])]


class Chains(Calls):
    """Lowering of chains."""

    def root_of(self, node: Any) -> Root | None:
        """The root of a place, or None where the chain starts with a temporary."""
        if type(node) is This:
            return Root(self.this(node), None, b.load("this"), None)
        if type(node) is Name:
            variable = node.variable
            if variable is None:
                cell = self.link.caller_scope(node.name)
                if cell is None:
                    return None
                return Root(self.free_name(node), None, b.load(cell), None)
            value = self.read(variable, node.position)
            constant = variable.name if variable.constant else None
            if variable.captured:
                return Root(value, None, b.load(self.slot(variable)), constant)
            return Root(value, self.slot(variable), None, constant)
        return None

    def chain(self, node: Chain) -> Value:
        """The value of a chain."""
        nodes: list[Any] = []
        for step in node.steps:
            if type(step) is IndexStep:
                nodes.append(step.index)
            elif type(step) is MethodStep:
                nodes.extend(step.arguments)
        place = type(node.root) in (Name, This)
        if not place:
            nodes.append(node.root)
        values = self.operands(nodes, self.lower)
        start = None if place else values.pop()
        if any(step.elvis for step in node.steps):
            # They are evaluated even when the steps are not taken.
            values = [v if v.simple else self.held(v) for v in values]
        if len(node.steps) > 1:
            # Steps read and emit in turn; what they use must not be evaluated in between. A variable that
            # is no receiver stays as it is.
            root_name = node.root.variable if type(node.root) is Name else None
            receiver = "" if root_name is None else root_name.slot
            values = [v if v.fixed or (v.simple and v.node.id != receiver) else self.held(v) for v in values]
        root = self.root_of(node.root) if place else None
        if place and root is None:
            start = self.lower(node.root)
        return self.steps(node.steps, 0, values, root, Path(), start)

    def steps(
        self, steps: list[Any], at: int, values: list[Value], root: Root | None, path: Path, current: Value | None
    ) -> Value:
        """The steps from `at` on. The value so far is `current`, or what stands at `path` from `root`."""
        while at < len(steps):
            step = steps[at]
            kind = type(step)
            if step.elvis:
                return self.elvis(steps, at, values, root, path, current)
            if kind is MethodStep:
                arguments = values[: len(step.arguments)]
                values = values[len(step.arguments) :]
                if root is not None:
                    current = self.method_at(root, path, step, arguments)
                    root = None
                else:
                    assert current is not None
                    current = self.method_of(current, step, arguments)
            elif root is not None:
                key, position = self.key_of(step, values)
                if kind is IndexStep:
                    values = values[1:]
                path.add("i" if kind is IndexStep else "p", key, position)
            else:
                assert current is not None
                key, position = self.key_of(step, values)
                if kind is IndexStep:
                    values = values[1:]
                current = self.step(current, "i" if kind is IndexStep else "p", key, position)
            at += 1
        if root is not None:
            return self.read_place(root, path)
        assert current is not None
        return current

    def key_of(self, step: Any, values: list[Value]) -> tuple[Value, Place]:
        if type(step) is IndexStep:
            return values[0], (step.position, step.bracket)
        name = step.name
        return Value(b.const(name), k.K_STR, simple=True, fixed=True), (step.position, step.position)

    def elvis(
        self, steps: list[Any], at: int, values: list[Value], root: Root | None, path: Path, current: Value | None
    ) -> Value:
        """A step with `?`: nothing more happens when the value so far is unit."""
        if root is not None:
            current = self.read_place(root, path)
        assert current is not None
        held = self.held(current)
        result = self.temporary()
        self.emit(b.assign_name(result, b.NONE))
        plain = _without_elvis(steps[at])
        rest = [*steps[:at], plain, *steps[at + 1 :]]

        def fill() -> None:
            # A store behind it keeps the place; a read goes on from the value.
            last: Value
            if root is not None and any(type(step) is MethodStep for step in steps[at:]):
                last = self.steps(rest, at, values, root, path, None)
            else:
                last = self.steps(rest, at, values, None, path, held)
            self.emit(b.assign_name(result, last.node))

        self.emit(b.if_(b.compare(held.node, "is not", b.NONE), self.nested(fill), []))
        return Value(b.load(result), K_ANY, False, True, True)

    def read_place(self, root: Root, path: Path) -> Value:
        """The value at a place."""
        current = root.read
        if root.constant is None and not path.kinds:
            return current
        for kind, key, at in zip(path.kinds, path.keys, path.positions, strict=True):
            current = self.step(current, kind, key, at)
        return current

    def step(self, current: Value, kind: str, key: Value, at: Place) -> Value:
        """One index or property read."""
        bits = current.kind.bits
        position = at[0]
        if kind == "p":
            return self.property(current, key, position)
        index = key
        if bits == k.ARRAY or (bits & k.ARRAY and index.kind.bits & k.INT and self.is_hot()):
            if index.kind.bits & k.INT:
                return self.element(current, index, at)
        elif bits == k.STR and index.kind.bits == k.INT:
            current, index = self.both_simple(current, index)
            self.note(position, current, index)
            character = b.subscript(current.node, index.node, position)
            return Value(b.call("char", [character], position), k.K_CHAR)
        elif bits == k.MAP and index.kind.bits == k.STR and not self.link.strict_properties:
            return Value(self.entry(current.node, index.node), K_ANY, owned=False)
        elif bits & k.MAP and index.kind.bits == k.STR and self.is_hot() and not self.link.strict_properties:
            current, index = self.both_simple(current, index)
            other = self.index_helper(current, index, at)
            test = type_is(current.node, "Map")
            return Value(b.choose(test, self.entry(current.node, index.node), other), K_ANY, owned=False)
        current, index = self.both_simple(current, index) if not current.simple else (current, index)
        return Value(self.index_helper(current, index, at), K_ANY, owned=False)

    @staticmethod
    def index_helper(current: Value, index: Value, at: Place) -> Any:
        return b.between_positions(b.call("index", [current.node, index.node], at[0]), at[1], at[0])

    def element(self, current: Value, index: Value, at: Place) -> Value:
        """An element of what is or may be an array, by what is or may be an integer."""
        position = at[0]
        current, index = self.both_simple(current, index)
        self.note(position, current, index)
        inline = b.subscript(b.attribute(current.node, "v"), index.node, position)
        tests = []
        if current.kind.bits != k.ARRAY:
            tests.append(type_is(current.node, "Array"))
        if index.kind.bits != k.INT:
            tests.append(type_is(index.node, "int"))
        if not tests:
            return Value(inline, K_ANY, owned=False)
        other = self.index_helper(current, index, at)
        return Value(b.choose(b.and_(tests), inline, other), K_ANY, owned=False)

    def note(self, position: int, container: Value, index: Value) -> None:
        """Remember an inline subscript, so that its failure can be worded."""
        operands = tuple((n.id, None) if b.is_name(n) else ("", n.value) for n in (container.node, index.node))
        self.link.site(self.code_name or "main", position, operands)

    @staticmethod
    def entry(map_node: Any, key: Any) -> Any:
        """An entry of a map, or None, which is unit."""
        return b.apply_node(b.attribute(b.attribute(map_node, "v"), "get"), [key])

    def property(self, current: Value, key: Value, position: int) -> Value:
        bits = current.kind.bits
        name = key.node.value
        if not self.link.strict_properties:
            if bits == k.MAP:
                return Value(self.entry(current.node, key.node), K_ANY, owned=False)
            if bits & k.MAP and self.is_hot() and bits & k.OTHER:
                current = self.simple(current)
                other = b.call("get_property", [current.node, key.node], position)
                test = type_is(current.node, "Map")
                return Value(b.choose(test, self.entry(current.node, key.node), other), K_ANY, owned=False)
        if name == "len" and bits == k.STR:
            return Value(self.length(current.node), k.K_LENGTH)
        return Value(b.call("get_property", [current.node, key.node], position), K_ANY, owned=False)

    # --- methods ---

    def method_of(self, current: Value, step: MethodStep, arguments: list[Value]) -> Value:
        """A method of a temporary: what it changes is lost."""
        name = step.name
        kind = self.result_kind(step, current.kind)
        special = self.word(step, current, arguments)
        if special is not None:
            return special
        overloads = self.link.overloads(name, len(arguments) + 1)
        simple = not self.link.has_method(name, len(arguments)) and not current.kind.bits & (k.MAP | k.OTHER)
        if simple and overloads is not None and not overloads.changes:
            return self.dispatched(name, overloads, current, self.kept(name, arguments), step.position, kind)
        receiver = self.stored(current)
        rest = b.tuple_(self.kept(name, arguments))
        made = b.call("method_value", [receiver, b.const(name), rest, self.level], step.position)
        return Value(made, kind)

    def result_kind(self, step: MethodStep, receiver: Kind) -> Kind:
        if self.link.has_method(step.name, len(step.arguments)) or receiver.bits & (k.MAP | k.OTHER):
            return K_ANY
        return k.of_call(step.name, receiver)

    def word(self, step: MethodStep, current: Value, arguments: list[Value]) -> Value | None:
        """The callable words in method style."""
        name = step.name
        if name not in CALLABLE_METHODS:
            return None
        if name == "type_of" and not arguments:
            return Value(b.call("type_name", [current.node], step.position), k.K_STR)
        if name == "is_shared" and not arguments:
            return Value(b.FALSE, k.K_BOOL, simple=True, fixed=True)
        if name == "curry":
            rest = b.tuple_([self.stored(a) for a in arguments])
            return Value(b.call("curry_function", [current.node, rest], step.position), k.K_FN)
        if name == "call":
            return self.call_method(current, step, arguments)
        return None

    def call_method(self, current: Value, step: MethodStep, arguments: list[Value]) -> Value:
        """`f.call(..)`, straight into the code where `f` is a plain pointer of as many parameters."""
        values = [self.stored(argument) for argument in arguments]
        if not self.is_hot():
            made = b.call("call_method", [current.node, b.tuple_(values), self.level_below], step.position)
            return Value(made)
        current = self.simple(current)
        held = [value if b.is_simple(value) else self.held(Value(value)).node for value in values]
        test = b.and_(
            [
                type_is(current.node, "FnPtr"),
                b.compare(b.attribute(current.node, "direct"), "==", b.const(len(values))),
            ]
        )
        inline = b.call_node(b.attribute(current.node, "code"), [*held, self.level_below], step.position)
        other = b.call("call_method", [current.node, b.tuple_(held), self.level_below], step.position)
        return Value(b.choose(test, inline, other))

    def method_at(self, root: Root, path: Path, step: MethodStep, arguments: list[Value]) -> Value:
        """A method of a value in its place, which it may change."""
        name, count = step.name, len(arguments)
        if name in CALLABLE_METHODS and not (name == "call" and count):
            if name == "is_shared" and not path.kinds:
                shared = b.FALSE if root.cell is None else b.attribute(root.cell, "shared")
                return Value(shared, k.K_BOOL)
            value = self.word(step, self.read_place(root, path), arguments)
            if value is not None:
                return value
        if name == "call" and count and self.surely_pointer(root, path):
            return self.call_method(self.read_place(root, path), step, arguments)
        overloads = self.link.overloads(name, count + 1)
        if not path.kinds:
            return self.method_on_root(root, step, arguments, overloads)
        values = self.kept(name, arguments)
        if overloads is not None and not overloads.changes and not self.link.has_method(name, count):
            # Read the receiver; only a map could hold a function of this name that changes it.
            receiver = self.held(self.read_place(root, path))
            if not receiver.kind.bits & k.MAP:
                return self.dispatched(name, overloads, receiver, values, step.position, K_ANY)
            if self.is_hot() and root.constant is None:
                return self.unless_map(receiver, overloads, root, path, step, values)
        return self.by_path(root, path, step, values)

    def surely_pointer(self, root: Root, path: Path) -> bool:
        """Whether the receiver of `.call(..)` is a function pointer for all we know: it is a plain variable."""
        return not path.kinds and root.read.kind.bits == k.FN

    def unless_map(
        self, receiver: Value, overloads: Any, root: Root, path: Path, step: MethodStep, values: list[Any]
    ) -> Value:
        result = self.temporary()
        values = [v if b.is_simple(v) else self.held(Value(v)).node for v in values]
        direct = self.dispatched(step.name, overloads, receiver, values, step.position, K_ANY)

        def slow() -> None:
            self.emit(b.assign_name(result, self.by_path(root, path, step, values).node))

        test = b.compare(b.apply("type", [receiver.node]), "is not", b.load("Map"))
        self.emit(b.if_(test, [b.assign_name(result, direct.node)], self.nested(slow)))
        return Value(b.load(result), K_ANY, True, True, True)

    def by_path(self, root: Root, path: Path, step: MethodStep, values: list[Any]) -> Value:
        """A method of whatever stands at a path, by the helper."""
        rest = [*path.nodes(self.link), b.const(step.name), b.tuple_(values), self.level]
        if root.constant is not None:
            made = b.call("constant_method", [root.read.node, b.const(root.constant), *rest], step.position)
            return Value(made)
        if root.cell is not None:
            return Value(b.call("cell_method_at", [root.cell, *rest], step.position))
        result = self.temporary()
        made = b.call("method_at", [b.load(root.slot or ""), *rest], step.position)
        self.emit(b.assign(b.tuple_store([b.store(root.slot or ""), b.store(result)]), made))
        return Value(b.load(result), K_ANY, True, True, True)

    def method_on_root(self, root: Root, step: MethodStep, arguments: list[Value], overloads: Any) -> Value:
        """A method of a variable or `this`."""
        name, count = step.name, len(arguments)
        own = self.link.has_method(name, count)
        kind = self.result_kind(step, root.read.kind)
        bits = root.read.kind.bits
        values = self.kept(name, arguments)
        if root.constant is not None:
            rest = [*Path().nodes(self.link), b.const(name), b.tuple_(values), self.level]
            made = b.call("constant_method", [root.read.node, b.const(root.constant), *rest], step.position)
            return Value(made, kind)
        if not own and overloads is not None:
            if not bits & (k.MAP | k.OTHER) and not overloads.changes:
                return self.dispatched(name, overloads, root.read, values, step.position, kind)
            known = TYPE_OF_BITS.get(bits)
            if name == "push" and count == 1 and bits & k.ARRAY and root.slot is not None:
                return self.push(root, step, arguments[0])
            if known is not None and bits != k.MAP and known in overloads:
                effect = overloads.effects[known]
                if effect in ("value", "pure", "read"):
                    return self.dispatched(name, overloads, root.read, values, step.position, kind)
                if effect == "change" and root.slot is not None and not overloads.calls:
                    # An owned container is changed in place.
                    slot = root.slot
                    shared = b.compare(b.attribute(b.load(slot), "state"), ">=", b.const(2))
                    copied = b.assign_name(slot, b.call("copy", [b.load(slot)], 0))
                    self.emit(b.if_(shared, [copied], []))
                    return self.held(self.dispatched(name, overloads, root.read, values, step.position, kind))
            if self.is_hot() and root.slot is not None and bits & k.MAP and not overloads.changes:
                return self.unless_map(root.read, overloads, root, Path(), step, values)
        if name == "call" and bits & k.FN and root.slot is not None and self.is_hot():
            return self.call_or_method(root, step, values)
        rest = [b.const(name), b.tuple_(values), self.level]
        if root.cell is not None:
            return self.held(Value(b.call("cell_method", [root.cell, *rest], step.position), kind))
        result = self.temporary()
        slot = root.slot or ""
        made = b.call("method_reference", [b.load(slot), *rest], step.position)
        self.emit(b.assign(b.tuple_store([b.store(slot), b.store(result)]), made))
        return Value(b.load(result), kind, True, True, True)

    def call_or_method(self, root: Root, step: MethodStep, values: list[Any]) -> Value:
        """`x.call(..)`: a pointer that is called, or an object that a pointer is called on."""
        slot = b.load(root.slot or "")
        held = [value if b.is_simple(value) else self.held(Value(value)).node for value in values]
        result = self.temporary()
        test = b.and_([type_is(slot, "FnPtr"), b.compare(b.attribute(slot, "direct"), "==", b.const(len(held)))])
        inline = b.call_node(b.attribute(slot, "code"), [*held, self.level_below], step.position)
        rest = [b.const("call"), b.tuple_(held), self.level]
        slow = b.assign(
            b.tuple_store([b.store(root.slot or ""), b.store(result)]),
            b.call("method_reference", [slot, *rest], step.position),
        )
        self.emit(b.if_(test, [b.assign_name(result, inline)], [slow]))
        return Value(b.load(result), K_ANY, True, True, True)

    def push(self, root: Root, step: MethodStep, value: Value) -> Value:
        """`array.push(value)` on a plain variable."""
        slot = b.load(root.slot or "")
        stored = self.stored(value)
        weightless = not value.kind.bits & ~WEIGHTLESS
        if not b.is_simple(stored):
            stored = self.held(Value(stored)).node
        rest = [b.const("push"), b.tuple_([stored]), self.level]
        lost = self.temporary()
        slow = b.assign(
            b.tuple_store([b.store(root.slot or ""), b.store(lost)]),
            b.call("method_reference", [slot, *rest], step.position),
        )
        tests = [] if root.read.kind.bits == k.ARRAY else [type_is(slot, "Array")]
        if weightless:
            tests.append(b.not_(b.attribute(slot, "state")))
            items = b.attribute(slot, "v")
            append = b.apply_node(b.attribute(items, "append"), [stored])
            fast: list[Any] = [b.expression(append)]
            if limited(self.link.limits.max_array_size):
                too_long = b.compare(self.length(items), ">", b.const(self.link.limits.max_array_size))
                fast.append(b.if_(too_long, [b.expression(b.call("check_array", [slot], step.position))], []))
        else:
            tests.append(b.compare(b.attribute(slot, "state"), "<", b.const(2)))
            fast = [b.expression(b.call("array_push", [slot, stored], step.position))]
        if not root.read.kind.bits & ~k.ARRAY or not self.link.has_method("push", 1):
            self.emit(b.if_(b.and_(tests), fast, [slow]))
        return UNIT_VALUE

    # --- stores ---

    def store_into(self, node: Chain, operator: str | None, value_node: Any, position: int) -> None:
        """`root.steps = value`, or `op=`: the value first, then the indexes, then the store."""
        steps = node.steps
        indexes = [step.index for step in steps if type(step) is IndexStep]
        values = self.operands([value_node, *indexes], self.lower)
        value = values[0]
        stored = self.stored(value)
        if not b.is_simple(stored):
            value = self.held(Value(stored, value.kind))
            stored = value.node
        keys = [v if v.fixed else self.held(v) for v in values[1:]]
        root = self.root_of(node.root)
        if root is None:
            # An unknown name, or a constant of a module.
            self.emit(b.expression(self.lower(node.root).node))
            name = node.root.name
            self.emit(b.expression(b.call("refuse_constant", [b.const(name)], node.root.position)))
            return
        path = Path()
        for step in steps:
            key, step_position = self.key_of(step, keys)
            if type(step) is IndexStep:
                keys = keys[1:]
            kind = "i" if type(step) is IndexStep else "p"
            path.add(kind.upper() if step.elvis else kind, key, step_position)
        last = path.positions[-1][0]
        rest = [*path.nodes(self.link), stored]
        helper_position = last
        if root.constant is not None:
            made = b.call("store_in_constant", [root.read.node, b.const(root.constant), *rest], node.root.position)
            self.emit(b.expression(made))
            return
        name = "store_at"
        if operator is not None:
            name = "update_at"
            rest.extend([b.const(operator), b.const(position)])
        slow: Any
        if root.cell is not None:
            slow = b.expression(b.call(f"cell_{name}", [root.cell, *rest], helper_position))
        else:
            slow = b.assign_name(root.slot or "", b.call(name, [b.load(root.slot or ""), *rest], helper_position))
        if not self.is_hot() or path.kinds != path.kinds.lower() or len(path.kinds) > 3:
            self.emit(slow)
            return
        fast = self.fast_store(root, path, value, stored, operator, position)
        self.emit(slow if fast is None else b.if_(fast[0], fast[1], [slow]))

    def fast_store(
        self, root: Root, path: Path, value: Value, stored: Any, operator: str | None, position: int
    ) -> tuple[Any, list[Any]] | None:
        """A test, and the store to do when it holds: sole owner all the way, scalar in place of scalar."""
        tests: list[Any] = []
        current = root.read
        if not current.simple:
            name = self.temporary()
            tests.append(b.compare(b.walrus(name, current.node), "is not", b.NONE))
            current = Value(b.load(name), current.kind, False, True, True)
        for number, (kind, key, (at, _)) in enumerate(zip(path.kinds, path.keys, path.positions, strict=True)):
            last = number == len(path.kinds) - 1
            as_map = kind == "p" or key.kind.bits == k.STR
            if as_map and self.link.strict_properties:
                return None
            if not as_map and not key.kind.bits & k.INT:
                return None
            container = "Map" if as_map else "Array"
            if current.kind.bits != (k.MAP if as_map else k.ARRAY):
                tests.append(type_is(current.node, container))
            if not as_map and key.kind.bits != k.INT:
                tests.append(type_is(key.node, "int"))
            state = b.attribute(current.node, "state")
            items = b.attribute(current.node, "v")
            if not as_map:
                self.note(at, current, key)
            if last:
                break
            tests.append(b.compare(state, "<", b.const(2)))
            inner = self.temporary()
            read = self.entry(current.node, key.node) if as_map else b.subscript(items, key.node, at)
            # The walrus stands inside the next type test.
            tests.append(b.compare(b.walrus(inner, read), "is not", b.NONE))
            current = Value(b.load(inner), K_ANY, False, True, True)
        if operator is None:
            if value.kind.bits & ~WEIGHTLESS:
                if value.kind.bits != k.ANY and not value.kind.bits & WEIGHTLESS:
                    return None
                kinds = b.apply("type", [stored])
                tests.append(b.compare(kinds, "in", b.load("SCALARS")))
            tests.append(b.not_(state))
            body: list[Any] = [b.assign(b.subscript_store(items, key.node, at), stored)]
            if as_map and limited(self.link.limits.max_map_size):
                size = b.compare(self.length(items), ">", b.const(self.link.limits.max_map_size))
                body.append(b.if_(size, [b.expression(b.call("check_map", [current.node], at))], []))
            return b.and_(tests), body
        return self.fast_update(tests, current, items, key, as_map, value, stored, operator, at, position)

    def fast_update(
        self,
        tests: list[Any],
        current: Value,
        items: Any,
        key: Value,
        as_map: bool,
        value: Value,
        stored: Any,
        operator: str,
        at: int,
        position: int,
    ) -> tuple[Any, list[Any]] | None:
        """`op=` of a number in its place."""
        tests.append(b.compare(b.attribute(current.node, "state"), "<", b.const(2)))
        old = self.temporary()
        read = self.entry(current.node, key.node) if as_map else b.subscript(items, key.node, at)
        held = b.walrus(old, read)
        left = Value(b.load(old), k.K_INT, True, True, True)
        right = Value(stored, value.kind, True, True, True)
        if value.kind.bits == k.FLOAT and operator in ("+", "-", "*"):
            tests.append(type_is(held, "float"))
            result: Value | None = Value(b.binary(left.node, operator, right.node), k.K_FLOAT)
        elif value.kind.bits & k.INT:
            tests.append(type_is(held, "int"))
            if value.kind.bits != k.INT:
                tests.append(type_is(stored, "int"))
                right = Value(stored, k.K_INT, True, True, True)
            result = self.integers(operator, left, right, position, True)
        else:
            return None
        if result is None:
            return None
        return b.and_(tests), [b.assign(b.subscript_store(items, key.node, at), result.node)]


def _without_elvis(step: Any) -> Any:
    kind = type(step)
    if kind is IndexStep:
        return IndexStep(step.index, False, step.position, step.bracket)
    if kind is MethodStep:
        return MethodStep(step.name, step.arguments, False, step.position)
    return PropertyStep(step.name, False, step.position)


__all__ = ["READERS", "Chains"]

_CHAIN: Callable[[Any, Any], Value] = Chains.chain
LOWER[Chain] = _CHAIN
