"""Bad input: one clear sentence, a place where there is one, an exit status, and nothing run."""

from __future__ import annotations

import os

import pytest

GOOD = "permit (principal, action, resource);"


@pytest.mark.parametrize(
    "flags,sentence",
    [
        (
            ["none.rhai", "-p", "policy.cedar"],
            "none.rhai: the script cannot be read: No such file or directory (ENOENT)",
        ),
        (
            ["script.rhai", "-p", "none.cedar"],
            "none.cedar: the policy cannot be read: No such file or directory (ENOENT)",
        ),
        (
            ["script.rhai", "-p", "policy.cedar", "-a", "none.json"],
            "none.json: the arguments cannot be read: No such file",
        ),
        (["files", "-p", "policy.cedar"], "files: the script cannot be read: it is a directory"),
        (["script.rhai", "-p", "/dev/zero"], "/dev/zero: the policy cannot be read: it is neither a file nor a pipe"),
        (["binary", "-p", "policy.cedar"], "binary: the script is not UTF-8 text: byte 0xff at offset 3, line 2"),
        (["script.rhai", "-p", "binary"], "binary: the policy is not UTF-8 text: byte 0xff at offset 3, line 2"),
        (["script.rhai", "-p", "policy.cedar", "-a", "binary"], "binary: the arguments file is not UTF-8 text"),
        (["script.rhai", "-p", "policy.cedar", "--max-script", "3"], "script.rhai: the script is larger than 3 bytes"),
        (["script.rhai", "-p", "policy.cedar", "--max-policy", "3"], "policy.cedar: the policy is larger than 3 bytes"),
        (["script.rhai", "-p", "policy.cedar", "--module", "m=none"], "none: the module cannot be read: No such file"),
    ],
)
def test_an_input_that_cannot_be_read_is_named(trex, flags, sentence):
    trex.write("script.rhai", "40 + 2")
    trex.write("policy.cedar", GOOD)
    trex.write("binary", b"a\nb\xff")
    result = trex.command("run", *flags)
    assert (result.status, result.code) == (5, "input_unreadable")
    assert result.document["error"]["error_type"] == "COMMUNICATION_EXCEPTION"
    assert result.message.startswith(sentence)
    assert "\n" not in result.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named(trex):
    trex.write("secret.rhai", "1").chmod(0)
    trex.write("policy.cedar", GOOD)
    assert "EACCES" in trex.command("run", "secret.rhai", "-p", "policy.cedar").message


@pytest.mark.parametrize(
    "text,sentence",
    [
        ("not json", "arguments.json:1:1: not valid JSON"),
        ("[]", "the top level must be an object"),
        ('{"x": {"stringValue": 3}}', "x: stringValue cannot hold a number"),
        ('{"x": {"integerValue": 9999999999}}', "out of the range of integerValue"),
        ('{"x": {"stringValue": "a"}, "x": {"stringValue": "b"}}', "the name 'x' stands twice"),
        ('{"while": {"stringValue": "a"}}', "'while' is a keyword"),
        ('{"eval": {"stringValue": "a"}}', "'eval' is a reserved word"),
        ('{"no-name": {"stringValue": "a"}}', "cannot be used by a script"),
    ],
)
def test_bad_arguments_are_refused_before_anything_starts(trex, text, sentence):
    trex.write("arguments.json", text)
    result = trex.run("1", "-a", "arguments.json")
    assert (result.status, result.code) == (5, "arguments_invalid")
    assert sentence in result.message


def test_arguments_nested_too_deeply_raise_the_alarm_for_it(trex):
    trex.write("arguments.json", '{"x": ' + '{"listValue": [' * 40 + "]}" * 40 + "}")
    result = trex.run("1", "-a", "arguments.json")
    assert (result.status, result.code) == (5, "arguments_too_deep")
    assert result.document["error"]["error_type"] == "VALIDATION_EXCEPTION"
    assert [alarm["alarm_type"] for alarm in result.document["alarms"]] == ["RexRunnerScriptArgumentValidationFailure"]


