"""Looking at a product's health: its lock and heartbeat, its topic, its tables. Starts no Spark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.contract.objectives import freshness_objective
from pipeline.control.alerts import Alert, open_alerts, read_alerts
from pipeline.control.publications import HourSpan, latest, read_recorded
from pipeline.errors import HeadwaterError
from pipeline.kafka.connect import answering_within
from pipeline.kafka.topics import TopicMissingError
from pipeline.latency.measure import measure_latency, read_closings
from pipeline.supervision.heartbeat import describe_stall, heartbeat_file, read_heartbeat
from pipeline.supervision.locks import ingest_lock, is_held_here, lock_holder
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.errors import named_errors
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets
from quality.freshness import Freshness, measure_freshness
from quality.health import Health, IngestState

_ANSWER_S = 2.0


@dataclass
class _Unread:
    """Collects what could not be looked at: one part that is down hides no other."""

    found: list[str] = field(default_factory=list)

    @contextmanager
    def looking(self, subject: str) -> Iterator[None]:
        """Note an error of the block, and go on behind it."""
        try:
            with named_errors(subject):
                yield
        except HeadwaterError as error:
            self.found.append(str(error))


def measure_health(cell: Cell, product: Product, clock: Clock = utc_now) -> Health:
    """Return how the product is in the cell. Raises nothing that has a name: it is in `unread` then."""
    unread = _Unread()
    subject = f"{product.name}/{cell.name}"
    now = clock()
    health = Health(product.name, cell.name, None, IngestState.ABSENT)
    with unread.looking(subject):
        health = _ingest(cell, product, now)
    with unread.looking(subject):
        health = replace(health, committed_at=_committed_at(cell, product))
    with unread.looking(subject):
        try:
            found = measure_freshness(answering_within(cell, _ANSWER_S), product, clock)
            health = _behind(health, product, found)
        except TopicMissingError:
            if health.committed_at is not None or unread.found:
                raise
            if health.owner is None:
                health = replace(health, ingest=IngestState.AWAITING_TOPIC)
    with unread.looking(subject):
        latency = measure_latency(cell, product, clock)
        overdue = {one.derived_table.name: one.schedule.overdue for one in latency}
        health = replace(health, overdue=overdue)
    with unread.looking(subject):
        health = replace(health, alerts=_alerts(cell, product, health.committed_at, now))
    return replace(health, unread=tuple(dict.fromkeys(unread.found)))


def _ingest(cell: Cell, product: Product, now: datetime) -> Health:
    owner = lock_holder(ingest_lock(cell, product.name))
    health = Health(product.name, cell.name, owner, IngestState.ABSENT)
    if owner is None:
        return health
    stall = describe_stall(cell, product.name, now)
    if stall is not None:
        return replace(health, ingest=IngestState.STALLED, detail=stall)
    beat = read_heartbeat(heartbeat_file(cell, product.name))
    is_here = is_held_here(ingest_lock(cell, product.name))
    if is_here and beat is not None and beat.waits is not None:
        return replace(health, ingest=IngestState.RETRYING, detail=beat.waits)
    return replace(health, ingest=IngestState.WORKING)


def _behind(health: Health, product: Product, found: Freshness) -> Health:
    objective = freshness_objective(product)
    return replace(health, waiting=found.waiting, lag=found.lag, objective=objective)


def _committed_at(cell: Cell, product: Product) -> datetime | None:
    try:
        committed = committed_offsets(load_table(cell, events_table(product.name)))
    except TableMissingError:
        return None
    return None if committed is None else committed.committed_at


def _alerts(
    cell: Cell, product: Product, committed_at: datetime | None, now: datetime
) -> tuple[Alert, ...]:
    """Return the open alerts of hours that are not settled, or that an objective's window still holds."""
    first = read_closings(cell, product, now).since
    alerts = read_alerts(cell, product.name, first_hour=first)
    if not alerts:
        return ()
    publications = read_recorded(cell, product.name, HourSpan(first)).publications
    return open_alerts(alerts, latest(publications), committed_at)
