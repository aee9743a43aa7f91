"""What the broker spends on a call: an operation without host work, and operations on small files.

Beside each, in turns in the same loop, what it is compared with: for the dispatch an encoding and
decoding of the same message, for an operation on a file the plain system calls that it comes down
to. No worker takes part: calls go in as the bytes that one would send.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Raw

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.host import Broker, made
from trex.audit import Audit, Start
from trex.limits import Limits
from trex.protocol.encoding import decode_from_worker, encode, encode_call, encode_value
from trex.protocol.messages import Call
from trex.values import Object

ROUNDS = int(os.environ.get("TREX_BENCH_ROUNDS", "300"))
BATCH = 50
GOAL = 25.0


def in_turns(actions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median of each action in microseconds, taken in turns so that a busy machine disturbs all alike."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(ROUNDS):
        for name, action in actions.items():
            started = time.perf_counter()
            for _ in range(BATCH):
                action()
            taken[name].append((time.perf_counter() - started) / BATCH * 1e6)
    return {name: statistics.median(values) for name, values in taken.items()}


def through(broker: Broker, operation: str, *arguments: object) -> Callable[[], object]:
    """A call from the worker's bytes to the bytes of the answer."""
    raw = encode_call(Call(1, operation, list(arguments), 1))

    def call() -> object:
        return encode(broker.dispatcher.call(decode_from_worker(raw)))

    return call


def read_plainly(path: str) -> Callable[[], object]:
    def read() -> object:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(number, os.fstat(number).st_size, 0).decode()
        finally:
            os.close(number)

    return read


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/file"
        Path(path).write_text("a few words\n" * 20)
        limits = Limits(max_operations=10**9, max_time=3600.0, max_log=10**12, max_write=10**12)
        policy = f'permit (principal, action, resource) when {{ resource in file_system::Dir::"{folder}" }};'
        start = Start(run="1", version="0", principal="alice", caller="bench", language="rhai", script="0", policy="0")
        silent = Broker(policy, limits, audit=Audit.open(None, start))
        logged = Broker(policy, limits, audit=Audit.open(f"{folder}/log", start))
        handle = silent.file(silent.directory(folder), "file", read=True)
        metric = made(
            "MetricBuilder", name="rows", value=1.0, unit=silent.catalogue.enumerations["MetricUnitType"]["COUNT"]
        )
        published = encode_call(Call(1, "reporting.publish_metric", [metric], 1))
        value = encode_value(Object("Sample", {"name": "rows"}))

        taken = in_turns(
            {
                "decode, convert nothing, encode": lambda: encode(
                    Call(1, "x", [Raw(value)], 1) if decode_from_worker(published) else None  # type: ignore[arg-type]
                ),
                "an operation without host work": through(silent, "reporting.publish_metric", metric),
                "open, read, close": read_plainly(path),
                "read of a handle": through(silent, "files.read", handle),
                "cat": through(silent, "files.cat", path),
                "cat, with an audit log": through(logged, "files.cat", path),
                "metadata of a handle": through(silent, "files.file_metadata", handle),
            }
        )
        bare, plain = taken["decode, convert nothing, encode"], taken["open, read, close"]
        compared = {"an operation without host work": bare}
        print(f"{'':34} {'µs':>8}   ratio")
        for name, microseconds in taken.items():
            beside = compared.get(name, plain)
            ratio = (
                ""
                if name in ("decode, convert nothing, encode", "open, read, close")
                else f"{microseconds / beside:8.1f}"
            )
            print(f"{name:34} {microseconds:8.1f}{ratio}")
        spent = taken["an operation without host work"]
        print(f"\nbroker time of an operation without host work: {spent:.1f} µs (at most {GOAL:.0f})")


if __name__ == "__main__":
    main()
