"""`trex audit`: is this audit log whole and unchanged?

Owns:      how the findings are shown.
Relies on: `trex.audit.verify` for the check of the chain.
Never:     changes the log.
"""

from __future__ import annotations

import click

from trex.cli.application import Command, Parsed


def _head(text: str) -> tuple[str, str]:
    run, equals, digest = text.partition("=")
    if not (run and equals and len(digest) == 64 and text.isascii()):
        raise ValueError(f"{text!r} is not of the form RUN=SHA256")
    return run, digest


def _audit(file: str, head: tuple[tuple[str, str], ...], json: bool) -> None:
    from trex.audit import verify
    from trex.runner.report import visible
    from trex.runner.request import printable, reason

    shown = visible(printable(file))

    try:
        found = verify(file, dict(head))
    except OSError as error:
        click.echo(f"trex: {shown}: the audit log cannot be read: {reason(error)}", err=True)
        raise SystemExit(5) from None
    if json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode({"sound": found.is_sound, **_fields(found)}), indent=2))
    else:
        for finding in found.findings:
            click.echo(f"{shown}: {visible(str(finding))}")
        for run in found.unfinished:
            click.echo(f"{shown}: run {visible(run)} has no end: it was killed, still runs, or was cut off")
        verdict = "sound" if found.is_sound else "not sound"
        click.echo(f"{_counted(found.records, 'record')} of {_counted(len(found.heads), 'run')}, {verdict}")
    raise SystemExit(0 if found.is_sound else 1)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _fields(found: object) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__struct_fields__}  # type: ignore[attr-defined]  # a Struct


command = Command(
    "audit",
    callback=_audit,
    help="Verify the audit log FILE: each record holds the hash of the one before it.\n\n"
    "The exit status is 0 if nothing is wrong with what is there, 1 if something is, 5 if it cannot be read. That a log"
    " was cut at its end shows only against a hash kept elsewhere: run.audit.head of an outcome, given with --head.",
    examples=("trex audit /var/log/trex.jsonl", "trex audit /var/log/trex.jsonl --json"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    params=[
        click.Argument(["file"]),
        click.Option(
            ["--head"],
            multiple=True,
            type=Parsed("RUN=SHA256", _head),
            help="The last record of this run must have this hash. Repeatable.",
        ),
        click.Option(["--json"], is_flag=True, help="For machines."),
    ],
)
