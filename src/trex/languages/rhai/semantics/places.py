"""Reading and changing a value in its place: a root and a path of indexes and properties.

Owns:  the walk along a path: ownership of every container on it, their counts, where errors point.
Relies on: `indexing` for what one step means, `containers` for counts, `methods` for calls.
Never: leaves a container's counts wrong when a step further down fails: only what succeeded is counted.

Two ways. Nearly always every value on the path is an array or a map that belongs to its place alone: `_owned`
walks there in a loop, the last step is done, and what the last container gained is added to those above.
Otherwise - something is held elsewhere, a step leads through a string or an integer, or a step fails -
`_change` walks recursively and puts every part back into its container.

All functions give the root back: the same object when it was changed in place, else its replacement.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import ANY
from trex.languages.rhai.semantics import assignment
from trex.languages.rhai.semantics.containers import WEIGHTY, own, share
from trex.languages.rhai.semantics.exceptions import passes_script
from trex.languages.rhai.semantics.indexing import INDEXED, get_property, index, set_property, store_index
from trex.languages.rhai.semantics.methods import ConstantCell, constant_receiver, method_reference, script_method
from trex.languages.rhai.semantics.sizes import check, weigh
from trex.languages.rhai.semantics.state import RUN
from trex.languages.rhai.values import NESTED, SHARED, THIS_CELL, Array, Blob, FnPtr, Map


class Steps(Struct, frozen=True, eq=False):
    """The shape of a path: one letter a step (`i` index, `p` property; capital: skipped on unit), and positions.

    positions: for each step that of its index or name, and that of its bracket or name.
    operator:  where the assignment stands that the path is the target of, or the name of the method called on it.
    start:     where the path starts.
    """

    kinds: str
    positions: tuple[tuple[int, int], ...]
    operator: int = 0
    start: int = 0

    def locate(self, error: errors.RhaiError, at: int) -> None:
        """Give an error of a step its position."""
        if error.position is None and not passes_script(error) and (error.part is None or error.part < 0):
            if error.part == errors.VALUE and self.operator:
                error.position = self.operator
            else:
                error.position = self.positions[at][error.kind == "ErrorIndexingType"]


ASSIGN = {
    "+": assignment.assign_add,
    "-": assignment.assign_sub,
    "*": assignment.assign_mul,
    "/": assignment.assign_div,
    "%": assignment.assign_mod,
    "**": assignment.assign_power,
    "<<": assignment.assign_shl,
    ">>": assignment.assign_shr,
    "&": assignment.assign_bit_and,
    "|": assignment.assign_bit_or,
    "^": assignment.assign_bit_xor,
}


def _read(container: Any, kind: str, key: Any) -> Any:
    return get_property(container, key) if kind in "pP" else index(container, key)


def _write(container: Any, kind: str, key: Any, value: Any) -> Any:
    """Store into a container that is owned, or immutable."""
    return set_property(container, key, value) if kind in "pP" else store_index(container, key, value)


# --- the usual way ---


def _owned(root: Any, keys: tuple[Any, ...]) -> list[Any] | None:
    """The containers along a path, the one with the last key last; None where one is not simply ours."""
    found: list[Any] = []
    last = len(keys) - 1
    for at, key in enumerate(keys):
        kind = type(root)
        if kind is Map:
            if root.state >= SHARED or type(key) is not str:
                return None
            found.append(root)
            if at < last:
                root = root.v.get(key)
        elif kind is Array:
            if root.state >= SHARED or type(key) is not int:
                return None
            found.append(root)
            if at < last:
                items = root.v
                if not -len(items) <= key < len(items):
                    return None
                root = items[key]
        else:
            return None
    return found


def _spread(containers: list[Any], before: tuple[int, int, int]) -> None:
    """Count in the outer containers what the last one gained since it weighed `before`."""
    array, map, string = weigh(containers[-1])
    array -= before[0]
    map -= before[1]
    string -= before[2]
    if array or map or string:
        for container in containers[:-1]:
            container.extra_array += array
            container.extra_map += map
            container.extra_string += string
            container.state |= NESTED
            check(container)


# --- the other way ---


# (container, letter of the step, key) -> the container, changed, or what replaces it
Final = Callable[[Any, str, Any], Any]


def _change(container: Any, steps: Steps, keys: tuple[Any, ...], at: int, final: Final) -> Any:
    """Walk to the last step, let `final(container, kind, key)` change it there, and put all back."""
    kind, key = steps.kinds[at], keys[at]
    container = own(container)
    try:
        if kind in "IP" and container is None:
            return container
        if at == len(keys) - 1:
            return final(container, kind, key)
        part = _read(container, kind, key)
    except errors.RhaiError as error:
        steps.locate(error, at)
        raise
    before = weigh(part)
    owned = own(part)
    if owned is not part:
        new = _change(owned, steps, keys, at + 1, final)
        return _write(container, kind, key, new)
    new = _change(part, steps, keys, at + 1, final)
    try:
        return _adopt(container, kind, key, part, new, before)
    except errors.RhaiError as error:
        steps.locate(error, at)
        raise


def _adopt(container: Any, kind: str, key: Any, old: Any, new: Any, before: tuple[int, int, int]) -> Any:
    """Put a changed part back into its container. `before` is what `old` weighed before the change."""
    if new is not old:
        return _write(container, kind, key, new)
    if type(container) in (Array, Map):
        _spread([container, new], before)
    return container


# --- stores ---


def store_at(root: Any, steps: Steps, keys: tuple[Any, ...], value: Any) -> Any:
    """`root<path> = value`."""
    containers = _owned(root, keys)
    if containers is None or not steps.kinds.islower():
        return _change(root, steps, keys, 0, lambda container, kind, key: _write(container, kind, key, value))
    last = containers[-1]
    try:
        if len(containers) == 1:
            _write(last, steps.kinds[-1], keys[-1], value)
        else:
            before = weigh(last)
            _write(last, steps.kinds[-1], keys[-1], value)
            _spread(containers, before)
    except errors.RhaiError as error:
        steps.locate(error, len(keys) - 1)
        raise
    return root


def update_at(root: Any, steps: Steps, keys: tuple[Any, ...], value: Any, operator: str, position: int) -> Any:
    """`root<path> op= value`; a failure of the operator itself points at `position`."""
    containers = _owned(root, keys)
    if containers is not None and steps.kinds.islower():
        last, key = containers[-1], keys[-1]
        items = last.v
        if type(last) is Map or -len(items) <= key < len(items):
            old = items.get(key) if type(last) is Map else items[key]
            if type(old) not in WEIGHTY:
                try:
                    new = ASSIGN[operator](old, value)
                except errors.RhaiError as error:
                    if error.position is None:
                        error.position = position
                    raise
                if type(new) not in WEIGHTY and (old is not None or type(last) is Array):
                    items[key] = new
                    return root
                return store_at(root, steps, keys, new)

    return _change(root, steps, keys, 0, _updater(value, operator, position))


def _updater(value: Any, operator: str, position: int) -> Final:
    """What `op=` does to the last container."""

    def update(container: Any, kind: str, key: Any) -> Any:
        known = type(container) is Map and type(key) is str
        if kind in "iI" and type(container) not in INDEXED:
            raise errors.no_index_setter(container, key, value)
        old = container.v.get(key) if known else _read(container, kind, key)
        if type(old) is str and known and operator == "+":
            # Let go of the entry, so that the string is extended in place and not copied.
            return _append(container, key, value, position)
        before = weigh(old)
        try:
            new = ASSIGN[operator](old, value)
        except errors.RhaiError as error:
            if error.position is None:
                error.position = position
            raise
        return _adopt(container, kind, key, old, new, before)

    return update


def _append(container: Map, key: str, value: Any, position: int) -> Map:
    entries = container.v
    text = entries[key]
    size = weigh(text)[2]
    try:
        addition = value if type(value) is str else assignment.assign_add("", value)
        entries[key] = None
        text += addition
        check(text)
    except errors.RhaiError as error:
        if error.position is None:
            error.position = position
        raise
    finally:
        entries[key] = text
    container.extra_string += weigh(text)[2] - size
    check(container)
    return container


# --- methods ---


def read_at(root: Any, steps: Steps, keys: tuple[Any, ...]) -> Any:
    """The value at a path."""
    at = 0
    try:
        for at, key in enumerate(keys):
            root = _read(root, steps.kinds[at], key)
    except errors.RhaiError as error:
        steps.locate(error, at)
        raise
    return root


def method_at(
    root: Any, steps: Steps, keys: tuple[Any, ...], name: str, arguments: tuple[Any, ...], depth: int
) -> tuple[Any, Any]:
    """`root<path>.name(arguments)`: (root, result)."""
    if not keys:
        return method_reference(root, name, arguments, depth)
    receiver = read_at(root, steps, keys)
    if not _may_change(receiver, name, len(arguments)):
        return root, method_reference(receiver, name, arguments, depth)[1]
    if type(receiver) in (Array, Map) and receiver.state < SHARED:
        containers = _owned(root, keys)
        if containers is not None:
            before = weigh(receiver)
            new, result = method_reference(receiver, name, arguments, depth)
            if new is receiver:
                containers.append(receiver)
                _spread(containers, before)
                return root, result
            return store_at(root, steps, keys, new), result
    answer: list[Any] = [None]

    def method(receiver: Any) -> Any:
        try:
            new, answer[0] = method_reference(receiver, name, arguments, depth)
        except errors.RhaiError as error:
            if error.position is None and error.part is None and not passes_script(error):
                error.position = steps.operator
            raise
        return new

    def call(container: Any, kind: str, key: Any) -> Any:
        part = _read(container, kind, key)
        if type(container) in _WITHOUT_PLACES or (type(container) is Map and key not in container.v):
            # A bit, a character, a byte or an entry that is not there is no place of its own.
            method(part)
            return container
        before = weigh(part)
        owned = own(part)
        new = method(owned)
        if owned is not part:
            return _write(container, kind, key, new)
        return _adopt(container, kind, key, part, new, before)

    return _change(root, steps, keys, 0, call), answer[0]


_WITHOUT_PLACES = (int, str, Blob)


def change_within(
    implementation: Callable[..., Any], arguments: tuple[Any, ...], receiver: Any, *containers: Any
) -> Any:
    """Call a library function that changes the last of containers within each other, all of them our own."""
    before = weigh(receiver)
    result = implementation(receiver, *arguments)
    _spread([*containers, receiver], before)
    return result


def check_all(*containers: Any) -> None:
    """The size error, if one of them is too large."""
    for container in containers:
        check(container)


def _may_change(receiver: Any, name: str, count: int) -> bool:
    """Whether the method could change its receiver."""
    if type(receiver) is Map and type(receiver.v.get(name)) is FnPtr:
        return True
    if name == "call":
        return type(receiver) is not FnPtr
    function = script_method(receiver, name, count)
    if function is not None:
        return function.this == THIS_CELL
    overloads = RUN.natives.get((name, count + 1))
    if overloads is None:
        return False
    kind: Any = type(receiver)
    return overloads.effects.get(kind, overloads.effects.get(ANY, "value")) in ("change", "replace")


# --- the same on a cell: a shared variable, or `this` ---


def cell_store_at(cell: Any, steps: Steps, keys: tuple[Any, ...], value: Any) -> None:
    """`store_at` on a shared variable, or on `this`."""
    root = cell.v
    if type(cell) is ConstantCell:
        store_in_constant(root, cell.name, steps, keys, value)
        return
    new = store_at(root, steps, keys, value)
    if new is not root:
        cell.v = new


def cell_update_at(cell: Any, steps: Steps, keys: tuple[Any, ...], value: Any, operator: str, position: int) -> None:
    """`update_at` on a shared variable, or on `this`."""
    root = cell.v
    if type(cell) is ConstantCell:
        store_in_constant(root, cell.name, steps, keys, value, operator, position)
        return
    new = update_at(root, steps, keys, value, operator, position)
    if new is not root:
        cell.v = new


def cell_method_at(
    cell: Any, steps: Steps, keys: tuple[Any, ...], name: str, arguments: tuple[Any, ...], depth: int
) -> Any:
    """`method_at` on a shared variable, or on `this`: the result."""
    root = cell.v
    if type(cell) is ConstantCell:
        return constant_method(root, steps, keys, name, arguments, depth)
    if not cell.shared:
        new, result = method_at(root, steps, keys, name, arguments, depth)
        if new is not root:
            cell.v = new
        return result
    new = root
    del cell.v
    try:
        new, result = method_at(root, steps, keys, name, arguments, depth)
        return result
    finally:
        cell.v = new


# --- constants ---


def constant_method(
    root: Any, steps: Steps, keys: tuple[Any, ...], name: str, arguments: tuple[Any, ...], depth: int
) -> Any:
    """A method on a constant or a part of it."""
    receiver = read_at(root, steps, keys)
    if keys and type(read_at(root, steps, keys[:-1])) in _WITHOUT_PLACES:
        return method_reference(receiver, name, arguments, depth)[1]
    return constant_receiver(receiver, name, arguments, depth)


def store_in_constant(
    root: Any,
    variable: str,
    steps: Steps,
    keys: tuple[Any, ...],
    value: Any,
    operator: str | None = None,
    position: int = 0,
) -> None:
    """Refuse a store into a constant; one that could not be done anyway fails as such, one that `?` skips does not."""

    def write(container: Any, kind: str, key: Any) -> Any:
        return _write(container, kind, key, value)

    final = write if operator is None else _updater(value, operator, position)

    def refuse(container: Any, kind: str, key: Any) -> Any:
        # On a copy, like all containers on the way.
        final(container, kind, key)
        error = errors.constant_assigned(variable)
        error.position = steps.start
        raise error

    _change(share(root), steps, keys, 0, refuse)
