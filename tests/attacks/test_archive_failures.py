"""Archives on hosts that fail: full, read-only, killed. Nothing is lost, and what was done is said (P8)."""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.host import Broker, Failure, made
from support.small_disks import mounted
from support.tapes import DIRECTORY, member, packed, plain
from trex.limits import KIB, Limits

TRIES = int(os.environ.get("TREX_ATTACK_TRIES", "150"))
IS_ROOT = os.geteuid() == 0
NOISE = random.Random(5).randbytes(200 * KIB)


def extract(broker: Broker, source: Path, target: Path) -> Failure:
    file = broker.file(broker.directory(source), "archive", read=True)
    with pytest.raises(Failure) as caught:
        broker.call("archives.extract_archive", file, broker.directory(target), made("ExtractArchiveOptions"))
    return caught.value


def compress(broker: Broker, source: Path, target: Path) -> None:
    file = broker.file(broker.directory(source), "noise", read=True)
    dest = broker.file(broker.directory(target), "made.gz", write=True)
    broker.call("archives.compress_gzip", file, dest, made("CompressGzipOptions"))


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_an_archive_that_fills_the_disk_says_how_far_it_came(tmp_path, small):
    """ENOSPC in the middle of a member: that member is not there at all, and those before it are whole."""
    members = [member(f"f{number}", NOISE[: 20 * KIB]) for number in range(10)]
    (tmp_path / "archive").write_bytes(packed(*members))
    failure = extract(Broker(), tmp_path, small)
    assert failure.kind == "IoError"
    names = sorted(os.listdir(small))
    expected = (
        f"member {len(names) + 1} ('f{len(names)}') of 10: those before it were extracted, it and the others were not"
    )
    assert failure.message == f"No space left on device (os error 28): at {expected}"
    assert names == [f"f{number}" for number in range(len(names))]
    assert all((small / name).read_bytes() == NOISE[: 20 * KIB] for name in names)


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_an_archive_that_takes_all_inodes_says_how_far_it_came(tmp_path, few):
    """ENOSPC without a byte too many."""
    (tmp_path / "archive").write_bytes(packed(*(member(f"d{number}/f", b"x") for number in range(10))))
    failure = extract(Broker(), tmp_path, few)
    assert failure.message.startswith("No space left on device (os error 28): at member 3 ('d2/f') of 10")


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_nothing_is_extracted_to_a_read_only_file_system(tmp_path):
    """EROFS, with the kernel's words."""
    (tmp_path / "archive").write_bytes(packed(member("d/", type=DIRECTORY), member("d/f", b"x")))
    for path in mounted(tmp_path / "ro", "size=64k"):
        subprocess.run(["mount", "-o", "remount,ro", path], check=True)
        failure = extract(Broker(), tmp_path, path)
        assert failure.message.startswith("Read-only file system (os error 30): at member 1")
        assert os.listdir(path) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount")
def test_a_full_disk_leaves_the_old_content_of_what_is_compressed_into(tmp_path, small):
    """The result does not fit: what was there before is still there."""
    (tmp_path / "noise").write_bytes(NOISE)
    (small / "made.gz").write_bytes(gzip.compress(b"old"))
    with pytest.raises(Failure, match=r"No space left on device \(os error 28\)"):
        compress(Broker(), tmp_path, small)
    assert gzip.decompress((small / "made.gz").read_bytes()) == b"old"
    assert os.listdir(small) == ["made.gz"]


def test_an_ordinary_user_is_told_what_the_host_refuses(tmp_path):
    """EACCES of the host is no denial of the policy."""
    if IS_ROOT:
        pytest.skip("root may write every directory")
    (tmp_path / "archive").write_bytes(packed(member("f", b"x")))
    (tmp_path / "out").mkdir(mode=0o555)
    failure = extract(Broker(), tmp_path, tmp_path / "out")
    assert (failure.kind, failure.denial) == ("IoError", None)
    assert failure.message.startswith("Permission denied (os error 13): at member 1")


