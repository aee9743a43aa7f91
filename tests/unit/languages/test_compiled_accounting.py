"""Counts and marks after compiled code changed containers in its own short ways.

Invariants: what a container says it holds is what a recount from scratch finds; and a script gives the same however
it is written: in a loop, where the short ways are taken, or turn by turn.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.language import shown
from trex.languages.rhai.errors import RhaiError
from trex.languages.rhai.parser import Options
from trex.languages.rhai.semantics.exceptions import CATCHABLE, full_text, understand
from trex.languages.rhai.session import Session
from trex.limits import LanguageLimits
from unit.languages.test_accounting import weighed

LIMITS = LanguageLimits(max_array_size=400, max_map_size=300, max_string_size=2000)
PLACES = ["a", "a[0]", "a[1]", "m", "m.x", "m.y", "m.x[0]", 'm["z"]', "b", "b[0]", "b[0].x", "m.y.x"]
VALUES = ["1", '"é"', "[]", "[1, 2]", '["s", [i]]', "#{x: i}", '#{x: [1], y: "t"}', "a", "b", "m.x", "i", "()", "2.5"]
CHANGES = ["push", "insert", "append", "fill_with", "mixin"]
ENDINGS = ["pop", "shift", "clear", "reverse", "len", "keys"]


def statement(kind: str, place: str, value: str, name: str, ending: str) -> str:
    if kind == "push":
        return f"{place}.push({value});"
    if kind == "store":
        return f"{place} = {value};"
    if kind == "add":
        return f"{place} += {value};"
    if kind == "change":
        return f"{place}.{name}({'0, ' if name == 'insert' else ''}{value});"
    return f"{place}.{ending}();"


statements = st.builds(
    statement,
    st.sampled_from(["push", "push", "push", "store", "add", "change", "end"]),
    st.sampled_from(PLACES),
    st.sampled_from(VALUES),
    st.sampled_from(CHANGES),
    st.sampled_from(ENDINGS),
)


def outcome(lines: list[str], text: str, in_a_loop: bool) -> tuple[str, Any]:
    """What a program of these lines gives, and the value itself."""
    turn = [f"try {{ {line} }} catch {{ }}" for line in lines]
    turns = ["for i in 0..3 {", *turn, "}"]
    if not in_a_loop:
        turns = [line for i in range(3) for line in (f"let i = {i};", *turn)]
    script = "\n".join(
        [
            "let a = [[], #{x: []}];",
            f'let m = #{{x: [[]], y: #{{x: "{text}"}}}};',
            "let b = [#{x: 1}];",
            *turns,
            "[a, m, b]",
        ]
    )
    session = Session(LIMITS, Options())
    try:
        value = session.compile(script, {}).main({})
    except CATCHABLE as error:
        understood: RhaiError = understand(error)
        return full_text(understood).split(" (line")[0], None
    return shown(value), value


@settings(max_examples=300, deadline=None)
@given(st.lists(statements, min_size=1, max_size=8), st.sampled_from(["", "é"]))
def test_counts_are_those_of_a_recount_after_compiled_changes(lines: list[str], text: str) -> None:
    shown_value, value = outcome(lines, text, True)
    if value is not None:
        weighed(value)
    assert outcome(lines, text, False)[0] == shown_value
