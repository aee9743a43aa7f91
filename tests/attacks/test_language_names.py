"""Names: no name that a script writes becomes, shadows or reaches one of Python or of the generated code.

Scripts are compiled to CPython code. Each word below is tried in every place where a script, its
host or its request can put a name, and must mean there exactly what an innocent word means. All code that is
generated on the way is read: what it loads is local, linked, or one of a fixed set of helpers.
"""

from __future__ import annotations

import os
import random

import pytest

from support.boundary import check_name, run
from trex.languages.rhai.compiler.code import HELPERS
from trex.languages.rhai.library.registry import FUNCTIONS, GETTERS, NULLARY
from trex.languages.rhai.tokens import KEYWORDS, RESERVED_WORDS
from trex.languages.rhai.values import Map

PYTHON = (
    "__class__ __base__ __bases__ __mro__ __subclasses__ __builtins__ __import__ __globals__ __dict__ __code__ __closure__"
    " __debug__ __name__ __file__ __doc__ __module__ __self__ __func__ __getattr__ __getattribute__ __init__ __new__"
    " __reduce__ __reduce_ex__ __hash__ __eq__ __format__ __str__ __repr__ __call__ __del__ __slots__ __annotations__"
    " __loader__ __spec__ __build_class__ __traceback__ __cause__ __context__ __private __x _x_ x__ None True False Ellipsis"
    " NotImplemented class def lambda del global nonlocal from pass raise except finally assert and or not with elif async"
    " exec compile open input getattr setattr vars dir globals locals breakpoint object super self cls builtins sys os"
    " gi_frame gi_code cr_frame ag_frame f_back f_globals f_locals f_builtins tb_frame tb_next with_traceback add_note args"
    " mro format format_map encode maketrans co_code func_globals im_func prototype constructor __proto__ toString"
).split()
# How the compiler calls its own things: helpers, parameters, temporaries, and whatever carries a number.
OURS = (
    "depth late scope make main t t1 t2 t3 t_1 x_1 x_2 c_1 c_2 f_f_1 f_g_2 closure_1 closure_2 p_closure_1 make_closure_1"
    " n_len_1 m_len_1 main_1 main_2 make_1 make_f_1 v state shared code direct bound captures curry_ order extra_array"
    " extra_map extra_string params kind message position calls denial part text source handle fields arguments"
    " error e i x f g m this_ this_1 anon tag STEPS check_steps print_out evaluate_text call_in_scope define_global"
    " import_module module_call module_variable"
).split()
WORDS = [
    *dict.fromkeys((*PYTHON, *OURS, *sorted(name for name in HELPERS if not name.startswith("__")))),
    "a" * 39, "a" * 40, "a" * 41 + "_1", "a" * 5000, "_" * 39 + "x", "x" + "_9" * 30,
]  # fmt: skip
INNOCENT = "zqj"
# `make attacks` tries every word in every place; else each place has its share of them.
EACH = 1 if "TREX_ATTACK_TRIES" in os.environ else 4

