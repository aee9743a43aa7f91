"""How a program is called, and how policies see it: nothing that the program gets is missing from what is judged."""

from __future__ import annotations

import grp
import os
import pwd
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trex.errors import OperationError
from trex.resources import invocation
from trex.resources.invocation import MAX_READINGS, Invocation, checked, contexts, identity, quoted_line, readings

NOBODY = identity(None, None)


def context(arguments: list, **how):
    call = Invocation(checked(arguments, {}, []), **how)
    return list(contexts(call, NOBODY, "/"))


def test_rex_shows_arguments_as_sets_and_tags():
    """The example of the reference's own description."""
    (only,) = context(["in.txt", ["--format", "json"], "-v", "out.txt"])
    entity = only["arguments"]
    assert dict(entity.attributes) == {
        "keys": ("--format",),
        "flags": ("-v",),
        "positional_values": ("in.txt", "out.txt"),
    }
    assert dict(entity.tags) == {
        "--format": "json", "$ARG0": "in.txt", "in.txt": "true", "$ARG1": "-v", "-v": "true", "$ARG2": "out.txt",
        "out.txt": "true",
    }  # fmt: skip


def test_the_list_has_every_argument_in_its_place():
    (only,) = context(["b", ["-p", "x y"], "b", ["a"]])
    entity = only["argument_list"]
    assert dict(entity.attributes) == {"count": 5, "line": "b -p 'x y' b a", "values": ("b", "-p", "x y", "a")}
    assert dict(entity.tags) == {"0": "b", "1": "-p", "2": "x y", "3": "b", "4": "a"}


def tags(arguments: list) -> list[dict[str, str]]:
    return list(readings(checked(arguments, {}, [])))


def test_a_repeated_key_is_judged_with_each_of_its_values_rexs_own_reading_first():
    assert tags([["-p", "bad"], ["-p", "good"]]) == [{"-p": "good"}, {"-p": "bad"}]


def test_a_key_that_is_repeated_with_one_value_is_judged_once():
    assert tags([["-p", "x"], ["-p", "x"]]) == [{"-p": "x"}]


def test_a_value_that_comes_back_is_the_last_again():
    assert tags([["-p", "a"], ["-p", "b"], ["-p", "a"]])[0] == {"-p": "a"}


def test_all_combinations_of_repeated_keys_are_judged():
    found = {(each["-p"], each["-q"]) for each in tags([["-p", "1"], ["-q", "1"], ["-p", "2"], ["-q", "2"]])}
    assert found == {("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")}


def test_a_key_cannot_take_the_place_of_a_generated_tag():
    found = tags([["$ARG0", "harmless"], "harmful"])
    assert {each["$ARG0"] for each in found} == {"harmless", "harmful"}


def test_a_key_cannot_hide_an_argument_of_the_same_text():
    assert {each["-f"] for each in tags(["-f", ["-f", "x"]])} == {"true", "x"}


def test_more_readings_than_can_be_judged_are_refused():
    many = [[f"-{n}", value] for n in range(10) for value in ("a", "b")]
    with pytest.raises(OperationError, match=str(MAX_READINGS)):
        tags(many)


@given(st.lists(st.text(max_size=8), max_size=6))
def test_a_line_is_the_list(texts):
    assert shlex.split(quoted_line(texts)) == texts


@pytest.mark.parametrize("name", ["A=B", "=", "LD_PRELOAD=x"])
def test_a_name_that_sets_another_variable_is_refused(name):
    with pytest.raises(OperationError, match="has a `=` in it"):
        checked([], {name: "x"}, [])


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["a\0b"], {}), ([["-k", "\0"]], {}), ([], {"A\0": "x"}), ([], {"A": "x\0"})],
)
def test_a_null_byte_is_refused(arguments, environment):
    with pytest.raises(OperationError, match="null byte"):
        checked(arguments, environment, [])


