"""Hostile input, generated: each module states its invariant in its first line."""