PLACES = {
    "variable": "let {w} = 41; {w} += 1; {w}",
    "constant": "const {w} = 42; {w}",
    "assigned constant": "const {w} = 42; {w} = 1; {w}",
    "unknown variable": "{w}",
    "unknown, assigned": "{w} = 1; {w}",
    "unknown, called": "{w}(1, 2)",
    "shadowed": "let {w} = 1; {{ let {w} = 2; }} let {w} = {w} + 1; {w}",
    "function": "fn {w}() {{ 42 }} {w}()",
    "function, overloaded": "fn {w}(a) {{ a }} fn {w}(a, b) {{ a + b }} {w}(1) + {w}(1, 2)",
    "function by name": 'fn {w}(a) {{ a + 1 }} Fn("{w}").call(1)',
    "function as value": "fn {w}(a) {{ a + 1 }} let p = {w}; p.call(1)",
    "function, asked for": 'fn {w}() {{ 1 }} [is_def_fn("{w}", 0), is_def_fn("{w}", 1), is_def_var("{w}")]',
    "function and variable": "fn {w}() {{ 40 }} let {w} = 2; {w}() + {w}",
    "recursion": "fn {w}(n) {{ if n == 0 {{ 42 }} else {{ {w}(n - 1) }} }} {w}(3)",
    "private function": "private fn {w}() {{ 42 }} {w}()",
    "function, in scope": "fn {w}() {{ n + 1 }} let n = 1; {w}!()",
    "unknown pointer": 'Fn("{w}").call(1)',
    "curried": 'fn {w}(a, b) {{ a + b }} let p = Fn("{w}").curry(1); p.call(2)',
    "parameter": "fn f({w}) {{ {w} += 1; {w} }} f(41)",
    "two parameters": "fn f({w}, {w}2) {{ [{w}, {w}2] }} f(1, 2)",
    "method": "fn {w}() {{ this += 1; this }} let n = 41; n.{w}(); n",
    "typed method": 'fn int.{w}() {{ this + 1 }} fn string.{w}() {{ this + "s" }} [1.{w}(), "x".{w}()]',
    "quoted type": 'fn "{w}".f() {{ 1 }} fn f() {{ 2 }} 5.f()',
    "unknown method": "let n = 1; n.{w}(2)",
    "unknown method, text": '"text".{w}(2)',
    "unknown method, function": "let f = || 1; f.{w}()",
    "unknown property": '"text".{w}',
    "property of a function": "let f = || 1; f.{w}",
    "property of a number": "let n = 5; n.{w}",
    "property of a range": "(0..3).{w}",
    "property of a time": "let t = timestamp(); t.{w}",
    "property, set": "let n = 5; n.{w} = 1; n",
    "property of a map": "let m = #{{}}; m.{w} = 41; m.{w} += 1; [m.{w}, m]",
    "property of a map, missing": "let m = #{{}}; m.{w}",
    "property of a map, chained": "let m = #{{{w}: #{{{w}: [1]}}}}; m.{w}.{w}[0] = 2; m.{w}?.{w}",
    "key": "let m = #{{{w}: 42}}; [m.{w}, m.keys()]",
    "quoted key": 'let m = #{{"{w}": 42}}; [m["{w}"], m]',
    "key by index": 'let m = #{{}}; m["{w}"] = 42; ["{w}" in m, m]',
    "function in a map": "let m = #{{{w}: |x| x + 1}}; m.{w}(41)",
    "function in a map, called": "let m = #{{a: 41, {w}: || this.a + 1}}; m.{w}()",
    "parameter of a closure": "let f = |{w}| {w} + 1; f.call(41)",
    "captured": "let {w} = 1; let f = || {w} += 1; f.call(); f.call(); {w}",
    "captured, passed on": "fn g(h) {{ h.call() }} let {w} = 41; g(|| {w} + 1)",
    "captured twice": "let {w} = 1; let f = |x| {{ let g = || {w} += x; g.call() }}; f.call(2); {w}",
    "callback": "[1, 2].map(|{w}| {w} + 1)",
    "loop": "let n = 0; for {w} in 0..4 {{ n += {w}; }} n",
    "loop with counter": "let n = 0; for ({w}, {w}1) in [5, 6] {{ n += {w} * {w}1; }} n",
    "loop, captured": "let all = []; for {w} in 0..3 {{ all.push(|| {w}); }} all.map(|f| f.call())",
    "caught": "try {{ throw 42 }} catch ({w}) {{ {w} }}",
    "caught, thrown on": "try {{ try {{ throw 42 }} catch ({w}) {{ throw {w} + 1 }} }} catch ({w}) {{ {w} }}",
    "import": 'import "m" as {w}; {w}::f() + {w}::x',
    "unknown module": "{w}::f()",
    "unknown module, value": "{w}::x",
    "path of modules": "{w}::{w}::{w}()",
    "unknown path": 'import "{w}" as m; m::f()',
    "module's function": 'import "m" as n; n::{w}()',
    "module's value": 'import "m" as n; n::{w}',
    "export": "let x = 1; export x as {w}; x",
    "global": "const {w} = 42; fn f() {{ global::{w} }} f()",
    "unknown global": "fn f() {{ global::{w} }} f()",
    "eval": 'let {w} = 41; eval("{w} += 1; {w}")',
    "eval, declared": 'eval("let {w} = 42;"); {w}',
    "eval, unknown": 'eval("{w}")',
    "eval, in a function": 'fn f({w}) {{ eval("let n = {w}; {w} += n"); {w} }} f(21)',
    "interpolated": "let {w} = 42; `a${{{w}}}b${{ let {w} = 1; {w} }}`",
    "switched on": "let {w} = 1; switch {w} {{ 1 if {w} == 1 => {w} + 1, _ => 0 }}",
    "this": "fn f() {{ this.{w} += 1; this.{w} }} let m = #{{{w}: 41}}; m.f()",
    "this of a closure": "let m = #{{{w}: 1, f: |x| {{ this.{w} += x; }}}}; m.f(41); m.{w}",
    "documented": "/// {w}\n/** {w} */ fn f() {{ 42 }} f()",
    "thrown": 'throw "{w}"',
    "read as JSON": 'parse_json("{{\\"{w}\\": [42]}}")',
    "written as JSON": '#{{{w}: "{w}"}}.to_json()',
}
MODULES = {"m": "fn f() { 40 } export const x = 2;"}

# These mean something to the language itself, so that an innocent word is no comparison.
TAKEN = KEYWORDS | RESERVED_WORDS | NULLARY.keys() | {name for name, _ in FUNCTIONS}
TAKEN |= {name for getters in GETTERS.values() for name in getters} | {"global", "v", "x", "n", "f", "g", "m", "p"}


