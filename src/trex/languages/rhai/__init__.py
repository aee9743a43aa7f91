"""Rhai: compile a script to Python code and run it.

`execute` runs the script of a run, with operations; `evaluate` runs one program of the eval protocol.
"""

from trex.languages.rhai.evaluate import evaluate
from trex.languages.rhai.execute import execute

__all__ = ["evaluate", "execute"]
