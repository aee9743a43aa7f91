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
from trex.protocol.messages import Failed, Finished, Start
from trex.runner.arguments import check_names
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
    """What is wrong with a script, as a run with arguments of these names would find it before its first statement.

    Modules are checked too, although a run finds out only when it imports them.
    """
    from trex import sdk
    from trex.catalogue import interface

    check_names(arguments)
    deadline = time.monotonic() + limits.max_time
    found = interface(sdk.load())
    parts: list[tuple[Literal["script", "module"], Source]] = [
        ("script", source),
        *(("module", each) for _, each in modules),
    ]
    texts = [read_source(each, part, limits.max_script, "max_script", deadline) for part, each in parts]
    problems = []
    for (part, each), text in zip(parts, texts, strict=True):
        values: dict[str, Any] = dict.fromkeys(arguments) if part == "script" else {}
        answer = answer_of(Start(text, values, found, limits, check=True), limits, isolation, deadline)
        if isinstance(answer, Failed):
            problems.append(problem_of(answer, part, each.name))
    return problems


def answer_of(
    start: Start, limits: Limits, isolation: str, deadline: float, language: str | None = None
) -> Finished | Failed:
    """What a locked worker makes of a script without running it; raises `WorkerDied` for a fault of ours."""
    from trex.runner import workers

    with workers.start(limits, isolation, language or workers.LANGUAGE) as worker:
        worker.ready  # noqa: B018  # waits for the proof of the lock, or raises
        worker.channel.send(start)
        answer = worker.channel.receive(deadline)
    if not isinstance(answer, Finished | Failed):
        raise WorkerDied(None, f"it answered with {type(answer).__name__}")
    if isinstance(answer, Failed) and answer.stage == "internal":
        raise WorkerDied(None, answer.message)
    return answer


def problem_of(failed: Failed, part: Literal["script", "module"], name: str) -> Problem:
    """A worker's failure as a finding."""
    return Problem(part, name, failed.message, *_place(failed.line, failed.position, failed.excerpt))


def _sentence(problem: Any) -> str:
    return f"{problem.message}; {problem.suggestion}" if problem.suggestion else str(problem.message)


def _place(line: int | None, position: int | None, excerpt: str) -> tuple[Any, Any, Any]:
    return (UNSET if line is None else line, UNSET if position is None else position, excerpt or UNSET)
