"""One object, one decision: no spelling of a name escapes what the policy says of it (P3)."""

from __future__ import annotations

import os

import pytest

from support.host import Broker, Failure, flag, made


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "public").mkdir()
    (tmp_path / "secret" / "sub").mkdir(parents=True)
    (tmp_path / "secret" / "f").write_text("SECRET")
    (tmp_path / "secret" / "sub" / "f").write_text("SECRET")
    return tmp_path


@pytest.fixture
def broker(tree):
    return Broker(f'''
        permit (principal, action, resource);
        forbid (principal, action, resource) when {{ resource in file_system::Dir::"{tree}/secret" }};
    ''')


def spellings(path: str) -> list[str]:
    """The same file, written in other ways."""
    folder, _, name = path.rpartition("/")
    return [
        path,
        "/" + path,
        "//" + path,
        "/." + path,
        folder + "//" + name,
        folder + "/./" + name,
        folder + "/./././" + name,
        path + "/",
        path + "//",
        path + "/.",
        path.replace("/", "//"),
        path.replace("/", "/./"),
    ]


ON_FILES = {
    "files.cat": [],
    "files.wc": [],
    "files.write": ["x"],
    "files.replace": ["x"],
    "files.touch": [],
    "files.rm": [],
    "files.ls": [],
    "files.mkdir": [],
}


@pytest.mark.parametrize("operation", ON_FILES)
@pytest.mark.parametrize("target", ["secret/f", "secret/sub/f", "secret/new", "secret/sub"])
def test_no_spelling_of_a_path_escapes_a_forbid_on_its_directory(tree, broker, operation, target):
    """W-A1: `//etc` and `/etc/.` were other entities than `/etc`, outside of it, and not forbidden."""
    for spelling in spellings(f"{tree}/{target}"):
        with pytest.raises(Failure) as failed:
            broker.call(operation, spelling, *ON_FILES[operation])
        assert failed.value.kind == "PermissionDenied", spelling


@pytest.mark.parametrize("options", [{}, {"follow_symlinks": True}, {"create": True, "recursive": True}])
def test_no_spelling_of_a_directory_escapes_when_it_is_opened(tree, broker, options):
    """W-A1, on the path of a `DirConfig`, and so on every file below it."""
    for spelling in spellings(f"{tree}/secret") + spellings(f"{tree}/secret/sub"):
        with pytest.raises(Failure) as failed:
            broker.directory(spelling, **options)
        assert failed.value.kind == "PermissionDenied", spelling


def test_an_exact_permit_holds_for_every_spelling(tree):
    """W-A1, the other way round: a harmless spelling is not refused what the policy permits."""
    policy = "\n".join(
        f'permit (principal, action, resource == file_system::{kind}::"{path}");'
        for kind, path in {"Dir": f"{tree}/secret", "File": f"{tree}/secret/f"}.items()
    )
    for spelling in spellings(f"{tree}/secret/f"):
        assert Broker(policy).call("files.cat", spelling) == "SECRET"


def test_every_spelling_asks_the_same_questions(tree):
    """Two names for one object get one decision."""
    asked = set()
    for spelling in spellings(f"{tree}/secret/f"):
        broker = Broker()
        broker.call("files.cat", spelling)
        asked.add(tuple(broker.asked))
    assert len(asked) == 1


@pytest.mark.parametrize(
    "operation", ["files.cat", "files.write", "files.replace", "files.rm", "files.ls", "files.mkdir"]
)
def test_a_linked_parent_is_judged_by_where_it_leads(tree, broker, operation):
    """A link in a permitted directory leads to a forbidden one."""
    (tree / "public" / "link").symlink_to("../secret")
    (tree / "public" / "deep").symlink_to("link/sub")
    for name in ("link/f", "deep/f", "link/sub/f", "link/new"):
        with pytest.raises(Failure) as failed:
            broker.call(operation, f"{tree}/public/{name}", *ON_FILES[operation])
        assert failed.value.kind == "PermissionDenied", name
    assert sorted(os.listdir(tree / "secret")) == ["f", "sub"]


def test_dot_dot_is_refused_before_anything_is_asked(tree, broker):
    """CWE-22: what `..` means depends on links that may change."""
    for path in (f"{tree}/public/../secret/f", f"{tree}/public/..", "/..", f"{tree}/public/../../etc/passwd"):
        with pytest.raises(Failure) as failed:
            broker.call("files.cat", path)
        assert failed.value.kind == "Other"
    assert broker.asked == []


