"""Extracting archives: what is made, what is asked, what is refused, and what is said when it fails."""

from __future__ import annotations

import gc
import grp
import gzip
import io
import os
import pwd
import stat
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from support.host import EVERYTHING, Broker, Failure, made
from support.tapes import DEVICE, DIRECTORY, FIFO, HARD, LINK, member, packed, plain
from trex.errors import LimitExceeded
from trex.limits import KIB, MIB, Limits
from trex.resources import extraction, tar

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def extract(broker: Broker, tree: Path, data: bytes, **options: bool) -> None:
    (tree / "archive").write_bytes(data)
    file = broker.file(broker.directory(tree), "archive", read=True)
    directory = broker.directory(tree / "out")
    broker.call("archives.extract_archive", file, directory, made("ExtractArchiveOptions", **options))


def failed(broker: Broker, tree: Path, data: bytes, **options: bool) -> Failure:
    with pytest.raises(Failure) as caught:
        extract(broker, tree, data, **options)
    return caught.value


def state(path: Path) -> dict[str, Any]:
    """Every name below, with the content of files."""
    return {
        str(each.relative_to(path)): each.read_bytes() if each.is_file() and not each.is_symlink() else None
        for each in sorted(path.rglob("*"))
    }


TREE = (
    member("a", b"one"),
    member("sub/", type=DIRECTORY),
    member("sub/b", b"two"),
    member("x/y/z", b"three"),
    member("./dot/c", b"four"),
    member("empty/", type=DIRECTORY),
    member("nothing", b""),
)
MADE = {
    "a": b"one", "dot": None, "dot/c": b"four", "empty": None, "nothing": b"", "sub": None, "sub/b": b"two",
    "x": None, "x/y": None, "x/y/z": b"three",
}  # fmt: skip


# --- what is made ---


@pytest.mark.parametrize("archive", [packed, plain], ids=["compressed", "plain"])
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_files_and_directories_are_made(broker, tree, archive, format):
    extract(broker, tree, archive(*TREE, format=format))
    assert state(tree / "out") == MADE


def test_an_archive_of_several_gzip_members_is_extracted(broker, tree):
    data = plain(*TREE)
    extract(broker, tree, gzip.compress(data[:1000]) + gzip.compress(data[1000:]))
    assert state(tree / "out") == MADE


def test_an_archive_can_be_extracted_again(broker, tree):
    """Whatever was read of it before (W-D10); what is there is replaced."""
    data = packed(*TREE)
    for _ in range(2):
        extract(broker, tree, data)
    assert state(tree / "out") == MADE


def test_what_tar_itself_writes_is_extracted_with_modes_and_times(broker, tree):
    source = tree / "source"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "deep" / "er" / ("long" * 60)).write_bytes(os.urandom(300_000))
    (source / "script").write_text("#!/bin/sh\n")
    os.chmod(source / "script", 0o750)
    os.chmod(source / "deep", 0o500)
    os.utime(source / "script", ns=(1, 1_234_567_890_123_456_789))
    for form in ("gnu", "posix"):
        subprocess.run(["tar", f"--format={form}", "-czf", tree / "archive", "-C", source, "."], check=True)
        extract(broker, tree, (tree / "archive").read_bytes())
        assert state(tree / "out") == state(source)
        assert (tree / "out" / "script").stat().st_mode == (source / "script").stat().st_mode
        assert stat.S_IMODE((tree / "out" / "deep").stat().st_mode) == 0o500
        expected = 1_234_567_890_123_456_789 if form == "posix" else 1_234_567_890_000_000_000
        assert (tree / "out" / "script").stat().st_mtime_ns == expected
        os.chmod(tree / "out" / "deep", 0o700)
    os.chmod(source / "deep", 0o700)


