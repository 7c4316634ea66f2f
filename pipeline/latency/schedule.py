"""When the hours of a derived table were to be published, and when they were. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.clock import HOUR
from pipeline.contract.model import DerivedTable, Product, published_table
from pipeline.contract.objectives import latency_objective
from pipeline.contract.settings.units import in_words
from pipeline.control.alerts import Alert, AlertKind
from pipeline.control.publications import Publication
from pipeline.hours.closings import HourClosings
from pipeline.latency.deadlines import deadlines


@dataclass(frozen=True)
class Schedule:
    """The hours of one table that has a latency objective, as of `now`.

    Attributes:
        table: the identifier that its hours are published under.
        deadlines: hour -> by when it is to be published, oldest first.
        published: hour -> when it was first published.
        closings: what the deadlines come from.
    """

    table: str
    objective: timedelta
    deadlines: Mapping[datetime, datetime]
    published: Mapping[datetime, datetime]
    closings: HourClosings
    now: datetime

    @property
    def expected(self) -> datetime | None:
        """The newest hour that is to be published by now; None where there is none."""
        return max((hour for hour, by in self.deadlines.items() if by <= self.now), default=None)

    @property
    def missed(self) -> tuple[datetime, ...]:
        """Hours that were not published by their deadline, published since or not; oldest first."""
        return tuple(
            hour for hour, by in self.deadlines.items() if self.published.get(hour, self.now) > by
        )

    @property
    def overdue(self) -> tuple[datetime, ...]:
        """Hours that were missed and are not published yet, oldest first."""
        return tuple(hour for hour in self.missed if hour not in self.published)

    def why_missed(self, hour: datetime) -> str:
        """Return what is to be said of a missed hour, for people."""
        closed_at = self.closings.closed_at.get(hour)
        ended_since = self.closings.since is not None and hour + HOUR > self.closings.since
        clock = "its end" if ended_since else "being closed"
        what = f"not published within {in_words(self.objective)} of {clock}"
        if hour in self.published:
            return f"{what} but at {self.published[hour]:%Y-%m-%dT%H:%M:%SZ}"
        return what if closed_at else f"{what}: not closed yet, ingest is behind"


def schedule(
    product: Product,
    derived_table: DerivedTable,
    closings: HourClosings,
    publications: Iterable[Publication],
    now: datetime,
    since: datetime | None = None,
) -> Schedule | None:
    """Return the table's schedule; None where its contract has no latency objective.

    Of the hours from `since` on, if it is given; `closings` and `publications` need hold no others.
    """
    objective = latency_objective(product, derived_table.name)
    if objective is None:
        return None
    table = published_table(product, derived_table)
    first: dict[datetime, datetime] = {}
    for one in publications:
        if one.table == table:
            first[one.hour] = min(one.published_at, first.get(one.hour, one.published_at))
    promised = deadlines(closings, objective, now, since)
    return Schedule(table, objective, promised, first, closings, now)


def missed_alerts(schedule: Schedule) -> tuple[Alert, ...]:
    """Return an alert for each missed hour, oldest first; its `run_id` is empty: no run found it."""
    return tuple(
        Alert(
            at=schedule.now,
            table=schedule.table,
            hour=hour,
            kind=AlertKind.OVERDUE,
            detail=schedule.why_missed(hour),
            run_id="",
        )
        for hour in schedule.missed
    )
