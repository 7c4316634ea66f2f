"""Tombstones of Debezium: the key that a record's key says, or a dead letter, never somebody else's key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.contract.load import load_product
from pipeline.ingest.transform.formats.debezium import Tombstones
from pipeline.ingest.transform.origins import Origins
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.record_batches import BatchSlice, parse_batches
from pipeline.kafka.records import Records, records_in
from pipeline.schemas import wire
from tests.decoder.batches import Wrote, batch
from tests.decoder.registry import Schemas

PRODUCT = load_product(Path(__file__).parents[2] / "data" / "contracts" / "debezium_orders")
TOPIC = TopicIdentity("cluster", "topic", "id", (0,))


def key_schema(type_: Any) -> dict[str, Any]:
    return {"type": "record", "name": "Key", "fields": [{"name": "id", "type": type_}]}


REGISTERED: dict[int, Mapping[str, Any]] = {
    1: key_schema("long"),
    2: {"type": "object", "properties": {"id": {"type": "integer"}}},
    3: key_schema({"type": "array", "items": "null"}),
}
"""Keys of Avro, of JSON Schema, and of a size that a few bytes could claim."""
SEVEN = b"\x0e"


def tombstones_of(*keys: bytes) -> Records:
    wrote = [Wrote(offset, 0, key, None) for offset, key in enumerate(keys)]
    data = batch(0, len(keys) - 1, wrote)
    found = parse_batches(0, data, 0, len(keys), ()).items
    return records_in([one for one in found if isinstance(one, BatchSlice)])


def read(tombstones: Tombstones, *keys: bytes) -> list[str | None]:
    """Return what each key says; None for one that is a dead letter `null_key`."""
    records = tombstones_of(*keys)
    origins = Origins(records.partition, records.offset, records.time)
    own, rows, letters = tombstones.read(records, np.arange(len(keys)), origins)
    assert {letter.reason for letter in letters} <= {Reason.NULL_KEY}
    assert len(rows) + len(letters) == len(keys)
    said = dict(zip(rows.tolist(), own.get_column("_key").to_list(), strict=True))
    return [said.get(number) for number in range(len(keys))]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (b'{"id": 7}', "7"),
        (b'{"schema": null, "payload": {"id": 7}}', "7"),
        (wire.encode(1, SEVEN), "7"),
        (b"7", "7"),
        ("Köln".encode(), "Köln"),
        (b'{"id": null}', None),
        (wire.encode(1, b""), None),
        (wire.encode(2, SEVEN), None),
        (wire.encode(3, b"\xfe\xff\xff\xff\x0f\x00"), None),
        ("Köln".encode("latin-1"), None),
        (b'{"id": "\\ud800"}', None),
    ],
)
def test_a_key_says_its_own_or_none(key: bytes, says: str | None) -> None:
    assert read(Tombstones(PRODUCT, Schemas(REGISTERED), TOPIC), key) == [says]


def test_a_schema_that_is_registered_later_is_found_by_the_next_batch() -> None:
    registry = Schemas({})
    tombstones = Tombstones(PRODUCT, registry, TOPIC)
    key = wire.encode(1, SEVEN)
    assert read(tombstones, key, key) == [None, None]
    registry.by_id.update(REGISTERED)
    assert read(tombstones, key) == ["7"]
