"""Compressed files that stay open: what their methods give, and what they refuse."""

from __future__ import annotations

import gzip
import os
import random
import subprocess

import pytest

from support.host import EVERYTHING, Broker, Failure, made
from trex.errors import LimitExceeded
from trex.limits import MIB, Limits
from trex.values import Object

LINES = [f"line {number}" for number in range(1, 101)]
TEXT = "".join(f"{line}\n" for line in LINES).encode()


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "one.gz").write_bytes(gzip.compress(TEXT))
    (tmp_path / "many.gz").write_bytes(b"".join(gzip.compress(f"{line}\n".encode()) for line in LINES))
    (tmp_path / "plain").write_bytes(TEXT)
    return tmp_path


@pytest.fixture
def broker():
    return Broker()


def opened(broker: Broker, tree: object, name: str) -> Object:
    return broker.file(broker.directory(tree), name, read=True)


def failed(broker: Broker, operation: str, *arguments: object) -> Failure:
    with pytest.raises(Failure) as caught:
        broker.call(operation, *arguments)
    return caught.value


def numbers(matches: list[Object]) -> list[int]:
    return [match.fields["line_number"] for match in matches]


# --- lines ---


@pytest.mark.parametrize("name", ["one.gz", "many.gz"])
@pytest.mark.parametrize(
    "given, lines",
    [
        ({"count": 3}, LINES[:3]),
        ({"count": 200}, LINES),
        ({"count": 2, "start": 5}, LINES[4:6]),
        ({"count": 5, "start": 99}, LINES[98:]),
        ({"count": 5, "start": 101}, []),
        ({"count": 0}, []),
        ({"count": 0, "start": 3}, []),
        ({"count": -3}, LINES[-3:]),
        ({"count": -3, "start": 10}, LINES[7:10]),
        ({"count": -2, "start": 1000}, LINES[-2:]),
        ({"start": 98}, LINES[97:]),
    ],
)
def test_lines_are_chosen_as_in_a_plain_file(broker, tree, name, given, lines):
    """In a file of several members Rex reads the first one only."""
    options = made("ReadLinesOptions", **given)
    assert broker.call("archives.read_gzip_lines", opened(broker, tree, name), options) == lines


def test_lines_need_a_count_or_a_start(broker, tree):
    failure = failed(broker, "archives.read_gzip_lines", opened(broker, tree, "one.gz"), made("ReadLinesOptions"))
    assert (failure.kind, failure.message) == (
        "ValidationError",
        "Validation error: Must specify count or start option",
    )


def test_a_compressed_file_can_be_read_again_and_again(broker, tree):
    """Whatever was done with the file before (W-D10)."""
    file = opened(broker, tree, "one.gz")
    for count in (1, 2, 1):
        assert len(broker.call("archives.read_gzip_lines", file, made("ReadLinesOptions", count=count))) == count
        broker.call("archives.gzip_info", file)


# --- search ---


@pytest.mark.parametrize("name", ["one.gz", "many.gz"])
@pytest.mark.parametrize(
    "pattern, given, found",
    [
        ("9$", {}, [9, 19, 29, 39, 49, 59, 69, 79, 89, 99]),
        ("LINE 9.", {}, []),
        ("LINE 9.", {"case_insensitive": True}, list(range(90, 100))),
        ("9", {"exclude_pattern": "9$"}, list(range(90, 99))),
        ("LINE", {"case_insensitive": True, "exclude_pattern": "LINE", "max_results": 1}, [1]),
        ("0$", {"max_results": 2}, [10, 20]),
        ("0$", {"max_results": -2}, [90, 100]),
        ("0$", {"max_results": 200}, list(range(10, 101, 10))),
        ("0$", {"max_results": -200}, list(range(10, 101, 10))),
    ],
)
def test_a_search_gives_the_chosen_lines_with_their_numbers(broker, tree, name, pattern, given, found):
    matches = broker.call(
        "archives.search_gzip", opened(broker, tree, name), pattern, made("SearchGzipOptions", **given)
    )
    assert numbers(matches) == found
    assert [match.fields["line_content"] for match in matches] == [f"line {number}" for number in found]


@pytest.mark.parametrize("pattern, given, exists", [("99", {}, True), ("99", {"exclude_pattern": "l"}, False)])
def test_whether_a_line_exists_minds_what_is_excluded(broker, tree, pattern, given, exists):
    options = made("SearchGzipOptions", **given)
    assert broker.call("archives.search_gzip_exists", opened(broker, tree, "many.gz"), pattern, options) is exists


