"""A file is read block by block; where the blocks end must not show in what comes out."""

from __future__ import annotations

import random
import re

import pytest

from support.host import Broker, flag, made
from trex.resources import content, paging
from trex.settings import Settings

PIECES = [b"\n", b"\n", b"\r\n", b"\r", b" ", b"\t", b"a", b"word", b"12", "ü€".encode(), b"job 7 done", b"\x0b", b":"]
DICTIONARY = "job %d done\nword%s\n"
SHOWN = re.compile(rb"job -?[0-9]+ done|word[^\s]+")


def random_content(seed: int) -> bytes:
    choice = random.Random(seed)
    return b"".join(choice.choices(PIECES, k=choice.randrange(40)))


def lines_of(data: bytes) -> list[bytes]:
    """Line by line, as a reader of the definition would do it."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


@pytest.fixture(params=[1, 2, 3, 5, 8, 13, 64])
def block(request, monkeypatch):
    monkeypatch.setattr(content, "BLOCK", request.param)
    monkeypatch.setattr(paging, "BLOCK", request.param)
    return request.param


@pytest.fixture
def files(tmp_path, block):
    """A broker, and files with all kinds of ends of lines."""
    data = {f"{tmp_path}/{seed}": random_content(seed + 1000 * block) for seed in range(40)}
    for path, each in data.items():
        with open(path, "wb") as file:
            file.write(each)
    return Broker(), data


def text(lines: list[bytes]) -> list[str]:
    return [line.decode() for line in lines]


def test_counting(files):
    broker, data = files
    for path, each in data.items():
        counted = broker.call("files.wc", [], path)
        words = re.findall(rb"[^ \t\n\r\x0b\x0c]+", each)
        assert counted == {"lines": each.count(b"\n"), "words": len(words), "bytes": len(each)}


def test_lines(files):
    broker, data = files
    for path, each in data.items():
        lines = text(lines_of(each))
        assert broker.call("files.awk_filter", "", path) == lines
        assert broker.call("files.tail", [flag("tail", "from", 1)], path) == lines
        for count in (1, 2, 5):
            assert broker.call("files.tail", [flag("tail", "n", count)], path) == lines[-count:]
            assert broker.call("files.tail", [flag("tail", "range", 2, count)], path) == lines[1:count]


def test_pages(files):
    broker, data = files
    for path, each in data.items():
        folder, _, name = path.rpartition("/")
        file = broker.file(broker.directory(folder), name, read=True)
        lines = text(lines_of(each))
        for start in range(0, len(lines) + 2, 2):
            page = broker.call("files.read_page", file, made("ReadPageOptions", num_lines=2))
            assert page == lines[start : start + 2]
        broker.handles.close()


def test_matching(files):
    broker, data = files
    for path, each in data.items():
        for pattern, expected in (("a|1", b"a|1"), ("^$", b"^$"), ("d$", b"d$"), ("^w", b"^w")):
            found = [line for line in lines_of(each) if re.search(expected.replace(b"$", rb"\Z"), line)]
            assert broker.call("files.grep", [], pattern, path) == text(found)
            others = [line for line in lines_of(each) if not re.search(expected.replace(b"$", rb"\Z"), line)]
            assert broker.call("files.grep", [flag("grep", "v")], pattern, path) == text(others)


def test_printable_texts(files):
    broker, data = files
    for path, each in data.items():
        folder, _, name = path.rpartition("/")
        file = broker.file(broker.directory(folder), name, read=True)
        assert broker.call("files.extract_strings", file) == text(re.findall(rb"[\t\x20-\x7e]{4,}", each))
        broker.handles.close()


def test_redacted_lines(files, tmp_path):
    _, data = files
    (tmp_path / "dictionary").write_text(DICTIONARY)
    allowed = (
        'permit (principal, action in [file_system::Action::"open", file_system::Action::"redacted_read"], resource);'
    )
    broker = Broker(allowed, settings=Settings(redaction=str(tmp_path / "dictionary")))
    for path, each in data.items():
        shown = [line if SHOWN.fullmatch(line) else b"[REDACTED]" for line in lines_of(each)]
        assert broker.call("files.cat", [], path) == "\n".join(text(shown))
        assert broker.call("files.awk_filter", "", path) == text(shown)
