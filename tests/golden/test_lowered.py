"""What programs are compiled to: each `.rhai` here beside its `.lowered`.

After a change of the compiler, read what `TREX_GOLDEN_UPDATE=1` (or `make golden`) makes of these files.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from compliance import notation
from compliance.programs import load_all
from trex.interface import Interface
from trex.languages.rhai import listing
from trex.languages.rhai.compiler import arithmetic, build
from trex.languages.rhai.compiler.printing import Printer
from trex.languages.rhai.compiler.program import lower
from trex.languages.rhai.errors import ParseError
from trex.languages.rhai.evaluate import evaluate
from trex.languages.rhai.execute import session_of
from trex.limits import LanguageLimits
from trex.protocol.messages import Finished, Start
from trex.runner.compile import Listing, shown
from trex.values import INT_MAX, INT_MIN

HERE = Path(__file__).parent
PROGRAMS = sorted(HERE.glob("*.rhai"))
NAMES = [path.stem for path in PROGRAMS]
UPDATE = os.environ.get("TREX_GOLDEN_UPDATE") == "1"


class NoHost:
    """A host that offers nothing."""


def limits_of(source: str) -> dict[str, int]:
    """The limits that the first line of a program asks for."""
    first = source.partition("\n")[0]
    if not first.startswith("// limits: "):
        return {}
    pairs = (pair.partition("=") for pair in first.removeprefix("// limits: ").split())
    return {name: int(bound) for name, _, bound in pairs}


def start_of(source: str) -> Start:
    return Start(source, {}, Interface(), LanguageLimits(**limits_of(source)), check=True)


def lowered(source: str) -> str:
    answer = listing.execute(start_of(source), NoHost())
    assert isinstance(answer, Finished), answer.message
    return shown(msgspec.convert(answer.value, Listing).functions) + "\n"


@pytest.mark.parametrize("path", PROGRAMS, ids=NAMES)
def test_a_program_is_lowered_as_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arithmetic, "SMALL_FIRST", False)  # the recorded form is the one for Python 3.11
    now = lowered(path.read_text())
    recorded = path.with_suffix(".lowered")
    if UPDATE:
        recorded.write_text(now)
    before = recorded.read_text() if recorded.exists() else ""
    if now != before:
        changed = difflib.unified_diff(before.splitlines(), now.splitlines(), "recorded", "now", lineterm="")
        pytest.fail("\n".join([*changed, "", "if this is what you want: make golden"]), pytrace=False)


def test_every_recording_has_its_program() -> None:
    assert sorted(path.stem for path in HERE.glob("*.lowered")) == NAMES


@pytest.mark.parametrize("path", PROGRAMS, ids=NAMES)
def test_a_program_gives_what_it_says(path: Path) -> None:
    source = path.read_text()
    expected = source.rstrip().rpartition("\n// => ")[2]
    limits = {{"max_steps": "max_operations"}.get(name, name): bound for name, bound in limits_of(source).items()}
    answer = json.loads(evaluate(json.dumps({"script": source, "limits": limits}).encode()))
    assert answer["ok"], answer
    assert notation.show(answer["value"]) == expected


def test_the_text_is_the_same_in_every_process() -> None:
    """Neither hashes nor what was compiled before may show in it."""
    code = "import sys; from golden.test_lowered import *; print(*(lowered(path.read_text()) for path in PROGRAMS))"
    path = os.pathsep.join([str(HERE.parent), *sys.path])
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


class _Back(ast.NodeTransformer):
    """Undo what the text writes differently."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = {"INT_MAX": INT_MAX, "INT_MIN": INT_MIN}.get(node.id)
        return node if value is None else ast.Constant(value)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        operand = node.operand
        is_number = isinstance(operand, ast.Constant) and type(operand.value) in (int, float)
        return ast.Constant(-operand.value) if is_number and isinstance(node.op, ast.USub) else node


class _Renamed(ast.NodeTransformer):
    """The same with the names that the text has."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def generic_visit(self, node: ast.AST) -> ast.AST:
        kind = getattr(ast, type(node).__name__)
        fields = {name: self.renamed(getattr(node, name)) for name in node._fields if hasattr(node, name)}
        for name in ("id", "arg", "name"):
            if isinstance(fields.get(name), str):
                fields[name] = self.names[fields[name]]
        return kind(**fields)

    def renamed(self, value: object) -> object:
        if isinstance(value, list):
            return [self.renamed(each) for each in value]
        return self.visit(value) if isinstance(value, ast.AST) else value


EXAMPLES = [program.request["script"] for program in load_all(HERE.parent / "compliance/specification")]


@pytest.mark.parametrize("source", [*(path.read_text() for path in PROGRAMS), *EXAMPLES])
def test_the_text_is_the_code(source: str) -> None:
    """Read as Python, it is the module that was compiled."""
    session = session_of(start_of(source), NoHost())
    try:
        program = session.parse(source, {})
    except ParseError:
        return
    module = lower(program, session.link(program))
    build.forget()
    printer = Printer(source)
    text = "\n".join(printer.function(node, 0) for node in module.body)
    code = _Renamed(printer.names).visit(module)
    try:
        read = ast.parse(text)
    except SyntaxError:
        if sys.version_info >= (3, 12):
            raise
        pytest.skip("an f-string that Python 3.12 can read")
    assert ast.dump(_Back().visit(read)) == ast.dump(_Back().visit(code))
