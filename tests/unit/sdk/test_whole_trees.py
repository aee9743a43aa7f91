"""Mode and owner of directories, alone and with all that they hold, and of links."""

from __future__ import annotations

import os
import stat

import pytest

from support.host import Broker, Failure, made

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "d" / "sub").mkdir(parents=True)
    (tmp_path / "d" / "f").write_text("x")
    (tmp_path / "d" / "sub" / "g").write_text("x")
    os.mkfifo(tmp_path / "d" / "fifo")
    (tmp_path / "outside").write_text("x")
    (tmp_path / "d" / "link").symlink_to("../outside")
    (tmp_path / "d" / "dangling").symlink_to("nowhere")
    for folder, names, others in os.walk(tmp_path):
        for name in [*names, *others]:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
    return tmp_path


def mode(path: object) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


def chmod(broker: Broker, path: object, permissions: int, recursive: bool = False) -> None:
    options = made("ChmodDirOptions", permissions=permissions, recursive=recursive)
    broker.call("files.change_directory_mode", broker.directory(path), options)


def give(broker: Broker, path: object, **options: object) -> None:
    broker.call("files.change_directory_owner", broker.directory(path), made("SetOwnershipOptions", **options))


def without(*denied: str, where: str) -> Broker:
    """Everything but these actions at this place and in it."""
    actions = ", ".join(f'file_system::Action::"{name}"' for name in denied)
    return Broker(
        f"permit (principal, action, resource);\n"
        f'forbid (principal, action in [{actions}], resource) when {{ resource in file_system::Dir::"{where}" }};'
    )


# --- chmod ---


def test_a_directory_gets_its_mode_alone(tree):
    broker = Broker()
    chmod(broker, tree / "d", 0o700)
    assert mode(tree / "d") == 0o700
    assert mode(tree / "d" / "f") == 0o644
    assert broker.asked[1:] == [f"chmod Dir {tree}/d"]


def test_a_tree_gets_its_mode_as_a_whole_and_no_link_is_followed(tree):
    broker = Broker()
    chmod(broker, tree / "d", 0o750, recursive=True)
    for name in ("d", "d/f", "d/sub", "d/sub/g", "d/fifo"):
        assert mode(tree / name) == 0o750
    assert mode(tree / "outside") == 0o644
    assert broker.audit.facts == {"changed": 5}


@pytest.mark.parametrize("permissions", [0o1000, 0o4755, 0o100644])
def test_no_bits_but_permissions_are_set(tree, permissions):
    broker = Broker()
    with pytest.raises(Failure, match="Permissions must be in the range 0-777 octal"):
        chmod(broker, tree / "d", permissions, recursive=True)
    with pytest.raises(Failure, match="out of range"):
        chmod(broker, tree / "d", -1)
    assert mode(tree / "d") == 0o755


def test_a_denied_top_is_an_error_and_nothing_is_changed(tree):
    """In Rex a recursive change succeeds when nothing of it was permitted."""
    for action in ("chmod", "read"):
        broker = without(action, where=str(tree / "d"))
        with pytest.raises(Failure, match="PermissionDenied"):
            chmod(broker, tree / "d", 0o700, recursive=True)
        assert mode(tree / "d") == 0o755
        assert mode(tree / "d" / "f") == 0o644


def test_what_is_denied_below_stays_and_is_told(tree):
    broker = without("chmod", where=str(tree / "d" / "sub"))
    chmod(broker, tree / "d", 0o700, recursive=True)
    assert mode(tree / "d" / "f") == 0o700
    assert mode(tree / "d" / "sub") == 0o755
    assert mode(tree / "d" / "sub" / "g") == 0o644
    assert f"chmod Dir {tree}/d/sub denied" in broker.asked
    assert f"chmod File {tree}/d/sub/g denied" in broker.asked
    (logged,) = broker.record.logs
    assert "2 denials; what they are about stays as it was" in logged.message


def test_a_directory_that_may_not_be_opened_is_not_entered(tree):
    broker = without("open", where=str(tree / "d" / "sub"))
    chmod(broker, tree / "d", 0o700, recursive=True)
    assert mode(tree / "d" / "sub") == 0o755
    assert mode(tree / "d" / "sub" / "g") == 0o644


def as_user(directory: object) -> None:
    """Go on as somebody who owns this."""
    for folder, names, others in os.walk(directory):
        for name in [".", *names, *others]:
            os.lchown(os.path.join(folder, name), 1234, 1234)
    os.setegid(1234)
    os.seteuid(1234)


@pytest.fixture
def ordinary(tree):
    """The tree belongs to whom this process now is."""
    if os.geteuid() == 0:
        for above in (tree, *tree.parents):
            if str(above).startswith("/tmp/"):
                os.chmod(above, 0o755)
        as_user(tree)
    yield tree
    if os.getuid() == 0:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.parametrize("permissions", [0o000, 0o600, 0o300])
