"""What `elf_info` tells of programs and core dumps, and of files that only look like them."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.elf import EXECFN, INTERP, LOAD, NOTE, Maker
from support.host import EVERYTHING, Broker, Failure
from trex.errors import LimitExceeded
from trex.sdk.inspection import elf

MAKERS = [Maker(bits, order) for bits in (32, 64) for order in "<>"]


@pytest.fixture
def broker():
    return Broker()


def info(broker: Broker, directory: Path, data: bytes) -> dict[str, Any]:
    (directory / "file").write_bytes(data)
    file = broker.file(broker.directory(directory), "file", read=True)
    return broker.call("inspection.elf_info", file).fields


def refused(broker: Broker, directory: Path, data: bytes) -> str:
    with pytest.raises(Failure) as failed:
        info(broker, directory, data)
    assert failed.value.kind == "ValidationError"
    prefix = "Validation error: Failed to parse ELF file: "
    assert failed.value.message.startswith(prefix)
    return failed.value.message.removeprefix(prefix)


# --- what is told ---


def test_a_real_program_has_an_interpreter(broker):
    path = Path(os.path.realpath("/bin/ls"))
    told = broker.call("inspection.elf_info", broker.file(broker.directory(path.parent), path.name, read=True)).fields
    assert os.path.exists(told["interpreter"])
    assert told["is_64bit"] is (sys.maxsize > 1 << 32)
    assert (told["execfn"], told["platform"]) == (None, None)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda each: f"{each.bits}{each.order}")
def test_a_program_of_any_width_and_byte_order_has_an_interpreter(broker, tmp_path, maker):
    data = maker.file([(LOAD, 0x400000, b"code"), (INTERP, 0, b"/lib/ld.so.1\0")])
    assert info(broker, tmp_path, data) == {
        "interpreter": "/lib/ld.so.1", "is_64bit": maker.bits == 64, "execfn": None, "platform": None
    }  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS, ids=lambda each: f"{each.bits}{each.order}")
def test_a_core_dump_tells_how_its_program_was_started(broker, tmp_path, maker):
    assert info(broker, tmp_path, maker.core()) == {
        "interpreter": None, "is_64bit": maker.bits == 64, "execfn": "/usr/bin/tool", "platform": "x86_64"
    }  # fmt: skip


def test_a_path_that_is_not_utf8_has_a_text_of_its_own(broker, tmp_path):
    data = Maker().file([(INTERP, 0, b"/lib/\xff\0")])
    assert info(broker, tmp_path, data)["interpreter"] == "/lib/" + chr(0x10FEFF)


def test_what_the_dump_does_not_hold_is_left_out(broker, tmp_path):
    """An address outside of all segments, in memory that was not written to the file, or without an end."""
    for address in (0, 0xFFF, 0x1000 + 27, 1 << 63):
        assert info(broker, tmp_path, Maker().core(execfn=address))["execfn"] is None
    maker = Maker()
    notes = maker.note(6, maker.vector((EXECFN, 0x1000)))
    bss = maker.segment(LOAD, 100, 0x1000, 0, 50)
    assert info(broker, tmp_path, maker.file([(NOTE, 0, notes)], more=bss))["execfn"] is None
    endless = maker.file([(NOTE, 0, notes), (LOAD, 0x1000, b"x" * 10_000)])
    assert info(broker, tmp_path, endless)["execfn"] is None


def test_the_first_vector_counts(broker, tmp_path):
    maker = Maker()
    notes = maker.note(6, maker.vector((EXECFN, 0x1000))) + maker.note(6, maker.vector((EXECFN, 0x1004)))
    data = maker.file([(NOTE, 0, notes), (LOAD, 0x1000, b"one\0two\0")])
    assert info(broker, tmp_path, data)["execfn"] == "one"


def test_more_program_headers_than_the_header_can_count_are_counted_elsewhere(broker, tmp_path):
    """A dump of a process with 65,535 mappings and more; the first section header has the number."""
    maker = Maker()
    notes = maker.note(6, maker.vector((EXECFN, 0x1000)))
    many = maker.segment(LOAD, 0, 0x9000_0000, 0) * 70_000
    plain = maker.file([(NOTE, 0, notes), (LOAD, 0x1000, b"tool\0")], count=0xFFFF, more=many)
    data = maker.file([(NOTE, 0, notes), (LOAD, 0x1000, b"tool\0")], count=0xFFFF, sections=len(plain), more=many)
    data += bytes(44) + struct.pack("<I", 70_002) + bytes(16)
    assert info(broker, tmp_path, data)["execfn"] == "tool"


# --- what is no such file ---


@pytest.mark.parametrize(
    "data, reason",
    {
        "empty": (b"", "Malformed entity: Too small"),
        "short": (b"\x7fELF", "Malformed entity: Too small"),
        "text": (b"#!/bin/sh\necho hello\n", "it does not start as such a file does"),
        "no width": (b"\x7fELF\3\1" + bytes(100), "neither 32 nor 64 bits, or of no byte order"),
        "no order": (b"\x7fELF\2\3" + bytes(100), "neither 32 nor 64 bits, or of no byte order"),
        "half a header": (Maker().core()[:50], "its header is cut off"),
        "no program headers": (Maker().core()[:64], "its program headers are outside of the file"),
        "half of them": (Maker().core()[:100], "its program headers are outside of the file"),
        "half of the notes": (Maker().core()[:250], "it is cut off"),
        "sections outside": (Maker().file([], sections=10_000), "its section headers are outside of the file"),
        "headers of another size": (
            Maker().core()[:54] + b"\x20\0" + Maker().core()[56:],
            "its program headers are of another size",
        ),
        "a long interpreter": (Maker().file([(INTERP, 0, b"x" * 5000)]), "the path of its interpreter is too long"),
        "an interpreter elsewhere": (
            Maker().file([], more=Maker().segment(INTERP, 1 << 62, 0, 10)),
            "it is cut off",
        ),
        "a long vector": (
            Maker().file([(NOTE, 0, struct.pack("<III", 5, 1 << 20, 6) + bytes(1 << 20))]),
            "its auxiliary vector is too long",
        ),
        "notes without end": (
            Maker().file([], more=Maker().segment(NOTE, 64, 0, 1 << 62)),
            "it is cut off",
        ),
    }.values(),
)
def test_a_malformed_file_fails_with_the_reason(broker, tmp_path, data, reason):
    assert refused(broker, tmp_path, data) == reason


def test_more_program_headers_than_a_process_can_have_are_refused(broker, tmp_path):
    data = Maker().file([], count=0xFFFF, sections=64) + bytes(44) + struct.pack("<I", 1 << 30) + bytes(16)
    assert refused(broker, tmp_path, data) == f"it has {1 << 30} program headers"


def test_more_notes_than_a_dump_can_have_are_refused(broker, tmp_path, monkeypatch):
    monkeypatch.setattr(elf, "MAX_NOTES", 100)
    assert refused(broker, tmp_path, Maker().file([(NOTE, 0, bytes(12) * 200)])) == "it has too many notes"


def test_looking_ends_at_the_deadline(broker, tmp_path):
    """Many segments of many notes each."""
    maker = Maker()
    notes = bytes(12) * 100_000
    data = maker.file([], more=maker.segment(NOTE, 64 + 56 * 1000, 0, len(notes)) * 1000)
    (tmp_path / "file").write_bytes(data + notes)
    file = broker.file(broker.directory(tmp_path), "file", read=True)
    broker.budget.deadline -= broker.limits.max_time - 0.2
    with pytest.raises(LimitExceeded) as exceeded:
        broker.call("inspection.elf_info", file)
    assert exceeded.value.limit == "max_time"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 700), st.binary(min_size=1, max_size=12), st.sampled_from(MAKERS))
def test_any_damage_is_an_error_or_another_file(tmp_path, position, noise, maker):
    data = maker.core()
    with contextlib.suppress(Failure):
        info(Broker(), tmp_path, data[:position] + noise + data[position + len(noise) :])


CUTTER = """
import os, sys
print("started", flush=True)
while os.getppid() == int(sys.argv[2]):
    os.truncate(sys.argv[1], 0)
    with open(sys.argv[1], "r+b") as file:
        file.write(bytes.fromhex(sys.argv[3]))
