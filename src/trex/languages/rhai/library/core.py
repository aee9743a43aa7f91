"""Functions on values of any type: text, output, `take`, waiting, and what functions the script has.

Owns:  the core functions that the compiler does not handle itself.
Never: writes output; the host of the run does.
"""

from __future__ import annotations

from time import sleep as wait
from typing import Any

from trex.languages.rhai import errors
from trex.languages.rhai.errors import Exit
from trex.languages.rhai.library.registry import ANY, GETTERS, function
from trex.languages.rhai.semantics.arithmetic import check_text
from trex.languages.rhai.semantics.containers import array_of, map_of, strings_of
from trex.languages.rhai.semantics.state import RUN, ScriptFunction
from trex.languages.rhai.semantics.text import debug as debug_text
from trex.languages.rhai.semantics.text import text
from trex.languages.rhai.values import Array, Blob, Char, FnPtr, Items, Map, Range, Timestamp

_YEAR = 365 * 24 * 3600


@function("print", arguments=0)
def print_nothing() -> None:
    RUN.print("")


@function("print", ANY, arguments=1, effect="pure")
def print_(value: Any) -> None:
    RUN.print(text(value))


@function("debug", arguments=0)
def debug_nothing() -> None:
    _debug("")


@function("debug", ANY, arguments=1, effect="pure")
def debug(value: Any) -> None:
    _debug(debug_text(value))


def _debug(message: str) -> None:
    if RUN.host is not None:
        RUN.host.log("DEBUG", message, None)


@function("to_string", ANY, arguments=1, effect="pure")
def to_string(value: Any) -> str:
    return check_text(text(value))


@function("to_debug", ANY, arguments=1, effect="pure")
def to_debug(value: Any) -> str:
    return check_text(debug_text(value))


@function("exit", arguments=0)
def exit_plainly() -> None:
    raise Exit(None)


@function("exit", ANY, arguments=1)
def exit_with(value: Any) -> None:
    raise Exit(value)


@function("take", ANY, arguments=1, effect="replace")
def take(value: Any) -> tuple[None, Any]:
    return None, value


@function("sleep", int, float, arguments=1)
def sleep(seconds: float) -> None:
    # The deadline of the run ends a wait that is too long. NaN is not greater than zero.
    if 0 < seconds < float("inf"):
        wait(min(seconds, _YEAR))


# Values carry no tags here: reading one gives what a value has that was never tagged.
@function("tag", ANY, arguments=1, effect="pure")
def tag(value: Any) -> int:
    return 0


for _kind in (type(None), bool, int, float, str, Char, Array, Blob, Range, FnPtr, Timestamp, Items):
    GETTERS.setdefault(_kind, {})["tag"] = tag


def _described(scripted: ScriptFunction) -> Map:
    entries: dict[str, Any] = {
        "name": scripted.name,
        "access": "private" if scripted.private else "public",
        "is_anonymous": scripted.name.startswith("anon$"),
        "params": strings_of(list(scripted.params)),
    }
    if scripted.receiver is not None:
        entries["this_type"] = scripted.receiver
    return map_of(entries)


def _script_functions() -> list[ScriptFunction]:
    return [*RUN.functions.values(), *RUN.typed.values(), *RUN.closures]


@function("get_fn_metadata_list", arguments=0)
def get_fn_metadata_list() -> Array:
    return array_of([_described(one) for one in _script_functions()])


@function("get_fn_metadata_list", str, arguments=1)
def get_fn_metadata_named(name: str) -> Array:
    return array_of([_described(one) for one in _script_functions() if one.name == name])


@function("get_fn_metadata_list", str, arguments=2)
def get_fn_metadata(name: str, params: Any) -> Array:
    if type(params) is not int:
        raise errors.function_not_found("get_fn_metadata_list", name, params)
    return array_of([_described(one) for one in _script_functions() if one.name == name and len(one.params) == params])
