"""Trex: trusted remote execution of scripts under a Cedar policy.

Never: imports anything; the worker process runs this file too.
"""

__version__ = "0.1.0"
