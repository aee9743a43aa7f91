"""What the host's interface declares and this process does by itself: text and numbers without a host.

Owns:  `LOCAL`: for each such function its implementation, taking values of the language.
Never: asks the broker; the sizes of results are checked before they are built where they can be told.
"""

from __future__ import annotations

# `re`, `unicodedata` and `trex.regex` are used by `trex.texts`: nothing can be imported once the process is locked.
import re
import unicodedata
from typing import Any

from trex import texts
from trex.errors import OperationError
from trex.languages.rhai.library.registry import Implementation
from trex.languages.rhai.semantics.containers import array_of
from trex.languages.rhai.semantics.sizes import check_string, expect_array, expect_string, utf8_size
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import Array, Constant, Object
from trex.regex import for_python, template

__all__ = ["LOCAL", "for_python", "re", "template", "unicodedata"]


def awk_split(text: str, delimiter: str) -> Array:
    expect_array(text.count(delimiter) + 1)
    return array_of(texts.split(text, delimiter))


def replace_text(text: str, old: str, new: str, options: Object) -> str:
    is_regex, replace_all = options.fields["is_regex"], options.fields["replace_all"]
    if not is_regex:
        count = text.count(old) if replace_all else 1
        expect_string(utf8_size(text) + max(0, count * (utf8_size(new) - utf8_size(old))))
    return check_string(texts.replaced(text, old, new, is_regex, replace_all))


def seq(*given: Any) -> Array:
    *flags, start, end = given
    found = texts.numbers(start, end, _step(flags[0]) if flags else 1)
    try:
        expect_array(len(found))
    except OverflowError:  # more than can be counted
        expect_array(1 << 63)
    return array_of(list(found))


def _step(flags: Array) -> int:
    steps: list[int] = []
    for flag in flags.v:
        if type(flag) is not Constant or flag.type != "SeqFlag":
            text = f"seq: expected SeqFlag flag, got {type_name(flag)}"
            raise OperationError("IoErrorKind", "Other", text)
        steps.append(flag.arguments[0])
    return steps[0] if steps else 1


LOCAL: dict[str, Implementation] = {
    "text.awk_split": awk_split,
    "text.replace_text": replace_text,
    "text.seq": seq,
}
