"""Members of tar archives, as the stream reader finds them."""

from __future__ import annotations

import contextlib
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.tapes import member
from support.tapes import plain as made
from trex.errors import OperationError
from trex.resources.tar import MAX_EXTENDED, Archive, MemberRefused

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def pieces(data: bytes, size: int = 4096) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def listed(data: bytes, size: int = 4096) -> list[tuple[str, bool, bytes]]:
    archive = Archive(pieces(data, size), checked=False)
    return [(each.shown, each.is_directory, b"".join(archive.content())) for each in archive]


def refused(data: bytes) -> str:
    with pytest.raises(OperationError) as failed:
        listed(data)
    assert failed.value.kind == "IoError"
    return failed.value.message


def patched(data: bytes, position: int, value: bytes) -> bytes:
    """The archive with other bytes in its first header, and a check sum that fits."""
    raw = bytearray(data)
    raw[position : position + len(value)] = value
    raw[148:156] = b"        "
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    return bytes(raw)


# --- well-formed archives ---


@pytest.mark.parametrize("format", FORMATS.values(), ids=list(FORMATS))
@pytest.mark.parametrize("size", [1, 100, 512, 1000, 1 << 20])
def test_members_come_with_name_kind_and_content(format, size):
    data = made(
        member("a", b"one"),
        member("sub", type=tarfile.DIRTYPE),
        member("sub/b", b"x" * 1500),
        member("empty", b""),
        member("full", b"y" * 1024),
        format=format,
    )
    assert listed(data, size) == [
        ("a", False, b"one"),
        ("sub/", True, b""),
        ("sub/b", False, b"x" * 1500),
        ("empty", False, b""),
        ("full", False, b"y" * 1024),
    ]


@pytest.mark.parametrize("format", FORMATS.values(), ids=list(FORMATS))
def test_members_that_are_not_read_are_skipped(format):
    data = made(*(member(f"f{number}", bytes(number * 100)) for number in range(30)), format=format)
    assert [each.shown for each in Archive(pieces(data), checked=False)] == [f"f{number}" for number in range(30)]


@pytest.mark.parametrize("name", ["d/" * 60 + "f", "n" * 150, "é" * 90, "d" * 200 + "/" + "f" * 200])
@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
def test_long_names_are_whole(name, format):
    data = made(member(name, b"one"), member("after", b"two"), format=format)
    assert [(shown, content) for shown, _, content in listed(data)] == [(name, b"one"), ("after", b"two")]


def test_a_name_in_two_parts_is_whole():
    name = "d" * 100 + "/" + "f" * 90
    data = made(member(name, b"one"), format=tarfile.USTAR_FORMAT)
    assert data[345:347] == b"dd"
    assert listed(data)[0][0] == name


def test_a_name_that_is_not_utf8_has_a_text_of_its_own():
    data = made(member("caf\udce9", b"x"), format=tarfile.GNU_FORMAT, errors="surrogateescape")
    (name, _, _) = listed(data)[0]
    assert name == "caf" + chr(0x10FEE9)


@pytest.mark.parametrize("mtime", [0, 1.5, -1.25, 1_000_000_000.123456])
def test_times_have_their_fractions(mtime):
    data = made(member("a", mtime=mtime, pax_headers={"mtime": str(mtime)}))
    (found,) = Archive(pieces(data), checked=False)
    assert found.modified == pytest.approx(mtime * 1e9, abs=1)


def test_mode_and_owner_are_those_of_the_header():
    data = made(member("a", mode=0o6751, uname="someone", gname="some", uid=7), format=tarfile.GNU_FORMAT)
    (found,) = Archive(pieces(data), checked=False)
    assert (found.mode, found.user, found.group) == (0o6751, "someone", "some")


def test_owners_in_an_extended_header_count():
    data = made(member("a", pax_headers={"uname": "é" * 40, "gname": "g" * 50}))
    (found,) = Archive(pieces(data), checked=False)
    assert (found.user, found.group) == ("é" * 40, "g" * 50)


def test_the_oldest_form_has_directories_by_their_names():
    data = made(member("d/"), member("f", b"x"), format=tarfile.USTAR_FORMAT)
    for number in range(2):
        start = number * 512
        data = data[:start] + patched(data[start:], 257, bytes(8) + bytes(247))
        data = data[:start] + patched(data[start:], 156, b"\0")
    assert listed(data) == [("d/", True, b""), ("f", False, b"x")]


