"""`PROTOCOL.md`, made from the message types, the table and the caps.

Owns:      the words between the generated parts.
Relies on: the docstrings of `messages`; a field without a place there is shown by its type alone.
Never:     is imported by a run; only by the generator of pages and its test.
"""

from __future__ import annotations

import inspect
import typing

from trex.protocol import conversation, encoding, frames, messages

INTRODUCTION = f"""\
# The protocol between broker and worker

One stream socket joins the two processes. Each message is one frame: its length in
{frames.HEADER} bytes, big-endian, then that many bytes of MessagePack. A frame holds at most
{frames.CAP} bytes; a longer one is refused when its length arrives.

A message is an array: its tag, then its fields in order, without any more. What breaks these rules
or the table below ends the worker and the run (`protocol_violation`).

## Values

Arguments and results are values: nil, booleans, 64-bit signed integers, floats, text (UTF-8),
bytes, arrays, maps with text as keys, and three extension types:

| extension | type | payload |
|---|---|---|
| {encoding.CHAR} | `Char` | UTF-8 of one Unicode scalar value |
| {encoding.OBJECT} | `Object` | array: type, fields (map), handle (integer or nil) |
| {encoding.CONSTANT} | `Constant` | array: type, name, arguments (array), denial (integer or nil) |

A value nests at most {encoding.MAX_DEPTH} deep and has at most {encoding.MAX_PARTS} parts. The broker
leaves arguments as bytes until it knows the type that the operation declares, and walks bytes
that may hold containers before it builds anything from them.
"""


def page() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *_order(), *_messages()])


def _order() -> list[str]:
    lines = [
        "## Order",
        "",
        "The worker speaks first. A call gets exactly one reply, with its number; calls are numbered from 1.",
        "",
        "| while | sender | message | then |",
        "|---|---|---|---|",
    ]
    for (state, kind), then in conversation.TABLE.items():
        lines.append(f"| {state} | {_sender(kind)} | `{kind.__name__}` | {then} |")
    return [*lines, ""]


def _messages() -> list[str]:
    lines = ["## Messages", ""]
    for kind in (*typing.get_args(messages.FromBroker), *typing.get_args(messages.FromWorker)):
        fields: tuple[str, ...] = kind.__struct_fields__
        prose, notes = _docstring(kind, fields)
        hints = typing.get_type_hints(kind, include_extras=True)
        lines += [f"### `{kind.__struct_config__.tag}`", "", *prose, "", "| field | type | meaning |", "|---|---|---|"]
        lines += [f"| `{name}` | {_phrase(hints[name])} | {' '.join(notes[name])} |" for name in fields]
        lines.append("")
    return lines


def _docstring(kind: type, fields: tuple[str, ...]) -> tuple[list[str], dict[str, list[str]]]:
    """The prose of a message's docstring, and what it says about each field (`name: meaning`)."""
    prose: list[str] = []
    notes: dict[str, list[str]] = {name: [] for name in fields}
    into = prose
    for line in inspect.cleandoc(kind.__doc__ or "").splitlines():
        name, colon, rest = line.partition(":")
        if colon and name in notes:
            into = notes[name]
            line = rest
        elif not line.startswith(" "):
            into = prose
        into.append(line.strip() if into is not prose else line)
    while prose and not prose[-1]:
        prose.pop()
    return prose, notes


def _phrase(hint: object) -> str:
    """A type in words, with the bound that the decoder holds it to."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *bounds = typing.get_args(hint)
        most = [f"at most {bound.max_length}" for bound in bounds if getattr(bound, "max_length", None)]
        kind, *rest = _phrase(inner).split(" ", 1)  # "array (at most 32) of value"
        return " ".join([kind, *(f"({text})" for text in most), *rest])
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(f"`{argument}`" for argument in arguments)
    if origin is list:
        return f"array of {_phrase(arguments[0])}"
    if origin is dict:
        return f"map of {_phrase(arguments[0])} to {_phrase(arguments[1])}"
    if arguments:
        return " or ".join(_phrase(argument) for argument in arguments)
    names = {"Any": "value", "Raw": "value", "NoneType": "nil", "str": "text", "int": "integer", "bool": "boolean"}
    name = getattr(hint, "__name__", str(hint))
    return names.get(name, name)


def _sender(kind: type) -> str:
    return "broker" if kind in typing.get_args(messages.FromBroker) else "worker"
