"""Attempts to get out, one family per promise of the design."""
