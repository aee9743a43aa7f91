"""Programs that scripts execute: what they are given, what they are, and whether they get out of their walls.

The script may execute anything that it may write itself, which is the worst case: the program is the
attacker's. Everything is permitted in one directory, reading in the interpreter's own, and nothing beside them.
"""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.host import Broker, Failure, made
from support.races import TRIES, UNBOUNDED, Place, raced, swapping
from trex.isolation import kernel, landlock
from trex.programs.profile import NUMBERS
from trex.values import Object

try:
    ABI = landlock.abi()
except OSError as error:  # pragma: no cover
    pytest.skip(f"no Landlock: {error.strerror}", allow_module_level=True)

IS_ROOT = os.geteuid() == 0
SH = os.path.realpath("/bin/sh")
PYTHON = Path(os.path.realpath(sys.executable))


def script(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o755)
    return path


def execute(broker: Broker, program: Path, *arguments: Any, **options: Any) -> Object:
    file = broker.file(broker.directory(program.parent), program.name, read=True)
    options.setdefault("env", {"PATH": "/usr/bin:/bin"})
    return broker.call("execution.execute", file, made("ExecuteOptions", args=list(arguments), **options))


# --- the program that was authorized is the one that runs ---


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    for made_ in raced(tmp_path):
        script(made_.allowed / "f", "#!/bin/sh\necho PUBLIC\n")
        script(made_.secret / "f", "#!/bin/sh\necho SECRET\n")
        script(made_.allowed / "d" / "f", "#!/bin/sh\necho PUBLIC\n")
        script(made_.secret / "d" / "f", "#!/bin/sh\necho SECRET\n")
        made_.before = made_.state()
        yield made_


def attempt(place: Place, program: Path, **options: Any) -> Any:
    """One execution, with handles of its own."""

    def once() -> Object:
        try:
            return execute(place.broker, program, **options)
        finally:
            place.broker.handles.close()

    return place.attempt(once)


def test_a_program_is_exchanged_with_a_link_while_it_is_executed(place):
    """What the name leads to by then is not what runs: the descriptor that was judged is executed."""
    with swapping(place, place.allowed / "f", place.allowed / "link-f"):
        for _ in place.tries():
            result = attempt(place, place.allowed / "f")
            assert result is None or result.fields["stdout"] == "PUBLIC\n"


def test_the_directory_of_a_program_is_exchanged_with_a_link_while_it_is_executed(place):
    """The same, one step further up."""
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            result = attempt(place, place.allowed / "d" / "f")
            assert result is None or result.fields["stdout"] == "PUBLIC\n"


def test_an_interpreter_is_exchanged_with_a_link_to_a_forbidden_one(place):
    """The kernel would look its name up again when the program starts."""
    script(place.allowed / "i", "#!/bin/sh\necho PUBLIC\n")
    (place.allowed / "link-i").symlink_to(place.secret / "f")
    script(place.allowed / "p", f"#!{place.allowed}/i\n")
    place.broker = Broker(
        f"""permit (principal, action, resource) when {{ resource in file_system::Dir::"{place.allowed}" }};
        forbid (principal, action, resource) when {{ resource in file_system::Dir::"{place.secret}" }};""",
        UNBOUNDED,
    )
    with swapping(place, place.allowed / "i", place.allowed / "link-i"):
        for _ in place.tries():
            attempt(place, place.allowed / "p")


def test_a_script_is_exchanged_between_its_first_line_and_its_content(place):
    """TOCTOU of interpreted scripts (CVE-1999-0426's kind): the interpreter of one reads the content of another."""
    cat = shutil.which("cat")
    one, two = "#!/bin/sh\necho ran\n", f"#!{cat}\nread\n"
    script(place.allowed / "p", one)
    script(place.allowed / "q", two)
    place.seen = {False, True}  # no link is involved
    told = set()
    with swapping(place, place.allowed / "p", place.allowed / "q"):
        for _ in place.tries():
            result = attempt(place, place.allowed / "p")
            told.add(result and result.fields["stdout"])
    assert told <= {None, "ran\n", two}