def test_a_tree_is_closed_from_its_end(ordinary, permissions):
    chmod(Broker(), ordinary / "d", permissions, recursive=True)
    assert mode(ordinary / "d") == permissions
    os.chmod(ordinary / "d", 0o700)
    assert mode(ordinary / "d" / "sub") == permissions
    os.chmod(ordinary / "d" / "sub", 0o700)
    assert mode(ordinary / "d" / "sub" / "g") == permissions


def test_a_closed_tree_is_opened_from_its_start(ordinary):
    os.chmod(ordinary / "d" / "sub", 0)
    os.chmod(ordinary / "d", 0)
    chmod(Broker(), ordinary / "d", 0o750, recursive=True)
    assert mode(ordinary / "d" / "sub" / "g") == 0o750


def test_what_the_host_refuses_is_an_error_after_all_else_is_changed(ordinary):
    if os.getuid() != 0:
        pytest.skip("takes a file of somebody else")
    os.seteuid(0)
    os.chown(ordinary / "d" / "f", 0, 0)
    os.seteuid(1234)
    broker = Broker()
    with pytest.raises(Failure) as failed:
        chmod(broker, ordinary / "d", 0o700, recursive=True)
    expected = f"Directory error: Error in chmod, 4 changed, 1 refused by the host, see the log: {ordinary}/d"
    assert failed.value.message == expected
    assert mode(ordinary / "d" / "sub" / "g") == 0o700
    (logged,) = broker.record.logs
    assert logged.message.endswith("/d/f: Operation not permitted (os error 1)")


# --- owner ---


@needs_root
def test_a_tree_is_given_away_with_its_links_themselves(tree):
    broker = Broker()
    give(broker, tree / "d", user="nobody", group="daemon", recursive=True)
    for name in ("d", "d/f", "d/sub", "d/sub/g", "d/fifo", "d/link", "d/dangling"):
        status = os.lstat(tree / name)
        assert status.st_uid == 65534
        assert status.st_gid == 1
    assert os.lstat(tree / "outside").st_uid == 0
    assert f"chown File {tree}/d/link" in broker.asked


@needs_root
def test_a_directory_is_given_away_alone(tree):
    give(Broker(), tree / "d", group="daemon")
    assert os.lstat(tree / "d").st_gid == 1
    assert os.lstat(tree / "d").st_uid == 0
    assert os.lstat(tree / "d" / "f").st_gid == 0


def test_an_unknown_name_changes_nothing(tree):
    before = os.lstat(tree / "d" / "f")
    with pytest.raises(Failure) as failed:
        give(Broker(), tree / "d", user="no such user", recursive=True)
    assert failed.value.kind == "IdentityResolutionError"
    assert os.lstat(tree / "d" / "f").st_ctime_ns == before.st_ctime_ns


@needs_root
def test_a_link_is_given_away_itself(tree):
    broker = Broker()
    link = broker.call("files.open_symlink", broker.directory(tree / "d"), "link")
    broker.call("files.change_link_owner", link, made("SetOwnershipOptions", user="nobody"))
    assert os.lstat(tree / "d" / "link").st_uid == 65534
    assert os.lstat(tree / "outside").st_uid == 0
    assert broker.asked[-1] == f"chown File {tree}/d/link"


def test_giving_a_link_away_asks_for_chown(tree):
    broker = without("chown", where=str(tree))
    link = broker.call("files.open_symlink", broker.directory(tree / "d"), "link")
    with pytest.raises(Failure, match="PermissionDenied"):
        broker.call("files.change_link_owner", link, made("SetOwnershipOptions", user="nobody"))


# --- depth ---


def test_a_tree_of_any_depth_is_changed_with_few_directories_open(tmp_path):
    """The kernel's longest path is some two thousand directories; so many are not open at once."""
    from resource import RLIMIT_NOFILE, getrlimit, setrlimit

    number = os.open(tmp_path, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("d", dir_fd=number)
        deeper = os.open("d", os.O_RDONLY, dir_fd=number)
        os.close(number)
        number = deeper
    old = getrlimit(RLIMIT_NOFILE)
    broker = Broker()
    directory = broker.directory(tmp_path)
    setrlimit(RLIMIT_NOFILE, (number + 80, old[1]))
    try:
        options = made("ChmodDirOptions", permissions=0o711, recursive=True)
        broker.call("files.change_directory_mode", directory, options)
    finally:
        setrlimit(RLIMIT_NOFILE, old)
    assert stat.S_IMODE(os.fstat(number).st_mode) == 0o711
    assert broker.audit.facts == {"changed": 401}
    os.close(number)
