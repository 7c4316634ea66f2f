"""`headwater hours preview`: a table's rows for an hour, and nothing of it kept."""

from __future__ import annotations

from datetime import datetime

import click

from headwater.cli.hours.hour import EXAMPLE
from headwater.cli.hours.hour import hour as hour_type
from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from pipeline.errors import ExitCode
from pipeline.settings import load_settings


@click.command()
@product_argument
@click.argument("table", metavar="TABLE")
@cell_option
@click.option(
    "--hour",
    type=hour_type,
    metavar="HOUR",
    required=True,
    help=f"The hour (UTC), e.g. {EXAMPLE}.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Show as many rows at most.",
)
@click.option(
    "--explain", is_flag=True, help="Print what would be computed and from what; then end."
)
@json_option
def preview(
    product: str, table: str, cell: str, hour: datetime, limit: int, explain: bool, as_json: bool
) -> ExitCode:
    """Show the rows that a build would make of an hour of TABLE now, without publishing them.

    It computes from main as it is, by the table's logic in the contract, and leaves nothing behind: no
    staging, no fence, no tag. Of an hour that is not closed it says so: rows may still come. Nothing is
    audited. Rows are shown as they are, personal data too. Exit codes: 0 shown, 3 somebody must act (the
    logic fails, there is no such table), 4 try again.

    \b
    Examples:
      headwater hours preview viewing_events content_engagement_hourly --cell us --hour 2026-01-01T05
      headwater hours preview viewing_events content_engagement_hourly --cell us --hour 2026-01-01T05 \\
          --limit 5 --json
      headwater hours preview viewing_events viewing_features_raw --cell us --hour 2026-01-01T05 --explain
    """
    from headwater.cli.render.preview import print_preview, print_preview_plan
    from pipeline.batch.preview import compute_preview, plan_preview

    loaded, where = resolve(product, cell)
    plan = plan_preview(where, loaded, table, hour)
    if explain:
        print_preview_plan(plan, as_json=as_json)
        return ExitCode.OK
    # Spark takes seconds to start: only for who computes.
    from pipeline.spark.jars import spark_jars
    from pipeline.spark.session import start_session

    with progress("computing the hour", quiet=as_json):
        spark = start_session(where, spark_jars(load_settings().cache, where))
        try:
            found = compute_preview(spark, where, loaded, plan, limit)
        finally:
            spark.stop()
    print_preview(plan, found, as_json=as_json)
    return ExitCode.OK
