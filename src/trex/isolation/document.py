"""`docs/reference/isolation.md`, made from the profile.

Owns:      the words between the generated tables.
Relies on: `profile`, for every rule and its reason.
Never:     is imported by a run; only by the generator of pages.
"""

from __future__ import annotations

from trex.isolation.profile import ALLOWED, LANDLOCK_RIGHTS, LAYERS, RESERVE, RESOURCE_LIMITS, SOCKET, SOFT, Argument

MIB = 1024 * 1024


def page() -> str:
    """The whole document."""
    return "\n".join([*_layers(), *_system_calls(), *_limits(), *_landlock()])


def _layers() -> list[str]:
    rows = [f"| `{layer.name}` | {layer.reason} | {'yes' if layer.optional else 'no'} |" for layer in LAYERS]
    return [
        "# Isolation",
        "",
        "A script runs in a process that the kernel has locked before it reads the script's first byte. These",
        "layers are put in place in this order, and each is tried from inside before the worker says that it is",
        "ready. A layer that is missing refuses the run, unless `--isolation=degraded:LAYER,...` names it.",
        "`trex doctor` tells what a host offers.",
        "",
        "| layer | what it stops | may be named by a degraded mode |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _system_calls() -> list[str]:
    lines = [
        "## System calls",
        "",
        f"Descriptor {SOCKET} is the socket to the broker. What is not in the first table kills the worker, and so",
        "does a call that breaks its condition. What is in the second fails with `EPERM`, because libraries try it",
        "by themselves.",
        "",
        "| allowed | condition | why it is needed |",
        "|---|---|---|",
    ]
    for call in ALLOWED:
        conditions = ", ".join(_condition(argument) for argument in call.arguments) or "none"
        lines.append(f"| `{call.name}` | {conditions} | {call.reason} |")
    lines += ["", "| fails | who tries it |", "|---|---|"]
    lines += [f"| `{name}` | {reason} |" for name, reason in SOFT.items()]
    return [*lines, ""]


def _condition(argument: Argument) -> str:
    place = f"argument {argument.index + 1}"
    if argument.ignore and not argument.value:
        return f"{place} has no bits but {argument.ignore:#x}"
    if argument.ignore:
        return f"{place} is {argument.value:#x}, bits {argument.ignore:#x} aside"
    return f"{place} is {argument.value:#x}" if argument.value > 9 else f"{place} is {argument.value}"


def _limits() -> list[str]:
    lines = [
        "## Resource limits",
        "",
        "| limit | value | why |",
        "|---|---|---|",
        f"| `RLIMIT_DATA` | in use before, + `max_memory` + {RESERVE // MIB} MiB | memory: what the script may use |",
        "| `RLIMIT_AS` | the same, + a full stack | address space |",
        "| `RLIMIT_CPU` | `max_time` + 3 s | ends a worker whose broker hangs |",
    ]
    lines += [f"| `{limit.name}` | {limit.value} | {limit.reason} |" for limit in RESOURCE_LIMITS]
    return [*lines, ""]


def _landlock() -> list[str]:
    lines = [
        "## Landlock",
        "",
        "Every right that the kernel's version of the interface knows is taken away, and no rule gives one back.",
        "",
        "| since ABI | rights |",
        "|---|---|",
    ]
    return [*lines, *(f"| {rights.abi} | {rights.reason} |" for rights in LANDLOCK_RIGHTS), ""]
