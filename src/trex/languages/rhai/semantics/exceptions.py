"""From a Python exception to the script's error: where it happened, which calls it passed, what `catch` gets.

Owns:  reading tracebacks of generated code; the full text of an error; the value of a caught error.
Never: costs anything while nothing fails.

Generated code carries script positions as its own line and column numbers, so a traceback tells the
position of the failing operation and of every call on the way. Functions are known by the name of their
code object, which `register` connects to labels and inline subscripts.
"""

from __future__ import annotations

from types import CodeType, TracebackType
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.errors import RhaiError, Thrown
from trex.languages.rhai.positions import NOWHERE, column_of, describe, line_of, pack
from trex.languages.rhai.semantics.containers import map_of, share
from trex.languages.rhai.semantics.text import error_text
from trex.languages.rhai.values import Array, Constant, Map

SCRIPT = "<script>"

CATCHABLE = (RhaiError, IndexError)

# Code name -> (function name, line of an error text); and its inline subscripts by position.
_labels: dict[str, tuple[str, str]] = {}
_sites: dict[str, dict[int, tuple[tuple[str, Any], ...]]] = {}


# Code by its identity, which it keeps as long as it stands here, with the positions of its instructions.
_positions: dict[int, tuple[CodeType, list[tuple[int | None, int | None, int | None, int | None]]]] = {}


def register(labels: dict[str, tuple[str, str]], sites: dict[str, dict[int, tuple[tuple[str, Any], ...]]]) -> None:
    """Make the functions of a program known."""
    _labels.update(labels)
    for name, places in sites.items():
        _sites.setdefault(name, {}).update(places)


def forget() -> None:
    """Drop all programs."""
    _positions.clear()
    _labels.clear()
    _sites.clear()


# Errors that point at where an operation starts: the bracket of an index, the first name of a path.
_AT_START = frozenset(("ErrorIndexingType", "ErrorModuleNotFound"))


def _frames(traceback: TracebackType | None) -> list[tuple[str, int, Any, int]]:
    """The frames of generated code, outermost first: (code name, position, frame, where the operation starts)."""
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == SCRIPT:
            known = _positions.get(id(code))
            if known is None:
                # Reading them takes as long as the code is, and what fails once often fails again.
                known = _positions[id(code)] = code, list(code.co_positions())
            first_line, line, first_column, column = known[1][traceback.tb_lasti // 2]
            position = pack(line, column) if line and column else NOWHERE
            start = pack(first_line, first_column) if first_line and first_column else NOWHERE
            found.append((code.co_name, position, traceback.tb_frame, start))
        traceback = traceback.tb_next
    return found


def understand(error: BaseException) -> RhaiError:
    """The script's error behind an exception, with its position and calls filled in."""
    frames = _frames(error.__traceback__)
    if type(error) is IndexError:
        error = _subscript(frames)
    elif isinstance(error, RecursionError):
        error = errors.stack_overflow()
    assert isinstance(error, RhaiError)
    if error.kind == "ErrorStackOverflow" and len(frames) > 1 and error.position is None:
        # It is raised where the callee starts; the language points at the call.
        frames.pop()
    if error.position is None:
        error.position = NOWHERE
        if frames:
            _, position, _, start = frames[-1]
            error.position = start if error.kind in _AT_START else position
    calls = error.calls
    if calls is None:
        calls = error.calls = []
    elif frames:
        # Calls noted on the way by those who are no generated code happened where that was left.
        calls[:] = [(name, label, position or frames[-1][1]) for name, label, position in calls]
    if error.kind not in errors.UNCATCHABLE or calls:
        for inner, outer in zip(reversed(frames[1:]), reversed(frames[:-1]), strict=True):
            name, label = _labels.get(inner[0], ("", ""))
            if label:
                calls.append((name, label, outer[1]))
    return error


def passing(error: BaseException, function: str) -> BaseException:
    """The error of a callback as it leaves a library function that says so; raise it instead."""
    label = f"in call to function '{function}'"
    frames = _frames(error.__traceback__)
    if isinstance(error, RhaiError) and not frames:
        # The callback was not reached: it happened in the library function, wherever that was called.
        error.calls = [*(error.calls or ()), (function, label, NOWHERE)]
        return error
    understood = understand(error)
    if understood.kind in errors.UNCATCHABLE:
        return error
    callee = _labels.get(frames[0][0]) if frames else None
    inner = [(*callee, NOWHERE)] if callee is not None and callee[1] else []
    understood.calls = [*(understood.calls or ()), *inner, (function, label, NOWHERE)]
    return understood.with_traceback(None)


def _subscript(frames: list[tuple[str, int, Any, int]]) -> RhaiError:
    """An inline subscript failed: word it from the variables it used."""
    code, position, frame, _ = frames[-1]
    variables = frame.f_locals
    container, index = (variables[name] if name else value for name, value in _sites[code][position])
    if type(container) is str:
        return errors.string_bounds(index, len(container))
    return errors.array_bounds(index, len(container.v) if type(container) is Array else 0)


def message(error: RhaiError) -> str:
    """The sentence of an error without its position and calls."""
    if type(error) is Thrown:
        text = error_text(error.value)
        return f"Runtime error: {text}" if text else "Runtime error"
    return error.message


def full_text(error: RhaiError) -> str:
    """The whole text of an error that has been understood: sentence, position, a line for each call."""
    text = message(error) + describe(error.position or NOWHERE)
    for _, label, position in error.calls or ():
        text += f"\n{label}{describe(position)}"
    return text


def caught(error: BaseException) -> Any:
    """What `catch (e)` binds. An error that scripts may not catch goes on."""
    if type(error) is Thrown and not error.parse:
        return share(error.value)
    understood = understand(error)
    if not understood.catchable:
        raise understood
    if type(understood) is Thrown:
        return share(understood.value)
    entries: dict[str, Any] = {}
    calls = understood.calls
    if calls:
        name, label, position = calls[-1]
        text = message(understood) + describe(understood.position or NOWHERE)
        for _, inner_label, inner_position in calls[:-1]:
            text += f"\n{inner_label}{describe(inner_position)}"
        entries = {"error": "ErrorInFunctionCall", "message": f"{text}\n{label}", "function": name, "source": ""}
    else:
        position = understood.position or NOWHERE
        entries = {"error": understood.kind, "message": message(understood), **understood.details}
    if position:
        entries["line"] = line_of(position)
        entries["position"] = column_of(position)
    return map_of(entries)


def catch(error: BaseException) -> None:
    """`catch` without a variable: only whether it may be caught matters."""
    if type(error) is not Thrown:
        understood = understand(error)
        if not understood.catchable:
            raise understood


def thrown_again(value: Any, error: BaseException) -> BaseException:
    """What `throw value` raises in a handler of `error`: for unit the error itself, from here."""
    if value is not None:
        return Thrown(share(value))
    understood = understand(error)
    understood.position = None
    understood.calls = None
    return understood.with_traceback(None)


def denial_of(error: RhaiError) -> int | None:
    """The denial behind an error: its own, or that of the caught map that was thrown again."""
    if error.denial is not None:
        return error.denial
    if type(error) is Thrown and type(error.value) is Map:
        kind = error.value.v.get("kind")
        if type(kind) is Constant:
            return kind.denial
    return None
