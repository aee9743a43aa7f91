"""`trex compile`: what does this script become? Sizes, times and the code itself; runs nothing.

Owns:      what of the description is printed.
Relies on: `runner.compile`, which asks a locked worker.
Never:     compiles anything in this process.
"""

from __future__ import annotations

from typing import Any

import click

from trex.cli.application import OF_POLICIES, OF_RUNS, Command, limit_options
from trex.cli.check import fail, print_json, print_problem
from trex.cli.run import isolation_option


def _compile(**options: Any) -> None:
    from trex.cli.limit_flags import limits_from
    from trex.errors import TrexError
    from trex.runner.check import Problem
    from trex.runner.compile import compile_script
    from trex.runner.request import Source

    names = tuple(pair.partition("=")[0].removesuffix(":") for pair in options["arg"])
    isolation = options["isolation"] or "strict"
    source = Source(options["script"])
    try:
        found = compile_script(source, names, limits_from(options), isolation)
    except TrexError as error:
        fail(error, options["json"])
        return
    if isinstance(found, Problem):
        if options["json"]:
            print_json({"ok": False, "problems": [found]})
        else:
            print_problem(found)
        raise SystemExit(1)
    _print(found, source.name, options)


def _print(listing: Any, name: str, options: dict[str, Any]) -> None:
    from msgspec.structs import asdict

    from trex.runner.compile import header, selected, shown, summary
    from trex.runner.report import visible

    functions = listing.functions
    if options["function"]:
        try:
            functions = selected(listing, options["function"])
        except KeyError as missing:
            raise click.UsageError(_unknown(missing.args[0], listing)) from None
    wanted = options["show"] or options["function"]
    if options["json"]:
        report = {"ok": True, "problems": [], **asdict(listing), "functions": [asdict(each) for each in functions]}
        if not wanted:
            del report["names"]
            for each in report["functions"]:
                del each["text"]
        print_json(report)
    elif wanted:
        head = "" if options["function"] else header(listing, name) + "\n\n\n"
        click.echo(visible(head + shown(functions)))
    else:
        click.echo(f"no problems found\n\n{summary(listing)}")


def _unknown(name: str, listing: Any) -> str:
    import difflib

    known = sorted({each.name or each.code for each in listing.functions})
    near = difflib.get_close_matches(name, known, 1)
    return f"no function {name!r}. " + (f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}.")


command = Command(
    "compile",
    callback=_compile,
    help="Compile SCRIPT (or - for standard input) without running it, and say how large it is and how long each step"
    " took.\n\n"
    "With --show, print what it became: Python, with what the compiler knows of each variable. The code is that of"
    " `trex run` with the same limits and arguments; what a script calls through a pointer is compiled again when"
    " that happens. The exit status is that of `trex check`.",
    examples=(
        "trex compile report.rhai --arg directory",
        "trex compile report.rhai --show",
        "trex compile report.rhai --function total",
        "echo 'let n = 40; n + 2' | trex compile - --show",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Argument(["script"]),
        click.Option(["--show"], is_flag=True, help="Print the lowered form."),
        click.Option(
            ["--function"],
            multiple=True,
            metavar="NAME",
            help="Show this function only, by its name in the script or in the lowered form. Repeatable.",
        ),
        click.Option(
            ["--arg"],
            multiple=True,
            metavar="NAME",
            help="The script has an argument of this name; a value may follow as for run. Repeatable.",
        ),
        isolation_option(),
        click.Option(["--json"], is_flag=True, help="For machines."),
        *limit_options(without=OF_RUNS | OF_POLICIES),
    ],
)
