"""Checking a policy and a script without running them.

Owns:      the two checks and the form of what they find.
Relies on: the policy's own loading; a locked worker that parses, for parsing is part of the script's
           world and not of ours.
Never:     runs a statement, asks a policy, or touches the host beyond reading the two texts.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from trex.errors import PolicyInvalid, WorkerDied
from trex.limits import Limits
from trex.protocol.messages import Failed, Start
from trex.runner.request import Source, read_source


class Problem(Struct, frozen=True):
    """One thing that is wrong, and where."""

    part: Literal["policy", "script", "module"]
    name: str
    message: str
    line: int | UnsetType = UNSET
    position: int | UnsetType = UNSET
    excerpt: str | UnsetType = UNSET


def check_policy(source: Source, limits: Limits) -> list[Problem]:
    """What is wrong with a policy; raises `InputUnreadable`."""
    text = read_source(source, "policy", limits.max_policy, "max_policy", time.monotonic() + limits.max_time)
    from trex.authorization import Policy

    try:
        Policy.load(text, source.name)
    except PolicyInvalid as error:
        if not error.found:  # wrong as a text, before any policy of it was looked at
            return [Problem("policy", source.name, each) for each in error.problems]
        return [
            Problem("policy", source.name, _sentence(each), *_place(each.line, each.column, each.excerpt))
            for each in error.found
        ]
    return []


def check_script(
    source: Source, arguments: tuple[str, ...], modules: tuple[tuple[str, Source], ...], limits: Limits, isolation: str
) -> list[Problem]:
    """What is wrong with a script, as a run with arguments of these names would find it before its first statement."""
    from trex import sdk
    from trex.catalogue import interface
    from trex.runner import workers

    deadline = time.monotonic() + limits.max_time
    text = read_source(source, "script", limits.max_script, "max_script", deadline)
    texts = {name: read_source(each, "module", limits.max_script, "max_script", deadline) for name, each in modules}
    values: dict[str, Any] = dict.fromkeys(arguments)
    with workers.start(limits, isolation) as worker:
        worker.ready  # noqa: B018  # waits for the proof of the lock, or raises
        worker.channel.send(Start(text, values, interface(sdk.load()), limits, texts, check=True))
        answer = worker.channel.receive(deadline)
    if not isinstance(answer, Failed):
        return []
    if answer.stage == "internal":
        raise WorkerDied(None, answer.message)
    return [Problem("script", source.name, answer.message, *_place(answer.line, answer.position, answer.excerpt))]


def _sentence(problem: Any) -> str:
    return f"{problem.message}; {problem.suggestion}" if problem.suggestion else str(problem.message)


def _place(line: int | None, position: int | None, excerpt: str) -> tuple[Any, Any, Any]:
    return (UNSET if line is None else line, UNSET if position is None else position, excerpt or UNSET)