def test_the_working_directory_is_exchanged_with_a_link(place):
    """A program starts in the directory that was judged, or not at all."""
    script(place.allowed / "p", "#!/bin/sh\npwd -P; cat ./f\n")
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            result = attempt(place, place.allowed / "p", working_directory=str(place.allowed / "d"))
            assert result is None or str(place.secret) not in result.fields["stdout"]


def test_a_place_of_a_confined_program_is_exchanged_with_a_link(place):
    """Rules are bound to objects: neither while walls are drawn nor later does a link open what it leads to."""
    script(
        place.allowed / "p", "#!/bin/sh\nfor n in 1 2 3 4 5 6 7 8 9; do while read x; do echo $x; done < d/f; done\n"
    )
    policy = f"""permit (principal, action, resource) when {{ resource in file_system::Dir::"{place.allowed}/d" }};
        permit (principal, action, resource) when {{ resource == file_system::File::"{place.allowed}/p" }};
        permit (principal, action, resource) when {{ resource == file_system::Dir::"{place.allowed}" }};"""
    place.broker = Broker(policy, UNBOUNDED)
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            attempt(place, place.allowed / "p", working_directory=str(place.allowed))


# --- what the policy sees is what the program gets ---

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
ODD = st.sampled_from(["EVIL", "$ARG0", "$ARG1", "-p", "--", "x=EVIL", "EVIL ", "'EVIL'", "\n", "\\", '"', "*"])
ARGUMENT = st.one_of(ODD, TEXTS, st.lists(st.one_of(ODD, TEXTS), min_size=1, max_size=2))