KILLED = """
import sys
sys.path[:] = {path!r}
from support.host import Broker, made
from trex.limits import Limits
broker = Broker(limits=Limits(max_write=10**12, max_operations=10**9, max_time=3600.0, max_handles=10**6))
source, target = {source!r}, {target!r}
file = broker.file(broker.directory(source), {name!r}, read=True)
other = broker.file(broker.directory(source), {other!r}, read=True)
print("started", flush=True)
while True:
    for each in (file, other):
        if {what!r} == "extract":
            broker.call("archives.extract_archive", each, broker.directory(target), made("ExtractArchiveOptions"))
        else:
            dest = broker.file(broker.directory(target), "made.gz", write=True)
            broker.call("archives.compress_gzip", each, dest, made("CompressGzipOptions", level=1))
"""


@contextlib.contextmanager
def working(**how: str) -> Iterator[subprocess.Popen[bytes]]:
    """A broker at work in a process of its own, to be killed."""
    script = [sys.executable, "-c", KILLED.format(path=sys.path, **how)]
    with subprocess.Popen(script, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            yield process
        finally:
            process.kill()


def kill_at_random(number: int, **how: str) -> None:
    """Let a broker work for some milliseconds, another time each, and kill it."""
    with working(**how) as process:
        time.sleep(random.Random(number).random() * 0.05)  # the event is the kill itself
        process.send_signal(signal.SIGKILL)


def left_over(path: Path) -> list[str]:
    return [name for name in os.listdir(path) if not name.startswith(".trex-")]


def test_a_broker_that_is_killed_leaves_whole_files(tmp_path):
    """Killed at any moment of an extraction: each file has the content of one archive or of the other."""
    (tmp_path / "out").mkdir()
    contents = {b"a" * 30_000, b"b" * 50_000}
    for name, content in zip(("one", "two"), sorted(contents), strict=True):
        (tmp_path / name).write_bytes(plain(*(member(f"f{number}", content) for number in range(20))))
    for number in range(max(3, TRIES // 30)):
        kill_at_random(
            number, what="extract", source=str(tmp_path), target=str(tmp_path / "out"), name="one", other="two"
        )
        for name in left_over(tmp_path / "out"):
            assert (tmp_path / "out" / name).read_bytes() in contents
    assert set(left_over(tmp_path / "out")) <= {f"f{number}" for number in range(20)}


def test_a_broker_that_is_killed_leaves_a_whole_compressed_file(tmp_path):
    """Killed at any moment while it compresses: the old result or the new one."""
    (tmp_path / "out").mkdir()
    (tmp_path / "one").write_bytes(NOISE)
    (tmp_path / "two").write_bytes(NOISE[::-1])
    (tmp_path / "out" / "made.gz").write_bytes(gzip.compress(NOISE))
    for number in range(max(3, TRIES // 30)):
        kill_at_random(
            number, what="compress", source=str(tmp_path), target=str(tmp_path / "out"), name="one", other="two"
        )
        assert gzip.decompress((tmp_path / "out" / "made.gz").read_bytes()) in (NOISE, NOISE[::-1])
    assert left_over(tmp_path / "out") == ["made.gz"]


RESIZER = """
import os, sys
print("started", flush=True)
size = 0
with open(sys.argv[1], "rb") as file:
    whole = file.read()
while os.getppid() == int(sys.argv[2]):
    size = (size + 7_777) % (len(whole) * 2)
    with open(sys.argv[1], "r+b") as file:
        file.truncate(size // 2)
        file.write(whole[: size // 3])
"""


def test_an_archive_that_changes_while_it_is_read_makes_no_more_than_was_judged(tmp_path):
    """Its size and content change all the time: an error, or an extraction of what was judged."""
    (tmp_path / "out").mkdir()
    names = {f"f{number}" for number in range(5)}
    (tmp_path / "archive").write_bytes(plain(*(member(name, NOISE[:5000]) for name in sorted(names))))
    broker = Broker(limits=Limits(max_operations=10**9, max_time=3600.0, max_write=10**12, max_handles=10**6))
    file = broker.file(broker.directory(tmp_path), "archive", read=True)
    directory = broker.directory(tmp_path / "out")
    script = [sys.executable, "-c", RESIZER, str(tmp_path / "archive"), str(os.getpid())]
    with subprocess.Popen(script, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        try:
            for _ in range(TRIES):
                with contextlib.suppress(Failure):
                    broker.call("archives.extract_archive", file, directory, made("ExtractArchiveOptions"))
                with contextlib.suppress(Failure):
                    broker.call("archives.gzip_info", file)
        finally:
            process.kill()
    assert set(os.listdir(tmp_path / "out")) <= names
