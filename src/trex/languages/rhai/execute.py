"""Running the script of a run: from the broker's request to the last message.

Owns:  the order: bind the interface, compile, run; how each kind of ending is reported.
Never: catches what is not the script's: memory, protocol and our own faults go to the worker.
"""

from __future__ import annotations

from typing import Any

from trex.languages.host import Host
from trex.languages.rhai import advice
from trex.languages.rhai.bindings import Bindings, Handle, NotPlain, from_host, to_plain
from trex.languages.rhai.errors import UNCATCHABLE, Exit, ParseError, RhaiError, Thrown
from trex.languages.rhai.library import datetimes
from trex.languages.rhai.parser import Options
from trex.languages.rhai.positions import NOWHERE, column_of, describe, line_of
from trex.languages.rhai.semantics import exceptions
from trex.languages.rhai.semantics.pointers import parse_failure
from trex.languages.rhai.semantics.text import text
from trex.languages.rhai.session import Session, milliseconds
from trex.languages.rhai.values import Cell, Constant, Map
from trex.languages.words import DISABLED
from trex.protocol.messages import Failed, Finished, Start


def execute(start: Start, host: Host) -> Finished | Failed:
    """Compile and run a script; `host` performs its operations."""
    timings: dict[str, float] = {}
    began = milliseconds()
    session = session_of(start, host)
    timings["bind"] = milliseconds() - began
    try:
        began = milliseconds()
        outer = dict.fromkeys(start.arguments, False)
        if start.check:
            session.parse(start.script, outer)
            return Finished("", None, True, timings)
        compiled = session.compile(start.script, outer)
        timings["compile"] = milliseconds() - began
        began = milliseconds()
        try:
            value = compiled.main({name: Cell(from_host(given)) for name, given in start.arguments.items()})
        except Exit as ended:
            value = ended.value
        finally:
            timings["run"] = milliseconds() - began
        return finished(value, timings)
    except ParseError as error:
        return failed(parse_failure(error), start, session, timings)
    except (RhaiError, IndexError, RecursionError) as error:
        return failed(exceptions.understand(error), start, session, timings)
    finally:
        Handle.release = None


def session_of(start: Start, host: Host) -> Session:
    """The run that a broker asks for, before anything of its script was read."""
    namespaces = datetimes.MODULES.union(module.name for module in start.interface.modules)
    session = Session(start.limits, Options(True, frozenset(DISABLED), namespaces), host, start.modules)
    datetimes.install()
    Bindings(start.interface, host).bind()
    return session


def finished(value: Any, timings: dict[str, float]) -> Finished:
    """The message of a script that ended normally."""
    try:
        return Finished(text(value), to_plain(value), True, timings)
    except NotPlain:
        return Finished(text(value), None, False, timings)


def failed(error: RhaiError, start: Start, session: Session, timings: dict[str, float]) -> Failed:
    """The message of a script that ended in an error."""
    position = error.position or NOWHERE
    chain = [
        "ErrorInModule" if label.startswith("in module") else "ErrorInFunctionCall" for _, label, _ in error.calls or ()
    ]
    stage = "run"
    if error.kind == "ErrorParsing":
        stage = "run" if error.calls else "parse"
    elif error.kind in UNCATCHABLE:
        stage = "limit"
    module, source = error.module or session.texts.get(error.code) or ("", start.script)
    return Failed(
        stage,  # type: ignore[arg-type]  # one of the three above
        error.kind,
        [*reversed(chain), error.kind],
        outcome_text(error),
        line_of(position),
        column_of(position),
        exceptions.denial_of(error),
        advice.excerpt(source, position or error.place, error, start.interface, module),
        timings,
    )


def outcome_text(error: RhaiError) -> str:
    """The text of an error for the outcome: maps thrown by operations read as a sentence."""
    value = error.value if type(error) is Thrown else None
    if type(value) is Map and not error.calls:
        try:
            return sentence(value) + describe(error.position or NOWHERE)
        except RhaiError:
            # A part of it is nested too deep to be shown, which is no reason to lose the error.
            return exceptions.full_text(error)
    return exceptions.full_text(error)


def sentence(thrown: Map) -> str:
    """A map like those that operations throw, as `source: kind: message`."""
    source = thrown.v.get("source")
    kind = thrown.v.get("kind")
    message = thrown.v.get("message")
    shown = f"{text(source) if source is not None else 'Unknown'}"
    shown += f": {text(kind) if type(kind) is Constant else 'Unknown'}"
    return f"{shown}: {text(message) if message is not None else 'no message'}"
