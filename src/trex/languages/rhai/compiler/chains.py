"""Chains: steps and method calls behind one another.

Owns:  the lowering of `Chain`, and of method calls: which function a method means, and how its
       receiver reaches it and comes back.
Relies on: `places` for the steps; `semantics.methods` for what only the run knows.
Never: lets a method change a receiver that is held elsewhere.

All indexes and arguments of a chain are evaluated before its root is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.rhai.compiler import build as b
from trex.languages.rhai.compiler import kinds as k
from trex.languages.rhai.compiler.arithmetic import type_is
from trex.languages.rhai.compiler.calls import TYPE_OF_BITS
from trex.languages.rhai.compiler.changes import Changes
from trex.languages.rhai.compiler.expressions import LOWER
from trex.languages.rhai.compiler.frame import Value
from trex.languages.rhai.compiler.kinds import K_ANY, Kind
from trex.languages.rhai.compiler.places import Path, Root
from trex.languages.rhai.library.registry import Overloads
from trex.languages.rhai.parser.checks import start_of
from trex.languages.rhai.syntax import Chain, Function, IndexStep, MethodStep, Name, PropertyStep, Qualified, This
from trex.languages.rhai.typenames import NAMES
from trex.languages.rhai.values import THIS_CELL

CALLABLE_METHODS = frozenset(("call", "curry", "type_of", "is_shared"))

# Characters of the integers that have most.
_LONGEST_INTEGER = 20

_TYPES_BY_NAME = {name: kind for kind, name in NAMES.items()}


class Chains(Changes):
    """Lowering of chains."""

    def chain(self, node: Chain) -> Value:
        """The value of a chain."""
        nodes: list[Any] = []
        for step in node.steps:
            if type(step) is IndexStep:
                nodes.append(step.index)
            elif type(step) is MethodStep:
                nodes.extend(step.arguments)
        place = type(node.root) in (Name, This, Qualified)
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
            variable = node.root.variable if type(node.root) is Name else None
            receiver = "" if variable is None else variable.slot
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
            else:
                key, place = self.key_of(step, values)
                letter = "p"
                if kind is IndexStep:
                    values = values[1:]
                    letter = "i"
                if root is not None:
                    path.add(letter, key, place)
                else:
                    assert current is not None
                    current = self.step(current, letter, key, place)
            at += 1
        if root is not None:
            return self.read_place(root, path)
        assert current is not None
        return current

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
        rest = [*steps[:at], _without_elvis(steps[at]), *steps[at + 1 :]]

        def fill() -> None:
            # A method behind it keeps the place; a read goes on from the value.
            keeps = root is not None and any(type(step) is MethodStep for step in steps[at:])
            last = self.steps(rest, at, values, root if keeps else None, path, None if keeps else held)
            self.emit(b.assign_name(result, last.node))

        self.emit(b.if_(b.compare(held.node, "is not", b.NONE), self.nested(fill), []))
        return Value(b.load(result), K_ANY, False, True, True)

    # --- methods of temporaries ---

    def method_of(self, current: Value, step: MethodStep, arguments: list[Value]) -> Value:
        """A method of a temporary: what it changes is lost."""
        name, count = step.name, len(arguments)
        special = self.word(step, current, arguments)
        if special is not None:
            return special
        kind = self.result_kind(step, current.kind)
        overloads = self.link.overloads(name, count + 1)
        own = self.link.has_method(name, count)
        if own:
            values = self.kept(name, arguments)
            inline = self.script_method(None, current, step, values)
            if inline is not None:
                return inline
        elif overloads is not None and not overloads.changes:
            if overloads.calls:
                # What it calls may change the variable that this value still is in.
                current = Value(self.stored(current), current.kind)
            if not k.may_hold(current.kind, name):
                return self.reading(name, overloads, current, arguments, step.position, kind)
            if self.is_hot() and current.kind.bits & k.MAP:
                return self.unless_map(self.held(current), overloads, None, Path(), step, self.kept(name, arguments))
        self.effects += 1
        receiver = self.stored(current)
        rest = b.tuple_(self.kept(name, arguments))
        made = b.call("method_value", [receiver, b.const(name), rest, self.level], step.position)
        return Value(made, kind)

    def reading(
        self, name: str, overloads: Overloads, receiver: Value, arguments: list[Value], position: int, kind: Kind
    ) -> Value:
        """A library function that changes nothing; the shortest ones inline."""
        if name == "len" and not arguments and receiver.kind.bits in (k.STR, k.ARRAY, k.BLOB):
            return self.length_of(receiver)
        if name == "to_int" and receiver.kind.bits == k.CHAR:
            return Value(b.apply("ord", [b.attribute(receiver.node, "text")]), Kind(k.INT, 0, 0x10FFFF))
        if name == "to_string" and not arguments and receiver.kind.bits in (k.INT, k.STR):
            if receiver.kind.bits == k.STR:
                return receiver
            limit = self.link.limits.max_string_size
            if not limit or limit >= _LONGEST_INTEGER:
                return Value(b.apply("str", [receiver.node]), k.K_STR)
        return self.dispatched(name, overloads, receiver, self.kept(name, arguments), position, kind)

    def result_kind(self, step: MethodStep, receiver: Kind) -> Kind:
        count = len(step.arguments)
        if self.link.has_method(step.name, count):
            return k.known(self.link.method_result(step.name, count, receiver))
        if k.may_hold(receiver, step.name):
            return K_ANY
        return self.link.result_of(step.name, count + 1, receiver)

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
            self.note_parts(step.position, [start_of(argument) for argument in step.arguments])
            return self.call_method(current, step, arguments)
        return None

    def call_method(self, current: Value, step: MethodStep, arguments: list[Value]) -> Value:
        """`f.call(..)`, straight into the code where `f` is a plain pointer of as many parameters."""
        self.effects += 1
        values = [self.stored(argument) for argument in arguments]
        if not self.is_hot():
            made = b.call("call_method", [current.node, b.tuple_(values), self.level_below], step.position)
            return Value(made)
        current = self.simple(current)
        held = [value if b.is_simple(value) else self.held(Value(value)).node for value in values]
        inline = b.call_node(b.attribute(current.node, "code"), [*held, self.level_below], step.position)
        other = b.call("call_method", [current.node, b.tuple_(held), self.level_below], step.position)
        return Value(b.choose(self.is_direct(current.node, len(values)), inline, other))

    @staticmethod
    def is_direct(pointer: Any, count: int) -> Any:
        """A test for a pointer whose code takes `count` arguments as they are."""
        return b.and_([type_is(pointer, "FnPtr"), b.compare(b.attribute(pointer, "direct"), "==", b.const(count))])

    # --- methods of places ---

    def method_at(self, root: Root, path: Path, step: MethodStep, arguments: list[Value]) -> Value:
        """A method of a value in its place, which it may change."""
        name, count = step.name, len(arguments)
        if name == "call":
            self.note_parts(step.position, [start_of(argument) for argument in step.arguments])
        if name in CALLABLE_METHODS and not (name == "call" and count):
            if name == "is_shared" and not path.kinds:
                shared = b.FALSE if root.cell is None else b.attribute(root.cell, "shared")
                return Value(shared, k.K_BOOL)
            value = self.word(step, self.read_place(root, path), arguments)
            if value is not None:
                return value
        if name == "call" and count and not path.kinds and root.read.kind.bits == k.FN:
            return self.call_method(root.read, step, arguments)
        overloads = self.link.overloads(name, count + 1)
        own = self.link.has_method(name, count)
        if overloads is not None and overloads.calls and root.cell is not None and not b.is_this(root.cell):
            # A shared variable is locked while code of the script runs on it.
            return self.by_path(root, path, step, self.kept(name, arguments))
        if overloads is not None and not overloads.changes and not own and root.constant is None:
            # Only a map could hold a function of this name that changes it.
            receiver = self.read_place(root, path)
            if not k.may_hold(receiver.kind, name):
                kind = self.result_kind(step, receiver.kind)
                return self.reading(name, overloads, receiver, arguments, step.position, kind)
            if self.is_hot() and receiver.kind.bits & k.MAP:
                receiver = self.simple(receiver)
                return self.unless_map(receiver, overloads, root, path, step, self.kept(name, arguments))
        if path.kinds:
            if (
                overloads is not None
                and overloads.changes
                and not own
                and not overloads.calls
                and root.constant is None
            ):
                return self.changing_within(root, path, step, arguments, overloads)
            return self.by_path(root, path, step, self.kept(name, arguments))
        return self.method_on_root(root, step, arguments, overloads, own)

    def unless_map(
        self, receiver: Value, overloads: Any, root: Root | None, path: Path, step: MethodStep, values: list[Any]
    ) -> Value:
        """A function of the library that only reads, unless the receiver is a map, which may have its own."""
        result = self.temporary()
        values = [v if b.is_simple(v) else self.held(Value(v)).node for v in values]
        direct = self.dispatched(step.name, overloads, receiver, values, step.position, K_ANY)

        def slow() -> None:
            if root is None:
                rest = [b.const(step.name), b.tuple_(values), self.level]
                made = b.call("method_value", [self.stored(receiver), *rest], step.position)
                self.emit(b.assign_name(result, made))
            else:
                self.emit(b.assign_name(result, self.by_path(root, path, step, values).node))

        other = self.nested(slow)
        test = b.or_([b.compare(b.apply("type", [receiver.node]), "is not", b.load("Map")), self.lacks(receiver, step)])
        body: list[Any] = [b.if_(test, [b.assign_name(result, direct.node)], other)]
        if step.name == "len":
            size = b.assign_name(result, self.length(b.attribute(receiver.node, "v")))
            body = [b.if_(type_is(receiver.node, "Array"), [size], body)]
        self.out.extend(body)
        return Value(b.load(result), K_ANY, True, True, True)

    def method_on_root(
        self, root: Root, step: MethodStep, arguments: list[Value], overloads: Overloads | None, own: bool
    ) -> Value:
        """A method of a variable or `this`."""
        name, count = step.name, len(arguments)
        kind = self.result_kind(step, root.read.kind)
        bits = root.read.kind.bits
        if root.constant is not None:
            return self.by_path(root, Path(), step, self.kept(name, arguments))
        if name == "push" and count == 1 and bits & k.ARRAY and root.slot is not None and not own:
            return self.push(root, step, arguments[0])
        values = self.kept(name, arguments)
        if own:
            inline = self.script_method(root, root.read, step, values)
            if inline is not None:
                return inline
        elif overloads is not None:
            known = TYPE_OF_BITS.get(bits)
            if known is not None and known in overloads and not k.may_hold(root.read.kind, name):
                effect = overloads.effects[known]
                if effect in ("value", "pure", "read"):
                    return self.reading(name, overloads, root.read, arguments, step.position, kind)
                if effect == "change" and root.slot is not None and not overloads.calls:
                    return self.changing(root, step, values, overloads, kind)
                if effect == "replace" and root.slot is not None:
                    implementation = self.link.implementation(name, count + 1, known)
                    self.effects += 1
                    made = b.call(implementation, [b.load(root.slot), *values], step.position)
                    return self.given_back(root, made, kind)
            elif root.slot is not None and not overloads.calls and self.is_hot():
                guessed = self.changing_guessed(root, step, values, overloads)
                if guessed is not None:
                    return guessed
        elif bits & k.MAP and (name in self.link.entries or root.cell) and self.is_hot() and name != "call":
            return self.map_function(root, step, values)
        self.effects += 1
        if name == "call" and bits & k.FN and root.slot is not None and self.is_hot():
            return self.call_or_method(root, step, values)
        rest = [b.const(name), b.tuple_(values), self.level]
        if root.cell is not None:
            return self.held(Value(b.call("cell_method", [root.cell, *rest], step.position), kind))
        made = b.call("method_reference", [b.load(root.slot or ""), *rest], step.position)
        return self.given_back(root, made, kind)

    def call_or_method(self, root: Root, step: MethodStep, values: list[Any]) -> Value:
        """`x.call(..)`: a pointer that is called, or an object that a pointer is called on."""
        slot = b.load(root.slot or "")
        held = [value if b.is_simple(value) else self.held(Value(value)).node for value in values]
        result = self.temporary()
        inline = b.call_node(b.attribute(slot, "code"), [*held, self.level_below], step.position)
        rest = [b.const("call"), b.tuple_(held), self.level]
        slow = b.assign(
            b.tuple_store([b.store(root.slot or ""), b.store(result)]),
            b.call("method_reference", [slot, *rest], step.position),
        )
        self.emit(b.if_(self.is_direct(slot, len(held)), [b.assign_name(result, inline)], [slow]))
        return Value(b.load(result), K_ANY, True, True, True)

    # --- functions of the script as methods ---

    def script_method(self, root: Root | None, receiver: Value, step: MethodStep, values: list[Any]) -> Value | None:
        """A function of the script, inline: unless a map has one of the same name, by the receiver's type.

        None where only the run knows: a shared variable must be locked, or a receiver's type is the host's.
        """
        if not self.is_hot() or (root is not None and root.cell is not None and not b.is_this(root.cell)):
            return None
        candidates = self.candidates(step.name, len(values))
        if candidates is None:
            return None
        untyped, typed = candidates
        cells = [f for f in (untyped, *typed.values()) if f is not None and f.this == THIS_CELL]
        if cells and (typed or untyped is None):
            return None
        self.effects += 1
        values = [v if b.is_simple(v) else self.held(Value(v)).node for v in values]
        receiver = self.simple(receiver)
        bits = receiver.kind.bits
        result = self.temporary()
        position = step.position
        arguments = [*values, self.level_below]
        if cells:
            assert untyped is not None
            body = self.with_cell(root, receiver, result, b.load(self.link.code_names[untyped]), arguments, position)
        else:
            code = self.method_code(untyped, typed, receiver, position)
            body = [b.assign_name(result, b.call_node(code, [receiver.node, *arguments], position))]
        hidden: list[Any] = []
        if bits & k.MAP and k.may_hold(receiver.kind, step.name):
            name = b.const(step.name)
            held = b.compare(name, "in", b.attribute(receiver.node, "v"))
            hidden.append(held if bits == k.MAP else b.and_([type_is(receiver.node, "Map"), held]))
        if untyped is None:
            table = b.load(self.link.method_table(step.name, len(values), None, typed))
            hidden.append(b.compare(b.apply("type", [receiver.node]), "not in", table))
        if hidden:
            other = self.nested(lambda: self.generic_method(root, receiver, result, step, values))
            body = [b.if_(b.or_(hidden), other, body)]
        self.out.extend(body)
        return Value(b.load(result), self.result_kind(step, receiver.kind), True, True, True)

    def candidates(self, name: str, count: int) -> tuple[Function | None, dict[type, Function]] | None:
        """The functions that a method may mean: the untyped one, and the typed ones by type."""
        untyped = self.link.functions.get((name, count))
        typed: dict[type, Function] = {}
        for function in self.link.typed_functions.get((name, count), ()):
            kind = _TYPES_BY_NAME.get(function.receiver or "")
            if kind is None:
                return None
            typed[kind] = function
        if untyped is None and not typed:
            return None
        return untyped, typed

    def method_code(self, untyped: Function | None, typed: dict[type, Function], receiver: Value, position: int) -> Any:
        """The code of a method for a receiver, which it takes by value."""
        known = TYPE_OF_BITS.get(receiver.kind.bits)
        chosen = typed.get(known) if known is not None else None
        if chosen is None and (known is not None or not typed):
            chosen = untyped
        if chosen is not None:
            return b.load(self.link.code_names[chosen])
        some = next(iter(typed.values()))
        table = b.load(self.link.method_table(some.name, len(some.params), untyped, typed))
        return b.subscript(table, b.apply("type", [receiver.node]), position)

    def with_cell(
        self, root: Root | None, receiver: Value, result: str, code: Any, arguments: list[Any], position: int
    ) -> list[Any]:
        """Call with `this` as a cell, and give the variable what the cell holds afterwards."""
        if root is not None and root.cell is not None:
            return [b.assign_name(result, b.call_node(code, [root.cell, *arguments], position))]
        cell = self.temporary()
        call = b.assign_name(result, b.call_node(code, [b.load(cell), *arguments], position))
        if root is None:
            # A temporary that others may hold too: what is changed is a copy, and lost.
            return [b.assign_name(cell, b.apply("This", [self.stored(receiver)])), call]
        back = b.assign_name(root.slot or "", b.attribute(b.load(cell), "v"))
        return [b.assign_name(cell, b.apply("This", [receiver.node])), b.at(b.try_finally([call], [back]), position)]

    def generic_method(
        self, root: Root | None, receiver: Value, result: str, step: MethodStep, values: list[Any]
    ) -> None:
        """Any method, by the helper; its value goes to `result`."""
        rest = [b.const(step.name), b.tuple_(values), self.level]
        if root is None:
            made = b.call("method_value", [self.stored(receiver), *rest], step.position)
            self.emit(b.assign_name(result, made))
        elif root.cell is not None:
            self.emit(b.assign_name(result, b.call("cell_method", [root.cell, *rest], step.position)))
        else:
            made = b.call("method_reference", [receiver.node, *rest], step.position)
            self.emit(b.assign(b.tuple_store([b.store(root.slot or ""), b.store(result)]), made))

    def map_function(self, root: Root, step: MethodStep, values: list[Any]) -> Value:
        """A name that nothing but an entry of a map can have: `object.method(..)`."""
        self.effects += 1
        values = [v if b.is_simple(v) else self.held(Value(v)).node for v in values]
        receiver = self.simple(root.read)
        result, held = self.temporary(), self.temporary()
        found = b.walrus(held, self.entry(receiver.node, b.const(step.name)))
        tests = [] if receiver.kind.bits == k.MAP else [type_is(receiver.node, "Map")]
        tests.append(type_is(found, "FnPtr"))
        code = b.attribute(b.load(held), "code")
        bound = b.attribute(b.load(held), "bound")
        arguments = [*values, self.level_below]
        slow = self.nested(lambda: self.generic_method(root, receiver, result, step, values))
        if root.cell is not None and not b.is_this(root.cell):
            self.out.extend(slow)
            return Value(b.load(result), K_ANY, True, True, True)
        reads = [b.assign_name(result, b.call_node(code, [receiver.node, *arguments], step.position))]
        changes = self.with_cell(root, receiver, result, code, arguments, step.position)
        count = b.const(len(values) * 2)
        cell_count = b.const(len(values) * 2 + 1)
        cascade = b.if_(
            b.and_([*tests, b.compare(bound, "==", cell_count)]),
            changes,
            [b.if_(b.and_([*tests, b.compare(bound, "==", count)]), reads, slow)],
        )
        self.emit(cascade)
        return Value(b.load(result), K_ANY, True, True, True)


def _without_elvis(step: Any) -> Any:
    kind = type(step)
    if kind is IndexStep:
        return IndexStep(step.index, False, step.position, step.bracket)
    if kind is MethodStep:
        return MethodStep(step.name, step.arguments, False, step.position)
    return PropertyStep(step.name, False, step.position)


_CHAIN: Callable[[Any, Any], Value] = Chains.chain
LOWER[Chain] = _CHAIN
