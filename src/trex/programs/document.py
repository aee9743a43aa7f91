"""`docs/reference/programs.md`, made from the profile.

Owns:      the words between the generated tables.
Relies on: `profile`, for every rule and its reason.
Never:     is imported by a run; only by the generator of pages.
"""

from __future__ import annotations

from trex.authorization.reach import NAMES
from trex.programs.profile import KEPT_CAPABILITIES, NETWORK_CAPABILITIES, PLACES, REFUSED, Refusal, Where


def page() -> str:
    """The whole document."""
    return "\n".join([*_introduction(), *_places(), *_calls(), *_capabilities()])


def _introduction() -> list[str]:
    return [
        "# Confined programs",
        "",
        "What a program that a script executes may do, beside what the policy permits.",
        "[The guide](../guides/programs.md) says how this follows from a policy, and how a policy lets a program out.",
        "",
    ]


def _places() -> list[str]:
    lines = [
        "## Places",
        "",
        "A program may use these unless a policy forbids `open` or `read` there; it may also execute itself and its",
        "loader, and read its script.",
        "",
        "| place | rights | for what | only with libraries |",
        "|---|---|---|---|",
    ]
    for place in PLACES:
        rights = ", ".join(name for right, name in NAMES.items() if place.rights & right)
        lines.append(f"| `{place.path}` | {rights} | {place.reason} | {'yes' if place.dynamic else 'no'} |")
    return [*lines, ""]


def _calls() -> list[str]:
    lines = [
        "## System calls",
        "",
        "These fail, with `EPERM` unless it says something else. Calls that are newer than this list fail with",
        "`ENOSYS`.",
        "What stands under *permitted by* lets them through: a policy that permits this action on every file, every",
        "contact with other hosts (`network`), or everything.",
        "",
        "| calls | condition | why | permitted by |",
        "|---|---|---|---|",
    ]
    for refusal in REFUSED:
        names = " ".join(f"`{name}`" for name in refusal.names.split())
        lines.append(f"| {names} | {_conditions(refusal)} | {refusal.reason} | {refusal.unless or '-'} |")
    return [*lines, ""]


def _conditions(refusal: Refusal) -> str:
    told = [_condition(each) for each in refusal.when]
    if refusal.before:
        told.append(f"Landlock before version {refusal.before}")
    if refusal.error != 1:
        told.append(f"fails with {ERRORS[refusal.error]}")
    return ", ".join(told) or "-"


ERRORS = {38: "`ENOSYS`", 95: "`EOPNOTSUPP`", 97: "`EAFNOSUPPORT`"}


def _condition(where: Where) -> str:
    masked = "" if where.mask == 0xFFFFFFFF else f" & {where.mask:#x}"
    return f"argument {where.index + 1}{masked} {'is' if where.equal else 'is not'} {where.value:#x}"


def _capabilities() -> list[str]:
    lines = [
        "## Capabilities",
        "",
        "Where Trex runs as root, a confined program keeps these of root's capabilities, and those that the script",
        "asks for in `capabilities`, which the policy sees.",
        "",
        "| capability | for what |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {reason} |" for name, reason in (KEPT_CAPABILITIES | NETWORK_CAPABILITIES).items()]
    return [*lines, ""]
