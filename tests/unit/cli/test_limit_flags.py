"""The flags of the limits: one for each field, in the units that people type."""

from __future__ import annotations

import pytest

from trex.cli.limit_flags import FLAGS, limits_from
from trex.limits import Limits

BY_FIELD = {flag.field: flag for flag in FLAGS}


def test_every_limit_has_a_flag():
    assert set(BY_FIELD) == set(Limits.__struct_fields__)


@pytest.mark.parametrize(
    "text,value",
    [
        ("4096", 4096),
        ("512K", 512 << 10),
        ("64M", 64 << 20),
        ("1G", 1 << 30),
        ("64MiB", 64 << 20),
        ("2kb", 2048),
        ("1_000", 1000),
        ("0", 0),
    ],
)
def test_sizes_have_suffixes(text, value):
    assert BY_FIELD["max_memory"].parse(text) == value


@pytest.mark.parametrize(
    "text,value", [("500ms", 0.5), ("30", 30.0), ("30s", 30.0), ("5m", 300.0), ("1h", 3600.0), ("0.25", 0.25)]
)
def test_times_have_suffixes(text, value):
    assert BY_FIELD["max_time"].parse(text) == value


@pytest.mark.parametrize(
    "field,text",
    [
        ("max_memory", "lots"), ("max_memory", "-1"), ("max_memory", "1.5M"), ("max_memory", "1Q"), ("max_memory", ""),
        ("max_memory", "9" * 30), ("max_memory", "٣"),
        ("max_operations", "10K"), ("max_operations", "1e3"),
        ("max_time", "0"), ("max_time", "-1s"), ("max_time", "nan"), ("max_time", "inf"), ("max_time", "1d"), ("max_time", "soon"),
    ],
)  # fmt: skip
def test_what_is_no_bound_is_refused_with_a_sentence(field, text):
    with pytest.raises(ValueError, match=r"is not|too large"):
        BY_FIELD[field].parse(text)


def test_flags_that_were_not_given_keep_their_defaults():
    assert limits_from({"max_time": 5.0, "max_memory": None}) == Limits(max_time=5.0)


def test_every_default_can_be_typed_as_it_is_shown():
    for flag in FLAGS:
        if flag.shown_default != "none":
            assert flag.parse(flag.shown_default) == flag.default
