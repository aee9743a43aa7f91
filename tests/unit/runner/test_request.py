"""Reading a request: caps, encodings, and one sentence for each thing that is no readable file."""

from __future__ import annotations

import os
import threading
import time

import pytest

from trex.errors import InputUnreadable, LimitExceeded, RequestInvalid
from trex.limits import Limits
from trex.runner.request import Request, Source, read, read_source


def soon() -> float:
    return time.monotonic() + 10


def text_of(path, cap=1000):
    return read_source(Source(str(path)), "script", cap, "max_script", soon())


def test_a_request_is_read_whole(tmp_path):
    (tmp_path / "s.rhai").write_text("1 + 1")
    (tmp_path / "p.cedar").write_text("permit(principal, action, resource);")
    (tmp_path / "a.json").write_text('{"x": {"integerValue": 1}}')
    (tmp_path / "m.rhai").write_text("fn f() { 1 }")
    request = Request(
        Source(str(tmp_path / "s.rhai")),
        Source(str(tmp_path / "p.cedar")),
        Source(str(tmp_path / "a.json")),
        ("y=2",),
        (("m", Source(str(tmp_path / "m.rhai"))),),
    )
    inputs = read(request, soon())
    assert (inputs.script, inputs.policy) == ("1 + 1", "permit(principal, action, resource);")
    assert inputs.arguments == {"x": 1, "y": "2"}
    assert inputs.modules == {"m": "fn f() { 1 }"}


def test_texts_need_no_file():
    inputs = read(Request(Source(text="1"), Source(text="")), soon())
    assert (inputs.script, inputs.policy, inputs.arguments) == ("1", "", {})


def test_a_file_of_exactly_the_cap_is_read(tmp_path):
    (tmp_path / "s").write_text("x" * 1000)
    assert len(text_of(tmp_path / "s")) == 1000


def test_one_byte_more_than_the_cap_is_refused_by_the_name_of_the_limit(tmp_path):
    (tmp_path / "s").write_text("x" * 1001)
    with pytest.raises(InputUnreadable, match="the script is larger than 1000 bytes, which is what max_script allows"):
        text_of(tmp_path / "s")


def test_the_cap_counts_bytes_of_a_text_too():
    with pytest.raises(InputUnreadable, match="larger than 3 bytes"):
        read_source(Source(text="éé"), "script", 3, "max_script", soon())


def test_a_missing_file_is_said_in_the_words_of_the_system(tmp_path):
    with pytest.raises(InputUnreadable) as caught:
        text_of(tmp_path / "none.rhai")
    assert str(caught.value) == f"{tmp_path}/none.rhai: the script cannot be read: No such file or directory (ENOENT)"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_refused(tmp_path):
    (tmp_path / "s").touch(mode=0)
    with pytest.raises(InputUnreadable, match="EACCES"):
        text_of(tmp_path / "s")


def test_a_directory_is_no_script(tmp_path):
    with pytest.raises(InputUnreadable, match="it is a directory"):
        text_of(tmp_path)


def test_a_device_is_no_script():
    with pytest.raises(InputUnreadable, match="neither a file nor a pipe"):
        text_of("/dev/zero")


def test_a_binary_file_is_refused_with_the_place_of_its_first_bad_byte(tmp_path):
    (tmp_path / "s").write_bytes(b"one\ntwo\xff\xfe")
    with pytest.raises(InputUnreadable, match="the script is not UTF-8 text: byte 0xff at offset 7, line 2"):
        text_of(tmp_path / "s")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(path):
    with pytest.raises(InputUnreadable, match="not a usable file name"):
        text_of(path)


def test_a_name_that_is_not_utf8_is_shown_with_escapes(tmp_path):
    name = os.fsdecode(b"s\xff")
    with pytest.raises(InputUnreadable) as caught:
        text_of(tmp_path / name)
    assert "s\\udcff: the script" in str(caught.value)


def test_a_pipe_is_read_to_its_end_however_slowly_it_is_written(tmp_path):
    reader, writer = os.pipe()

    def write():
        for piece in (b"1 ", b"+ ", b"1"):
            os.write(writer, piece)
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    assert text_of(f"/proc/self/fd/{reader}") == "1 + 1"
    thread.join()
    os.close(reader)


def test_a_fifo_that_nobody_writes_to_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputUnreadable, match="the pipe is empty and nobody writes to it"):
        text_of(tmp_path / "fifo")


def test_an_endless_pipe_is_refused_at_the_cap(tmp_path):
    reader, writer = os.pipe()
    os.write(writer, b"x" * 5000)
    with pytest.raises(InputUnreadable, match="larger than 1000"):
        text_of(f"/proc/self/fd/{reader}")
    os.close(reader)
    os.close(writer)


def test_a_pipe_that_stays_silent_ends_with_the_time_limit():
    reader, writer = os.pipe()
    with pytest.raises(LimitExceeded) as caught:
        read_source(Source(f"/proc/self/fd/{reader}"), "script", 100, "max_script", time.monotonic() + 0.05)
    assert caught.value.limit == "max_time"
    os.close(reader)
    os.close(writer)


def test_standard_input_can_be_only_one_of_the_inputs():
    with pytest.raises(RequestInvalid, match="standard input"):
        read(Request(Source("-"), Source("-")), soon())


def test_a_module_is_given_once():
    with pytest.raises(RequestInvalid, match="module 'm' is given twice"):
        read(
            Request(Source(text=""), Source(text=""), modules=(("m", Source(text="")), ("m", Source(text="")))), soon()
        )


def test_modules_are_counted():
    modules = tuple((f"m{n}", Source(text="")) for n in range(3))
    with pytest.raises(RequestInvalid, match="3 modules are given, max_modules allows 2"):
        read(Request(Source(text=""), Source(text=""), modules=modules, limits=Limits(max_modules=2)), soon())
