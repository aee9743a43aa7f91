"""Patterns of scripts in the worker's own engine, compared with RE2 where both can say the same."""

from __future__ import annotations

import re

import pytest
import re2

from trex.regex import for_python, for_re2
from trex.regex.for_python import CannotBeWritten
from trex.regex.syntax import parse

PATTERNS = (
    r"a|b (a)(b)? ^\w+ \w+$ (?m)^. (?m).$ \s+ \S+ [^\w\s]+ [a-c&&[^b]] [\w--\d]+ [a-z~~c-f]+ (?i)É+ (?i)[a-f]+"
    r" (?s)a.*b (?U)a+ a{2} a{2,} a** a+? a?? (?:ab)+ [[:alpha:]]+ [[:^alpha:]]+ [^[:space:]] \p{L}+ \PL \p{Lu}"
    r" \p{Letter} \d+ [\d.]+ \D \x41 \u{e9} \. [-a] []a] [^]a] [a\]b] |a () (|a) ^* (?i)s (?i)k [[a-c]x]+ [a[^b]]"
    r" (?-u)\w+ x{0} (?i:a)b a(?i)b|c \A. .\z [^\n] (?s:.)+ \p{P} [\p{L}&&[^a-z]] [^\D] [^\W_]"
).split()
TEXTS = ("", "aabb ab b.A", "éÉ é1_x \t fooBar", "one\ntwo\r\n\nend", "αβγ Σσς ß K k", "x-y [z] {1}", "aaaa", "٣ x2 नम")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_engines_find_the_same(pattern):
    tree = parse(pattern)
    with_re2 = re2.compile(for_re2.write(tree))
    for text in TEXTS:
        with_python = re.compile(for_python.write(tree, text.isascii()))
        found = [(match.span(), match.groups()) for match in with_re2.finditer(text)]
        assert first(with_python, text) == (found[0] if found else None), text


def first(pattern, text):
    match = pattern.search(text)
    return match and (match.span(), match.groups())


@pytest.mark.parametrize(
    "pattern, text, spans",
    [
        (r"\b", "e\u0301 ٣", [(0, 0), (2, 2), (3, 3), (4, 4)]),
        (r"\b{start}", "ab c", [(0, 0), (3, 3)]),
        (r"\b{end}", "ab c", [(2, 2), (4, 4)]),
        (r"\<c", "ac c", [(3, 4)]),
        (r"c\>", "ca c", [(3, 4)]),
        (r"\w+", "e\u0301a", [(0, 3)]),
        (r"\B", "ab", [(1, 1)]),
    ],
)
def test_words_are_those_of_every_script(pattern, text, spans):
    found = re.compile(for_python.write(parse(pattern), text.isascii())).finditer(text)
    assert [match.span() for match in found] == spans


@pytest.mark.parametrize("pattern", [r"\p{Greek}", r"\p{Foo}", "a{70000}"])
def test_what_python_has_no_words_for_is_refused(pattern):
    with pytest.raises(CannotBeWritten):
        for_python.write(parse(pattern), ascii=False)


@pytest.mark.parametrize("pattern", ["a++b", "a?+", "(?P=x)", "(?#x)", r"\Z"])
def test_syntax_of_python_alone_never_reaches_it(pattern):
    """`a++` would be a loop that gives nothing back; here it is a repetition of a repetition."""
    try:
        written = for_python.write(parse(pattern), ascii=True)
    except ValueError:
        return
    assert "++" not in written
    assert re.search(written, "aab" if "b" in pattern else "a")
