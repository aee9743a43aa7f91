"""The gate beside `permit`: what comes with something permitted, annotations, and what is left behind."""

from __future__ import annotations

import os
import select
import time
from typing import Any

import pytest
from msgspec import Raw

from support.host import ALICE, EVERYTHING, RUN, Decisions
from trex.authorization import Authorizer, Policy, file
from trex.authorization.vocabulary import action
from trex.broker.budget import Budget
from trex.broker.gate import CallGate
from trex.broker.handles import Handles
from trex.broker.record import Record
from trex.errors import AccessDenied, LimitExceeded
from trex.limits import Limits
from trex.protocol.messages import Call

READ = action("file_system", "read")
LIMITS = Limits(max_handles=2)


class Gate:
    """One call under a policy."""

    def __init__(self, policy: str) -> None:
        self.audit = Decisions()
        self.handles = Handles({}, LIMITS.max_handles)
        self.budget = Budget(LIMITS, time.monotonic() + 60)
        authorizer = Authorizer(Policy.load(policy), ALICE, RUN)
        call = Call(1, "files.cat", [Raw(b"")], 7)
        self.gate = CallGate(authorizer, self.audit, self.budget, Record(LIMITS), self.handles, call, "files.cat")  # type: ignore[arg-type]  # a double


class Left:
    """Something that goes on."""

    def __init__(self) -> None:
        self.over = self.closed = False

    def is_over(self) -> bool:
        return self.over

    def close(self) -> None:
        self.closed = True


def test_what_comes_with_something_permitted_needs_no_permit_of_its_own():
    made = Gate("")
    assert made.gate.unless_forbidden(READ, file("/bin/sh")).policies == ()
    assert made.audit.asked == [("files.cat", "read", "File /bin/sh", True)]


@pytest.mark.parametrize(
    "policy",
    [
        "forbid (principal, action, resource);",
        "permit (principal, action, resource) when { 9223372036854775807 + 1 > 0 };",
    ],
    ids=["forbidden", "a policy that fails"],
)
def test_what_comes_with_something_permitted_can_be_forbidden(policy):
    with pytest.raises(AccessDenied):
        Gate(policy).gate.unless_forbidden(READ, file("/bin/sh"))


def test_annotations_of_the_policies_that_permitted_are_told():
    made = Gate(
        '@confine("off") permit (principal, action, resource == file_system::File::"/a");'
        + 'permit (principal, action == file_system::Action::"read", resource);'
        + '@confine("off") forbid (principal, action, resource == file_system::File::"/z");'
    )
    assert sorted(map(str, made.gate.marks(made.gate.permit(READ, file("/a")), "confine"))) == ["None", "off"]
    assert made.gate.marks(made.gate.permit(READ, file("/b")), "confine") == [None]


def test_annotations_of_policies_with_one_name_are_told_apart_from_none():
    made = Gate(
        '@id("x") @confine("off") permit (principal, action, resource); @id("x") permit (principal, action, resource);'
    )
    assert sorted(map(str, made.gate.marks(made.gate.permit(READ, file("/a")), "confine"))) == ["None", "off"]


def test_the_reach_is_that_of_the_policy():
    assert Gate(EVERYTHING).gate.reach.tree("/")
    assert not Gate("").gate.reach.tree("/")


def test_what_is_left_behind_ends_with_the_run():
    made, left = Gate(""), Left()
    made.gate.keep(left)
    assert not left.closed
    made.handles.close()
    assert left.closed


def test_no_more_is_left_behind_than_handles_and_what_is_over_does_not_count():
    made, things = Gate(""), [Left() for _ in range(4)]
    things[0].over = True
    for thing in things[:3]:
        made.gate.keep(thing)
    with pytest.raises(LimitExceeded, match="max_handles"):
        made.gate.keep(things[3])
    made.handles.close()
    assert [thing.closed for thing in things] == [False, True, True, True]


def readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def test_who_waits_in_the_kernel_is_woken_when_the_run_is_stopped():
    budget = Gate("").budget
    assert not readable(budget.wake())
    budget.stop("SIGTERM")
    assert readable(budget.wake())


def test_who_begins_to_wait_after_the_run_was_stopped_is_woken_at_once():
    budget = Gate("").budget
    budget.stop("SIGTERM")
    assert readable(budget.wake())


def test_the_descriptor_to_wait_on_goes_with_the_budget():
    def opened() -> int:
        return Gate("").budget.wake()

    number = opened()
    with pytest.raises(OSError):  # noqa: PT011  # EBADF
        os.fstat(number)


def test_facts_reach_the_audit(monkeypatch: Any):
    from support.host import Broker

    broker = Broker()
    original = CallGate.permit

    def permit(self: CallGate, *arguments: Any, **how: Any) -> Any:
        self.facts["answer"] = 42
        return original(self, *arguments, **how)

    monkeypatch.setattr(CallGate, "permit", permit)
    broker.call("files.ls", "/")
    assert broker.audit.facts == {"answer": 42}