@pytest.mark.parametrize(
    "policy,words",
    [
        ("permit (principal, action, resource)", ["policy.cedar"]),
        ("permit (principal, action, resource;", ["policy.cedar", "1"]),
        ('permit (principal, action == file_system::Action::"raed", resource);', ["raed", "read"]),
        ("permit (principal, action, resource is file_sytem::File);", ["file_sytem", "file_system"]),
        (
            'permit (principal, action == file_system::Action::"read", resource) when { resource.pth == "x" };',
            ["pth", "path"],
        ),
        (
            'permit (principal, action == file_system::Action::"read", resource) when { resource.path == 3 };',
            ["policy.cedar"],
        ),
        ("permit (principal == ?principal, action, resource);", ["template"]),
    ],
)
def test_a_bad_policy_is_refused_with_place_and_suggestion(trex, policy, words):
    result = trex.run(f'touch("{trex.files}/x")', policy=policy)
    assert (result.status, result.code) == (5, "policy_invalid")
    for word in words:
        assert word in result.message
    assert list(trex.files.iterdir()) == []


@pytest.mark.parametrize(
    "script,line,position",
    [
        ("let x = ;", 1, 9),
        ("1 +\n\n* 2", 3, 1),
        ('let s = "open', 1, 9),
        ("nope", 1, 1),
        ("fn f() { missing } f()", 1, 10),
        ('eval("1")', 1, 1),
    ],
)
def test_a_script_that_does_not_parse_has_line_position_and_excerpt(trex, script, line, position):
    result = trex.run(script)
    error = result.document["error"]
    assert (result.status, error["code"]) == (1, "script_invalid")
    assert (error["line"], error["position"]) == (line, position)
    assert script.split("\n")[line - 1] in error["excerpt"]


@pytest.mark.parametrize(
    "flags,sentence",
    [
        (["--nonsense"], "No such option"),
        (["--policy"], "requires an argument"),
        ([], "no policy"),
        (["-p", "p", "-p", "q"], "is given 2 times"),
        (["-p", "p", "-s", "other"], "the script is given twice"),
        (["-p", "p", "extra"], "unexpected extra argument"),
        (["-p", "p", "-o", "JSON"], "'JSON' is not one of"),
        (["-p", "p", "--max-time", "soon"], "'soon' is not a time above 0"),
        (["-p", "p", "--max-time", "٣s"], "is not a time above 0"),
        (["-p", "p", "--max-memory", "-5"], "is not a number of bytes"),
        (["-p", "p", "--arg", "x"], "'x' is not of the form NAME=TEXT or NAME:=JSON"),
        (["-p", "p", "--module", "m"], "'m' is not of the form NAME=FILE"),
        (["-p", "p", "--isolation", "weak"], "neither strict nor degraded"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(trex, flags, sentence):
    result = trex.command("run", "script.rhai", *flags)
    assert result.status == 2
    assert result.stdout == ""
    assert sentence in result.stderr


def test_an_unknown_command_gets_a_suggestion(trex):
    result = trex.command("rnu")
    assert result.status == 2
    assert "Did you mean 'run'?" in result.stderr


@pytest.mark.parametrize("form", ["json", "pretty-json"])
def test_an_early_failure_is_a_document_of_the_same_shape_in_the_chosen_format(trex, form):
    early = trex.command("run", "none.rhai", "-p", "policy.cedar", "-o", form)
    late = trex.run("throw 1", "-o", form)
    required = {"output", "status", "error", "metrics", "logs", "run", "decisions"}
    assert required <= set(early.document)
    assert required <= set(late.document)
    assert (early.stdout.count("\n") > 1) == (form == "pretty-json")


def test_an_early_failure_is_a_sentence_for_a_person(trex):
    result = trex.command("run", "none.rhai", "-p", "policy.cedar", "-o", "human")
    assert (result.status, result.stdout) == (5, "")
    assert result.stderr == "error: none.rhai: the script cannot be read: No such file or directory (ENOENT)\n"
