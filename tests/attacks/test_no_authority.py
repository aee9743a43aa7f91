"""P4: from inside a locked worker there is nothing to see, hold or reach."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from trex.limits import MIB, Limits
from trex.runner.workers import WorkerProcess

from .conftest import SECONDS, Ending, run

Inside = Callable[..., Ending]


@pytest.mark.parametrize(
    "source",
    [
        "open('/etc/passwd')",
        "open('/proc/self/status')",
        "open('/dev/null', 'w')",
        "open('/tmp/trex-was-here', 'w')",
        "os.stat('/')",
        "os.open('/', os.O_PATH)",
        "os.readlink('/proc/self/exe')",
        "os.getcwd()",
        "socket.socket()",
        "socket.socket(socket.AF_UNIX)",
        "os.write(1, b'x')",
        "os.fstat(3)",
    ],
)
def test_files_and_sockets_are_refused_softly(inside: Inside, source: str) -> None:
    """What libraries try by themselves is an error and not a death."""
    ending = inside(f"try:\n    {source}\n    result = 'done'\nexcept OSError as problem:\n    result = problem.errno")
    assert ending.value == 1


def test_an_import_that_was_not_made_before_the_lock_is_an_import_error(inside: Inside) -> None:
    """Late imports: a chance to load code of an attacker's choice."""
    ending = inside("try:\n    import xml.dom\nexcept ImportError as problem:\n    result = problem.name")
    assert ending.value == "xml"


def test_the_environment_is_empty(inside: Inside) -> None:
    """Secrets in variables: by Python, by the C library, by the memory where the kernel put them."""
    ending = inside(
        """
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(LIBC, "environ")
result = [dict(os.environ), bool(environ) and environ[0] is not None]
"""
    )
    assert ending.value == [{}, False]


def test_no_module_of_the_host_side_is_loaded_or_can_be(inside: Inside) -> None:
    """Code that would help an attacker is not there to be called."""
    ending = inside(
        """
loaded = sorted(name for name in sys.modules if name.startswith(("trex.host", "trex.sdk", "trex.auth", "cedarpy")))
try:
    import trex.authorization
except ImportError:
    loaded.append("refused")
result = loaded
"""
    )
    assert ending.value == ["refused"]


def test_stack_exhaustion_kills_only_the_worker(inside: Inside) -> None:
    """Native recursion: a crash must end in a status, not in a hang or a core file."""
    ending = inside(
        """
sys.setrecursionlimit(10**9)
deep, other = (), ()
for _ in range(1_000_000):
    deep, other = (deep,), (other,)
result = deep == other
""",
        Limits(max_memory=512 * MIB),
    )
    assert ending.status == -signal.SIGSEGV or ending.failed is not None  # newer interpreters notice


@pytest.mark.parametrize(
    "bomb",
    [
        "while True: kept.append(bytearray(1 << 20))",
        "while True: kept.append([1, 2])",
        "while True: kept.append('x' * len(kept))",
        "while True: kept.extend(kept or [0])",
        "text = 'x'\nwhile True: text += text",
        "table = {}\nwhile True: table[len(table)] = None",
        "kept = 1 << (1 << 40)",
        "kept = [0] * (1 << 40)",
        "kept = bytes(1 << 62)",
        "def grow(n): return grow(n + [n])\nsys.setrecursionlimit(10**6)\nwhile True: kept.append(grow.__code__.replace(co_consts=tuple(range(1000))))",
    ],
)
def test_a_memory_bomb_is_a_limit_and_not_a_crash(inside: Inside, bomb: str) -> None:
    """Memory: many large, many small, doubling, tables, one absurd request."""
    ending = inside(f"kept = []\n{bomb}")
    assert ending.limit == "max_memory"


def test_the_script_gets_all_of_its_memory(inside: Inside) -> None:
    """`max_memory` is what the script may use, whatever the interpreter used before."""
    ending = inside("kept = bytearray(60 << 20)\nresult = len(kept)")
    assert ending.value == 60 << 20
    ending = inside("kept = bytearray(70 << 20)\nresult = len(kept)")
    assert ending.limit == "max_memory"


def test_a_script_that_goes_on_without_memory_is_ended_at_its_limit(intruder: WorkerProcess) -> None:
    """A MemoryError that is caught for ever: thrashing at the limit is not allowed to last until the deadline."""
    source = "x = None\nwhile True:\n    try:\n        x = (x,)\n    except MemoryError:\n        pass"
    before = time.monotonic()
    assert run(intruder, source).limit == "max_memory"
    assert time.monotonic() - before < SECONDS / 2


def test_a_script_that_uses_all_of_its_memory_and_computes_on_is_left_alone(intruder: WorkerProcess) -> None:
    """The watch must not end who keeps to the limit."""
    source = f"kept = bytearray({62 * MIB})\nuntil = time.monotonic() + 0.5\nwhile time.monotonic() < until: pass\nresult = 1"
    assert run(intruder, source).value == 1