@settings(max_examples=max(25, TRIES // 10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ARGUMENT, max_size=6))
def test_no_way_to_write_arguments_hides_one_from_the_policy(tmp_path, arguments):
    """W-E7: repeats, keys that imitate generated tags, keys that are no flags. A forbidden argument never arrives."""
    program = script(tmp_path / "p", '#!/bin/sh\nprintf "%s\\0" "$@"\n')
    broker = Broker("""permit (principal, action, resource);
        forbid (principal, action == file_system::Action::"execute", resource)
        when { context.argument_list.values.contains("EVIL") };""")
    flat = [text for each in arguments for text in ([each] if isinstance(each, str) else each)]
    told = None
    try:
        told = execute(broker, program, *arguments).fields["stdout"]
    except Failure as failure:
        denied = failure.denial is not None
    finally:
        broker.handles.close()
    if told is None:
        assert denied == ("EVIL" in flat)
    else:
        assert "EVIL" not in flat
        assert told == ("".join(f"{text}\0" for text in flat) or "\0")


@pytest.mark.parametrize("name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONSTARTUP", "BASH_ENV", "ENV", "GCONV_PATH"])
def test_no_variable_of_ours_reaches_a_program(tmp_path, monkeypatch, name):
    """A variable in the broker's environment makes a program load somebody else's code."""
    monkeypatch.setenv(name, str(tmp_path / "evil"))
    program = script(tmp_path / "p", f'#!/bin/sh\necho "[${name}]"\n')
    assert execute(Broker(), program, env={}).fields == {"exit_code": 0, "stdout": "[]\n", "stderr": ""}


def test_no_descriptor_of_the_broker_reaches_a_program(tmp_path):
    """W-B3: handles, sockets, what was opened without close-on-exec."""
    broker = Broker()
    for number in range(50):
        (tmp_path / str(number)).touch()
        broker.file(broker.directory(tmp_path), str(number), read=True)
    careless = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(careless, True)
    left, right = socket.socketpair()
    for each in (left, right):
        each.set_inheritable(True)
    program = script(tmp_path / "p", "#!/bin/sh\nfor n in /proc/self/fd/*; do echo ${n##*/}; done\n")
    told = execute(broker, program).fields["stdout"].split()
    broker.handles.close()
    os.close(careless)
    left.close()
    right.close()
    # Three streams, the script, what the shell made of it, and the directory that it lists.
    assert len(told) <= 6
    assert {"0", "1", "2", "3"} <= set(told)


# --- out of the walls ---


class Cell:
    """A confined Python, which may do everything in one directory."""

    def __init__(self, root: Path) -> None:
        self.inside, self.secret = root / "inside", root / "secret"
        self.inside.mkdir()
        self.secret.mkdir()
        (self.secret / "f").write_text("SECRET")
        (self.inside / "f").write_text("public")
        (self.inside / "link").symlink_to(self.secret / "f")
        base = os.path.realpath(sys.base_prefix)
        self.policy = f"""
            permit (principal, action, resource) when {{ resource in file_system::Dir::"{self.inside}" }};
            permit (principal, action == file_system::Action::"open", resource == file_system::Dir::"{PYTHON.parent}");
            permit (principal, action in [file_system::Action::"open", file_system::Action::"read",
                file_system::Action::"execute"], resource == file_system::File::"{PYTHON}");
            permit (principal, action in [file_system::Action::"open", file_system::Action::"read"],
                resource in file_system::Dir::"{base}/lib");"""
        self.root = root
        self.before = self.state()

    def state(self) -> Any:
        status = (self.secret / "f").stat()
        return (
            (self.secret / "f").read_text(), status.st_mode, status.st_nlink, status.st_uid, status.st_mtime_ns,
            sorted(os.listdir(self.secret)), sorted(os.listdir(self.root)),
        )  # fmt: skip

    def run(self, code: str, **options: Any) -> Object:
        """Run code that knows `SECRET` and `INSIDE`, the file and the directory, and `call`, a raw system call."""
        beginning = f"""
import ctypes, errno, os, sys
SECRET, INSIDE, BROKER = {str(self.secret / "f")!r}, {str(self.inside)!r}, {os.getpid()}
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def tell(do):
    try:
        print(do())
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
        broker = Broker(self.policy)
        try:
            return execute(
                broker, PYTHON, "-I", "-S", "-c", beginning + code, env={"PATH": str(PYTHON.parent)}, **options
            )
        finally:
            broker.handles.close()

    def told(self, code: str, **options: Any) -> list[str]:
        """The lines that such code writes."""
        done = self.run(code, **options)
        assert done.fields["exit_code"] == 0, done
        return done.fields["stdout"].split("\n")[:-1]


@pytest.fixture
def cell(tmp_path: Path) -> Iterator[Cell]:
    made_ = Cell(tmp_path)
    yield made_
    assert made_.state() == made_.before


NO = {"EACCES", "EPERM"}


def test_the_cell_works(cell):
    """A cell in which nothing works proves nothing."""
    assert cell.told(
        "tell(lambda: open(INSIDE + '/f').read()); tell(lambda: open(INSIDE + '/new', 'w').write('x'))"
    ) == ["public", "1"]


@pytest.mark.parametrize(
    "path",
    [
        "SECRET", "INSIDE + '/link'", "INSIDE + '/../secret/f'", "'/proc/self/root' + SECRET", "'/proc/1/root' + SECRET",
        "f'/proc/{BROKER}/root' + SECRET", "f'/proc/{os.getppid()}/root' + SECRET", "'/proc/self/cwd/' + '../' * 20 + SECRET",
        "f'/proc/{BROKER}/mem'", "f'/proc/{BROKER}/environ'", "f'/proc/{os.getppid()}/environ'", "'/proc/self/environ'",
        "'/dev/mem'", "'/dev/tty'", "'/etc/passwd'", "'/'",
    ],
)  # fmt: skip
def test_no_path_leads_out(cell, path):
    """Links, `..`, and the magic links of /proc, which show the same file system under another name."""
    assert cell.told(f"tell(lambda: os.open({path}, os.O_RDONLY))")[0] in NO | {"ENXIO", "ENOENT", "ENOTDIR"}


@pytest.mark.parametrize(
    "action",
    [
        "os.link(SECRET, INSIDE + '/mine')", "os.rename(SECRET, INSIDE + '/mine')", "os.rename(INSIDE + '/f', SECRET)",
        "os.link(INSIDE + '/f', SECRET + '2')", "os.symlink('x', SECRET + '2')", "os.unlink(SECRET)", "os.truncate(SECRET, 0)",
        "os.mkdir(SECRET + '2')", "os.chmod(SECRET, 0o777)", "os.chown(SECRET, 1, 1)", "os.utime(SECRET)",
        "os.setxattr(SECRET, 'user.x', b'')", "os.listdir(os.path.dirname(SECRET))", "os.execv('/usr/bin/env', ['env'])",
        "os.mknod(INSIDE + '/device', 0o60666, os.makedev(8, 0))", "os.mkfifo(os.path.dirname(SECRET) + '/fifo')",
    ],
)  # fmt: skip
def test_nothing_outside_changes(cell, action):
    """Each way to change or move a file that is not its own."""
    assert cell.told(f"tell(lambda: {action})")[0] in NO | {"EXDEV", "ENOTSUP"}


def test_names_of_files_are_not_handles(cell):
    """`open_by_handle_at` opens by inode, past every path (the "shocker" of 2014)."""
    assert cell.told("tell(lambda: call(304 if os.uname().machine == 'x86_64' else 265, -100, bytes(24), 0))")[0] in NO


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("call(NUMBER['unshare'], 0x10000000)", "EPERM"),
        ("call(NUMBER['setns'], 3, 0)", "EPERM"),
        ("call(NUMBER['mount'], b'none', b'/tmp', b'tmpfs', 0, 0)", "EPERM"),
        ("call(NUMBER['chroot'], b'/')", "EPERM"),
        ("call(NUMBER['clone'], 0x10000000 | 17, 0, 0, 0, 0)", "EPERM"),
        ("call(435, bytes(88), 88)", "ENOSYS"),
        ("call(425, 1, bytes(120))", "ENOSYS"),
        ("call(NUMBER['ptrace'], 16, BROKER, 0, 0)", "EPERM"),
        ("call(NUMBER['ptrace'], 16, os.getppid(), 0, 0)", "EPERM"),
        ("call(NUMBER['process_vm_readv'], BROKER, 0, 0, 0, 0, 0)", "EPERM"),
        ("call(438, 3, 0, 0)", "EPERM"),
        ("call(NUMBER['bpf'], 0, 0, 0)", "EPERM"),
        ("call(NUMBER['keyctl'], 0, -3, 0)", "EPERM"),
        ("call(NUMBER['perf_event_open'], bytes(128), 0, -1, -1, 0)", "EPERM"),
        ("call(NUMBER['kexec_load'], 0, 0, 0, 0)", "EPERM"),
        ("call(NUMBER['finit_module'], 3, b'', 0)", "EPERM"),
        ("call(NUMBER['syslog'], 3, bytes(10), 10)", "EPERM"),
    ],
)  # fmt: skip
def test_calls_that_reach_beyond_files_fail(cell, action, expected):
    """Namespaces (a user namespace brings every capability), other processes, the kernel."""
    assert cell.told(f"NUMBER = {NUMBERS[kernel.MACHINE]!r}\ntell(lambda: {action})") == [expected]


@pytest.mark.skipif(ABI < 6, reason="signals are refused altogether before Landlock 6")
def test_nobody_outside_gets_a_signal(cell):
    """Neither the broker, nor the warden, nor everybody at once; its own children do."""
    assert cell.told("""
for pid in (BROKER, os.getppid(), 1):
    tell(lambda: os.kill(pid, 0))
child = os.fork()
if child == 0:
    import time
    time.sleep(60)
os.kill(child, 9)
print(os.waitpid(child, 0)[1])
""") == ["EPERM", "EPERM", "EPERM", "9"]


def test_no_socket_reaches_anybody(cell):
    """Other hosts, this host's services, and the abstract names that no path guards."""
    assert (
        cell.told(
            """
for family in (1, 2, 10, 16, 17, 40):
    tell(lambda: call(NUMBER, family, 1, 0))
""".replace("NUMBER", "41 if os.uname().machine == 'x86_64' else 198")
        )
        == ["EPERM"] * 4 + ["EAFNOSUPPORT"] * 2
    )


def test_a_script_cannot_be_rewritten_through_its_own_descriptor(tmp_path):
    """/proc/self/fd/N opens the file anew, for writing."""
    program = script(tmp_path / "p", '#!/bin/sh\n(echo evil > "$0") 2>/dev/null || echo refused\n')
    content = program.read_text()
    policy = f"""permit (principal, action in [file_system::Action::"open", file_system::Action::"execute"], resource)
        when {{ resource in file_system::Dir::"{tmp_path}" }};"""
    assert execute(Broker(policy), program).fields["stdout"] == "refused\n"
    assert program.read_text() == content


def test_standard_input_of_another_program_cannot_be_changed(cell):
    """The memory that it is in is sealed, and opened for reading only."""
    assert (
        cell.told("tell(lambda: os.write(0, b'x')); tell(lambda: os.open('/proc/self/fd/0', os.O_RDWR))", stdin="x")[0]
        == "EBADF"
    )


@pytest.mark.skipif(not IS_ROOT, reason="only root can make a set-user-ID program that is not its caller's")
def test_a_set_user_id_program_gives_nothing():
    """no_new_privs: it runs as whoever started it."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        shutil.copy(shutil.which("id"), place / "id")
        (place / "id").chmod(0o4755)
        policy = f'permit (principal, action, resource) when {{ resource in file_system::Dir::"{place}" }};'
        told = execute(Broker(policy), place / "id", "-u", user="daemon").fields["stdout"]
        assert told == f"{pwd.getpwnam('daemon').pw_uid}\n"


def test_the_walls_hold_for_everything_that_a_program_starts(cell):
    """Forks, sessions, and programs of its own inherit them."""
    assert cell.told("""
child = os.fork()
if child == 0:
    os.setsid()
    grandchild = os.fork()
    if grandchild == 0:
        tell(lambda: open(SECRET).read())
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(grandchild, 0)
    os._exit(0)
os.waitpid(child, 0)
""") == ["EACCES"]
    content = f"#!/bin/sh\ncat {cell.secret}/f; exec {PYTHON} -I -S -c 'open(\"{cell.secret}/f\")'\n"
    done = execute(Broker(cell.policy), script(cell.inside / "p", content))
    assert "SECRET" not in done.fields["stdout"]
    assert "PermissionError" in done.fields["stderr"]


# --- ends ---


def test_nothing_that_a_program_starts_outlives_the_run(tmp_path):
    """Double forks, sessions, ignored signals, and a flood of processes: all of them end, with the run."""
    program = script(
        tmp_path / "p",
        """#!/bin/sh
trap '' TERM HUP INT
(setsid sh -c 'echo $$ >> pids; exec sleep 1000' &)
(setsid sh -c 'trap "" TERM; (setsid sh -c "echo \\$\\$ >> pids; exec sleep 1000" &); echo $$ >> pids; exec sleep 1000' &)
for n in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & echo $! >> pids; done
while [ $(wc -l < pids) -lt 13 ]; do :; done
""",
    )
    broker = Broker()
    assert execute(broker, program, working_directory=str(tmp_path)).fields["exit_code"] == 0
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 13
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    broker.handles.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_killed_broker_leaves_no_program(tmp_path):
    """SIGKILL in the middle of an execution: the warden ends what it has."""
    program = script(tmp_path / "p", "#!/bin/sh\n(setsid sh -c 'echo $$ > pid; exec sleep 1000' &)\nexec sleep 1000\n")
    code = f"""
from pathlib import Path
from attacks.test_programs import *
execute(Broker(), Path({str(program)!r}), working_directory={str(tmp_path)!r})
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent.parent)])}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as broker:
        pid = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), broker)
        descriptor = os.pidfd_open(int(pid))
        broker.send_signal(signal.SIGKILL)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    assert poll.poll(20_000)
    os.close(descriptor)


def wait_for(event: Callable[[], Any], process: subprocess.Popen[bytes]) -> Any:
    """What an event gives, as soon as it gives something; fails when the process has ended."""
    while not (found := event()):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
    return found
