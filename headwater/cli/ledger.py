"""`headwater ledger`: every offset accounted for."""

from __future__ import annotations

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.progress import progress
from pipeline.errors import ExitCode


@click.command()
@product_argument
@cell_option
@click.option(
    "--verify",
    is_flag=True,
    help="Recount: every entry, the tables by scanning them, the topic by another client, replays.",
)
@click.option(
    "--last",
    type=click.IntRange(min=0),
    default=48,
    show_default=True,
    help="List as many hours of commits, up to the last one's.",
)
@json_option
def ledger(product: str, cell: str, verify: bool, last: int, as_json: bool) -> ExitCode:
    """Show the ledger of PRODUCT: rows + duplicates + dead letters + gaps + lost = offsets.

    What is older than the last maintenance is told by a closed balance, which --verify adds up anew. It
    balances only where the tables can be read: their manifests, and as many data files as the newest
    thousand, are looked for, and --verify reads all.

    Exit codes: 0 the ledger balances, 1 it does not, 3 there is nothing to show, or a file is gone or
    damaged, 4 try again.

    \b
    Examples:
      headwater ledger viewing_events --cell us
      headwater ledger viewing_events --cell us --json --verify
    """
    from headwater.cli.render.ledger import print_ledger
    from pipeline.ledger.read import read_ledger
    from pipeline.ledger.readable import check_tables_readable

    loaded, where = resolve(product, cell)
    if verify:
        # A second Kafka client and columnar scans: only for who recounts.
        from pipeline.dead_letters.balance import balance_replays
        from pipeline.ledger.verify import verify_ledger

        with progress("recounting", quiet=as_json):
            verification = verify_ledger(where, loaded, last)
            replays = balance_replays(where, loaded)
        found, problems = verification.ledger, (*verification.problems, *replays.problems)
    else:
        # No balance is claimed of tables that cannot be read.
        with progress("reading the ledger", quiet=as_json):
            check_tables_readable(where, loaded)
            verification, replays, problems = None, None, ()
            found = read_ledger(where, loaded, last)
    every = (*found.problems, *problems)
    balanced = found.balanced and not every
    print_ledger(found, verification, replays, every, balanced=balanced, as_json=as_json)
    return ExitCode.OK if balanced else ExitCode.CHECK_FAILED
