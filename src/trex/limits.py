"""Bounds on everything that a script chooses: time, memory, calls, bytes, depth.

Owns:  the limits, their defaults and their meaning. Flags, documents and checks derive from here.
Never: enforces one; imports nothing of ours.

0 means "no bound of this kind" for the language limits, where other bounds still hold.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

KIB = 1024
MIB = 1024 * KIB

Bound = Annotated[int, Meta(ge=0)]


class LanguageLimits(Struct, frozen=True):
    """What the worker enforces while it compiles and runs a script."""

    max_steps: Annotated[Bound, Meta(description="loop turns and function calls")] = 0
    max_call_levels: Annotated[Bound, Meta(description="depth of nested function calls")] = 64
    max_expr_depth: Annotated[Bound, Meta(description="nesting of expressions outside functions")] = 64
    max_function_expr_depth: Annotated[Bound, Meta(description="nesting of expressions inside functions")] = 32
    max_string_size: Annotated[Bound, Meta(description="bytes (UTF-8) of a string")] = 64 * MIB
    max_array_size: Annotated[Bound, Meta(description="elements of an array or blob, nested ones included")] = 64 * MIB
    max_map_size: Annotated[Bound, Meta(description="entries of a map, nested ones included")] = 4 * MIB
    max_variables: Annotated[Bound, Meta(description="variables in scope")] = 0
    max_functions: Annotated[Bound, Meta(description="functions that a script defines")] = 0
    max_modules: Annotated[Bound, Meta(description="modules that a script imports")] = 64


class Limits(LanguageLimits, frozen=True):
    """All limits of one run."""

    max_time: Annotated[float, Meta(gt=0, description="seconds from start to outcome")] = 60.0
    max_memory: Annotated[Bound, Meta(description="bytes of memory the script may use")] = 512 * MIB
    max_operations: Annotated[Bound, Meta(description="operations on the host")] = 100_000
    max_output: Annotated[Bound, Meta(description="bytes of the result")] = 8 * MIB
    max_log_records: Annotated[Bound, Meta(description="log records kept, newest first")] = 1000
    max_log: Annotated[Bound, Meta(description="bytes logged in all")] = 64 * MIB
    max_read: Annotated[
        Bound, Meta(description="bytes that one operation reads into the script, and 16 for each line")
    ] = 64 * MIB
    max_write: Annotated[Bound, Meta(description="bytes written in all")] = 1024 * MIB
    max_handles: Annotated[Bound, Meta(description="resources held open at once")] = 256
    max_script: Annotated[Bound, Meta(description="bytes of the script and of each module")] = 1 * MIB
    max_arguments: Annotated[Bound, Meta(description="bytes of the arguments")] = 1 * MIB
    max_policy: Annotated[Bound, Meta(description="bytes of the policy")] = 1 * MIB
