"""Places: reading along a chain of steps, and storing through one.

Owns:  the lowering of index and property steps, and of stores and op-assignments through them.
Relies on: `semantics.places`, which walks a path of steps for values of any type.
Never: changes a container that may be held elsewhere: every inline store tests for that first.

A *place* is a variable, or `this`, and the steps that lead from it to a value. What changes a value in
its place takes the root and the path, and gives back the root, which may have become another object.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.arithmetic import type_is
from trex.languages.rhai.compiler.calls import Calls
from trex.languages.rhai.compiler.expressions import WEIGHTLESS, limited
from trex.languages.rhai.compiler.frame import Value
from trex.languages.rhai.compiler.kinds import K_ANY, Kind
from trex.languages.rhai.compiler.link import Link
from trex.languages.rhai.parser.checks import start_of
from trex.languages.rhai.semantics.places import Steps
from trex.languages.rhai.syntax import Chain, IndexStep, Name, Qualified, This
from trex.languages.rhai.values import SHARED, THIS_CELL

# Where a step stands: the position of its index or name, and that of its bracket or name.
Place = tuple[int, int]

# Longer paths are walked by the helper.
LONGEST_INLINE = 6

_SHARED = b.const(SHARED)


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

    __slots__ = ("keys", "kinds", "places")

    def __init__(self) -> None:
        self.kinds = ""
        self.keys: list[Value] = []
        self.places: list[Place] = []

    def add(self, kind: str, key: Value, place: Place) -> None:
        self.kinds += kind
        self.keys.append(key)
        self.places.append(place)

    def nodes(self, link: Link, operator: int = 0, start: int = 0) -> list[Any]:
        """The path as arguments of a helper: a `Steps`, and a tuple of the keys."""
        steps = link.thing("steps", Steps(self.kinds, tuple(self.places), operator, start))
        return [b.load(steps), b.tuple_([key.node for key in self.keys])]


class Spot(NamedTuple):
    """One step of a path whose container has a known type: where its `items` are, and what is `found` there."""

    container: Value
    items: Any
    key: Value
    at: int
    as_map: bool
    as_blob: bool
    found: Kind


_BITS_OF_CONTAINERS = {"Array": k.ARRAY, "Map": k.MAP, "str": k.STR}


def owned(container: Any) -> Any:
    """A test that a container may be changed in place."""
    return b.compare(b.attribute(container, "state"), "<", _SHARED)


class Places(Calls):
    """Lowering of steps that are no calls."""

    def root_of(self, node: Any) -> Root | None:
        """The root of a place, or None where the chain starts with a temporary."""
        if type(node) is This:
            if self.function.this != THIS_CELL:
                return None
            return Root(self.this(node), None, b.load("this"), None)
        if type(node) is Qualified:
            return Root(self.qualified(node), None, None, node.name)
        if type(node) is Name:
            variable = node.variable
            if variable is None:
                cell = self.link.caller_scope(node.name)
                if cell is None:
                    if not self.is_late(node):
                        return None
                    # Only `eval` can have declared it.
                    held = self.late_cell(node)
                    return Root(Value(b.attribute(held, "v"), K_ANY, owned=False), None, held, None)
                constant = node.name if node.name in self.link.scope_constants else None
                return Root(self.free_name(node), None, b.load(cell), constant)
            value = self.read(variable, node.position)
            constant = variable.name if variable.constant else None
            if variable.captured:
                return Root(value, None, b.load(self.slot(variable)), constant)
            return Root(value, self.slot(variable), None, constant)
        return None

    @staticmethod
    def key_of(step: Any, values: list[Value]) -> tuple[Value, Place]:
        """The key of a step: the first of the values for an index, its name for a property."""
        if type(step) is IndexStep:
            return values[0], (step.position, step.bracket)
        return Value(b.const(step.name), k.K_STR, simple=True, fixed=True), (step.position, step.position)

    def read_place(self, root: Root, path: Path) -> Value:
        """The value at a place."""
        current = root.read
        for kind, key, place in zip(path.kinds, path.keys, path.places, strict=True):
            current = self.step(current, kind, key, place)
        return current

    # --- reading ---

    def step(self, current: Value, kind: str, key: Value, place: Place) -> Value:
        """One index or property read."""
        if kind == "p":
            return self.property(current, key, place[0])
        bits, index = current.kind.bits, key.kind.bits
        if bits == k.STR and index == k.INT:
            current, key = self.both_simple(current, key)
            self.note(place[0], current, key)
            character = b.subscript(current.node, key.node, place[0])
            return Value(b.call("char", [character], place[0]), k.K_CHAR)
        found = k.known(k.element(current.kind, key.kind))
        if bits == k.BLOB and index == k.INT:
            current, key = self.both_simple(current, key)
            self.note(place[0], current, key)
            return Value(b.subscript(b.attribute(current.node, "v"), key.node, place[0]), found)
        inline = self.is_hot() or bits in (k.ARRAY, k.MAP)
        as_array = inline and bits & k.ARRAY and index & k.INT
        as_map = inline and bits & k.MAP and index & k.STR and not self.link.strict_properties
        current, key = self.both_simple(current, key)
        result: Any = b.between_positions(b.call("index", [current.node, key.node], place[0]), place[1], place[0])
        if bits & k.STR and index & k.INT and self.is_hot():
            self.note(place[0], current, key)
            character = b.call("char", [b.subscript(current.node, key.node, place[0])], place[0])
            result = self.guarded_read(current, key, "str", "int", character, result)
        if as_map:
            result = self.guarded_read(current, key, "Map", "str", self.entry(current.node, key.node), result)
        if as_array:
            self.note(place[0], current, key)
            element = b.subscript(b.attribute(current.node, "v"), key.node, place[0])
            result = self.guarded_read(current, key, "Array", "int", element, result)
        return Value(result, found, owned=False)

    @staticmethod
    def guarded_read(current: Value, key: Value, container: str, index: str, inline: Any, other: Any) -> Any:
        """`inline` where the types fit, `other` elsewhere."""
        tests = []
        if current.kind.bits != _BITS_OF_CONTAINERS[container]:
            tests.append(type_is(current.node, container))
        if key.kind.bits != (k.INT if index == "int" else k.STR):
            tests.append(type_is(key.node, index))
        return b.choose(b.and_(tests), inline, other) if tests else inline

    def note(self, position: int, container: Value, index: Value) -> None:
        """Remember an inline subscript, so that its failure can be worded."""
        operands = tuple((n.id, None) if b.is_name(n) else ("", n.value) for n in (container.node, index.node))
        self.link.site(self.code_name or self.link.main, position, operands)

    @staticmethod
    def entry(map_node: Any, key: Any) -> Any:
        """An entry of a map, or None, which is unit."""
        return b.apply_node(b.attribute(b.attribute(map_node, "v"), "get"), [key])

    def property(self, current: Value, key: Value, position: int) -> Value:
        bits = current.kind.bits
        name = key.node.value
        if not self.link.strict_properties:
            if bits == k.MAP:
                return self.field(current, key)
            if bits & k.MAP and self.is_hot():
                current = self.simple(current)
                other = b.call("get_property", [current.node, key.node], position)
                test = type_is(current.node, "Map")
                return Value(b.choose(test, self.entry(current.node, key.node), other), K_ANY, owned=False)
        if name == "len" and bits in (k.STR, k.ARRAY, k.BLOB):
            return self.length_of(current)
        return Value(b.call("get_property", [current.node, key.node], position), K_ANY, owned=False)

    def field(self, current: Value, key: Value) -> Value:
        """The property of an object map."""
        kind = k.known(k.element(current.kind, key.node.value))
        if kind.bits & k.UNIT:
            return Value(self.entry(current.node, key.node), kind, owned=False)
        # Certainly there.
        return Value(b.subscript(b.attribute(current.node, "v"), key.node, 0), kind, owned=False)

    def length_of(self, value: Value) -> Value:
        """The length of what is known to be a string, array or blob."""
        node = value.node if value.kind.bits == k.STR else b.attribute(value.node, "v")
        return Value(self.length(node), k.K_LENGTH)

    # --- storing ---

    def store_into(self, node: Chain, operator: str | None, value_node: Any, position: int) -> None:
        """`root.steps = value`, or `op=`: the value first, then the indexes, then the store."""
        steps = node.steps
        indexes = [step.index for step in steps if type(step) is IndexStep]
        values = self.operands([value_node, *indexes], self.lower)
        value = self.simple(values[0])
        keys = [self.simple(v) for v in values[1:]]
        root = self.root_of(node.root)
        if root is None:
            # An unknown name.
            self.emit(b.expression(self.lower(node.root).node))
            self.emit(b.expression(b.call("refuse_constant", [b.const(node.root.name)], node.root.position)))
            return
        self.effects += 1
        path = Path()
        for step in steps:
            key, place = self.key_of(step, keys)
            kind = "p"
            if type(step) is IndexStep:
                keys = keys[1:]
                kind = "i"
            path.add(kind.upper() if step.elvis else kind, key, place)
        rest = [*path.nodes(self.link, position, start_of(node)), self.stored(value)]
        last = path.places[-1][0]
        name = "store_at"
        if operator is not None:
            name = "update_at"
            rest.extend([b.const(operator), b.const(position)])
        if root.constant is not None:
            made = b.call("store_in_constant", [root.read.node, b.const(root.constant), *rest], node.root.position)
            self.emit(b.expression(made))
            return
        slow: Any
        if root.cell is not None:
            slow = b.expression(b.call(f"cell_{name}", [root.cell, *rest], last))
        else:
            slow = b.assign_name(root.slot or "", b.call(name, [b.load(root.slot or ""), *rest], last))
        if not self.is_hot() or not path.kinds.islower() or len(path.kinds) > LONGEST_INLINE:
            self.emit(slow)
            return
        if operator is None and self.plain_store(root, path, value, last):
            return
        fast = self.fast_store(root, path, value, operator, position, slow)
        self.emit(slow if fast is None else b.if_(fast[0], fast[1], [slow]))

    def plain_store(self, root: Root, path: Path, value: Value, at: int) -> bool:
        """A store of a scalar in place of a scalar, into a variable known to be an array, or an entry that is there.

        A container that others hold is copied first; then nothing can fail but the index.
        """
        slot, kind, key = root.slot, root.read.kind, path.keys[0]
        if slot is None or len(path.kinds) > 1 or value.kind.bits & ~WEIGHTLESS:
            return False
        as_map = path.kinds == "p" or key.kind.bits == k.STR
        if as_map:
            if kind.bits != k.MAP or not b.is_constant(key.node) or self.link.strict_properties:
                return False
        elif kind.bits != k.ARRAY or key.kind.bits != k.INT:
            return False
        element = k.element(kind, key.node.value if as_map else key.kind)
        if not element.bits or element.bits & ~WEIGHTLESS or (as_map and element.bits & k.UNIT):
            return False
        self.note(at, root.read, key)
        self.emit(b.if_(b.not_(owned(b.load(slot))), [b.assign_name(slot, b.call("copy", [b.load(slot)], 0))], []))
        items = b.attribute(b.load(slot), "v")
        self.emit(b.assign(b.subscript_store(items, key.node, at), value.node))
        return True

    def fast_store(
        self, root: Root, path: Path, value: Value, operator: str | None, position: int, slow: Any
    ) -> tuple[Any, list[Any]] | None:
        """A test, and the store to do when it holds: sole owner all the way, scalar in place of scalar."""
        tests: list[Any] = []
        spots = self.spots(root, path, tests)
        if spots is None:
            return None
        current, items, key, at, as_map, as_blob, found = spots[-1]
        if as_blob:
            return self.fast_byte(tests, current, items, key, value, operator, at)
        if operator is not None:
            tests.append(self.made_ours(root, current.node))
            old = self.temporary()
            held = b.walrus(old, self.read_spot(spots[-1]))
            target = b.subscript_store(items, key.node, at)
            return self.fast_update(tests, held, Value(b.load(old), found), target, value, operator, position, slow)
        if value.kind.bits & ~WEIGHTLESS:
            if not value.kind.bits & WEIGHTLESS:
                return None
            tests.append(b.compare(b.apply("type", [value.node]), "in", b.load("SCALARS")))
        ours = self.made_ours(root, current.node)
        if found.bits & ~WEIGHTLESS:
            # Nothing in it has a weight, or what is replaced has none.
            old = b.compare(b.apply("type", [b.subscript(items, key.node, at)]), "in", b.load("SCALARS"))
            there = [b.compare(key.node, "in", items)] if as_map else []
            ours = b.or_([b.not_(b.attribute(current.node, "state")), b.and_([ours, *there, old])])
        tests.append(ours)
        body: list[Any] = [b.assign(b.subscript_store(items, key.node, at), value.node)]
        if as_map and found.bits & k.UNIT and limited(self.link.limits.max_map_size):
            size = b.compare(self.length(items), ">", b.const(self.link.limits.max_map_size))
            body.append(b.if_(size, [b.expression(b.call("check_map", [current.node], position))], []))
        return b.and_(tests), body

    def spots(self, root: Root, path: Path, tests: list[Any]) -> list[Spot] | None:
        """What stands along a path once the `tests` hold: arrays and maps, all but the last our own.

        None where that would need more than a test.
        """
        spots: list[Spot] = []
        current = root.read
        first = current.node
        if not current.simple:
            name = self.temporary()
            first = b.walrus(name, current.node)
            current = Value(b.load(name), current.kind, False, True, True)
        for kind, key, (at, _) in zip(path.kinds, path.keys, path.places, strict=True):
            if spots:
                before = spots[-1]
                tests.append(self.made_ours(root, before.container.node))
                inner = self.temporary()
                first = b.walrus(inner, self.read_spot(before))
                current = Value(b.load(inner), before.found, False, True, True)
            as_map = kind == "p" or key.kind.bits == k.STR
            as_map = as_map or bool(current.kind.bits == k.MAP and key.kind.bits & k.STR)
            if as_map and self.link.strict_properties:
                return None
            if not as_map and not key.kind.bits & k.INT:
                return None
            as_blob = not as_map and current.kind.bits == k.BLOB
            found = k.known(k.element(current.kind, key.node.value if b.is_text(key.node) else key.kind))
            container = "Map" if as_map else "Blob" if as_blob else "Array"
            if current.kind.bits != (k.MAP if as_map else k.BLOB if as_blob else k.ARRAY) or first is not current.node:
                tests.append(type_is(first, container))
            if key.kind.bits != (k.STR if as_map else k.INT):
                tests.append(type_is(key.node, "str" if as_map else "int"))
            if not as_map:
                self.note(at, current, key)
            spots.append(Spot(current, b.attribute(current.node, "v"), key, at, as_map, as_blob, found))
        return spots

    def read_spot(self, spot: Spot) -> Any:
        """What stands at the end of a path."""
        if spot.as_map:
            return self.entry(spot.container.node, spot.key.node)
        return b.subscript(spot.items, spot.key.node, spot.at)

    @staticmethod
    def made_ours(root: Root, container: Any) -> Any:
        """A test that a container may be changed in place; a variable's own is copied to make it so."""
        if root.slot is None or not b.is_name(container) or container.id != root.slot:
            return owned(container)
        return b.or_([owned(container), b.walrus(root.slot, b.call("copy", [container], 0))])

    @staticmethod
    def fast_byte(
        tests: list[Any], blob: Value, items: Any, key: Value, value: Value, operator: str | None, at: int
    ) -> tuple[Any, list[Any]] | None:
        """A byte of a blob."""
        if operator is not None or not value.kind.bits & k.INT:
            return None
        if value.kind.bits != k.INT:
            tests.append(type_is(value.node, "int"))
        tests.append(owned(blob.node))
        masked = b.binary(value.node, "&", b.const(255))
        return b.and_(tests), [b.assign(b.subscript_store(items, key.node, at), masked)]

    def fast_update(
        self,
        tests: list[Any],
        held: Any,
        before: Value,
        target: Any,
        value: Value,
        operator: str,
        position: int,
        slow: Any,
    ) -> tuple[Any, list[Any]] | None:
        """`op=` of a number in its place: `held` reads it into `before`."""
        old, bits = before.node, before.kind.bits
        as_float = [b.assign(target, b.binary(old, operator, value.node))] if operator in _FLOAT_UPDATES else []
        if value.kind.bits == k.FLOAT or (bits == k.FLOAT and value.kind.bits == k.INT):
            if not as_float:
                return None
            if bits == k.FLOAT:
                return b.and_(tests), [b.assign(target, b.binary(held.value, operator, value.node))]
            return b.and_([*tests, type_is(held, "float")]), as_float
        if not value.kind.bits & k.INT or not bits & k.INT:
            return None
        left = Value(old, self.integer_part(before.kind), True, True, True)
        right = value if value.kind.bits == k.INT else Value(value.node, k.K_INT, True, True, True)
        result = self.integers(operator, left, right, position, True)
        if result is None:
            return None
        as_integer = [b.assign(target, result.node)]
        if value.kind.bits == k.INT:
            if bits == k.INT:
                return b.and_(tests), [b.assign_name(old.id, held.value), *as_integer]
            return b.and_([*tests, type_is(held, "int")]), as_integer
        integers = [type_is(held, "int"), type_is(value.node, "int")]
        if not as_float or not value.kind.bits & k.FLOAT or not self.loop_depth:
            return b.and_([*tests, *integers]), as_integer
        # In loops the second most frequent case is worth its code.
        floats = b.and_([type_is(old, "float"), type_is(value.node, "float")])
        return b.and_(tests), [b.if_(b.and_(integers), as_integer, [b.if_(floats, as_float, [slow])])]


_FLOAT_UPDATES = frozenset(("+", "-", "*"))
