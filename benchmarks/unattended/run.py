"""One measurement: a stack as `headwater up` starts it, a steady producer, a reader, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.children import Child, start_child
from benchmarks.exactly_once import Held, held
from benchmarks.freshness.latency import Sighting
from benchmarks.freshness.reader import watch
from benchmarks.freshness.steady import Sent, send
from benchmarks.unattended.memory import Memory, Series
from benchmarks.unattended.ticks import Ticks, database_bytes, read_ticks
from headwater.produce.generated import Order as Past
from headwater.produce.generated import produce_generated
from headwater.stack import stack
from headwater.stack.ports import free_port
from headwater.stack.state import load_state
from pipeline.cells import Cell, load_cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.control.publications import latest, read_publications
from pipeline.ledger.read import read_ledger
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product
from pipeline.settings import Settings
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table

PRODUCT = "viewing_events"
PAST_HOURS = 3
SAMPLE_S = 10.0
CATCH_UP_S = 120.0


@dataclass(frozen=True)
class Order:
    """How long, at how many events a second, after how many seconds of warming up.

    Attributes:
        past: events of three hours before, sent at first, so that hours are built meanwhile.
    """

    rate: float = 2_000
    seconds: float = 1_800
    warm_up_s: float = 60
    past: int = 100_000


@dataclass(frozen=True)
class Size:
    """What may grow with history: snapshots of events, their metadata file, Dagster's databases."""

    at_s: float
    snapshots: int
    metadata_bytes: int
    database_bytes: int


@dataclass(frozen=True)
class Measured:
    """What was measured from the end of warming up on; `hours_published` counts those of all tables."""

    steady: Sent
    sightings: Sequence[Sighting]
    memory: Sequence[Series]
    ticks: Sequence[Ticks]
    sizes: Sequence[Size]
    held: Held
    balanced: bool
    hours_published: int


def measure(settings: Settings, order: Order, say: Callable[[str], None]) -> Measured:
    """Start a stack under `settings.home`, send to it, look at it every ten seconds, and stop it.

    Nothing is done to it by hand. Records that are not in the table `CATCH_UP_S` seconds after the last
    was sent count as lost.

    Raises:
        StartFailedError, FetchFailedError, WrongHashError, JavaMissingError: as `up`.
        RuntimeError: producer or reader ended early.
    """
    children: list[Child] = []
    try:
        stack.up(settings, ("us",), say, kafka_port=free_port(), web_port=free_port())
        cell, product = load_cell(settings.home, "us"), load_product(settings.contracts / PRODUCT)
        ensure_topic(cell, product)
        register_product(open_registry(cell), product)
        produce_generated(cell, product, Past(order.past, backfill_hours=PAST_HOURS))
        reader = start_child(watch, cell, events_table(product.name))
        producer = start_child(send, cell, product, order.rate, order.warm_up_s, order.seconds)
        children += [reader, producer]
        producer.pipe.send("go")
        began = time.time() + order.warm_up_s
        memory, sizes = Memory(order.rate), []
        while not _sent(reader, producer):
            at_s = time.time() - began
            if at_s >= 0:
                memory.sample(load_state(settings.home), at_s)
                sizes.append(_size(settings, cell, product, at_s))
            say(_progress(reader, order, at_s))
            time.sleep(SAMPLE_S)
        warm_up, steady = producer.said
        sent = order.past + warm_up.records + steady.records
        _catch_up(reader, sent)
        return Measured(
            steady,
            reader.said,
            memory.lasting(order.seconds),
            read_ticks(settings.home / "dagster", began),
            sizes,
            held(cell, product, sent),
            read_ledger(cell, product).balanced,
            len(latest(read_publications(cell, product.name))),
        )
    finally:
        for child in children:
            child.kill()
        stack.down(settings, say)


def _sent(reader: Child, producer: Child) -> bool:
    if not reader.listen():
        raise RuntimeError("the reader ended early")
    if producer.listen():
        return False
    if len(producer.said) < 2:
        raise RuntimeError("the producer failed")
    return True


def _catch_up(reader: Child, records: int) -> None:
    deadline = time.monotonic() + CATCH_UP_S
    while sum(one.rows for one in reader.said) < records and time.monotonic() < deadline:
        time.sleep(0.5)
        reader.listen()


def _size(settings: Settings, cell: Cell, product: Product, at_s: float) -> Size:
    table = load_table(cell, events_table(product.name))
    return Size(
        at_s,
        len(table.metadata.snapshots),
        len(table.io.new_input(table.metadata_location)),
        database_bytes(settings.home / "dagster"),
    )


def _progress(reader: Child, order: Order, at_s: float) -> str:
    rows = sum(one.rows for one in reader.said)
    newest = max(reader.said[-1].produced, default=0) if reader.said else 0
    behind = f"{time.time() - newest / 1000:.1f} s behind" if newest else "no rows yet"
    return f"{at_s:,.0f} of {order.seconds:,.0f} s: {rows:,} rows seen, {behind}"
