"""Functions of the library that change their receiver in its place.

Owns:       the short ways: a container that is ours and of the expected type is changed by the function itself, and
            what it gained is counted in those that hold it; and the helper for everything else.
Relies on:  `places` for what stands along a path; `semantics.places` for the helpers.
Never:      changes a container that somebody else holds.
"""

from __future__ import annotations

from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.arithmetic import type_is
from trex.languages.rhai.compiler.expressions import WEIGHTLESS, limited
from trex.languages.rhai.compiler.frame import UNIT_VALUE, Value, Weight
from trex.languages.rhai.compiler.kinds import K_ANY, Kind
from trex.languages.rhai.compiler.places import LONGEST_INLINE, Path, Places, Root, owned
from trex.languages.rhai.library.registry import Overloads
from trex.languages.rhai.syntax import MethodStep
from trex.languages.rhai.values import NESTED, Array, Blob, Map

# Containers that a function may change, the likeliest first.
_CHANGED = ((Array, k.ARRAY), (Map, k.MAP), (Blob, k.BLOB))

# What a container knows of what is nested in it, in the order of a `Weight`.
_COUNTS = ("extra_array", "extra_map", "extra_string")


def nested(container: Any) -> Any:
    """Mark a container as one that holds values with a weight."""
    return b.augment(b.attribute_store(container, "state"), "|", b.const(NESTED))


