"""Filling a topic of any format, a value at a time, before the clock starts."""

from __future__ import annotations

import random
import uuid
from typing import Any

from confluent_kafka import Producer

from benchmarks.filling import ACCOUNTS, DEVICES, account
from benchmarks.formats.forms import payload_of
from benchmarks.templates import words
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry

NOTES = 500
"""Different texts that give values their size."""
SPAN_US = 3 * 3_600_000_000


def fill(
    cell: Cell,
    product: Product,
    form: str,
    events: int,
    value_bytes: int,
    until: int,
    seed: int = 1,
) -> float:
    """Make the topic and fill it; return the mean length of its values.

    Event times go evenly over the three hours before `until` (us), in the order of offsets.

    Raises:
        RuntimeError: a record was not acknowledged.
    """
    ensure_topic(cell, product)
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    partitions = product.topic.partitions
    producer = Producer(
        {
            "bootstrap.servers": cell.bootstrap_servers,
            "compression.type": "lz4",
            "linger.ms": 100,
            "batch.size": 1_000_000,
            "batch.num.messages": 50_000,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    with EventWriter(cell, product, open_registry(cell)) as writer:

        def encoded(event: dict[str, Any]) -> bytes:
            return writer.encode(
                payload_of(form, event),
                key=event["account"],
                event_time=event["at"],
                uuid=event["id"],
            )

        notes = [""]
        room = value_bytes - len(encoded(_event(chosen, 0, until, notes))) - 1
        notes = [words(chosen, max(room, 0)) for _ in range(NOTES)]
        total = 0
        for number in range(events):
            partition = number % partitions
            at = until - SPAN_US + (number + 1) * SPAN_US // events
            event = _event(chosen, partition, at, notes)
            value = encoded(event)
            total += len(value)
            while True:
                try:
                    producer.produce(
                        product.topic.name,
                        value,
                        event["account"],
                        partition,
                        timestamp=at // 1_000,
                    )
                    break
                except BufferError:
                    producer.poll(0.05)
            if number % 1_000 == 0:
                producer.poll(0)
    if left := producer.flush(120):
        raise RuntimeError(f"{left} records were not acknowledged")
    return total / events


def _event(chosen: random.Random, partition: int, at: int, notes: list[str]) -> dict[str, Any]:
    return {
        "id": str(uuid.UUID(int=chosen.getrandbits(128), version=4)),
        "account": account(partition, chosen.randrange(ACCOUNTS)),
        "at": at,
        "device": chosen.choice(DEVICES),
        "amount": chosen.randrange(1 << 13, 1 << 20),
        "score": 0.123456789,
        "note": chosen.choice(notes),
    }
