"""`headwater dead-letters count`: how many dead letters there are of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headwater.cli.dead_letters.filters import filters
from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.dead_letters.selection import Selection


@click.command()
@product_argument
@cell_option
@filters
@click.option(
    "--by",
    type=click.Choice(["fate", "reason", "producer", "schema-id", "hour"]),
    multiple=True,
    help="Count by this; several times for several.  [default: fate and reason]",
)
@json_option
def count(
    product: str, cell: str, selection: Selection, by: tuple[str, ...], as_json: bool
) -> ExitCode:
    """Count PRODUCT's dead letters that the filters select, by what became of them and by reason.

    Hours are those in which they were ingested. Exit codes: 0 counted, also where there is none, 3 somebody
    must act, 4 try again.

    \b
    Examples:
      headwater dead-letters count viewing_events --cell us
      headwater dead-letters count viewing_events --cell us --fate open --by producer --by schema-id
      headwater dead-letters count viewing_events --cell us --reason stale --by hour --json
    """
    from headwater.cli.render.dead_letters.listing import print_counts
    from pipeline.dead_letters.look.listing import count_letters
    from pipeline.dead_letters.read import load_letter_tables

    loaded, where = resolve(product, cell)
    with progress("counting dead letters", quiet=as_json):
        tables = load_letter_tables(where, loaded)
        found = count_letters(tables, selection, by or ("fate", "reason"))
    print_counts(found, as_json=as_json)
    return ExitCode.OK
