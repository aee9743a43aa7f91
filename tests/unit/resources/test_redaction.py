"""What is shown of a file that may only be read redacted."""

from __future__ import annotations

import os

import pytest

from support.host import Broker, Failure, Spent, flag, made
from trex.resources.redaction import MAX_SIZE, Dictionary, expression_of
from trex.settings import Settings

REDACTED = (
    'permit (principal, action in [file_system::Action::"open", file_system::Action::"redacted_read"], resource);'
)


def dictionary(tmp_path, text: str) -> Dictionary:
    (tmp_path / "dictionary").write_text(text)
    return Dictionary(str(tmp_path / "dictionary"))


def shown(tmp_path, formats: str, line: str) -> bool:
    """Whether a line is shown as it is."""
    made_ = dictionary(tmp_path, formats)
    made_.load()
    text = made_.shown(line.encode() + b"\n", Spent()).decode()
    assert text in (line + "\n", "[REDACTED]\n")
    return text == line + "\n"


@pytest.mark.parametrize(
    "format, line, is_shown",
    [
        ("job %d done", "job 12 done", True),
        ("job %d done", "job -12 done", True),
        ("job %d done", "job x done", False),
        ("job %u done", "job -12 done", False),
        ("job %5.2d done", "job 12 done", True),
        ("job %ld of %zu", "job 1 of 2", True),
        ("user %s", "user ann", True),
        ("user %s", "user ann lee", False),
        ("user %s", "user ", False),
        ("message %m", "message with anything, or 1", True),
        ("message %m", "message ", True),
        ("message %m end", "message the end", True),
        ("ends in %", "ends in ", True),
        # W-R1: no part of a line makes all of it visible, and no character means another one.
        ("ok", "ok", True),
        ("ok", "secret ok", False),
        ("ok", "ok secret", False),
        ("a.c", "abc", False),
        ("a.c", "a.c", True),
        ("(x|y)*[z]", "(x|y)*[z]", True),
        ("(x|y)*[z]", "xz", False),
        ("\\d+ ^$", "\\d+ ^$", True),
        ("ä ö %s", "ä ö ü", True),
        # What is not known says nothing.
        ("%x", "1", False),
        ("100%% of %d", "100% of 1", False),
        ("# comment", "# comment", False),
        ("", "", False),
        ("   padded %d   ", "padded 1", True),
    ],
)
def test_a_line_is_shown_if_a_format_is_all_of_it(tmp_path, format, line, is_shown):
    assert shown(tmp_path, format + "\n", line) is is_shown


def test_any_of_many_formats_shows_a_line(tmp_path):
    formats = "".join(f"event {number} at %d\n" for number in range(5000))
    assert shown(tmp_path, formats, "event 4321 at 5")
    assert not shown(tmp_path, formats, "event 5000 at 5")


def test_an_empty_dictionary_shows_nothing(tmp_path):
    assert not shown(tmp_path, "# nothing\n\n", "x")


def test_ends_of_lines_are_not_part_of_what_is_shown(tmp_path):
    made_ = dictionary(tmp_path, "job %d\n")
    made_.load()
    assert made_.shown(b"job 1\r\nx\r\njob 2", Spent()) == b"job 1\n[REDACTED]\njob 2\n"


def test_formats_of_unknown_letters_are_passed_over():
    for line in ("", "  ", "#x", "%i", "%f", "%%", "%hd"):
        assert expression_of(line) is None


# --- where the dictionary comes from ---


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "log").write_text("job 1 done\nsecret\n")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "dictionary").write_text("job %d done\n")
    return tmp_path


def broker(tree, policy: str = REDACTED, name: str = "conf/dictionary") -> Broker:
    return Broker(policy, settings=Settings(redaction=str(tree / name)))


def failed(made_: Broker, operation: str, *arguments: object) -> Failure:
    with pytest.raises(Failure) as caught:
        made_.call(operation, *arguments)
    return caught.value


def test_no_policy_is_asked_about_the_dictionary(tree):
    """It is the operator's: a script that may read redacted needs no permit on it, and gets none."""
    policy = f"""
        {REDACTED}
        forbid (principal, action, resource in file_system::Dir::"{tree}/conf");
    """
    made_ = broker(tree, policy)
    assert made_.call("files.cat", [], f"{tree}/log") == "job 1 done\n[REDACTED]"
    assert made_.asked == [
        f"open Dir {tree}",
        f"open File {tree}/log",
        f"read File {tree}/log denied",
        f"redacted_read File {tree}/log",
    ]


def test_where_neither_is_permitted_the_denial_is_that_of_read(tree):
    failure = failed(
        broker(tree, 'permit (principal, action == file_system::Action::"open", resource);'),
        "files.cat",
        [],
        f"{tree}/log",
    )
    assert 'file_system::Action::"read"' in failure.message


def test_where_both_are_permitted_all_is_shown(tree):
    made_ = broker(tree, "permit (principal, action, resource);", "none")
    assert made_.call("files.cat", [], f"{tree}/log") == "job 1 done\nsecret\n"


@pytest.mark.parametrize("name", ["conf/dictionary", "conf/../conf/dictionary", "other/dictionary", "conf/hard"])
def test_the_dictionary_is_not_shown_by_itself_whatever_its_name(tree, name):
    """W-R2: it is told by what it is, not by what it is called."""
    (tree / "other").symlink_to("conf")
    os.link(tree / "conf" / "dictionary", tree / "conf" / "hard")
    made_ = broker(tree, name=name)
    for path in ("conf/dictionary", "other/dictionary", "conf/hard"):
        assert failed(made_, "files.cat", [], f"{tree}/{path}").kind == "UnsupportedOperationError"
    file = made_.file(made_.directory(tree / "conf"), "dictionary", read=True)
    assert failed(made_, "files.read", file).kind == "UnsupportedOperationError"
    assert failed(made_, "files.search", file, "job").kind == "UnsupportedOperationError"


