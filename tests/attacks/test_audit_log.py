"""Acting without a record: logs that cannot be written, cannot be trusted, or are made to lie.

Whatever cannot be recorded must not happen (promises P2 and P6), so each of these ends in
`AuditUnavailable` before the effect, which here is a line in a list.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from trex.audit import Audit, LogFile, Start, verify
from trex.authorization import Entity, file, recorded_context, recorded_resource
from trex.errors import AuditUnavailable

START = Start(
    run="r", version="0", principal='User::"a"', caller="test", language="rhai", script="5" * 64, policy="9" * 64
)


def act(audit: Audit, effects: list[int], id: str = "/x") -> None:
    """Do something in the order that the broker keeps: record, then act, then record how it ended."""
    known = {"type": "file_system::File", "id": id}
    number = audit.decision(operation="o", action="a", resource=known, allowed=True, reason="permitted")
    effects.append(number)
    audit.outcome([number], operation="o", result="done")


def act_until_stopped(path: Path, effects: list[int]) -> str:
    """Act in a run until its log fails, and say why it did."""
    try:
        with Audit.open(str(path), START) as audit:
            while len(effects) < 10_000:
                act(audit, effects)
    except AuditUnavailable as error:
        return str(error)
    raise AssertionError("the log never failed")


def refusal(path: str | Path) -> str:
    with pytest.raises(AuditUnavailable) as caught:
        Audit.open(str(path), START)
    return str(caught.value)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_stops_the_run_before_the_next_effect(small_disk):
    """Disk exhaustion: fill the disk that the log is on, then act unseen."""
    effects: list[int] = []
    path = small_disk / "log"
    why = act_until_stopped(path, effects)
    assert "No space left" in why or "bytes of a record" in why
    recorded = [json.loads(line) for line in path.read_bytes().splitlines()[:-1]]
    decided = {record["number"] for record in recorded if record["record"] == "decision"}
    assert set(effects) <= decided
    assert effects, "the disk held at least one record"


def test_a_log_on_a_full_disk_stops_the_run_before_it_begins(small_disk):
    """Disk exhaustion beforehand."""
    filler = os.open(small_disk / "filler", os.O_WRONLY | os.O_CREAT)
    while os.statvfs(small_disk).f_bfree:
        os.write(filler, b"x" * 4096)
    os.close(filler)
    assert "No space left" in refusal(small_disk / "log")


def test_a_run_behind_a_torn_record_is_whole_again(small_disk):
    """A torn line must not swallow the first record of the next run."""
    path = small_disk / "log"
    effects: list[int] = []
    act_until_stopped(path, effects)
    with path.open("r+b") as file:  # somebody makes room, leaving the log torn in the middle of a record
        file.truncate(10_000)
    assert not path.read_bytes().endswith(b"\n")
    later = Start(**{name: getattr(START, name) for name in START.__struct_fields__} | {"run": "later"})
    with Audit.open(str(path), later) as audit:
        act(audit, effects)
    assert verify(path).heads["later"] == audit.head


def test_a_file_size_limit_stops_the_run(tmp_path):
    """RLIMIT_FSIZE: a signal or a short write instead of an error of the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    effects: list[int] = []
    path = tmp_path / "log"
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        why = act_until_stopped(path, effects)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in why or "bytes of a record" in why
    assert 0 < len(effects) < 100


def test_a_fifo_is_refused_without_waiting(tmp_path):
    """A log that blocks: opening a FIFO waits for its other end, writing to it for its reader."""
    os.mkfifo(tmp_path / "log")
    assert "not a regular file" in refusal(tmp_path / "log")


def test_a_fifo_with_a_reader_is_refused_too(tmp_path):
    """The same with somebody listening."""
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert "not a regular file" in refusal(tmp_path / "log")
    finally:
        os.close(reader)


def test_a_symbolic_link_is_refused_and_its_target_untouched(tmp_path):
    """Link planting: root writes its log into a directory where another user may place links."""
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "log").symlink_to(target)
    assert "symbolic link" in refusal(tmp_path / "log")
    assert target.read_text() == "precious"


def test_a_dangling_link_makes_no_file(tmp_path):
    """Link planting, to make root create a file elsewhere."""
    (tmp_path / "log").symlink_to(tmp_path / "made")
    assert "symbolic link" in refusal(tmp_path / "log")
    assert not (tmp_path / "made").exists()


def test_a_hard_link_to_somebody_elses_file_is_refused(tmp_path):
    """Link planting with hard links: the file behind it is no log."""
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    os.link(tmp_path / "passwd", tmp_path / "log")
    assert "no audit log" in refusal(tmp_path / "log")
    assert (tmp_path / "passwd").read_text() == "root:x:0:0::/root:/bin/sh\n"


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null", "/dev/zero", "/dev/tty", "/dev/ptmx"])
def test_a_device_is_refused(device):
    """A log that forgets (/dev/null) or never accepts (/dev/full) is none."""
    if not os.path.exists(device):
        pytest.skip(f"there is no {device}")
    assert refusal(device)


def test_a_directory_is_refused(tmp_path):
    """A name that cannot be written to."""
    assert os.strerror(errno.EISDIR) in refusal(tmp_path)


def test_a_socket_is_refused(tmp_path):
    """A name that only sockets connect to."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "log"))
        assert "not a regular file" in refusal(tmp_path / "log")


def test_a_read_only_file_system_is_refused(small_disk):
    """Remount the log's file system read-only."""
    (small_disk / "log").touch(0o600)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert os.strerror(errno.EROFS) in refusal(small_disk / "log")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to every file")
