"""The profile: data with a reason per line, and the words of the degraded mode."""

from __future__ import annotations

import pytest

from trex.isolation.lockdown import Plan, _Lockdown
from trex.isolation.profile import ALLOWED, LANDLOCK_RIGHTS, LAYERS, RESOURCE_LIMITS, SOFT, optional_layers


def test_every_rule_has_a_reason() -> None:
    for rule in (*LAYERS, *RESOURCE_LIMITS, *ALLOWED, *LANDLOCK_RIGHTS):
        assert rule.reason
    assert all(SOFT.values())


def test_no_call_is_both_allowed_and_soft() -> None:
    assert not {call.name for call in ALLOWED} & SOFT.keys()


def test_landlock_takes_every_known_right_once() -> None:
    seen = 0
    for rights in LANDLOCK_RIGHTS:
        assert not seen & rights.files
        seen |= rights.files
    assert seen == (1 << 16) - 1
    assert [rights.abi for rights in LANDLOCK_RIGHTS] == [1, 2, 3, 4, 5, 6]


def test_every_layer_is_applied_by_the_lockdown() -> None:
    steps = _Lockdown(Plan(parent=1, max_memory=1, max_time=1.0)).steps
    assert list(steps) == [layer.name for layer in LAYERS]


def test_strict_allows_nothing_to_be_missing() -> None:
    assert optional_layers("strict") == frozenset()


def test_a_degraded_mode_names_its_layers() -> None:
    assert optional_layers("degraded:landlock") == {"landlock"}
    assert optional_layers("degraded:landlock, seccomp") == {"landlock", "seccomp"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "isolation is 'strict' or"),
        ("none", "isolation is 'strict' or"),
        ("degraded", "isolation is 'strict' or"),
        ("degraded:", "isolation is 'strict' or"),
        ("degraded:,", "isolation is 'strict' or"),
        ("degraded:landlok", "is called 'landlok'; those are capabilities, landlock, seccomp, user"),
        ("degraded:landlock,descriptors", "is called 'descriptors'"),
    ],
)
def test_another_word_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        optional_layers(text)
