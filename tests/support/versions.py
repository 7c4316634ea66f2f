"""A product whose payload grows by versions, as contracts of several ages see it."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Producer

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product
from pipeline.schemas.wire import encode
from tests.support.products import CONTRACTS

BEGIN_US = 1_780_308_000_000_000
"""2026-06-01T10:00:00Z: the event time of the first event; each next is a second later."""

_ID = {"name": "id", "type": "string"}
_AT = {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}
_AMOUNT = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}


def _device(*more: dict[str, Any]) -> dict[str, Any]:
    fields = [{"name": "name", "type": "string"}, *more]
    return {"name": "dev", "type": {"type": "record", "name": "Device", "fields": fields}}


FIELDS: tuple[list[dict[str, Any]], ...] = (
    [_ID, _AT, _device()],
    [_ID, _AT, _device(), {"name": "note", "type": ["null", "string"], "default": None}],
    [
        _ID,
        _AT,
        _device({"name": "model", "type": ["null", "string"], "default": None}),
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "amount", "type": ["null", _AMOUNT], "default": None},
        {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
    ],
)
"""Version 1, one that adds a field, and one that adds inside a record, a decimal and a list."""


def payload_schema(version: int) -> dict[str, Any]:
    """Return the payload's schema of `version`, from 1."""
    return {"type": "record", "name": "P", "namespace": "cases", "fields": FIELDS[version - 1]}


def versions_product(
    folder: Path,
    topic: str,
    versions: int,
    *,
    envelope: bool,
    unlisted: str = "keep",
    partitions: int = 2,
) -> Product:
    """Write the contract that lists the first `versions` to `folder`/grows, and load it.

    Written again with other arguments it is the same product at another age.
    """
    target = folder / "grows"
    (target / "schemas").mkdir(parents=True, exist_ok=True)
    for version in range(1, versions + 1):
        file = target / "schemas" / f"payload.v{version}.avsc"
        file.write_text(json.dumps(payload_schema(version)))
    enveloped = "none"
    if envelope:
        enveloped = "schemas/envelope.avsc"
        source = CONTRACTS / "strict_events" / enveloped
        (target / enveloped).write_text(source.read_text())
    properties = "".join(
        f"      - {{name: {name}, logicalType: {kind}, description: d}}\n"
        for name, kind in (
            ("id", "string"),
            ("at", "timestamp"),
            ("dev", "object"),
            ("note", "string"),
            ("amount", "number"),
            ("tags", "array"),
        )
        if any(field["name"] == name for field in FIELDS[versions - 1])
    )
    listed = ", ".join(f"schemas/payload.v{n}.avsc" for n in range(1, versions + 1))
    (target / "contract.yaml").write_text(
        f"""apiVersion: v3.1.0
kind: DataContract
id: urn:cases:grows
name: grows
version: {versions}.0.0
status: active
domain: cases
description: {{purpose: try}}
team: {{name: t, members: [{{username: t, role: owner}}]}}
customProperties:
  - property: headwater
    value:
      cells: [us]
      key: id
      eventTime: at
      schemas: {{envelope: {enveloped}, payload: [{listed}], unlisted: {unlisted}}}
      topic: {{partitions: {partitions}, replication: 1, history: true, retention: forever}}
      gates: {{freshness: 10s, late: 72h}}
schema:
  - name: grows
    physicalName: {topic}
    physicalType: topic
    description: d
    properties:
{properties}"""
    )
    return load_product(target)


@dataclass(frozen=True)
class Sent:
    """One event as it was sent."""

    number: int
    version: int
    partition: int

    @property
    def values(self) -> dict[str, Any]:
        """All that it holds, by the newest version's fields; what its version lacks is left out."""
        held: dict[str, Any] = {"id": f"k{self.number}", "dev": {"name": f"d{self.number}"}}
        if self.version >= 2:
            held["note"] = f"n{self.number}"
        if self.version >= 3:
            held["dev"] = {"name": f"d{self.number}", "model": f"m{self.number}"}
            held |= {"amount": Decimal(self.number).scaleb(-2), "tags": [f"t{self.number}", ""]}
        return held


class VersionsWriter:
    """Sends events of any version of the product, which has all its versions registered."""

    def __init__(self, cell: Cell, whole: Product) -> None:
        ensure_topic(cell, whole)
        registry = open_registry(cell)
        refs = register_product(registry, whole)
        self._topic = whole.topic.name
        self._producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
        self._payloads = {v: fastavro.parse_schema(payload_schema(v)) for v in (1, 2, 3)}
        self._ids = {
            version: registry.version(whole.payload_subject, version).id
            for version in range(1, len(whole.payload_schemas) + 1)
        }
        self._envelope = whole.envelope_schema and fastavro.parse_schema(whole.envelope_schema)
        self._envelope_id = refs[whole.value_subject].id
        self._made = 0

    def wrap_in(self, cell: Cell, whole: Product, envelope: dict[str, Any]) -> None:
        """Send in another envelope from now on, which is a newer version of the subject."""
        ref = open_registry(cell).register(whole.value_subject, envelope)
        self._envelope, self._envelope_id = fastavro.parse_schema(envelope), ref.id

    def send(self, versions: Iterable[int], *, partition: int) -> list[Sent]:
        """Send an event of each of `versions`, in this order, and wait for the broker."""
        sent = []
        for version in versions:
            one = Sent(self._made, version, partition)
            self._made += 1
            at_us = BEGIN_US + one.number * 1_000_000
            self._producer.produce(
                self._topic,
                self._value(one, at_us),
                one.values["id"].encode(),
                partition=partition,
                timestamp=at_us // 1_000,
            )
            sent.append(one)
        self._producer.flush(30)
        return sent

    def _value(self, one: Sent, at_us: int) -> bytes:
        payload = {**one.values, "at": at_us}
        body = _written(self._payloads[one.version], payload)
        if not self._envelope:
            return encode(self._ids[one.version], body)
        envelope = {
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, one.values["id"])),
            "key": one.values["id"],
            "schema_version": one.version,
            "timestamp": at_us,
            "payload": body,
        }
        return encode(self._envelope_id, _written(self._envelope, envelope))


def _written(schema: Any, value: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()
