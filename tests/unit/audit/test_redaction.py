"""What may enter a record, and how much of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trex.audit.redaction import MAX_ITEMS, MAX_TEXT, recordable, text, without_credentials


@pytest.mark.parametrize("value", [None, True, 3, 1.5, "text", {"a": [1, "b"]}])
def test_small_plain_values_are_recorded_as_they_are(value):
    assert recordable(value) == value


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_of_bytes_only_their_number_is_recorded(kind):
    assert recordable({"content": kind(b"secret")}) == {"content": "(6 bytes)"}


def test_long_texts_keep_their_beginning_length_and_hash():
    kept = text("x" * 5000)
    assert kept.startswith("x" * MAX_TEXT + "(cut: 5000 characters, SHA-256 ")
    assert len(kept) < MAX_TEXT + 120


def test_long_collections_say_how_much_more_there_was():
    assert recordable(list(range(1000)))[-1] == f"({1000 - MAX_ITEMS} more)"
    assert recordable({str(n): n for n in range(1000)})["(more)"] == 1000 - MAX_ITEMS


def test_deep_values_end_in_a_note():
    value: object = "bottom"
    for _ in range(50):
        value = [value]
    assert recordable(value) == [[[["(nested deeper)"]]]]


def test_names_that_are_not_utf_8_are_recorded_as_escapes():
    assert text("/tmp/\udcff") == "/tmp/\\udcff"


def test_other_values_are_an_error_of_the_caller():
    with pytest.raises(TypeError, match="object"):
        recordable(object())


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("https://user:secret@a.example/x", "https://(hidden)@a.example/x"),
        ("https://token@a.example", "https://(hidden)@a.example"),
        ("https://a@b:c@a.example/", "https://(hidden)@a.example/"),
        ("https://a.example/x?key=secret&page=2&flag", "https://a.example/x?key=(hidden)&page=(hidden)&(hidden)"),
        ("https://a.example/x?secret", "https://a.example/x?(hidden)"),
        ("https://a.example/x#access_token=secret", "https://a.example/x#(hidden)"),
        ("https://a.example?k=secret#s", "https://a.example?k=(hidden)#(hidden)"),
        ("curl https://u:secret@a/ https://v:secret@b/?k=secret -v", "curl https://(hidden)@a/ https://(hidden)@b/?k=(hidden) -v"),
        ('network::url::"https://u:secret@a/"', 'network::url::"https://(hidden)@a/"'),
        ("mailto:a@b", "mailto:a@b"),
    ],
)  # fmt: skip
def test_urls_lose_credentials_and_the_values_of_their_query(url, recorded):
    assert without_credentials(url) == recorded
    assert recordable(["--url", url]) == ["--url", recorded]


@given(st.text(alphabet="ab/:@?#&= ", max_size=8), st.text(alphabet="ab/", max_size=5))
def test_a_password_never_survives(before, path):
    assert "SECRET" not in text(f"{before}http://user:SECRET@host/{path}?k=SECRET#SECRET")


json_like = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(json_like)
def test_every_plain_value_becomes_json(value):
    json.dumps(recordable(value)).encode()
