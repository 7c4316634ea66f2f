"""`headwater features served` and `list`: what readers of feature tables get, and how old it is."""

from __future__ import annotations

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from pipeline.errors import ExitCode
from pipeline.settings import load_settings


@click.command()
@product_argument
@click.argument("table", metavar="TABLE")
@cell_option
@json_option
def served(product: str, table: str, cell: str, as_json: bool) -> ExitCode:
    """Tell what readers of feature table TABLE get: as of when, and why it is not newer.

    Readers get the snapshot under the tag `served`. It is a fallback, the last good state, while the last
    audit of a newer hour failed or an hour is overdue. Asks no Kafka and starts no Spark.
    Exit codes: 0 fresh, 1 a fallback, 3 nothing is served, 4 try again.

    \b
    Examples:
      headwater features served viewing_events user_preference_features --cell us
      headwater features served viewing_events user_preference_features --cell us --json
    """
    from headwater.cli.render.served import print_served
    from pipeline.features.serving import serving_status

    loaded, where = resolve(product, cell)
    found = serving_status(where, loaded, table)
    print_served(where, loaded, found, as_json=as_json)
    return ExitCode.CHECK_FAILED if found.is_fallback else ExitCode.OK


@click.command(name="list")
@cell_option
@json_option
def list_served(cell: str, as_json: bool) -> ExitCode:
    """List the cell's feature tables, and what their readers get.

    \b
    Examples:
      headwater features list --cell us
      headwater features list --cell us --json
    """
    from headwater.cli.render.served import print_all_served
    from pipeline.cells import load_cell
    from pipeline.contract.load import load_products

    settings = load_settings()
    where = load_cell(settings.home, cell)
    products = [one for one in load_products(settings.contracts) if cell in one.cells]
    print_all_served(where, products, as_json=as_json)
    return ExitCode.OK
