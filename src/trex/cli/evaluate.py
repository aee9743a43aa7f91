"""`trex eval`: the language alone, without host, policy or operations.

Owns:      the ways to use it: one script, its value as text or as JSON; or one JSON object a line, each with a script.
Relies on: locked workers from a template, one for each program; the next is made while one runs.
Never:     lets a program end the command, or reach anything: what it could call is empty.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from trex.cli.application import OF_POLICIES, OF_RUNS, Command, Once, limit_options
from trex.cli.run import isolation_option

if TYPE_CHECKING:
    from trex.limits import Limits
    from trex.protocol.messages import Failed
    from trex.runner.request import Source
    from trex.runner.workers import Template, WorkerProcess

# One line of input; what a program may allocate has its own limit.
MAX_LINE = 16 * 1024 * 1024


def _evaluate(**options: Any) -> None:
    from trex.cli.limit_flags import limits_from
    from trex.errors import TrexError
    from trex.runner import report
    from trex.runner.request import Source

    script, text, lines = options["script"], options["text"], options["json_lines"]
    if [script is not None, text is not None, lines].count(True) != 1:
        raise click.UsageError("give a script (- for standard input), or its text (-e), or --json-lines")
    if lines and options["json"]:
        raise click.UsageError("--json-lines has a form of its own, without --json")
    if lines:
        _refuse_limits_of_the_language(options)
    limits, isolation = limits_from(options), options["isolation"] or "strict"
    source = Source(script) if text is None else Source(text=text)
    try:
        status = _serve(limits, isolation) if lines else _one(source, limits, isolation, options["json"])
    except TrexError as error:
        from trex.runner.outcome import ENDINGS, INTERNAL

        if options["json"]:
            _print_json({"ok": False, "error": {"code": error.code, "message": str(error)}})
        else:
            is_missing = script is not None and script != "-" and not os.path.lexists(script)
            report.complain(f"{error} (a script itself is given with -e)" if is_missing else str(error))
        ending = ENDINGS.get(error.code)
        status = ending.exit_code if ending else INTERNAL
    raise SystemExit(status)


def _refuse_limits_of_the_language(options: dict[str, Any]) -> None:
    """A flag that would have no effect is no flag: requests carry these limits."""
    from trex.limits import LanguageLimits

    for name in (*LanguageLimits.__struct_fields__, "max_script"):
        if options.get(name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{flag} has no effect with --json-lines: each request has `limits` of its own")


# --- for a person ---


def _one(source: Source, limits: Limits, isolation: str, json: bool) -> int:
    """Evaluate one script and print what it printed, and its value or its error."""
    from trex.interface import Interface
    from trex.protocol.messages import Failed, Finished, Log, Start
    from trex.runner import workers
    from trex.runner.outcome import INTERNAL, LIMIT, SCRIPT_ERROR, SUCCESS
    from trex.runner.plain import plain
    from trex.runner.report import visible
    from trex.runner.request import read_source

    deadline = time.monotonic() + limits.max_time
    text = read_source(source, "script", limits.max_script, "max_script", deadline)
    shown = visible if sys.stdout.isatty() else str
    printed: list[str] = []
    with workers.start(limits, isolation) as worker:
        worker.ready  # noqa: B018  # waits for the proof of the lock, or raises
        worker.channel.send(Start(text, {}, Interface(), limits))
        while True:
            message = worker.channel.receive(deadline)
            if isinstance(message, Log):
                if json:
                    printed.append(message.message)
                else:
                    click.echo(shown(message.message))
            elif isinstance(message, Finished):
                if json:
                    value = {"value": plain(message.value)} if message.exact else {}
                    _print_json({"ok": True, **value, "text": message.text, "printed": printed})
                elif message.text:
                    click.echo(shown(message.text))
                return SUCCESS
            elif isinstance(message, Failed):
                if json:
                    _print_json({"ok": False, "error": _described(message), "printed": printed})
                else:
                    click.echo(f"error: {visible(message.message)}", err=True)
                    if message.excerpt:
                        click.echo(visible(message.excerpt).rstrip("\n"), err=True)
                return {"limit": LIMIT, "internal": INTERNAL}.get(message.stage, SCRIPT_ERROR)


def _described(failed: Failed) -> dict[str, Any]:
    """An error, with the names that answers to a machine have."""
    found = {"kind": failed.kind, "chain": failed.chain, "message": failed.message}
    return {**found, "line": failed.line, "position": failed.position, "excerpt": failed.excerpt}


def _print_json(report: dict[str, Any]) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))


# --- for a machine ---


def _serve(limits: Limits, isolation: str) -> int:
    """Answer each line of standard input with one line, in order."""
    from trex.runner.report import write_all
    from trex.runner.workers import Template

    with Template() as template, open(0, "rb", closefd=False) as requests:
        worker = template.start(limits, isolation)
        while line := requests.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                _skip_line(requests, line)
                write_all(1, _failure("ErrorSystem", f"a request may have {MAX_LINE} bytes") + b"\n")
                continue
            if not line.strip():
                continue
            worker, answer = _answer(template, worker, line.strip(), limits, isolation)
            write_all(1, answer + b"\n")
        worker.close()
    return 0


def _answer(
    template: Template, worker: WorkerProcess, request: bytes, limits: Limits, isolation: str
) -> tuple[WorkerProcess, bytes]:
    """The next worker, made while this one runs, and the answer to one request."""
    from trex.errors import LimitExceeded, ProtocolViolation, WorkerDied
    from trex.protocol.messages import Evaluate, Evaluated, Failed

    following = None
    with worker:
        try:
            worker.ready  # noqa: B018  # waits for the proof of the lock, or raises
            worker.channel.send(Evaluate(request))
            following = template.start(limits, isolation)
            message = worker.channel.receive(time.monotonic() + limits.max_time)
        except (LimitExceeded, WorkerDied, ProtocolViolation) as error:
            following = following or template.start(limits, isolation)
            return following, _failure("ErrorTerminated", f"Script terminated: {error}")
    if isinstance(message, Evaluated):
        return following, message.answer
    if isinstance(message, Failed):
        return following, _failure(message.kind, message.message)
    return following, _failure("ErrorSystem", f"the worker answered with {type(message).__name__}")


def _failure(kind: str, text: str) -> bytes:
    import msgspec

    error = {"kind": kind, "chain": [kind], "message": text, "line": None, "position": None}
    return msgspec.json.encode({"ok": False, "error": error, "printed": []})


def _skip_line(requests: BinaryIO, piece: bytes) -> None:
    while piece and not piece.endswith(b"\n"):
        piece = requests.readline(MAX_LINE)


command = Command(
    "eval",
    callback=_evaluate,
    help="Evaluate SCRIPT (or - for standard input) as the language alone and print its value.\n\n"
    "It can call nothing of the host. With --json-lines, answer one JSON object a line instead; there, of the limits"
    " only --max-time and --max-memory are flags, and docs/reference/eval.md says what requests are.",
    examples=(
        "trex eval -e '40 + 2'",
        "echo '[1, 2, 3].map(|x| x * x)' | trex eval -",
        'echo \'{"script": "40 + 2"}\' | trex eval --json-lines',
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Argument(["script"], required=False),
        Once(["-e", "--text"], metavar="TEXT", help="The script itself, instead of its file."),
        click.Option(["--json"], is_flag=True, help="One JSON object: value, text and what was printed, or the error."),
        click.Option(["--json-lines"], is_flag=True, help="Read requests from standard input, one JSON object a line."),
        isolation_option(),
        *limit_options(without=OF_RUNS | OF_POLICIES),
    ],
)
