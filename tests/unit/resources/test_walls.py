"""The walls of confined programs: which places, which rights, for policies over real directories."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from support.host import ALICE, RUN
from trex.authorization import Policy, reach
from trex.authorization.reach import (
    ALL,
    EXECUTE,
    LIST,
    MAKE_FILE,
    READ,
    REMOVE_FILE,
    WRITE,
    Reach,
    TooManyPolicies,
)
from trex.broker.budget import Budget
from trex.isolation import landlock
from trex.limits import Limits
from trex.programs.confinement import Confinement
from trex.resources import walls
from trex.resources.walls import Walls

try:
    landlock.abi()
except OSError as error:  # pragma: no cover
    pytest.skip(f"no Landlock: {error.strerror}", allow_module_level=True)

READING = 'action in [file_system::Action::"open", file_system::Action::"read"]'
OPENING = 'action == file_system::Action::"open"'
READ_LIST = READ | LIST


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Draw the walls of a policy in which `@` is the test's directory; the places that it leads to, below it."""
    places: dict[str, int] = {}

    def allow(self: Confinement, place: int, is_directory: bool, rights: int) -> None:
        path = os.readlink(f"/proc/self/fd/{place}")
        places[path] = places.get(path, 0) | rights
        original(self, place, is_directory, rights)

    original = Confinement.allow
    monkeypatch.setattr(Confinement, "allow", allow)
    for name in ("a", "a/deep", "a/keys", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / "a/x.log").write_text("x")
    (tmp_path / "a/x.txt").write_text("x")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "a/out").symlink_to("/etc")
    os.mkfifo(tmp_path / "a/fifo")

    def draw(policy: str, dynamic: bool = True) -> dict[str, int]:
        reach = Reach(Policy.load(policy.replace("@", str(tmp_path))), ALICE, RUN)
        made = Walls(reach, Budget(Limits(), time.monotonic() + 60))
        made.draw(dynamic)
        draw.walls = made  # type: ignore[attr-defined]
        return {
            os.path.relpath(path, tmp_path): rights for path, rights in places.items() if path.startswith(str(tmp_path))
        }

    draw.places = places  # type: ignore[attr-defined]
    return draw


def test_an_empty_policy_gives_nothing_but_what_every_program_needs(given):
    assert given("") == {}
    assert "/dev/null" in given.places
    assert not any(path.startswith(("/etc/passwd", "/proc", "/root", "/home", "/var")) for path in given.places)
    assert all(rights <= READ_LIST or path.startswith("/dev/") for path, rights in given.places.items())


def test_a_static_program_needs_no_libraries(given):
    given("", dynamic=False)
    assert all(path.startswith("/dev/") for path in given.places)


def test_a_tree_is_one_place(given):
    assert given(f'permit (principal, {READING}, resource in file_system::Dir::"@/a");') == {"a": READ_LIST}


def test_everything_is_the_root(given):
    given("permit (principal, action, resource);")
    assert given.places["/"] == ALL


def test_a_tree_with_a_forbidden_part_is_its_other_parts(given):
    found = given(f"""permit (principal, {READING}, resource in file_system::Dir::"@/a");
        forbid (principal, action, resource in file_system::Dir::"@/a/keys");""")
    assert found == {"a/deep": READ_LIST, "a/file": READ, "a/x.log": READ, "a/x.txt": READ}


def test_everything_with_a_forbidden_part_is_its_other_parts_all_the_way_down(given):
    found = given(
        'permit (principal, action, resource); forbid (principal, action, resource in file_system::Dir::"@/a/keys");'
    )
    assert found["b"] == found["a/deep"] == ALL
    assert found["a/x.txt"] == READ | WRITE | EXECUTE
    assert not any(path.startswith("a/keys") for path in found)
    assert "/" not in given.places
    assert given.places["/usr"] == ALL
    assert "/tmp" not in given.places


def test_a_forbidden_file_is_left_out(given):
    found = given("""permit (principal, action, resource in file_system::Dir::"@/a");
        forbid (principal, action, resource == file_system::File::"@/a/file");""")
    assert not found["a"] & (READ | WRITE | EXECUTE | MAKE_FILE | REMOVE_FILE)
    assert "a/file" not in found
    assert found["a/keys"] == ALL