def test_modes_and_times_are_those_of_the_archive(broker, tree):
    data = packed(
        member("f", b"x", mode=0o640), member("d/", type=DIRECTORY, mode=0o510), member("d/g", b"y", mode=0o400)
    )
    extract(broker, tree, data)
    modes = {name: stat.S_IMODE((tree / "out" / name).stat().st_mode) for name in ("f", "d", "d/g")}
    assert modes == {"f": 0o640, "d": 0o510, "d/g": 0o400}
    assert all((tree / "out" / name).stat().st_mtime == 1_000_000_000 for name in ("f", "d", "d/g"))
    assert (tree / "out" / "f").stat().st_atime > time.time() - 60
    os.chmod(tree / "out" / "d", 0o700)


def test_modes_and_times_are_new_if_they_are_not_to_be_kept(broker, tree):
    data = packed(member("f", b"x", mode=0o777), member("d/", type=DIRECTORY, mode=0o700))
    extract(broker, tree, data, preserve_permissions=False, preserve_timestamps=False)
    assert stat.S_IMODE((tree / "out" / "f").stat().st_mode) == 0o644
    assert stat.S_IMODE((tree / "out" / "d").stat().st_mode) == 0o755
    assert (tree / "out" / "f").stat().st_mtime > time.time() - 60


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1755, 0o7777])
@pytest.mark.parametrize("kept", [True, False])
def test_no_member_gets_a_bit_that_lends_its_owners_rights(broker, tree, mode, kept):
    """Rex sets the mode of the archive as it is, setuid included (W-E6)."""
    data = packed(member("f", b"x", mode=mode), member("d/", type=DIRECTORY, mode=mode))
    extract(broker, tree, data, preserve_permissions=kept)
    for name in ("f", "d"):
        assert (tree / "out" / name).stat().st_mode & 0o7000 == 0


@pytest.mark.skipif(not IS_ROOT, reason="only root may give files away")
def test_owners_are_kept_by_their_names(broker, tree):
    data = packed(member("f", b"x", uname="nobody", gname="nogroup", uid=1, gid=1, mode=0o6711), member("g", b"y"))
    if "nogroup" not in [each.gr_name for each in grp.getgrall()]:
        pytest.skip("this host has no group `nogroup`")
    extract(broker, tree, data, preserve_ownership=True)
    found = (tree / "out" / "f").stat()
    assert (found.st_uid, found.st_gid) == (pwd.getpwnam("nobody").pw_uid, grp.getgrnam("nogroup").gr_gid)
    assert stat.S_IMODE(found.st_mode) == 0o711
    assert (tree / "out" / "g").stat().st_uid == os.geteuid()


@pytest.mark.skipif(IS_ROOT, reason="root may give files away")
def test_an_ordinary_user_may_not_give_files_away(broker, tree):
    failure = failed(broker, tree, packed(member("f", b"x", uname="root")), preserve_ownership=True)
    assert failure.kind == "IoError"
    assert failure.message.startswith("Failed to change ownership. CAP_CHOWN capability is required")
    assert state(tree / "out") == {}


def test_owners_are_not_kept_unless_that_is_wanted(broker, tree):
    extract(broker, tree, packed(member("f", b"x", uname="nobody", uid=65534)))
    assert (tree / "out" / "f").stat().st_uid == os.geteuid()


def test_the_directory_itself_may_be_a_member(broker, tree):
    extract(broker, tree, packed(member("./", type=DIRECTORY, mode=0o711), member("./a", b"x")))
    assert stat.S_IMODE((tree / "out").stat().st_mode) == 0o711
    assert state(tree / "out") == {"a": b"x"}


def test_of_two_members_with_one_name_the_last_one_stays(broker, tree):
    extract(broker, tree, packed(member("a", b"first"), member("a", b"second")))
    assert state(tree / "out") == {"a": b"second"}


def test_a_file_that_is_there_is_replaced_as_a_whole(broker, tree):
    (tree / "out" / "a").write_text("old")
    os.chmod(tree / "out" / "a", 0o600)
    os.link(tree / "out" / "a", tree / "other-name")
    with (tree / "out" / "a").open() as reader:
        extract(broker, tree, packed(member("a", b"new")))
        assert reader.read() == "old"
    assert (tree / "out" / "a").read_text() == "new"
    assert stat.S_IMODE((tree / "out" / "a").stat().st_mode) == 0o644
    assert (tree / "other-name").read_text() == "old"


