"""`trex compile`: what a script becomes, without running it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

SCRIPT = """\
fn area(shape, factor) { shape.w * shape.h * factor }
fn twice(n) { n + n }
let add = |x| x + 1;
add.call(twice(area(#{w: 2, h: 3}, 4)))
"""
ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/guides/compiled-code.md"


def compile(trex, script, *flags):
    trex.write("s.rhai", script)
    return trex.command("compile", "s.rhai", *flags)


def test_it_says_how_large_a_script_is_and_how_long_each_step_takes(trex):
    result = compile(trex, SCRIPT)
    assert result.status == 0
    assert result.stdout.startswith("no problems found\n")
    assert re.search(r"^script +4 lines, 137 bytes, \d+ tokens$", result.stdout, re.MULTILINE)
    assert re.search(r"^code +\d+ bytes, functions: 2, closures: 1$", result.stdout, re.MULTILINE)
    assert re.search(
        r"^times +lex [\d.]+ ms, parse [\d.]+ ms, lower [\d.]+ ms, compile [\d.]+ ms$", result.stdout, re.MULTILINE
    )


def test_json_has_the_same_for_machines(trex):
    report = json.loads(compile(trex, SCRIPT, "--json").stdout)
    assert (report["ok"], report["problems"], report["lines"], report["bytes"]) == (True, [], 4, 137)
    assert list(report["milliseconds"]) == ["lex", "parse", "lower", "compile"]
    assert [each["signature"] for each in report["functions"]] == [
        "fn area(shape, factor)",
        "fn twice(n)",
        "|x|",
        "the program",
    ]
    assert not any("text" in each for each in report["functions"])


def test_show_prints_python_with_what_is_known_of_variables(trex):
    result = compile(trex, SCRIPT, "--show")
    assert result.status == 0
    names = [node.name for node in ast.parse(result.stdout).body if isinstance(node, ast.FunctionDef)]
    assert names == ["f_area_1", "f_twice_1", "closure_1", "main_1"]
    assert "#   factor_1: int 4  (parameter)\n" in result.stdout
    assert "# 4: add.call(twice(area(#{w: 2, h: 3}, 4)))\n" in result.stdout


def test_the_header_says_what_the_names_mean(trex):
    header = compile(trex, SCRIPT, "--show").stdout.partition("\n\n")[0]
    assert header.startswith("# Lowered form of s.rhai")
    assert re.search(r"^#   add +`x \+ y`$", header, re.MULTILINE)


def test_every_helper_that_the_golden_programs_use_is_explained(trex):
    for path in sorted((Path(__file__).parents[1] / "golden").glob("*.rhai")):
        names = json.loads(compile(trex, path.read_text(), "--show", "--json").stdout)["names"]
        assert [name for name, meaning in names.items() if not meaning] == []


def test_one_function_can_be_shown_by_either_of_its_names(trex):
    by_name = compile(trex, SCRIPT, "--function", "twice").stdout
    assert by_name.startswith("# fn twice(n) -> int 48, line 2\n#   n_1: int 24  (parameter)\n")
    assert by_name.count("def ") == 1
    assert compile(trex, SCRIPT, "--function", "f_twice_1").stdout == by_name


def test_an_unknown_function_gets_a_suggestion(trex):
    result = compile(trex, SCRIPT, "--function", "twise")
    assert (result.status, result.stdout) == (2, "")
    assert "no function 'twise'. Did you mean 'twice'?" in result.stderr


def test_a_script_comes_from_standard_input(trex):
    result = trex.command("compile", "-", "--show", input=b"40 + 2")
    assert (result.status, result.stdout[:34]) == (0, "# Lowered form of (standard input)")


def test_nothing_of_the_script_runs(trex):
    assert compile(trex, "loop { }").status == 0


@pytest.mark.parametrize(
    "script", ["let b = ;", "nowhere + 1", "let a = 1; a.b.c(", "\0", '"' + "x" * 100, "let x = 1 +"]
)
def test_what_is_wrong_is_said_as_check_says_it(trex, script):
    compiled, checked = compile(trex, script), trex.command("check", "s.rhai")
    assert (compiled.status, compiled.stdout, compiled.stderr) == (checked.status, checked.stdout, checked.stderr)
    assert compiled.status == 1
    assert json.loads(compile(trex, script, "--json").stdout) == json.loads(
        trex.command("check", "s.rhai", "--json").stdout
    )


def test_what_cannot_be_read_is_said_as_check_says_it(trex):
    result = trex.command("compile", "none.rhai")
    assert (result.status, result.stdout) == (5, "")
    assert result.stderr == "trex: none.rhai: the script cannot be read: No such file or directory (ENOENT)\n"


def test_the_arguments_are_those_that_are_named(trex):
    assert compile(trex, "directory").status == 1
    result = compile(trex, "directory", "--arg", "directory=/tmp", "--show")
    assert (result.status, "scope['directory']" in result.stdout) == (0, True)


def test_limits_are_part_of_the_code(trex):
    assert "STEPS" not in compile(trex, SCRIPT, "--show").stdout
    assert "STEPS" in compile(trex, SCRIPT, "--show", "--max-steps", "1000").stdout


def test_operations_of_the_host_are_part_of_the_code(trex):
    assert "n_cat_1" in compile(trex, 'cat("/etc/hosts")', "--show").stdout


def test_code_too_deep_for_the_compiler_is_a_finding(trex):
    script = "".join(f"for i{n} in 0..2 {{ " for n in range(25)) + "}" * 25
    result = compile(trex, script)
    assert result.status == 1
    assert "Expression exceeds maximum complexity" in result.stdout


def test_a_terminal_is_sent_no_control_characters_of_a_script(trex):
    result = compile(trex, 'let a = "\x1b[31m\u202e"; // \x1b]0;title\x07\nthrow a', "--show")
    assert result.status == 0
    assert not set(result.stdout) & {"\x1b", "\x07", "\u202e"}


def test_the_guide_shows_what_is_printed(trex):
    guide = GUIDE.read_text()
    script = re.search(r"```rhai\n(.*?)```", guide, re.DOTALL)[1]
    code = re.search(r"```python\n(.*?)```", guide, re.DOTALL)[1]
    assert compile(trex, script, "--show").stdout.partition("\n\n\n")[2] == code


@pytest.mark.parametrize(
    ("script", "argument"), [("log-report/report.rhai", "directory"), ("hello/hello.rhai", "file_name")]
)
def test_the_examples_of_the_project_can_be_shown(trex, script, argument):
    result = trex.command("compile", str(ROOT / "examples" / script), "--arg", argument, "--show")
    assert (result.status, result.stderr) == (0, "")
    assert f"{argument}_1 = scope['{argument}'].v" in result.stdout
