"""What a script reports beside its result: metrics and alarms."""

from trex.sdk.reporting import publish as publish
