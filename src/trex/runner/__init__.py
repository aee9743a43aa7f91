"""Carrying out a request: from files and flags to an outcome. `trex.runner.run.run` does it."""
