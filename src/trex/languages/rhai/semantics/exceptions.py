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
from trex.languages.rhai.positions import COLUMN_BITS, COLUMN_MASK, NOWHERE, describe, pack
from trex.languages.rhai.semantics.containers import CONTAINERS, share
from trex.languages.rhai.semantics.sizes import check_map
from trex.languages.rhai.semantics.text import error_text
from trex.languages.rhai.typenames import type_name
from trex.languages.rhai.values import NESTED, SHARED, Constant, Map

SCRIPT = "<script>"

CATCHABLE = (RhaiError, IndexError)

# Code name -> (function name, line of an error text); its inline subscripts, and the places of the parts of its
# operations, by position.
_labels: dict[str, tuple[str, str]] = {}
_sites: dict[str, dict[int, tuple[tuple[str, Any], ...]]] = {}
_parts: dict[str, dict[int, tuple[int, ...]]] = {}


# Code by its identity, which it keeps as long as it stands here, with the positions of its instructions.
_positions: dict[int, tuple[CodeType, list[tuple[int | None, int | None, int | None, int | None]]]] = {}
# The place in a piece of code -> where its operation is, and where that starts: what failed once often fails again.
_places: dict[tuple[int, int], tuple[int, int]] = {}


def register(
    labels: dict[str, tuple[str, str]],
    sites: dict[str, dict[int, tuple[tuple[str, Any], ...]]],
    parts: dict[str, dict[int, tuple[int, ...]]],
) -> None:
    """Make the functions of a program known."""
    _labels.update(labels)
    for name, places in sites.items():
        _sites.setdefault(name, {}).update(places)
    for name, found in parts.items():
        _parts.setdefault(name, {}).update(found)


def forget() -> None:
    """Drop all programs."""
    _positions.clear()
    _places.clear()
    _labels.clear()
    _sites.clear()
    _parts.clear()


# Errors that point at where an operation starts: the bracket of an index, the first name of a path.
_AT_START = frozenset(("ErrorIndexingType", "ErrorModuleNotFound"))


def _frames(traceback: TracebackType | None) -> list[tuple[str, int, Any, int]]:
    """The frames of generated code, outermost first: (code name, position, frame, where the operation starts)."""
    found = []
    while traceback is not None:
        frame = traceback.tb_frame
        code = frame.f_code
        if code.co_filename is SCRIPT or code.co_filename == SCRIPT:
            place = id(code), traceback.tb_lasti
            position, start = _places.get(place) or _place(code, place)
            found.append((code.co_name, position, frame, start))
        traceback = traceback.tb_next
    return found


