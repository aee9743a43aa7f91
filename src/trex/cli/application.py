"""The `trex` command group: which commands there are, and how they are found.

Owns:      the list of commands and the pieces that several of them share.
Relies on: one module per command, named in `COMMANDS`, imported only when that command is used.
Never:     imports a command's needs for another's sake.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

# name -> module of `trex.cli` that holds a command called `command`
COMMANDS = {
    "run": "run",
    "check": "check",
    "compile": "compile",
    "functions": "functions",
    "eval": "evaluate",
    "audit": "audit",
    "doctor": "doctor",
}

EPILOGS = {
    "trex": (
        "trex run report.rhai --policy report.cedar --arg directory=/var/log/shop",
        "trex check report.rhai --policy report.cedar",
        "trex functions grep",
        "trex doctor",
    ),
}


class Command(click.Command):
    """A command whose help ends in examples, shown as they are typed."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the options, and the limits in a section of their own."""
        for title, wanted in (("Options", False), ("Limits", True)):
            records = [
                record
                for each in self.get_params(ctx)
                if isinstance(each, click.Option)
                and isinstance(each, Limit) is wanted
                and (record := each.get_help_record(ctx)) is not None
            ]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the examples."""
        _format_examples(formatter, self.examples)


class Group(click.Group):
    """Commands by name, imported when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of `COMMANDS`: the main job first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or none."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"trex.cli.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and with a suggestion for a misspelt command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" The commands are {', '.join(COMMANDS)}."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the examples."""
        _format_examples(formatter, EPILOGS["trex"])


class Once(click.Option):
    """An option that may be given once: a second value is an error, not a silent replacement."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "multiple": True, "callback": _only})


def _only(ctx: click.Context, option: click.Parameter, values: Any) -> Any:
    """The one value, or none."""
    if values and len(values) > 1:
        name = next(flag for flag in option.opts if flag.startswith("--"))
        raise click.BadOptionUsage(name, f"{name} is given {len(values)} times", ctx)
    return values[0] if values else None


class Parsed(click.ParamType):  # type: ignore[type-arg]  # generic only in new versions of click
    """A value that a function of ours parses; its `ValueError` is the message."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self.parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse once; a value that is no text is parsed already."""
        if not isinstance(value, str):
            return value
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


# Limits of what happens in a run only: a command that runs nothing on the host has no flag for them.
OF_RUNS = frozenset(
    "max_operations max_output max_log_records max_log max_read max_write max_handles max_arguments".split()
)
OF_POLICIES = frozenset(("max_policy",))


class Limit(Once):
    """The option of one limit; a command's help shows these below its other options."""


def limit_options(without: frozenset[str] = frozenset()) -> list[click.Option]:
    """One option for each limit, but for those `without` which the command does."""
    from trex.cli.limit_flags import FLAGS

    return [
        Limit(
            [flag.name, flag.field],
            type=Parsed({"bytes": "SIZE", "seconds": "TIME"}.get(flag.unit, "N"), flag.parse),
            help=f"{flag.description}  [default: {flag.shown_default}]",
        )
        for flag in FLAGS
        if flag.field not in without
    ]


def _format_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def commands() -> Iterator[tuple[str, Command]]:
    """Every command, loaded."""
    for name, module in COMMANDS.items():
        yield name, importlib.import_module(f"trex.cli.{module}").command


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from trex import __version__

        click.echo(f"trex {__version__}")
        ctx.exit()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)
def trex() -> None:
    """Run scripts under a Cedar policy of this host's owner.

    A script has no authority of its own: it runs in a process that the kernel has locked, and each
    thing it wants from the host is an operation that the policy permits or denies.
    """