"""


def test_a_file_that_is_cut_off_while_it_is_looked_at_ends_nothing(broker, tmp_path):
    """Rex maps the file, and is killed by SIGBUS (W-X1)."""
    core = Maker().core()
    (tmp_path / "file").write_bytes(core)
    file = broker.file(broker.directory(tmp_path), "file", read=True)
    script = [sys.executable, "-c", CUTTER, str(tmp_path / "file"), str(os.getpid()), core.hex()]
    told = set()
    with subprocess.Popen(script, stdout=subprocess.PIPE) as cutter:
        assert cutter.stdout is not None
        assert cutter.stdout.readline() == b"started\n"
        try:
            for _ in range(1500):
                try:
                    told.add(broker.call("inspection.elf_info", file).fields["execfn"])
                except Failure as failure:
                    told.add(failure.kind)
        finally:
            cutter.send_signal(signal.SIGKILL)
    assert "ValidationError" in told
    assert told <= {"ValidationError", "/usr/bin/tool", None}


# --- what is asked ---


def test_looking_asks_to_read(broker, tmp_path):
    info(broker, tmp_path, Maker().core())
    assert broker.asked[-1] == f"read File {tmp_path}/file"
    denying = Broker(EVERYTHING + 'forbid (principal, action == file_system::Action::"read", resource);')
    with pytest.raises(Failure, match="PermissionDenied"):
        info(denying, tmp_path, Maker().core())


def test_looking_needs_the_read_option(broker, tmp_path):
    (tmp_path / "file").write_bytes(Maker().core())
    with pytest.raises(Failure, match="InvalidFileMode"):
        broker.call("inspection.elf_info", broker.file(broker.directory(tmp_path), "file", write=True))