def test_records_for_all_members_count_unless_one_has_its_own():
    data = made(
        member("a"), member("b", pax_headers={"uname": "other"}), pax_headers={"uname": "common", "comment": "x"}
    )
    assert [each.user for each in Archive(pieces(data), checked=False)] == ["common", "other"]


def test_a_size_in_base_256_is_read():
    data = made(member("a", b"x" * 10), format=tarfile.GNU_FORMAT)
    data = patched(data, 124, b"\x80" + bytes(10) + b"\x0a")
    assert listed(data) == [("a", False, b"x" * 10)]


def test_a_check_sum_of_signed_bytes_is_accepted():
    data = made(member("caf\udce9", b"x"), format=tarfile.GNU_FORMAT, errors="surrogateescape")
    signed = sum(each - 256 if each > 127 else each for each in data[:148] + b" " * 8 + data[156:512])
    data = data[:148] + b"%06o\0 " % signed + data[156:]
    assert len(listed(data)) == 1


def test_an_archive_of_nothing_has_no_members():
    assert listed(made()) == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300).filter(
                lambda name: name.strip("/") and len(name.encode()) < 600 and not name.endswith("/")
            ),
            st.binary(max_size=2000),
        ),
        max_size=6,
    ),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.integers(1, 3000),
)
def test_what_python_writes_is_read(files, format, size):
    data = made(*(member(name, content) for name, content in files), format=format)
    assert listed(data, size) == [(name, False, content) for name, content in files]


# --- members that are not extracted ---


@pytest.mark.parametrize(
    "type, text",
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.FIFOTYPE, "a FIFO"),
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.BLKTYPE, "a block device"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (b"M", "a part of a file that began in another archive"),
        (b"V", "a volume's label"),
        (b"D", "a directory with a list of what it held"),
        (b"Z", "of an unknown kind ('Z')"),
    ],
)
def test_what_is_no_file_or_directory_is_refused_by_name(type, text):
    data = patched(made(member("m", linkname="/etc/passwd"), format=tarfile.GNU_FORMAT), 156, type)
    with pytest.raises(MemberRefused) as refused:
        listed(made(member("first"))[:512] + data)
    assert (refused.value.number, refused.value.name) == (2, b"m")
    assert refused.value.failure.message == f"Unsupported Operation error: {text} is not extracted"


@pytest.mark.parametrize("key", ["GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size"])
def test_sparse_files_of_the_newer_kind_are_refused(key):
    """They look like a plain file whose content begins with a list of where its pieces go."""
    with pytest.raises(MemberRefused) as refused:
        listed(made(member("m", b"x", pax_headers={key: "1"})))
    assert "sparse" in refused.value.failure.message


# --- malformed archives ---

GOOD = made(member("a", b"x" * 600), member("b", b"y"), format=tarfile.GNU_FORMAT)


def extended(records: bytes, type: bytes = tarfile.XHDTYPE) -> bytes:
    """An archive whose member has this extended header."""
    header = tarfile.TarInfo("header")
    header.type, header.size = type, len(records)
    raw = header.tobuf(tarfile.USTAR_FORMAT)
    return raw + records + bytes(-len(records) % 512) + GOOD


def record(text: bytes) -> bytes:
    """A record with its length in front."""
    length = len(text) + 4
    return b"%03d " % length + text


