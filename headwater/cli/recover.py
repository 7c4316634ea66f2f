"""`headwater recover`: tables that the catalog has lost, registered again from their metadata files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from headwater.cli.options import cell_option, json_option
from headwater.cli.progress import progress
from headwater.cli.render.tables import print_table
from pipeline.errors import ExitCode
from pipeline.settings import load_settings

if TYPE_CHECKING:
    from pipeline.recovery.model import RecoveryStep


@click.command()
@click.argument("product", metavar="[PRODUCT]", required=False)
@cell_option
@click.option(
    "--explain", is_flag=True, help="Show what would be registered, and register nothing."
)
@click.option(
    "--new-registry",
    is_flag=True,
    help="Begin another schema registry in place of one that is lost and has no backup.",
)
@json_option
def recover(
    product: str | None, cell: str, explain: bool, new_registry: bool, as_json: bool
) -> ExitCode:
    """Register the tables of a cell's warehouse, or of PRODUCT, that its catalog has lost.

    Each is registered from its newest metadata file that can be used; what the catalog has stays as it is.
    Asks no contract. Then run `headwater ledger PRODUCT --verify`. Exit codes: 0 every table is
    registered, 3 one is refused, with the reason, 4 try again.

    \b
    Examples:
      headwater recover --cell us --explain
      headwater recover viewing_events --cell us
    """
    from pipeline.cells import load_cell
    from pipeline.recovery.execute import plan
    from pipeline.recovery.execute import recover as execute
    from pipeline.recovery.model import RecoveryAction
    from pipeline.schemas.open import open_embedded_registry

    where = load_cell(load_settings().home, cell)
    if new_registry and not explain:
        open_embedded_registry(where, recovering=True)
    with progress("reading the warehouse", quiet=as_json):
        steps = (plan if explain else execute)(where, product)
    if as_json:
        click.echo(json.dumps([asdict(step) for step in steps], indent=2))
    else:
        _print(steps, product)
    refused = any(step.action is RecoveryAction.REFUSE for step in steps)
    return ExitCode.TERMINAL if refused else ExitCode.OK


def _print(steps: Sequence[RecoveryStep], product: str | None) -> None:
    if not steps:
        click.echo(f"no tables{f' of {product}' if product else ''} lie in the warehouse")
        return
    print_table(
        "tables in the warehouse",
        ["table", "step", "version#", "why"],
        [
            (
                step.table,
                step.action,
                "" if step.version is None else f"{step.version:,}",
                step.reason,
            )
            for step in steps
        ],
    )