@pytest.mark.parametrize("place", PLACES)
def test_a_word_means_what_an_innocent_word_means(place: str) -> None:
    """Dunder names, keywords and builtins of Python, frames, tracebacks, and the compiler's own names."""
    template = PLACES[place]
    innocent = run(template.format(w=INNOCENT), modules=MODULES)
    innocent.generated.check()
    kind, expected = innocent.shown
    for word in WORDS[list(PLACES).index(place) % EACH :: EACH]:
        ended = run(template.format(w=word), modules=MODULES)
        ended.generated.check()
        if word not in TAKEN:
            assert ended.shown == (kind, expected.replace(INNOCENT, word)), word


@pytest.mark.parametrize("strict", [False, True])
def test_a_variable_of_the_host_may_have_any_name(strict: bool) -> None:
    """Names of arguments: words as above, and whatever else a request can hold."""
    words = [
        *WORDS,
        "",
        " ",
        "1",
        "a b",
        "a.b",
        "a:b",
        "ﬁ",
        "𝐞𝐱𝐞𝐜",
        "__\uff49mport__",
        "é",
        "\0",
        "\n",
        "\u202e",
        "None\0",
    ]
    for word in words:
        readable = word.isidentifier() and word.isascii() and word not in TAKEN
        ended = run(word if readable else "42", {word: 42}, strict=strict)
        ended.generated.check()
        assert ended.shown == ("", "42") or not word.strip("_").isalnum(), word
    ended = run("[a, b]", dict.fromkeys(words, 0) | {"a": 1, "b": 2}, strict=strict)
    assert ended.shown == ("", "[1, 2]")


def test_a_name_that_python_would_normalise_is_no_other_name() -> None:
    """NFKC: Python's parser reads `ﬁ` as `fi` and `𝐞𝐱𝐞𝐜` as `exec`. Ours takes ASCII, and trees are not parsed."""
    for word in ("ﬁ", "𝐞𝐱𝐞𝐜", "ｅval", "\u212a", "ª", "x\u0301", "__cl\u200bass__", "ſ", "ℌ", "Ⅷ", "µ"):
        assert run(f"let {word} = 1; {word}").error == "ErrorParsing"
        assert run(f"fn {word}() {{}}").error == "ErrorParsing"
        ended = run(f'let m = #{{"{word}": 1, "fi": 2, "exec": 3, "eval": 4}}; m["{word}"] += 10; m["{word}"]')
        assert ended.shown == ("", "11"), word
    both = run('let m = #{}; m["ﬁ"] = 1; m["fi"] = 2; m', {"ﬁ": 1, "fi": 2})
    assert isinstance(both.value, Map)
    assert both.value.v == {"ﬁ": 1, "fi": 2}


STORY = """
let {0} = 1; const {1} = 2;
fn {2}({3}, {4}) {{ let {5} = {3} + {4}; {5} }}
fn {3}({0}) {{ {0}.{6} = 7; let {7} = |{1}| {1} + {0}.{6}; {7}.call(1) }}
fn {4}() {{ this.{0} += 1; this.{0} }}
let {6} = #{{{0}: 1, {7}: |{2}| {2} * 2}};
let {7} = |{5}| {{ {0} += {5}; let {4} = |{3}| {3} + {5} + {0}; {4}.call({1}) }};
let out = [{2}({0}, {1}), {3}(#{{}}), {6}.{4}(), {6}.{7}(4), {7}.call(5), {0}, {6}.{0}];
for ({2}, {3}) in [1, 2] {{ out.push({2} + {3} + {0}); }}
try {{ throw {0} }} catch ({5}) {{ out.push({5}); }}
eval("let {4} = {0} + 1; out.push({4}); {0} += 1;");
out.push({4}); out.push({0}); out.push(`${{{0}}}-${{{1}}}`);
out.push(switch {0} {{ 99 => {1}, 0..90 if {1} == 2 => {0}, _ => 0 }});
out.push(Fn("{2}").call(1, 2)); out.push([3, 1].map(|{0}| {0} + {1}));
import "m" as {2}; out.push({2}::f());
out
"""


def test_no_choice_of_names_makes_two_of_them_meet() -> None:
    """Names that look generated, all in one program, in hundreds of arrangements."""
    modules = {"m": "fn f() { 40 }"}
    expected = run(STORY.format(*(f"name{letter}" for letter in "abcdefgh")), modules=modules).shown
    assert expected[0] == "", expected
    words = [word for word in WORDS if word not in TAKEN and len(word) < 60]
    numbered = [f"{stem}_{number}" for stem in ("x", "t", "c", "f_x", "closure", "make_closure", "main", "p_closure", "n_x", "m_x")
                for number in range(1, 40)]  # fmt: skip
    chance = random.Random(7)
    for _ in range(150 // EACH * 2):
        chosen = chance.sample(chance.choice((words, numbered, words + numbered)), 8)
        ended = run(STORY.format(*chosen), modules=modules)
        ended.generated.check()
        assert ended.shown == expected, chosen


def test_a_name_without_a_number_is_one_of_ours() -> None:
    """The check itself: a name as a script might write it is found wanting."""
    for name in ("x", "__class__", "print", "os", "f_", "exec", "ﬁ_1"):
        with pytest.raises(AssertionError):
            check_name(name)
