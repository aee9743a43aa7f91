"""What a file keeps when its content is replaced, whichever operation does it."""

from __future__ import annotations

import gzip
import os
import stat
import struct
from pathlib import Path

import pytest

from support.host import Broker, flag, made

IS_ROOT = os.geteuid() == 0


def opened(broker: Broker, path: Path, name: str = "f", **options: bool) -> object:
    return broker.file(broker.directory(path), name, **options)


REPLACED = {
    "replace": lambda broker, path: broker.call("files.replace", f"{path}/f", "new"),
    "write replace": lambda broker, path: broker.call("files.write", [flag("write", "r")], f"{path}/f", "new"),
    "sed": lambda broker, path: broker.call("files.sed", [flag("sed", "i")], "old", "new", f"{path}/f"),
    "write": lambda broker, path: broker.call("files.write_opened", opened(broker, path, write=True), "new"),
    "cp": lambda broker, path: broker.call("files.cp", [flag("cp", "f")], f"{path}/source", f"{path}/f"),
    "copy": lambda broker, path: broker.call(
        "files.copy",
        opened(broker, path, "source", read=True),
        opened(broker, path, write=True),
        made("CopyFileOptions", force=True),
    ),
    "compress": lambda broker, path: broker.call(
        "archives.compress_gzip",
        opened(broker, path, "source", read=True),
        opened(broker, path, write=True),
        made("CompressGzipOptions"),
    ),
}


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "f").write_text("old")
    (tmp_path / "source").write_text("new")
    os.chmod(tmp_path / "f", 0o640)
    return tmp_path


def content(path: Path) -> str:
    data = (path / "f").read_bytes()
    return (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode()


@pytest.mark.parametrize("replace", REPLACED.values(), ids=REPLACED)
def test_a_file_keeps_its_mode_and_labels(tree, replace):
    try:
        os.setxattr(tree / "f", "user.note", b"kept")
    except OSError as error:
        pytest.skip(f"no extended attributes here: {error.strerror}")
    replace(Broker(), tree)
    assert content(tree) == "new"
    assert stat.S_IMODE(os.stat(tree / "f").st_mode) == 0o640
    assert os.getxattr(tree / "f", "user.note") == b"kept"


def access_list(*entries: tuple[int, int, int]) -> bytes:
    """An access list as the kernel takes it: a tag, rights, and a number for each entry."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF


@pytest.mark.parametrize("replace", REPLACED.values(), ids=REPLACED)
def test_a_file_keeps_its_access_list(tree, replace):
    """Whoever was given access by name has it afterwards, and nobody else."""
    given = access_list((1, 6, NOBODY), (2, 4, 12345), (4, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY))
    try:
        os.setxattr(tree / "f", "system.posix_acl_access", given)
    except OSError as error:
        pytest.skip(f"no access lists here: {error.strerror}")
    replace(Broker(), tree)
    assert content(tree) == "new"
    assert os.getxattr(tree / "f", "system.posix_acl_access") == given


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
@pytest.mark.parametrize("replace", REPLACED.values(), ids=REPLACED)
def test_a_file_keeps_its_owner(tree, replace):
    """W-D7: a file that belongs to somebody else would belong to the user that runs."""
    os.chown(tree / "f", 12345, 12346)
    replace(Broker(), tree)
    found = os.stat(tree / "f")
    assert (found.st_uid, found.st_gid, content(tree)) == (12345, 12346, "new")


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
def test_an_owner_is_not_kept_where_that_is_not_wanted(tree):
    os.chown(tree / "f", 12345, 12346)
    broker = Broker()
    options = made("WriteOptions", preserve_ownership=False)
    broker.call("files.write_opened", opened(broker, tree, write=True), "new", options)
    assert os.stat(tree / "f").st_uid == os.geteuid()


@pytest.mark.parametrize("replace", REPLACED.values(), ids=REPLACED)
def test_nothing_of_a_content_is_logged(tree, replace):
    """W-L1: logs are read by more people than the files they tell of."""
    broker = Broker()
    replace(broker, tree)
    assert not broker.record.logs
