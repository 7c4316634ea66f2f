"""Producing generated events: over past hours, or as if they happened now."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from headwater.produce.mix import SECOND, Mixer
from headwater.produce.model import Event, Kind, Planned, Produced, Shares, tally
from headwater.produce.pace import Pace, Progress
from headwater.produce.plausible import Plausible
from headwater.produce.poison import record_of
from headwater.produce.viewing import Viewing, catalogue_of
from pipeline.cells import Cell
from pipeline.clock import Clock, hour_of, utc_now
from pipeline.contract.model import Product
from pipeline.errors import TerminalError
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry

GENERATORS: Mapping[str, Callable[[Product, int], Generator]] = {
    "viewing_events": lambda product, seed: Viewing(catalogue_of(product), seed)
}
"""Product -> what makes its events up; those of all others are `Plausible`."""

BLOCK = 50_000
LIVE_BLOCK = 2_000


class Generator(Protocol):
    """Makes up events of one product."""

    def events(self, start: int, end: int, count: int) -> list[Event]:
        """Return exactly `count` events of [start, end), in microseconds since the epoch, by event time."""

    def busyness(self, start: int, end: int) -> float:
        """Return how busy [start, end) is; only ratios mean anything."""


class UnproducibleError(TerminalError):
    """What is asked for contradicts the contract."""


@dataclass(frozen=True)
class Order:
    """What to generate.

    Attributes:
        count: records in all; None goes on until stopped.
        rate: records a second at most; None is as fast as Kafka takes them.
        backfill_hours: spread event and record times over this many past whole hours; 0 is now.
        seed: the same seed and the same time give the same records.
    """

    count: int | None = 100_000
    rate: float | None = None
    backfill_hours: int = 0
    shares: Shares = field(default_factory=Shares)
    seed: int = 1


def plan_records(product: Product, order: Order, clock: Clock = utc_now) -> Iterator[list[Planned]]:
    """Yield the records to be sent, block by block, as they would be if sent at once.

    Raises:
        UnproducibleError: the contract does not allow late events, duplicates, or times of the past.
        CatalogueMissingError, ReferenceDataError: as the generator's.
    """
    if order.backfill_hours and product.topic.record_time != "CreateTime":
        raise _unproducible(product, "record time is the broker's: the past cannot be produced.")
    if order.backfill_hours and order.count is None:
        raise _unproducible(product, "past hours take a number of records, not no end.")
    try:
        mixer = Mixer(order.shares, product, order.seed)
    except ValueError as error:
        raise _unproducible(product, f"{error}.") from None
    generator = GENERATORS.get(product.name, Plausible)(product, order.seed)
    if order.backfill_hours:
        return _backfill(generator, mixer, order, clock())
    return _live(generator, mixer, order, clock)


def produce_generated(
    cell: Cell,
    product: Product,
    order: Order,
    *,
    stop: threading.Event | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    clock: Clock = utc_now,
) -> Produced:
    """Generate and send records; register schemas and make the topic first.

    Ends at `stop` with what was accepted by then, all acknowledged.

    Raises:
        UnproducibleError, CatalogueMissingError, ReferenceDataError: before anything is sent.
        BrokerUnavailableError, ProduceFailedError: Kafka did not take it all; what was acknowledged stays.
    """
    blocks = plan_records(product, order, clock)
    stop = stop or threading.Event()
    ensure_topic(cell, product)
    counts: Counter[Kind] = Counter()
    registry = open_registry(cell)
    with EventWriter(cell, product, registry, producer="headwater", job_id=_job()) as writer:
        pace = Pace(order.rate, order.count, stop, on_progress)
        for block in blocks:
            if stop.is_set() or not _send(writer, product, block, counts, pace):
                break
        writer.flush()
    return tally(counts, seconds=pace.seconds, interrupted=stop.is_set())


def _send(
    writer: EventWriter,
    product: Product,
    block: list[Planned],
    counts: Counter[Kind],
    pace: Pace,
) -> bool:
    for kind, record_time, event in block:
        key, value = record_of(writer, product, kind, event)
        writer.send_raw(key, value, record_time)
        counts[kind] += 1
        if not pace.step():
            return False
    return True


def _backfill(
    generator: Generator, mixer: Mixer, order: Order, now: datetime
) -> Iterator[list[Planned]]:
    end = hour_of(now)
    start = end - timedelta(hours=order.backfill_hours)
    # An hour at a time, or several where they hold little: what one block takes fits into memory.
    left = order.count or 0
    pieces = max(1, min(order.backfill_hours * 60, -(-left // BLOCK)))
    edges = [_micros(start + (end - start) * i / pieces) for i in range(pieces + 1)]
    busy = [generator.busyness(a, b) for a, b in pairwise(edges)]
    for piece in range(pieces):
        records = round(left * busy[piece] / sum(busy[piece:]))
        left -= records
        mixture = mixer.take(records)
        events = generator.events(edges[piece], edges[piece + 1], mixture.events)
        yield mixer.mix(events, mixture, _micros(now))


def _live(
    generator: Generator, mixer: Mixer, order: Order, clock: Clock
) -> Iterator[list[Planned]]:
    left = order.count
    size = LIVE_BLOCK if order.rate is None else max(1, min(LIVE_BLOCK, int(order.rate)))
    while left is None or left > 0:
        records = size if left is None else min(size, left)
        left = None if left is None else left - records
        mixture = mixer.take(records)
        now = _micros(clock())
        events = generator.events(now - SECOND, now, mixture.events)
        yield mixer.mix(events, mixture, now)


def _micros(instant: datetime) -> int:
    return int(instant.timestamp()) * SECOND + instant.microsecond


def _job() -> str:
    return f"produce-{uuid.uuid4()}"


def _unproducible(product: Product, what: str) -> UnproducibleError:
    return UnproducibleError(
        what,
        subject=f"product {product.name}",
        remedy="Ask for something else, or change the contract.",
    )
