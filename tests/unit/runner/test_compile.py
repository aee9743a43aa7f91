"""The question to a worker that compiles, and what is made of its answer."""

from __future__ import annotations

from typing import Any

import pytest

from trex.errors import ProtocolViolation, WorkerDied
from trex.limits import Limits
from trex.protocol.messages import Failed, Finished
from trex.runner import compile as compiling
from trex.runner.check import Problem
from trex.runner.compile import Listing, compile_script, selected, shown
from trex.runner.request import Source


def compiled(script: str, *arguments: str) -> Listing | Problem:
    return compile_script(Source(text=script), arguments, Limits(), "strict")


def test_a_listing_says_what_each_function_is() -> None:
    found = compiled("private fn f(a) { a } fn int.g() { this } let h = |x| x + b; f(1); 2.g(); h.call(3)", "b")
    assert isinstance(found, Listing)
    assert [(each.kind, each.signature) for each in found.functions] == [
        ("fn", "private fn f(a)"),
        ("method", "fn i64.g()"),
        ("closure", "|x| over b"),
        ("program", "the program"),
    ]
    assert selected(found, ("f", "f_f_1")) == found.functions[:1]
    assert "#   b_1: any  (captured)\n" in shown(found.functions)


def test_a_mistake_is_a_problem_with_its_place() -> None:
    found = compiled("let x = ;")
    assert isinstance(found, Problem)
    assert (found.part, found.line, found.position) == ("script", 1, 9)


@pytest.mark.parametrize("value", [None, {}, {"functions": [{"name": 1}]}, [], "text"])
def test_a_worker_that_describes_nothing_broke_the_protocol(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    monkeypatch.setattr(compiling, "answer_of", lambda *_: Finished("", value, True, {}))
    with pytest.raises(ProtocolViolation):
        compiled("1")


def test_a_fault_of_a_worker_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Failed("internal", "KeyError", ["KeyError"], "a fault in x:1", None, None, None, "", {})

    class Worker:
        ready = None
        channel: Any

        def __enter__(self) -> Worker:
            self.channel = self
            return self

        def __exit__(self, *_: object) -> None: ...

        def send(self, message: object) -> None: ...

        def receive(self, deadline: float) -> Failed:
            return fault

    monkeypatch.setattr("trex.runner.workers.start", lambda *_: Worker())
    with pytest.raises(WorkerDied, match="a fault in x:1"):
        compiled("1")
