"""Programs run by scripts: judged before anything is asked of the host, confined, and told as they ended."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from support.host import EVERYTHING, Broker, Failure, made
from trex.errors import LimitExceeded
from trex.isolation import landlock
from trex.limits import Limits
from trex.values import Object

try:
    landlock.abi()
except OSError as error:  # pragma: no cover
    pytest.skip(f"no Landlock: {error.strerror}", allow_module_level=True)

IS_ROOT = os.geteuid() == 0
FREE = '@confine("off") permit (principal, action, resource);'
OPEN, EXECUTE = 'file_system::Action::"open"', 'file_system::Action::"execute"'
PATH = {"PATH": "/usr/bin:/bin"}
SH = os.path.realpath("/bin/sh")


def run(broker: Broker, program: object, *arguments: Any, **options: Any) -> Object:
    """Open a program and execute it."""
    path = Path(os.fspath(program))  # type: ignore[call-overload]
    file = broker.file(broker.directory(path.parent), path.name, read=True)
    options.setdefault("env", PATH)
    return broker.call("execution.execute", file, made("ExecuteOptions", args=list(arguments), **options))


def sh(broker: Broker, script: str, **options: Any) -> Object:
    return run(broker, SH, "-c", script, **options)


def failing(broker: Broker, program: object, *arguments: Any, **options: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        run(broker, program, *arguments, **options)
    return caught.value


def script(path: Path, content: str, mode: int = 0o755) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


@pytest.fixture
def broker():
    made_ = Broker(EVERYTHING)
    yield made_
    made_.handles.close()


# --- what a script gets ---


def test_a_result_has_the_status_and_both_outputs(broker):
    result = sh(broker, "echo out; echo err >&2; exit 3")
    assert result.type == "ExecuteResult"
    assert result.fields == {"exit_code": 3, "stdout": "out\n", "stderr": "err\n"}


def test_bytes_that_are_no_text_are_replaced(broker):
    assert sh(broker, r"printf 'a\377b'").fields["stdout"] == "a\ufffdb"


def test_a_signal_is_a_negative_status_and_a_line_in_the_log(broker):
    assert sh(broker, "kill -9 $$").fields["exit_code"] == -9
    (line,) = broker.record.logs
    assert "SIGKILL" in line.message


def test_arguments_reach_the_program_in_order_repeats_included(broker):
    result = run(broker, SH, "-c", 'printf "%s|" "$@"', "0", ["-p", "a"], ["-p", "b"])
    assert result.fields["stdout"] == "-p|a|-p|b|"


def test_a_program_is_told_its_own_name(broker, tmp_path):
    shutil.copy(SH, tmp_path / "other name")
    assert run(broker, tmp_path / "other name", "-c", "echo $0").fields["stdout"] == "other name\n"


def test_a_program_gets_only_the_environment_that_it_is_given(broker, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    assert run(broker, shutil.which("env"), env={"B": "2", "A": "1"}).fields["stdout"] == "A=1\nB=2\n"
    assert run(broker, shutil.which("env"), env={}).fields["stdout"] == ""


def test_a_program_reads_the_given_text_and_nothing_without(broker):
    assert sh(broker, "cat", stdin="text\n").fields["stdout"] == "text\n"
    assert sh(broker, "cat").fields["stdout"] == ""


def test_a_program_starts_in_the_given_directory(broker, tmp_path):
    assert sh(broker, "pwd -P", working_directory=str(tmp_path)).fields["stdout"] == f"{tmp_path}\n"


def test_without_a_directory_a_program_starts_where_we_are(broker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sh(broker, "pwd -P").fields["stdout"] == f"{tmp_path}\n"


def test_a_program_that_is_found_by_a_link_is_executed(broker, tmp_path):
    (tmp_path / "link").symlink_to(SH)
    file = broker.file(broker.directory(tmp_path), "link", read=True, follow_symlinks=True)
    result = broker.call("execution.execute", file, made("ExecuteOptions", args=["-c", "echo $0"]))
    assert result.fields["exit_code"] == 0


# --- failures are failures, and no exit status ---


def test_a_file_that_may_not_be_executed_is_a_failure(broker, tmp_path):
    failure = failing(broker, script(tmp_path / "x", "#!/bin/sh\n", 0o644))
    assert failure.message == "Permission denied (os error 13)"


@pytest.mark.parametrize("content", ["hello", "", "\x7fELF", "#!\n"])
def test_a_file_that_is_no_program_is_a_failure(broker, tmp_path, content):
    assert failing(broker, script(tmp_path / "x", content)).message == "Exec format error (os error 8)"


def test_a_file_that_is_open_for_writing_is_not_executed(broker, tmp_path):
    script(tmp_path / "x", "#!/bin/sh\n")
    file = broker.file(broker.directory(tmp_path), "x", write=True)
    with pytest.raises(Failure, match="Attempted to execute a file opened with write permissions") as caught:
        broker.call("execution.execute", file, made("ExecuteOptions"))
    assert caught.value.kind == "InvalidFileMode"


def test_a_program_that_was_moved_since_it_was_opened_is_not_executed(broker, tmp_path):
    script(tmp_path / "x", "#!/bin/sh\n")
    file = broker.file(broker.directory(tmp_path), "x", read=True)
    os.rename(tmp_path / "x", tmp_path / "y")
    with pytest.raises(Failure, match="it was moved after it was authorized"):
        broker.call("execution.execute", file, made("ExecuteOptions"))


def test_a_file_whose_name_was_taken_by_another_is_the_one_that_is_executed(broker, tmp_path):
    script(tmp_path / "x", "#!/bin/sh\necho good\n")
    file = broker.file(broker.directory(tmp_path), "x", read=True)
    os.rename(script(tmp_path / "y", "#!/bin/sh\necho bad\n"), tmp_path / "x")
    result = broker.call("execution.execute", file, made("ExecuteOptions"))
    assert result.fields["stdout"] == "good\n"


@pytest.mark.parametrize("options", [{"user": "nosuchuser"}, {"group": "nosuchgroup"}])
def test_names_that_nobody_has_are_a_failure(broker, options):
    assert failing(broker, SH, **options).kind == "IdentityResolutionError"


def test_arguments_with_a_null_byte_are_a_failure(broker):
    assert failing(broker, SH, "a\0b").kind == "ValidationError"


def test_a_directory_that_is_missing_is_a_failure(broker, tmp_path):
    assert (
        failing(broker, SH, working_directory=str(tmp_path / "none")).message
        == "No such file or directory (os error 2)"
    )


def test_a_process_that_is_missing_has_no_namespace(broker):
    namespace = made("ChildNamespaceOptions", target_process=0)
    assert "Failed to open pidfd for PID 0" in failing(broker, SH, namespace=namespace).message


# --- scripts and their interpreters ---


def test_a_script_is_run_by_its_interpreter(broker, tmp_path):
    path = script(tmp_path / "x", '#!/bin/sh -e\necho "$@"; false; echo never\n')
    assert run(broker, path, "a", "b c").fields == {"exit_code": 1, "stdout": "a b c\n", "stderr": ""}


def test_a_script_may_have_a_script_for_its_interpreter(broker, tmp_path):
    inner = script(tmp_path / "inner", '#!/bin/sh\necho inner "$1"; cat "$2"\n')
    path = script(tmp_path / "outer", f"#!{inner} one\ncontent\n")
    assert run(broker, path).fields["stdout"] == f"inner one\n#!{inner} one\ncontent\n"


def test_interpreters_that_are_scripts_end_somewhere(broker, tmp_path):
    script(tmp_path / "x", f"#!{tmp_path}/x\n")
    assert failing(broker, tmp_path / "x").message == "Exec format error (os error 8)"


def test_a_script_found_by_env_is_run(broker, tmp_path):
    path = script(tmp_path / "x", "#!/usr/bin/env sh\necho found\n")
    assert run(broker, path).fields["stdout"] == "found\n"


@pytest.mark.parametrize("interpreter", ["/nowhere/sh", "sh", "/etc", "/dev/null"])
def test_an_interpreter_that_is_none_is_a_failure(broker, tmp_path, interpreter):
    failure = failing(broker, script(tmp_path / "x", f"#!{interpreter}\n"))
    assert failure.message == "No such file or directory (os error 2)"


def test_a_script_that_may_not_be_executed_does_not_run_by_its_interpreter(broker, tmp_path):
    assert failing(broker, script(tmp_path / "x", "#!/bin/sh\n", 0o600)).message == "Permission denied (os error 13)"


# --- what the policy is asked ---


def permits(*rules: str) -> Broker:
    return Broker("\n".join(rules))


def executing(path: object, when: str = "") -> str:
    """A rule that permits this program, and `open` on the way to it."""
    path = Path(os.fspath(path))  # type: ignore[call-overload]
    condition = f" when {{ {when} }}" if when else ""
    return f"""permit (principal, action == {OPEN}, resource in file_system::Dir::"{path.parent}");
        permit (principal, action == {EXECUTE}, resource == file_system::File::"{path}"){condition};"""


def test_an_execution_needs_its_permit():
    path = Path(SH)
    broker = permits(f'permit (principal, action == {OPEN}, resource in file_system::Dir::"{path.parent}");')
    failure = failing(broker, SH, "-c", "exit")
    assert failure.denial is not None
    assert broker.asked[-1] == f"execute File {SH} denied"


def test_a_denied_program_is_not_looked_at(tmp_path):
    """Whether it could be executed, and by which interpreter, is not told to who may not execute it."""
    script(tmp_path / "x", "#!/nowhere\n", 0o600)
    broker = permits(f'permit (principal, action == {OPEN}, resource in file_system::Dir::"{tmp_path}");')
    assert failing(broker, tmp_path / "x").denial is not None


def test_the_way_of_an_execution_is_what_rex_asks(broker, tmp_path):
    script(tmp_path / "x", "#!/bin/sh\n")
    run(broker, tmp_path / "x")
    asked = broker.asked[broker.asked.index(f"execute File {tmp_path}/x") :]
    assert asked[0] == f"execute File {tmp_path}/x"
    assert set(asked[1:]) <= {"execute File /bin/sh", f"execute File {SH}"}


def test_the_working_directory_is_opened_like_any_other(tmp_path):
    broker = permits(executing(SH))
    failure = failing(broker, SH, "-c", "pwd", working_directory=str(tmp_path / "missing"))
    assert failure.denial is not None
    assert broker.asked[-1] == f"open Dir {tmp_path}/missing denied"


def test_a_working_directory_behind_a_link_is_judged_by_where_it_is(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    broker = permits(
        executing(SH), f'permit (principal, action == {OPEN}, resource == file_system::Dir::"{tmp_path}/link");'
    )
    assert failing(broker, SH, "-c", "pwd", working_directory=str(tmp_path / "link")).denial is not None
    assert broker.asked[-1] == f"open Dir {tmp_path}/real denied"


def test_arguments_are_seen_by_the_policy():
    broker = permits(executing(SH, 'context.arguments.flags.contains("-c")'))
    assert run(broker, SH, "-c", "echo yes").fields["stdout"] == "yes\n"
    assert failing(broker, SH, "-e").denial is not None


def test_a_repeated_key_must_be_permitted_with_each_value():
    """W-E7: the last one was judged, and the program got all of them."""
    path = shutil.which("env")
    broker = permits(executing(path, 'context.arguments.hasTag("-u") && context.arguments.getTag("-u") == "GOOD"'))
    assert run(broker, path, ["-u", "GOOD"]).fields["exit_code"] == 0
    assert failing(broker, path, ["-u", "BAD"], ["-u", "GOOD"]).denial is not None
    assert failing(broker, path, ["-u", "GOOD"], ["-u", "BAD"]).denial is not None


def test_the_order_of_arguments_is_seen_by_the_policy():
    """W-E7: sets have none."""
    path = shutil.which("env")
    broker = permits(executing(path, 'context.argument_list.line == "-u A -i"'))
    assert run(broker, path, "-u", "A", "-i").fields["exit_code"] == 0
    assert failing(broker, path, "-i", "-u", "A").denial is not None


def test_a_key_that_is_neither_flag_nor_positional_is_seen_by_the_policy():
    """W-E7: `["/etc/shadow", "/tmp/x"]` is in no set but `keys`, and its value in none."""
    path = shutil.which("env")
    forbidden = f"""forbid (principal, action == {EXECUTE}, resource)
        when {{ context.argument_list.values.contains("/etc/shadow") }};"""
    broker = permits(executing(path), forbidden)
    for arguments in (["/etc/shadow", "x"], ["x", "/etc/shadow"]):
        assert failing(broker, path, arguments).denial is not None


def test_capabilities_are_seen_by_the_policy():
    """W-E7: the reference does not show them."""
    broker = permits(executing(SH, "context.capabilities.isEmpty()"))
    assert sh(broker, "exit 0").fields["exit_code"] == 0
    assert failing(broker, SH, capabilities=["CAP_NET_RAW"]).denial is not None


def test_the_working_directory_is_seen_by_the_policy(tmp_path):
    way = f'permit (principal, action == {OPEN}, resource in file_system::Dir::"{tmp_path}");'
    broker = permits(executing(SH, f'context.working_directory == "{tmp_path}"'), way)
    assert sh(broker, "exit 0", working_directory=str(tmp_path)).fields["exit_code"] == 0
    assert failing(broker, SH).denial is not None


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("!context.has_stdin", {"stdin": "x"}),
        ('!(context.environment.hasTag("LD_PRELOAD"))', {"env": {"LD_PRELOAD": "x"}}),
        ('!(context.environment.names.contains("LD_PRELOAD"))', {"env": {"LD_PRELOAD": "x"}}),
        ('context.user.username != "daemon"', {"user": "daemon"}),
        ('context.group.groupname != "daemon"', {"group": "daemon"}),
        ("!(context has namespace)", {"namespace": made("ChildNamespaceOptions", target_process=os.getpid())}),
    ],
    ids=lambda value: value if type(value) is str else "",
)
def test_everything_that_a_program_is_given_can_be_ruled_out(rule, options):
    broker = permits(executing(SH, rule))
    assert sh(broker, "exit 0").fields["exit_code"] == 0
    assert failing(broker, SH, "-c", "exit 0", **options).denial is not None


def test_an_interpreter_needs_no_permit_and_may_be_forbidden(tmp_path):
    path = script(tmp_path / "x", "#!/bin/sh\necho ran\n")
    assert run(permits(executing(path)), path).fields["stdout"] == "ran\n"
    for name in ("/bin/sh", SH):
        broker = permits(executing(path), f'forbid (principal, action, resource == file_system::File::"{name}");')
        assert failing(broker, path).denial is not None


@pytest.mark.parametrize("name", ["{d}/link", "{d}/../d/i", "{d}//i", "{d}/./i"])
def test_an_interpreter_is_judged_by_where_its_name_leads(tmp_path, name):
    directory = tmp_path / "d"
    directory.mkdir()
    script(directory / "i", "#!/bin/sh\necho ran\n")
    (directory / "link").symlink_to("i")
    path = script(tmp_path / "x", f"#!{name.format(d=directory)}\n")
    assert run(permits(executing(path)), path).fields["stdout"] == "ran\n"
    broker = permits(executing(path), f'forbid (principal, action, resource == file_system::File::"{directory}/i");')
    assert failing(broker, path).denial is not None


def test_the_annotation_of_another_action_does_not_let_a_program_out(tmp_path):
    (tmp_path / "f").write_text("outside")
    rules = executing(SH).replace(
        f"permit (principal, action == {OPEN}", f'@confine("off") permit (principal, action == {OPEN}'
    )
    broker = permits(
        rules, f'@confine("off") forbid (principal, action == {EXECUTE}, resource in file_system::Dir::"/nowhere");'
    )
    assert sh(broker, f"cat {tmp_path}/f").fields["exit_code"] != 0
    assert broker.audit.facts["confined"] is True


# --- the walls ---


def test_a_program_reaches_what_its_policy_lets_the_script_reach(tmp_path):
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "f").write_text("public")
    (tmp_path / "secret").write_text("SECRET")
    actions = "open read write create delete".split()
    listed = ", ".join(f'file_system::Action::"{each}"' for each in actions)
    tools = f'permit (principal, action in [{OPEN}, {EXECUTE}], resource in file_system::Dir::"/usr/bin");'
    broker = permits(
        tools, f'permit (principal, action in [{listed}], resource in file_system::Dir::"{tmp_path}/allowed");'
    )
    done = sh(
        broker,
        f"cd {tmp_path}/allowed && cat f && echo new > g && mkdir d && rm f && ls; cat ../secret; echo x > ../new; rm ../secret",
    )
    assert done.fields["stdout"] == "publicd\ng\n"
    assert done.fields["stderr"].count("Permission denied") == 3
    assert (tmp_path / "secret").read_text() == "SECRET"
    assert sorted(os.listdir(tmp_path)) == ["allowed", "secret"]
    assert broker.audit.facts["confined"] is True


def test_a_program_may_run_only_programs_that_are_permitted():
    broker = permits(executing(SH))
    done = sh(broker, "/usr/bin/env; echo $?")
    assert done.fields["stdout"] == "126\n"


def test_a_policy_may_let_a_program_out_of_its_walls(tmp_path):
    (tmp_path / "f").write_text("outside")
    rules = executing(SH).replace(
        f"permit (principal, action == {EXECUTE}", f'@confine("off") permit (principal, action == {EXECUTE}'
    )
    broker = permits(rules)
    assert sh(broker, f"cat {tmp_path}/f").fields["stdout"] == "outside"
    assert broker.audit.facts["confined"] is False


def test_another_rule_about_the_same_program_does_not_let_it_out(tmp_path):
    """The annotation counts on a rule that permits this very call."""
    (tmp_path / "f").write_text("outside")
    free = f"""@confine("off") permit (principal, action == {EXECUTE}, resource == file_system::File::"{SH}")
        when {{ context.argument_list.line == "-c 'exit 0'" }};"""
    broker = permits(executing(SH), free)
    sh(broker, "exit 0")
    assert broker.audit.facts["confined"] is False
    assert "denied" in sh(broker, f"cat {tmp_path}/f").fields["stderr"]


@pytest.mark.parametrize("value", ["on", "OFF", "", "no"])
def test_only_off_is_off(value):
    broker = Broker(f'@confine("{value}") permit (principal, action, resource);')
    sh(broker, "exit 0")
    assert broker.audit.facts["confined"] is True


def test_a_program_without_permission_for_the_network_has_none():
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    broker = Broker(
        "permit (principal, action, resource is file_system::File); permit (principal, action, resource is file_system::Dir);"
    )
    python = Path(os.path.realpath(sys.executable))
    done = run(broker, python, "-c", code, env={"PATH": str(python.parent)})
    assert "PermissionError" in done.fields["stderr"]


def test_a_program_whose_calls_cannot_be_filtered_is_not_executed(broker, tmp_path):
    """Numbers of system calls mean others in 32-bit programs."""
    header = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    (tmp_path / "x").write_bytes(header + bytes(32))
    (tmp_path / "x").chmod(0o755)
    failure = failing(broker, tmp_path / "x")
    assert failure.kind == "UnsupportedOperationError"
    assert "32-bit" in failure.message


def test_on_a_kernel_without_walls_only_programs_run_that_a_policy_lets_out(broker, monkeypatch):
    def missing() -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("trex.programs.confinement.landlock.abi", missing)
    failure = failing(broker, SH, "-c", "exit 0")
    assert failure.kind == "UnsupportedOperationError"
    assert "cannot be confined" in failure.message
    assert sh(Broker(FREE), "exit 0").fields["exit_code"] == 0


def test_a_policy_that_cannot_be_drawn_in_time_is_a_failure(broker, monkeypatch):
    monkeypatch.setattr("trex.authorization.reach.MAX_WORK", 1)
    assert "too many rules" in failing(broker, SH, "-c", "exit 0").message


def test_places_that_are_too_many_are_told_in_the_log(tmp_path, monkeypatch):
    monkeypatch.setattr("trex.resources.walls.MAX_ENTRIES", 10)
    for number in range(20):
        (tmp_path / str(number)).touch()
    forbidden = f'forbid (principal, action, resource == file_system::File::"{tmp_path}/7");'
    broker = Broker(EVERYTHING + forbidden)
    sh(broker, "exit 0")
    assert broker.audit.facts["incomplete"] is True
    assert "too many single places" in broker.record.logs[-1].message


def test_a_permitted_program_may_make_every_harmless_kind_of_file(tmp_path):
    broker = Broker(f'''permit (principal, action, resource) when {{ resource in file_system::Dir::"{tmp_path}" }};
        permit (principal, action, resource) when {{ resource in file_system::Dir::"/usr/bin" }};''')
    done = sh(
        broker, "mkdir d && mkfifo p && ln -s d l && ln p h && : > f && mv f d && ls", working_directory=str(tmp_path)
    )
    assert done.fields["stdout"].split() == ["d", "h", "l", "p"], done


# --- who it runs as ---


@pytest.mark.skipif(not IS_ROOT, reason="only root may become another user")
def test_a_user_brings_its_groups_and_none_of_ours():
    """W-X2: the group and further groups of the runner stayed."""
    broker = Broker(FREE)
    entry = pwd.getpwnam("daemon")
    told = sh(broker, "id -u; id -g; id -G", user="daemon").fields["stdout"].split("\n")
    assert told[:2] == [str(entry.pw_uid), str(entry.pw_gid)]
    assert sorted(told[2].split()) == sorted(map(str, set(os.getgrouplist("daemon", entry.pw_gid))))


@pytest.mark.skipif(not IS_ROOT, reason="only root may become another user")
def test_a_group_is_the_only_one():
    gid = grp.getgrnam("nogroup").gr_gid
    for user in ({}, {"user": "daemon"}):
        assert sh(Broker(FREE), "id -g; id -G", group="nogroup", **user).fields["stdout"].split() == [str(gid)] * 2


@pytest.mark.skipif(not IS_ROOT, reason="only root may become another user")
def test_a_confined_program_of_another_user_is_that_user():
    assert sh(Broker(EVERYTHING), "id -un", user="daemon").fields["stdout"] == "daemon\n"


@pytest.mark.skipif(IS_ROOT, reason="root may become anybody")
def test_who_may_not_become_another_is_told_so():
    failure = failing(Broker(FREE), SH, user="root")
    assert "Capability error" in failure.message


@pytest.mark.skipif(not IS_ROOT, reason="only root has capabilities to pass on")
def test_capabilities_reach_a_program_of_another_user():
    done = sh(Broker(FREE), "grep -E 'Cap(Eff|Amb)' /proc/self/status", user="daemon", capabilities=["CAP_NET_RAW"])
    assert set(done.fields["stdout"].split()) == {"CapEff:", "CapAmb:", "0000000000002000"}


@pytest.mark.skipif(not IS_ROOT, reason="only root has capabilities to lose")
def test_a_program_of_another_user_has_no_capabilities_unasked():
    done = sh(Broker(FREE), "grep CapEff /proc/self/status", user="daemon")
    assert done.fields["stdout"].split()[1] == "0" * 16


@pytest.mark.skipif(not IS_ROOT, reason="entering a pid namespace needs CAP_SYS_ADMIN")
def test_a_program_runs_in_the_pid_namespace_of_a_process():
    namespace = made("ChildNamespaceOptions", target_process=os.getpid())
    assert sh(Broker(FREE), "echo in", namespace=namespace).fields["stdout"] == "in\n"
    assert os.readlink("/proc/self/ns/pid_for_children") == os.readlink("/proc/self/ns/pid")


# --- bounds ---


def test_a_program_that_takes_too_long_is_ended_and_that_is_a_failure(broker):
    """W-X1: there was no limit."""
    started = time.monotonic()
    failure = failing(broker, SH, "-c", "sleep 60", timeout=1)
    assert failure.kind == "ProcessTerminated"
    assert "longer than 1 seconds" in failure.message
    assert time.monotonic() - started < 20


def test_a_program_that_writes_too_much_is_ended(broker):
    """W-X1: whatever a program wrote was held in memory."""
    failure = failing(broker, shutil.which("yes"), max_output=10_000)
    assert failure.kind == "ProcessTerminated"
    assert "more than 10000 bytes to stdout" in failure.message


def test_output_beyond_what_a_run_may_read_ends_the_run():
    broker = Broker(limits=Limits(max_read=100_000))
    with pytest.raises(LimitExceeded, match="max_read"):
        run(broker, shutil.which("yes"))


def test_who_holds_the_output_open_does_not_hold_the_script(broker):
    """W-X1: a grandchild with the pipe in its hands blocked for ever."""
    started = time.monotonic()
    pid = int(sh(broker, "sleep 60 & echo $!").fields["stdout"])
    assert time.monotonic() - started < 20
    assert broker.audit.facts["left_running"] is True
    assert Path(f"/proc/{pid}").exists()
    broker.handles.close()
    assert not Path(f"/proc/{pid}").exists()


def test_nothing_is_left_of_a_program_that_was_ended(broker, tmp_path):
    (tmp_path / "pids").touch()
    failing(broker, SH, "-c", f"setsid sh -c 'echo $$ > {tmp_path}/pids; sleep 60' & sleep 60", timeout=1)
    pid = (tmp_path / "pids").read_text().strip()
    assert pid
    assert not Path(f"/proc/{pid}").exists()


def test_no_process_of_ours_is_left_after_a_program(broker):
    def children() -> str:
        return Path("/proc/thread-self/children").read_text()

    before = children()
    sh(broker, "exit 0")
    assert children() == before


def test_a_short_program_is_not_waited_for_by_the_clock(broker):
    """The reference looked every tenth of a second."""

    def seconds() -> float:
        started = time.monotonic()
        run(broker, shutil.which("true"))
        return time.monotonic() - started

    assert min(seconds() for _ in range(10)) < 0.09


def test_signals_that_we_ignore_are_not_ignored_in_programs(broker):
    previous = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        assert sh(broker, "kill -PIPE $$").fields["exit_code"] == -signal.SIGPIPE
    finally:
        signal.signal(signal.SIGPIPE, previous)
