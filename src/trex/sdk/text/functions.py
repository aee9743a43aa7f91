"""Functions of text and numbers that the script's own process carries out.

Owns:      their declarations.
Relies on: `trex.texts` for what they do; each language binds them to its own values.
Never:     runs in the broker for a script.
"""

from typing import Annotated

from msgspec import Struct

from trex.catalogue.declare import CATALOGUE
from trex.catalogue.types import Takes


@CATALOGUE.local("awk_split")
def awk_split(text: Annotated[str, "the text"], delimiter: Annotated[str, "what separates its parts"]) -> list[str]:
    """Split a text at each delimiter; empty parts are kept.

    awk_split("root:x:0", ":")
    """
    from trex import texts  # the broker has no use for it

    return texts.split(text, delimiter)


@CATALOGUE.option_set
class ReplacementOptions(Struct, frozen=True):
    """How to replace parts of a text."""

    is_regex: Annotated[bool, "what is replaced is a regular expression"] = False
    replace_all: Annotated[bool, "replace all of them, not only the first"] = False


@CATALOGUE.local("replace_text")
def replace_text(
    text: Annotated[str, "the text"],
    old: Annotated[str, "what is replaced"],
    new: Annotated[str, "what takes its place; with `is_regex`, `$1` and `${name}` stand for groups"],
    options: Annotated[ReplacementOptions, "how to replace"],
) -> str:
    """Replace parts of a text.

    replace_text("a-b-c", "-", "+", ReplacementOptions().replace_all(true).build())
    """
    from trex import texts

    return texts.replaced(text, old, new, options.is_regex, options.replace_all)


@CATALOGUE.flag_set("seq", "SeqFlag")
class SeqFlags(Struct, frozen=True):
    """How `seq` counts."""

    step: Annotated[int, "count by so many; a negative number counts down", Takes("step")] = 1


@CATALOGUE.local("seq")
def seq(
    flags: Annotated[SeqFlags, "how to count"],
    start: Annotated[int, "the first number"],
    end: Annotated[int, "the last number, if the step leads to it"],
) -> list[int]:
    """Give the numbers from one to another, both included.

    seq([seq::step(2)], 1, 9)
    """
    from trex import texts

    return list(texts.numbers(start, end, flags.step))
