"""Other programs, run from files that a script has opened."""

from trex.sdk.execution import programs as programs