@pytest.mark.parametrize("operation", ["archives.search_gzip", "archives.search_gzip_exists"])
@pytest.mark.parametrize("pattern, given", [("(", {}), ("l", {"exclude_pattern": "("})])
def test_a_pattern_that_does_not_parse_is_told(broker, tree, operation, pattern, given):
    failure = failed(broker, operation, opened(broker, tree, "one.gz"), pattern, made("SearchGzipOptions", **given))
    assert failure.kind == "ValidationError"
    assert failure.message.startswith("Validation error: Invalid regex pattern: '('")


def test_the_search_for_one_line_ends_there(broker, tree):
    (tree / "cut.gz").write_bytes((tree / "many.gz").read_bytes()[:200])
    file = opened(broker, tree, "cut.gz")
    assert broker.call("archives.search_gzip_exists", file, "line 1", made("SearchGzipOptions"))
    assert numbers(broker.call("archives.search_gzip", file, "1", made("SearchGzipOptions", max_results=1))) == [1]


def test_a_line_that_is_not_utf8_fails_where_it_is_reached(broker, tree):
    """Rex ends the search there and gives what it has as if it were all."""
    (tree / "latin.gz").write_bytes(gzip.compress(b"fine\n\xe9t\xe9\nfine\n"))
    file = opened(broker, tree, "latin.gz")
    assert numbers(broker.call("archives.search_gzip", file, "fine", made("SearchGzipOptions", max_results=1))) == [1]
    failure = failed(broker, "archives.search_gzip", file, "fine", made("SearchGzipOptions"))
    assert (failure.kind, failure.message) == ("IoError", "stream did not contain valid UTF-8")


# --- sizes ---


@pytest.mark.parametrize("name", ["one.gz", "many.gz"])
def test_the_size_of_what_is_packed_is_counted(broker, tree, name):
    size = (tree / name).stat().st_size
    info = broker.call("archives.gzip_info", opened(broker, tree, name)).fields
    assert info["compressed_size_bytes"] == size
    assert info["uncompressed_size_bytes"] == len(TEXT)
    assert info["compression_ratio"] == len(TEXT) / size


def test_a_gzip_file_that_holds_nothing_has_the_ratio_nothing(broker, tree):
    (tree / "nothing.gz").write_bytes(gzip.compress(b""))
    assert broker.call("archives.gzip_info", opened(broker, tree, "nothing.gz")).fields["compression_ratio"] == 0.0


# --- damaged files ---

READERS = [
    ("archives.read_gzip_lines", [made("ReadLinesOptions", count=-1)]),
    ("archives.search_gzip", ["no such", made("SearchGzipOptions")]),
    ("archives.search_gzip_exists", ["no such", made("SearchGzipOptions")]),
    ("archives.gzip_info", []),
]

PACKED = gzip.compress(random.Random(1).randbytes(50_000).hex().encode())
DAMAGED = {
    "empty": (b"", "unexpected end of file"),
    "short": (b"hello", "invalid gzip header"),
    "plain": (TEXT, "invalid gzip header"),
    "half a header": (PACKED[:7], "unexpected end of file"),
    "cut off": (PACKED[:40_000], "incomplete deflate stream"),
    "without its size": (PACKED[:-4], "unexpected end of file"),
    "another method": (b"\x1f\x8b\x07" + PACKED[3:], "invalid gzip header"),
    "a wrong check": (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "corrupt gzip stream does not have a matching checksum"),
    "a wrong size": (PACKED[:-4] + b"\0\0\0\0", "corrupt gzip stream does not have a matching checksum"),
    "a wrong block": (gzip.compress(TEXT)[:10] + b"\xff" * 40, "corrupt deflate stream"),
    "something behind": (PACKED + b"garbage", "invalid gzip header after 1 complete members"),
    "half a member behind": (PACKED + PACKED[:500], "incomplete deflate stream"),
}


