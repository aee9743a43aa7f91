"""What a script holds."""

from __future__ import annotations

import gc
import os

import pytest

from support.host import Broker, made
from trex.errors import LimitExceeded, ProtocolViolation
from trex.limits import Limits
from trex.values import Constant, Object


@pytest.fixture
def broker(tmp_path):
    (tmp_path / "f").write_text("x")
    return Broker(limits=Limits(max_handles=3))


def test_a_handle_that_was_never_given_ends_the_worker(broker):
    with pytest.raises(ProtocolViolation):
        broker.call("files.read", Object("File", {}, 7))


def test_a_handle_without_a_number_ends_the_worker(broker):
    with pytest.raises(ProtocolViolation):
        broker.call("files.read", Object("File", {}))


def test_a_handle_is_only_what_it_was_given_as(broker, tmp_path):
    directory = broker.directory(tmp_path)
    with pytest.raises(ProtocolViolation):
        broker.call("files.read", Object("File", {}, directory.handle))


def test_a_released_handle_is_gone_and_its_number_never_comes_back(broker, tmp_path):
    first = broker.directory(tmp_path)
    broker.handles.release([first.handle])
    with pytest.raises(ProtocolViolation):
        broker.call("files.list_entries", first)
    assert broker.directory(tmp_path).handle != first.handle


def test_releasing_what_is_not_held_ends_the_worker(broker):
    with pytest.raises(ProtocolViolation):
        broker.handles.release([1])


def test_more_handles_than_allowed_end_the_run(broker, tmp_path):
    for _ in range(3):
        broker.directory(tmp_path)
    with pytest.raises(LimitExceeded) as exceeded:
        broker.directory(tmp_path)
    assert exceeded.value.limit == "max_handles"


def test_many_files_can_be_opened_one_after_the_other(broker, tmp_path):
    directory = broker.directory(tmp_path)
    for _ in range(20):
        broker.handles.release([broker.file(directory, "f", read=True).handle])


def test_a_released_file_is_closed(broker, tmp_path):
    directory = broker.directory(tmp_path)
    file = broker.file(directory, "f", read=True)
    gc.collect()
    open_before = len(os.listdir("/proc/self/fd"))
    broker.handles.release([file.handle])
    assert len(os.listdir("/proc/self/fd")) == open_before - 1


def test_everything_is_closed_at_the_end(tmp_path):
    (tmp_path / "f").write_text("x")
    gc.collect()  # what other tests left behind
    before = len(os.listdir("/proc/self/fd"))
    broker = Broker()
    directory = broker.directory(tmp_path)
    for _ in range(10):
        broker.file(directory, "f", read=True)
    broker.handles.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_listing_of_any_length_takes_one_handle(broker, tmp_path):
    for number in range(50):
        (tmp_path / str(number)).touch()
    entries = broker.call("files.ls", str(tmp_path))
    assert len({entry.handle for entry in entries.values()}) == 1
    assert len(broker.handles) == 1


def test_the_directory_of_an_entry_is_no_directory_handle(broker, tmp_path):
    """A script that was given entries was not given the directory."""
    entries = broker.call("files.ls", str(tmp_path))
    with pytest.raises(ProtocolViolation):
        broker.call("files.list_entries", Object("Dir", {}, entries["f"].handle))


@pytest.mark.parametrize("name", ["../f", "/etc/passwd", "..", "", "a\0b"])
def test_an_entry_cannot_be_given_a_name_that_leads_elsewhere(broker, tmp_path, name):
    entry = broker.call("files.ls", str(tmp_path))["f"]
    forged = Object("DirEntry", {**entry.fields, "name": name}, entry.handle)
    with pytest.raises(ProtocolViolation):
        broker.call("files.entry_as_file", forged, made("OpenFileOptions", read=True))


def test_an_entry_with_another_name_is_judged_as_that_name(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "secret").write_text("hidden")
    policy = f'''
        permit (principal, action, resource) when {{ resource in file_system::Dir::"{tmp_path}" }};
        forbid (principal, action, resource == file_system::File::"{tmp_path}/secret");
    '''
    broker = Broker(policy)
    entry = broker.call("files.ls", str(tmp_path))["f"]
    forged = Object("DirEntry", {**entry.fields, "name": "secret"}, entry.handle)
    with pytest.raises(Exception, match="PermissionDenied"):
        broker.call("files.entry_as_file", forged, made("OpenFileOptions", read=True))


def test_an_entry_of_a_type_that_does_not_exist_ends_the_worker(broker, tmp_path):
    entry = broker.call("files.ls", str(tmp_path))["f"]
    forged = Object("DirEntry", {**entry.fields, "type": Constant("EntryType", "GHOST")}, entry.handle)
    with pytest.raises(ProtocolViolation):
        broker.call("files.entry_metadata", forged)
