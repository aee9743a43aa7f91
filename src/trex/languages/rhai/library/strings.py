"""Strings and chars.

Owns:  the functions of strings and chars but conversions to numbers and text (`numbers`, `core`).
Never: lets a string grow beyond its limit: what multiplies text is measured before it is built.

Positions count characters. Strings do not change: what changes a string gives its replacement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.library.registry import function
from trex.languages.rhai.library.spans import offset, part, spread, spread_exactly
from trex.languages.rhai.semantics.arithmetic import append_text
from trex.languages.rhai.semantics.containers import strings_of
from trex.languages.rhai.semantics.sizes import LIMITS, check_blob, check_string, expect_string, utf8_size
from trex.languages.rhai.values import NESTED, Array, Blob, Char, Items, Range, char

# What Unicode calls white space. Python's own notion has four control characters more.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_NOT_WHITE = dict.fromkeys(range(0x1C, 0x20), "x")

_EMPTY = ""


def _needle(x: Any) -> str | None:
    """A string or a char as a string; None for anything else."""
    if type(x) is str:
        return x
    return x.text if type(x) is Char else None


@function("len", str, arguments=1, getter=True)
def length(string: str) -> int:
    return len(string)


@function("bytes", str, arguments=1, getter=True)
def bytes_(string: str) -> int:
    return utf8_size(string)


@function("is_empty", str, arguments=1, getter=True)
def is_empty(string: str) -> bool:
    return not string


@function("get", str, arguments=2)
def get(string: str, index: Any) -> Any:
    if type(index) is not int:
        raise errors.function_not_found("get", string, index)
    return char(string[index]) if -len(string) <= index < len(string) else None


@function("set", str, arguments=3, effect="replace")
def set_(string: str, index: Any, value: Any) -> tuple[str, None]:
    if type(index) is not int or type(value) is not Char:
        raise errors.function_not_found("set", string, index, value)
    if not -len(string) <= index < len(string):
        return string, None
    if index < 0:
        index += len(string)
    return check_string(f"{string[:index]}{value.text}{string[index + 1 :]}"), None


@function("contains", str, arguments=2)
def contains(string: str, wanted: Any) -> bool:
    if type(wanted) is str:
        return wanted in string
    if type(wanted) is Char:
        return wanted.text in string
    raise errors.function_not_found("contains", string, wanted)


@function("starts_with", str, arguments=2)
def starts_with(string: str, wanted: Any) -> bool:
    if type(wanted) is str:
        return string.startswith(wanted)
    if type(wanted) is Char:
        return string.startswith(wanted.text)
    raise errors.function_not_found("starts_with", string, wanted)


@function("ends_with", str, arguments=2)
def ends_with(string: str, wanted: Any) -> bool:
    if type(wanted) is str:
        return string.endswith(wanted)
    if type(wanted) is Char:
        return string.endswith(wanted.text)
    raise errors.function_not_found("ends_with", string, wanted)


# The depth is there for the function of the same name on arrays, which may call back.
@function("index_of", str, arguments=2, calls=True)
def index_of(string: str, wanted: Any, depth: int) -> int:
    text = wanted if type(wanted) is str else _needle(wanted)
    if text is None:
        raise errors.function_not_found("index_of", string, wanted)
    return string.find(text) if string else -1


@function("index_of", str, arguments=3, calls=True)
def index_of_from(string: str, wanted: Any, start: Any, depth: int) -> int:
    text = _needle(wanted)
    if text is None or type(start) is not int:
        raise errors.function_not_found("index_of", string, wanted, start)
    if not string or start >= len(string):
        return -1
    return string.find(text, offset(len(string), start))


def _sub(string: str, start: int, count: int) -> str:
    if start >= 0:
        return string[start : start + count] if count > 0 else _EMPTY
    begin, end = part(len(string), start, count)
    return string[begin:end]


@function("sub_string", str, arguments=2)
def sub_string_from(string: str, start: Any) -> str:
    if type(start) is int:
        return string[offset(len(string), start) :]
    if type(start) is Range:
        return _sub(string, *spread(start))
    raise errors.function_not_found("sub_string", string, start)


@function("sub_string", str, arguments=3)
def sub_string(string: str, start: Any, count: Any) -> str:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("sub_string", string, start, count)
    return _sub(string, start, count)


@function("crop", str, arguments=2, effect="replace")
def crop_from(string: str, start: Any) -> tuple[str, None]:
    if type(start) is int:
        return string[offset(len(string), start) :], None
    if type(start) is Range:
        return _sub(string, *spread(start)), None
    raise errors.function_not_found("crop", string, start)


@function("crop", str, arguments=3, effect="replace")
def crop(string: str, start: Any, count: Any) -> tuple[str, None]:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("crop", string, start, count)
    return _sub(string, start, count), None


@function("split", str, arguments=1, effect="read")
def split_words(string: str) -> Array:
    if not string:
        return strings_of([string])
    if "\x1c" in string or "\x1d" in string or "\x1e" in string or "\x1f" in string:
        return strings_of(_words(string))
    return strings_of(string.split())


def _words(string: str) -> list[str]:
    """The words of a string that holds control characters which only Python takes for white space."""
    words = []
    place = 0
    for shape in string.translate(_NOT_WHITE).split():
        while string[place] in WHITE_SPACE:
            place += 1
        words.append(string[place : place + len(shape)])
        place += len(shape)
    return words


@function("split", str, arguments=2, effect="read")
def split(string: str, delimiter: Any) -> Array:
    if type(delimiter) is int:
        return _split_at(string, delimiter)
    text = delimiter if type(delimiter) is str else _needle(delimiter)
    if text is None:
        raise errors.function_not_found("split", string, delimiter)
    if text:
        return _pieces(string, string.split(text), text)
    return strings_of(["", *string, ""] if string else [string])


def _pieces(string: str, items: list[str], delimiter: str) -> Array:
    """An array of what a string was cut into; what it holds is the string without the delimiters."""
    if len(items) > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    return Array(items, NESTED, 0, 0, utf8_size(string) - (len(items) - 1) * utf8_size(delimiter))


def _split_at(string: str, index: int) -> Array:
    if index > 0:
        return strings_of([string[:index], string[index:]])
    at = len(string) + index
    return strings_of([string[:at], string[at:]] if at >= 0 else ["", string])


@function("split", str, arguments=3, effect="read")
def split_into(string: str, delimiter: Any, pieces: Any) -> Array:
    text = _needle(delimiter)
    if text is None or type(pieces) is not int:
        raise errors.function_not_found("split", string, delimiter, pieces)
    if pieces <= 1 or not string:
        return strings_of([string])
    if text:
        return strings_of(string.split(text, pieces - 1))
    if pieces >= len(string) + 2:
        return strings_of(["", *string, ""])
    # The first piece is empty, then come single characters, and what is left of them.
    return strings_of(["", *string[: pieces - 2], string[pieces - 2 :]])


@function("split_rev", str, arguments=2, effect="read")
def split_rev(string: str, delimiter: Any) -> Array:
    text = _needle(delimiter)
    if text is None:
        raise errors.function_not_found("split_rev", string, delimiter)
    if text:
        return strings_of(string.rsplit(text)[::-1])
    return strings_of(["", *string[::-1], ""] if string else [string])


@function("split_rev", str, arguments=3, effect="read")
def split_rev_into(string: str, delimiter: Any, pieces: Any) -> Array:
    text = _needle(delimiter)
    if text is None or type(pieces) is not int:
        raise errors.function_not_found("split_rev", string, delimiter, pieces)
    if pieces <= 1 or not string:
        return strings_of([string])
    if text:
        return strings_of(string.rsplit(text, pieces - 1)[::-1])
    if pieces >= len(string) + 2:
        return strings_of(["", *string[::-1], ""])
    at = len(string) - (pieces - 2)
    return strings_of(["", *string[at:][::-1], string[:at]])


class Characters:
    """The characters of a string as chars, made when looped over."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __iter__(self) -> Iterator[Char]:
        return map(char, self.text)