def _place(code: CodeType, place: tuple[int, int]) -> tuple[int, int]:
    """Where an operation is, and where it starts."""
    known = _positions.get(place[0])
    if known is None:
        # Reading them takes as long as the code is.
        known = _positions[place[0]] = code, list(code.co_positions())
    first_line, line, first_column, column = known[1][place[1] // 2]
    position = pack(line, column) if line and column else NOWHERE
    start = pack(first_line, first_column) if first_line and first_column else NOWHERE
    _places[place] = position, start
    return position, start


def understand(error: BaseException) -> RhaiError:
    """The script's error behind an exception, with its position and calls filled in."""
    frames = _frames(error.__traceback__)
    if not isinstance(error, RhaiError):
        if not isinstance(error, IndexError):
            assert isinstance(error, RecursionError)
            error = errors.stack_overflow()
        else:
            error = _subscript(frames)
    if error.position is None:
        error.position = _position(error, *frames[-1]) if frames else NOWHERE
        if frames:
            error.code = frames[-1][0]
    elif not error.position and frames:
        error.code, error.place = frames[-1][:2]
    calls = error.calls
    if calls:
        if frames:
            # Calls noted on the way by those who are no generated code happened where that was left.
            calls[:] = [(name, label, position or frames[-1][1]) for name, label, position in calls]
    else:
        calls = error.calls = []
    if len(frames) > 1:
        if not calls and error.kind in errors.UNCATCHABLE:
            # Every call that such an error passes takes it for its own; the outermost has the last word.
            error.position = frames[0][1]
            error.code = frames[0][0]
            return error
        for index in range(len(frames) - 1, 0, -1):
            name, label = _labels.get(frames[index][0], ("", ""))
            if label:
                calls.append((name, label, frames[index - 1][1]))
    return error


def _position(error: RhaiError, code: str, position: int, frame: Any, start: int) -> int:
    """Where an error points that came out of an operation of a frame."""
    if error.kind in _AT_START:
        return start
    if error.part is not None and error.part >= 0 and (parts := _parts.get(code, {}).get(position)):
        return parts[error.part]
    return position


def passes_script(error: BaseException) -> bool:
    """Whether the error came out of a function of the script."""
    return bool(_frames(error.__traceback__))


def catchable(error: BaseException) -> bool:
    """Whether `try` may catch one of `CATCHABLE`: an inline subscript that failed, or what says so itself."""
    return not isinstance(error, RhaiError) or error.catchable


def passing(error: BaseException, function: str) -> BaseException:
    """The error of a callback as it leaves a library function that says so; raise it instead."""
    label = f"in call to function '{function}'"
    frames = _frames(error.__traceback__)
    if isinstance(error, RhaiError) and not frames:
        # The callback was not reached: it happened in the library function, wherever that was called.
        error.calls = [*(error.calls or ()), (function, label, NOWHERE)]
        return error
    understood = understand(error)
    if understood.kind in errors.UNCATCHABLE and not understood.calls:
        # Such an error seems to happen in the library function.
        understood.position = None
        understood.calls = [(function, label, NOWHERE)]
        return understood.with_traceback(None)
    callee = _labels.get(frames[0][0]) if frames else None
    inner = [(*callee, NOWHERE)] if callee is not None and callee[1] else []
    understood.calls = [*(understood.calls or ()), *inner, (function, label, NOWHERE)]
    return understood.with_traceback(None)


def _subscript(frames: list[tuple[str, int, Any, int]]) -> RhaiError:
    """An inline subscript failed: word it from the variables it used."""
    code, position, frame, _ = frames[-1]
    variables = frame.f_locals
    (name, container), (index_name, index) = _sites[code][position]
    if name:
        container = variables[name]
    if index_name:
        index = variables[index_name]
    if type(container) is str:
        return errors.string_bounds(index, len(container))
    return errors.array_bounds(index, len(container.v))


def message(error: RhaiError) -> str:
    """The sentence of an error without its position and calls."""
    if type(error) is Thrown:
        try:
            text = error_text(error.value)
        except RhaiError:
            # The error of a value so deep that writing it down fails must not be lost to that failure.
            text = f"{type_name(error.value)} nested too deep to be shown"
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
        value = error.args[0]
        if type(value) in CONTAINERS:
            value.state |= SHARED
        return value
    understood = understand(error)
    if not understood.catchable:
        raise understood.with_traceback(None)
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
        entries = {"error": understood.kind, "message": understood.message, **understood.details}
    strings = 0
    for value in entries.values():
        if type(value) is str:
            strings += len(value) if value.isascii() else len(value.encode())
    if position:
        entries["line"] = position >> COLUMN_BITS
        entries["position"] = position & COLUMN_MASK
    return check_map(Map(entries, NESTED, 0, 0, strings))


def catch(error: BaseException) -> None:
    """`catch` without a variable: only whether it may be caught matters."""
    if type(error) is not Thrown and type(error) is not IndexError:
        if isinstance(error, RhaiError) and error.kind not in errors.UNCATCHABLE:
            return
        understood = understand(error)
        if not understood.catchable:
            raise understood.with_traceback(None)


def detached(error: BaseException) -> RhaiError:
    """A caught error without the frames it came through, for a handler that may throw it again."""
    return error.with_traceback(None) if type(error) is Thrown else understand(error).with_traceback(None)


def thrown_again(value: Any, error: BaseException) -> BaseException:
    """What `throw value` raises in a handler of `error`: for unit the error itself, from here."""
    if value is not None:
        return Thrown(share(value))
    understood = understand(error)
    calls = understood.calls
    if calls:
        # What failed stays where it failed; only the outermost call seems to happen here.
        calls[-1] = (*calls[-1][:2], NOWHERE)
    else:
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
