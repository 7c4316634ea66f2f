"""`headwater state`: where a cell keeps its fences and locks."""

from __future__ import annotations

import json

import click

from headwater.cli.options import cell_option, json_option
from pipeline.errors import ExitCode
from pipeline.settings import load_settings


@click.group()
def state() -> None:
    """Fences, closings and leases of a cell: in its folder, or in PostgreSQL."""


@state.command()
@cell_option
@json_option
def move(cell: str, as_json: bool) -> ExitCode:
    """Copy the state in a cell's folder to the PostgreSQL that `state_uri` names, and put the file aside.

    Stop what runs on this host before. What PostgreSQL has already stays. Exit codes: 0 moved, or nothing to
    move, 3 `state_uri` is not set or is refused, 4 try again.

    \b
    Examples:
      headwater state move --cell us
    """
    from pipeline.cells import load_cell
    from pipeline.hours.move import move_state

    moved = move_state(load_cell(load_settings().home, cell))
    if as_json:
        click.echo(json.dumps(moved, indent=2))
    elif not moved:
        click.echo("no state.db to move")
    else:
        click.echo("moved " + ", ".join(f"{rows:,} rows of {name}" for name, rows in moved.items()))
    return ExitCode.OK
