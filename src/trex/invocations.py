"""Arguments, environments and capabilities of programs as scripts write them: what is well-formed.

Owns:  the names of capabilities; the sentences for what is not well-formed, when it is set and when it
       is built. The script's process says them at once, and the broker checks everything again.
Never: knows a program or a policy; imports nothing of ours.

An argument is a text, a list of one, or a list of a key and its value: `["-p", "tcp"]`.
"""

from __future__ import annotations

from typing import Any, Literal

Shape = Literal["", "arguments", "environment", "capabilities"]

CAPABILITIES = (
    "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP"
    " CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER"
    " CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE"
    " CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL"
    " CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON"
    " CAP_BPF CAP_CHECKPOINT_RESTORE"
).split()  # each stands at its number
NUMBER_OF = {name: number for number, name in enumerate(CAPABILITIES)}


def set_problem(shape: Shape, value: Any) -> str | None:
    """What is wrong with a value when it is set; None if nothing is."""
    if shape == "arguments":
        return next((problem for at, each in enumerate(value) if (problem := _argument_problem(at, each))), None)
    if shape == "environment":
        wrong = next((name for name in sorted(value) if type(value[name]) is not str), None)
        return None if wrong is None else f"Environment variable value for key '{wrong}' must be a string"
    if shape == "capabilities":
        for at, each in enumerate(value):
            if type(each) is not str:
                return f"Capability at index {at} must be a string"
            if each not in NUMBER_OF:
                return f"Invalid capability format: '{each}'"
    return None


def built_problem(shape: Shape, value: Any) -> str | None:
    """What is wrong with a value that could be set, once everything is there."""
    if shape == "arguments":
        for at, (key, given) in enumerate(pairs(value)):
            if not key:
                return f"Validation error: Argument key at index {at} cannot be empty"
            if given == "":
                return f"Validation error: Argument value for key '{key}' at index {at} cannot be empty"
    if shape == "environment":
        for at, name in enumerate(sorted(value)):
            if not name or not value[name]:
                return f"Validation error: Environment variable at index {at} should have non-empty key and value"
    return None


def pairs(arguments: list[Any]) -> list[tuple[str, str | None]]:
    """Arguments without a problem as keys and values; None where there is no value."""
    found: list[tuple[str, str | None]] = []
    for each in arguments:
        if type(each) is str:
            found.append((each, None))
        else:
            found.append((each[0], each[1] if len(each) == 2 else None))
    return found


def _argument_problem(at: int, argument: Any) -> str | None:
    if type(argument) is str:
        return None
    if type(argument) is not list:
        return f"Argument at index {at} must be a string or an array"
    if not argument:
        return f"Argument array at index {at} cannot be empty"
    if len(argument) > 2:
        return f"Argument array at index {at} cannot have more than 2 elements"
    if type(argument[0]) is not str:
        return "Argument key must be a string"
    if len(argument) == 2 and type(argument[1]) is not str:
        return "Argument value must be a string"
    return None
