"""One measurement: a producer, an ingest and a reader, each a process, on one broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.children import Child, start_child
from benchmarks.engine import STOP_S, Engine, limits_of
from benchmarks.exactly_once import Held, held
from benchmarks.freshness.latency import Sighting
from benchmarks.freshness.reader import watch
from benchmarks.freshness.steady import Sent, send
from benchmarks.upkeep import Round, keep_up
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product

CATCH_UP_S = 120.0


@dataclass(frozen=True)
class Order:
    """What to measure: `rate` events a second, warming up and then for `seconds`.

    `maintain_every_s` is how often tables are maintained meanwhile; None is never.
    """

    rate: float = 20_000
    seconds: float = 600
    warm_up_s: float = 30
    maintain_every_s: float | None = None


@dataclass
class Measured:
    """What was measured. `cpu_s` is the ingest's, over the whole run; so is `rounds`, of maintenance."""

    warm_up: Sent
    steady: Sent
    sightings: list[Sighting]
    commits: int
    cpu_s: float
    peak_mb: float
    held: Held
    rounds: list[Round]


def measure(cell: Cell, product: Product, order: Order, say: Callable[[str], None]) -> Measured:
    """Run it, until every record is a row or ingest has had `CATCH_UP_S` seconds for the rest.

    Raises:
        EngineFailedError: the ingest ended by an error.
        RuntimeError: producer or reader ended early.
    """
    ensure_topic(cell, product)
    register_product(open_registry(cell), product)
    engine = Engine(cell, product, limits_of(None)[0], once=False)
    children: list[Child] = []
    try:
        reader = start_child(watch, cell, f"{product.name}.events")
        children.append(reader)
        producer = start_child(send, cell, product, order.rate, order.warm_up_s, order.seconds)
        children.append(producer)
        if order.maintain_every_s is not None:
            children.append(start_child(keep_up, cell, product, order.maintain_every_s))
        engine.go()
        producer.pipe.send("go")
        peak = _watch(engine, reader, producer, say)
        cpu_s = engine.cpu_s
        for child in children:
            child.process.terminate()
            child.process.join(STOP_S)
        engine.stop()
    finally:
        for child in children:
            child.kill()
        engine.kill()
    for child in children:
        child.listen()
    warm_up, steady = producer.said
    return Measured(
        warm_up,
        steady,
        reader.said,
        len(engine.commits),
        cpu_s,
        peak,
        held(cell, product, warm_up.records + steady.records),
        [said for child in children[2:] for said in child.said],
    )


def _watch(engine: Engine, reader: Child, producer: Child, say: Callable[[str], None]) -> float:
    """Wait until the reader has seen what was sent; return the ingest's largest size in MB."""
    peak, told, deadline = 0.0, time.monotonic(), float("inf")
    while True:
        time.sleep(0.1)
        if not engine.listen() or not reader.listen():
            raise RuntimeError("the ingest or the reader ended early")
        peak = max(peak, engine.watched.memory_info().rss / 1_048_576)
        rows = sum(sighting.rows for sighting in reader.said)
        if not producer.listen() and deadline == float("inf"):
            if len(producer.said) < 2:
                raise RuntimeError("the producer failed")
            deadline = time.monotonic() + CATCH_UP_S
        sent = sum(part.records for part in producer.said)
        if deadline < float("inf") and (rows >= sent or time.monotonic() > deadline):
            return peak
        if time.monotonic() - told >= 5:
            told = time.monotonic()
            newest = max(reader.said[-1].produced, default=0) if reader.said else 0
            behind = time.time() - newest / 1000 if newest else 0.0
            say(f"{rows:,} rows seen, {len(engine.commits)} commits, {behind:.1f} s behind")
