"""Event lag: how long the oldest record that is not in the table yet has been waiting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.fetch import fetch
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.network import Network
from pipeline.kafka.record_batches import BatchSlice, FetchedRange
from pipeline.kafka.records import records_in
from pipeline.kafka.security.access import Operation
from pipeline.kafka.topics import describe_topic, earliest_offsets, stable_offsets
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets

_LOOK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Freshness:
    """One look at how far the table is behind its topic.

    Attributes:
        looked_at: when.
        ends: partition -> last stable offset.
        waiting: records below them that the table does not hold.
        lag: age of the oldest of these by record time; zero when none waits.
    """

    looked_at: datetime
    ends: Mapping[int, int]
    waiting: int
    lag: timedelta


def measure_freshness(cell: Cell, product: Product, clock: Clock = utc_now) -> Freshness:
    """Measure the event lag. Reads at most one fetch of every partition that is behind.

    Under CreateTime a history being loaded counts with its own times: it lags by its age.

    Raises:
        TopicMissingError, RetryableError: as pipeline.kafka's functions.
    """
    topic = product.topic.name
    admin = connect_admin(cell)
    try:
        identity = describe_topic(admin, topic, Operation.READ)
        ends = stable_offsets(admin, topic, identity.partitions)
        begin = earliest_offsets(admin, topic, identity.partitions)
    finally:
        admin.close()
    committed = _committed(cell, product)
    behind = {
        p: (start, end)
        for p, end in ends.items()
        if (start := max(committed.get(p, 0), begin[p])) < end
    }
    oldest = _oldest(cell, identity, behind) if behind else None
    now = clock()
    return Freshness(
        looked_at=now,
        ends=ends,
        waiting=sum(end - start for start, end in behind.values()),
        lag=timedelta(0) if oldest is None else max(now - oldest, timedelta(0)),
    )


def _committed(cell: Cell, product: Product) -> Mapping[int, int]:
    try:
        committed = committed_offsets(load_table(cell, events_table(product.name)))
    except TableMissingError:
        return {}
    return {} if committed is None else committed.next


def _oldest(
    cell: Cell, topic: TopicIdentity, behind: Mapping[int, tuple[int, int]]
) -> datetime | None:
    times: list[int] = []
    with Network(cell) as network:
        for partition, offsets in behind.items():
            for fetched in fetch(network, topic, {partition: offsets}, response_bytes=_LOOK_BYTES):
                first = _first_time(fetched.ranges)
                if first is not None:
                    times.append(first)
                    break
    return datetime.fromtimestamp(min(times) / 1e6, UTC) if times else None


def _first_time(ranges: Iterable[FetchedRange]) -> int | None:
    for item in (item for one in ranges for item in one.items):
        if isinstance(item, BatchSlice):
            records = records_in([item])
            if len(records):
                return int(records.time[0])
    return None
