"""What is timed in a process of its own: planning, replaying, ingesting, and what people do by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import psutil
from confluent_kafka import Producer

from benchmarks.backlog.memory import peak_mb, resident_mb
from benchmarks.children import start_child
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.plan import plan_replay
from pipeline.dead_letters.replay import replay
from pipeline.dead_letters.selection import Selection
from pipeline.ingest.run import ingest
from pipeline.tables.catalog import open_catalog
from pipeline.tables.layout import dead_letters_table


@dataclass(frozen=True)
class Took:
    """What some work took.

    Attributes:
        count: dead letters or records that it was about.
        before_mb, peak_mb: resident memory of its process once it was warmed up, and at most.
    """

    count: int
    seconds: float
    before_mb: float
    peak_mb: float


def timed(target: Callable[..., None], *arguments: Any) -> Took:
    """Let one of the functions below work in a process of its own, and return what it took.

    Raises:
        RuntimeError: it failed; its process has printed why.
    """
    child = start_child(target, *arguments)
    try:
        child.pipe.send("go")
        took = child.pipe.recv()
    except EOFError:
        raise RuntimeError(f"{target.__name__} failed") from None
    finally:
        child.process.join(10)
        child.kill()
    if not isinstance(took, Took):
        raise RuntimeError(f"{target.__name__} said {took!r}")
    return took


def planned(cell: Cell, product: Product, warm_up: Product, pipe: Connection) -> None:
    """Try out what would become of all dead letters."""
    _serve(pipe, cell, warm_up, lambda: plan_replay(cell, product, Selection()).chosen)


def replayed(cell: Cell, product: Product, warm_up: Product, pipe: Connection) -> None:
    """Replay all of them."""

    def work() -> int:
        return replay(cell, product, Selection(), by="bench", reason="to measure").sent

    _serve(pipe, cell, warm_up, work)


def ingested(cell: Cell, product: Product, warm_up: Product | None, pipe: Connection) -> None:
    """Bring what is in the topic into the tables."""

    def work() -> int:
        report = ingest(cell, product, once=True)
        return report.rows + report.dead_letters

    _serve(pipe, cell, warm_up, work)


def sent_by_hand(
    cell: Cell, product: Product, warm_up: Product, topic: str, pipe: Connection
) -> None:
    """Read all dead letters into Python and produce them to a topic: no claims, no trial, no dedup."""

    def work() -> int:
        table = open_catalog(cell).load_table(dead_letters_table(product.name))
        columns = ("_topic_partition", "record_key", "record_value", "headers")
        rows = table.scan(selected_fields=columns).to_arrow().to_pylist()
        producer = Producer(
            {
                "bootstrap.servers": cell.bootstrap_servers,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 50,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        for row in rows:
            producer.produce(
                topic,
                row["record_value"],
                row["record_key"],
                row["_topic_partition"],
                headers=[(one["key"], one["value"]) for one in row["headers"] or ()],
            )
        if left := producer.flush(120):
            raise RuntimeError(f"{left} records were not acknowledged")
        return len(rows)

    _serve(pipe, cell, warm_up, work)


def _serve(pipe: Connection, cell: Cell, warm_up: Product | None, work: Callable[[], int]) -> None:
    """Work once told to; before, try out the dead letters of `warm_up`: what is compiled is there then."""
    if warm_up is not None:
        plan_replay(cell, warm_up, Selection())
    pipe.send("ready")
    pipe.recv()
    own = psutil.Process()
    before = resident_mb(own)
    began = time.perf_counter()
    count = work()
    seconds = time.perf_counter() - began
    pipe.send(Took(count, seconds, before, peak_mb(own) or resident_mb(own)))
