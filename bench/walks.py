#!/usr/bin/env python3
"""How long trees of many entries take: walk, list, measure, change, remove, as whole runs of `trex run`.

Beside each, in turns in the same loop: the commands that an administrator would type, and the reference's
runner with the same script where it is installed (`rex-runner` on PATH, or the program that
REX_RUNNER names). TREX_BENCH_ENTRIES is how many entries there are, TREX_BENCH_ROUNDS how often it is
done. The policy is one as hosts have them: some permits by directory, some that forbid, one by pattern.
Where the script fails in Rex it reports `inf`: a function of a script is unknown to its walks.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRIES = int(os.environ.get("TREX_BENCH_ENTRIES", "100000"))
ROUNDS = int(os.environ.get("TREX_BENCH_ROUNDS", "3"))
GOAL = 5.0  # seconds for a walk of 100,000 entries

POLICY = """
permit (principal, action in [file_system::Action::"open", file_system::Action::"read", file_system::Action::"stat"],
        resource) when {{ resource in file_system::Dir::"{T}" }};
permit (principal, action in [file_system::Action::"chmod", file_system::Action::"delete"], resource)
  when {{ resource in file_system::Dir::"{T}" }};
permit (principal, action in [file_system::Action::"open", file_system::Action::"read"], resource)
  when {{ resource in file_system::Dir::"/var/log" }};
permit (principal, action == file_system::Action::"write", resource == file_system::File::"/var/log/app/out.log");
@id("no-secrets") forbid (principal, action, resource) when {{ resource in file_system::Dir::"/etc/ssh" }};
@id("no-keys") forbid (principal, action, resource is file_system::File) when {{ resource.path like "*.pem" }};
@id("own") forbid (principal, action, resource) when {{ resource in file_system::Dir::"{T}/none" }};
"""
OPEN = 'let top = DirConfig().path("{T}").build().open(OpenDirOptions().build()); let n = 0;\n'
SCRIPTS = {
    "walk, count": "top.find(FindOptions().build(), |e| n += 1); n",
    "walk, by name": 'top.find(FindOptions().name("*77.log").build(), |e| n += 1); n',
    "walk, by size": "let large = SizeRange::min_only(5, SizeUnit::BYTES);\n"
    "top.find(FindOptions().size_range(large).build(), |e| n += 1); n",
    "find_files": 'find_files([glob::recursive], "*77.log", "{T}").len()',
    "ls, recursive": 'ls([ls::recursive], "{T}").len()',
    "ls, recursive, long": 'ls([ls::recursive, ls::long], "{T}").len()',
    "du": 'du([du::summarize], "{T}").total_size_bytes',
    "chmod": "top.chmod(ChmodDirOptions().permissions(0o755).recursive(true).build());",
    "rm": 'rm([rm::recursive], "{T}/tree");',
}
NOT_IN_REX = {"ls, recursive", "ls, recursive, long"}  # it lists the directory alone
COMMANDS = {
    "walk, count": "find {T} | wc -l",
    "walk, by name": "find {T} -name '*77.log' | wc -l",
    "walk, by size": "find {T} -size +4c | wc -l",
    "find_files": "find {T} -name '*77.log' | wc -l",
    "ls, recursive": "ls -R {T} | wc -l",
    "ls, recursive, long": "ls -lR {T} | wc -l",
    "du": "du -s {T}",
    "chmod": "chmod -R 755 {T}",
    "rm": "rm -r {T}/tree",
}


def grow(top: Path) -> None:
    """Directories of a hundred files each, ten in each directory above them."""
    (top / "tree").mkdir()
    left, number = ENTRIES, 0
    while left > 0:
        place = top / "tree" / f"group{number // 10:03}" / f"part{number:04}"
        place.mkdir(parents=True)
        for name in range(min(98, left)):
            (place / f"{name:03}.log").write_text("entry\n" * (name % 3))
        left -= 99
        number += 1


def timed(command: list[str] | str) -> float:
    """Seconds of one run; infinite if it did not do what it was asked for."""
    started = time.perf_counter()
    shown = subprocess.run(command, check=True, shell=isinstance(command, str), capture_output=True).stdout
    taken = time.perf_counter() - started
    return taken if isinstance(command, str) or b'"status":"SUCCESS"' in shown else float("inf")


def main() -> None:
    runner = os.environ.get("REX_RUNNER") or shutil.which("rex-runner")
    trex = [sys.executable, "-m", "trex", "run", "--max-time", "600", "--max-operations", "1000000"]
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    print(f"{ENTRIES} entries; median of {ROUNDS}, in seconds; goal for a walk of 100000: {GOAL}")
    print(f"{'':20} {'trex':>8} {'audited':>8} {'command':>8} {'Rex':>8}")
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder, "top")
        top.mkdir()
        grow(top)
        policy, script = Path(folder, "policy"), Path(folder, "script")
        policy.write_text(POLICY.format(T=top))
        given = ["-s", str(script), "-p", str(policy)]
        for name, source in SCRIPTS.items():
            script.write_text((OPEN + source).replace("{T}", str(top)))
            ways: dict[str, list[str] | str] = {
                "trex": [*trex, *given],
                "audited": [*trex, "--audit", f"{folder}/audit", *given],
                "command": COMMANDS[name].format(T=top),
            }
            if runner and name not in NOT_IN_REX:
                ways["Rex"] = [runner, *given]
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(ROUNDS):
                for way, command in ways.items():
                    if not (top / "tree").exists():
                        grow(top)
                    taken[way].append(timed(command))
            shown = [f"{statistics.median(taken[way]):8.2f}" if way in taken else f"{'-':>8}" for way in WAYS]
            print(f"{name:20} {' '.join(shown)}", flush=True)
    if not runner:
        print("Rex was not measured: REX_RUNNER names no runner")


WAYS = ("trex", "audited", "command", "Rex")


if __name__ == "__main__":
    main()
