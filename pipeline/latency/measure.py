"""Measuring the hours of a product in a cell against their latency objectives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable, Product
from pipeline.contract.objectives import latency_slo
from pipeline.control.alerts import Alert, raise_alerts, read_alerts
from pipeline.control.publications import read_publications
from pipeline.hours.closings import ClosingStore, HourClosings
from pipeline.latency.indicators import LatencyIndicators, latency_indicators
from pipeline.latency.schedule import Schedule, missed_alerts, schedule
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets

NEVER = HourClosings(None, {})
"""Of a product that was never looked at."""


@dataclass(frozen=True)
class Latency:
    """A derived table that has a latency objective, as it was measured."""

    derived_table: DerivedTable
    schedule: Schedule
    indicators: LatencyIndicators


def measure_latency(cell: Cell, product: Product, clock: Clock = utc_now) -> tuple[Latency, ...]:
    """Measure every derived table with a latency objective. Asks no Kafka.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    if not any(
        latency_slo(product, derived_table.name) for derived_table in product.derived_tables
    ):
        return ()
    now = clock()
    publications = read_publications(cell, product.name)
    alerts = read_alerts(cell, product.name)
    found: list[Latency] = []
    for derived_table in product.derived_tables:
        closings = read_closings(cell, product, derived_table)
        table = schedule(product, derived_table, closings, publications, now)
        if table is not None:
            indicators = latency_indicators(product, derived_table, table, publications, alerts)
            found.append(Latency(derived_table, table, indicators))
    return tuple(found)


def alert_missed(cell: Cell, product: Product, measured: Iterable[Latency]) -> tuple[Alert, ...]:
    """Raise an alert for every missed hour that has none yet; return those. As `raise_alerts`."""
    alerts = [alert for one in measured for alert in missed_alerts(one.schedule)]
    return raise_alerts(cell, product.name, alerts)


def read_closings(cell: Cell, product: Product, derived_table: DerivedTable) -> HourClosings:
    """Return what is known of the table's hours in the cell; asks no Kafka, and places no fence."""
    try:
        committed = committed_offsets(load_table(cell, events_table(product.name)))
    except TableMissingError:
        return NEVER
    if committed is None:
        return NEVER
    return ClosingStore(cell.state_db).closings(committed.topic_id, derived_table.name)
