"""How promptly the hours of derived tables are published, and how often a build passes its audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import DerivedTable, Product
from pipeline.contract.objectives import latency_slo
from pipeline.control.alerts import Alert, AlertKind, read_alerts
from pipeline.control.publications import Publication, read_publications
from pipeline.latency.timetable import Timetable, read_watch, timetable


@dataclass(frozen=True)
class LatencyIndicators:
    """Service level indicators of one table over a window, as counts: budgets are made of these.

    Attributes:
        due: hours whose deadline was in the window.
        in_time: those of them that were published by then.
        builds: hours that were built in the window and audited, each as often as it was.
        passed: those of them that were published.
        target: share of the hours due that the contract asks to be in time.
    """

    window: timedelta
    due: int
    in_time: int
    builds: int
    passed: int
    target: float

    @property
    def punctuality(self) -> float | None:
        """Share of the hours due that were in time; None where none was due."""
        return self.in_time / self.due if self.due else None

    @property
    def success_rate(self) -> float | None:
        """Share of the builds that passed; None where there were none."""
        return self.passed / self.builds if self.builds else None


@dataclass(frozen=True)
class Latency:
    """One look at a derived table that has a latency objective."""

    derived_table: DerivedTable
    timetable: Timetable
    indicators: LatencyIndicators


def measure_latency(cell: Cell, product: Product, clock: Clock = utc_now) -> tuple[Latency, ...]:
    """Look at every derived table with a latency objective. Asks no Kafka.

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
        watch = read_watch(cell, product, derived_table)
        table = timetable(product, derived_table, watch, publications, now)
        if table is not None:
            indicators = latency_indicators(product, derived_table, table, publications, alerts)
            found.append(Latency(derived_table, table, indicators))
    return tuple(found)


def latency_indicators(
    product: Product,
    derived_table: DerivedTable,
    timetable: Timetable,
    publications: Iterable[Publication],
    alerts: Iterable[Alert],
) -> LatencyIndicators:
    """Return the indicators of a table over its objective's window, which ends now. A pure function.

    An hour without rows is not audited, but counts as a build that passed.
    """
    slo = latency_slo(product, derived_table.name)
    if slo is None:
        raise TypeError("a timetable comes of an objective")
    window = timedelta(seconds=slo.window_s)

    def is_in(at: datetime) -> bool:
        return timetable.now - window < at <= timetable.now

    due = [hour for hour, by in timetable.deadlines.items() if is_in(by)]
    missed = set(timetable.missed)
    passed = sum(one.table == timetable.table and is_in(one.published_at) for one in publications)
    failed = sum(
        one.table == timetable.table and one.kind == AlertKind.AUDIT_FAILED and is_in(one.at)
        for one in alerts
    )
    return LatencyIndicators(
        window=window,
        due=len(due),
        in_time=sum(hour in timetable.published and hour not in missed for hour in due),
        builds=passed + failed,
        passed=passed,
        target=slo.target,
    )
