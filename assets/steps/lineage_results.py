"""Verdicts on the completeness of lineage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg

from assets.keys import LINEAGE_CHECK, Keys
from pipeline.cells import Cell
from pipeline.completeness.measure import events_completeness, hours_completeness
from pipeline.completeness.model import Completeness
from pipeline.contract.model import Product
from pipeline.control.publications import HourSpan, read_recorded
from pipeline.ledger.ledger import Ledger

_MOST_HOURS = 24


def events_lineage_evaluation(keys: Keys, ledger: Ledger) -> dg.AssetCheckEvaluation:
    """Return the lineage check's verdict on events while a run goes on."""
    found = events_completeness(ledger)
    return dg.AssetCheckEvaluation(
        asset_key=keys.events,
        check_name=LINEAGE_CHECK,
        passed=found.is_full,
        metadata=_metadata([found]),
        blocking=True,
    )


def events_lineage_result(keys: Keys, ledger: Ledger) -> dg.AssetCheckResult:
    """Return the lineage check's verdict on events at the end of a run."""
    found = events_completeness(ledger)
    return _result(keys.events, [found])


def hours_lineage_results(
    keys: Keys,
    cell: Cell,
    product: Product,
    hours: Sequence[datetime],
    derived_tables: Sequence[str],
) -> Iterator[dg.AssetCheckResult]:
    """Yield the verdict on each of some derived tables, of the hours from the first to the last of `hours`.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    span = HourSpan(min(hours), max(hours))
    recorded = read_recorded(cell, product.name, span).publications
    for table in product.derived_tables:
        if table.name in derived_tables:
            found = hours_completeness(cell, product, span, [table.name], recorded)
            yield _result(keys.derived_table(table), found)


def _result(key: dg.AssetKey, found: Sequence[Completeness]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=LINEAGE_CHECK,
        passed=all(one.is_full for one in found),
        metadata=_metadata(found),
    )


def _metadata(found: Sequence[Completeness]) -> Mapping[str, Any]:
    rows, lacking = sum(one.rows for one in found), sum(one.lacking for one in found)
    whole = Completeness("", rows, lacking)
    hours = {
        f"{one.table} {hour:%Y-%m-%dT%H}": count
        for one in found
        for hour, count in list((one.hours or {}).items())[:_MOST_HOURS]
    }
    return {
        "rows": rows,
        "rows without lineage": lacking,
        "completeness (%)": 100 * whole.ratio,
        **({"rows without lineage by hour": dg.MetadataValue.json(hours)} if hours else {}),
    }
