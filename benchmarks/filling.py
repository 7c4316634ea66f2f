"""Filling a topic fast: records without an envelope, of a size that is asked for."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from confluent_kafka import Producer

from benchmarks.templates import TIME_MARK, UUID_MARK, Micros, Templates, encoder, templates, words
from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.produce.topic import ensure_topic
from pipeline.schemas import wire
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product

CONTRACTS = Path(__file__).parent / "contracts"
PLAIN = "plain_events"
DEVICES = ("mobile", "tablet", "laptop", "remote", "stream")
ACCOUNTS = 2_000
"""Accounts a partition; every account's events are in one partition, in the order of time."""
SMALLEST = 86
BLOCK = 20_000


@dataclass(frozen=True)
class Order:
    """What to fill a topic with.

    Attributes:
        events: records in all, in equal parts over the partitions.
        value_bytes: length of every record's value, at least `SMALLEST`.
        until: the last event's time, in microseconds since the epoch; now if not given.
        hours: over how many hours before that event times go, evenly, in the order of offsets.
        processes: how many fill at the same time.
    """

    events: int
    value_bytes: int = 100
    until: int | None = None
    hours: float = 6.0
    processes: int = 2
    seed: int = 1


@dataclass(frozen=True)
class Filled:
    """What a topic was given, and how long that took. Every record is a row to be, none is a duplicate."""

    events: int
    seconds: float


def plain_product(folder: Path, name: str = PLAIN, partitions: int = 16) -> Product:
    """Copy the contract of plain events to `folder / name`, with `name` as product and topic."""
    target = folder / name
    shutil.copytree(CONTRACTS / PLAIN, target)
    contract = target / "contract.yaml"
    text = contract.read_text().replace(PLAIN, name)
    contract.write_text(text.replace("partitions: 16", f"partitions: {partitions}"))
    return load_product(target)


def fill(
    cell: Cell, product: Product, order: Order, say: Callable[[str], None] = lambda _: None
) -> Filled:
    """Make the topic and fill it; returns once the broker has acknowledged every record.

    `product` is one of `plain_product`. The same order at the same `until` writes the same records.

    Raises:
        ValueError: values cannot be as small as that.
        RuntimeError: a record was not acknowledged.
    """
    if order.value_bytes < SMALLEST:
        raise ValueError(f"a value has at least {SMALLEST} bytes")
    ensure_topic(cell, product)
    schema_id = register_product(open_registry(cell), product)[product.value_subject].id
    until = order.until or time.time_ns() // 1000
    shares = np.array_split(np.arange(order.events), product.topic.partitions)
    todo = [(partition, len(share)) for partition, share in enumerate(shares)]
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")
    parts = [
        context.Process(
            target=_fill_partitions,
            args=(
                cell.bootstrap_servers,
                product,
                order,
                schema_id,
                until,
                todo[k :: order.processes],
            ),
            daemon=True,
        )
        for k in range(order.processes)
    ]
    for part in parts:
        part.start()
    for part in parts:
        while part.is_alive():
            part.join(5.0)
            if part.is_alive():
                say(f"filling, {time.monotonic() - began:.0f} s")
    if any(part.exitcode for part in parts):
        raise RuntimeError(f"{product.topic.name} was not filled")
    return Filled(order.events, time.monotonic() - began)


def account(partition: int, number: int) -> str:
    """Return the key of one of a partition's `ACCOUNTS` accounts."""
    return f"account-{partition:03d}-{number:04d}"


def plain_templates(
    product: Product, schema_id: int, value_bytes: int, partition: int, seed: int
) -> Templates:
    """Return values of one partition's accounts, each `value_bytes` long."""
    chosen = random.Random(f"{seed}/{partition}")  # noqa: S311 - repeatable, not secret
    score, avro = 0.123456789, encoder(product.payload_schema)
    values, keys = [], []
    for number in range(ACCOUNTS):
        payload = {
            "id": UUID_MARK,
            "account": account(partition, number),
            "at": TIME_MARK,
            "device": chosen.choice(DEVICES),
            # Of 3 bytes, all of them.
            "amount": chosen.randrange(1 << 13, 1 << 20),
            "score": score,
            "note": "",
        }
        room = value_bytes - len(wire.encode(schema_id, avro(payload)))
        # The length of a longer text takes a second byte.
        payload["note"] = words(chosen, room if room < 64 else room - 1)
        values.append(wire.encode(schema_id, avro(payload)))
        keys.append(account(partition, number).encode())
    return templates(values, keys, score)


def _fill_partitions(
    servers: str,
    product: Product,
    order: Order,
    schema_id: int,
    until: int,
    todo: list[tuple[int, int]],
) -> None:
    """Fill the partitions of `todo`, a block of each in turn, so that they grow side by side."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 100,
            "batch.size": 1_000_000,
            "batch.num.messages": 50_000,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 131_072,
        }
    )
    span = int(order.hours * 3_600_000_000)
    made = {
        partition: plain_templates(product, schema_id, order.value_bytes, partition, order.seed)
        for partition, _ in todo
    }
    longest = max((count for _, count in todo), default=0)
    for first in range(0, longest, BLOCK):
        for partition, count in todo:
            numbers = np.arange(first, min(first + BLOCK, count))
            times = until - span + ((numbers + 1) / max(count, 1) * span).astype(np.int64)
            rng = np.random.default_rng((order.seed, partition, first))
            _send(producer, product.topic.name, partition, made[partition], times, rng)
    if left := producer.flush(120):
        raise RuntimeError(f"{left} records were not acknowledged")


def _send(
    producer: Producer,
    topic: str,
    partition: int,
    made: Templates,
    times: Micros,
    rng: np.random.Generator,
) -> None:
    which = rng.integers(0, len(made.keys), len(times))
    data, size = made.stamped(which, times, rng), made.value_bytes
    millis = (times // 1000).tolist()
    for i, row in enumerate(which.tolist()):
        value = data[i * size : (i + 1) * size]
        while True:
            try:
                producer.produce(topic, value, made.keys[row], partition, timestamp=millis[i])
                break
            except BufferError:
                producer.poll(0.05)
    producer.poll(0)
