"""The state of a product's hours, as the cell's Kafka and its events table have it now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.cells import Cell
from pipeline.clock import Clock, utc_now
from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.hours.states import HourStates, fence_hours
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.topics import describe_topic, high_watermarks
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets


class TopicReplacedError(TerminalError):
    """The topic is not the one that was ingested: it has another id."""


def read_hour_states(
    cell: Cell,
    product: Product,
    clock: Clock = utc_now,
    also: Iterable[datetime] = (),
    since: datetime | None = None,
) -> HourStates:
    """Return the state of every hour now; those that are due for a fence get it. Idempotent.

    Hours before `since`, if it is given, are neither looked at nor read.

    Raises, beside what `fence_hours`, `connect_admin` and `high_watermarks` raise:
        TopicReplacedError: the topic was recreated since it was ingested.
    """
    topic = product.topic.name
    committed = committed_offsets(load_table(cell, events_table(product.name)))
    now = clock()
    with connect_admin(cell) as admin:
        # Partitions that are not listed yet came after `now`, and so did every record in them.
        partitions = describe_topic(admin, topic).partitions
        watermarks = high_watermarks(admin, topic, partitions)
        # Asked for after the watermarks: ids never come back, so those were this topic's own.
        topic_id = describe_topic(admin, topic).topic_id
    if committed is not None and committed.topic_id != topic_id:
        raise TopicReplacedError(
            f"it has id {topic_id} now, and {committed.topic_id} was ingested.",
            subject=f"{product.name}/{cell.name} topic {topic}",
            remedy="It was recreated; `headwater ingest run` says what to do.",
        )
    return fence_hours(cell, product, now, watermarks, also, since)
