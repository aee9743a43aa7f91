"""What a file is as a program: read as the kernel reads it, and never believed."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trex.programs.images import Binary, NoProgram, Script, image


def image_of(path: Path, content: bytes) -> Script | Binary | None:
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return image(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"#!/bin/sh\nexit", Script(b"/bin/sh", None)),
        (b"#!/bin/sh", Script(b"/bin/sh", None)),
        (b"#! \t /bin/sh \t\n", Script(b"/bin/sh", None)),
        (b"#!/bin/sh -e\n", Script(b"/bin/sh", b"-e")),
        (b"#!/usr/bin/env  -S sh -e \n", Script(b"/usr/bin/env", b"-S sh -e")),
        (b"#!/bin/sh\0hidden\n", Script(b"/bin/sh", None)),
        (b"#!/bin/sh " + b"x" * 1000, Script(b"/bin/sh", b"x" * (255 - len(b"#!/bin/sh ")))),
        (b"hello", None),
        (b"", None),
        (b"#", None),
    ],
)
def test_a_first_line_is_read_as_the_kernel_reads_it(tmp_path, content, found):
    assert image_of(tmp_path / "x", content) == found


@pytest.mark.parametrize(
    "content", [b"#!\n", b"#!   \n", b"#!", b"#!/" + b"x" * 1000, b"\x7fELF", b"\x7fELF" + b"\0" * 100]
)
def test_what_the_kernel_would_not_execute_is_no_program(tmp_path, content):
    with pytest.raises(NoProgram):
        image_of(tmp_path / "x", content)


@pytest.mark.parametrize(
    "content",
    [
        b"#!/bin/echo\nx",
        b"#! /bin/echo a  b \nx",
        b"#!/bin/echo a\tb",
        b"#!\t/bin/echo\0b\nx",
        b"#!/bin/echo " + b"y" * 400,
    ],
)
def test_the_kernel_itself_makes_the_same_of_a_first_line(tmp_path, content):
    """`echo` tells its arguments: what stands behind the interpreter, and the script's name."""
    found = image_of(tmp_path / "x", content)
    assert isinstance(found, Script)
    (tmp_path / "x").chmod(0o755)
    told = subprocess.run([str(tmp_path / "x"), "last"], capture_output=True, check=True).stdout.rstrip(b"\n")
    expected = [*([found.argument] if found.argument is not None else []), str(tmp_path / "x").encode(), b"last"]
    assert told == b" ".join(expected)


def test_a_dynamic_binary_has_a_loader():
    with open(os.path.realpath("/bin/sh"), "rb") as file:
        found = image(file.fileno())
    assert isinstance(found, Binary)
    assert found.bits == 64
    assert found.loader is not None
    assert Path(found.loader.decode()).exists()


def test_this_interpreter_is_a_binary():
    with open(os.path.realpath(sys.executable), "rb") as file:
        assert isinstance(image(file.fileno()), Binary)


def elf(count: int = 1, size: int = 56, table: int = 64, kind: int = 3, offset: int = 120, length: int = 8) -> bytes:
    header = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, table, 0, 0, 64, size, count, 0, 0, 0)
    )
    program = struct.pack("<IIQQQQQQ", kind, 0, offset, 0, 0, length, length, 1)
    return header + program + b"/ld.so.\0" + bytes(64)


def test_a_made_up_binary_is_understood(tmp_path):
    assert image_of(tmp_path / "x", elf()) == Binary(b"/ld.so.", 64)
    assert image_of(tmp_path / "x", elf(kind=1)) == Binary(None, 64)


@pytest.mark.parametrize(
    "lie",
    [
        {"count": 0}, {"count": 65535}, {"size": 8}, {"table": 1 << 60}, {"offset": 1 << 60}, {"offset": 1 << 30},
        {"length": 0}, {"length": 1 << 40}, {"length": 100_000},
    ],
)  # fmt: skip
def test_a_binary_that_lies_about_its_parts_is_no_program(tmp_path, lie):
    with pytest.raises(NoProgram):
        image_of(tmp_path / "x", elf(**lie))


def test_a_table_beyond_the_end_of_the_file_is_no_loader(tmp_path):
    assert image_of(tmp_path / "x", elf(table=1 << 30)) == Binary(None, 64)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"#!", b"\x7fELF\x02\x01", b"\x7fELF\x01\x01", elf()]))
def test_no_content_is_too_strange(tmp_path_factory, content, beginning):
    with contextlib.suppress(NoProgram):
        image_of(tmp_path_factory.getbasetemp() / "strange", beginning + content)
