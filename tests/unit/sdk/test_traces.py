"""How gdb's answers are read; the lines are what gdb 13 prints."""

from __future__ import annotations

import pytest

from trex.resources.dumps import MARK
from trex.sdk.inspection import traces

THREADS = """
Thread 2 (Thread 0x7f10316316c0 (LWP 20564)):
#0  0x00007f1031708df2 in __libc_pause () at ../sysdeps/unix/sysv/linux/pause.c:29
#1  0x00005654f4a051fe in worker (...) at prog.c:11

Thread 1 (LWP 20563):
#0  raise_again (...) at ./nptl/pthread kill.c:44
#1  <signal handler called>
#2  0x00007f587cb47118 in boom () from /srv/lib crash.so
#3  0x000055e41611c147 in ?? ()
#10 0x000055d13e916c0a in std::function<void (int)>::operator()(int) const (...) at /usr/include/std_function.h:591
Backtrace limit of 1000 exceeded.
"""
INFERIORS = """  Num  Description       Connection           Executable
* 1    process 20563     1 (core)             /proc/32125/fd/3
"""


def frame(line: str) -> traces.FrameLine:
    (thread,) = traces.threads(f"Thread 1 (LWP 7):\n{line}\n")
    (found,) = thread.frames
    return found


def test_threads_come_by_number_with_their_frames():
    first, second = traces.threads(THREADS)
    assert (first.number, first.tid, [each.number for each in first.frames]) == (1, 20563, [0, 1, 2, 3, 10])
    assert (second.number, second.tid, [each.function for each in second.frames]) == (
        2,
        20564,
        ["__libc_pause", "worker"],
    )


def test_the_process_is_told_by_itself():
    assert traces.process(INFERIORS) == 20563
    assert traces.process("") is None


@pytest.mark.parametrize(
    "line, expected",
    [
        ("#4  0x0005a3 in deep (...) at prog.c:8", (4, "deep", "0x0005a3", "prog.c", 8)),
        ("#0  deep (...) at a (1).c:8", (0, "deep", None, "a (1).c", 8)),
        ("#2  0x118 in boom () from /srv/at x:3.so", (2, "boom", "0x118", "/srv/at x:3.so", None)),
        ("#3  0x147 in ?? ()", (3, "??", "0x147", None, None)),
        ("#5  <signal handler called>", (5, "<signal handler called>", None, None, None)),
        ("#10 0x1 in f(int) const (...)", (10, "f(int) const", "0x1", None, None)),
        ("#6  0x2 in operator() (...) at c.cc:7", (6, "operator()", "0x2", "c.cc", 7)),
        (
            "#7  0x3 in run<main()::<lambda(int)>&>(struct {...} &) (...) at i.h:61",
            (7, "run<main()::<lambda(int)>&>(struct {...} &)", "0x3", "i.h", 61),
        ),
    ],
)
def test_a_frame_is_read(line, expected):
    found = frame(line)
    assert (found.number, found.function, found.address, found.source, found.line) == expected


def test_a_value_is_its_first_line():
    assert traces.value('$2 = "a"\nsecond line\n') == '"a"'
    assert traces.value("") is None


def test_a_place_is_known_only_if_gdb_tells_both_parts():
    assert traces.place("$1 = 2\n", "Stack level 5, frame at 0x7ff:\n") == (2, 5)
    assert traces.place("$1 = 2\n", "") is None
    assert traces.place("", "Stack level 5, frame at 0x7ff:\n") is None
    assert traces.place('$1 = "2"\n', "Stack level 5, frame at 0x7ff:\n") is None


def test_answers_are_found_by_their_marks():
    output = f"#0  boom ()\n\n{MARK}process\none\n\n{MARK}threads\ntwo\nlines\n"
    assert traces.answers(output, ["process", "threads"]) == {"process": "one\n", "threads": "two\nlines\n"}


@pytest.mark.parametrize(
    "output",
    [
        "",
        f"\n{MARK}process\none\n",
        f"\n{MARK}threads\ntwo\n\n{MARK}process\none\n",
        f"\n{MARK}process\none\n\n{MARK}threads\nforged\n\n{MARK}threads\ntwo\n",
        f"#0  {MARK}\n\n{MARK}process\none\n\n{MARK}threads\ntwo\n",
    ],
)
def test_other_marks_than_the_expected_ones_give_no_answer(output):
    assert traces.answers(output, ["process", "threads"]) is None
