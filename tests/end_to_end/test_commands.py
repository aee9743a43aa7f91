"""The commands beside `run`: check, functions, eval, audit, doctor, and their help."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from trex.catalogue.interface import interface
from trex.sdk import load

COMMANDS = ["run", "check", "compile", "functions", "eval", "audit", "doctor"]


# --- check ---


def test_check_finds_nothing_wrong_with_a_good_script_and_policy(trex):
    trex.write("s.rhai", f'write([write::replace], `{trex.files}/${{name}}`, "x"); cat("{trex.files}/x")')
    trex.write("p.cedar", trex.permit())
    result = trex.command("check", "s.rhai", "-p", "p.cedar", "--arg", "name")
    assert (result.status, result.stdout) == (0, "no problems found\n")
    assert list(trex.files.iterdir()) == []


def test_check_runs_nothing_of_a_script(trex):
    trex.write("s.rhai", "loop { }")
    assert trex.command("check", "s.rhai").status == 0


def test_check_tells_every_problem_of_a_policy_with_place_and_suggestion(trex):
    policy = 'permit (principal, action == file_system::Action::"raed", resource);\nforbid (principal, action == file_system::Action::"opne", resource);'
    trex.write("p.cedar", policy)
    result = trex.command("check", "-p", "p.cedar", "--json")
    problems = json.loads(result.stdout)["problems"]
    assert (result.status, len(problems)) == (1, 2)
    assert [(each["part"], each["line"]) for each in problems] == [("policy", 1), ("policy", 2)]
    assert "read" in problems[0]["message"]
    assert "open" in problems[1]["message"]
    assert "opne" in problems[1]["excerpt"]


def test_check_shows_the_line_of_a_script_that_does_not_parse(trex):
    trex.write("s.rhai", "let a = 1;\nlet b = ;\n")
    result = trex.command("check", "s.rhai")
    assert result.status == 1
    assert result.stdout.startswith("s.rhai:2:9: ")
    assert "let b = ;" in result.stdout


def test_check_knows_only_the_arguments_that_are_named(trex):
    trex.write("s.rhai", "directory")
    assert trex.command("check", "s.rhai").status == 1
    assert trex.command("check", "s.rhai", "--arg", "directory").status == 0
    assert trex.command("check", "s.rhai", "--arg", "directory=/tmp").status == 0


def test_check_names_the_module_that_does_not_parse(trex):
    trex.write("s.rhai", 'import "m" as m; m::f(1)')
    trex.write("m.rhai", "fn f(x) {\n  x + ;\n}")
    result = trex.command("check", "s.rhai", "--module", "m=m.rhai")
    assert result.status == 1
    assert result.stdout.startswith("m.rhai:2:7: Syntax error: Unexpected ';'")
    assert "x + ;" in result.stdout


def test_check_says_when_it_cannot_read(trex):
    result = trex.command("check", "none.rhai")
    assert (result.status, result.stdout) == (5, "")
    assert result.stderr == "trex: none.rhai: the script cannot be read: No such file or directory (ENOENT)\n"


def test_check_without_anything_to_check_is_a_usage_error(trex):
    assert trex.command("check").status == 2


# --- functions ---


def test_functions_lists_every_operation_and_every_function_of_the_worker(trex):
    listed = json.loads(trex.command("functions", "--json").stdout)
    assert {each["operation"] for each in listed} == {*load().operations, *load().local_functions}
    assert all(each["doc"] and each["example"] and (each["permissions"] or each["no_permission"]) for each in listed)


def test_functions_says_what_one_needs_from_the_policy(trex):
    result = trex.command("functions", "cat")
    assert result.status == 0
    assert "cat(file: string) -> string" in result.stdout
    assert 'file_system::Action::"read" on File' in result.stdout


def test_functions_lists_the_flags_of_a_command(trex):
    assert "  grep::count, grep::c  give only" in trex.command("functions", "grep").stdout
    assert "  glob::recursive, glob::r  also in" in trex.command("functions", "find_files").stdout


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("OpenFileOptions", "  .read(bool)  for reading; default false"),
        ("MetricBuilder", "  MetricBuilder().name(VALUE).publish()"),
        ("Metadata", "  .file_size(): int  bytes of content"),
        ("EntryType", "  EntryType::FILE  a regular file"),
        ("DirEntry", "  metadata, open_as_dir, open_as_file"),
    ],
)
def test_functions_describes_a_type(trex, name, line):
    result = trex.command("functions", name)
    assert (result.status, line in result.stdout.splitlines()) == (0, True)


def test_functions_names_every_type_that_it_describes(trex):
    shown = trex.command("functions").stdout.rpartition("types\n")[2].partition("\n\n")[0]
    names = [name.strip() for name in shown.replace("\n", " ").split(",")]
    assert {"DirConfig", "File", "WordCount"} <= {*names}
    types = interface(load())
    known = {each.name for each in (*types.builders, *types.types, *types.modules)}
    assert known - {*names} == {each.name for each in types.modules if each.name[0].islower()}


def test_functions_says_that_the_language_has_more(trex):
    assert "but for the language's own" in trex.command("functions", "to_json").stderr


def test_functions_suggests_what_was_meant(trex):
    result = trex.command("functions", "grpe")
    assert result.status == 2
    assert "Did you mean 'grep'?" in result.stderr


# --- eval ---


def test_eval_prints_the_value_of_a_script(trex):
    result = trex.command("eval", "-", input=b"[1, 2, 3].map(|x| x * x)")
    assert (result.status, result.stdout) == (0, "[1, 4, 9]\n")


def test_eval_prints_what_the_script_prints_first(trex):
    assert trex.command("eval", "-", input=b'print("a"); print("b"); 1').stdout == "a\nb\n1\n"


def test_eval_shows_an_error_with_its_line(trex):
    result = trex.command("eval", "-", input=b"let x = 1;\nx.nope()")
    assert (result.status, result.stdout) == (1, "")
    assert "Function not found: nope (i64)" in result.stderr


def test_eval_takes_the_script_from_a_file_or_from_the_command_line(trex):
    trex.write("s.rhai", "40 + 2")
    assert trex.command("eval", "s.rhai").stdout == "42\n"
    assert trex.command("eval", "-e", "40 + 3").stdout == "43\n"


def test_eval_of_a_file_that_is_not_there_says_how_to_give_a_script(trex):
    result = trex.command("eval", "40 + 2")
    assert (result.status, result.stdout) == (5, "")
    assert result.stderr == (
        "trex: 40 + 2: the script cannot be read: No such file or directory (ENOENT) (a script itself is given with -e)\n"
    )


@pytest.mark.parametrize("flags", [(), ("-", "-e", "1"), ("-e", "1", "--json-lines"), ("--json-lines", "--json")])
def test_eval_takes_one_kind_of_input(trex, flags):
    assert trex.command("eval", *flags).status == 2


def test_eval_prints_nothing_for_unit(trex):
    assert trex.command("eval", "-e", "let x = 1;").stdout == ""


def test_eval_gives_json_with_the_value_its_text_and_what_was_printed(trex):
    result = trex.command("eval", "--json", "-e", 'print("a"); #{x: [1, 2.5, "c", (), true]}')
    assert result.status == 0
    assert json.loads(result.stdout) == {
        "ok": True,
        "value": {"x": [1, 2.5, "c", None, True]},
        "text": '#{"x": [1, 2.5, "c", (), true]}',
        "printed": ["a"],
    }


def test_eval_gives_json_without_a_value_that_has_no_form_there(trex):
    assert json.loads(trex.command("eval", "--json", "-e", "|x| x").stdout).keys() == {"ok", "text", "printed"}


def test_eval_gives_json_of_an_error_with_its_place(trex):
    result = trex.command("eval", "--json", "-e", 'print("a");\nlet count = 1;\nconut + 1')
    assert result.status == 1
    answer = json.loads(result.stdout)
    assert (answer["ok"], answer["error"]["kind"], answer["error"]["line"]) == (False, "ErrorParsing", 3)
    assert answer["error"]["excerpt"].endswith("^\ndid you mean 'count'?")
    result = trex.command("eval", "--json", "--max-time", "500ms", "-e", "loop { }")
    assert (result.status, json.loads(result.stdout)["error"]["code"]) == (4, "limit_exceeded")


def test_eval_of_a_person_has_strict_variables_and_no_eval(trex):
    assert "Undefined variable: x" in trex.command("eval", "-e", "x").stderr
    assert "reserved keyword 'eval' is disabled" in trex.command("eval", "-e", 'eval("1")').stderr


def test_eval_of_a_machine_follows_its_request(trex):
    found = answers(
        trex,
        {"script": 'eval("40 + 2")'},
        {"script": "x + 1", "scope": {"x": {"t": "int", "v": 4}}},
        {"script": "fn f(a) { a * 2 }", "call": {"fn": "f", "args": [{"t": "int", "v": 4}]}},
        {"script": "1 +", "api": "compile"},
        {"script": "let a = 1; a", "options": {"strict_variables": True, "disabled_symbols": ["let"]}},
        {"script": "loop { }", "limits": {"max_operations": 1000}},
        {"script": "2 * 3", "api": "expression", "more": "ignored"},
        {"script": "1 + 1", "bench": 2},
    )
    assert [each.get("value", {}).get("v") for each in found] == [42, 5, 8, None, None, None, 6, 2]
    kinds = [each["error"]["kind"] for each in found if not each["ok"]]
    assert kinds == ["ErrorParsing", "ErrorParsing", "ErrorTooManyOperations"]
    assert len(found[-1]["run_ms"]) == 2


def test_eval_has_no_operations(trex):
    result = trex.command("eval", "-", input=b'cat("/etc/hostname")')
    assert result.status == 1
    assert "Function not found: cat" in result.stderr


def test_eval_ends_at_its_limits(trex):
    assert trex.command("eval", "-", "--max-time", "500ms", input=b"loop { }").status == 4


def answers(trex, *requests, flags=()):
    lines = b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in requests)
    result = trex.command("eval", "--json-lines", *flags, input=lines)
    assert result.status == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_eval_answers_each_line_with_one_line_in_order(trex):
    found = answers(trex, {"script": "40 + 2"}, {"script": "throw 1"}, {"script": 'print("a"); "x"'})
    assert found[0] == {"ok": True, "value": {"t": "int", "v": 42}, "printed": []}
    assert (found[1]["ok"], found[1]["error"]["kind"], found[1]["error"]["thrown"]) == (
        False,
        "ErrorRuntime",
        {"t": "int", "v": 1},
    )
    assert found[2] == {"ok": True, "value": {"t": "string", "v": "x"}, "printed": ["a"]}


def test_no_program_ends_the_eval_command(trex):
    bomb = {"script": "let a = []; loop { a.push([1, 2, 3, 4, 5, 6]) }"}
    forever = {"script": "loop { }"}
    found = answers(
        trex, bomb, forever, b"not json", b"[]", {"script": "1"}, flags=["--max-memory", "32M", "--max-time", "3s"]
    )
    assert [each["ok"] for each in found] == [False, False, False, False, True]


def test_eval_shows_a_value_as_the_outcome_of_a_run_does(trex):
    assert json.loads(trex.command("eval", "--json", "-e", "[1.0 / 0.0, ()]").stdout)["value"] == ["inf", None]


@pytest.mark.parametrize("flag", ["--max-call-levels", "--max-string-size", "--max-script"])
def test_a_limit_that_requests_carry_is_no_flag_beside_them(trex, flag):
    result = trex.command("eval", "--json-lines", flag, "5", input=b'{"script": "1"}\n')
    assert (result.status, result.stdout) == (2, "")
    assert f"{flag} has no effect with --json-lines" in result.stderr


def test_a_program_leaves_nothing_for_the_next(trex):
    found = answers(trex, {"script": "let x = 1; fn f() { 2 } x"}, {"script": "f()"}, {"script": "x"})
    assert [each["ok"] for each in found] == [True, False, False]


def test_an_answer_comes_as_soon_as_its_program_ends(trex):
    process = subprocess.Popen([*trex.program, "eval", "--json-lines"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for number in range(3):
        process.stdin.write(json.dumps({"script": f"{number} + 1"}).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["value"]["v"] == number + 1
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    process.stdout.close()


# --- doctor ---


def test_doctor_reports_the_kernel_and_a_locked_worker(trex):
    result = trex.command("doctor", "--json")
    report = json.loads(result.stdout)
    assert result.status == (0 if report["worker"]["locked"] else 5)
    assert {"landlock", "seccomp"} <= {row["layer"] for row in report["kernel"]}


def test_doctor_speaks_to_people(trex):
    result = trex.command("doctor")
    assert "seccomp" in result.stdout


# --- all of them ---


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_ends_in_examples(trex, command):
    result = trex.command(command, "--help")
    assert result.status == 0
    assert f"Usage: trex {command}" in result.stdout
    assert f"trex {command}" in result.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("command", ["check", "compile", "eval"])
def test_a_command_that_runs_nothing_on_the_host_takes_no_limits_of_that(trex, command):
    shown = trex.command(command, "--help").stdout.partition("Limits:")[2]
    assert "--max-time" in shown
    assert "--max-string-size" in shown
    assert "--max-write" not in shown
    result = trex.command(command, "-", "--max-write", "1", input=b"1")
    assert (result.status, "No such option '--max-write'" in result.stderr) == (2, True)


def test_the_program_lists_its_commands_and_version(trex):
    shown = trex.command("--help").stdout
    assert all(f"  {command} " in shown for command in COMMANDS)
    assert trex.command("--version").stdout.startswith("trex ")


def test_shell_completion_completes_commands(trex):
    words = {**os.environ, "_TREX_COMPLETE": "bash_complete", "COMP_WORDS": "trex che", "COMP_CWORD": "1"}
    assert "check" in trex.command(env=words).stdout
