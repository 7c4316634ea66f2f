"""Every command with its options and exit codes: docs/reference/commands.md, which this prints.

Usage: `python -m docs.commands > docs/reference/commands.md`.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from headwater.cli.main import cli

NO: Mapping[str, str] = {
    "config check": "a setting has mistakes",
    "contract check": "a contract has mistakes",
    "contract diff": "a change breaks readers or writers",
    "contract plan": "a step is refused",
    "contract test": "a test does not pass, or has mistakes",
    "dead-letters replay": "with `--dry-run`, some would not pass",
    "demo": "the ledger does not balance",
    "features served": "readers get a fallback",
    "hours build": "an audit failed",
    "ledger": "it does not balance",
    "trace": "nothing of the event is known",
    "openlineage status": "events wait",
    "produce": "rows of the file do not fit",
    "status": "a part or a product is not well",
    "up": "a part is not well",
}
"""Commands that are asked something -> where they end with 1, for no."""
EVERYWHERE = ("--verbose", "--help")
_MARKED = ("--json", "--explain")
_HEAD = """\
# Commands at a glance

<!-- Written by `python -m docs.commands`. -->

Every command, and what it takes; [another page](cli.md) says what each does. All take `--verbose` and
`--help`. All end with 0 when they are done, 2 for a wrong command line, 3 where somebody must act, 4 where
the same may succeed later, 70 for an error without a name, 130 after Ctrl-C; with 1 only those that are asked
something, where the answer is no. `--json` prints one document to standard output; `--explain` prints what
would be done, and does nothing.

| command | `--json` | `--explain` | further options | ends with 1 where |
| --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class CommandLine:
    """One command: its words, and the names of its arguments and options."""

    name: str
    arguments: tuple[str, ...]
    options: tuple[str, ...]
    command: click.Command

    @property
    def may_say_no(self) -> bool:
        """Whether its code, or a function beside it that it calls, may end it with 1."""
        callback = inspect.unwrap(self.command.callback or _nothing)
        source, module = inspect.getsource(callback), inspect.getmodule(callback)
        helpers = (
            inspect.getsource(one)
            for name, one in inspect.getmembers(module, inspect.isfunction)
            if f"{name}(" in source and one.__module__ == callback.__module__
        )
        return any("ExitCode.CHECK_FAILED" in text for text in (source, *helpers))


def command_lines() -> tuple[CommandLine, ...]:
    """Return every command, as `headwater --help` orders them."""
    return tuple(_walk(cli, (), click.Context(cli)))


def page(commands: tuple[CommandLine, ...]) -> str:
    """Return the page that lists `commands`."""
    return _HEAD + "".join(_row(one) for one in commands)


def _walk(
    command: click.Command, words: tuple[str, ...], context: click.Context
) -> Iterator[CommandLine]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (found := command.get_command(context, name)) is not None:
                yield from _walk(found, (*words, name), context)
        return
    arguments = (one for one in command.params if isinstance(one, click.Argument))
    options = (one for one in command.params if isinstance(one, click.Option))
    yield CommandLine(
        " ".join(words),
        tuple(one.make_metavar(context) for one in arguments),
        tuple(one.opts[-1] for one in options),
        command,
    )


def _row(one: CommandLine) -> str:
    called = " ".join(("headwater", one.name, *one.arguments)).replace("|", "\\|")
    marks = ("yes" if option in one.options else "no" for option in _MARKED)
    further = (f"`{name}`" for name in one.options if name not in (*_MARKED, *EVERYWHERE))
    cells = (f"`{called}`", *marks, " ".join(further), NO.get(one.name, ""))
    return f"| {' | '.join(cells)} |\n"


def _nothing() -> None:
    """Stand in for what a command without a function does."""


if __name__ == "__main__":
    sys.stdout.write(page(command_lines()))
