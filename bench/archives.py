#!/usr/bin/env python3
"""How long big compressed files and archives take: compress, read, search, extract, as whole runs of `trex run`.

Beside each, in turns in the same loop: the commands that an administrator would type, and the reference's
runner with the same script where it is installed (`rex-runner` on PATH, or the program that
REX_RUNNER names). TREX_BENCH_MIB is how much there is, TREX_BENCH_ROUNDS how often it is done.

What is compressed looks like logs: about as much repetition, and lines of the usual length. The tree
has files of 100 KiB.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIB = int(os.environ.get("TREX_BENCH_MIB", "200"))
ROUNDS = int(os.environ.get("TREX_BENCH_ROUNDS", "3"))
GOAL = 3.0  # times the command, for bulk data

OPEN = """
let top = DirConfig().path("{T}").build().open(OpenDirOptions().build());
let out = DirConfig().path("{T}/out").build().open(OpenDirOptions().build());
let opened = |name| top.open_file(name, OpenFileOptions().read(true).build());
"""
SCRIPTS = {
    "compress": 'opened.call("log").compress_gzip(top.open_file("made.gz",'
    " OpenFileOptions().write(true).create(true).build()), CompressGzipOptions().build());",
    "last lines": 'opened.call("log.gz").read_gzip_lines(ReadLinesOptions().count(-10).build()).len()',
    "search, few": 'opened.call("log.gz").search_gzip("request 12345 ", SearchGzipOptions().build()).len()',
    "search, regex": 'opened.call("log.gz").search_gzip("status=5[0-9]{2} .*user99999", SearchGzipOptions()'
    ".max_results(5).build()).len()",
    "sizes": 'opened.call("log.gz").gzip_info().uncompressed_size_bytes',
    "extract .tar.gz": 'opened.call("tree.tar.gz").extract_archive(out, ExtractArchiveOptions().build());',
    "extract .tar": 'opened.call("tree.tar").extract_archive(out, ExtractArchiveOptions().build());',
}
COMMANDS = {
    "compress": "gzip -6 -c log > made.gz",
    "last lines": "gzip -dc log.gz | tail -n 10",
    "search, few": "gzip -dc log.gz | grep -c 'request 12345 '",
    "search, regex": "gzip -dc log.gz | grep -E 'status=5[0-9]{2} .*user99999' | wc -l",
    "sizes": "gzip -dc log.gz | wc -c",
    "extract .tar.gz": "tar -xzf tree.tar.gz -C out",
    "extract .tar": "tar -xf tree.tar -C out",
}
UNKNOWN = {"extract .tar"}  # to the reference, which takes compressed archives only


def prepare(top: Path) -> None:
    """The log and the tree, and both packed."""
    dice = random.Random(1)
    words = [f"/srv/app/{dice.randrange(10**6)}/{dice.choice(('read', 'write', 'stat'))}" for _ in range(2000)]
    with (top / "log").open("w") as log:
        number = 0
        while log.tell() < MIB * 1024 * 1024:
            number += 1
            status = dice.choice((200, 200, 200, 304, 404, 500))
            log.write(
                f"2026-05-0{number % 9 + 1} request {number} status={status} {dice.choice(words)} user{number % 97}\n"
            )
    tree = top / "tree"
    content = (top / "log").read_bytes()
    for number in range(MIB * 10):
        place = tree / f"d{number // 100}"
        place.mkdir(parents=True, exist_ok=True)
        start = number * 104_857 % len(content)
        (place / f"f{number}").write_bytes(content[start : start + 104_857])
    for command in ("gzip -k -6 log", "tar -cf tree.tar tree", "gzip -k -6 tree.tar"):
        subprocess.run(command, shell=True, cwd=top, check=True)
    shutil.rmtree(tree)
    (top / "policy").write_text(
        f'permit (principal, action, resource) when {{ resource in file_system::Dir::"{top}" }};\n'
    )
    for name, body in SCRIPTS.items():
        (top / f"{name}.rhai").write_text(OPEN.replace("{T}", str(top)) + body)


def fresh(top: Path) -> None:
    """Nothing of the round before, and nothing of it still on its way to the disk."""
    shutil.rmtree(top / "out", ignore_errors=True)
    (top / "out").mkdir()
    (top / "made.gz").unlink(missing_ok=True)
    os.sync()


def main() -> None:
    """Measure in turns and print medians and ratios."""
    trex = shutil.which("trex", path=os.path.dirname(sys.executable))
    ours = [trex, "run"] if trex else [sys.executable, "-m", "trex", "run"]
    reference = os.environ.get("REX_RUNNER") or shutil.which("rex-runner")
    if not reference:
        print("rex-runner: not installed, not measured")
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory).resolve()
        prepare(top)
        print(f"{MIB} MiB, median of {ROUNDS} (s) {'command':>14} {'trex':>8} {'ratio':>6} {'rex':>8}")
        for name in SCRIPTS:
            flags = ["-s", f"{name}.rhai", "-p", "policy"]
            runs: dict[str, list[str]] = {"command": ["sh", "-c", COMMANDS[name]], "trex": [*ours, *flags]}
            if reference and name not in UNKNOWN:
                runs["rex"] = [reference, *flags]
            times: dict[str, list[float]] = {each: [] for each in runs}
            for _ in range(ROUNDS):
                for each, argv in runs.items():
                    fresh(top)
                    started = time.perf_counter()
                    told = subprocess.run(argv, cwd=top, capture_output=True, stdin=subprocess.DEVNULL, check=False)
                    times[each].append(time.perf_counter() - started)
                    if told.returncode:
                        raise SystemExit(f"{each}, {name}: {(told.stdout or told.stderr)[:500]!r}")
            middle = {each: statistics.median(values) for each, values in times.items()}
            ratio = middle["trex"] / middle["command"]
            rex = f"{middle['rex']:8.2f}" if "rex" in middle else f"{'-':>8}"
            print(f"{name:24} {middle['command']:14.2f} {middle['trex']:8.2f} {ratio:6.2f} {rex}", flush=True)
        print(f"goal: within {GOAL:g} times the command, and ahead of rex")


if __name__ == "__main__":
    main()
