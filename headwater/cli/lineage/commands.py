"""`headwater lineage`: a product's tables and columns as text, as JSON, or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from headwater.cli.options import all_products, json_option, resolve, resolve_product
from headwater.cli.progress import progress
from pipeline.errors import ExitCode
from pipeline.settings import all_settings

if TYPE_CHECKING:
    from headwater.cli.lineage.gathered import Gathered


def _complete_products(_context: object, _parameter: object, begun: str) -> list[str]:
    return [name for name in all_products() if name.startswith(begun)]


def _complete_cells(_context: object, _parameter: object, begun: str) -> list[str]:
    return [name for name in all_settings().cells if name.startswith(begun)]


@click.command()
@click.argument("product", required=False, metavar="[PRODUCT]", shell_complete=_complete_products)
@click.option(
    "--cell",
    help="Tell what this cell has of it, too.  [default: the only one that there is, if it lives there]",
    shell_complete=_complete_cells,
)
@click.option(
    "--html",
    type=click.Path(path_type=Path),
    help="Write a page to this file; without PRODUCT a page for each to this folder, and an index.",
)
@click.option(
    "--completeness",
    is_flag=True,
    help="Measure what share of PRODUCT's rows in the cell can be told where they came from.",
)
@json_option
def lineage(
    product: str | None, cell: str | None, html: Path | None, completeness: bool, as_json: bool
) -> ExitCode:
    """Show the lineage of PRODUCT, or of all: its tables, and of each column what it is made from.

    As contracts say it, from the topic over events to derived tables. Of a cell it tells rows, the newest
    snapshots, the published hours of the last week and how many events are in which state; asks no Kafka.
    A page is one file that needs no network: the graph drawn, to be searched by column.

    --completeness holds events to the ledger, and the last 48 hours of derived tables to publications: below
    100 % somebody else wrote to a table, and nothing is published of it.
    Exit codes: 0 done, 1 completeness is below 100 %, 3 somebody must act, 4 try again.

    \b
    Examples:
      headwater lineage viewing_events
      headwater lineage viewing_events --cell us --json
      headwater lineage viewing_events --html viewing_events.html
      headwater lineage --html lineage/
      headwater lineage viewing_events --cell us --completeness
    """
    if completeness:
        return _completeness(product, cell, as_json=as_json)
    from headwater.cli.lineage.render import print_lineage, write_page, write_site

    with progress("reading", quiet=as_json):
        names = [product] if product else all_products()
        gathered = [one for name in names if (one := _gather(name, cell, every=not product))]
    if html is None:
        print_lineage(gathered, listed=not product, as_json=as_json)
    elif product:
        write_page(gathered[0], html, as_json=as_json)
    else:
        write_site(gathered, html, as_json=as_json)
    return ExitCode.OK


def _completeness(product: str | None, cell: str | None, *, as_json: bool) -> ExitCode:
    from headwater.cli.lineage.completeness import show_completeness

    if product is None:
        raise click.UsageError("--completeness is of one product: name it.")
    cells = all_settings().cells
    if cell is None and len(cells) != 1:
        raise click.UsageError("--completeness is of one cell: name it with --cell.")
    loaded, where = resolve(product, cell or cells[0])
    with progress("measuring", quiet=as_json):
        return show_completeness(where, loaded, as_json=as_json)


def _gather(name: str, cell: str | None, *, every: bool) -> Gathered | None:
    """Return what is to be told of a product; None of one of `every` that does not live in the cell."""
    from headwater.cli.lineage.gathered import gather

    loaded = resolve_product(name)
    if cell is None:
        cells = all_settings().cells
        only = cells[0] if len(cells) == 1 and cells[0] in loaded.cells else None
        return gather(loaded, None if only is None else resolve(name, only)[1])
    if every and cell not in loaded.cells:
        return None
    return gather(loaded, resolve(name, cell)[1])
