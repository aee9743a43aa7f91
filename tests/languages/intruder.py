"""A language whose scripts are Python: what an attacker has who broke the interpreter completely.

A script runs with every module loaded that could be of use, may call the kernel with `raw`, and
leaves its answer in `result`. What it cannot do inside a locked worker, no script can.
"""

import ctypes
import errno
import fcntl
import gc
import mmap
import os
import resource
import select
import signal
import socket
import sys
import threading
import time

from trex.errors import OperationError
from trex.protocol.messages import Failed, Finished, Start

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


def raw(number: int, *arguments: object) -> tuple[int, int]:
    """Result and errno of a system call by number."""
    ctypes.set_errno(0)
    plain = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    result = LIBC.syscall(ctypes.c_long(number), *plain)
    return result, ctypes.get_errno()


TOOLS = {
    "LIBC": LIBC,
    "OperationError": OperationError,
    "ctypes": ctypes,
    "errno": errno,
    "fcntl": fcntl,
    "gc": gc,
    "mmap": mmap,
    "os": os,
    "raw": raw,
    "resource": resource,
    "select": select,
    "signal": signal,
    "socket": socket,
    "sys": sys,
    "threading": threading,
    "time": time,
}


def execute(start: Start, host: object) -> Finished | Failed:
    scope = {**TOOLS, "host": host, "arguments": start.arguments, "result": None}
    exec(start.script, scope)
    return Finished(str(scope["result"]), scope["result"], True, {})


def evaluate(request: bytes) -> bytes:
    scope = {**TOOLS, "result": None}
    exec(request, scope)
    return str(scope["result"]).encode()
