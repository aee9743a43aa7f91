"""The reference pages of operations and their types, as Markdown.

Owns:  how a declaration reads for people who write scripts and policies.
Never: says anything that is not declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trex.catalogue.declare import CATALOGUE, Catalogue
from trex.catalogue.interface import signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trex.catalogue.declare import Operation, ParameterSpec
    from trex.interface import Builder, Module, ObjectType

FOLDER = "docs/reference/operations"


def pages(catalogue: Catalogue = CATALOGUE) -> dict[str, str]:
    """Every page, by its path in the project."""
    domains: dict[str, list[Operation]] = {}
    for operation in catalogue.callable:
        domains.setdefault(operation.label.partition(".")[0], []).append(operation)
    made = {
        f"{FOLDER}/{domain}.md": "\n".join(_domain(domain, sorted(operations, key=lambda each: each.name))) + "\n"
        for domain, operations in sorted(domains.items())
    }
    made[f"{FOLDER}/types.md"] = "\n".join(_types(catalogue)) + "\n"
    return made


def _domain(domain: str, operations: list[Operation]) -> Iterator[str]:
    yield f"# Operations: {domain}"
    yield ""
    yield "`x.f(a)` and `f(x, a)` are the same call. Option sets, handles, records, flags and constants are in"
    yield "[types](types.md)."
    yield ""
    yield from _table(
        ("function", "what", "operation"), ((f"`{each.name}`", each.doc, f"`{each.label}`") for each in operations)
    )
    for operation in operations:
        yield from _operation(operation)


def _operation(operation: Operation) -> Iterator[str]:
    yield ""
    yield f"## {operation.name} (`{operation.label}`)"
    yield ""
    yield "```text"
    yield from signature(operation)
    yield "```"
    yield ""
    yield operation.doc
    for paragraph in operation.details:
        yield ""
        yield from (line.strip() for line in paragraph.splitlines())
    yield ""
    yield from _table(
        ("parameter", "type", "what"),
        ((f"`{each.name}`", _optional(each), each.doc) for each in operation.parameters),
    )
    yield ""
    if operation.needs:
        yield from _table(
            ("permission", "on", "when"),
            ((f"`{need.action}`", f"`{need.kind}`: {need.of}", need.when or "always") for need in operation.needs),
        )
    else:
        yield f"Needs no permission: {operation.open}."
    yield ""
    yield "```rhai"
    yield operation.example
    yield "```"


def _optional(parameter: ParameterSpec) -> str:
    if parameter.is_flags:
        return f"`array` of [flags](types.md#{parameter.flags}), may be left out"
    return f"`{parameter.type}`, may be left out" if parameter.is_optional else f"`{parameter.type}`"


def _types(catalogue: Catalogue) -> Iterator[str]:
    yield "# Types"
    yield ""
    yield "## Option sets"
    yield ""
    yield "`Name()` makes a builder, each setter returns it, `.build()` gives the option set."
    for options in sorted(catalogue.options.values(), key=lambda each: each.builder.name):
        yield from _builder(options.builder)
    yield ""
    yield "## Handles"
    yield ""
    yield "Something that the broker holds open for the script until nothing refers to it any more."
    for shown in sorted(catalogue.held.values(), key=lambda each: each.name):
        yield from _object(shown)
    yield ""
    yield "## Records"
    for record in sorted(catalogue.records.values(), key=lambda each: each.name):
        yield from _object(record.object_type)
    yield ""
    yield "## Flags"
    yield ""
    yield "Passed as an array in the first place: `cat([cat::number], path)`."
    for flags in sorted(catalogue.flags.values(), key=lambda each: each.command):
        yield from _module(flags.module)
    yield ""
    yield "## Constants"
    for enumeration in sorted(catalogue.enumerations.values(), key=lambda each: each.name):
        yield from _module(enumeration.module)
    for measure in sorted(catalogue.measures.values(), key=lambda each: each.name):
        yield from _module(measure.module)


def _builder(builder: Builder) -> Iterator[str]:
    yield ""
    yield f"### {builder.name}"
    yield ""
    yield builder.doc
    yield ""
    rows = []
    for setter in builder.setters:
        taken = f"key, `{setter.type}`" if setter.keyed else f"`{setter.type}`"
        default = (
            "required" if setter.required else "" if setter.default is None else f"`{str(setter.default).lower()}`"
        )
        rows.append((f"`{setter.name}`", taken, default, setter.doc))
    yield from _table(("setter", "takes", "default", "what"), rows)
    if builder.rules:
        yield ""
        yield "`build()` may refuse: " + "; ".join(rule.message for rule in builder.rules) + "."


def _object(shown: ObjectType) -> Iterator[str]:
    yield ""
    yield f"### {shown.name}"
    yield ""
    yield shown.doc
    if shown.fields:
        yield ""
        rows = []
        for field in shown.fields:
            read = f"`.{field.name}()`" if field.access == "method" else f"`.{field.name}`"
            rows.append((read, f"`{field.type}`", field.doc))
        yield from _table(("read as", "type", "what"), rows)
    if shown.map is not None:
        yield ""
        yield "`.to_map()` has " + ", ".join(f"`{key}`" for key, _ in shown.map) + "."


def _module(module: Module) -> Iterator[str]:
    yield ""
    yield f"### {module.name}"
    yield ""
    yield module.doc
    yield ""
    rows = []
    for member in module.members:
        taken = "" if member.parameters is None else "(" + ", ".join(each.name for each in member.parameters) + ")"
        names = ", ".join(f"`{module.name}::{name}{taken}`" for name in member.names)
        rows.append((names, member.doc))
    yield from _table(("constant", "what"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