def test_a_directory_that_is_there_keeps_what_it_holds(broker, tree):
    (tree / "out" / "sub").mkdir()
    (tree / "out" / "sub" / "mine").write_text("mine")
    extract(broker, tree, packed(*TREE))
    assert state(tree / "out") == MADE | {"sub/mine": b"mine"}


def test_names_that_are_not_utf8_stay_what_they_are(broker, tree):
    extract(broker, tree, packed(member("caf\udce9", b"x"), format=tarfile.GNU_FORMAT, errors="surrogateescape"))
    assert os.listdir(os.fsencode(tree / "out")) == [b"caf\xe9"]


def test_an_archive_without_members_makes_nothing(broker, tree):
    extract(broker, tree, packed())
    assert state(tree / "out") == {}


# --- what is refused, with everything else of the archive ---


@pytest.mark.parametrize(
    "bad, kind, text",
    [
        (member("l", type=LINK, linkname="a"), "UnsupportedOperationError", "a symbolic link is not extracted"),
        (member("l", type=LINK, linkname="/etc"), "UnsupportedOperationError", "a symbolic link is not extracted"),
        (member("h", type=HARD, linkname="a"), "UnsupportedOperationError", "a hard link is not extracted"),
        (member("h", type=HARD, linkname="/etc/shadow"), "UnsupportedOperationError", "a hard link is not extracted"),
        (member("p", type=FIFO), "UnsupportedOperationError", "a FIFO is not extracted"),
        (member("c", type=DEVICE, devmajor=1, devminor=3), "UnsupportedOperationError", "a character device"),
        (member("../evil", b"x"), "InvalidPath", "a name in an archive that leads out of it"),
        (member("sub/../../evil", b"x"), "InvalidPath", "a name in an archive that leads out of it"),
        (member("sub/../fine", b"x"), "InvalidPath", "a name in an archive that leads out of it"),
        (member("..", type=DIRECTORY), "InvalidPath", "a name in an archive that leads out of it"),
        (member("/tmp/evil", b"x"), "InvalidPath", "an absolute name in an archive"),
        (member("//evil", b"x"), "InvalidPath", "an absolute name in an archive"),
        (member("a/b", b"x"), "InvalidPath", "the name of a file and of a directory in one archive"),
        (member("a/", type=DIRECTORY), "InvalidPath", "the name of a file and of a directory in one archive"),
        (member("sub", b"x"), "InvalidPath", "the name of a file and of a directory in one archive"),
        (member(".", b"x"), "InvalidPath", "a file in an archive that has the name of the directory"),
        (member("n" * 256, b"x"), "IoError", "File name too long (os error 36)"),
        (member("d/" * 128 + "f", b"x"), "InvalidPath", "more than 128 components"),
        (member("d" * 250 + "/" + "e/" * 60 + "f" * 250, b"x"), "", ""),
    ],
)  # fmt: skip
def test_one_bad_member_is_named_and_nothing_is_extracted(broker, tree, bad, kind, text):
    """Rex passes over such members without a word and reports success."""
    if not kind:
        extract(broker, tree, packed(*TREE, bad))
        return
    before = state(tree)
    failure = failed(broker, tree, packed(*TREE, bad, member("after", b"x")))
    (tree / "archive").unlink()
    assert state(tree) == before
    assert failure.kind == kind
    assert text in failure.message
    assert (
        failure.message.endswith(f": member {len(TREE) + 1} ({bad[0].name!r}): nothing was extracted") or bad[0].isdir()
    )


@pytest.mark.parametrize("user", [{"uname": "no-such-user"}, {"gname": "no-such-group"}])
def test_an_owner_that_is_not_known_here_fails_before_anything_is_made(broker, tree, user):
    failure = failed(broker, tree, packed(*TREE, member("f", b"x", **user)), preserve_ownership=True)
    assert failure.kind == "IdentityResolutionError"
    assert "no-such" in failure.message
    assert state(tree / "out") == {}


