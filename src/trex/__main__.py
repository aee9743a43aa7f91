"""`python -m trex`: the same as the `trex` program."""

from trex.cli import main

main()
