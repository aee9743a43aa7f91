"""Programs that fail, and the core dumps that they leave.

The dump is made by gdb, which stands at the failure: where the kernel would put one is for the host to say.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

NEEDED = pytest.mark.skipif(
    not (Path("/usr/bin/gdb").exists() and shutil.which("cc")), reason="needs /usr/bin/gdb and a C compiler"
)

PROGRAM = """
#include <pthread.h>
#include <unistd.h>
struct point { int x; const char *name; struct point *next; };
struct point origin = {7, "a name", 0};
static volatile int ready;
static void fail(int depth, struct point *at) {
    int sizes[3] = {10, 20, depth};
    if (depth == 0) { while (!ready) usleep(100); *(volatile int *)0 = sizes[0]; }
    fail(depth - 1, at);
    ready = sizes[2];
}
static void *wait_for_ever(void *given) { ready = 1; pause(); return given; }
int main(int argc, char **argv) {
    struct point here = {argc, "here", &origin};
    pthread_t thread;
    pthread_create(&thread, 0, wait_for_ever, &here);
    fail(2, &here);
    return 0;
}
"""

LIBRARY = "void named_in_the_library(void) { *(volatile int *)0 = 1; }\n"
USER = "void named_in_the_library(void);\nint main(void) { named_in_the_library(); return 0; }\n"


def compiled(source: str, target: Path, *options: str) -> Path:
    """A program or library, made from one C file."""
    file = target.with_name(target.name + ".c")
    file.write_text(source)
    subprocess.run(["cc", "-O0", "-w", "-o", target, file, *options], check=True, capture_output=True)
    return target


def dumped(program: Path, *arguments: str) -> Path:
    """The core dump of a program, where it fails. Skips where nothing may be traced."""
    core = program.with_name("-".join((program.name, *arguments)) + ".core")
    told = subprocess.run(
        [
            "/usr/bin/gdb",
            "-nx",
            "-batch",
            "-ex",
            " ".join(("run", *arguments)),
            "-ex",
            f"generate-core-file {core}",
            program,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    if not core.exists():
        pytest.skip(f"gdb makes no core dump here: {told.stderr[-200:]}")
    return core


@lru_cache(maxsize=1)
def failed_program(directory: Path) -> tuple[Path, Path]:
    """A program with two threads that fails three calls deep, and its core dump."""
    program = compiled(PROGRAM, directory / "program", "-g", "-pthread")
    return program, dumped(program)


@lru_cache(maxsize=1)
def failed_library(directory: Path) -> tuple[Path, Path, Path]:
    """A program that fails in a library of its own, the core dump, and the library's directory."""
    place = directory / "library"
    place.mkdir()
    compiled(LIBRARY, place / "libfails.so", "-shared", "-fPIC")
    program = compiled(USER, directory / "user", f"-L{place}", "-lfails", f"-Wl,-rpath,{place}")
    return program, dumped(program), place