class Changes(Places):
    """Lowering of methods of the library that change."""

    def by_path(self, root: Root, path: Path, step: MethodStep, values: list[Any]) -> Value:
        """A method of whatever stands at a path, by the helper."""
        self.effects += 1
        rest = [*path.nodes(self.link, step.position), b.const(step.name), b.tuple_(values), self.level]
        if root.constant is not None:
            made = b.call("constant_method", [root.read.node, *rest], step.position)
            return Value(made)
        if root.cell is not None:
            return Value(b.call("cell_method_at", [root.cell, *rest], step.position))
        return self.given_back(root, b.call("method_at", [b.load(root.slot or ""), *rest], step.position), K_ANY)

    def given_back(self, root: Root, made: Any, kind: Kind) -> Value:
        """Take (receiver, result) from a helper: the variable gets its receiver back."""
        result = self.temporary()
        self.emit(b.assign(b.tuple_store([b.store(root.slot or ""), b.store(result)]), made))
        return Value(b.load(result), kind, True, True, True)

    @staticmethod
    def lacks(map: Value, step: MethodStep) -> Any:
        """A test that a map has no entry of a method's name, which would be called instead."""
        return b.compare(b.const(step.name), "not in", b.attribute(map.node, "v"))

    def changing(self, root: Root, step: MethodStep, values: list[Any], overloads: Overloads, kind: Kind) -> Value:
        """A library function that changes a container of known type, which is made ours first."""
        self.effects += 1
        slot = root.slot or ""
        # Marking an argument may mark the receiver, so it comes before the look at the receiver's mark.
        values = [v if b.is_simple(v) or b.is_computed(v) else self.held(Value(v)).node for v in values]
        copied = b.assign_name(slot, b.call("copy", [b.load(slot)], 0))
        self.emit(b.if_(b.not_(owned(b.load(slot))), [copied], []))
        return self.held(self.dispatched(step.name, overloads, root.read, values, step.position, kind))

    def changing_guessed(self, root: Root, step: MethodStep, values: list[Any], overloads: Overloads) -> Value | None:
        """A library function that changes a container of a type that is only likely."""
        bits = root.read.kind.bits
        likely = [kind for kind, bit in _CHANGED if bits & bit and overloads.effects.get(kind) == "change"]
        if not likely:
            return None
        self.effects += 1
        slot = b.load(root.slot or "")
        values = [v if b.is_simple(v) else self.held(Value(v)).node for v in values]
        tests = [type_is(slot, likely[0].__name__)]
        if likely[0] is Map:
            tests.append(self.lacks(root.read, step))
        copied = b.assign_name(slot.id, b.call("copy", [slot], 0))
        implementation = self.link.implementation(step.name, len(values) + 1, likely[0])
        result = self.temporary()
        made = b.assign_name(result, b.call(implementation, [slot, *values], step.position))
        rest = [b.const(step.name), b.tuple_(values), self.level]
        slow = b.call("method_reference", [slot, *rest], step.position)
        both = b.tuple_store([b.store(slot.id), b.store(result)])
        self.emit(b.if_(b.and_(tests), [b.if_(b.not_(owned(slot)), [copied], []), made], [b.assign(both, slow)]))
        return Value(b.load(result), K_ANY, True, True, True)

    def changing_within(
        self, root: Root, path: Path, step: MethodStep, arguments: list[Value], overloads: Overloads
    ) -> Value:
        """A library function that changes a container within others, which count what it holds."""
        tests: list[Any] = []
        values = self.kept(step.name, arguments)
        inline = self.is_hot() and path.kinds.islower() and len(path.kinds) <= LONGEST_INLINE
        spots = self.spots(root, path, tests) if inline else None
        found = spots[-1].found.bits if spots else 0
        likely = [kind for kind, bit in _CHANGED if found & bit and overloads.effects.get(kind) == "change"]
        if not spots or not likely or spots[-1].as_blob:
            return self.by_path(root, path, step, values)
        self.effects += 1
        values = [v if b.is_simple(v) else self.held(Value(v)).node for v in values]
        receiver = self.temporary()
        within = b.load(receiver)
        tests.append(self.made_ours(root, spots[-1].container.node))
        tests.append(type_is(b.walrus(receiver, self.read_spot(spots[-1])), likely[0].__name__))
        tests.append(owned(within))
        if likely[0] is Map:
            tests.append(self.lacks(Value(within), step))
        result = self.temporary()
        containers = [spot.container.node for spot in spots]
        weight = self.weight_of(arguments[0]) if step.name == "push" else None
        if weight is not None:
            array, map, string = weight
            append = b.attribute(b.attribute(within, "v"), "append")
            fast = [b.assign_name(result, b.apply_node(append, [values[0]]))]
            if arguments[0].kind.bits & ~WEIGHTLESS:
                fast += [nested(within), *self.gained(within, weight)]
            for container in containers:
                fast += self.gained(container, (array + 1, map, string))
            fast += self.sizes_checked([*containers, within], (array + 1, map, string), step.position)
        else:
            implementation = b.load(self.link.implementation(step.name, len(values) + 1, likely[0]))
            given = [implementation, b.tuple_(values), within, *containers]
            fast = [b.assign_name(result, b.call("change_within", given, step.position))]
        slow = self.nested(
            lambda: self.emit(b.assign_name(result, self.by_path(root, path, step, values).node)),
        )
        self.emit(b.if_(b.and_(tests), fast, slow))
        return Value(b.load(result), K_ANY, True, True, True)

    def push(self, root: Root, step: MethodStep, value: Value) -> Value:
        """`array.push(value)` on a plain variable."""
        self.effects += 1
        slot = b.load(root.slot or "")
        stored = self.stored(value)
        weightless = not value.kind.bits & ~WEIGHTLESS
        if not b.is_simple(stored):
            stored = self.held(Value(stored)).node
        rest = [b.const("push"), b.tuple_([stored]), self.level]
        slow = b.assign(
            b.tuple_store([b.store(root.slot or ""), b.store(self.temporary())]),
            b.call("method_reference", [slot, *rest], step.position),
        )
        bits, items = root.read.kind.bits, b.attribute(slot, "v")
        fast: list[Any] = [b.expression(b.apply_node(b.attribute(items, "append"), [stored]))]
        if limited(self.link.limits.max_array_size):
            too_long = b.compare(self.length(items), ">", b.const(self.link.limits.max_array_size))
            fast.append(b.if_(too_long, [b.expression(b.call("check_array", [slot], step.position))], []))
        item = root.read.kind.item
        if weightless and bits == k.ARRAY and item is not None and not item.bits & ~WEIGHTLESS:
            # A container that others hold is copied first; then nothing can fail but its size.
            copied = b.assign_name(root.slot or "", b.call("copy", [slot], 0))
            self.emit(b.if_(b.not_(owned(slot)), [copied], []))
            self.out.extend(fast)
            return UNIT_VALUE
        tests = [] if bits == k.ARRAY else [type_is(slot, "Array")]
        if weightless:
            tests.append(b.not_(b.attribute(slot, "state")))
        else:
            tests.append(owned(slot))
            weight = self.weight_of(value)
            if weight is None:
                fast = [b.expression(b.call("array_push", [slot, stored], step.position))]
            else:
                array, map, string = weight
                fast[1:] = [nested(slot), *self.gained(slot, weight)]
                fast += self.sizes_checked([slot], (array + 1, map, string), step.position)
        self.emit(b.if_(b.and_(tests), fast, [slow]))
        return UNIT_VALUE

    @staticmethod
    def gained(container: Any, weight: Weight) -> list[Any]:
        """Count what a container holds more, all nested values of what was added to it."""
        sizes = zip(_COUNTS, weight, strict=True)
        return [b.augment(b.attribute_store(container, name), "+", b.const(size)) for name, size in sizes if size]

    def sizes_checked(self, containers: list[Any], weight: Weight, position: int) -> list[Any]:
        """The size error after containers within each other, the outermost first, gained so much."""
        limits = self.link.limits
        outermost = containers[0]
        too_much: list[Any] = []
        sizes = limits.max_array_size, limits.max_map_size, limits.max_string_size
        for name, size, limit in zip(_COUNTS, weight, sizes, strict=True):
            if size and limited(limit):
                # The outermost holds most.
                held = b.attribute(outermost, name)
                if name != "extra_string":
                    held = b.binary(self.length(b.attribute(outermost, "v")), "+", held)
                too_much.append(b.compare(held, ">", b.const(limit)))
        if not too_much:
            return []
        return [b.if_(b.or_(too_much), [b.expression(b.call("check_all", containers, position))], [])]
