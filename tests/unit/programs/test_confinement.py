"""The filter of confined programs: run by a small machine of its own, for every architecture and kernel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.bpf import verdict
from trex.isolation.seccomp import ALLOW, AUDIT_ARCHITECTURES, KILL_PROCESS, Instruction, assemble
from trex.programs.confinement import Permitted, program
from trex.programs.profile import (
    COMMON_NUMBERS,
    EAFNOSUPPORT,
    ENOSYS,
    EOPNOTSUPP,
    EPERM,
    KEPT_CAPABILITIES,
    NETWORK_CAPABILITIES,
    NEWEST_CALL,
    NUMBERS,
    PLACES,
    REFUSED,
)

MACHINES = sorted(NUMBERS)
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
NOTHING = Permitted()
EVERYTHING = Permitted(frozenset({"chmod", "chown", "set_x_attr", "read", "write"}), network=True, everything=True)


def run(lines: list[Instruction], machine: str, number: int, *arguments: int) -> int:
    """What the kernel's machine for classic BPF would return for a system call."""
    return verdict(lines, number, arguments, AUDIT_ARCHITECTURES[machine])


class Filter:
    """One filter; `filter("kill", 1)` is the error of that call, or 0."""

    def __init__(self, permitted: Permitted = NOTHING, abi: int = 7, machine: str = "x86_64") -> None:
        self.machine, self.lines = machine, program(permitted, abi, machine)

    def __call__(self, name: str, *arguments: int) -> int:
        number = {**COMMON_NUMBERS, **NUMBERS[self.machine]}[name]
        result = run(self.lines, self.machine, number, *arguments)
        if result == ALLOW:
            return 0
        assert result >> 16 == 5
        return result & 0xFFFF


@pytest.fixture(params=MACHINES)
def machine(request) -> str:
    return request.param


@pytest.mark.parametrize("abi", [1, 3, 6, 7])
@pytest.mark.parametrize("permitted", [NOTHING, EVERYTHING], ids=["nothing", "everything"])
def test_the_program_is_one_that_the_kernel_takes(machine, permitted, abi):
    lines = program(permitted, abi, machine)
    assert len(lines) < 4096
    assert all(line.if_true < 256 and line.if_false < 256 for line in lines)
    assert len(assemble(lines)) == 8 * len(lines)
    for at, line in enumerate(lines):
        assert at + 1 + max(line.if_true, line.if_false) <= len(lines)


@pytest.mark.parametrize("machine", MACHINES)
def test_numbers_are_those_of_the_kernels_own_headers(machine):
    if not HEADERS[machine].exists():
        pytest.skip(f"no headers of {machine} here")
    text = HEADERS[machine].read_text()
    told = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    for name, number in {**NUMBERS[machine], **COMMON_NUMBERS}.items():
        assert told.get(name, number) == number, name
    assert sum(name in told for name in NUMBERS[machine]) > len(NUMBERS[machine]) * 0.9


def test_every_refused_call_has_a_number_on_the_machine_that_has_most_of_them():
    named = {name for refusal in REFUSED for name in refusal.names.split()}
    assert named == {*NUMBERS["x86_64"], *COMMON_NUMBERS}
    # aarch64 never had the calls that newer ones replaced.
    old = {
        "open",
        "chmod",
        "chown",
        "lchown",
        "utime",
        "utimes",
        "futimesat",
        "iopl",
        "ioperm",
        "create_module",
        "query_module",
    }
    assert named - {*NUMBERS["aarch64"], *COMMON_NUMBERS} == old


def test_every_line_has_a_reason():
    assert all(each.reason for each in (*REFUSED, *PLACES))
    assert all((*KEPT_CAPABILITIES.values(), *NETWORK_CAPABILITIES.values()))


@pytest.mark.parametrize(
    "name",
    "ptrace process_vm_readv bpf perf_event_open userfaultfd keyctl add_key mount umount2 pivot_root chroot setns unshare"
    " kexec_load init_module finit_module delete_module reboot swapon settimeofday syslog open_by_handle_at fanotify_init"
    " move_mount fsopen mount_setattr pidfd_getfd kcmp shmget msgget semget mq_open move_pages inotify_add_watch".split(),
)  # fmt: skip
@pytest.mark.parametrize("permitted", [NOTHING, EVERYTHING], ids=["nothing", "everything"])
def test_what_reaches_beyond_files_is_refused_whatever_is_permitted(machine, permitted, name):
    assert Filter(permitted, machine=machine)(name) == EPERM


def test_calls_that_no_filter_can_look_into_do_not_exist(machine):
    filter = Filter(EVERYTHING, machine=machine)
    assert filter("clone3") == filter("io_uring_setup") == filter("io_uring_enter") == ENOSYS


