"""The run in this process: what compiled code and library functions need to know about it.

Owns:  `RUN`, the one run of a worker: its functions, limits, options and host.
Never: keeps anything from an earlier run; `begin` starts from nothing.

A worker runs one script, so the run is a module-level object and not an argument of every helper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trex.languages.host import Host
from trex.languages.rhai.library.registry import FUNCTIONS, GETTERS, NULLARY, Implementation, Overloads
from trex.limits import LanguageLimits


class ScriptFunction:
    """A function of the script, compiled.

    code:      takes what `this` says, then the parameters, then the depth.
    this:      as in `FnPtr`.
    receiver:  the type name of `fn type.name(..)`, else None.
    """

    __slots__ = ("code", "name", "params", "private", "receiver", "this")

    def __init__(
        self,
        name: str,
        params: tuple[str, ...],
        code: Callable[..., Any],
        this: int,
        receiver: str | None,
        private: bool,
    ) -> None:
        self.name = name
        self.params = params
        self.code = code
        self.this = this
        self.receiver = receiver
        self.private = private


class Run:
    """Everything about the run that is not in the code itself."""

    __slots__ = (
        "call_levels",
        "closures",
        "constants",
        "functions",
        "generic",
        "getters",
        "host",
        "limits",
        "modules",
        "natives",
        "nullary",
        "print",
        "strict_properties",
        "typed",
    )

    def __init__(self) -> None:
        self.begin(LanguageLimits())

    def begin(self, limits: LanguageLimits, host: Host | None = None) -> None:
        """Forget everything and start a run."""
        self.limits = limits
        self.host = host
        self.call_levels = limits.max_call_levels or 2**31
        # Script functions by (name, parameters); by (receiver type name, name, parameters).
        self.functions: dict[tuple[str, int], ScriptFunction] = {}
        # Closures, for those who ask what functions there are; what they capture counts as their first parameters.
        self.closures: list[ScriptFunction] = []
        # What calls by name use: the compiled functions may know the types of their direct callers' arguments.
        self.generic: Callable[[tuple[str, int]], ScriptFunction | None] = self.functions.get
        self.typed: dict[tuple[str, str, int], ScriptFunction] = {}
        # Library and host functions; the bindings replace entries, never change them.
        self.natives: dict[tuple[str, int], Overloads] = dict(FUNCTIONS)
        self.nullary: dict[str, Implementation] = dict(NULLARY)
        self.getters = GETTERS
        # Modules of constants and flags that the host's interface declares, by name.
        self.constants: dict[str, Any] = {}
        self.modules: dict[str, str] = {}
        self.strict_properties = False
        self.print: Callable[[str], None] = lambda text: None


RUN = Run()
