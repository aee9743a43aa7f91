"""The log file: made, opened, appended to."""

from __future__ import annotations

import os
import stat

import pytest

from trex.audit import Audit, LogFile, verify
from trex.audit.chain import digest
from trex.errors import AuditUnavailable


def refused(path) -> str:
    with pytest.raises(AuditUnavailable) as caught:
        LogFile(str(path))
    return caught.value.reason


def test_a_new_log_is_readable_for_its_owner_only(tmp_path):
    path = tmp_path / "log"
    mask = os.umask(0)
    try:
        LogFile(str(path)).close()
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_descriptor_is_not_inherited(tmp_path):
    sink = LogFile(str(tmp_path / "log"))
    assert not os.get_inheritable(sink._descriptor)


def test_a_log_grows_and_knows_its_last_line(tmp_path, start):
    path = str(tmp_path / "log")
    with Audit.open(path, start) as audit:
        pass
    assert LogFile(path).after == audit.head == digest((tmp_path / "log").read_bytes().splitlines()[-1])


def test_a_durable_log_is_written_too(tmp_path, start, asked):
    with Audit.open(str(tmp_path / "log"), start, durable=True) as audit:
        audit.decision(**asked)
    assert verify(tmp_path / "log").records == 3


def test_after_a_torn_line_records_begin_on_their_own(tmp_path, start):
    path = tmp_path / "log"
    path.write_bytes(b'{"record":"run_st')
    with Audit.open(str(path), start):
        pass
    assert [each.line for each in verify(path).findings] == [1]
    assert verify(path).records == 2


@pytest.mark.parametrize("content", [b"root:x:0:0\n", b"x", b"{}\n", b"x" * 1_000_000, b"\n" * 10, b"a\nb\nc"])
def test_a_file_that_is_no_audit_log_is_left_alone(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    assert refused(path) == f"{path}: it holds something that is no audit log"
    assert path.read_bytes() == content


def test_a_log_that_everybody_may_write_is_refused(tmp_path):
    path = tmp_path / "log"
    path.touch()
    path.chmod(0o666)
    assert refused(path) == f"{path}: everybody may write to it"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_log_of_another_user_is_refused(tmp_path):
    path = tmp_path / "log"
    path.touch()
    os.chown(path, 12345, -1)
    assert refused(path) == f"{path}: it belongs to another user"


@pytest.mark.parametrize("name", ["", "missing/log", "a\0b"])
def test_a_name_that_leads_nowhere_is_refused(tmp_path, name):
    assert refused(f"{tmp_path}/{name}")


def test_a_refused_log_leaves_no_descriptor_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for name in ("", "missing/log"):
        refused(f"{tmp_path}/{name}")
    refused("/dev/null")
    assert len(os.listdir("/proc/self/fd")) == before
