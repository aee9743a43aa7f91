"""Carrying out a request: from files and flags to an outcome."""

from trex.runner.run import run as run