@pytest.mark.parametrize("operation, arguments", READERS, ids=[operation for operation, _ in READERS])
@pytest.mark.parametrize("content, message", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_file_fails_instead_of_ending_early(broker, tree, operation, arguments, content, message):
    (tree / "damaged.gz").write_bytes(content)
    failure = failed(broker, operation, opened(broker, tree, "damaged.gz"), *arguments)
    assert (failure.kind, failure.message) == ("IoError", message)


def test_zeros_may_follow_the_last_member(broker, tree):
    (tree / "padded.gz").write_bytes(PACKED + b"\0" * 100_000)
    info = broker.call("archives.gzip_info", opened(broker, tree, "padded.gz")).fields
    assert info["uncompressed_size_bytes"] == 100_000


# --- bounds ---


def test_a_bomb_without_line_ends_hits_the_limit_of_a_line(tree):
    """W-X1: nothing bounded what comes out."""
    (tree / "bomb.gz").write_bytes(gzip.compress(bytes(64 * MIB)))
    broker = Broker(limits=Limits(max_read=1 * MIB))
    file = opened(broker, tree, "bomb.gz")
    for operation, arguments in READERS[:3]:
        with pytest.raises(LimitExceeded) as exceeded:
            broker.call(operation, file, *arguments)
        assert exceeded.value.limit == "max_read"
    assert broker.call("archives.gzip_info", file).fields["uncompressed_size_bytes"] == 64 * MIB


def test_a_bomb_of_empty_lines_hits_the_limit_of_what_is_kept(tree):
    (tree / "bomb.gz").write_bytes(gzip.compress(b"\n" * (1 * MIB)))
    for given in ({}, {"max_results": -MIB}):
        broker = Broker(limits=Limits(max_read=1 * MIB))
        with pytest.raises(LimitExceeded) as exceeded:
            broker.call("archives.search_gzip", opened(broker, tree, "bomb.gz"), "", made("SearchGzipOptions", **given))
        assert exceeded.value.limit == "max_read"


@pytest.mark.parametrize("operation, arguments", READERS, ids=[operation for operation, _ in READERS])
def test_unpacking_ends_at_the_deadline(tree, operation, arguments):
    """Each block of a file of tiny members, and each block of one that unpacks to gigabytes, looks at the clock."""
    (tree / "bomb.gz").write_bytes(gzip.compress(b"x\n" * (2 * MIB)) * 4000 + gzip.compress(b"") * 100_000)
    broker = Broker()
    file = opened(broker, tree, "bomb.gz")
    broker.budget.deadline -= broker.limits.max_time - 0.2
    with pytest.raises(LimitExceeded) as exceeded:
        broker.call(operation, file, *arguments)
    assert exceeded.value.limit == "max_time"


# --- compress ---


def compress(broker: Broker, tree: object, source: str, dest: str, **options: int) -> Object:
    directory = broker.directory(tree)
    target = broker.file(directory, dest, write=True, create=True)
    file = broker.file(directory, source, read=True)
    broker.call("archives.compress_gzip", file, target, made("CompressGzipOptions", **options))
    return target


@pytest.mark.parametrize("options", [{}, {"level": 1}, {"level": 9}])
def test_what_is_compressed_can_be_unpacked(broker, tree, options):
    compress(broker, tree, "plain", "made.gz", **options)
    assert gzip.decompress((tree / "made.gz").read_bytes()) == TEXT
    assert (tree / "plain").read_bytes() == TEXT


def test_an_empty_file_can_be_compressed(broker, tree):
    (tree / "empty").touch()
    compress(broker, tree, "empty", "made.gz")
    assert gzip.decompress((tree / "made.gz").read_bytes()) == b""


def test_nothing_of_a_longer_old_content_stays(broker, tree):
    """Rex writes over the old content and leaves what is longer (W-D4)."""
    (tree / "made.gz").write_bytes(b"x" * 10_000)
    compress(broker, tree, "plain", "made.gz")
    assert gzip.decompress((tree / "made.gz").read_bytes()) == TEXT


def test_the_destination_keeps_its_mode_and_owner(broker, tree):
    (tree / "made.gz").write_bytes(b"old")
    os.chmod(tree / "made.gz", 0o640)
    if os.geteuid() == 0:
        os.chown(tree / "made.gz", 12345, 54321)
    before = (tree / "made.gz").stat()
    compress(broker, tree, "plain", "made.gz")
    after = (tree / "made.gz").stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_the_destination_can_be_used_after_it_was_filled(broker, tree):
    directory = broker.directory(tree)
    target = broker.file(directory, "made.gz", read=True, write=True, create=True)
    source = broker.file(directory, "plain", read=True)
    for _ in range(2):
        broker.call("archives.compress_gzip", source, target, made("CompressGzipOptions"))
        info = broker.call("archives.gzip_info", target).fields
        assert info["uncompressed_size_bytes"] == len(TEXT)
        size = broker.call("files.file_metadata", target).fields["file_size"]
        assert size == info["compressed_size_bytes"] == (tree / "made.gz").stat().st_size
    broker.call("files.delete_file", target, made("DeleteFileOptions"))
    assert not (tree / "made.gz").exists()


def test_who_reads_the_destination_sees_the_old_content_or_the_new(broker, tree):
    (tree / "made.gz").write_bytes(b"old")
    with (tree / "made.gz").open("rb") as reader:
        compress(broker, tree, "plain", "made.gz")
        assert reader.read() == b"old"


def test_a_file_is_not_compressed_into_itself(broker, tree):
    directory = broker.directory(tree)
    os.link(tree / "plain", tree / "linked")
    for name in ("plain", "linked"):
        failure = failed(
            broker,
            "archives.compress_gzip",
            broker.file(directory, "plain", read=True),
            broker.file(directory, name, write=True),
            made("CompressGzipOptions"),
        )
        assert failure.message == "Invalid arguments: the source and the destination are the same file"
    assert (tree / "plain").read_bytes() == TEXT


def test_a_destination_that_somebody_replaced_is_left_alone(broker, tree):
    """Its name must still be the file that was judged (W-C1)."""
    directory = broker.directory(tree)
    target = broker.file(directory, "made.gz", write=True, create=True)
    (tree / "theirs").write_text("theirs")
    os.rename(tree / "theirs", tree / "made.gz")
    source = broker.file(directory, "plain", read=True)
    failure = failed(broker, "archives.compress_gzip", source, target, made("CompressGzipOptions"))
    assert failure.kind == "FileError"
    assert (tree / "made.gz").read_text() == "theirs"
    assert sorted(os.listdir(tree)) == ["made.gz", "many.gz", "one.gz", "plain"]


def test_a_destination_that_was_not_opened_for_writing_is_refused(broker, tree):
    directory = broker.directory(tree)
    source = broker.file(directory, "plain", read=True)
    failure = failed(broker, "archives.compress_gzip", source, source, made("CompressGzipOptions"))
    assert failure.kind == "InvalidFileMode"
    assert "without opening it with the write option" in failure.message
    failure = failed(
        broker,
        "archives.compress_gzip",
        broker.file(directory, "one.gz", write=True),
        broker.file(directory, "many.gz", write=True),
        made("CompressGzipOptions"),
    )
    assert "without opening it with the read option" in failure.message


@pytest.mark.parametrize("level", [0, 10])
def test_a_level_is_from_1_to_9(broker, tree, level):
    failure = failed(
        broker,
        "archives.compress_gzip",
        opened(broker, tree, "plain"),
        broker.file(broker.directory(tree), "one.gz", write=True),
        made("CompressGzipOptions", level=level),
    )
    assert failure.message == f"Validation error: Compression level must be between 1 and 9, got {level}"


def test_what_is_written_counts(tree):
    (tree / "noise").write_bytes(random.Random(2).randbytes(MIB))
    broker = Broker(limits=Limits(max_write=MIB // 2))
    with pytest.raises(LimitExceeded) as exceeded:
        compress(broker, tree, "noise", "made.gz")
    assert exceeded.value.limit == "max_write"
    assert (tree / "made.gz").read_bytes() == b""
    assert not [name for name in os.listdir(tree) if name.startswith(".trex-")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_file_whose_place_no_other_can_take_is_filled_in_place(broker, tree):
    """A file that is a mount point, as in containers, cannot be replaced."""
    (tree / "below").write_bytes(b"x" * 10_000)
    (tree / "made.gz").touch()
    mounted = subprocess.run(["mount", "--bind", tree / "below", tree / "made.gz"], capture_output=True)
    if mounted.returncode:
        pytest.skip("this process may not mount")
    try:
        compress(broker, tree, "plain", "made.gz")
    finally:
        subprocess.run(["umount", "-l", tree / "made.gz"], check=True)
    assert gzip.decompress((tree / "below").read_bytes()) == TEXT
    assert not [name for name in os.listdir(tree) if name.startswith(".trex-")]


# --- what is asked ---


def permit(tree: object, *rows: tuple[str, str]) -> str:
    return "\n".join(
        f'permit (principal, action == file_system::Action::"{verb}", resource == file_system::File::"{tree}/{name}");'
        for verb, name in rows
    )


@pytest.mark.parametrize("operation, arguments", READERS, ids=[operation for operation, _ in READERS])
def test_reading_asks_to_read(tree, operation, arguments):
    everything = Broker()
    file = opened(everything, tree, "one.gz")
    del everything.audit.asked[:]
    everything.call(operation, file, *arguments)
    assert everything.asked == [f"read File {tree}/one.gz"]
    denying = Broker(EVERYTHING + 'forbid (principal, action == file_system::Action::"read", resource);')
    assert failed(denying, operation, opened(denying, tree, "one.gz"), *arguments).kind == "PermissionDenied"


def test_compressing_asks_to_read_and_to_write(broker, tree):
    compress(broker, tree, "plain", "made.gz")
    assert broker.asked[-2:] == [f"read File {tree}/plain", f"write File {tree}/made.gz"]
    for verb in ("read", "write"):
        (tree / "made.gz").write_bytes(b"old")
        denying = Broker(EVERYTHING + f'forbid (principal, action == file_system::Action::"{verb}", resource);')
        with pytest.raises(Failure) as caught:
            compress(denying, tree, "plain", "made.gz")
        assert caught.value.kind == "PermissionDenied"
        assert (tree / "made.gz").read_bytes() == b"old"
