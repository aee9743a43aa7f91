"""What the operator of a host decides for a run, beside the policy and the limits.

Owns:  the settings and their defaults.
Never: reads a file; imports nothing of ours.
"""

from __future__ import annotations

from msgspec import Struct

REDACTION = "/etc/opt/rex/rex_redaction.config"


class Settings(Struct, frozen=True):
    """Settings of one run.

    redaction: the dictionary of what may be shown where a policy permits `redacted_read` only. It is read
               with the operator's own rights, whatever the policy says about that file.
    """

    redaction: str = REDACTION


DEFAULTS = Settings()
