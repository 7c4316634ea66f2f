"""`headwater maintain`: fewer, larger files, and old snapshots let go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.render.tables import print_table
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.maintenance.run import MaintenancePlan, MaintenanceResult


@click.command()
@product_argument
@cell_option
@click.option(
    "--retain-hours",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Keep snapshots younger than this, for who still reads them.",
)
@click.option("--explain", is_flag=True, help="Show what would be done, and do nothing.")
@json_option
def maintain(
    product: str, cell: str, retain_hours: float, explain: bool, as_json: bool
) -> ExitCode:
    """Compact the small files of PRODUCT and expire its old snapshots, beside a running ingest.

    Rows, offsets and ledger stay as they are. Exit codes: 0 done, 4 try again.

    \b
    Examples:
      headwater maintain viewing_events --cell us --explain
      headwater maintain viewing_events --cell us --retain-hours 24
    """
    from pipeline.maintenance.plan import MaintenancePolicy
    from pipeline.maintenance.run import maintain as run
    from pipeline.maintenance.run import plan_maintenance

    loaded, where = resolve(product, cell)
    policy = MaintenancePolicy(retain=timedelta(hours=retain_hours))
    if explain:
        _show_plan(plan_maintenance(where, loaded, policy), as_json=as_json)
    else:
        _show_done(run(where, loaded, policy), as_json=as_json)
    return ExitCode.OK


def _show_plan(planned: Sequence[MaintenancePlan], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(one) for one in planned]))
        return
    print_table(
        "maintenance that is due",
        ["table", "partitions#", "small files#", "bytes#", "snapshots to expire#"],
        [
            (
                one.table,
                f"{len({r.partition for r in one.rewritings}):,}",
                f"{sum(len(r.files) for r in one.rewritings):,}",
                f"{sum(r.bytes for r in one.rewritings):,}",
                f"{len(one.snapshots):,}",
            )
            for one in planned
        ],
    )


def _show_done(done: Sequence[MaintenanceResult], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(one) for one in done]))
        return
    print_table(
        "maintained",
        ["table", "small files#", "became#", "snapshots expired#", "files deleted#"],
        [
            (
                one.table,
                *(f"{n:,}" for n in (one.files, one.into, one.snapshots, one.deleted)),
            )
            for one in done
        ],
    )