def test_one_action_that_is_forbidden_somewhere_is_all_that_is_cut(given):
    found = given("""permit (principal, action, resource in file_system::Dir::"@/a");
        forbid (principal, action == file_system::Action::"write", resource in file_system::Dir::"@/a/keys");""")
    assert found["a"] == ALL & ~WRITE
    assert found["a/deep"] == ALL
    assert found["a/keys"] == ALL & ~WRITE


def test_one_file_is_one_place(given):
    found = given(f"""permit (principal, {OPENING}, resource == file_system::Dir::"@/a");
        permit (principal, {READING}, resource == file_system::File::"@/a/file");""")
    assert found == {"a/file": READ}


def test_files_of_a_directory_that_alone_may_be_opened(given):
    found = given(f"""permit (principal, {OPENING}, resource == file_system::Dir::"@/a");
        permit (principal, {READING}, resource is file_system::File in file_system::Dir::"@/a");""")
    assert found == {"a/file": READ, "a/x.log": READ, "a/x.txt": READ}


def test_a_pattern_is_the_files_that_match_it_now(given):
    found = given(f"""permit (principal, {OPENING}, resource in file_system::Dir::"@/a");
        permit (principal, {READING}, resource) when {{ resource has path && resource.path like "@/a/*.log" }};""")
    assert found == {"a/x.log": READ}


def test_making_and_removing_are_told_apart(given):
    found = given("""permit (principal, action in [file_system::Action::"open", file_system::Action::"create",
        file_system::Action::"delete"], resource is file_system::File in file_system::Dir::"@/b");
        permit (principal, action == file_system::Action::"open", resource in file_system::Dir::"@/b");""")
    assert found == {"b": MAKE_FILE | REMOVE_FILE}


def test_a_link_is_no_place(given):
    assert given(f'permit (principal, {READING}, resource in file_system::Dir::"@/link");') == {}
    assert given(f'permit (principal, {READING}, resource in file_system::Dir::"@/a/out");') == {}


def test_what_is_no_file_is_no_place(given):
    assert given('permit (principal, action, resource == file_system::File::"@/a/fifo");') == {}


def test_what_is_not_there_is_no_place(given):
    assert given('permit (principal, action, resource in file_system::Dir::"@/nothing");') == {}


def test_what_every_program_needs_can_be_forbidden(given):
    given('forbid (principal, action == file_system::Action::"read", resource in file_system::Dir::"/usr/lib");')
    assert not any(path.startswith("/usr/lib/") or path == "/usr/lib" for path in given.places)
    assert "/dev/null" in given.places


def test_of_what_every_program_needs_a_part_can_be_forbidden(given):
    hidden = next(each for each in sorted(Path("/usr/lib").iterdir()) if each.is_dir() and not each.is_symlink())
    given(f'forbid (principal, action == file_system::Action::"read", resource in file_system::Dir::"{hidden}");')
    assert "/usr/lib" not in given.places
    assert str(hidden) not in given.places
    assert sum(path.startswith("/usr/lib/") for path in given.places) > 1


def test_what_depends_on_the_call_is_no_place(given):
    assert (
        given('permit (principal, action, resource in file_system::Dir::"@/a") when { context has namespace };') == {}
    )


def test_a_directory_with_too_many_entries_is_not_drawn_completely(given, tmp_path, monkeypatch):
    monkeypatch.setattr(walls, "MAX_ENTRIES", 50)
    for number in range(100):
        (tmp_path / "a" / f"many{number}").write_text("")
    found = given("""permit (principal, action, resource in file_system::Dir::"@/a");
        forbid (principal, action, resource in file_system::Dir::"@/a/keys");""")
    assert len(found) <= 50
    assert given.walls.incomplete  # type: ignore[attr-defined]
    assert not any(path.startswith("a/keys") for path in found)


def test_policies_beyond_number_are_refused(given, monkeypatch):
    monkeypatch.setattr(reach, "MAX_WORK", 20_000)
    text = "".join(
        f'permit (principal, action, resource) when {{ resource in file_system::Dir::"@/{n}" }};' for n in range(2500)
    )
    with pytest.raises(TooManyPolicies):
        given(text)


def test_descriptors_do_not_pile_up(given, tmp_path):
    for number in range(300):
        (tmp_path / "a" / f"many{number}").write_text("")
    before = len(os.listdir("/proc/self/fd"))
    given("""permit (principal, action, resource in file_system::Dir::"@/a");
        forbid (principal, action, resource in file_system::Dir::"@/a/keys");""")
    assert len(os.listdir("/proc/self/fd")) <= before + 2