@pytest.mark.parametrize(
    "data, kind, text",
    {
        "no archive": (b"hello world, this is no archive" * 50, "IoError", "invalid tar archive, member 1"),
        "nothing": (b"", "IoError", "unexpected end of file: the archive: nothing was extracted"),
        "nothing, compressed": (gzip.compress(b"", mtime=0), "IoError", "unexpected end of file: the archive"),
        "text, compressed": (gzip.compress(b"hello world" * 60, mtime=0), "IoError", "invalid tar archive, member 1"),
        "cut off": (packed(*TREE)[:-20], "IoError", "incomplete deflate stream"),
        "cut off, plain": (plain(*TREE)[:3000], "IoError", "unexpected end of file"),
        "a wrong check": (
            packed(*TREE)[:-8] + bytes(8),
            "IoError",
            "corrupt gzip stream does not have a matching checksum",
        ),
        "members behind the end": (plain(*TREE) + plain(*TREE), "IoError", "something follows its end"),
        "bzip2": (b"BZh91AY&SY" + bytes(600), "UnsupportedOperationError", "an archive of bzip2 is not extracted"),
        "xz": (b"\xfd7zXZ\0\0\x04" + bytes(600), "UnsupportedOperationError", "an archive of xz is not extracted"),
        "zstd": (b"\x28\xb5\x2f\xfd\x04" + bytes(600), "UnsupportedOperationError", "an archive of zstd"),
        "zip": (b"PK\x03\x04" + bytes(600), "UnsupportedOperationError", "an archive of zip is not extracted"),
    }.values(),
)
def test_a_damaged_archive_fails_before_anything_is_made(broker, tree, data, kind, text):
    failure = failed(broker, tree, data)
    assert failure.kind == kind
    assert text in failure.message
    assert failure.message.endswith("nothing was extracted")
    assert state(tree / "out") == {}


def test_a_member_like_another_archive_is_a_file(broker, tree):
    inner = packed(member("../evil", b"x"))
    extract(broker, tree, packed(member("inner.tgz", inner)))
    assert state(tree / "out") == {"inner.tgz": inner}


# --- what is asked ---


def questions(names: str, *verbs: str) -> list[str]:
    return [f"{verb} {names}" for verb in verbs]


def test_every_member_is_asked_for_level_by_level(broker, tree):
    (tree / "out" / "sub").mkdir()
    (tree / "archive").write_bytes(b"")
    before = len(broker.asked)
    extract(
        broker,
        tree,
        packed(
            member("x/y/f", b"1"), member("x/g", b"2"), member("./sub/", type=DIRECTORY), member("./", type=DIRECTORY)
        ),
        preserve_ownership=True,
    )
    out = tree / "out"
    asked = [each for each in broker.asked[before:] if f"{out}" in each][1:]
    assert asked == [
        f"create Dir {out}/x",
        f"create Dir {out}/x/y",
        *questions(f"File {out}/x/y/f", "create", "write", "chmod", "chown"),
        *questions(f"File {out}/x/g", "create", "write", "chmod", "chown"),
        f"create Dir {out}/sub",
        *questions(f"Dir {out}/sub", "open", "chmod", "chown"),
        *questions(f"Dir {out}", "open", "chmod", "chown"),
    ]


def test_mode_and_owner_are_asked_for_only_where_they_are_kept(broker, tree):
    extract(broker, tree, packed(*TREE), preserve_permissions=False)
    assert not [each for each in broker.asked if each.startswith(("chmod", "chown"))]


def test_the_archive_must_be_readable(tree):
    broker = Broker(EVERYTHING + 'forbid (principal, action == file_system::Action::"read", resource);')
    assert failed(broker, tree, packed(*TREE)).kind == "PermissionDenied"
    assert state(tree / "out") == {}