@pytest.mark.parametrize(
    "data, text",
    {
        "nothing at all": (b"", "unexpected end of file"),
        "half a header": (GOOD[:300], "unexpected end of file"),
        "half a content": (GOOD[:900], "unexpected end of file"),
        "no padding": (GOOD[: 512 + 600], "unexpected end of file"),
        "no end": (GOOD[: 512 + 1024 + 512 + 512], "unexpected end of file"),
        "no archive": (b"hello world " * 100, "invalid tar archive, member 1: its check sum is no number"),
        "a flipped bit": (b"b" + GOOD[1:], "invalid tar archive, member 1: its check sum is wrong"),
        "a size that is no number": (
            patched(GOOD, 124, b"1 2"),
            "invalid tar archive, member 1: its size is no number",
        ),
        "a negative size": (patched(GOOD, 124, b"\xff" * 12), "invalid tar archive, member 1: its size is no number"),
        "a size out of range": (
            patched(GOOD, 124, b"\x80" + b"\xff" * 11),
            "invalid tar archive, member 1: its size is out of range",
        ),
        "a time out of range": (
            patched(GOOD, 136, b"\x80" + b"\x7f" * 11),
            "invalid tar archive, member 1: its time is out of range",
        ),
        "a directory with content": (
            patched(GOOD, 156, b"5"),
            "invalid tar archive, member 1: a directory with content",
        ),
        "no name": (
            patched(GOOD, 0, bytes(1)),
            "invalid tar archive, member 1: its name is empty, too long, or has a NUL byte",
        ),
        "members behind the end": (GOOD + GOOD, "invalid tar archive: something follows its end"),
        "members behind one header of zeros": (
            GOOD[:1536] + bytes(512) + GOOD,
            "invalid tar archive: something follows its end",
        ),
        "a long name without a member": (
            extended(b"long/name\0", b"L")[:1024] + bytes(1024),
            "invalid tar archive, member 1: a long name or extended header without a member",
        ),
        "a huge extended header": (
            patched(extended(b"x"), 124, b"%011o\0" % (MAX_EXTENDED + 1)),
            f"invalid tar archive, member 1: an extended header of {MAX_EXTENDED + 1} bytes",
        ),
        "half an extended header": (extended(b"x" * 600)[:700], "unexpected end of file"),
        "one name for all": (
            extended(record(b"path=/etc/passwd\n"), b"g"),
            "invalid tar archive, member 1: one name or size for all members",
        ),
    }.values(),
)
def test_a_malformed_archive_fails_with_the_reason(data, text):
    assert refused(data) == text


@pytest.mark.parametrize(
    "records",
    [
        b"no length\n",
        b"0 a=b\n",
        b"6 a=b\nx",
        b"999 a=b\n",
        b"7 a=b\n",
        b"5 ab\n",
        b"5 =b\n",
        b"-6 a=b\n",
        b"99999999999999999999 a=b\n",
        b" a=b\n",
        b"6 a=bc",
    ],
)
def test_extended_headers_that_do_not_parse_fail(records):
    assert refused(extended(records)) == "invalid tar archive, member 1: an extended header that does not parse"


@pytest.mark.parametrize("value", [b"-1", b"1e3", b"0x10", b"9" * 21, b" 1"])
def test_a_size_in_an_extended_header_is_a_number(value):
    assert refused(extended(record(b"size=" + value + b"\n"))).startswith("invalid tar archive, member 1: its size is")


@pytest.mark.parametrize("value", [b"now", b"1.x", b"--1", b"9" * 13, b"9" * 11])
def test_a_time_in_an_extended_header_is_a_number(value):
    assert refused(extended(record(b"mtime=" + value + b"\n"))).startswith("invalid tar archive, member 1: its time is")


@pytest.mark.parametrize("path", [b"a\0b", b"x/" * 2100])
def test_a_name_in_an_extended_header_is_a_name(path):
    text = b"path=" + path + b"\n"
    length = len(text) + 5
    length = len(b"%d " % length) + len(text)
    assert refused(extended(b"%d " % length + text)).endswith("its name is empty, too long, or has a NUL byte")


def test_an_empty_record_takes_back_an_earlier_one():
    assert listed(extended(record(b"path=other\n") + record(b"path=\n")))[0][0] == "a"


def test_no_memory_is_needed_for_records_that_nobody_knows():
    """A name of a record may be new each time, and a header for all members comes before any."""
    records = b"".join(record(b"k%07d=\n" % number) for number in range(20_000))
    data = extended(records, b"g")
    archive = Archive(pieces(data), checked=False)
    assert [each.shown for each in archive] == ["a", "b"]


def test_a_stream_that_checks_itself_needs_no_end():
    data = GOOD[: 512 + 1024 + 512 + 512]
    assert [each.shown for each in Archive(pieces(data), checked=True)] == ["a", "b"]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=20), st.booleans())
def test_any_damage_is_an_error_or_another_archive(position, noise, with_sum):
    """Whatever the bytes are: members, a failure that says why, or a refusal; nothing else."""
    data = GOOD[:position] + noise + GOOD[position + len(noise) :]
    if with_sum and position < 500:
        data = patched(data, position, noise[: 512 - position])
    with contextlib.suppress(OperationError, MemberRefused):
        listed(data)
