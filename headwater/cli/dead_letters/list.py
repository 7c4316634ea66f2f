"""`headwater dead-letters list`: which dead letters there are, and what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headwater.cli.dead_letters.filters import filters
from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.dead_letters.selection import Selection


@click.command(name="list")
@product_argument
@cell_option
@filters
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="List as many at most, the newest.",
)
@json_option
def list_letters(
    product: str, cell: str, selection: Selection, limit: int, as_json: bool
) -> ExitCode:
    """List PRODUCT's dead letters that the filters select, the newest last.

    Texts that details quote are masked where the contract has personal data. Exit codes: 0 listed, also
    where there is none, 3 somebody must act, 4 try again.

    \b
    Examples:
      headwater dead-letters list viewing_events --cell us
      headwater dead-letters list viewing_events --cell us --reason undecodable --fate open --limit 10
      headwater dead-letters list viewing_events --cell us --since 2026-01-01T05:30 --producer player
      headwater dead-letters list viewing_events --cell us --partition 3 --offsets 1200..1500 --json
    """
    from headwater.cli.render.dead_letters.listing import print_listing
    from pipeline.dead_letters.look.listing import list_letters as listed
    from pipeline.dead_letters.look.masking import Mask
    from pipeline.dead_letters.read import load_letter_tables

    loaded, where = resolve(product, cell)
    with progress("reading dead letters", quiet=as_json):
        found = listed(load_letter_tables(where, loaded), selection, limit)
    print_listing(found, Mask(loaded), as_json=as_json)
    return ExitCode.OK
