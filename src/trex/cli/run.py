"""`trex run`: one script under one policy, and the outcome on standard output.

Owns:      the flags of a run, those of the reference among them.
Relies on: `runner.run` for everything that happens, `runner.report` for what is printed.
Never:     judges an input: what is wrong with a file is said in the outcome, in the chosen format.
"""

from __future__ import annotations

import os
import time
from typing import Any

import click

from trex.cli.application import Command, Once, Parsed, limit_options

_EXAMPLES = (
    "trex run report.rhai --policy report.cedar --arg directory=/var/log/shop",
    "trex run report.rhai --policy report.cedar --arg days:=7 --audit /var/log/trex.jsonl",
    "trex run - --policy report.cedar < report.rhai",
    "trex run -s report.rhai -p report.cedar -a arguments.json -o pretty-json",
)


def _pair(text: str) -> str:
    if "=" not in text or text.startswith("="):
        raise ValueError(f"{text!r} is not of the form NAME=TEXT or NAME:=JSON")
    return text


def module_pair(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise ValueError(f"{text!r} is not of the form NAME=FILE")
    return name, path


def _isolation(text: str) -> str:
    mode, _, layers = text.partition(":")
    if text == "strict" or (mode == "degraded" and all(layers.split(","))):
        return text
    raise ValueError(f"{text!r} is neither strict nor degraded:LAYER,... (`trex doctor` lists the layers)")


_LEVELS = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")


def _log_level_of_environment() -> str:
    """`LOG_LEVEL` in any letter case, as in Rex; unset or anything else: INFO."""
    level = os.environ.get("LOG_LEVEL", "").upper()
    return level if level in _LEVELS else "INFO"


def isolation_option() -> click.Option:
    """The flag for weaker modes, which are never the default."""
    return Once(
        ["--isolation"],
        type=Parsed("MODE", _isolation),
        help="strict, or degraded:LAYER,... to run although these layers are missing.  [default: strict]",
    )


def _run(**options: Any) -> None:
    from trex.cli import entry
    from trex.cli.limit_flags import limits_from
    from trex.runner import report
    from trex.runner.outcome import INTERNAL
    from trex.runner.request import Request, Source
    from trex.runner.run import run
    from trex.runner.supervise import Supervisor
    from trex.settings import REDACTION, Settings

    script = options["script"] or options["script_file"]
    if options["script"] and options["script_file"]:
        raise click.UsageError("the script is given twice, as SCRIPT and with --script-file")
    if not script:
        raise click.UsageError("no script: give its file name, or - for standard input")
    if options["policy"] is None:
        raise click.UsageError("no policy: give its file name with --policy")
    arguments = options["script_arguments_file"]
    request = Request(
        script=Source(script),
        policy=Source(options["policy"]),
        arguments=None if arguments is None else Source(arguments),
        pairs=options["arg"],
        modules=tuple((name, Source(path)) for name, path in options["module"]),
        limits=limits_from(options),
        isolation=options["isolation"] or "strict",
        principal=options["principal"],
        log_level=options["log_level"] or _log_level_of_environment(),
        audit=options["audit"],
        settings=Settings(redaction=options["redaction"] or REDACTION),
    )
    timings = {"interpreter": entry.INTERPRETER_MS, "command line": (time.monotonic() - entry.STARTED) * 1000}
    form: report.Format = options["output_format"] or ("human" if os.isatty(1) else "json")
    with Supervisor() as supervisor:
        outcome = run(request, supervisor, timings=timings if options["timings"] else None)
        problem = report.write(outcome, form, options["verbose"])
    status = outcome.exit_code
    if problem is not None:
        report.complain(problem)
        status = status or INTERNAL  # a success that nobody can read is none
    # Nothing is left to do: what was opened is closed by the kernel, and taking the interpreter apart costs 10 ms.
    os._exit(status)


command = Command(
    "run",
    callback=_run,
    help="Run SCRIPT under a policy and print the outcome.\n\nSCRIPT is a file, or - for standard input.",
    examples=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Argument(["script"], required=False),
        Once(["-p", "--policy", "--policy-file", "policy"], metavar="FILE", help="The Cedar policy."),
        Once(["-s", "--script-file"], metavar="FILE", help="The script, as a flag."),
        Once(
            ["-a", "--script-arguments-file"],
            metavar="FILE",
            help='Arguments as JSON: an object of name to tagged value, such as {"days": {"integerValue": 7}}.',
        ),
        click.Option(
            ["--arg"],
            multiple=True,
            type=Parsed("PAIR", _pair),
            help="One argument: NAME=TEXT is a string, NAME:=JSON any other value. Repeatable.",
        ),
        click.Option(
            ["--module"],
            multiple=True,
            type=Parsed("NAME=FILE", module_pair),
            help="A module that the script may import by this name. Repeatable.",
        ),
        Once(
            ["-o", "--output-format"],
            type=click.Choice(["json", "pretty-json", "human"]),
            help="How the outcome is printed.  [default: human on a terminal, else json]",
        ),
        click.Option(
            ["-v", "--verbose"], is_flag=True, help="With human: all logs before, metrics and alarms after the result."
        ),
        Once(
            ["--log-level"],
            type=click.Choice(_LEVELS, case_sensitive=False),
            help="Keep log records of this level and above.  [default: $LOG_LEVEL, else INFO]",
        ),
        Once(["--audit"], metavar="FILE", help="Append every decision and its outcome to FILE, as JSON lines."),
        Once(
            ["--redaction"],
            metavar="FILE",
            help="What may be shown of files that a policy lets be read redacted only."
            "  [default: /etc/opt/rex/rex_redaction.config]",
        ),
        Once(["--principal"], metavar="NAME", help='Ask the policy as User::"NAME".  [default: the effective user]'),
        isolation_option(),
        click.Option(["--timings"], is_flag=True, help="Say where the time went."),
        *limit_options(),
    ],
)
