"""What `headwater features served` and `list` print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

import click

from headwater.cli.render.tables import print_table
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.contract.settings.units import in_words
from pipeline.features.serving import NotServedError, ServingStatus, serving_status
from pipeline.latency.indicators import LatencyIndicators
from pipeline.latency.measure import measure_latency

MINUTE = "%Y-%m-%dT%H:%M"


def print_served(cell: Cell, product: Product, found: ServingStatus, *, as_json: bool) -> None:
    """Print what readers of one feature table get."""
    indicators = _indicators(cell, product, found.table.partition(".")[2])
    if as_json:
        click.echo(json.dumps(_document(cell, product, found, indicators)))
    else:
        _show(cell, found, indicators)


def print_all_served(cell: Cell, products: Sequence[Product], *, as_json: bool) -> None:
    """Print what readers of each feature table of `products` get."""
    found = [
        (product, one.name, _look(cell, product, one.name))
        for product in products
        for one in product.derived_tables
        if one.feature is not None
    ]
    if as_json:
        documents = [
            _document(cell, product, seen, _indicators(cell, product, name))
            if seen
            else {"product": product.name, "cell": cell.name, "table": name, "snapshot_id": None}
            for product, name, seen in found
        ]
        click.echo(json.dumps(documents))
        return
    rows = [
        (product.name, name, *(_line(seen) if seen else ("", "", "", "not served yet")))
        for product, name, seen in found
    ]
    columns = ["product", "table", "as of (UTC)", "age#", "objective#", "state"]
    print_table(f"feature tables in {cell.name}", columns, rows)


def _look(cell: Cell, product: Product, table: str) -> ServingStatus | None:
    try:
        return serving_status(cell, product, table)
    except NotServedError:
        return None


def _indicators(cell: Cell, product: Product, table: str) -> LatencyIndicators | None:
    seen = {one.derived_table.name: one.indicators for one in measure_latency(cell, product)}
    return seen.get(table)


def _document(
    cell: Cell, product: Product, found: ServingStatus, indicators: LatencyIndicators | None
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


def _show(cell: Cell, found: ServingStatus, indicators: LatencyIndicators | None) -> None:
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


def _line(found: ServingStatus) -> tuple[str, str, str, str]:
    objective = in_words(found.objective) if found.objective else ""
    state = f"fallback: {'; '.join(found.reasons)}" if found.is_fallback else "fresh"
    return f"{found.as_of:{MINUTE}}", _age(found.age), objective, state


def _age(age: timedelta) -> str:
    days, rest = divmod(int(age.total_seconds()), 86_400)
    return f"{days} d " * bool(days) + f"{rest // 3_600}:{rest // 60 % 60:02} h"
