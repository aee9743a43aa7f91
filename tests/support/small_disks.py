"""File systems that are full soon: small ones in memory, mounted for one test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


def mounted(path: Path, options: str) -> Iterator[Path]:
    """A tmpfs with these options at a new directory; the test is skipped where this process may not mount."""
    path.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"this process may not mount: {made.stderr.strip()}")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    yield from mounted(tmp_path / "small", "size=64k")


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Path]:
    """A file system of six inodes."""
    yield from mounted(tmp_path / "few", "nr_inodes=6")
