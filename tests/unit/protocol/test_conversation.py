"""The conversation: the table is complete, and everything outside it ends the worker."""

from __future__ import annotations

import typing

import pytest

from trex.errors import ProtocolViolation
from trex.interface import Interface
from trex.limits import LanguageLimits
from trex.protocol.conversation import TABLE, Conversation, State
from trex.protocol.document import page
from trex.protocol.messages import (
    Call,
    Evaluate,
    Evaluated,
    Failed,
    Finished,
    FromBroker,
    FromWorker,
    Log,
    Raised,
    Ready,
    Release,
    Returned,
    Start,
)

MESSAGES: list[FromBroker | FromWorker] = [
    Ready({}, {}),
    Start("", {}, Interface(), LanguageLimits()),
    Evaluate(b""),
    Call(1, "op", []),
    Log("INFO", ""),
    Release([1]),
    Returned(0, None),
    Raised(0, "F", "K", ""),
    Finished("", None, True, {}),
    Failed("run", "E", [], "", None, None, None, "", {}),
    Evaluated(b""),
]
STATES: tuple[State, ...] = typing.get_args(State)


def test_every_message_is_in_the_table() -> None:
    kinds = {*typing.get_args(FromBroker), *typing.get_args(FromWorker)}
    assert {kind for _, kind in TABLE} == kinds == {type(message) for message in MESSAGES}


def test_every_state_but_the_first_can_be_reached_and_only_the_last_is_final() -> None:
    assert set(TABLE.values()) == set(STATES) - {"starting"}
    assert {state for state, _ in TABLE} == set(STATES) - {"ended"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_is_not_in_the_table_is_a_violation(state: State, message: FromBroker | FromWorker) -> None:
    conversation = Conversation()
    conversation.state = state
    if (state, type(message)) in TABLE:
        conversation.advance(message)
        assert conversation.state == TABLE[state, type(message)]
    else:
        with pytest.raises(ProtocolViolation, match=type(message).__name__):
            conversation.advance(message)
        assert conversation.state == state


def running() -> Conversation:
    conversation = Conversation()
    for message in MESSAGES[:2]:
        conversation.advance(message)
    return conversation


def test_calls_are_numbered_from_one_without_gaps() -> None:
    conversation = running()
    conversation.advance(Call(1, "op", []))
    conversation.advance(Returned(1, None))
    with pytest.raises(ProtocolViolation, match="number 3"):
        conversation.advance(Call(3, "op", []))


@pytest.mark.parametrize("number", [0, 2, -1, 2**63])
def test_a_reply_carries_the_number_of_its_call(number: int) -> None:
    conversation = running()
    conversation.advance(Call(1, "op", []))
    with pytest.raises(ProtocolViolation):
        conversation.advance(Returned(number, None))


def test_the_document_has_every_message_state_and_cap() -> None:
    text = page()
    for message in MESSAGES:
        assert f"### `{message.__struct_config__.tag}`" in text
    for (state, kind), then in TABLE.items():
        assert f"| {state} | " in text
        assert f"`{kind.__name__}` | {then} |" in text
    assert "75497472" in text