@function("chars", str, arguments=1, getter=True)
def chars(string: str) -> Items:
    return Items(Characters(string))


@function("chars", str, arguments=2)
def chars_from(string: str, start: Any) -> Items:
    if type(start) is int:
        return Items(Characters(string[offset(len(string), start) :]))
    if type(start) is Range:
        return Items(Characters(_sub(string, *spread_exactly(start))))
    raise errors.function_not_found("chars", string, start)


@function("chars", str, arguments=3)
def chars_part(string: str, start: Any, count: Any) -> Items:
    if type(start) is not int or type(count) is not int:
        raise errors.function_not_found("chars", string, start, count)
    return Items(Characters(_sub(string, start, count)))


@function("to_chars", str, arguments=1)
def to_chars(string: str) -> Array:
    if len(string) > LIMITS.array:
        raise errors.too_large("Size of array/BLOB")
    return Array(list(map(char, string)))


@function("to_blob", str, arguments=1)
def to_blob(string: str) -> Blob:
    return check_blob(Blob(bytearray(string.encode())))


@function("to_upper", str, arguments=1)
def to_upper(string: str) -> str:
    return check_string(string.upper())


@function("to_lower", str, arguments=1)
def to_lower(string: str) -> str:
    return check_string(string.lower())


@function("make_upper", str, arguments=1, effect="replace")
def make_upper(string: str) -> tuple[str, None]:
    return check_string(string.upper()), None


