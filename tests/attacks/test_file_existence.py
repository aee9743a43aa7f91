"""What the policy hides looks the same whether it exists or not (P7).

Two ways to look: what the script is told, and whether the kernel was asked at all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.host import Broker, Failure, flag, made
from trex.host import changes, files, syscalls, trees
from trex.resources import content, held, named, removal

KINDS = ["missing", "file", "directory", "link to a file", "link to nothing", "pipe"]


def put(path: Path, kind: str) -> None:
    """Make `path` this, whatever it was."""
    if path.is_symlink() or path.is_file() or path.is_fifo():
        path.unlink()
    elif path.is_dir():
        path.rmdir()
    if kind == "file":
        path.write_text("SECRET")
    elif kind == "directory":
        path.mkdir()
    elif kind == "link to a file":
        path.symlink_to("/etc/hostname")
    elif kind == "link to nothing":
        path.symlink_to("nothing")
    elif kind == "pipe":
        os.mkfifo(path)


def opened(broker: Broker, path: str, **options: Any) -> Any:
    return broker.file(broker.directory(os.path.dirname(path)), os.path.basename(path), **options)


USES: dict[str, Callable[[Broker, str], Any]] = {
    "cat": lambda b, p: b.call("files.cat", p),
    "wc": lambda b, p: b.call("files.wc", p),
    "grep": lambda b, p: b.call("files.grep", "x", p),
    "ls": lambda b, p: b.call("files.ls", p),
    "write": lambda b, p: b.call("files.write", p, "x"),
    "replace": lambda b, p: b.call("files.replace", p, "x"),
    "touch": lambda b, p: b.call("files.touch", p),
    "mkdir": lambda b, p: b.call("files.mkdir", p),
    "mkdir -p": lambda b, p: b.call("files.mkdir", [flag("mkdir", "p")], p),
    "mkdir -p below": lambda b, p: b.call("files.mkdir", [flag("mkdir", "p")], p + "/a/b"),
    "rm": lambda b, p: b.call("files.rm", p),
    "rm -rf": lambda b, p: b.call("files.rm", [flag("rm", "r"), flag("rm", "f")], p),
    "open": lambda b, p: b.directory(p),
    "open followed": lambda b, p: b.directory(p, follow_symlinks=True),
    "open create": lambda b, p: b.directory(p, create=True),
    "open create recursive": lambda b, p: b.directory(p + "/a", create=True, recursive=True),
    "open_file": lambda b, p: opened(b, p, read=True),
    "open_file followed": lambda b, p: opened(b, p, read=True, follow_symlinks=True),
    "open_file create": lambda b, p: opened(b, p, create=True),
    "cat below": lambda b, p: b.call("files.cat", p + "/x"),
    "ls below": lambda b, p: b.call("files.ls", p + "/x"),
}


def told(policy: str, use: Callable[[Broker, str], Any], path: str) -> tuple[str, str, list[str]]:
    """What a script learns, and what was asked."""
    broker = Broker(policy)
    with pytest.raises(Failure) as failed:
        use(broker, path)
    return failed.value.kind, failed.value.message, broker.asked


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_hidden_name_looks_the_same_whatever_it_is(use, tmp_path):
    """W-C4: `ls`, `rm` and `mkdir -p` looked at the path before they asked."""
    hidden = tmp_path / "x"
    policy = f'permit (principal, action, resource == file_system::Dir::"{tmp_path}");'
    answers = []
    for kind in KINDS:
        put(hidden, kind)
        answers.append(told(policy, use, str(hidden)))
    assert all(answer == answers[0] for answer in answers), dict(zip(KINDS, answers, strict=True))
    assert answers[0][0] == "PermissionDenied"


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_a_link_leads_to_looks_the_same_whatever_it_is(use, tmp_path):
    """A link in a permitted place is a probe: it must not tell whether its hidden target is there."""
    (tmp_path / "allowed").mkdir()
    (tmp_path / "secret").mkdir()
    hidden = tmp_path / "secret" / "x"
    (tmp_path / "allowed" / "probe").symlink_to(hidden)
    policy = f'permit (principal, action, resource) when {{ resource in file_system::Dir::"{tmp_path}/allowed" }};'
    answers = []
    for kind in KINDS[:3]:
        put(hidden, kind)
        broker = Broker(policy)
        try:
            use(broker, f"{tmp_path}/allowed/probe")
        except Failure as failure:
            answers.append((failure.kind, failure.message))
        else:
            answers.append(("done", ""))
        if not (tmp_path / "allowed" / "probe").is_symlink():
            (tmp_path / "allowed" / "probe").symlink_to(hidden)
    assert all(answer == answers[0] for answer in answers), dict(zip(KINDS, answers, strict=False))


def test_an_error_of_the_kernel_is_not_told_where_opening_is_denied(tmp_path):
    """A name that the kernel would refuse looks like any other hidden one."""
    names = ["x", "y" * 300, "z\n"]
    policy = f'permit (principal, action, resource == file_system::Dir::"{tmp_path}");'
    answers = {told(policy, USES["cat"], f"{tmp_path}/{name}")[0] for name in names}
    assert answers == {"PermissionDenied"}


class NoKernel:
    """The module `os`, of which no function may be called."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(os, name)
        if not callable(value) or name in ("fsencode", "fsdecode", "strerror", "close"):
            return value

        def called(*_: Any, **__: Any) -> Any:
            raise AssertionError(f"os.{name} was called before anything was permitted")

        return called


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: Any, **__: Any) -> Any:
        raise AssertionError("the kernel was asked before anything was permitted")

    for module in (files, changes, trees, content, held, named, removal):
        if hasattr(module, "os"):
            monkeypatch.setattr(module, "os", NoKernel())
    monkeypatch.setattr(syscalls, "openat2", called)
    monkeypatch.setattr(syscalls, "renameat2", called)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_the_kernel_is_not_asked_before_the_first_permit(use, tmp_path, no_kernel):
    """No system call, and so no time that tells one name from another."""
    kind, _, asked = told("", use, f"{tmp_path}/x")
    assert kind == "PermissionDenied"
    assert asked


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("name", ["there", "missing"])
def test_a_denied_call_makes_no_system_call_about_the_path(tmp_path, name):
    """The same, seen from outside: between two marks nothing is done but managing memory."""
    (tmp_path / "there").write_text("x")
    program = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from support.host import Broker, Failure, flag