def test_a_dictionary_is_read_once_for_a_run(tree):
    made_ = broker(tree)
    made_.call("files.cat", [], f"{tree}/log")
    (tree / "conf" / "dictionary").write_text("secret\n")
    assert made_.call("files.cat", [], f"{tree}/log") == "job 1 done\n[REDACTED]"


def unusable(tree, name: str = "conf/dictionary") -> str:
    failure = failed(broker(tree, name=name), "files.cat", [], f"{tree}/log")
    assert failure.denial is None
    assert "secret" not in failure.message
    return f"{failure.kind}: {failure.message}"


def test_a_missing_dictionary_shows_nothing(tree):
    assert unusable(tree, "conf/none") == (
        "FileError: File error: Failed to open redaction dictionary file: "
        f"No such file or directory (os error 2): {tree}/conf/none"
    )
    assert unusable(tree, "none/none").startswith(
        "DirectoryError: Directory error: Failed to open redaction dictionary directory: "
    )


def test_a_dictionary_that_others_may_write_is_not_used(tree):
    """Whoever can write it decides what is secret."""
    os.chmod(tree / "conf" / "dictionary", 0o666)
    assert "may write it" in unusable(tree)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_dictionary_of_somebody_else_is_not_used(tree):
    os.chown(tree / "conf" / "dictionary", 12345, 0)
    assert "may write it" in unusable(tree)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_dictionary_that_another_group_may_write_is_not_used(tree):
    os.chown(tree / "conf" / "dictionary", 0, 12345)
    os.chmod(tree / "conf" / "dictionary", 0o664)
    assert "may write it" in unusable(tree)
    os.chmod(tree / "conf" / "dictionary", 0o644)
    assert broker(tree).call("files.cat", [], f"{tree}/log") == "job 1 done\n[REDACTED]"


def test_a_dictionary_that_is_no_file_of_text_is_not_used(tree):
    os.mkfifo(tree / "conf" / "fifo")
    assert "no regular file" in unusable(tree, "conf/fifo")
    assert "no regular file" in unusable(tree, "conf")
    (tree / "conf" / "dictionary").write_bytes(b"\xff")
    assert "UTF-8" in unusable(tree)
    (tree / "conf" / "dictionary").write_bytes(b"x" * (MAX_SIZE + 1))
    assert "larger than" in unusable(tree)


# --- what is hidden cannot be asked about ---


@pytest.mark.parametrize("pattern", ["secret", "^s", "^.{6}$", "^[^j]+$", "t$", "(?i)SECRET"])
def test_a_search_finds_only_what_is_shown(tree, pattern):
    """W-R1: the number of a hidden line that matches tells what it says, one question at a time."""
    (tree / "other").write_text("job 1 done\npublic\n")
    made_ = broker(tree)
    directory = made_.directory(tree)
    answers = []
    for name in ("log", "other"):
        file = made_.file(directory, name, read=True)
        found = [match.fields for match in made_.call("files.search", file, pattern)]
        answers.append(
            (
                found,
                made_.call("files.grep", [flag("grep", "n")], pattern, f"{tree}/{name}"),
                made_.call("files.grep", [flag("grep", "c"), flag("grep", "v")], pattern, f"{tree}/{name}"),
                made_.call("files.sed", [flag("sed", "regex")], pattern, "x", f"{tree}/{name}"),
                made_.call("files.awk_filter", pattern, f"{tree}/{name}"),
                made_.call("files.awk_count_unique", 1, " ", f"{tree}/{name}"),
            )
        )
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "operation, arguments",
    [
        ("files.tail", [[], "{log}"]),
        ("files.wc", [[], "{log}"]),
        ("files.cp", [[], "{log}", "{log}2"]),
        ("files.sed", [[flag("sed", "i")], "x", "y", "{log}"]),
    ],
)
def test_what_would_tell_more_takes_read(tree, operation, arguments):
    policy = f'{REDACTED} permit (principal, action in [file_system::Action::"write", file_system::Action::"create"], resource);'
    given = [each.replace("{log}", f"{tree}/log") if type(each) is str else each for each in arguments]
    assert failed(broker(tree, policy), operation, *given).kind == "PermissionDenied"


@pytest.mark.parametrize("operation", ["read_page", "counts", "extract_strings", "read_lines"])
def test_what_would_tell_more_of_an_open_file_takes_read(tree, operation):
    made_ = broker(tree)
    file = made_.file(made_.directory(tree), "log", read=True)
    options = {
        "read_page": [made("ReadPageOptions", num_lines=1)],
        "read_lines": [made("ReadLinesOptions", count=1)],
    }
    assert failed(made_, f"files.{operation}", file, *options.get(operation, [])).kind == "PermissionDenied"


def test_a_file_that_was_redacted_is_appended_to_as_it_is(tree):
    """W-D2: the old lines stay what they were."""
    policy = f'{REDACTED} permit (principal, action in [file_system::Action::"write", file_system::Action::"create"], resource);'
    broker(tree, policy).call("files.write", [], f"{tree}/log", "more\n")
    assert (tree / "log").read_text() == "job 1 done\nsecret\nmore\n"
