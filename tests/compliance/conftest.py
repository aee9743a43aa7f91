"""The two engines, one child process each for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import engines


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