def test_calls_newer_than_the_list_do_not_exist(machine):
    lines = program(EVERYTHING, 7, machine)
    assert run(lines, machine, NEWEST_CALL + 1) == run(lines, machine, 0x7FFFFFFF) == 0x50000 | ENOSYS
    assert run(lines, machine, 0x40000000) == 0x50000 | ENOSYS  # x32: the same calls under other numbers
    assert run(lines, machine, -1) == 0x50000 | ENOSYS


def test_another_architecture_kills():
    lines = program(EVERYTHING, 7, "x86_64")
    assert run(lines, "aarch64", 0) == KILL_PROCESS


@pytest.mark.parametrize("flag", [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000])
def test_a_process_may_be_made_but_no_namespace(machine, flag):
    filter = Filter(EVERYTHING, machine=machine)
    assert filter("clone", 17) == filter("clone", 0x003D0F00) == 0  # fork, thread
    assert filter("clone", 17 | flag) == EPERM
    assert filter("clone", 1 << 40 | flag | 17) == EPERM


def test_only_our_own_limits_and_places_are_ours(machine):
    filter = Filter(machine=machine)
    assert filter("prlimit64", 0) == filter("sched_setaffinity", 0) == filter("setpriority", 0, 0) == 0
    assert filter("prlimit64", 1) == filter("sched_setaffinity", 1) == filter("setpriority", 0, 1) == EPERM
    assert filter("setpriority", 2, 0) == filter("ioprio_set", 1, 5) == EPERM


def test_sockets_are_refused_until_the_network_is_permitted(machine):
    nothing, network, everything = (
        Filter(each, machine=machine) for each in (NOTHING, Permitted(network=True), EVERYTHING)
    )
    unix, inet, inet6, netlink, packet, vsock = 1, 2, 10, 16, 17, 40
    assert [nothing("socket", family) for family in (unix, inet, inet6, netlink)] == [EPERM] * 4
    assert [network("socket", family) for family in (unix, inet, inet6, netlink)] == [EPERM, 0, 0, 0]
    assert [everything("socket", family) for family in (unix, inet, inet6, netlink)] == [0] * 4
    for filter in (nothing, network, everything):
        assert filter("socket", packet) == filter("socket", vsock) == filter("socket", 38) == EAFNOSUPPORT
        assert filter("socketpair", unix) == 0
        assert filter("socketpair", inet) == EPERM
    assert network("socket", netlink, 3, 9) == EPERM  # audit
    assert everything("socket", netlink, 3, 15) == EPERM  # device events


@pytest.mark.parametrize(
    ("names", "action", "error"),
    [
        ("fchmod fchmodat fchmodat2", "chmod", EPERM),
        ("fchown fchownat", "chown", EPERM),
        ("setxattr fsetxattr setxattrat removexattr", "set_x_attr", EOPNOTSUPP),
        ("getxattr listxattr fgetxattr getxattrat", "read", EOPNOTSUPP),
        ("utimensat", "write", EPERM),
    ],
)
def test_attributes_change_only_where_that_is_permitted_everywhere(machine, names, action, error):
    for name in names.split():
        assert Filter(machine=machine)(name) == error
        assert Filter(Permitted(frozenset({action})), machine=machine)(name) == 0


def test_typing_into_a_terminal_is_refused_and_other_requests_are_not(machine):
    filter = Filter(EVERYTHING, machine=machine)
    assert filter("ioctl", 0, 0x5412) == filter("ioctl", 0, 1 << 32 | 0x5412) == EPERM
    assert filter("ioctl", 0, 0x5401) == 0


def test_asking_for_the_personality_is_no_change_of_it(machine):
    filter = Filter(machine=machine)
    assert filter("personality", 0xFFFFFFFF) == 0
    assert filter("personality", 0x0040000) == EPERM


def test_what_an_older_landlock_lacks_the_filter_takes_away(machine):
    new, old, oldest = Filter(abi=6, machine=machine), Filter(abi=5, machine=machine), Filter(abi=2, machine=machine)
    read_and_truncate, write_and_truncate = 0o1000, 0o1001
    assert new("kill", 5, 9) == new("tgkill") == new("fcntl", 0, 8) == new("truncate") == new("openat2") == 0
    assert (
        old("kill", 5, 9)
        == old("tgkill")
        == old("pidfd_send_signal")
        == old("fcntl", 0, 8)
        == old("fcntl", 0, 15)
        == EPERM
    )
    assert old("fcntl", 0, 2) == old("truncate") == 0
    assert oldest("truncate") == EPERM
    assert oldest("openat2") == ENOSYS
    assert oldest("openat", 0, 0, read_and_truncate) == EPERM
    assert oldest("openat", 0, 0, write_and_truncate) == oldest("openat", 0, 0, 0) == 0
    assert Filter(Permitted(frozenset({"write"})), abi=2, machine=machine)("truncate") == 0