@function("make_lower", str, arguments=1, effect="replace")
def make_lower(string: str) -> tuple[str, None]:
    return check_string(string.lower()), None


@function("trim", str, arguments=1, effect="replace")
def trim(string: str) -> tuple[str, None]:
    return string.strip(WHITE_SPACE), None


@function("append", str, arguments=2, effect="replace")
def append(string: str, value: Any) -> tuple[str, None]:
    return append_text(string, value), None


@function("replace", str, arguments=3, effect="replace")
def replace(string: str, old: Any, new: Any) -> tuple[str, None]:
    wanted, substitute = _needle(old), _needle(new)
    if wanted is None or substitute is None:
        raise errors.function_not_found("replace", string, old, new)
    if not string:
        return string, None
    if (len(string) + 1) * (len(substitute) + 1) * 4 > LIMITS.string:
        growth = utf8_size(substitute) - utf8_size(wanted)
        expect_string(utf8_size(string) + string.count(wanted) * growth)
    return string.replace(wanted, substitute), None


@function("remove", str, arguments=2, effect="replace")
def remove(string: str, unwanted: Any) -> tuple[str, None]:
    text = _needle(unwanted)
    if text is None:
        raise errors.function_not_found("remove", string, unwanted)
    return string.replace(text, _EMPTY) if text else string, None


@function("truncate", str, arguments=2, effect="replace")
def truncate(string: str, size: Any) -> tuple[str, None]:
    if type(size) is not int:
        raise errors.function_not_found("truncate", string, size)
    return string[: max(size, 0)], None


@function("pad", str, arguments=3, effect="replace")
def pad(string: str, size: Any, padding: Any) -> tuple[str, None]:
    text = _needle(padding)
    if text is None or type(size) is not int:
        raise errors.function_not_found("pad", string, size, padding)
    expect_string(size)
    missing = size - len(string)
    if missing <= 0 or not text:
        return string, None
    if size * 4 > LIMITS.string:
        # Few characters may be many bytes.
        expect_string(utf8_size(string) + utf8_size(text) * (missing // len(text)))
    return check_string(string + (text * (missing // len(text) + 1))[:missing]), None


@function("clear", str, arguments=1, effect="replace")
def clear(string: str) -> tuple[str, None]:
    return _EMPTY, None


@function("pop", str, arguments=1, effect="replace")
def pop(string: str) -> tuple[str, Any]:
    return (string[:-1], char(string[-1])) if string else (string, None)


@function("pop", str, arguments=2, effect="replace")
def pop_many(string: str, count: Any) -> tuple[str, str]:
    if type(count) is not int:
        raise errors.function_not_found("pop", string, count)
    at = max(len(string) - max(count, 0), 0)
    return string[:at], string[at:]


@function("to_upper", Char, arguments=1)
def char_to_upper(character: Char) -> Char:
    upper = character.text.upper()
    return char(upper) if len(upper) == 1 else character


@function("to_lower", Char, arguments=1)
def char_to_lower(character: Char) -> Char:
    lower = character.text.lower()
    return char(lower) if len(lower) == 1 else character


@function("make_upper", Char, arguments=1, effect="replace")
def char_make_upper(character: Char) -> tuple[Char, None]:
    return char_to_upper(character), None


@function("make_lower", Char, arguments=1, effect="replace")
def char_make_lower(character: Char) -> tuple[Char, None]:
    return char_to_lower(character), None
