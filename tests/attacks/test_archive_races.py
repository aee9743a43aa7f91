"""Races on archives: a second process exchanges entries while archives are extracted and files compressed (P3).

As in the races on files, everything is permitted in a directory that the attacker owns, and nothing
beside it. An archive has many names, each of which is walked, made and given its mode: none of
these steps may be led out.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.host import made
from support.races import Place, raced, swapping
from support.tapes import DIRECTORY, member, packed

ARCHIVE = packed(
    member("d/", type=DIRECTORY, mode=0o777),
    member("d/f", b"EXTRACTED", mode=0o666),
    member("d/sub/f", b"EXTRACTED"),
    member("d/sub/new", b"EXTRACTED"),
    member("f", b"EXTRACTED"),
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    for made_ in raced(tmp_path):
        (made_.allowed / "archive").write_bytes(ARCHIVE)
        (made_.allowed / "other").write_bytes(packed(member("d/sub/f", b"OTHER")))
        (made_.allowed / "packed.gz").write_bytes(gzip.compress(b"PUBLIC\n"))
        yield made_


def extract(place: Place, directory: Path, archive: str = "archive") -> Any:
    """One extraction, with handles of its own."""
    broker = place.broker
    try:
        file = broker.file(broker.directory(place.allowed), archive, read=True)
        return broker.call("archives.extract_archive", file, broker.directory(directory), made("ExtractArchiveOptions"))
    finally:
        broker.handles.close()


@pytest.mark.parametrize("name", ["d", "d/sub"])
def test_a_directory_of_the_archive_is_exchanged_with_a_link_while_it_is_extracted(place, name):
    """W-B5, W-B6, CVE-2018-20834's kin: a member goes through a link, or a mode is given to what it leads to."""
    with swapping(place, place.allowed / name, place.allowed / "link-d"):
        for _ in place.tries():
            place.attempt(lambda: extract(place, place.allowed))


@pytest.mark.parametrize("name", ["f", "d/f", "d/sub/f"])
def test_a_file_of_the_archive_is_exchanged_with_a_link_while_it_is_extracted(place, name):
    """What a link in the place of a file leads to is neither written nor given a mode."""
    with swapping(place, place.allowed / name, place.allowed / "link-f"):
        for _ in place.tries():
            place.attempt(lambda: extract(place, place.allowed))


def test_the_destination_is_exchanged_with_a_link_while_an_archive_is_extracted(place):
    """The directory that was opened is filled, or none."""
    with swapping(place, place.allowed / "d", place.allowed / "link-d"):
        for _ in place.tries():
            place.attempt(lambda: extract(place, place.allowed / "d"))


def test_the_archive_is_exchanged_with_a_link_while_it_is_extracted(place):
    """A hidden archive is not extracted to where its content can be read."""
    os.rename(place.allowed / "other", place.secret.parent / "stolen")
    (place.secret.parent / "stolen").write_bytes(packed(member("stolen", b"SECRET")))
    (place.allowed / "link").symlink_to(place.secret.parent / "stolen")
    with swapping(place, place.allowed / "archive", place.allowed / "link"):
        for _ in place.tries():
            place.attempt(lambda: extract(place, place.allowed))
    assert not (place.allowed / "stolen").exists()


def test_directories_trade_places_across_the_border_while_an_archive_is_extracted(place):
    """A directory of the archive is moved out of the permitted tree while it is held open.

    It was permitted when it was entered, and what is moved out was the attacker's to move. But the
    directory that stood outside must not be filled unless it was moved in, under a permitted name.
    """
    outside = place.secret.parent / "outside"
    (outside / "sub").mkdir(parents=True)
    place.seen = {False, True}  # no link is involved
    with swapping(place, place.allowed / "d", outside):
        for _ in place.tries():
            place.attempt(lambda: extract(place, place.allowed))
    assert sorted(os.listdir(place.secret.parent)) == ["allowed", "outside", "secret"]


@pytest.mark.parametrize("name, link", [("f", "link-f"), ("d", "link-d")])
def test_what_is_compressed_into_is_exchanged_with_a_link(place, name, link):
    """W-C1: the result takes the place of a file in the permitted directory, or of none."""

    def compress() -> None:
        broker = place.broker
        try:
            source = broker.file(broker.directory(place.allowed), "archive", read=True)
            directory = broker.directory(place.allowed if name == "f" else place.allowed / "d")
            target = broker.file(directory, "f", write=True)
            broker.call("archives.compress_gzip", source, target, made("CompressGzipOptions", level=1))
        finally:
            broker.handles.close()

    with swapping(place, place.allowed / name, place.allowed / link):
        for _ in place.tries():
            place.attempt(compress)


def test_what_is_searched_is_exchanged_with_a_link(place):
    """The lines of a hidden compressed file are as secret as those of a plain one."""
    (place.secret.parent / "stolen.gz").write_bytes(gzip.compress(b"SECRET\n"))
    (place.allowed / "link").symlink_to(place.secret.parent / "stolen.gz")

    def search() -> Any:
        broker = place.broker
        try:
            file = broker.file(broker.directory(place.allowed), "packed.gz", read=True)
            return broker.call("archives.search_gzip", file, "", made("SearchGzipOptions"))
        finally:
            broker.handles.close()

    with swapping(place, place.allowed / "packed.gz", place.allowed / "link"):
        for _ in place.tries():
            place.attempt(search)
