"""`headwater dead-letters discard`: deciding that nothing is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from headwater.cli.dead_letters.filters import filters
from headwater.cli.options import cell_option, json_option, product_argument, resolve, user_name
from headwater.cli.progress import progress
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.dead_letters.selection import Selection


@click.command()
@product_argument
@cell_option
@filters
@click.option("--why", required=True, help="Why; kept for ever.")
@click.option("--by", default=user_name, help="Who does it.  [default: the user's name]")
@json_option
def discard(
    product: str, cell: str, selection: Selection, why: str, by: str, as_json: bool
) -> ExitCode:
    """Discard PRODUCT's open dead letters that the filters select: all of them, or none.

    They stay in their table, and are open no more. It cannot be taken back. What arrives meanwhile is not
    selected. Exit codes: 0 done, also where none was open, 3 somebody must act, 4 try again.

    \b
    Examples:
      headwater dead-letters discard viewing_events --cell us --reason undecodable \\
          --since 2026-01-01T05:30 --until 2026-01-01T05:31 --why "INC-12: bytes of a broken disk"
      headwater dead-letters discard viewing_events --cell us --partition 3 --offsets 120..121 --why "a test"
    """
    from headwater.cli.render.dead_letters.replay import print_discarded
    from pipeline.dead_letters.discard import discard as discard_letters

    loaded, where = resolve(product, cell)
    with progress("discarding dead letters", quiet=as_json):
        done = discard_letters(where, loaded, selection, by=by, reason=why)
    print_discarded(done, as_json=as_json)
    return ExitCode.OK
