"""Functions that the worker does by itself: declared once, and done by every language."""

from __future__ import annotations

import pytest

from support.host import Broker
from trex import sdk
from trex.errors import ProtocolViolation
from trex.languages.rhai.library.texts import LOCAL

DECLARED = sdk.load().local_functions


def test_the_language_has_exactly_the_declared_ones():
    assert set(LOCAL) == set(DECLARED)


@pytest.mark.parametrize("label", sorted(DECLARED))
def test_the_broker_does_not_do_them(label):
    """A worker that calls one all the same has broken the protocol: their cost is the script's choice."""
    with pytest.raises(ProtocolViolation):
        Broker().call(label)
