"""`--verbose`, which every command has: all that is logged, and where an error comes from."""

from __future__ import annotations

from dataclasses import dataclass

import click


@dataclass
class Verbosity:
    """Whether a command line asks for it; the object of its context."""

    asked: bool = False


def is_verbose() -> bool:
    """Return whether the command that runs was asked to be; not outside of one."""
    context = click.get_current_context(silent=True)
    return context is not None and context.ensure_object(Verbosity).asked


def with_verbose(command: click.Command) -> click.Command:
    """Return a command that has the option, as all of its own commands have."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            with_verbose(one)
    elif all(one.name != "verbose" for one in command.params):
        command.params.append(
            click.Option(
                ["--verbose"],
                is_flag=True,
                expose_value=False,
                callback=_ask,
                help="Log all that there is to log, and show where an error comes from.",
            )
        )
    return command


def _ask(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        from pipeline.logs import set_up_logs
        from pipeline.settings import wants_colors

        context.ensure_object(Verbosity).asked = True
        # Commands of a cell do it again, in the format that is set.
        set_up_logs("DEBUG", colors=wants_colors())
