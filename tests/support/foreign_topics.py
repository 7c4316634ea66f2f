"""Topics that were there before Headwater knew of them: filled by librdkafka, as anybody's are."""

from __future__ import annotations

import io
import json
import struct
import urllib.request
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

VISIT: dict[str, Any] = {"type": "record", "name": "Visit", "fields": [
    {"name": "visit_id", "type": "string"},
    {"name": "visitor", "type": "string"},
    {"name": "page", "type": "string"},
    {"name": "seconds", "type": "int"},
    {"name": "seen_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
]}  # fmt: skip
_PAYMENTS_FROM = datetime(2026, 1, 5, 10, tzinfo=UTC)
Hours = dict[tuple[datetime, str], tuple[int, int]]
"""(hour, what rows are grouped by) -> how many there are, and their sum."""


def payments(count: int = 240) -> list[dict[str, Any]]:
    """Return payments of three hours of history, as JSON has them."""
    return [
        {
            "payment_id": f"p{n}",
            "account_id": f"account-{n % 7}",
            "currency": ("EUR", "USD", "NOK")[n % 3],
            "cents": 100 + n,
            "paid_at": (_PAYMENTS_FROM + timedelta(seconds=n * 45)).isoformat(),
        }
        for n in range(count)
    ]


def visits(count: int = 240) -> list[dict[str, Any]]:
    """Return visits of the two hours before the last whole one."""
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    return [
        {
            "visit_id": f"v{n}",
            "visitor": f"visitor-{n % 11}",
            "page": ("/", "/shop", "/about")[n % 3],
            "seconds": n % 90,
            "seen_at": begin + timedelta(seconds=n * 30),
        }
        for n in range(count)
    ]


def hours_of(rows: Sequence[dict[str, Any]], by: str, of: str, at: str) -> Hours:
    """Return what an hourly table of these rows holds, in plain Python."""
    counts: Counter[tuple[datetime, str]] = Counter()
    sums: Counter[tuple[datetime, str]] = Counter()
    for row in rows:
        moment = row[at] if isinstance(row[at], datetime) else datetime.fromisoformat(row[at])
        key = (moment.replace(minute=0, second=0, microsecond=0), str(row[by]))
        counts[key] += 1
        sums[key] += row[of]
    return {key: (counts[key], sums[key]) for key in counts}


def fill_payments(servers: str, topic: str, rows: Sequence[dict[str, Any]]) -> None:
    """Make a topic that keeps records for ever, and send JSON objects keyed by account."""
    _make(servers, topic, {"retention.ms": "-1"})
    times = [datetime.fromisoformat(row["paid_at"]) for row in rows]
    values = [json.dumps(row).encode() for row in rows]
    _send(servers, topic, [row["account_id"] for row in rows], values, times)


def fill_visits(servers: str, topic: str, registry: str, rows: Sequence[dict[str, Any]]) -> None:
    """Register a schema over HTTP, make a topic, and send Avro in Confluent's framing keyed by visitor."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{registry}/subjects/{topic}-value/versions",
        json.dumps({"schema": json.dumps(VISIT)}).encode(),
        {"Content-Type": "application/vnd.schemaregistry.v1+json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        schema_id = json.load(answer)["id"]
    _make(servers, topic, {})
    values = []
    for row in rows:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(VISIT), row)
        values.append(struct.pack(">bI", 0, schema_id) + out.getvalue())
    _send(servers, topic, [row["visitor"] for row in rows], values, [r["seen_at"] for r in rows])


def _make(servers: str, topic: str, config: dict[str, str]) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    (made,) = admin.create_topics([NewTopic(topic, 2, 1, config=config)]).values()
    made.result(30)


def _send(
    servers: str, topic: str, keys: list[str], values: list[bytes], times: list[datetime]
) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for key, value, at in zip(keys, values, times, strict=True):
        stamp = int((at + timedelta(seconds=1)).timestamp() * 1_000)
        producer.produce(topic, value, key, timestamp=stamp)
    assert producer.flush(30) == 0
