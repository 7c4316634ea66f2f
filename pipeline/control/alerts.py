"""The alerts table: hours that were not published as they should be or not ingested, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum

from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.control.append import add_missing
from pipeline.control.publications import LastPublications
from pipeline.tables.catalog import find_table, open_catalog
from pipeline.tables.integrity.reading import reading
from pipeline.tables.layout import ALERT_SCHEMA, alerts_table


class AlertKind(StrEnum):
    """What happened."""

    AUDIT_FAILED = "audit_failed"
    """The audit found the staged hour wanting; main is as it was."""
    OVERDUE = "overdue"
    """The hour was not published within its latency objective."""
    INGEST_REFUSED = "ingest_refused"
    """Ingest ended in this hour, and will again until somebody acts; `table` is events."""
    INGEST_FAILING = "ingest_failing"
    """Ingest ended by the same error again and again in this hour, and committed nothing."""
    INGEST_STALLED = "ingest_stalled"
    """The process that ingests lives in this hour, and does not go on."""


@dataclass(frozen=True)
class Alert:
    """One row of the alerts table; docs/reference/format.md gives the meanings."""

    at: datetime
    table: str
    hour: datetime
    kind: str
    detail: str
    run_id: str
    wap_id: str | None = None


def raise_alert(cell: Cell, product: str, alert: Alert) -> bool:
    """Add `alert` unless its hour has one of its kind and `wap_id`; tell whether it was added.

    As `raise_alerts`.
    """
    return bool(raise_alerts(cell, product, [alert]))


def raise_alerts(cell: Cell, product: str, alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Add those of `alerts` whose hour has none of their kind and `wap_id`; return them.

    All are added in one commit, or none. Idempotent, and safe when several processes do it at once.

    Raises:
        TableBusyError: they could not be added beside other writers.
    """
    wanted = {_identity(alert): alert for alert in alerts}
    if not wanted:
        return ()

    hours = [alert.hour for alert in wanted.values()]
    around = f"hour >= '{min(hours).isoformat()}' and hour <= '{max(hours).isoformat()}'"

    def missing(table: Table) -> list[Alert]:
        known = {_identity(alert) for alert in _read(table, around)}
        return [alert for identity, alert in wanted.items() if identity not in known]

    table = alerts_table(product)
    return add_missing(cell, table, ALERT_SCHEMA, missing, asdict)


INGEST_KINDS = (AlertKind.INGEST_REFUSED, AlertKind.INGEST_FAILING, AlertKind.INGEST_STALLED)
"""What is told of an ingest, and not of an hour."""


def open_alerts(
    alerts: Iterable[Alert],
    last_publications: LastPublications,
    committed_at: datetime | None = None,
) -> tuple[Alert, ...]:
    """Return the alerts that are not resolved, in their order.

    An hour that was published resolves that it was overdue; that its audit failed is resolved only if
    it was published after that. What is told of ingest is resolved by a commit after it; the last one was
    made at `committed_at`.
    """

    def is_resolved(alert: Alert) -> bool:
        if alert.kind in INGEST_KINDS:
            return committed_at is not None and committed_at > alert.at
        published = last_publications.get((alert.table, alert.hour))
        return published is not None and (
            alert.kind == AlertKind.OVERDUE or published.published_at >= alert.at
        )

    return tuple(alert for alert in alerts if not is_resolved(alert))


def read_alerts(
    cell: Cell,
    product: str,
    *,
    since: datetime | None = None,
    first_hour: datetime | None = None,
) -> tuple[Alert, ...]:
    """Return the product's alerts in the cell, oldest first.

    Those raised from `since` on, of hours from `first_hour` on, where these are given: only files that may
    have some of them are opened.
    """
    table = find_table(open_catalog(cell), alerts_table(product))
    if table is None:
        return ()
    bounds = [
        f"{column} >= '{instant.isoformat()}'"
        for column, instant in (("at", since), ("hour", first_hour))
        if instant is not None
    ]
    return _read(table, " and ".join(bounds))


def _read(table: Table, wanted: str) -> tuple[Alert, ...]:
    names = [field.name for field in fields(Alert)]
    scan = table.scan(wanted) if wanted else table.scan()
    with reading(table):
        rows = scan.to_arrow().sort_by("at").to_pylist()
    return tuple(Alert(**{name: row[name] for name in names}) for row in rows)


def _identity(alert: Alert) -> tuple[object, ...]:
    return alert.table, alert.hour, alert.kind, alert.wap_id