broker = Broker("")
def use():
    for operation, arguments in (("cat", ()), ("ls", ()), ("rm", ()), ("mkdir", ()), ("replace", ("x",))):
        try:
            broker.call("files." + operation, {str(tmp_path / name)!r}, *arguments)
        except Failure:
            pass
use()
os.access("/mark-1", 0)
use()
os.access("/mark-2", 0)
"""
    log = tmp_path / "log"
    traced = subprocess.run(["strace", "-f", "-o", log, sys.executable, "-c", program], capture_output=True, text=True)
    if "ptrace" in traced.stderr.lower() and traced.returncode:
        pytest.skip(f"this process may not trace another: {traced.stderr.strip()}")
    assert traced.returncode == 0, traced.stderr
    between = re.search(r"mark-1.*?\n(.*?)[^\n]*mark-2", log.read_text(), re.DOTALL)
    assert between is not None
    calls = set(re.findall(r"^\d+ +(\w+)\(", between[1], re.MULTILINE))
    assert calls <= {"brk", "mmap", "munmap", "mremap", "madvise", "futex", "getrandom", "clock_gettime", "sched_yield"}


def test_metadata_of_an_entry_is_not_told_where_it_is_denied(tmp_path):
    """A listed name is known to be there; what it is now is not told without a permit."""
    hidden = tmp_path / "x"
    policy = f'permit (principal, action, resource == file_system::Dir::"{tmp_path}");'
    hidden.write_text("x")
    broker = Broker(policy)
    entry = broker.call("files.ls", str(tmp_path))["x"]
    answers = []
    for kind in KINDS:
        put(hidden, kind)
        for operation, options in {
            "files.entry_metadata": [],
            "files.entry_as_file": [made("OpenFileOptions", read=True)],
            "files.entry_as_directory": [made("OpenDirOptions")],
        }.items():
            with pytest.raises(Failure) as failed:
                broker.call(operation, entry, *options)
            answers.append((operation, failed.value.kind, failed.value.message))
    assert len(set(answers)) == 3
    assert {kind for _, kind, _ in answers} == {"PermissionDenied"}
