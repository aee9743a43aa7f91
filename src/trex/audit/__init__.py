"""The audit log: what was asked, what the policy said, what was done.

Owns:  the records, their chain, and the failing of a run whose records cannot be kept.
Never: decides anything, or keeps contents and credentials.
"""

from trex.audit.audit import Audit, Denial, Start
from trex.audit.chain import Verification, verify
from trex.audit.sinks import LogFile, Memory, Sink

__all__ = ["Audit", "Denial", "LogFile", "Memory", "Sink", "Start", "Verification", "verify"]
