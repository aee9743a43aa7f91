"""`trex functions`: what scripts may call, and what each call needs from the policy.

Owns:      how the catalogue is shown to people and machines.
Relies on: the catalogue's own listing; nothing is described here.
Never:     performs an operation.
"""

from __future__ import annotations

from typing import Any

import click

from trex.cli.application import Command


def _functions(name: str | None, json: bool) -> None:
    from trex import sdk
    from trex.catalogue.interface import functions

    operations = functions(sdk.load())
    if name is not None:
        found = [each for each in operations if name in (each["name"], each["operation"])]
        if not found:
            raise click.UsageError(f"no function {name!r}.{_suggestion(name, operations)}")
        operations = found
    if json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(operations), indent=2))
    elif name is not None:
        click.echo("\n\n".join(_described(each) for each in operations))
    else:
        click.echo(_overview(operations))


def _suggestion(name: str, operations: list[dict[str, Any]]) -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted({each["name"] for each in operations}), 3)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else " `trex functions` lists them."


def _overview(operations: list[dict[str, Any]]) -> str:
    lines: list[str] = []
    domain = ""
    width = min(34, max(len(each["signatures"][0]) for each in operations))
    for each in sorted(operations, key=lambda each: (each["operation"].partition(".")[0], each["name"])):
        if each["operation"].partition(".")[0] != domain:
            domain = each["operation"].partition(".")[0]
            lines += ["", click.style(domain, bold=True)] if lines else [click.style(domain, bold=True)]
        shown = each["signatures"][0].partition(" -> ")[0]
        gap = f"\n{'':{width + 4}}" if len(shown) > width else " " * (width + 2 - len(shown))
        lines.append(f"  {shown}{gap}{each['doc']}")
    lines += ["", "`trex functions NAME` says more; handles, records, flags and constants are in docs/reference."]
    return "\n".join(lines)


def _described(operation: dict[str, Any]) -> str:
    lines = [click.style(each, bold=True) for each in operation["signatures"]]
    lines += ["", operation["doc"], *(f"\n{paragraph}" for paragraph in operation["details"])]
    if operation["parameters"]:
        lines += ["", "Parameters"]
        lines += [f"  {each['name']}: {each['type']}  {each['doc']}" for each in operation["parameters"]]
    lines += ["", "Needs from the policy"]
    for need in operation["permissions"]:
        when = f", {need['when']}" if "when" in need else ""
        lines.append(f"  {need['action']} on {need['resource']} ({need['of']}{when})")
    if not operation["permissions"]:
        lines.append(f"  nothing: {operation['no_permission']}")
    lines += ["", "Example", *(f"  {line}" for line in operation["example"].splitlines())]
    return "\n".join(lines)


command = Command(
    "functions",
    callback=_functions,
    help="List what scripts may call; with NAME, say what it takes, gives and needs from the policy.",
    examples=("trex functions", "trex functions grep", "trex functions --json"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Argument(["name"], required=False),
        click.Option(["--json"], is_flag=True, help="For machines."),
    ],
)
