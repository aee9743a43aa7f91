"""Engines that answer the eval protocol, each in a child process of its own.

Owns:      starting a child, one request and one answer at a time, and what to do when the child hangs or dies.
Relies on: an engine that answers one JSON line per request, in order, flushed.
Never:     installs or looks for the oracle: `TREX_ORACLE` names its binary, or there is none.

The child stands apart so that a program that never ends, or that takes the whole process down, costs one answer.
"""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

Answer = dict[str, Any]

TESTS = Path(__file__).resolve().parent.parent


def oracle() -> Engine | None:
    """The engine that defines the language, where `TREX_ORACLE` names its binary."""
    command = os.environ.get("TREX_ORACLE")
    return Engine(shlex.split(command)) if command else None


def ours() -> Engine:
    """Our own engine; `TREX_EVAL` names another command for it, such as `trex eval --json-lines`."""
    command = os.environ.get("TREX_EVAL")
    if command:
        return Engine(shlex.split(command))
    return Engine([sys.executable, "-c", "import compliance.answerer"], {**os.environ, "PYTHONPATH": _python_path()})


def encode(request: dict[str, Any]) -> bytes:
    """A request as one JSON line that every engine reads.

    The oracle reads requests by its own rules for strings, which know neither surrogate pairs nor `\\b` and `\\f`.
    """
    text = json.dumps(request, ensure_ascii=False)
    return text.replace("\\\\", "\0").replace("\\b", "\\u0008").replace("\\f", "\\u000c").replace("\0", "\\\\").encode()


class Engine:
    """A child process that answers requests."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self.command = command
        self.environment = environment
        self._child: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def ask(self, request: dict[str, Any], timeout: float = 10.0) -> Answer:
        """The answer to a request; `{"lost": why}` when none came (the next request gets a new child)."""
        return self.ask_bytes(encode(request), timeout)

    def ask_bytes(self, line: bytes, timeout: float = 10.0) -> Answer:
        """The answer to one line as it stands, which need not be a request at all."""
        child = self._start()
        assert child.stdin is not None
        try:
            child.stdin.write(line + b"\n")
            child.stdin.flush()
            answer = self._read_line(child, time.monotonic() + timeout)
        except (BrokenPipeError, EOFError):
            status = self.close()
            return {"lost": f"the engine ended with status {status}"}
        except TimeoutError:
            self.close()
            return {"lost": f"no answer within {timeout} s"}
        return json.loads(answer, parse_int=_integer)

    def _start(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._rest = b""
            self._child = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environment, bufsize=0
            )
        return self._child

    def _read_line(self, child: subprocess.Popen[bytes], deadline: float) -> bytes:
        assert child.stdout is not None
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([child.stdout], [], [], remaining)[0]:
                raise TimeoutError
            part = os.read(child.stdout.fileno(), 1 << 16)
            if not part:
                raise EOFError
            parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    @property
    def pid(self) -> int:
        """The process id of the child, started when there is none."""
        return self._start().pid

    def close(self) -> int | None:
        """End the child."""
        if self._child is None:
            return None
        child, self._child = self._child, None
        child.kill()
        status = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        return status

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _integer(text: str) -> int | str:
    # CPython refuses to read integers of thousands of digits; no engine should answer with one.
    return int(text) if len(text) < 100 else text


def _python_path() -> str:
    return os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
