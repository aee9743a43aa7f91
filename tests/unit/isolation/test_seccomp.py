"""The filter: run by a small machine of its own, for architectures that are not this one too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.bpf import verdict
from trex.isolation.profile import ALLOWED, SOCKET, SOFT, Argument, Call
from trex.isolation.seccomp import (
    ALLOW,
    AUDIT_ARCHITECTURES,
    ERRNO_EPERM,
    KILL_PROCESS,
    NUMBERS,
    X32_BIT,
    assemble,
    program,
)

MACHINES = sorted(NUMBERS)
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


def fitting(call: Call) -> list[int]:
    """Arguments that meet every condition of a call."""
    arguments = [0] * 6
    for argument in call.arguments:
        arguments[argument.index] = argument.value
    return arguments


@pytest.mark.parametrize("machine", MACHINES)
def test_a_listed_call_with_fitting_arguments_is_allowed(machine: str) -> None:
    lines = program(machine)
    for call in ALLOWED:
        number = NUMBERS[machine][call.name]
        assert verdict(lines, number, tuple(fitting(call)), AUDIT_ARCHITECTURES[machine]) == ALLOW, call.name


def bits_that_matter(argument: Argument) -> list[int]:
    return [bit for bit in range(argument.bits) if not argument.ignore >> bit & 1]


@pytest.mark.parametrize("machine", MACHINES)
def test_one_wrong_bit_in_any_checked_argument_kills(machine: str) -> None:
    lines = program(machine)
    for call in ALLOWED:
        number = NUMBERS[machine][call.name]
        for argument in call.arguments:
            for bit in bits_that_matter(argument):
                arguments = fitting(call)
                arguments[argument.index] ^= 1 << bit
                answer = verdict(lines, number, tuple(arguments), AUDIT_ARCHITECTURES[machine])
                assert answer == KILL_PROCESS, (call.name, argument, bit)


@pytest.mark.parametrize("machine", MACHINES)
def test_ignored_bits_and_the_upper_half_of_an_int_do_not_matter(machine: str) -> None:
    lines = program(machine)
    for call in ALLOWED:
        number = NUMBERS[machine][call.name]
        for argument in call.arguments:
            for bit in sorted(set(range(64)) - set(bits_that_matter(argument))):
                arguments = fitting(call)
                arguments[argument.index] ^= 1 << bit
                assert verdict(lines, number, tuple(arguments), AUDIT_ARCHITECTURES[machine]) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_every_other_number_is_refused(machine: str) -> None:
    lines = program(machine)
    names = {number: name for name, number in NUMBERS[machine].items()}
    allowed = {call.name for call in ALLOWED}
    for number in [*range(1000), 2**31, 2**32 - 1]:
        name = names.get(number)
        if name in allowed:
            continue
        expected = ERRNO_EPERM if name in SOFT else KILL_PROCESS
        assert verdict(lines, number, (), AUDIT_ARCHITECTURES[machine]) == expected, number


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("architecture", [0, 0x40000003, 0x40000028, 0xC000003E, 0xC00000B7, 0xFFFFFFFF])
def test_another_architecture_kills_whatever_it_calls(machine: str, architecture: int) -> None:
    if architecture == AUDIT_ARCHITECTURES[machine]:
        return
    lines = program(machine)
    for number in range(600):
        assert verdict(lines, number, (SOCKET,), architecture) == KILL_PROCESS


def test_x32_numbers_kill() -> None:
    lines = program("x86_64")
    for number in range(600):
        assert verdict(lines, number | X32_BIT, (SOCKET,), AUDIT_ARCHITECTURES["x86_64"]) == KILL_PROCESS


@pytest.mark.parametrize("machine", MACHINES)
def test_the_program_fits_what_the_kernel_takes(machine: str) -> None:
    lines = program(machine)
    assert len(lines) < 4096
    assert len(assemble(lines)) == 8 * len(lines)
    for at, line in enumerate(lines):
        assert 0 <= line.if_true < 256
        assert 0 <= line.if_false < 256
        assert at + 1 + max(line.if_true, line.if_false) < len(lines) or line.code == 0x06


@pytest.mark.parametrize("machine", MACHINES)
def test_every_allowed_call_has_a_number(machine: str) -> None:
    assert {call.name for call in ALLOWED} <= NUMBERS[machine].keys()
    assert len(set(NUMBERS[machine].values())) == len(NUMBERS[machine])


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"the kernel's headers are not installed: {header}")
    text = header.read_text()
    defined = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    # The generic table names some calls by their older names and renames them by size.
    renamed = {"newfstatat": "fstatat"}
    for name, number in NUMBERS[machine].items():
        assert defined.get(name, defined.get(renamed.get(name, ""))) == number, name
