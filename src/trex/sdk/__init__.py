"""The operations that scripts may call, one package per domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trex.catalogue.declare import Catalogue


def load() -> Catalogue:
    """The catalogue with every domain declared in it."""
    from trex.catalogue.declare import CATALOGUE
    from trex.sdk import archives as archives  # imported for their declarations
    from trex.sdk import execution as execution
    from trex.sdk import files as files
    from trex.sdk import inspection as inspection
    from trex.sdk import reporting as reporting
    from trex.sdk import text as text

    return CATALOGUE
