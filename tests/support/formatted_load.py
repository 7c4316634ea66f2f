"""Filling topics of other formats: JSON, single objects of Avro, changes of Debezium, Protobuf."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.schemas.open import open_registry
from pipeline.schemas.texts import SchemaText
from pipeline.schemas.wire import encode
from tests.support.load import Filled, Message, TopicWriter
from tests.support.products import own_product
from tests.support.single_objects import single_object
from tests.unit.protobuf.wire import block, framed, integer, timestamp

ENVELOPE = "envelope"
PROTOBUF = "protobuf"
FORMATS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    ENVELOPE: ("strict_events", {}),
    "json": ("plain_orders", {"framing: singleObject": "format: json"}),
    "singleObject": ("plain_orders", {}),
    "debezium json": ("debezium_orders", {"eventTime:": "uuid: source.sequence\n      eventTime:"}),
    "debezium avro": (
        "debezium_orders",
        {"eventTime:": "uuid: source.sequence\n      eventTime:", "format: json": "format: avro"},
    ),
    PROTOBUF: ("protobuf_orders", {}),
}
"""Format -> the product that has it, and what is changed in its contract."""
PROTO = """
syntax = "proto3";
import "google/protobuf/timestamp.proto";
message Order {
  string order_id = 1;
  string customer_id = 2;
  string country = 3;
  bytes amount = 4;
  google.protobuf.Timestamp placed_at = 5;
  repeated Item items = 6;
}
message Item {
  string sku = 1;
  int32 count = 2;
}
"""
KINDS = ("text", "truncated", "nothing of it")


def formatted_product(form: str, folder: Path, partitions: int) -> Product:
    """Return a product of a format on a topic of its own."""
    name, changes = FORMATS[form]
    product = own_product(name, folder)
    contract = product.folder / "contract.yaml"
    text = contract.read_text().replace("partitions: 2", f"partitions: {partitions}")
    for old, new in {**changes, "cleanup: compact": "cleanup: delete"}.items():
        text = text.replace(old, new)
    contract.write_text(text)
    return load_product(product.folder)


class FormattedWriter(TopicWriter):
    """Writes orders, or changes of them, in the format of the product's topic."""

    def poison(self, kind: str) -> Message:
        """Return one record of `KINDS`."""
        event = self._event()
        value = event.value or b""
        wrong = {"text": b"neither of them", "truncated": value[:-3], "nothing of it": value[:1]}
        return replace(event, value=wrong[kind])

    def fill(
        self,
        count: int,
        *,
        duplicate_every: int = 10,
        poison_every: int = 12,
        kinds: Sequence[str] = KINDS,
        transactions: int = 0,
    ) -> Filled:
        """As `TopicWriter.fill`."""
        return super().fill(
            count,
            duplicate_every=duplicate_every,
            poison_every=poison_every,
            kinds=kinds,
            transactions=transactions,
        )

    def _event(self, **_: Any) -> Message:
        self._made += 1
        number, own = self._random.randrange(1_000), self._random.getrandbits(128)
        name, at = str(uuid.UUID(int=own, version=4)), self._now() // 1_000
        value = self._change(number, name, at) if self._product.topic.debezium else None
        meta = {"id": name, "customer": number, "at": at}
        value = value or {"meta": meta, "amount": number / 4, "tags": ["a"], "note": None}
        return Message(
            partition=self._made % self._product.topic.partitions,
            key=json.dumps({"id": number}).encode(),
            value=self._encoded(value),
            time_ms=at,
        )

    def _change(self, number: int, name: str, at: int) -> dict[str, Any]:
        row = {"id": number, "customer": "c", "amount": 0.25, "note": None, "placed_at": at}
        where = {"version": "3", "connector": "postgresql", "name": "shop", "db": "shop"}
        of = {"ts_ms": at, "table": "orders", "snapshot": None, "txId": 1, "lsn": 2}
        source = {**where, **of, "sequence": name}
        return {"before": None, "after": row, "source": source, "op": "c", "ts_ms": at}

    def _encoded(self, value: Mapping[str, Any]) -> bytes:
        if self._product.topic.format == "json":
            return json.dumps(value).encode()
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._payload, value)
        if self._product.topic.framing == "singleObject":
            return single_object(len(self._product.payload_schemas), out.getvalue())
        return encode(self._schema_id, out.getvalue())


class ProtobufWriter(FormattedWriter):
    """Writes orders in Protobuf, by a schema of the writer's own."""

    def __init__(self, cell: Cell, product: Product, *, seed: int = 1) -> None:
        super().__init__(cell, product, seed=seed)
        text = SchemaText("PROTOBUF", PROTO)
        self._proto_id = open_registry(cell).register_text(product.value_subject, text).id

    def _event(self, **_: Any) -> Message:
        self._made += 1
        number, own = self._random.randrange(1_000), self._random.getrandbits(128)
        name, at = str(uuid.UUID(int=own, version=4)), self._now()
        texts = [block(1, name.encode()), block(2, f"c{number}".encode()), block(3, b"DE")]
        items = block(6, block(1, b"sku") + integer(2, number))
        body = b"".join([*texts, block(4, number.to_bytes(2, "big")), timestamp(5, at), items])
        return Message(
            partition=self._made % self._product.topic.partitions,
            key=str(number).encode(),
            value=framed(self._proto_id, body),
            time_ms=at // 1_000,
        )


def writer_of(form: str, cell: Cell, product: Product) -> TopicWriter:
    """Return what writes to a topic of a format."""
    kinds = {ENVELOPE: TopicWriter, PROTOBUF: ProtobufWriter}
    return kinds.get(form, FormattedWriter)(cell, product)
