"""Both engines on generated programs: whatever one answers, the other answers too.

`TREX_COMPLIANCE_EXAMPLES` says how many programs of each strategy to try (the ordinary run tries a few, `make compliance`
tens of thousands); `TREX_COMPLIANCE_ASPECTS` narrows the comparison, such as `ok,value,kind`, while an engine grows.
"""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis.strategies import SearchStrategy

from . import compare, generate
from .engines import Engine

EXAMPLES = int(os.environ.get("TREX_COMPLIANCE_EXAMPLES", "200"))
CHOSEN = frozenset(filter(None, os.environ.get("TREX_COMPLIANCE_ASPECTS", "").split(","))) or frozenset(compare.ASPECTS)

# What the oracle gives up on says nothing about the language.
NO_OPINION = frozenset({"Panic", "BadRequest", "ErrorTooManyOperations"})


def check(request: generate.Request, ours: Engine, oracle: Engine) -> None:
    expected = compare.normalise(oracle.ask(request))
    if "lost" in expected or expected.get("kind") in NO_OPINION:
        reject()
    found = compare.normalise(ours.ask(request))
    differences = {
        name: sides for name, sides in compare.differences(expected, found).items() if name in CHOSEN | {"lost"}
    }
    if differences:
        shown = "\n".join(
            f"{name}\n  the engine {left}\n  ours       {right}" for name, (left, right) in differences.items()
        )
        rest = {key: value for key, value in request.items() if key not in ("script", "limits")}
        pytest.fail(f"{request['script']}\n{json.dumps(rest) if rest else ''}\n{shown}", pytrace=False)


def differential(strategy: SearchStrategy[generate.Request], share: float = 1.0):  # type: ignore[no-untyped-def]  # a decorator
    def decorate(test):  # type: ignore[no-untyped-def]  # pytest and hypothesis look at the function itself
        checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
        configured = settings(
            max_examples=max(1, int(EXAMPLES * share)), deadline=None, suppress_health_check=checks, database=None
        )
        return configured(given(request_=strategy)(test))

    return decorate


@differential(generate.statements())
def test_a_generated_program_runs_as_on_the_engine(request_: generate.Request, ours: Engine, oracle: Engine) -> None:
    check(request_, ours, oracle)


@differential(generate.chains(), share=0.5)
def test_a_chain_of_operators_groups_and_evaluates_as_on_the_engine(
    request_: generate.Request, ours: Engine, oracle: Engine
) -> None:
    check(request_, ours, oracle)


@differential(generate.calls())
def test_a_library_function_does_as_on_the_engine(request_: generate.Request, ours: Engine, oracle: Engine) -> None:
    check(request_, ours, oracle)


@differential(generate.literals(), share=0.5)
def test_a_literal_reads_and_shows_as_on_the_engine(request_: generate.Request, ours: Engine, oracle: Engine) -> None:
    check(request_, ours, oracle)


@differential(generate.mutants())
def test_a_changed_program_parses_or_fails_to_as_on_the_engine(
    request_: generate.Request, ours: Engine, oracle: Engine
) -> None:
    check(request_, ours, oracle)
