"""Sets of characters as ranges of numbers, for what an engine has no words for.

Owns:      set operations, case folding of ranges, and the characters of a category of Unicode.
Relies on: `unicodedata`, the standard library's own tables.
Never:     knows scripts such as Greek: Python has no table of them.
"""

from __future__ import annotations

from functools import lru_cache

from trex.regex.syntax import MAX_CHARACTER, Named, Operation, Range, Set, Union

Ranges = list[tuple[int, int]]

_SURROGATES = (0xD800, 0xDFFF)

SPACES = (
    (0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
)  # fmt: skip

ASCII = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": ((48, 57),),
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_ASCII_PERL = {"d": "digit", "w": "word", "s": "space"}

# The categories that make up a word character, beside letters with the property Alphabetic.
WORD = ("L", "M", "Nd", "Nl", "Pc")

_LONG = {
    "other": "C", "control": "Cc", "cntrl": "Cc", "format": "Cf", "unassigned": "Cn", "privateuse": "Co",
    "letter": "L", "casedletter": "LC", "lowercaseletter": "Ll", "modifierletter": "Lm", "otherletter": "Lo",
    "titlecaseletter": "Lt", "uppercaseletter": "Lu", "lowercase": "Ll", "uppercase": "Lu",
    "mark": "M", "combiningmark": "M", "spacingmark": "Mc", "enclosingmark": "Me", "nonspacingmark": "Mn",
    "number": "N", "decimalnumber": "Nd", "digit": "Nd", "letternumber": "Nl", "othernumber": "No",
    "punctuation": "P", "punct": "P", "connectorpunctuation": "Pc", "dashpunctuation": "Pd",
    "closepunctuation": "Pe", "finalpunctuation": "Pf", "initialpunctuation": "Pi", "otherpunctuation": "Po",
    "openpunctuation": "Ps",
    "symbol": "S", "currencysymbol": "Sc", "modifiersymbol": "Sk", "mathsymbol": "Sm", "othersymbol": "So",
    "separator": "Z", "lineseparator": "Zl", "paragraphseparator": "Zp", "spaceseparator": "Zs",
}  # fmt: skip

_CATEGORIES = frozenset(
    "C Cc Cf Cn Co L Ll Lm Lo Lt Lu LC M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs".split()
)


def category_of(name: str) -> str | None:
    """The short name of a category of Unicode, for any of its spellings; None if there is none."""
    plain = name.replace("_", "").replace("-", "").replace(" ", "").lower()
    short = plain.capitalize() if plain != "lc" else "LC"
    return short if short in _CATEGORIES else _LONG.get(plain)


def ranges(of: Set, fold: bool) -> Ranges:
    """The characters of a set. Raises `LookupError` for a property that this knows nothing of."""
    if isinstance(of, Range):
        found = [(of.first, of.last)]
        return _folded(found) if fold else found
    if isinstance(of, Named):
        found = _named(of)
        if fold and of.kind != "perl":
            found = _folded(found)
        return negated(found) if of.negated else found
    if isinstance(of, Union):
        found = _normal([each for part in of.parts for each in ranges(part, fold)])
        return negated(found) if of.negated else found
    assert isinstance(of, Operation), "the only other kind of set"
    left, right = ranges(of.left, fold), ranges(of.right, fold)
    if of.operator == "&&":
        return _both(left, right)
    if of.operator == "--":
        return _both(left, negated(right))
    return _normal(_both(left, negated(right)) + _both(negated(left), right))


def _named(of: Named) -> Ranges:
    if of.kind == "ascii":
        return list(ASCII[of.name])
    if of.kind == "perl":
        if not of.unicode:
            return list(ASCII[_ASCII_PERL[of.name]])
        if of.name == "s":
            return list(SPACES)
        names = WORD if of.name == "w" else ("Nd",)
        return _normal([each for name in names for each in category(name)])
    short = category_of(of.name)
    if short is None:
        if of.name.lower() == "any":
            return [(0, MAX_CHARACTER)]
        raise LookupError(of.name)
    return list(category(short))


@lru_cache(maxsize=64)
def category(name: str) -> tuple[tuple[int, int], ...]:
    """The characters of a category, such as `Lu`, or of all that begin so, such as `L`."""
    from unicodedata import category as category_of_character

    wanted = ("Ll", "Lt", "Lu") if name == "LC" else (name,)
    found: Ranges = []
    for number in range(MAX_CHARACTER + 1):
        if category_of_character(chr(number)).startswith(wanted):
            if found and found[-1][1] == number - 1:
                found[-1] = found[-1][0], number
            else:
                found.append((number, number))
    return tuple(found)


def negated(of: Ranges) -> Ranges:
    """All characters that are not in these."""
    found: Ranges = []
    start = 0
    for first, last in _normal([*of, _SURROGATES]):
        if first > start:
            found.append((start, first - 1))
        start = last + 1
    if start <= MAX_CHARACTER:
        found.append((start, MAX_CHARACTER))
    return found


def _both(left: Ranges, right: Ranges) -> Ranges:
    return negated(_normal(negated(left) + negated(right)))


def _normal(of: Ranges) -> Ranges:
    """In order, without overlaps."""
    found: Ranges = []
    for first, last in sorted(of):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


_FOLDED_AT_MOST = 0x3000  # characters of a range; larger ranges hold both cases of nearly all letters already


def _folded(of: Ranges) -> Ranges:
    found = list(of)
    for first, last in of:
        for number in range(first, min(last, first + _FOLDED_AT_MOST) + 1):
            character = chr(number)
            for other in (character.lower(), character.upper()):
                if len(other) == 1 and other != character:
                    found.append((ord(other), ord(other)))
    return _normal(found)