@pytest.mark.parametrize(
    ("arguments", "environment", "capabilities"),
    [
        ([1], {}, []), ([[]], {}, []), ([["a", "b", "c"]], {}, []), ([[1]], {}, []), ([["a", 1]], {}, []), ([""], {}, []),
        ([["a", ""]], {}, []), ([], {"A": 1}, []), ([], {"A": ""}, []), ([], {"": "x"}, []), ([], {}, [1]), ([], {}, ["CAP_X"]),
        ([], {}, ["cap_chown"]), ([None], {}, []), ([{}], {}, []),
    ],
)  # fmt: skip
def test_what_a_broken_worker_may_send_is_refused(arguments, environment, capabilities):
    with pytest.raises(OperationError):
        checked(arguments, environment, capabilities)


@pytest.mark.parametrize("arguments", [["x" * 140_000], ["x" * 100_000] * 12, ["é" * 70_000]])
def test_more_than_the_kernel_takes_is_refused(arguments):
    with pytest.raises(OSError, match="7"):
        checked(arguments, {}, [])


def test_the_environment_is_passed_in_the_order_of_names():
    assert Invocation(environment={"B": "2", "A": "1=x"}).variables() == [b"A=1=x", b"B=2"]


def test_what_is_not_in_the_arguments_is_seen_too():
    call = Invocation(capabilities=("CAP_NET_RAW",), namespace=7, stdin="")
    (found,) = contexts(call, NOBODY, "/srv")
    assert found["capabilities"] == ("CAP_NET_RAW",)
    assert found["namespace"] == {"target_process_id": 7}
    assert (found["has_stdin"], found["working_directory"]) == (True, "/srv")
    (without,) = context([])
    assert "namespace" not in without
    assert without["has_stdin"] is False


# --- who ---


def test_without_options_a_program_runs_as_we_do():
    assert (NOBODY.uid, NOBODY.gid, NOBODY.changes) == (os.getuid(), os.getgid(), False)


def test_a_user_brings_its_own_groups():
    daemon = pwd.getpwnam("daemon")
    found = identity("daemon", None)
    assert (found.user, found.uid, found.gid) == ("daemon", daemon.pw_uid, daemon.pw_gid)
    assert found.group == grp.getgrgid(daemon.pw_gid).gr_name
    assert set(found.groups) == set(os.getgrouplist("daemon", daemon.pw_gid))
    assert found.changes


def test_a_group_is_the_only_one():
    nogroup = grp.getgrnam("nogroup").gr_gid
    assert identity("daemon", "nogroup").groups == (nogroup,)
    assert identity(None, "nogroup").groups == (nogroup,)
    assert identity(None, "nogroup").uid == os.getuid()


def test_ourselves_by_name_is_no_change():
    entry = pwd.getpwuid(os.getuid())
    if set(os.getgrouplist(entry.pw_name, entry.pw_gid)) - {entry.pw_gid} != set(os.getgroups()) - {os.getgid()}:
        pytest.skip("these tests run with other groups than their user has")
    assert not identity(entry.pw_name, None).changes


@pytest.mark.parametrize(
    ("user", "group", "text"),
    [
        ("nosuchuser", None, "user mapping found for uid: nosuchuser"),
        (None, "nosuchgroup", "group mapping found for gid"),
    ],
)
def test_a_name_that_nobody_has_is_refused(user, group, text):
    with pytest.raises(OperationError, match=text) as refused:
        identity(user, group)
    assert refused.value.kind == "IdentityResolutionError"


def test_a_name_with_a_null_byte_is_nobodys():
    with pytest.raises(OperationError):
        identity("root\0x", None)


def test_a_group_without_a_name_is_its_number():
    assert invocation.group_name(4_000_000_000) == "4000000000"


def test_a_place_that_is_gone_is_the_root(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    assert invocation.current_directory() == str(gone)
    gone.rmdir()
    assert invocation.current_directory() == "/"
