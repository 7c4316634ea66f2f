"""`headwater lineage PRODUCT --completeness`: the share of rows that can be told where they came from."""

from __future__ import annotations

import json

import click

from headwater.cli.render.tables import print_table
from headwater.cli.render.values import plain
from pipeline.cells import Cell
from pipeline.completeness.measure import measure_completeness
from pipeline.completeness.model import Completeness
from pipeline.contract.model import Product
from pipeline.errors import ExitCode

_NAMED = 5


def show_completeness(cell: Cell, product: Product, *, as_json: bool) -> ExitCode:
    """Measure and print the completeness of each table; return whether all of them are full."""
    found = measure_completeness(cell, product)
    if as_json:
        click.echo(json.dumps([_document(one) for one in found], indent=2))
    else:
        columns = ("table", "rows#", "without lineage#", "completeness#", "hours")
        print_table("", columns, map(_line, found))
    return ExitCode.OK if all(one.is_full for one in found) else ExitCode.CHECK_FAILED


def _document(one: Completeness) -> dict[str, object]:
    return {
        "table": one.table,
        "rows": one.rows,
        "without_lineage": one.lacking,
        "completeness": one.ratio,
        "hours": {str(plain(hour)): rows for hour, rows in (one.hours or {}).items()},
    }


def _line(one: Completeness) -> tuple[str, ...]:
    hours = list(one.hours or {})
    named = ", ".join(f"{hour:%Y-%m-%dT%H}" for hour in hours[:_NAMED])
    more = f" and {len(hours) - _NAMED:,} more" if len(hours) > _NAMED else ""
    # Below it, never rounded up to it.
    share = "100 %" if one.is_full else f"{min(one.ratio * 100, 99.9999):.4f} %"
    return one.table, f"{one.rows:,}", f"{one.lacking:,}", share, named + more
