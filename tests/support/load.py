"""Filling a product's topic with chosen events, duplicates, poison and transactions."""

from __future__ import annotations

import io
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import fastavro
from confluent_kafka import Producer

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.security.clients import librdkafka_settings
from pipeline.kafka.topics import high_watermarks, stable_offsets
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product
from pipeline.schemas.wire import encode

HOURS = 3
"""Over how many past hours events are spread, where the producer's clock is record time."""
PATIENCE_S = 120
"""How long records may take to be delivered: a broker that comes back on a busy machine takes a minute."""
UNREGISTERED = 4_000_000

POISON = {
    "tombstone": "no_value",
    "text": "bad_framing",
    "unknown schema": "unknown_schema",
    "unknown payload version": "unknown_schema",
    "truncated envelope": "undecodable",
    "truncated payload": "undecodable",
    "trailing bytes": "undecodable",
    "null key": "null_key",
    "other key": "key_mismatch",
    "payload over 1 MB": "payload_too_large",
    "stale": "stale",
    "ahead": "ahead",
}
"""Kinds of record that must become dead letters, and the reason each must be given."""
SMALL_POISON = tuple(kind for kind in POISON if kind != "payload over 1 MB")


@dataclass(frozen=True)
class Message:
    """One record to be produced. `time_ms` is the producer's timestamp."""

    partition: int
    key: bytes | None
    value: bytes | None
    time_ms: int
    headers: tuple[tuple[str, bytes | None], ...] = (("producer", b"load"), ("job_id", b"test"))


@dataclass(frozen=True)
class Filled:
    """What a topic was given.

    Attributes:
        events: records with a uuid of their own.
        duplicates: records that repeat an earlier one's uuid.
        poison: records of each kind.
    """

    events: int = 0
    duplicates: int = 0
    poison: Mapping[str, int] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return self.events + self.duplicates + sum(self.poison.values())

    @property
    def reasons(self) -> Mapping[str, int]:
        """Dead letters that the poison must become, by reason."""
        reasons: Counter[str] = Counter()
        for kind, count in self.poison.items():
            reasons[POISON[kind]] += count
        return reasons


