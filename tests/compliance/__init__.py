"""The language's own test corpus, and the comparison with the engine that defines the language."""
