"""What programs about packed files and about programs find beside the usual things.

By the name of the file that the programs are in.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from support.elf import INTERP, LOAD, Maker
from support.tapes import DEVICE, DIRECTORY, FIFO, HARD, LINK, member, packed, plain

TEXT = "".join(f"line {number} {'odd' if number % 2 else 'even'}\n" for number in range(1, 101))
TREE = (
    member("sub", type=DIRECTORY, mode=0o750),
    member("sub/a", b"content of a\n", mode=0o640),
    member("sub/deep/b", b"content of b\n", mode=0o6755),
    member("./c", b"content of c\n"),
)


def furnish_gzip(top: Path) -> None:
    """Compressed files, whole and damaged."""
    whole = gzip.compress(TEXT.encode(), mtime=0)
    (top / "text.gz").write_bytes(whole)
    (top / "members.gz").write_bytes(gzip.compress(b"one\n", mtime=0) + gzip.compress(b"two\nthree\n", mtime=0))
    (top / "cut.gz").write_bytes(whole[:-20])
    (top / "wrong.gz").write_bytes(whole[:-8] + bytes(8))


def furnish_archives(top: Path) -> None:
    """Archives, good and bad, and a directory to extract them to."""
    (top / "tree.tar").write_bytes(plain(*TREE))
    (top / "tree.tar.gz").write_bytes(packed(*TREE))
    good = member("good", b"good\n")
    bad = {
        "link": member("bad", type=LINK, linkname="/etc/passwd"),
        "hard": member("bad", type=HARD, linkname="good"),
        "device": member("bad", type=DEVICE),
        "fifo": member("bad", type=FIFO),
        "absolute": member("/etc/bad", b"x"),
        "above": member("sub/../../bad", b"x"),
    }
    for name, one in bad.items():
        (top / f"{name}.tar.gz").write_bytes(packed(good, one))
    (top / "cut.tar").write_bytes(plain(good, member("bad", bytes(5000)))[:3000])
    (top / "out").mkdir()


def furnish_inspection(top: Path) -> None:
    """Programs, and certificates where there is what they need."""
    (top / "program").write_bytes(Maker().file([(LOAD, 0x400000, b"code"), (INTERP, 0, b"/lib/ld.so.1\0")]))
    (top / "program32").write_bytes(Maker(32, ">").file([(LOAD, 0x400000, b"code")]))
    (top / "core").write_bytes(Maker().core())


FURTHER = {"gzip": furnish_gzip, "archives": furnish_archives, "inspection": furnish_inspection}
