"""Counts, marks and limits after any sequence of changes.

Invariants: what a container says it holds is what a recount from scratch finds; and a variable never changes because
another one did, however the two came to hold the same container.

A program is a list of numbers. Each step picks a change and the variables it is about; the same change is made to plain
data that is copied wherever the language copies, and both must show the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.language import call, fresh_run, function, limited, shown
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.evaluate import to_value
from trex.languages.rhai.semantics import operators
from trex.languages.rhai.semantics.containers import own, share
from trex.languages.rhai.semantics.indexing import store_index
from trex.languages.rhai.semantics.places import Steps, method_at, store_at
from trex.languages.rhai.values import NESTED, THIS_CELL, Array, Blob, Cell, Map

INDEX = Steps("i", ((1, 1),))
PROPERTY = Steps("p", ((1, 1),))
LEAVES = [7, "é", "long text", 1.5, None, True, "x"]
KEYS = ["a", "b", "é"]


def data_of(of: Any) -> Any:
    """A value as plain data."""
    if isinstance(of, Array):
        return [data_of(item) for item in of.v]
    if isinstance(of, Map):
        return {key: data_of(of.v[key]) for key in sorted(of.v)}
    return bytes(of.v) if isinstance(of, Blob) else of


def weighed(of: Any) -> tuple[int, int, int]:
    """What a value contributes to its container, counted from scratch; every count on the way must be right."""
    if isinstance(of, str):
        return 0, 0, len(of.encode())
    if isinstance(of, Blob):
        return 1 + len(of.v), 0, 0
    if not isinstance(of, (Array, Map)):
        return 0, 0, 0
    items = of.v if isinstance(of, Array) else list(of.v.values())
    sums = [sum(column) for column in zip(*map(weighed, items), strict=True)] or [0, 0, 0]
    assert [of.extra_array, of.extra_map, of.extra_string] == sums, shown(of)
    if any(isinstance(item, (str, Array, Map, Blob)) for item in items):
        assert of.state & NESTED
    if isinstance(of, Map):
        assert of.order is None or len(of.order) != len(of.v) or of.order == sorted(of.v)
        return sums[0], len(items) + sums[1], sums[2]
    return len(items) + sums[0], sums[1], sums[2]


class Machine:
    """Three variables in the language, and the same as plain data."""

    def __init__(self) -> None:
        self.ours: list[Any] = [Array([]), Map({}), Array([])]
        self.plain: list[Any] = [[], {}, []]

    def check(self) -> None:
        for ours, plain in zip(self.ours, self.plain, strict=True):
            assert data_of(ours) == dict(sorted(plain.items())) if isinstance(plain, dict) else data_of(ours) == plain
            weighed(ours)

    # Every change takes the variables' numbers, and a number to choose with.

    def copy(self, i: int, j: int, n: int) -> None:
        self.ours[i] = share(self.ours[j])
        self.plain[i] = copy.deepcopy(self.plain[j])

    def fresh(self, i: int, j: int, n: int) -> None:
        kinds: list[Callable[[], tuple[Any, Any]]] = [
            lambda: (Array([]), []),
            lambda: (Map({}), {}),
            lambda: (to_value({"t": "array", "v": [{"t": "string", "v": "é"}, {"t": "array", "v": []}]}), ["é", []]),
        ]
        self.ours[i], self.plain[i] = kinds[n % 3]()

    def put(self, i: int, j: int, n: int) -> None:
        """Push a leaf, or store it by name."""
        leaf = LEAVES[n % len(LEAVES)]
        if isinstance(self.plain[i], list):
            self.on(i, "push", leaf)
            self.plain[i].append(leaf)
        else:
            self.on(i, "set", KEYS[n % 3], leaf)
            self.plain[i][KEYS[n % 3]] = leaf

    def nest(self, i: int, j: int, n: int) -> None:
        """Store one variable in another."""
        value, data = share(self.ours[j]), copy.deepcopy(self.plain[j])
        if size_of(data) > 40:
            return
        if isinstance(self.plain[i], list):
            self.on(i, "insert", n, value)
            self.plain[i].insert(n, data)
        else:
            self.ours[i] = store_at(self.ours[i], PROPERTY, (KEYS[n % 3],), value)
            self.plain[i][KEYS[n % 3]] = data

    def replace(self, i: int, j: int, n: int) -> None:
        """Store over an element."""
        if isinstance(self.plain[i], list) and self.plain[i]:
            at = n % len(self.plain[i])
            self.ours[i] = store_index(own(self.ours[i]), at, LEAVES[n % len(LEAVES)])
            self.plain[i][at] = LEAVES[n % len(LEAVES)]

    def remove(self, i: int, j: int, n: int) -> None:
        if isinstance(self.plain[i], list):
            name, arguments, at = [("pop", (), -1), ("shift", (), 0), ("remove", (n % 3,), n % 3)][n % 3]
            self.on(i, name, *arguments)
            if -len(self.plain[i]) <= at < len(self.plain[i]):
                self.plain[i].pop(at)
        else:
            self.on(i, "remove", KEYS[n % 3])
            self.plain[i].pop(KEYS[n % 3], None)

    def take_out(self, i: int, j: int, n: int) -> None:
        """Read an element into a variable."""
        if isinstance(self.plain[j], list) and self.plain[j]:
            at = n % len(self.plain[j])
            if isinstance(self.plain[j][at], (list, dict)):
                self.ours[i] = call("get", self.ours[j], at)[1]
                self.plain[i] = copy.deepcopy(self.plain[j][at])

    def extend(self, i: int, j: int, n: int) -> None:
        """`+=`"""
        if size_of(self.plain[j]) > 40:
            return
        if isinstance(self.plain[i], list) and isinstance(self.plain[j], list):
            self.ours[i] = operators.assign_add(self.ours[i], share(self.ours[j]))
            self.plain[i] = self.plain[i] + copy.deepcopy(self.plain[j])
        elif isinstance(self.plain[i], dict) and isinstance(self.plain[j], dict):
            self.ours[i] = operators.assign_add(self.ours[i], share(self.ours[j]))
            self.plain[i] = self.plain[i] | copy.deepcopy(self.plain[j])

    def inside(self, i: int, j: int, n: int) -> None:
        """Change what is nested, in its place."""
        plain = self.plain[i]
        if isinstance(plain, list) and plain:
            at = n % len(plain)
            steps, key, inner = INDEX, at, plain[at]
        elif isinstance(plain, dict) and plain:
            key = sorted(plain)[n % len(plain)]
            steps, inner = PROPERTY, plain[key]
        else:
            return
        if isinstance(inner, list):
            self.ours[i] = method_at(self.ours[i], steps, (key,), "push", ("in",), 0)[0]
            inner.append("in")
        elif isinstance(inner, dict):
            self.ours[i] = method_at(self.ours[i], steps, (key,), "set", ("n", "in"), 0)[0]
            inner["n"] = "in"

    def cut(self, i: int, j: int, n: int) -> None:
        """Remove a part, which becomes another variable."""
        if isinstance(self.plain[i], list) and i != j:
            self.ours[i] = own(self.ours[i])
            self.ours[j] = call("drain", self.ours[i], n % 4, 2)[1]
            at = min(n % 4, len(self.plain[i]))
            self.plain[j] = self.plain[i][at : at + 2]
            del self.plain[i][at : at + 2]

    def splice(self, i: int, j: int, n: int) -> None:
        if isinstance(self.plain[i], list) and isinstance(self.plain[j], list) and size_of(self.plain[j]) < 40:
            other = share(self.ours[j])
            data = copy.deepcopy(self.plain[j])
            at = min(n % 4, len(self.plain[i]))
            self.on(i, "splice", n % 4, 1, other)
            self.plain[i][at : at + 1] = data

    def through_this(self, i: int, j: int, n: int) -> None:
        """Change every element through `this`."""

        def code(cell: Cell, level: int) -> None:
            cell.v = [None, "grown", Array([])][n % 3]

        if isinstance(self.plain[i], list):
            self.on(i, "for_each", function(code, 0, this=THIS_CELL))
            self.plain[i] = [[None, "grown", []][n % 3] for _ in self.plain[i]]

    def keep(self, i: int, j: int, n: int) -> None:
        """Keep what a callback accepts."""
        if isinstance(self.plain[i], list):
            self.on(i, "retain", function(lambda x, at, level: (at + n) % 2 == 0, 2))
            self.plain[i] = [x for at, x in enumerate(self.plain[i]) if (at + n) % 2 == 0]
        else:
            self.on(i, "retain", function(lambda key, x, level: key != KEYS[n % 3], 2))
            self.plain[i].pop(KEYS[n % 3], None)

    def on(self, i: int, name: str, *arguments: Any) -> None:
        self.ours[i] = call(name, self.ours[i], *arguments)[0]


def size_of(data: Any) -> int:
    """How many values there are, nested ones included."""
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return 1 + sum(map(size_of, items))


CHANGES = [
    Machine.copy,
    Machine.fresh,
    Machine.put,
    Machine.nest,
    Machine.replace,
    Machine.remove,
    Machine.take_out,
    Machine.extend,
    Machine.inside,
    Machine.cut,
    Machine.splice,
    Machine.through_this,
    Machine.keep,
]

steps = st.tuples(st.integers(0, len(CHANGES) - 1), st.integers(0, 2), st.integers(0, 2), st.integers(0, 9))


@pytest.fixture(autouse=True)
def _run() -> None:
    fresh_run()


@settings(max_examples=400, deadline=None)
@given(st.lists(steps, max_size=40))
def test_counts_are_exact_and_variables_stay_apart(program: list[tuple[int, int, int, int]]) -> None:
    machine = Machine()
    for change, i, j, n in program:
        if size_of(machine.plain[i]) < 200:
            CHANGES[change](machine, i, j, n)
            machine.check()


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=60))
def test_no_value_exceeds_the_limits_without_an_error(program: list[tuple[int, int, int, int]]) -> None:
    machine = Machine()
    with limited(string=20, array=12, map=6):
        for change, i, j, n in program:
            try:
                CHANGES[change](machine, i, j, n)
            except RhaiError as error:
                if error.kind != "ErrorDataTooLarge":
                    raise
                return
            for ours in machine.ours:
                arrays, maps, strings = weighed(ours)
                assert arrays <= 12
                assert maps <= 6
                assert strings <= 20
