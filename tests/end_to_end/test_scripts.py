"""What a script may name, and what it tells people who got something wrong, from the outside."""

from __future__ import annotations

import itertools

import pytest


def excerpt(trex, script, *flags, **options):
    """The error's lines for a person: that a check says the same where it can know it, too."""
    result = trex.run(script, "-o", "human", *flags, **options)
    assert (result.status, result.stdout) == (1, "")
    return result.stderr


def both(trex, script, *flags):
    """What `run` and `check` say of a mistake that both must find; the same."""
    ran = excerpt(trex, script, *flags)
    checked = trex.command("check", "script.rhai", *flags)
    assert checked.status == 1
    assert checked.stdout.partition("\n")[2] == ran.partition("\n")[2]
    return ran


# --- arguments ---


def test_an_argument_is_a_variable_that_can_be_changed_and_hidden(trex):
    script = 'let before = name; name += "!"; let name = name + "?"; [before, name]'
    assert trex.run(script, "--arg", "name=x").document["output"] == '["x", "x!?"]'


def test_a_closure_sees_an_argument(trex):
    assert trex.run('let f = |x| x + name; f.call("a")', "--arg", "name=b").document["output"] == "ab"


@pytest.mark.parametrize(
    "script",
    [
        "fn f() { name } 1",
        "fn f(x) { let g = |y| y + name; g } 1",
        'fn f(x) { `${name}` } 1',
        "fn f() { name = 1; } 1",
        "fn f() { name.len() } 1",
    ],
)  # fmt: skip
def test_a_function_that_names_an_argument_is_a_mistake_before_anything_runs(trex, script):
    shown = both(trex, f'print("ran");\n{script}', "--arg", "name=b")
    assert "Undefined variable: name (line 2" in shown
    assert "a function sees no variables or arguments of the script: make 'name' a parameter of it" in shown
    assert trex.run(f'print("ran"); {script}', "--arg", "name=b").document["logs"] == []


def test_a_function_s_own_parameter_may_have_the_name_of_an_argument(trex):
    assert trex.run("fn f(name) { name + 1 } f(1)", "--arg", "name=b").document["output"] == "2"


def test_the_advice_is_for_variables_of_the_program_too(trex):
    assert "make 'limit' a parameter of it" in both(trex, "const limit = 5; fn f(x) { x > limit } f(1)")


def test_a_missing_argument_is_a_mistake_before_anything_runs(trex):
    assert "Undefined variable: name" in both(trex, 'print("ran"); name')


# --- disabled symbols and strict variables ---


@pytest.mark.parametrize("script", ['eval("1")', "let eval = 1;", "fn eval(x) { x }", '"1".eval()'])
def test_eval_is_switched_off(trex, script):
    assert "eval" in both(trex, script)


def test_print_goes_to_the_log(trex):
    document = trex.run('print("a"); print(1 + 1); print(#{x: 1}); 5').document
    assert document["output"] == "5"
    records = [each["attributes"] for each in document["logs"]]
    assert [each["message"] for each in records] == ["a", "2", '#{"x": 1}']


def test_debug_is_a_record_of_that_level(trex):
    document = trex.run('debug("a")', "--log-level", "debug").document
    assert [each["attributes"]["level"] for each in document["logs"]] == ["DEBUG"]


@pytest.mark.parametrize(
    "script", ["nowhere", "x = 1", "let x = x + 1;", "if false { nowhere }", "nowhere::X", "|x| y"]
)
def test_an_undefined_name_is_a_mistake_before_anything_runs(trex, script):
    assert "Undefined " in both(trex, script)


# --- an excerpt, a caret, a suggestion ---


def test_arithmetic_shows_its_line_though_its_error_has_no_position(trex):
    """The language gives these errors no position, and the message is the language's."""
    script = "fn share(total, parts) {\n    total / parts\n}\nshare(10, 0)"
    shown = excerpt(trex, script).splitlines()
    assert shown[0] == "error: Division by zero: 10 / 0"
    assert "2 |     total / parts" in shown
    assert shown[shown.index("2 |     total / parts") + 1].strip() == "^"


def test_the_line_is_shown_with_a_caret_under_the_place(trex):
    assert both(trex, "let a = 1;\n\tlet b = ;\n").endswith("\n2 |  let b = ;\n             ^\n")


def test_the_caret_stands_under_the_place_of_a_long_line(trex):
    shown = excerpt(trex, f'let a = "{"x" * 300}"; a.nope(); "{"y" * 300}"').splitlines()
    line, caret = next((line, below) for line, below in itertools.pairwise(shown) if below.strip() == "^")
    assert line[caret.index("^") :].startswith("nope()")
    assert len(line) < 140


@pytest.mark.parametrize(
    ("script", "meant"),
    [
        ("let count = 1; coutn + 1", "count"),
        ("let total = 1; if true { let x = totl; }", "total"),
        ("fn area(w) { w } area(wdith); let width = 1;", ""),
        ("let width = 1; fn area(w) { w } area(wdith)", "width"),
    ],
)
def test_an_undefined_variable_gets_a_suggestion(trex, script, meant):
    shown = both(trex, script)
    assert shown.endswith(f"did you mean '{meant}'?\n") if meant else "did you mean" not in shown


@pytest.mark.parametrize(
    ("script", "meant"),
    [
        ("[1].psuh(2)", "push"),
        ("fn area(w) { w } aera(1)", "area"),
        ('"a".to_uper()', "to_upper"),
        ('grpe("a", "b")', "grep"),
        ("fn inner() { lne([1]) } inner()", "len"),
    ],
)
def test_an_unknown_function_gets_a_suggestion(trex, script, meant):
    shown = excerpt(trex, script)
    assert "Function not found: " in shown
    assert shown.endswith(f"^\ndid you mean '{meant}'?\n")


def test_a_function_that_exists_for_other_arguments_is_said_so(trex):
    assert "'area' exists, but not for these arguments (it takes 1)" in excerpt(trex, "fn area(w) { w } area(1, 2)")


def test_what_resembles_nothing_gets_no_suggestion(trex):
    assert "did you mean" not in excerpt(trex, "xylophone(1)")


# --- errors in modules ---

MODULE = "fn f(x) {\n    x.nope()\n}\nfn broken() { throw 1; }\n"


def test_an_error_in_a_module_shows_the_line_of_the_module(trex):
    trex.write("m.rhai", MODULE)
    shown = excerpt(trex, 'import "m" as m;\nm::f(1)', "--module", "m=m.rhai")
    assert (
        "Function not found: nope (i64) (line 2, position 7)\n    in call to function 'f' (line 2, position 4)\n"
        in shown
    )
    assert "\nm:2 |     x.nope()\n            ^\n" in shown


def test_a_module_that_does_not_parse_shows_its_line_and_is_an_error_of_the_script(trex):
    trex.write("m.rhai", "fn f(x) {\n  x + ;\n}")
    result = trex.run('import "m" as m; m::f(1)', "--module", "m=m.rhai")
    assert (result.status, result.code) == (1, "script_error")
    assert result.document["error"]["excerpt"].startswith("m:2 |   x + ;\n")
