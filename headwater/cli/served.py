"""`headwater features served` and `list`: what readers of feature tables get, and how old it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta

import click

from headwater.cli.options import cell_option, json_option, product_argument, resolve
from headwater.cli.tables import print_table
from pipeline.cells import Cell, load_cell
from pipeline.contract.load import load_products
from pipeline.contract.model import Product
from pipeline.contract.units import in_words
from pipeline.errors import ExitCode
from pipeline.features.served import NotServedError, Served
from pipeline.features.served import served as look
from pipeline.settings import load_settings
from quality.latency import Indicators, look_at_latency

MINUTE = "%Y-%m-%dT%H:%M"


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
    loaded, where = resolve(product, cell)
    found = look(where, loaded, table)
    indicators = _indicators(where, loaded, table)
    if as_json:
        click.echo(json.dumps(_document(where, loaded, found, indicators)))
    else:
        _show(where, found, indicators)
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
    settings = load_settings()
    where = load_cell(settings.home, cell)
    found = [
        (product, one.name, _look(where, product, one.name))
        for product in load_products(settings.contracts)
        if cell in product.cells
        for one in product.aggregates
        if one.feature is not None
    ]
    if as_json:
        documents = [
            _document(where, product, seen, _indicators(where, product, name))
            if seen
            else {"product": product.name, "cell": cell, "table": name, "snapshot_id": None}
            for product, name, seen in found
        ]
        click.echo(json.dumps(documents))
        return ExitCode.OK
    rows = [
        (product.name, name, *(_line(seen) if seen else ("", "", "", "not served yet")))
        for product, name, seen in found
    ]
    columns = ["product", "table", "as of (UTC)", "age#", "objective#", "state"]
    print_table(f"feature tables in {cell}", columns, rows)
    return ExitCode.OK


def _look(cell: Cell, product: Product, table: str) -> Served | None:
    try:
        return look(cell, product, table)
    except NotServedError:
        return None


def _indicators(cell: Cell, product: Product, table: str) -> Indicators | None:
    seen = {one.aggregate.name: one.indicators for one in look_at_latency(cell, product)}
    return seen.get(table)


def _document(
    cell: Cell, product: Product, found: Served, indicators: Indicators | None
) -> dict[str, object]:
    return {
        "product": product.name,
        "cell": cell.name,
        "table": found.table.partition(".")[2],
        "snapshot_id": found.snapshot_id,
        "as_of": found.as_of.isoformat(),
        "age_s": found.age.total_seconds(),
        "looked_at": found.looked_at.isoformat(),
        "fallback": found.is_fallback,
        "reasons": list(found.reasons),
        "missing": {hour.isoformat(): why for hour, why in found.missing.items()},
        "newest_hour": found.newest_hour.isoformat(),
        "expected_hour": found.expected_hour.isoformat() if found.expected_hour else None,
        "objective_s": found.objective.total_seconds() if found.objective else None,
        "indicators": None
        if indicators is None
        else {
            **asdict(indicators),
            "window": indicators.window.total_seconds(),
            "punctuality": indicators.punctuality,
            "success_rate": indicators.success_rate,
        },
    }


def _show(cell: Cell, found: Served, indicators: Indicators | None) -> None:
    state = "a fallback" if found.is_fallback else "fresh"
    click.echo(f"{cell.name}.{found.table}: {state}, as of {found.as_of:{MINUTE}} UTC")
    click.echo(f"  age       {_age(found.age)}")
    click.echo(f"  snapshot  {found.snapshot_id} (tag `served`)")
    if found.objective is not None:
        click.echo(f"  objective an hour is published within {in_words(found.objective)}")
    if indicators is not None and indicators.due:
        click.echo(
            f"  in time   {indicators.in_time:,} of {indicators.due:,} hours that were due within "
            f"{in_words(indicators.window)}"
        )
    for reason in found.reasons:
        click.echo(f"  because   {reason}")


def _line(found: Served) -> tuple[str, str, str, str]:
    objective = in_words(found.objective) if found.objective else ""
    state = f"fallback: {'; '.join(found.reasons)}" if found.is_fallback else "fresh"
    return f"{found.as_of:{MINUTE}}", _age(found.age), objective, state


def _age(age: timedelta) -> str:
    days, rest = divmod(int(age.total_seconds()), 86_400)
    return f"{days} d " * bool(days) + f"{rest // 3_600}:{rest // 60 % 60:02} h"