@pytest.mark.parametrize(
    "verb, kind, name",
    [
        ("create", "File", "/x/y/z"),
        ("write", "File", "/x/y/z"),
        ("chmod", "File", "/x/y/z"),
        ("create", "Dir", "/x"),
        ("create", "Dir", "/x/y"),
        ("create", "Dir", "/empty"),
        ("open", "Dir", "/empty"),
        ("chmod", "Dir", "/empty"),
        ("create", "File", "/dot/c"),
    ],
)
def test_one_member_that_is_denied_stops_all_of_them(tree, verb, kind, name):
    """Rex extracts the others and reports success; and `./dot/c` was not `dot/c` to a policy (W-A1)."""
    resource = f'file_system::{kind}::"{tree}/out{name}"'
    broker = Broker(
        EVERYTHING + f'forbid (principal, action == file_system::Action::"{verb}", resource == {resource});'
    )
    failure = failed(broker, tree, packed(*TREE))
    assert failure.kind == "PermissionDenied"
    assert failure.message.endswith(f'file_system::Action::"{verb}" for file_system::{kind}::{tree}/out{name}')
    assert state(tree / "out") == {}
    assert broker.audit.outcomes[-1].startswith("denied")


def test_a_policy_of_exactly_these_permits_is_enough(tree):
    everything = Broker()
    extract(everything, tree, packed(*TREE))
    subprocess.run(["rm", "-r", tree / "out"], check=True)
    (tree / "out").mkdir()
    lines = []
    for each in everything.asked:
        verb, kind, path = each.split(" ", 2)
        lines.append(
            f'permit (principal, action == file_system::Action::"{verb}", resource == file_system::{kind}::"{path}");'
        )
    extract(Broker("\n".join(lines)), tree, packed(*TREE))
    assert state(tree / "out") == MADE


# --- what stands in the way ---


def test_a_link_in_the_way_of_a_directory_is_not_followed(broker, tree):
    """The archive's own directory is a link here (W-B5, W-B6): by `sub/` and by `sub/b`."""
    (tree / "elsewhere").mkdir(mode=0o755)
    (tree / "out" / "sub").symlink_to("../elsewhere")
    for data in (
        packed(member("sub/b", b"x")),
        packed(member("sub/", type=DIRECTORY, mode=0o700)),
        packed(member("sub/deeper/b", b"x")),
    ):
        failure = failed(broker, tree, data)
        assert failure.kind == "DirectoryOpenError"
        assert f"{tree}/out/sub: at member 1" in failure.message
    assert state(tree / "elsewhere") == {}
    assert stat.S_IMODE((tree / "elsewhere").stat().st_mode) == 0o755


def test_a_link_inside_the_tree_is_not_followed_either(broker, tree):
    (tree / "out" / "real").mkdir()
    (tree / "out" / "sub").symlink_to("real")
    assert failed(broker, tree, packed(member("sub/b", b"x"))).kind == "DirectoryOpenError"
    assert state(tree / "out" / "real") == {}


def test_a_link_in_the_place_of_a_file_is_left_alone(broker, tree):
    (tree / "target").write_text("old")
    (tree / "out" / "a").symlink_to("../target")
    failure = failed(broker, tree, packed(member("a", b"new")))
    assert failure.kind == "FileError"
    assert "is a symbolic link" in failure.message
    assert (tree / "target").read_text() == "old"
    assert (tree / "out" / "a").is_symlink()


@pytest.mark.parametrize("what", ["directory", "fifo", "socket"])
def test_what_is_no_file_is_not_replaced_by_one(broker, tree, what):
    path = tree / "out" / "a"
    if what == "directory":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    else:
        os.mknod(path, stat.S_IFSOCK | 0o600)
    before = path.lstat()
    failure = failed(broker, tree, packed(member("first", b"1"), member("a", b"x"), member("last", b"2")))
    assert failure.message.endswith(
        "at member 2 ('a') of 3: those before it were extracted, it and the others were not"
    )
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert sorted(os.listdir(tree / "out")) == ["a", "first"]


