"""Tokens to the resolved tree.

Depth. Every production that can nest counts one level, in the same places as the language's own engine,
so that the limits mean the same; a limit of 0 is replaced by one that protects this process's stack.
Long flat chains count too (`x + x + x ..`, `.a.a.a`, `else if`): the tree is walked recursively later.
"""

from trex.languages.rhai.parser.cursor import Options
from trex.languages.rhai.parser.statements import parse, parse_expression

__all__ = ["Options", "parse", "parse_expression"]
