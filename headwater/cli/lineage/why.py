"""`headwater why`: what an hour of a derived table was made from, and what changed between its builds."""

from __future__ import annotations

from datetime import datetime

import click

from headwater.cli.hours.hour import EXAMPLE
from headwater.cli.hours.hour import hour as hour_type
from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from pipeline.errors import ExitCode


def _key(text: str) -> tuple[str, str]:
    """Return the column and the value of a text `COL=VALUE`.

    Raises:
        click.BadParameter: it is none.
    """
    column, equals, value = text.partition("=")
    if not equals or not column:
        raise click.BadParameter(f"{text!r} is not COL=VALUE; region=eu is.")
    return column, value


@click.command()
@product_argument
@click.argument("table", metavar="TABLE")
@cell_option
@click.option(
    "--hour", type=hour_type, metavar="HOUR", required=True, help=f"The hour (UTC), e.g. {EXAMPLE}."
)
@click.option(
    "--key",
    "key",
    type=_key,
    metavar="COL=VALUE",
    multiple=True,
    help="Show the rows with this value, now and of the build before; several times for several columns.",
)
@json_option
def why(
    product: str,
    table: str,
    cell: str,
    hour: datetime,
    key: tuple[tuple[str, str], ...],
    as_json: bool,
) -> ExitCode:
    """Show why an hour of PRODUCT's derived table TABLE is as it is.

    What its last publication was made from: the snapshot of events, the commits whose rows are in it with
    their offsets, the hours and builds of other tables that it read; run, contract version and audit. Then
    what changed since the build before: rows that came, inputs that are others, the contract, and whether
    its rows are others.

    With --key rows are shown as they are, personal data too; those of the build before as long as its
    snapshot is kept. Exit codes: 0 told, 3 there is no such table, or nothing was published of the hour,
    4 try again.

    \b
    Examples:
      headwater why viewing_events content_engagement_hourly --cell us --hour 2026-01-01T05
      headwater why viewing_events content_engagement_hourly --cell us --hour 2026-01-01T05 \\
          --key content_id=c-17 --key region=eu
      headwater why viewing_events user_preference_features --cell us --hour 2026-01-01T05 --json
    """
    from headwater.cli.render.lineage.why import print_cause
    from pipeline.impact.cause import read_cause

    loaded, where = resolve(product, cell)
    with progress("looking for what it was made from", quiet=as_json):
        found = read_cause(where, loaded, table, hour, dict(key))
    print_cause(found, as_json=as_json)
    return ExitCode.OK
