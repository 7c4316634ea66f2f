"""`headwater maintain`: fewer, larger files, old snapshots let go, and files that nobody names deleted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from headwater.cli.render.tables import print_table
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.contract.model import Product
    from pipeline.maintenance.execute import MaintenanceResult
    from pipeline.maintenance.run import MaintenancePlan


@click.command()
@product_argument
@cell_option
@click.option(
    "--retain-hours",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Keep snapshots younger than this, and their files; an ingest's own commits go earlier.",
)
@click.option("--due", is_flag=True, help="Do only what is due, as Dagster's job does.")
@click.option(
    "--explain",
    is_flag=True,
    help="Show what would be done, what of it is due or skipped and why; do nothing.",
)
@json_option
def maintain(
    product: str, cell: str, retain_hours: float, due: bool, explain: bool, as_json: bool
) -> ExitCode:
    """Maintain the tables of PRODUCT, beside a running ingest: what Dagster does by itself when it is due.

    Hours of events that the contract keeps no longer are deleted, small files are compacted, old snapshots
    expire, and files that no snapshot names are deleted. All other rows, offsets and ledger stay as they are.
    Exit codes: 0 done, 3 a table or its folder is not as it should be, 4 try again.

    \b
    Examples:
      headwater maintain viewing_events --cell us --explain
      headwater maintain viewing_events --cell us --retain-hours 24
      headwater maintain viewing_events --cell us --due --json
    """
    from pipeline.maintenance.plan import MaintenancePolicy
    from pipeline.maintenance.run import maintain_tables, plan_due_steps, plan_maintenance
    from pipeline.maintenance.tables import maintained_tables

    loaded, where = resolve(product, cell)
    policy = MaintenancePolicy(retain=timedelta(hours=retain_hours))
    if explain:
        with progress("looking at tables", quiet=as_json):
            planned = plan_maintenance(where, loaded, policy)
        _show_plan(loaded, planned, as_json=as_json)
        return ExitCode.OK
    steps = plan_due_steps(where, loaded, policy) if due else None
    tables = maintained_tables(loaded) if steps is None else {one.table for one in steps}
    done = []
    with progress("maintaining tables", len(tables), quiet=as_json) as advance:
        for one in maintain_tables(where, loaded, steps, policy) if tables else ():
            done.append(one)
            advance(1)
    _show_done(done, as_json=as_json)
    return ExitCode.OK


def _show_plan(product: Product, planned: Sequence[MaintenancePlan], *, as_json: bool) -> None:
    from pipeline.maintenance.tables import maintained_tables

    if as_json:
        click.echo(json.dumps([asdict(one) for one in planned], default=str))
        return
    print_table(
        "what there is to do",
        [
            "table",
            "hours to delete#",
            "rows#",
            "partitions#",
            "small files#",
            "bytes#",
            "snapshots to expire#",
            "orphan files#",
        ],
        [
            (
                one.table,
                f"{0 if one.retention is None else len(one.retention.hours):,}",
                f"{0 if one.retention is None else one.retention.rows:,}",
                f"{len({r.partition for r in one.rewritings}):,}",
                f"{sum(len(r.files) for r in one.rewritings):,}",
                f"{sum(r.bytes for r in one.rewritings):,}",
                f"{len(one.snapshots):,}",
                f"{one.orphans:,}",
            )
            for one in planned
        ],
    )
    print_table(
        "what of it is due",
        ["table", "step", "why"],
        [(due.table, due.step.value, due.reason) for one in planned for due in one.due],
    )
    absent = set(maintained_tables(product)) - {one.table for one in planned}
    print_table(
        "what --due would skip",
        ["table", "step", "why"],
        [
            *(
                (skipped.table, skipped.step.value, skipped.reason)
                for one in planned
                for skipped in one.skipped
            ),
            *((name, "all", "there is no such table yet") for name in sorted(absent)),
        ],
    )


def _show_done(done: Sequence[MaintenanceResult], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(one) for one in done], default=str))
        return
    print_table(
        "maintained",
        [
            "table",
            "hours deleted#",
            "rows#",
            "small files#",
            "became#",
            "snapshots expired#",
            "files deleted#",
            "orphans#",
        ],
        [
            (
                one.table,
                *(
                    f"{count:,}"
                    for count in (
                        one.hours_deleted,
                        one.rows_deleted,
                        one.files,
                        one.into,
                        one.snapshots,
                        one.deleted,
                        one.orphans,
                    )
                ),
            )
            for one in done
        ],
    )