class TopicWriter:
    """Writes to one product's topic, which it creates. The same seed writes the same values."""

    def __init__(self, cell: Cell, product: Product, *, seed: int = 1) -> None:
        self._cell = cell
        self._product = product
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        ensure_topic(cell, product)
        has_ids = product.topic.has_schema_ids and product.topic.format == "avro"
        refs = register_product(open_registry(cell), product) if has_ids else {}
        self._envelope = (
            None
            if product.envelope_schema is None
            else fastavro.parse_schema(dict(product.envelope_schema))
        )
        self._payload = fastavro.parse_schema(dict(product.payload_schema))
        self._schema_id = refs[product.value_subject].id if has_ids else 0
        self._version = len(product.payload_schemas)
        self._made = 0

    def events(self, count: int) -> list[Message]:
        """Return `count` new events over all partitions and a few hours."""
        return [self._event() for _ in range(count)]

    def event(self, partition: int = 0, **fields: Any) -> Message:
        """Return one new event of a partition, whose payload's `fields` are as given."""
        return replace(self._event(fields=fields), partition=partition)

    def poison(self, kind: str) -> Message:
        """Return one record of a kind of POISON."""
        now = self._now()
        match kind:
            case "tombstone":
                return replace(self._event(), value=None)
            case "text":
                return replace(self._event(), value=b"not avro at all")
            case "unknown schema":
                body = (self._event().value or b"")[5:]
                return replace(self._event(), value=encode(UNREGISTERED, body))
            case "unknown payload version":
                return self._event(schema_version=99)
            case "truncated envelope":
                event = self._event()
                return replace(event, value=(event.value or b"")[:-3])
            case "truncated payload":
                return self._event(payload=self._encode_payload()[:-1])
            case "trailing bytes":
                event = self._event()
                return replace(event, value=(event.value or b"") + b"\0")
            case "null key":
                return replace(self._event(), key=None)
            case "other key":
                return replace(self._event(), key=b"another")
            case "payload over 1 MB":
                return self._event(payload=self._encode_payload() + bytes(1_048_577))
            case "stale":
                gates = self._product.gates
                age = gates.freshness_s if gates.late_s is None else gates.late_s
                return self._event(timestamp=now - int((age + 60) * 1e6), time_ms=now // 1000)
            case "ahead":
                ahead = self._product.gates.ahead_s
                return self._event(timestamp=now + int((ahead + 60) * 1e6), time_ms=now // 1000)
        raise ValueError(f"{kind} is not one of {sorted(POISON)}")

    def send(self, messages: Iterable[Message], *, codec: str = "lz4") -> None:
        """Produce `messages` in their order, and wait until the broker has them all."""
        # A producer of its own: one that is kept has threads that outlive the broker.
        producer = self._connect(**{"compression.type": codec})
        _send(producer, self._product.topic.name, messages)

    @contextmanager
    def open_transaction(self, messages: Iterable[Message]) -> Iterator[Producer]:
        """Produce `messages` in a transaction, and yield its producer while it is open.

        The caller ends it (`commit_transaction`, `abort_transaction`); else it is aborted. At the end of the
        block every partition has its marker: the broker answers before it has written them.
        """
        producer = self._connect(**{"transactional.id": f"load-{uuid.uuid4()}"})
        producer.init_transactions(30)
        producer.begin_transaction()
        _send(producer, self._product.topic.name, messages)
        try:
            yield producer
        except BaseException:
            producer.abort_transaction(30)
            raise
        self._wait_until_decided()

    def _wait_until_decided(self) -> None:
        topic, deadline = self._product.topic, time.monotonic() + 30
        partitions = range(topic.partitions)
        with connect_admin(self._cell) as admin:
            while time.monotonic() < deadline:
                stable = stable_offsets(admin, topic.name, partitions)
                if stable == high_watermarks(admin, topic.name, partitions):
                    return
                time.sleep(0.02)
        raise TimeoutError(f"a transaction is open in {topic.name}")

    def commit(self, messages: Iterable[Message]) -> None:
        """Produce `messages` in a transaction of their own, which leaves a control record."""
        with self.open_transaction(messages) as producer:
            producer.commit_transaction(30)

    def abort(self, messages: Iterable[Message]) -> None:
        """Produce `messages` in a transaction that is aborted: no reader is given them."""
        with self.open_transaction(messages) as producer:
            producer.abort_transaction(30)

    def fill(
        self,
        count: int,
        *,
        duplicate_every: int = 10,
        poison_every: int = 12,
        kinds: Sequence[str] = SMALL_POISON,
        transactions: int = 0,
    ) -> Filled:
        """Write `count` records: mostly events, with duplicates and poison strewn between.

        Duplicates repeat records from a little while to long ago. Of the records, `transactions`
        shares are written in transactions, each followed by an aborted one: holes in the offsets.
        """
        sent: list[Message] = []
        events: list[Message] = []
        duplicates, poison = 0, Counter[str]()
        for i in range(count):
            if events and i % duplicate_every == duplicate_every - 1:
                reach = self._random.choice((5, 200, len(events)))
                sent.append(self._random.choice(events[-reach:]))
                duplicates += 1
            elif i % poison_every == poison_every - 1:
                kind = kinds[(i // poison_every) % len(kinds)]
                sent.append(self.poison(kind))
                poison[kind] += 1
            else:
                events.append(self._event())
                sent.append(events[-1])
        if transactions:
            share = -(-len(sent) // transactions)
            for start in range(0, len(sent), share):
                self.commit(sent[start : start + share])
                self.abort(self.events(3 * self._product.topic.partitions))
        else:
            self.send(sent)
        return Filled(len(events), duplicates, poison)

    def _event(
        self,
        *,
        timestamp: int | None = None,
        time_ms: int | None = None,
        payload: bytes | None = None,
        schema_version: int | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Message:
        self._made += 1
        key = f"key-{self._random.randrange(1000)}"
        instant = self._instant() if timestamp is None else timestamp
        if self._envelope is None:
            own = {self._product.key: key, self._product.event_time: instant}
            return self._message(key, self._encode_payload({**own, **(fields or {})}), instant)
        envelope = {
            "uuid": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            "key": key,
            "schema_version": schema_version or self._version,
            "timestamp": instant,
            "payload": self._encode_payload(fields) if payload is None else payload,
        }
        return self._message(key, _avro(self._envelope, envelope), instant, time_ms)

    def _message(self, key: str, value: bytes, instant: int, time_ms: int | None = None) -> Message:
        return Message(
            partition=self._made % self._product.topic.partitions,
            key=key.encode(),
            value=encode(self._schema_id, value),
            time_ms=instant // 1000 if time_ms is None else time_ms,
        )

    def _encode_payload(self, fields: Mapping[str, Any] | None = None) -> bytes:
        some = self._some(self._product.payload_schema)
        return _avro(self._payload, {**some, **(fields or {})})

    def _instant(self) -> int:
        if self._product.topic.record_time == "LogAppendTime":
            return self._now()
        return self._now() - self._random.randrange(HOURS * 3_600_000_000)

    def _now(self) -> int:
        return time.time_ns() // 1000

    def _some(self, schema: Any) -> Any:
        """Return some value of an Avro schema."""
        kind = schema if isinstance(schema, str) else None
        if isinstance(schema, list):
            return self._some(next(branch for branch in schema if branch != "null"))
        if isinstance(schema, dict):
            if schema["type"] == "record":
                return {f["name"]: self._some(f["type"]) for f in schema["fields"]}
            if schema["type"] == "enum":
                return self._random.choice(schema["symbols"])
            if schema.get("logicalType") == "timestamp-micros":
                return self._now()
            if schema.get("logicalType") == "timestamp-millis":
                return self._now() // 1000
            return self._some(schema["type"])
        match kind:
            case "int" | "long":
                return self._random.randrange(1, 100)
            case "float" | "double":
                return self._random.random()
            case "boolean":
                return self._random.random() < 0.5
            case "string":
                return f"value-{self._random.randrange(1000)}"
            case "bytes":
                return self._random.randbytes(8)
        raise ValueError(f"no value for {schema}")

    def _connect(self, **settings: Any) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._cell.bootstrap_servers,
                "enable.idempotence": True,
                "linger.ms": 5,
                "message.max.bytes": 10_000_000,
                "compression.type": "lz4",
                **librdkafka_settings(self._cell),
                **settings,
            }
        )


def _send(producer: Producer, topic: str, messages: Iterable[Message]) -> None:
    failures: list[str] = []

    def delivered(error: Any, _message: Any) -> None:
        if error is not None:
            failures.append(str(error))

    for message in messages:
        producer.produce(
            topic,
            message.value,
            message.key,
            partition=message.partition,
            timestamp=message.time_ms,
            headers=list(message.headers),
            on_delivery=delivered,
        )
        producer.poll(0)
    left = producer.flush(PATIENCE_S)
    if left or failures:
        raise RuntimeError(f"{left} records not delivered in time; {failures[:3]}")


def _avro(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()
