"""From the resolved tree to a code object: inference, lowering to Python's syntax tree, linking."""
