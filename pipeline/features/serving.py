"""What readers of a feature table get, how old it is, and why it is not newer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from pipeline.batch.wap.tags import SERVED
from pipeline.cells import Cell
from pipeline.clock import HOUR, Clock, utc_now
from pipeline.contract.model import DerivedTable, Feature, Product, published_table
from pipeline.control.alerts import Alert, AlertKind, open_alerts, read_alerts
from pipeline.control.publications import (
    HourSpan,
    Publication,
    latest,
    read_publications,
    read_recorded,
)
from pipeline.errors import TerminalError
from pipeline.features.plan import feature_table
from pipeline.latency.measure import read_closings
from pipeline.latency.schedule import Schedule, schedule
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.errors import named_errors
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import product_table


class NotServedError(TerminalError):
    """None of the feature table's hours was published with rows yet."""


@dataclass(frozen=True)
class ServingStatus:
    """What readers of one feature table get.

    Attributes:
        table: its identifier, `namespace.table`.
        snapshot_id: what the tag `served` is on; it holds every hour that is published at `looked_at`.
        newest_hour: the newest hour that was published with rows.
        expected_hour: the newest hour that the contract promises by now; None where it promises none.
        objective: how long after its end an hour may be published; None where the contract has none.
        missing: hour -> why it, or its newest build, is not served; oldest first. Hours whose values
            could not be used any more, beside those of `newest_hour`, are left out.
    """

    table: str
    snapshot_id: int
    newest_hour: datetime
    expected_hour: datetime | None
    objective: timedelta | None
    missing: Mapping[datetime, str]
    looked_at: datetime

    @property
    def as_of(self) -> datetime:
        """The end of the newest hour: the instant that its rows describe."""
        return self.newest_hour + HOUR

    @property
    def age(self) -> timedelta:
        """How long ago that was. A table of history is as old as its history."""
        return max(self.looked_at - self.as_of, timedelta(0))

    @property
    def is_fallback(self) -> bool:
        """Whether it is the last good state because something newer failed or is overdue."""
        return bool(self.missing)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is a fallback, for people; adjoining hours with one reason are named together."""
        spans: list[tuple[datetime, datetime, str]] = []
        for hour, why in self.missing.items():
            if spans and spans[-1][1:] == (hour - HOUR, why):
                spans[-1] = (spans[-1][0], hour, why)
            else:
                spans.append((hour, hour, why))
        return tuple(
            f"hour {first:%Y-%m-%dT%H} {why}"
            if first == last
            else f"each hour from {first:%Y-%m-%dT%H} to {last:%Y-%m-%dT%H} {why}"
            for first, last, why in spans
        )


def serving_status(
    cell: Cell, product: Product, table: str, clock: Clock = utc_now
) -> ServingStatus:
    """Look at what readers of a feature table get. Reads metadata and control tables alone, no Kafka.

    Raises:
        NotAFeatureTableError: the product has no such feature table.
        NotServedError: nothing of it is published yet.
        CatalogUnavailableError, WarehouseUnavailableError: try again later.
    """
    derived_table = feature_table(product, table)
    if derived_table.feature is None:
        raise TypeError("a feature table has a feature")
    identifier = product_table(product.name, table)
    now = clock()
    with named_errors(f"{cell.name}.{identifier}"):
        # Before the tag, which moves before an hour is recorded: what is recorded is in the snapshot.
        closings = read_closings(cell, product, now)
        first, publications = _publications(cell, product, derived_table, closings.since)
        alerts = read_alerts(cell, product.name, first_hour=first)
        try:
            tag = load_table(cell, identifier).metadata.refs.get(SERVED)
        except TableMissingError:
            tag = None
    found = assess_serving(
        product,
        derived_table,
        derived_table.feature,
        None if tag is None else tag.snapshot_id,
        schedule(
            product, derived_table, closings.of_tables[table], publications, now, closings.since
        ),
        publications,
        alerts,
        now,
    )
    if found is None:
        raise NotServedError(
            "nothing of it is published yet.",
            subject=f"{cell.name}.{identifier}",
            remedy=f"Look at `headwater hours {product.name} --cell {cell.name}`.",
        )
    return found


def _publications(
    cell: Cell, product: Product, derived_table: DerivedTable, since: datetime | None
) -> tuple[datetime | None, tuple[Publication, ...]]:
    """Return what tells what is served: publications from the ttl before `since` on, and their first hour.

    All of them where none from `since` on had rows: the newest hour that is served is older then.
    """
    table, feature = published_table(product, derived_table), derived_table.feature
    if since is not None and feature is not None:
        first = since - timedelta(seconds=feature.ttl_s)
        found = read_recorded(cell, product.name, HourSpan(first)).publications
        if any(one.table == table and one.rows and one.hour >= since for one in found):
            return first, found
    return None, read_publications(cell, product.name)


def read_served(
    cell: Cell, product: Product, table: str, clock: Clock = utc_now
) -> tuple[pl.DataFrame, ServingStatus]:
    """Return the rows that are served, and what is to be said of them; all are of one snapshot.

    Raises: as `serving_status`; FileMissingError, FileDamagedError, with the file.
    """
    found = serving_status(cell, product, table, clock)
    with named_errors(f"{cell.name}.{found.table}"):
        served = load_table(cell, found.table)
        with reading(served, found.snapshot_id):
            rows = served.scan(snapshot_id=found.snapshot_id).to_arrow()
    frame = pl.from_arrow(rows)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame, found


def assess_serving(
    product: Product,
    derived_table: DerivedTable,
    feature: Feature,
    snapshot_id: int | None,
    schedule: Schedule | None,
    publications: Iterable[Publication],
    alerts: Iterable[Alert],
    now: datetime,
) -> ServingStatus | None:
    """Tell what the tagged snapshot is worth; None where nothing is served. A pure function.

    Missing are hours whose last audit failed and that were not published since, and those that are
    overdue; for a table without objective, the former alone.
    """
    identifier = published_table(product, derived_table)
    last_publications = latest(one for one in publications if one.table == identifier)
    newest = max((hour for (_, hour), one in last_publications.items() if one.rows), default=None)
    if snapshot_id is None or newest is None:
        return None
    missing: dict[datetime, str] = {}
    if schedule is not None:
        missing |= {hour: f"is overdue: {schedule.why_missed(hour)}" for hour in schedule.overdue}
    for alert in open_alerts(alerts, last_publications):
        if alert.table == identifier and alert.kind == AlertKind.AUDIT_FAILED:
            again = " again" if (identifier, alert.hour) in last_publications else ""
            missing[alert.hour] = f"was not published{again}: its audit failed ({alert.detail})"
    reach = newest - timedelta(seconds=feature.ttl_s)
    return ServingStatus(
        table=product_table(product.name, derived_table.name),
        snapshot_id=snapshot_id,
        newest_hour=newest,
        expected_hour=None if schedule is None else schedule.expected,
        objective=None if schedule is None else schedule.objective,
        missing={hour: missing[hour] for hour in sorted(missing) if hour > reach},
        looked_at=now,
    )
