"""`headwater contract plan` and `apply`: what tables lack to hold what their contract says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from headwater.cli.render.tables import print_table
from pipeline.errors import ExitCode
from pipeline.evolution.model import Step, Verdict


@click.command()
@product_argument
@cell_option
@json_option
def plan(product: str, cell: str, as_json: bool) -> ExitCode:
    """Show what brings the tables of PRODUCT to what its contract says. Changes nothing.

    A step is safe, needs a rewrite, or is refused with the reason. A running ingest carries out safe steps
    by itself. Exit codes: 0 nothing is refused, 1 something is, 3 somebody must act, 4 try again.

    \b
    Examples:
      headwater contract plan viewing_events --cell us
      headwater contract plan viewing_events --cell us --json
    """
    from headwater.evolution import plan_product

    loaded, where = resolve(product, cell)
    with progress("comparing tables", quiet=as_json):
        steps = plan_product(where, loaded)
    _print(steps, as_json=as_json)
    refused = any(step.verdict is Verdict.REFUSED for step in steps)
    return ExitCode.CHECK_FAILED if refused else ExitCode.OK


@click.command()
@product_argument
@cell_option
@json_option
def apply(product: str, cell: str, as_json: bool) -> ExitCode:
    """Bring the tables of PRODUCT to what its contract says, rewriting files where that is needed.

    Nothing is done where something is refused. Killed at any moment, it is completed by running it again;
    it may run beside an ingest. Exit codes: 0 done, 3 a step is refused, 4 try again.

    \b
    Examples:
      headwater contract apply viewing_events --cell us
    """
    from headwater.evolution import apply_product

    loaded, where = resolve(product, cell)
    with progress("changing tables", quiet=as_json):
        steps = apply_product(where, loaded, lambda step: _print_step(step, quiet=as_json))
    _print(steps, as_json=as_json)
    return ExitCode.OK


def _print_step(step: Step, *, quiet: bool) -> None:
    if not quiet:
        click.echo(f"{step}", err=True)


def _print(steps: Sequence[Step], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(step) for step in steps], indent=2))
        return
    if not steps:
        click.echo("nothing differs: the tables are as the contract says")
        return
    print_table(
        "steps from tables to contract",
        ["table", "step", "column", "from what to what", "verdict"],
        [
            (
                step.table,
                step.action,
                step.column,
                step.detail,
                f"{step.verdict}: {step.reason}" if step.reason else step.verdict,
            )
            for step in steps
        ],
    )
