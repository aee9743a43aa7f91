"""What the broker spends on the content of large files, beside the programs that administrators know.

Each operation runs in a broker of this process, as a call from the worker's bytes to the bytes of the
answer, and in turns with it the program (for `cat` one that hands the content to another process) and,
where `REX_RUNNER` names it, the runner of Rex with the same call in a script. Sizes are in
`TREX_BENCH_MIB`, such as `64,256,1024`.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.host import Broker, flag
from trex.limits import Limits

SIZES = [int(size) for size in os.environ.get("TREX_BENCH_MIB", "256").split(",")]
ROUNDS = int(os.environ.get("TREX_BENCH_ROUNDS", "3"))
RUNNER = os.environ.get("REX_RUNNER")
MIB = 1024 * 1024
GOAL = 3.0


def fill(path: Path, size: int) -> None:
    """A log of about as many MiB: lines of 40 to 120 characters, one in a thousand of interest."""
    lines = []
    for number in range(20_000):
        level = "ERROR" if number % 1000 == 7 else "INFO"
        words = "the quick brown fox jumps over the lazy dog " * (1 + number % 3)
        lines.append(f"2026-01-01T00:00:{number % 60:02} {level} unit{number % 97}[{number}]: {words}size={number}\n")
    block = "".join(lines).encode()
    with open(path, "wb") as file:
        for _ in range(max(1, size * MIB // len(block))):
            file.write(block)


class Case:
    """One operation and what it is compared with; `{}` is the file and `{}.copy` another one."""

    def __init__(self, name: str, call: Callable[[Broker, str], object], program: str, script: str) -> None:
        self.name, self.call, self.program, self.script = name, call, program, script


CASES = [
    Case("cat", lambda b, p: b.call("files.cat", [], p), "cat {} | cat > /dev/null", 'cat("{}").len()'),
    Case("wc", lambda b, p: b.call("files.wc", [], p), "wc {}", 'wc("{}").lines'),
    Case(
        "wc -l",
        lambda b, p: b.call("files.wc", [flag("wc", "l")], p),
        "wc -l {}",
        'wc([wc::lines], "{}").lines',
    ),
    Case(
        "grep, few matches",
        lambda b, p: b.call("files.grep", [flag("grep", "c")], "ERROR unit[0-9]+", p),
        "grep -cE 'ERROR unit[0-9]+' {}",
        'grep([grep::count], "ERROR unit[0-9]+", "{}")',
    ),
    Case(
        "grep -i",
        lambda b, p: b.call("files.grep", [flag("grep", "c"), flag("grep", "i")], "error unit[0-9]+", p),
        "grep -ciE 'error unit[0-9]+' {}",
        'grep([grep::count, grep::ignore_case], "error unit[0-9]+", "{}")',
    ),
    Case(
        "grep, no match",
        lambda b, p: b.call("files.grep", [], "no such line", p),
        "grep 'no such line' {} || true",
        'grep("no such line", "{}")',
    ),
    Case("tail", lambda b, p: b.call("files.tail", [], p), "tail {}", 'tail([tail::n(-10)], "{}")'),
    Case(
        "cp",
        lambda b, p: b.call("files.cp", [flag("cp", "f")], p, p + ".copy"),
        "cp --reflink=auto {} {}.copy && sync {}.copy",
        'cp([cp::force], "{}", "{}.copy")',
    ),
    Case(
        "sed, all",
        lambda b, p: b.call("files.sed", [flag("sed", "g")], "lazy dog", "red cat", p),
        "sed 's/lazy dog/red cat/g' {} > /dev/null",
        'sed([sed::all], "lazy dog", "red cat", "{}").len()',
    ),
    Case(
        "awk_sum",
        lambda b, p: b.call("files.awk_sum", 2, "=", p),
        "awk -F= '{s += $2} END {print s}' {}",
        'awk_sum(2, "=", "{}")',
    ),
]


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def script(folder: Path, source: str) -> Callable[[], object]:
    (folder / "script.rhai").write_text(source)
    (folder / "policy.cedar").write_text("permit (principal, action, resource);")
    command = [str(RUNNER), "-s", str(folder / "script.rhai"), "-p", str(folder / "policy.cedar")]
    return lambda: subprocess.run(command, check=True, capture_output=True)


def measure(folder: Path, size: int) -> list[str]:
    path = folder / "log"
    fill(path, size)
    print(f"{size} MiB{'':12}{'trex':>9}{'program':>9}{'ratio':>7}{'Rex':>9}   seconds, the best of {ROUNDS}")
    missed = []
    for case in CASES:
        taken: dict[str, list[float]] = {"trex": [], "program": [], "Rex": []}
        for _ in range(ROUNDS):
            broker = Broker(limits=Limits(max_read=1 << 40, max_write=1 << 40, max_time=600.0))
            taken["trex"].append(seconds(partial(case.call, broker, str(path))))
            program = case.program.replace("{}", str(path))
            shell = ["sh", "-c", program]
            taken["program"].append(seconds(partial(subprocess.run, shell, check=True, capture_output=True)))
            if RUNNER:
                source = case.script.replace("{}", str(path))
                taken["Rex"].append(seconds(script(folder, source)))
        trex, program_ = min(taken["trex"]), min(taken["program"])
        rex = f"{min(taken['Rex']):9.3f}" if RUNNER else "        -"
        ratio = trex / program_
        if ratio > GOAL:
            missed.append(f"{case.name} of {size} MiB")
        print(f"  {case.name:18}{trex:9.3f}{program_:9.3f}{ratio:7.1f}{rex}")
    return missed


def main() -> None:
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            missed += measure(Path(folder), size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of the broker: {peak:.0f} MiB (`cat` and `sed` keep the content)")
    if not RUNNER:
        print("Rex was not measured: REX_RUNNER does not name it")
    print(f"goal, at most {GOAL} times the program: {'missed by ' + ', '.join(missed) if missed else 'reached'}")


if __name__ == "__main__":
    main()
