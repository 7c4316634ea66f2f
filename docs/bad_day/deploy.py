"""The bad deploy: a producer that writes a schema nobody knows of, and some bytes that are none of it."""

from __future__ import annotations

import io
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fastavro
from confluent_kafka import Producer

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.produce.event_writer import EventWriter
from pipeline.schemas.open import open_registry

PRODUCER = "player-41"
"""What the header `producer` of its records says."""
BROKEN = {
    "type": "record",
    "name": "ViewingEvent",
    "namespace": "viewing",
    "fields": [
        {"name": "user_id", "type": "string"},
        {"name": "content_id", "type": "string"},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "watched_ms", "type": "long", "default": 0},
        {"name": "device_type", "type": "string"},
        {"name": "region", "type": "string"},
        {"name": "profile", "type": "string"},
        {"name": "completion", "type": "double"},
        {"name": "session_id", "type": ["null", "string"], "default": None},
    ],
}
"""Version 41 of the player: `watch_duration`, in seconds, is `watched_ms` now. The registry takes it."""
CORRUPT = 0.4
"""The share of its records that are of the schema that all know, and cut."""


@dataclass(frozen=True)
class Shipped:
    """What it sent: events of the schema that nobody knows of, by uuid with their seconds, and cut ones."""

    broken: dict[str, int]
    corrupt: int


def ship(
    cell: Cell, product: Product, records: int, seconds: float, event_time: int, seed: int = 41
) -> Shipped:
    """Send `records` over `seconds`, whose events happened from `event_time` on (us), a millisecond apart."""
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    registry = open_registry(cell)
    headers: list[tuple[str, str | bytes | None]] = [("producer", PRODUCER.encode())]
    broken: dict[str, int] = {}
    corrupt = 0
    producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
    begun = time.monotonic()
    with EventWriter(cell, product, registry) as writer:
        version = registry.register(product.payload_subject, BROKEN).version
        for number in range(records):
            at = event_time + number * 1_000
            own, key = (
                str(uuid.UUID(int=chosen.getrandbits(128))),
                f"user-{chosen.randrange(500):05d}",
            )
            event = _event(chosen, key, at)
            if chosen.random() < CORRUPT:
                # An older part of the player, whose buffer is flushed too late.
                corrupt += 1
                whole = _encoded(product.payload_schema, event | {"watch_duration": 1})
                payload, written_by = whole[: len(whole) // 2], len(product.payload_schemas)
            else:
                broken[own] = event["watched_ms"] // 1_000
                payload, written_by = _encoded(BROKEN, event), version
            value = writer.encode_envelope(
                payload, key=key, event_time=at, uuid=own, version=written_by
            )
            now = int(time.time() * 1_000)
            producer.produce(
                product.topic.name, value, key.encode(), timestamp=now, headers=headers
            )
            producer.poll(0)
            time.sleep(max(0.0, begun + seconds * number / records - time.monotonic()))
    producer.flush(60)
    return Shipped(broken, corrupt)


def _event(chosen: random.Random, user: str, at: int) -> dict[str, Any]:
    return {
        "user_id": user,
        "content_id": f"title-{chosen.randrange(300):04d}",
        "timestamp": at,
        "watched_ms": chosen.randrange(1_000, 3_600_000),
        "device_type": chosen.choice(["tv", "mobile", "tablet"]),
        "region": "us-east",
        "profile": "main",
        "completion": chosen.random(),
        "session_id": None,
    }


def _encoded(schema: Mapping[str, Any], event: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, dict(schema), event)
    return out.getvalue()
