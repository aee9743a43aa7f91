"""Names of files as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trex.host.paths import PathRefused, component, decode, encode, from_kernel, parse


@pytest.mark.parametrize(
    "written",
    ["/etc/hosts", "//etc/hosts", "/etc//hosts", "/./etc/./hosts", "/etc/hosts/", "/etc/hosts/.", "///etc///hosts///"],
)
def test_every_spelling_of_a_path_has_one_normal_form(written):
    assert parse(written).text == "/etc/hosts"


@pytest.mark.parametrize("written", ["/", "//", "/.", "/./", "///"])
def test_the_root_is_one_path(written):
    path = parse(written)
    assert path.text == "/"
    assert path.is_root
    assert path.parent.text == "/"


def test_a_trailing_slash_is_remembered_but_is_not_another_path():
    assert parse("/etc/").directory
    assert not parse("/etc").directory
    assert parse("/etc/") == parse("/etc")


@pytest.mark.parametrize(
    "written, code",
    [
        ("etc", "not_absolute"),
        ("", "not_absolute"),
        ("./etc", "not_absolute"),
        ("/etc/..", "traversal"),
        ("/../etc", "traversal"),
        ("/etc/../etc", "traversal"),
        ("/a\0b", "invalid"),
        ("/" + "a/" * 2100, "too_long"),
        ("/" + "é" * 2048, "too_long"),
    ],
)
def test_what_is_no_path_is_refused_with_its_reason(written, code):
    with pytest.raises(PathRefused) as refused:
        parse(written)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["a*b", "what?", 'say "hi"', "<a>|b", "line\nbreak", "tab\t", "back\\slash", "..."])
def test_every_name_that_a_file_can_have_is_a_name(name):
    assert parse("/tmp/" + name).name == name
    assert component(name) == name


@pytest.mark.parametrize(
    "name, code",
    [("", "no_name"), (".", "no_name"), ("..", "traversal"), ("a/b", "several"), ("a/", "several"), ("a\0", "invalid")],
)
def test_what_is_no_single_name_is_refused(name, code):
    with pytest.raises(PathRefused) as refused:
        component(name)
    assert refused.value.code == code


def test_a_name_that_is_not_utf8_has_a_text_that_leads_back_to_it():
    assert encode(decode(b"caf\xe9")) == b"caf\xe9"
    assert decode(b"caf\xe9") == "caf\U0010fee9"


@given(st.binary(max_size=40))
def test_bytes_to_text_and_back_loses_nothing(raw):
    text = decode(raw)
    text.encode()  # it can cross to a worker
    assert encode(text) == raw


@given(st.lists(st.sampled_from(["a", "é", "\U0010fec3", "\U0010fea9", "\U0010feff", "\ue000"]), max_size=6))
def test_two_texts_of_one_name_have_one_normal_form(pieces):
    """U+10FEC3 U+10FEA9 stand for the bytes of `é`: a policy on one must see the other."""
    text = "x" + "".join(pieces)
    assert parse("/" + text).text == "/" + decode(encode(text))
    assert encode(parse("/" + text).text) == encode("/" + text)


def test_the_kernels_own_paths_are_read_as_they_are():
    assert from_kernel(b"/tmp/a b").parts == ("tmp", "a b")
    assert from_kernel(b"/").is_root
    with pytest.raises(PathRefused):
        from_kernel(b"(unreachable)/tmp")
