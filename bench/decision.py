"""What a decision costs: asked for the first time, asked again, and recorded.

Beside it, in turns in the same loop: the engine's own Python interface, given texts as most programs
give them, and given everything prepared beforehand (which only works if all resources are known).
Then what loading costs, each time in a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import cedarpy

from trex.audit import Audit, Start
from trex.authorization import Authorizer, Entity, Policy, RunRecord, file
from trex.authorization.authorizer import MANY, EngineDecider
from trex.authorization.schema import schema_text
from trex.authorization.vocabulary import action

POLICY = """
permit (principal, action in [file_system::Action::"open", file_system::Action::"read"], resource)
when { resource in file_system::Dir::"/var/log" };
permit (principal, action == file_system::Action::"write", resource == file_system::File::"/var/log/app/out.log");
@id("no-secrets") forbid (principal, action, resource) when { resource in file_system::Dir::"/var/log/private" };
"""
OPEN, READ = action("file_system", "open"), action("file_system", "read")
RUN = RunRecord("0" * 32, "5" * 64, "rhai", "bench")
ALICE = Entity("User", "alice")
ROUNDS = int(os.environ.get("TREX_BENCH_ROUNDS", "200"))
STARTS = 15


def in_turns(actions: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Microseconds of each action, taken in turns so that a busy machine disturbs all alike."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for round_number in range(rounds + 5):
        for name, act in actions.items():
            before = time.perf_counter()
            act()
            if round_number >= 5:
                times[name].append((time.perf_counter() - before) * 1e6)
    return times


def decisions() -> tuple[dict[str, Callable[[], object]], dict[str, Callable[[], object]]]:
    """The ways to ask whether /var/log/app/current.log may be opened; apart, the one that empties all caches."""
    policy = Policy.load(POLICY)
    known = Authorizer(policy, ALICE, RUN, EngineDecider(policy))  # given a decider, it shares no answers
    fresh = iter(range(10**9))
    resource = file("/var/log/app/current.log")
    known.decide(OPEN, resource)
    many = Authorizer(policy, ALICE, RUN)
    for number in range(MANY + 1):
        many.decide(OPEN, file(f"/var/log/{number}"))
    entities = "[" + ",".join(each.json or "" for each in resource.family()) + "]"
    request = {
        "principal": ALICE.uid,
        "action": {"type": "file_system::Action", "id": "open"},
        "resource": resource.uid,
        "context": {"run": {"id": RUN.id, "script": RUN.script, "language": RUN.language, "caller": RUN.caller}},
    }
    schema = cedarpy.Schema.from_str(schema_text())
    policies = cedarpy.PolicySet.from_str(POLICY)
    store = cedarpy.Entities.from_json_str(entities, schema)
    listed = json.loads(entities)
    last: list[Entity] = []

    def with_texts() -> object:
        return cedarpy.is_authorized(request, POLICY, listed, schema_text())

    def distinct() -> object:
        last[:] = [file(f"/var/log/app/{next(fresh)}.log")]
        return known.decide(OPEN, last[0])

    def one_of_many() -> object:
        return many.decide(OPEN, file(f"/var/log/app/{next(fresh)}.log"))

    asked = {
        "engine's interface, prepared handles": lambda: cedarpy.is_authorized(request, policies, store, schema),
        "another file": distinct,
        "another file, one of many": one_of_many,
        "the same file, another action": lambda: known.decide(READ, last[0]),
        "asked before": lambda: known.decide(OPEN, resource),
        "asked before, entity made anew": lambda: known.decide(OPEN, file("/var/log/app/current.log")),
    }
    return asked, {"engine's interface, texts": with_texts}


def records(folder: str) -> dict[str, Callable[[], object]]:
    """Recording a decision, with and without a log."""
    start = Start(
        run=RUN.id, version="0", principal="alice", caller="bench", language="rhai", script="5" * 64, policy="9" * 64
    )  # fmt: skip
    nowhere, log = Audit.open(None, start), Audit.open(f"{folder}/audit.jsonl", start)

    def decided(audit: Audit) -> object:
        return audit.decision(
            operation="files.cat",
            action=str(OPEN),
            resource={"type": "file_system::File", "id": "/var/log/app/current.log"},
            allowed=True,
            reason="permitted",
            policies=("policy0",),
        )

    return {"recorded without a log": lambda: decided(nowhere), "recorded in a log file": lambda: decided(log)}


LOADING = {
    "import cedarpy": "import cedarpy",
    "the engine as we load it, with our schema": "from trex.authorization.engine import engine; engine()",
    "a policy on top of it": "from trex.authorization import Policy; Policy.load(TEXT)",
    "and its first decision": "from trex.authorization import *; from trex.authorization.vocabulary import action;"
    " Authorizer(Policy.load(TEXT), Entity('User', 'a'), RunRecord('', '', '', '')).decide("
    "action('file_system', 'open'), file('/var/log/x'))",
}


def loading() -> dict[str, list[float]]:
    """Milliseconds of each statement in a new process that has `msgspec`, as all of ours have."""
    times: dict[str, list[float]] = {name: [] for name in LOADING}
    for _ in range(STARTS):
        for name, statement in LOADING.items():
            program = (
                f"import msgspec, time; TEXT = {POLICY!r}; before = time.perf_counter()\n{statement}\n"
                "print((time.perf_counter() - before) * 1000)"
            )
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
            times[name].append(float(done.stdout))
    return times


def show(times: dict[str, list[float]], unit: str) -> None:
    """Medians, with the ratio to the first."""
    base = statistics.median(next(iter(times.values())))
    for name, values in times.items():
        middle = statistics.median(values)
        print(f"{name:44} {middle:9.2f} {unit}   x {middle / base:7.2f}")


def main() -> None:
    """Print the three tables."""
    with tempfile.TemporaryDirectory() as folder:
        asked, slow = decisions()
        times = in_turns(asked | records(folder), ROUNDS)
        show(times | in_turns(slow, ROUNDS // 4), "us")
    print()
    show(loading(), "ms")


if __name__ == "__main__":
    main()
