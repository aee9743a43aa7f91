"""From the catalogue to what workers, people and tools are told about it.

Owns:  the `Interface` of a run, and the listing that `trex functions` prints.
Never: leaves anything out: what is declared is callable, and what is callable is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trex.catalogue.declare import CATALOGUE, Catalogue
from trex.interface import Interface

if TYPE_CHECKING:
    from trex.catalogue.declare import Need, Operation


def interface(catalogue: Catalogue = CATALOGUE) -> Interface:
    """Everything that scripts may name, as data."""
    return Interface(
        functions=tuple(function for operation in catalogue.callable for function in operation.functions()),
        types=(
            *(record.object_type for record in catalogue.records.values()),
            *catalogue.held.values(),
        ),
        modules=(
            *(flags.module for flags in catalogue.flags.values()),
            *(enumeration.module for enumeration in catalogue.enumerations.values()),
            *(measure.module for measure in catalogue.measures.values()),
        ),
        builders=tuple(options.builder for options in catalogue.options.values()),
    )


def permission(need: Need) -> dict[str, str]:
    """One permit that an operation takes, for machines."""
    shown = {"action": str(need.action), "resource": need.kind, "of": need.of}
    return shown | ({"when": need.when} if need.when else {})


def signature(operation: Operation) -> list[str]:
    """Each way to call the operation, as scripts write it."""
    shown = []
    for function in operation.functions():
        parameters = ", ".join(f"{each.name}: {each.type}" for each in function.parameters)
        returns = "" if function.returns == "unit" else f" -> {function.returns}"
        shown.append(f"{function.name}({parameters}){returns}")
    return shown


def functions(catalogue: Catalogue = CATALOGUE) -> list[dict[str, Any]]:
    """Every operation with all that is known about it, by name."""
    return [
        {
            "name": operation.name,
            "operation": operation.label,
            "signatures": signature(operation),
            "parameters": [
                {
                    "name": each.name,
                    "type": each.type,
                    "doc": each.doc,
                    "optional": each.is_optional or each.is_flags,
                }
                | ({"flags": each.flags} if each.is_flags else {})
                for each in operation.parameters
            ],
            "result": operation.returns,
            "permissions": [permission(need) for need in operation.needs],
            "no_permission": operation.open,
            "doc": operation.doc,
            "details": operation.details,
            "example": operation.example,
        }
        for operation in sorted(catalogue.callable, key=lambda each: (each.name, each.label))
    ]
