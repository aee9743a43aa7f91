"""What the context of `execute` holds beside what Rex knows, for tests that make one by hand."""

from __future__ import annotations

from typing import Any

from trex.authorization import Entity


def added_to_execution(*arguments: str) -> dict[str, Any]:
    """The added fields, for a program that is given these arguments and nothing else."""
    shape = {"count": len(arguments), "line": " ".join(arguments), "values": arguments}
    positions = {str(position): argument for position, argument in enumerate(arguments)}
    return {
        "argument_list": Entity("file_system::ArgumentList", "list", shape, (), positions),
        "supplementary_groups": (),
        "capabilities": (),
        "working_directory": "/",
        "has_stdin": False,
    }
