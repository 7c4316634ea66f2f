"""A producer of viewing events at a steady rate, in a process of its own."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
from confluent_kafka import Producer

from benchmarks.templates import TIME_MARK, UUID_MARK, Templates, encoder, templates
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.schemas import wire
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product

TICK_S = 0.02
ACCOUNTS = 20_000
DEVICES = ("tablet", "mobile")
REGIONS = ("us-east", "us-west", "eu-west", "eu-east")


@dataclass(frozen=True)
class Sent:
    """What was sent, all of it acknowledged.

    Attributes:
        begin_ms, end_ms: record times are in [begin, end).
        late_ms: how late the latest tick was.
    """

    records: int
    begin_ms: int
    end_ms: int
    late_ms: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / max(1, self.end_ms - self.begin_ms) * 1000


def viewing_templates(product: Product, schema_id: int, seed: int = 1) -> Templates:
    """Return one viewing event an account, all of one length."""
    chosen = random.Random(seed)  # noqa: S311 - repeatable, not secret
    if product.envelope_schema is None:
        raise ValueError(f"{product.name} has no envelope")
    envelope, inner = encoder(product.envelope_schema), encoder(product.payload_schema)
    values, keys = [], []
    for number in range(ACCOUNTS):
        account = f"user-{number:06d}"
        payload = {
            "user_id": account,
            "content_id": f"title-{chosen.randrange(1, 10_000):05d}",
            "timestamp": TIME_MARK,
            "watch_duration": chosen.randrange(1 << 6, 1 << 12),
            "device_type": chosen.choice(DEVICES),
            "region": chosen.choice(REGIONS),
            "profile": f"profile-{chosen.randrange(5)}",
            "completion": chosen.random(),
            "session_id": f"{chosen.getrandbits(64):016x}",
        }
        event = {
            "uuid": UUID_MARK,
            "key": account,
            "schema_version": len(product.payload_schemas),
            "timestamp": TIME_MARK,
            "payload": inner(payload),
        }
        values.append(wire.encode(schema_id, envelope(event)))
        keys.append(account.encode())
    return templates(values, keys, None)


def send(
    cell: Cell, product: Product, rate: float, warm_up_s: float, seconds: float, pipe: Connection
) -> None:
    """Send `rate` events a second, first while warming up and then for `seconds`; tell `Sent` of each.

    Event and record time are the clock's as each tick's events are handed to the client. A tick that
    comes late is not skipped: those after it follow at once until the rate is made up.
    """
    schema_id = register_product(open_registry(cell), product)[product.value_subject].id
    made = viewing_templates(product, schema_id)
    failed: list[object] = []
    producer = Producer(
        {
            "bootstrap.servers": cell.bootstrap_servers,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 5,
            "partitioner": "murmur2_random",
            "delivery.report.only.error": True,
            "queue.buffering.max.messages": 1_000_000,
            "on_delivery": lambda error, _message: failed.append(error),
        }
    )
    producer.list_topics(product.topic.name)
    pipe.send("ready")
    pipe.recv()
    for length in (warm_up_s, seconds):
        pipe.send(_steady(producer, product.topic.name, made, rate, length))
    if (left := producer.flush(60)) or failed:
        raise RuntimeError(f"{left + len(failed)} records were not acknowledged")
    pipe.close()


def _steady(producer: Producer, topic: str, made: Templates, rate: float, seconds: float) -> Sent:
    rng = np.random.default_rng()
    began, begin_ms = time.monotonic(), time.time_ns() // 1_000_000
    sent, late, ticks = 0, 0.0, round(seconds / TICK_S)
    for tick in range(ticks):
        due = began + tick * TICK_S
        pause = due - time.monotonic()
        if pause > 0:
            producer.poll(0)
            time.sleep(pause)
        late = max(late, time.monotonic() - due)
        count = round(rate * TICK_S * (tick + 1)) - sent
        _send(producer, topic, made, count, rng)
        sent += count
    rest = began + seconds - time.monotonic()
    if rest > 0:
        time.sleep(rest)
    return Sent(sent, begin_ms, time.time_ns() // 1_000_000, late * 1000)


def _send(
    producer: Producer, topic: str, made: Templates, count: int, rng: np.random.Generator
) -> None:
    now = time.time_ns() // 1000
    which = rng.integers(0, len(made.keys), count)
    data = made.stamped(which, np.full(count, now, np.int64), rng)
    traces, size = rng.bytes(24 * count).hex(), made.value_bytes
    for i, row in enumerate(which.tolist()):
        trace = traces[48 * i : 48 * i + 48]
        producer.produce(
            topic,
            data[i * size : (i + 1) * size],
            made.keys[row],
            timestamp=now // 1000,
            headers=[
                ("traceparent", f"00-{trace[:32]}-{trace[32:]}-01".encode()),
                ("producer", b"benchmark"),
                ("job_id", b"freshness"),
            ],
        )
    producer.poll(0)
