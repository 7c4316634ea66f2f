"""`headwater up`, `down` and `status`: the local stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.options import json_option
from headwater.stack.defaults import KAFKA_PORT, WEB_PORT
from pipeline.errors import ExitCode
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from headwater.stack.parts import Part
    from quality.health import Health

port = click.IntRange(1, 65535)


@click.command()
@click.option("--cell", "cells", multiple=True, default=("us",), show_default=True)
@click.option("--kafka-port", type=port, help=f"The first broker's port. [default: {KAFKA_PORT}]")
@click.option("--web-port", type=port, help=f"The Dagster UI's port. [default: {WEB_PORT}]")
@click.option(
    "--workspace",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Dagster workspace file.  [default: the project's workspace.yaml]",
)
@json_option
def up(
    cells: tuple[str, ...],
    kafka_port: int | None,
    web_port: int | None,
    workspace: Path | None,
    as_json: bool,
) -> ExitCode:
    """Start Kafka, schema registry, Dagster UI, daemon and code servers, or what of them does not run.

    A cell that names brokers of your own in headwater.toml or the environment, or a registry, gets none here.
    Safe to repeat: what runs is left alone, what was killed starts again on its data. Everything
    listens on loopback; all data lies under HEADWATER_HOME (default .headwater). Jars that a cell's
    Spark needs (Comet, unless "spark.comet.enabled" is false) are fetched, too.

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
    return _report(parts, None, as_json=as_json)


@click.command()
@json_option
def down(as_json: bool) -> ExitCode:
    """Stop what `headwater up` started, and nothing else. Data stays; so do the ports.

    \b
    Example:
      headwater down
    """
    from headwater.stack import stack

    stack.down(load_settings(), lambda line: click.echo(line, err=True))
    click.echo(json.dumps({"stopped": True}) if as_json else "stopped")
    return ExitCode.OK


@click.command()
@json_option
def status(as_json: bool) -> ExitCode:
    """Show how every part and every product is. Exit code 1 if one is not well.

    Of each part: address, process, log, and whether it answers. Of each product: who ingests it, records
    that wait and how long the oldest has, the last commit, hours overdue, open alerts. What is to be seen
    to stands below. A product is not well while nobody ingests it, unless its topic does not exist yet.

    \b
    Example:
      headwater status --json
    """
    from headwater.cli.render.status import print_health
    from headwater.stack import stack
    from headwater.stack.products import products_health

    settings = load_settings()
    parts = stack.status(settings)
    products = products_health(settings, stack.cells(settings)) if parts else ()
    code = _report(parts, products, as_json=as_json)
    if parts and not as_json:
        print_health(products)
    return code


def _report(
    parts: tuple[Part, ...], products: tuple[Health, ...] | None, *, as_json: bool
) -> ExitCode:
    from headwater.cli.render.status import is_well, print_parts, to_json

    if as_json:
        click.echo(to_json(parts, products))
    elif not parts:
        click.echo("nothing was started yet: run `headwater up`")
    else:
        print_parts(parts)
    return ExitCode.OK if is_well(parts, products) else ExitCode.CHECK_FAILED
