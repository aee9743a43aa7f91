"""From a file to what is really executed for it: itself, or the interpreter that its first line names.

Owns:      following `#!` lines to a binary, and the arguments that the kernel would give it.
Relies on: `images` for what a file is; the gate, which an interpreter must not be forbidden by.
Never:     lets the kernel look up an interpreter by name: it is opened here, judged, and executed by
           descriptor, with the script as an open file. Between judging and executing nothing is named.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from errno import EACCES, ENOENT, ENOEXEC
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from trex.authorization.entities import file as file_entity
from trex.host import files, paths
from trex.host.files import Descriptor
from trex.host.paths import PathRefused
from trex.programs.images import Binary, NoProgram, Script, image
from trex.programs.launch import FIRST_KEPT
from trex.resources.programs import EXECUTE

if TYPE_CHECKING:
    from trex.catalogue.access import Gate

_DEPTH = 5  # interpreters that are scripts themselves, as many as the kernel follows
_OPEN_FILES = "/dev/fd" if os.path.isdir("/dev/fd") else "/proc/self/fd"


class Executed(Struct, frozen=True):
    """What is executed for a program.

    program:   a descriptor of it.
    binary:    what it is; None where only the kernel may know.
    arguments: all of them, the name first.
    scripts:   what it gets open, behind `kept` other files.
    """

    program: Descriptor
    binary: Binary | None
    arguments: list[bytes]
    scripts: list[Descriptor]


def executed(
    gate: Gate, program: Descriptor, arguments: list[bytes], kept: int, context: Mapping[str, Any]
) -> Executed:
    """Follow the first lines of scripts. The program itself has been judged in that context."""
    scripts: list[Descriptor] = []
    while True:
        try:
            found = image(program.number)
        except NoProgram:
            raise OSError(ENOEXEC, "") from None
        if not isinstance(found, Script):
            return Executed(program, found, arguments, scripts)
        if len(scripts) == _DEPTH:
            raise OSError(ENOEXEC, "")
        place = f"{_OPEN_FILES}/{FIRST_KEPT + kept + len(scripts)}".encode()
        scripts.append(program)
        between = [] if found.argument is None else [found.argument]
        arguments = [found.interpreter, *between, place, *arguments[1:]]
        opened = _interpreter(gate, found.interpreter, context)
        try:
            program = files.reopen(opened, os.O_RDONLY)
        except OSError as error:
            if error.errno != EACCES:
                raise
            # It may be executed and not read: then it is no script, or the kernel could not tell either.
            return Executed(opened, None, arguments, scripts)


def _interpreter(gate: Gate, name: bytes, context: Mapping[str, Any]) -> Descriptor:
    """The program that a first line names. One error for all that it may not be: what is there is not told."""
    if not name.startswith(b"/"):
        raise OSError(ENOENT, "")
    named = ""
    try:
        path = paths.parse(paths.decode(name))
    except PathRefused:  # such as one with `..` in it: it is judged by where it leads
        pass
    else:
        named = path.text
        gate.unless_forbidden(EXECUTE, file_entity(named), context)
    try:
        opened = files.follow_object(name)
        real = files.real_path(opened)
    except OSError:
        raise OSError(ENOENT, "") from None
    if files.kind(files.status(opened)) != files.REGULAR:
        raise OSError(ENOENT, "")
    if real.text != named:
        gate.unless_forbidden(EXECUTE, file_entity(real.text), context, named=named or paths.decode(name))
    return opened


def loader(binary: Binary | None) -> Descriptor | None:
    """The loader of a binary, if it has one and it is there: a confined program may execute it."""
    if binary is None or binary.loader is None:
        return None
    try:
        opened = files.follow_object(binary.loader)
    except (OSError, ValueError):  # the kernel will say so too
        return None
    return opened if files.kind(files.status(opened)) == files.REGULAR else None
