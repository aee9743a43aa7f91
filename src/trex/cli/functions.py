"""`trex functions`: what scripts may call, and what each call needs from the policy.

Owns:      how the catalogue is shown to people and machines.
Relies on: the catalogue's own listing; nothing is described here.
Never:     performs an operation.
"""

from __future__ import annotations

from typing import Any

import click

from trex.cli.application import Command
from trex.interface import Builder, Interface, Module, ObjectType


def _functions(name: str | None, json: bool) -> None:
    from trex import sdk
    from trex.catalogue.interface import functions, interface

    catalogue = sdk.load()
    operations = functions(catalogue)
    known = interface(catalogue)
    if name is None:
        _print(operations if json else _overview(operations, known))
        return
    found = [each for each in operations if name in (each["name"], each["operation"])]
    types = [each for each in _types(known) if each.name == name]
    if found:
        _print(found if json else "\n\n".join(_described(each, known) for each in found))
    elif types:
        _print(types if json else "\n\n".join(_described_type(each, known) for each in types))
    else:
        names = {each["name"] for each in operations}.union(_type_names(known))
        raise click.UsageError(f"no function or type {name!r}.{_suggestion(name, names)}")


def _print(shown: Any) -> None:
    if not isinstance(shown, str):
        import msgspec

        shown = msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()
    click.echo(shown)


def _suggestion(name: str, known: set[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted(known), 3)
    return (
        f" Did you mean {' or '.join(map(repr, near))}?"
        if near
        else " `trex functions` lists them, but for the language's own."
    )


def _type_names(known: Interface) -> list[str]:
    """Option sets, handles, records and constants; flags stand with their function."""
    return sorted({each.name for each in _types(known) if each.name[0].isupper()})


def _types(known: Interface) -> tuple[Builder | ObjectType | Module, ...]:
    return (*known.builders, *known.types, *known.modules)


def _overview(operations: list[dict[str, Any]], known: Interface) -> str:
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
    import textwrap

    names = ", ".join(_type_names(known))
    lines += ["", click.style("types", bold=True)]
    lines += textwrap.wrap(names, 108, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    lines += [
        "",
        "`trex functions NAME` says more about a function or a type. Those of the language itself (texts, numbers,",
    ]
    lines += ["arrays, maps, dates, JSON) are not listed: `trex eval -e 'now()'` tries one."]
    return "\n".join(lines)


def _described(operation: dict[str, Any], known: Interface) -> str:
    lines = [click.style(each, bold=True) for each in operation["signatures"]]
    lines += ["", operation["doc"], *(f"\n{paragraph}" for paragraph in operation["details"])]
    if operation["parameters"]:
        lines += ["", "Parameters"]
        lines += [f"  {each['name']}: {each['type']}  {each['doc']}" for each in operation["parameters"]]
    taken = {each.get("flags") for each in operation["parameters"]}
    lines += [line for flags in known.modules if flags.name in taken for line in ("", "Flags", *_members(flags))]
    lines += ["", "Needs from the policy"]
    for need in operation["permissions"]:
        when = f", {need['when']}" if "when" in need else ""
        lines.append(f"  {need['action']} on {need['resource']} ({need['of']}{when})")
    if not operation["permissions"]:
        lines.append(f"  nothing: {operation['no_permission']}")
    lines += ["", "Example", *(f"  {line}" for line in operation["example"].splitlines())]
    return "\n".join(lines)


def _described_type(shown: Builder | ObjectType | Module, known: Interface) -> str:
    lines = [click.style(shown.name, bold=True), "", shown.doc]
    if isinstance(shown, Builder):
        lines += ["", "Setters", *_setters(shown)]
        lines += [f"\n`build()` may refuse: {rule.message}" for rule in shown.rules]
        ended = ".build()" if shown.finish is None else f".{shown.finish.rpartition('.')[2].partition('_')[0]}()"
        first = shown.setters[0]
        given = "KEY, VALUE" if first.keyed else "VALUE"
        lines += ["", "Made by", f"  {shown.name}().{first.name}({given}){ended}"]
    elif isinstance(shown, Module):
        lines += ["", "Constants", *_members(shown)]
    elif shown.fields:
        lines += ["", "Read as"]
        lines += [f"  .{each.name}{'()' * (each.access == 'method')}: {each.type}  {each.doc}" for each in shown.fields]
    product = shown.name if isinstance(shown, ObjectType) else shown.product
    takers = sorted({each.name for each in known.functions if product in (one.type for one in each.parameters)})
    if takers:
        lines += ["", "Taken by", f"  {', '.join(takers)}"]
    return "\n".join(lines)


def _setters(builder: Builder) -> list[str]:
    lines = []
    for each in builder.setters:
        taken = f"key, {each.type}" if each.keyed else each.type
        note = "; required" if each.required else f"; default {str(each.default).lower()}" * (each.default is not None)
        lines.append(f"  .{each.name}({taken})  {each.doc}{note}")
    return lines


def _members(module: Module) -> list[str]:
    lines = []
    for member in module.members:
        taken = "" if member.parameters is None else "(" + ", ".join(each.name for each in member.parameters) + ")"
        lines.append("  " + ", ".join(f"{module.name}::{name}{taken}" for name in member.names) + f"  {member.doc}")
    return lines


command = Command(
    "functions",
    callback=_functions,
    help="List what scripts may call; with NAME of a function or a type, say what it takes, gives and needs from the"
    " policy.",
    examples=("trex functions", "trex functions grep", "trex functions OpenFileOptions", "trex functions --json"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Argument(["name"], required=False),
        click.Option(["--json"], is_flag=True, help="For machines."),
    ],
)
