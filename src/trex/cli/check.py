"""`trex check`: is this policy valid, does this script parse? Runs nothing.

Owns:      how findings are shown to people and machines.
Relies on: `runner.check`.
Never:     says that a script is permitted: only a run can know what it asks for.
"""

from __future__ import annotations

from typing import Any

import click

from trex.cli.application import OF_RUNS, Command, Once, Parsed, limit_options
from trex.cli.run import isolation_option, module_pair


def _check(**options: Any) -> None:
    from trex.cli.limit_flags import limits_from
    from trex.errors import TrexError
    from trex.runner.check import check_policy, check_script
    from trex.runner.request import Source

    if options["script"] is None and options["policy"] is None:
        raise click.UsageError("nothing to check: give a script, a policy (--policy), or both")
    limits = limits_from(options)
    problems = []
    try:
        if options["policy"] is not None:
            problems += check_policy(Source(options["policy"]), limits)
        if options["script"] is not None:
            names = tuple(pair.partition("=")[0].removesuffix(":") for pair in options["arg"])
            modules = tuple((name, Source(path)) for name, path in options["module"])
            problems += check_script(
                Source(options["script"]), names, modules, limits, options["isolation"] or "strict"
            )
    except TrexError as error:
        fail(error, options["json"])
    if options["json"]:
        print_json({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            print_problem(problem)
        if not problems:
            click.echo("no problems found")
    raise SystemExit(1 if problems else 0)


def print_problem(problem: Any) -> None:
    from msgspec import UNSET

    from trex.runner.report import visible

    place = (
        ""
        if problem.line is UNSET
        else f":{problem.line}" + ("" if problem.position is UNSET else f":{problem.position}")
    )
    click.echo(f"{visible(problem.name)}{place}: {visible(problem.message)}")
    if problem.excerpt is not UNSET:
        click.echo(visible(problem.excerpt).rstrip("\n"))


def print_json(report: Any) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))


def fail(error: Any, json: bool) -> None:
    from trex.runner.outcome import ENDINGS, INTERNAL
    from trex.runner.report import visible

    ending = ENDINGS.get(error.code)
    if json:
        print_json({"ok": False, "problems": [], "error": {"code": error.code, "message": str(error)}})
    else:
        click.echo(f"trex: {visible(str(error))}", err=True)
    raise SystemExit(ending.exit_code if ending else INTERNAL)


command = Command(
    "check",
    callback=_check,
    help="Validate a policy and parse SCRIPT, without running anything.\n\n"
    "The exit status is 0 if nothing is wrong, 1 if something is, and 5 if that could not be found out.",
    examples=(
        "trex check --policy report.cedar",
        "trex check report.rhai --policy report.cedar --arg directory",
        "trex check report.rhai --json",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Argument(["script"], required=False),
        Once(["-p", "--policy", "--policy-file", "policy"], metavar="FILE", help="The Cedar policy."),
        click.Option(
            ["--arg"],
            multiple=True,
            metavar="NAME",
            help="The script has an argument of this name; a value may follow as for run. Repeatable.",
        ),
        click.Option(
            ["--module"],
            multiple=True,
            type=Parsed("NAME=FILE", module_pair),
            help="A module that the script may import by this name. Repeatable.",
        ),
        isolation_option(),
        click.Option(["--json"], is_flag=True, help="For machines."),
        *limit_options(without=OF_RUNS),
    ],
)
