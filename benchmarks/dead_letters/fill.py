"""Filling a topic with records that come too late, each a dead letter to be."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from confluent_kafka import Producer

from benchmarks.filling import CONTRACTS
from benchmarks.templates import words
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry

CONTRACT = "late_readings"
SENSORS = 100
NOTES = 500
"""Different texts that give values their size."""
LATE_US, SPAN_US = 60_000_000, 3_600_000_000
"""How late the latest event is, beyond the gate's ten seconds, and over how long before it they go."""
HEADERS: list[tuple[str, str | bytes | None]] = [
    ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ("producer", b"gateway"),
]


def late_product(folder: Path, name: str) -> Product:
    """Copy the contract of late readings to `folder / name`, with `name` as product and topic."""
    target = folder / name
    shutil.copytree(CONTRACTS / CONTRACT, target)
    contract = target / "contract.yaml"
    contract.write_text(contract.read_text().replace(CONTRACT, name))
    return load_product(target)


def fill(cell: Cell, product: Product, events: int, value_bytes: int) -> None:
    """Make the topic and fill it; returns once the broker has acknowledged every record.

    Event times go evenly over an hour that ended a minute ago; values have about `value_bytes`.

    Raises:
        RuntimeError: a record was not acknowledged.
    """
    ensure_topic(cell, product)
    chosen = random.Random(1)  # noqa: S311 - repeatable, not secret
    now = time.time_ns() // 1_000
    producer = Producer(
        {
            "bootstrap.servers": cell.bootstrap_servers,
            "compression.type": "lz4",
            "linger.ms": 100,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    with EventWriter(cell, product, open_registry(cell)) as writer:

        def encoded(number: int, note: str) -> tuple[str, bytes]:
            sensor = f"sensor-{number % SENSORS:03d}"
            at = now - LATE_US - SPAN_US + (number + 1) * SPAN_US // events
            reading = {"sensor": sensor, "at": at, "value": number, "note": note}
            uuid = f"reading-{number:012d}"
            return sensor, writer.encode(reading, key=sensor, event_time=at, uuid=uuid)

        room = max(0, value_bytes - len(encoded(events - 1, "")[1]) - 2)
        notes = [words(chosen, room) for _ in range(NOTES)]
        for number in range(events):
            sensor, value = encoded(number, chosen.choice(notes))
            partition = number % SENSORS % product.topic.partitions
            _hand_over(producer, product.topic.name, partition, sensor, value, now // 1_000)
    if left := producer.flush(120):
        raise RuntimeError(f"{left} records were not acknowledged")


def _hand_over(
    producer: Producer, topic: str, partition: int, key: str, value: bytes, time_ms: int
) -> None:
    while True:
        try:
            producer.produce(topic, value, key, partition, timestamp=time_ms, headers=HEADERS)
        except BufferError:
            producer.poll(0.05)
        else:
            producer.poll(0)
            return
