"""How promptly the hours of derived tables are published, and how often a build passes its audit. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.contract.model import DerivedTable, Product
from pipeline.contract.objectives import latency_slo
from pipeline.control.alerts import Alert, AlertKind
from pipeline.control.publications import Publication
from pipeline.latency.schedule import Schedule


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


def latency_indicators(
    product: Product,
    derived_table: DerivedTable,
    schedule: Schedule,
    publications: Iterable[Publication],
    alerts: Iterable[Alert],
) -> LatencyIndicators:
    """Return the indicators of a table over its objective's window, which ends now. A pure function.

    An hour without rows is not audited, but counts as a build that passed.
    """
    slo = latency_slo(product, derived_table.name)
    if slo is None:
        raise TypeError("a schedule comes of an objective")
    window = timedelta(seconds=slo.window_s)

    def is_in(at: datetime) -> bool:
        return schedule.now - window < at <= schedule.now

    due = [hour for hour, by in schedule.deadlines.items() if is_in(by)]
    missed = set(schedule.missed)
    passed = sum(one.table == schedule.table and is_in(one.published_at) for one in publications)
    failed = sum(
        one.table == schedule.table and one.kind == AlertKind.AUDIT_FAILED and is_in(one.at)
        for one in alerts
    )
    return LatencyIndicators(
        window=window,
        due=len(due),
        in_time=sum(hour in schedule.published and hour not in missed for hour in due),
        builds=passed + failed,
        passed=passed,
        target=slo.target,
    )