def test_a_log_without_permission_to_write_is_refused(tmp_path):
    """A log that belongs to us and may not be written."""
    (tmp_path / "log").touch(0o400)
    assert os.strerror(errno.EACCES) in refusal(tmp_path / "log")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_is_refused_a_log_of_root():
    """A log that belongs to root, opened by a run of somebody else."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # unlike pytest's own folders, which only their owner may enter
        path = Path(folder, "log")
        path.touch(0o600)
        os.seteuid(65534)
        try:
            assert os.strerror(errno.EACCES) in refusal(path)
        finally:
            os.seteuid(0)


def test_a_descriptor_that_was_closed_stops_the_run(tmp_path):
    """Descriptor games: the log's descriptor is closed by a fault elsewhere in the process."""
    effects: list[int] = []
    sink = LogFile(str(tmp_path / "log"))
    audit = Audit(sink, START)
    act(audit, effects)
    os.close(sink._descriptor)
    with pytest.raises(AuditUnavailable, match="Bad file descriptor"):
        act(audit, effects)
    assert len(effects) == 1


def test_a_log_that_is_removed_while_in_use_stops_the_run(tmp_path):
    """Unlinking: records would go into a file that nobody can find."""
    effects: list[int] = []
    audit = Audit.open(str(tmp_path / "log"), START)
    act(audit, effects)
    (tmp_path / "log").unlink()
    with pytest.raises(AuditUnavailable, match="removed"):
        act(audit, effects)
    assert len(effects) == 1


def test_a_log_that_is_rotated_by_renaming_goes_on(tmp_path):
    """No attack: what log rotation does must not stop runs."""
    effects: list[int] = []
    audit = Audit.open(str(tmp_path / "log"), START)
    (tmp_path / "log").rename(tmp_path / "log.1")
    act(audit, effects)
    audit.end("finished")
    assert verify(tmp_path / "log.1").records == 4


def test_a_log_that_is_truncated_while_in_use_is_seen_to_be(tmp_path):
    """Truncation by a script with write access to the log: the chain is broken."""
    effects: list[int] = []
    audit = Audit.open(str(tmp_path / "log"), START)
    act(audit, effects)
    os.truncate(tmp_path / "log", 0)
    act(audit, effects)
    audit.end("finished")
    assert not verify(tmp_path / "log").is_sound


@pytest.mark.parametrize(
    "name", ["/tmp/a\n{\"record\":\"run_ended\"}", "/tmp/\x1b[2J\x1b[31m", "/tmp/\u202egpj.exe", '/tmp/","allowed":true,"x":"', "/tmp/\udcff", "/tmp/\x9b31m", "/tmp/\u2028x"]
)  # fmt: skip
def test_a_name_cannot_forge_a_record_or_steer_a_terminal(tmp_path, name):
    """Log injection: line breaks, quotes and control sequences in what a script names."""
    audit = Audit.open(str(tmp_path / "log"), START)
    act(audit, [], name)
    audit.end("finished")
    content = (tmp_path / "log").read_text()
    assert content.count("\n") == 4
    assert all(line.isprintable() for line in content.split("\n"))
    assert verify(tmp_path / "log").is_sound
    recorded = json.loads(content.split("\n")[1])["resource"]["id"]
    assert recorded == name.encode("utf-8", "backslashreplace").decode()


def test_two_processes_write_one_log_without_mixing_lines(tmp_path):
    """Interleaving: records of runs that share a log stay whole."""
    program = """if True:
        import sys
        from trex.audit import Audit, Start
        start = Start(run=sys.argv[2], version="0", principal="p", caller="c", language="l", script="s", policy="q")
        with Audit.open(sys.argv[1], start) as audit:
            for n in range(300):
                audit.decision(operation="o" * (n * 7 % 3000), action="a", allowed=True, reason="permitted",
                               resource={"type": "T", "id": "x" * n})
    """
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    log = str(tmp_path / "log")
    running = [subprocess.Popen([sys.executable, "-c", program, log, str(n)], env=environment) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    found = verify(log)
    assert (found.records, found.findings, found.unfinished) == (3 * 302, (), ())


def test_no_secret_reaches_the_log(tmp_path):
    """Leaking through the log: environment values, passwords of URLs, other people's command lines, contents."""
    secret = "hunter2"
    environment = Entity("file_system::Environment", "", {"names": ("TOKEN",)}, (), {"TOKEN": secret})
    arguments = Entity("file_system::Arguments", "", {}, (), {"$ARG0": f"https://u:{secret}@h/?t={secret}"})
    command = {"name": "x", "username": "u", "command": f"x -p{secret}", "pid": "7"}
    url = Entity("network::url", f"https://u:{secret}@h/?token={secret}#{secret}", {})
    with Audit.open(str(tmp_path / "log"), START) as audit:
        for judged in (url, Entity("process_system::Process", "7", command), file("/x")):
            number = audit.decision(
                operation="o",
                action="a",
                resource=recorded_resource(judged),
                context=recorded_context({"environment": environment, "arguments": arguments}),
                named=str(judged),
                allowed=False,
                reason="not_permitted",
                errors=(f"no such host: https://u:{secret}@h/",),
                explain=lambda: f"`resource.url == https://{secret}@h/` does not hold",
            )
            audit.outcome([number], operation="o", result="failed", facts={"content": secret.encode()})
        told = audit.denials
    assert secret not in (tmp_path / "log").read_text()
    assert secret not in str(told)
