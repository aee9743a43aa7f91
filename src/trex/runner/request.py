"""What a caller asks for, and the reading of it: files, with caps and one sentence per failure.

Owns:      `Request` (nothing read yet), `Inputs` (read and checked), and the step between them.
Relies on: the limits for every cap; `arguments` for the arguments file.
Never:     starts anything, judges a policy or parses a script: those belong to the engine and to
           the locked worker.

A file is opened once, without blocking, and read through that descriptor: regular files, and
pipes (`<(...)`, standard input). Devices, directories and sockets are refused. One byte more than
the cap is read, so an endless pipe costs no more than a long file.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import Any

from msgspec import Struct

from trex.errors import InputUnreadable, LimitExceeded, RequestInvalid
from trex.limits import Limits
from trex.runner import arguments as script_arguments
from trex.settings import Settings

STANDARD_INPUT = "-"
_CHUNK = 1 << 16


class Source(Struct, frozen=True):
    """One text of a request: a file to read (`path`, where `-` is standard input) or the text itself."""

    path: str | None = None
    text: str | None = None

    @property
    def name(self) -> str:
        """What people call it in messages."""
        if self.text is not None:
            return "(text)"
        return "(standard input)" if self.path == STANDARD_INPUT else printable(self.path or "")


class Request(Struct, frozen=True):
    """One run, as asked for.

    pairs:     arguments from the command line, `name=text` or `name:=json`.
    isolation: `strict`, or `degraded:` and the layers that may be missing.
    principal: the Cedar principal, a user's name; None: the effective user.
    caller:    who or what asked, for the policy's `run` record and the audit log.
    log_level: the least important level of log records that the outcome has.
    audit:     the file for the audit log; None: kept in memory, summarised in the outcome.
    settings:  what the operator decides beside policy and limits.
    """

    script: Source
    policy: Source
    arguments: Source | None = None
    pairs: tuple[str, ...] = ()
    modules: tuple[tuple[str, Source], ...] = ()
    limits: Limits = Limits()
    isolation: str = "strict"
    principal: str | None = None
    caller: str = "command line"
    log_level: str = "INFO"
    audit: str | None = None
    settings: Settings = Settings()


class Inputs(Struct, frozen=True):
    """The texts and values of a request, all read, none judged."""

    script: str
    policy: str
    arguments: dict[str, Any]
    modules: dict[str, str]


def read(request: Request, deadline: float) -> Inputs:
    """Read everything that a request names; raises `RequestInvalid` with one sentence.

    deadline: on the monotonic clock; a pipe whose writer is slower ends in `LimitExceeded`.
    """
    limits = request.limits
    _refuse_shared_standard_input(request)
    script = read_source(request.script, "script", limits.max_script, "max_script", deadline)
    policy = read_source(request.policy, "policy", limits.max_policy, "max_policy", deadline)
    arguments: dict[str, Any] = {}
    if request.arguments is not None:
        text = read_source(request.arguments, "arguments", limits.max_arguments, "max_arguments", deadline)
        arguments = script_arguments.from_tagged_json(text, request.arguments.name)
    script_arguments.add_pairs(arguments, request.pairs)
    modules: dict[str, str] = {}
    for name, source in request.modules:
        if name in modules:
            raise RequestInvalid(f"module {name!r} is given twice")
        if printable(name) != name:
            raise RequestInvalid(f"module {name!r}: the name is not valid Unicode")
        modules[name] = read_source(source, "module", limits.max_script, "max_script", deadline)
    if limits.max_modules and len(modules) > limits.max_modules:
        raise RequestInvalid(f"{len(modules)} modules are given, max_modules allows {limits.max_modules}")
    return Inputs(script, policy, arguments, modules)


def read_source(source: Source, what: str, cap: int, limit: str, deadline: float) -> str:
    """The text of one source, of at most `cap` bytes of UTF-8; `limit` names the cap."""
    if source.text is not None:
        content = source.text.encode("utf-8", "surrogatepass")
        if len(content) > cap:
            raise InputUnreadable(_too_large(what, cap, limit), source.name)
    else:
        assert source.path is not None, "a source has a path or a text"
        content = _read_file(source.path, source.name, what, (cap, limit), deadline)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputUnreadable(
            f"the {_thing(what)} is not UTF-8 text: byte 0x{content[error.start]:02x}"
            f" at offset {error.start}, line {line}",
            source.name,
        ) from None


def printable(text: str) -> str:
    """`text` with what cannot be encoded (bytes of a path that are not UTF-8) written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _refuse_shared_standard_input(request: Request) -> None:
    sources = [request.script, request.policy, *(source for _, source in request.modules)]
    if request.arguments is not None:
        sources.append(request.arguments)
    if sum(source.path == STANDARD_INPUT for source in sources) > 1:
        raise RequestInvalid("standard input (-) can be only one of script, policy, arguments and modules")


def _read_file(path: str, name: str, what: str, cap: tuple[int, str], deadline: float) -> bytes:
    if path == STANDARD_INPUT:
        return _read_descriptor(0, name, what, cap, deadline)
    if not path or "\0" in path:
        raise InputUnreadable(f"{path!r} is not a usable file name for the {what}")
    try:
        # O_NONBLOCK: opening a FIFO that has no writer would otherwise wait for one.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise InputUnreadable(f"the {what} cannot be read: {reason(error)}", name) from None
    try:
        return _read_descriptor(descriptor, name, what, cap, deadline)
    finally:
        os.close(descriptor)


def _read_descriptor(descriptor: int, name: str, what: str, cap: tuple[int, str], deadline: float) -> bytes:
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise InputUnreadable(f"the {what} cannot be read: it is a directory", name)
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or descriptor == 0):
            raise InputUnreadable(f"the {what} cannot be read: it is neither a file nor a pipe", name)
        content = bytearray()
        while piece := _read_piece(descriptor, what, deadline):
            content += piece
            if len(content) > cap[0]:
                raise InputUnreadable(_too_large(what, *cap), name)
    except OSError as error:
        raise InputUnreadable(f"the {what} cannot be read: {reason(error)}", name) from None
    if not content and stat.S_ISFIFO(mode) and descriptor != 0:
        raise InputUnreadable(f"the {what} cannot be read: the pipe is empty and nobody writes to it", name)
    return bytes(content)


def _read_piece(descriptor: int, what: str, deadline: float) -> bytes:
    """The next bytes, or none at the end. Standard input is somebody else's, so it stays blocking: wait first."""
    if descriptor == 0:
        _wait_for_input(descriptor, what, deadline)
    while True:
        try:
            return os.read(descriptor, _CHUNK)
        except BlockingIOError:  # a pipe whose writer is slower than we are
            _wait_for_input(descriptor, what, deadline)


def _wait_for_input(descriptor: int, what: str, deadline: float) -> None:
    import select

    remaining = deadline - time.monotonic()
    if remaining <= 0 or not select.select([descriptor], [], [], remaining)[0]:
        raise LimitExceeded("max_time", 0, f"the {what} had not arrived")


def _too_large(what: str, cap: int, limit: str) -> str:
    return f"the {_thing(what)} is larger than {cap} bytes, which is what {limit} allows"


def _thing(what: str) -> str:
    return "arguments file" if what == "arguments" else what


def reason(error: OSError) -> str:
    """An operating system error in words, with the symbol that people search for."""
    symbol = errno.errorcode.get(error.errno or 0, "")
    return f"{os.strerror(error.errno or 0)} ({symbol})" if symbol else str(error)