@pytest.mark.parametrize("name", ["..", "../secret/f", "sub/../../secret/f", "/etc/passwd", "link/f"])
def test_a_name_in_a_directory_is_one_name(tree, broker, name):
    """CWE-22 and W-B6: several components reach the kernel, which follows links in the middle."""
    (tree / "public" / "link").symlink_to("../secret")
    directory = broker.directory(tree / "public")
    with pytest.raises(Failure):
        broker.call("files.open_file", directory, name, made("OpenFileOptions", read=True, follow_symlinks=True))


def test_a_name_that_looks_like_another_in_cedar_is_not_it(tree):
    """A quote, a backslash or a line break in a name must not end the id that the policy sees."""
    for name in ('f"', 'x"; permit(principal,action,resource);//', "\\u{66}", "f\n", "f\\", "*"):
        (tree / "public" / name).write_text("x")
        broker = Broker(f'''
            permit (principal, action, resource) when {{ resource == file_system::Dir::"{tree}/public" }};
            permit (principal, action, resource) when {{ resource == file_system::File::"{tree}/public/f" }};
        ''')
        with pytest.raises(Failure) as failed:
            broker.call("files.cat", f"{tree}/public/{name}")
        assert failed.value.kind == "PermissionDenied"


def test_two_names_that_are_not_utf8_are_two_ids(tree):
    """W-A5: a lossy conversion gives two names one id, and the permit of one to the other."""
    for raw in (b"x\xe9", b"x\xe8"):
        with open(os.fsencode(tree / "public") + b"/" + raw, "wb") as file:
            file.write(raw.hex().encode())
    names = sorted(Broker().call("files.ls", f"{tree}/public"))
    assert len(names) == 2
    policy = f'''
        permit (principal, action, resource) when {{ resource == file_system::Dir::"{tree}/public" }};
        permit (principal, action, resource) when {{ resource == file_system::File::"{tree}/public/x\\u{{10fee9}}" }};
    '''
    denied, permitted = names
    assert Broker(policy).call("files.cat", f"{tree}/public/{permitted}") == "78e9"
    with pytest.raises(Failure, match="PermissionDenied"):
        Broker(policy).call("files.cat", f"{tree}/public/{denied}")


def test_a_text_that_stands_for_valid_bytes_is_the_name_itself(tree):
    """The bytes of `é`, written as two escapes, are judged as `é`."""
    (tree / "public" / "é").write_text("x")
    broker = Broker(f'''
        permit (principal, action, resource);
        forbid (principal, action, resource == file_system::File::"{tree}/public/é");
    ''')
    for name in ("é", "\U0010fec3\U0010fea9"):
        with pytest.raises(Failure) as failed:
            broker.call("files.cat", f"{tree}/public/{name}")
        assert failed.value.kind == "PermissionDenied"


def test_a_magic_link_of_proc_does_not_lead_around_the_policy(tree, broker):
    """`/proc/self/root` is the whole file system under another name."""
    for name in ("root", "cwd"):
        for path in (f"/proc/self/{name}{tree}/secret/f", f"/proc/{os.getpid()}/{name}{tree}/secret/f"):
            with pytest.raises(Failure):
                broker.call("files.cat", path)
    number = os.open(tree / "secret", os.O_RDONLY)
    try:
        for path in (f"/proc/self/fd/{number}/f", f"/dev/fd/{number}/f"):
            with pytest.raises(Failure):
                broker.call("files.cat", path)
    finally:
        os.close(number)


def test_removing_a_tree_honours_a_forbid_inside_it(tree):
    """W-E1: one `delete` on the top directory covered everything in it."""
    broker = Broker(f'''
        permit (principal, action, resource);
        forbid (principal, action == file_system::Action::"delete", resource) when {{ resource in file_system::Dir::"{tree}/secret" }};
    ''')
    for use in (
        lambda: broker.call("files.rm", [flag("rm", "r")], str(tree)),
        lambda: broker.call("files.delete_directory", broker.directory(tree), made("DeleteDirOptions", recursive=True)),
    ):
        with pytest.raises(Failure) as failed:
            use()
        assert failed.value.kind == "PermissionDenied"
    assert (tree / "public").is_dir()
    assert (tree / "secret" / "sub" / "f").exists()
