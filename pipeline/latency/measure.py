"""Measuring the hours of a product in a cell against their latency objectives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.batch.planning.settle import basis
from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock, hour_of, utc_now
from pipeline.contract.model import DerivedTable, Product
from pipeline.contract.objectives import latency_objective, latency_slo
from pipeline.control.alerts import Alert, raise_alerts, read_alerts
from pipeline.control.publications import HourSpan, read_recorded
from pipeline.hours.closings import ClosingStore, HourClosings
from pipeline.hours.settled import SettledStore
from pipeline.hours.states import events_id
from pipeline.latency.indicators import LatencyIndicators, latency_indicators
from pipeline.latency.schedule import Schedule, missed_alerts, schedule
from pipeline.state.open import open_state
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


@dataclass(frozen=True)
class ProductClosings:
    """When the hours of a product's tables were first seen closed.

    Attributes:
        since: the hours before it are settled, and left out unless they were closed in the window of an
            objective; None where none is known to be.
        of_tables: by derived table.
    """

    since: datetime | None
    of_tables: dict[str, HourClosings]


def measure_latency(cell: Cell, product: Product, clock: Clock = utc_now) -> tuple[Latency, ...]:
    """Measure every derived table with a latency objective. Asks no Kafka.

    Reads the hours of the objectives' windows, and those before that are not settled.

    Raises:
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    if not any(latency_slo(product, one.name) for one in product.derived_tables):
        return ()
    now = clock()
    begin = now - _longest(product)
    closings = read_closings(cell, product, now)
    span = HourSpan(closings.since, or_since=begin)
    publications = read_recorded(cell, product.name, span).publications
    alerts = read_alerts(cell, product.name, since=begin)
    found: list[Latency] = []
    for derived_table in product.derived_tables:
        closed = closings.of_tables[derived_table.name]
        table = schedule(product, derived_table, closed, publications, now, closings.since)
        if table is not None:
            indicators = latency_indicators(product, derived_table, table, publications, alerts)
            found.append(Latency(derived_table, table, indicators))
    return tuple(found)


def alert_missed(cell: Cell, product: Product, measured: Iterable[Latency]) -> tuple[Alert, ...]:
    """Raise an alert for every missed hour that has none yet; return those. As `raise_alerts`."""
    alerts = [alert for one in measured for alert in missed_alerts(one.schedule)]
    return raise_alerts(cell, product.name, alerts)


def read_closings(cell: Cell, product: Product, now: datetime) -> ProductClosings:
    """Return what is known of the hours of the product's tables; asks no Kafka, and places no fence.

    Hours that are settled, and whose deadlines no objective's window holds any more, are left out.
    """
    names = [one.name for one in product.derived_tables]
    never = ProductClosings(None, dict.fromkeys(names, NEVER))
    try:
        events = load_table(cell, events_table(product.name))
    except TableMissingError:
        return never
    committed = committed_offsets(events)
    if committed is None:
        return never
    settled = SettledStore(open_state(cell)).read(product.name)
    since, begin = None, now - _longest(product)
    if settled is not None and settled.basis == basis(product, events_id(events, committed)):
        since = min(settled.until, hour_of(begin))
    store = ClosingStore(open_state(cell))
    found = {name: store.closings(committed.topic_id, name, since, begin) for name in names}
    return ProductClosings(since, found)


def _longest(product: Product) -> timedelta:
    """Return for how long after its start an hour counts in a latency objective, at most."""
    spans = [
        timedelta(seconds=slo.window_s) + objective
        for table in product.derived_tables
        if (slo := latency_slo(product, table.name)) is not None
        and (objective := latency_objective(product, table.name)) is not None
    ]
    return max(spans, default=timedelta(0)) + HOUR
