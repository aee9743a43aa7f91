"""Who may do what: policies, and the decisions they make.

Owns:  the vocabulary, loading and validating policies, decisions and their explanation.
Never: touches the host, or performs what it permits.
"""

from trex.authorization.authorizer import Authorizer, Decider, Decision, RunRecord
from trex.authorization.entities import Action, Entity, IpAddress, directory, file
from trex.authorization.policy import Policy
from trex.authorization.recording import recorded_context, recorded_resource

__all__ = [
    "Action",
    "Authorizer",
    "Decider",
    "Decision",
    "Entity",
    "IpAddress",
    "Policy",
    "RunRecord",
    "directory",
    "file",
    "recorded_context",
    "recorded_resource",
]
