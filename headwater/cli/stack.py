"""`headwater up`, `down` and `status`: the local stack."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.options import json_option
from headwater.cli.render.tables import print_table
from headwater.stack.defaults import KAFKA_PORT, WEB_PORT, WORKSPACE
from pipeline.errors import ExitCode
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from headwater.stack.parts import Part

port = click.IntRange(1, 65535)


@click.command()
@click.option("--cell", "cells", multiple=True, default=("us",), show_default=True)
@click.option("--kafka-port", type=port, help=f"The first broker's port. [default: {KAFKA_PORT}]")
@click.option("--web-port", type=port, help=f"The Dagster UI's port. [default: {WEB_PORT}]")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=WORKSPACE,
    help="Dagster workspace file.  [default: the project's]",
)
@json_option
def up(
    cells: tuple[str, ...],
    kafka_port: int | None,
    web_port: int | None,
    workspace: Path,
    as_json: bool,
) -> ExitCode:
    """Start Kafka, the Dagster UI and the Dagster daemon, or what of them does not run.

    Safe to repeat: what runs is left alone, what was killed starts again on its data. Everything
    listens on loopback; all data lies under HEADWATER_HOME (default .headwater).

    \b
    Examples:
      headwater up
      headwater up --cell us --cell eu --web-port 3100
    """
    from headwater.stack import stack

    parts = stack.up(
        load_settings(),
        cells,
        lambda line: click.echo(line, err=True),
        kafka_port=kafka_port,
        web_port=web_port,
        workspace=workspace,
    )
    return _report(parts, as_json=as_json)


@click.command()
def down() -> ExitCode:
    """Stop what `headwater up` started, and nothing else. Data stays; so do the ports.

    \b
    Example:
      headwater down
    """
    from headwater.stack import stack

    stack.down(load_settings(), lambda line: click.echo(line, err=True))
    click.echo("stopped")
    return ExitCode.OK


@click.command()
@json_option
def status(as_json: bool) -> ExitCode:
    """Show every part: address, process, log, and whether it answers. Exit code 1 if one does not.

    \b
    Example:
      headwater status --json
    """
    from headwater.stack import stack

    return _report(stack.status(load_settings()), as_json=as_json)


def _report(parts: tuple[Part, ...], *, as_json: bool) -> ExitCode:
    well = bool(parts) and all(part.healthy for part in parts)
    if as_json:
        rows = [asdict(part) for part in parts]
        click.echo(json.dumps({"healthy": well, "parts": rows}, default=str))
    elif not parts:
        click.echo("nothing was started yet: run `headwater up`")
    else:
        print_table(
            "",
            ["part", "state", "address", "pid", "log"],
            [
                (
                    part.name,
                    "well" if part.healthy else "down",
                    part.address or "",
                    str(part.pid or ""),
                    str(part.log),
                )
                for part in parts
            ],
        )
    return ExitCode.OK if well else ExitCode.CHECK_FAILED