def test_a_file_in_the_place_of_a_directory_is_not_replaced(broker, tree):
    (tree / "out" / "sub").write_text("mine")
    assert failed(broker, tree, packed(*TREE)).kind == "DirectoryOpenError"
    assert (tree / "out" / "sub").read_text() == "mine"


def test_a_destination_that_was_moved_is_not_filled(broker, tree):
    """Nobody judged the name that it has now (W-A4)."""
    (tree / "archive").write_bytes(packed(*TREE))
    file = broker.file(broker.directory(tree), "archive", read=True)
    directory = broker.directory(tree / "out")
    os.rename(tree / "out", tree / "elsewhere")
    with pytest.raises(Failure, match="moved after it was authorized"):
        broker.call("archives.extract_archive", file, directory, made("ExtractArchiveOptions"))
    assert state(tree / "elsewhere") == {}


def test_an_archive_that_changes_between_the_passes_is_noticed(broker, tree, monkeypatch):
    """What is made is what was judged, or nothing more is made."""
    original = extraction.Destination.begin

    for other in (
        packed(*TREE[:3]),
        packed(*TREE, member("more", b"x")),
        packed(member("other", b"one"), *TREE[1:]),
        packed(member("a", b"one" * 1000), *TREE[1:]),
        packed(member("l", type=LINK, linkname="a")),
        b"",
    ):

        def swap(self: Any, other: bytes = other) -> None:
            (tree / "archive").write_bytes(other)
            original(self)

        monkeypatch.setattr(extraction.Destination, "begin", swap)
        failure = failed(broker, tree, packed(*TREE))
        assert "those before it were extracted" in failure.message
        assert set(state(tree / "out")) <= set(MADE)


# --- bounds ---


def test_what_an_archive_will_write_is_counted_before_anything_is_written(tree):
    """W-X1: nothing bounded it."""
    broker = Broker(limits=Limits(max_write=100 * KIB))
    with pytest.raises(LimitExceeded) as exceeded:
        extract(broker, tree, packed(member("a", b"x"), member("bomb", bytes(200 * KIB))))
    assert exceeded.value.limit == "max_write"
    assert state(tree / "out") == {}


def test_a_size_that_the_archive_does_not_hold_fails_at_once(broker, tree):
    """A member of eight exbibytes, in an archive of a kilobyte."""
    header = tarfile.TarInfo("bomb")
    header.size = (1 << 63) - 1
    failure = failed(broker, tree, header.tobuf(tarfile.GNU_FORMAT))
    assert failure.message.startswith("unexpected end of file")
    assert state(tree / "out") == {}


def test_more_members_than_allowed_are_refused(broker, tree, monkeypatch):
    monkeypatch.setattr(tar, "MAX_MEMBERS", 5)
    failure = failed(broker, tree, packed(*TREE))
    assert failure.message.startswith("Validation error: more than 5 members")
    assert state(tree / "out") == {}


def test_unpacking_an_archive_ends_at_the_deadline(tree):
    bomb = io.BytesIO()
    header = tarfile.TarInfo("bomb")
    header.size = 8 << 30
    with gzip.open(bomb, "wb", 1) as stream:
        stream.write(header.tobuf(tarfile.GNU_FORMAT))
    packed_zeros = gzip.compress(bytes(16 * MIB), 1)
    broker = Broker(limits=Limits(max_write=1 << 40))
    broker.budget.deadline -= broker.limits.max_time - 0.5
    with pytest.raises(LimitExceeded) as exceeded:
        extract(broker, tree, bomb.getvalue() + packed_zeros * 512)
    assert exceeded.value.limit == "max_time"
    assert state(tree / "out") == {}


def test_nothing_stays_open(broker, tree):
    data = packed(*TREE)
    (tree / "archive").write_bytes(data)
    file = broker.file(broker.directory(tree), "archive", read=True)
    directory = broker.directory(tree / "out")
    gc.collect()  # what other tests left open
    before = len(os.listdir("/proc/self/fd"))
    broker.call("archives.extract_archive", file, directory, made("ExtractArchiveOptions"))
    assert len(os.listdir("/proc/self/fd")) == before
