"""What tests of the audit share: the beginning of a run, and an audit in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trex.audit import Audit, Memory, Start


@pytest.fixture
def start() -> Start:
    """What is known when a run begins."""
    return Start(
        run="run-1", version="0.1", principal='User::"alice"', caller="test", language="rhai", script="5" * 64, policy="9" * 64
    )  # fmt: skip


@pytest.fixture
def memory() -> Memory:
    """A sink that keeps lines."""
    return Memory()


@pytest.fixture
def audit(memory: Memory, start: Start) -> Audit:
    """An audit that writes into `memory`."""
    return Audit(memory, start)


@pytest.fixture
def records(memory: Memory):
    """The records in `memory` so far."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in memory.lines]

    return read


@pytest.fixture
def asked() -> dict[str, Any]:
    """The arguments of one decision."""
    return {
        "operation": "files.cat",
        "action": 'file_system::Action::"read"',
        "resource": {"type": "file_system::File", "id": "/etc/x"},
        "allowed": True,
        "reason": "permitted",
    }
