"""`headwater sql`: questions to a cell's tables and their history."""

from __future__ import annotations

import sys

import click

from headwater.cli.options import cell_option, json_option
from pipeline.errors import ExitCode


@click.command()
@click.argument("query", required=False)
@cell_option
@click.option("--tables", is_flag=True, help="List the tables and views that a query may name.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Print so many rows, 0 for all of them; --json prints all.",
)
@json_option
def sql(query: str | None, cell: str, tables: bool, limit: int, as_json: bool) -> ExitCode:
    """Run QUERY, one SELECT in DuckDB's dialect, over the cell's Iceberg tables. Nothing can be written.

    Tables are named PRODUCT.TABLE, or TABLE alone where one product has it. Every product has two views
    more, which outlive expiry, compaction and rollback: table_history has a row for each snapshot of
    its tables, table_changes one for each source of each snapshot. By their names alone they are those of
    all products. QUERY is read from standard input if it is a dash. --json prints an object a line.

    Exit codes: 0 answered, 3 the query cannot be run, 4 try again.

    \b
    Examples:
      headwater sql "SELECT * FROM table_history WHERE snapshot_id = 456" --cell us
      headwater sql "SELECT lineage FROM table_changes WHERE source_topic = 'plays' AND offset > 99" --cell us
      headwater sql "SELECT hour(_event_time) AS hour, count(*) FROM events GROUP BY ALL" --cell us
      headwater sql --tables --cell us
      headwater sql - --cell us --json
    """
    from headwater.cli.render.lineage.query import print_answer, print_table_names
    from pipeline.cells import load_cell
    from pipeline.query.run import list_tables, run_query
    from pipeline.settings import load_settings
    from pipeline.tables.catalog import open_catalog

    where = load_cell(load_settings().home, cell)
    if tables or query is None:
        print_table_names(list_tables(open_catalog(where)), as_json=as_json)
        return ExitCode.OK
    text = sys.stdin.read() if query == "-" else query
    with run_query(where, text) as answer:
        print_answer(answer, limit, as_json=as_json)
    return ExitCode.OK
