"""`trex doctor`: what this kernel offers for isolation, what is missing, and whether a worker locks.

Owns:      the table of layers for people and machines.
Relies on: `isolation.kernel_report` for what the kernel offers, a real worker for the proof.
Never:     changes anything.
"""

from __future__ import annotations

import click

from trex.cli.application import Command


def _doctor(json: bool) -> None:
    from trex.errors import TrexError
    from trex.isolation import kernel_report
    from trex.limits import Limits
    from trex.runner import workers

    rows = kernel_report()
    layers: dict[str, str] = {}
    problem = ""
    try:
        with workers.start(Limits(), "strict") as worker:
            layers = worker.ready.layers
    except TrexError as error:
        problem = str(error)
    if json:
        import msgspec

        report = {
            "kernel": [{"layer": name, "state": state, "detail": detail} for name, state, detail in rows],
            "worker": {"locked": not problem, "layers": layers, "problem": problem or None},
        }
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2))
    else:
        _print(rows, layers, problem)
    raise SystemExit(5 if problem else 0)


def _print(rows: list[tuple[str, str, str]], layers: dict[str, str], problem: str) -> None:
    width = max(len(name) for name, _, _ in rows)
    click.echo("what this kernel offers to this user:")
    for name, state, detail in rows:
        mark = click.style("missing  ", fg="red") if state == "missing" else "available"
        click.echo(f"  {name:{width}}  {mark}  {detail}")
    click.echo("\nwhat a worker found when it was locked:")
    for name, detail in layers.items():
        click.echo(f"  {name:{width}}  {detail}")
    if problem:
        click.echo(click.style("  " + problem, fg="red"))
        click.echo("\nTrex refuses to run scripts here, unless --isolation=degraded:LAYER,... names what is missing.")
    else:
        click.echo("\nTrex runs scripts here with every layer.")


command = Command(
    "doctor",
    callback=_doctor,
    help="Say what this kernel offers for isolation, and what is missing.\n\n"
    "Also starts and locks a worker, without a script. The exit status is 5 if strict isolation is not possible.",
    params=[click.Option(["--json"], is_flag=True, help="For machines.")],
    examples=("trex doctor", "trex doctor --json"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
