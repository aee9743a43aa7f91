"""The two engines, one child process each for the whole session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from . import engines


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without the engine that defines the language, skip each comparison with it once and not for every program."""
    if os.environ.get("TREX_ORACLE"):
        return
    seen: set[object] = set()
    surplus = []
    for item in items:
        if isinstance(item, pytest.Function) and "oracle" in item.fixturenames:
            if item.function in seen:
                surplus.append(item)
            seen.add(item.function)
    if surplus:
        config.hook.pytest_deselected(items=surplus)
        items[:] = [item for item in items if item not in set(surplus)]


@pytest.fixture(scope="session")
def ours() -> Iterator[engines.Engine]:
    """Our own engine."""
    with engines.ours() as engine:
        yield engine


@pytest.fixture(scope="session")
def oracle() -> Iterator[engines.Engine]:
    """The engine that defines the language; without it the comparison is skipped, and says so."""
    engine = engines.oracle()
    if engine is None:
        pytest.skip("TREX_ORACLE names no binary that answers the eval protocol with the reference engine")
    with engine:
        yield engine
