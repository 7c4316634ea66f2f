"""What Debezium sends besides changes: a tombstone after each delete, for the topic's compaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.avro.decoding.bounded import is_bounded
from pipeline.avro.decoding.single import reader
from pipeline.avro.field_path import value_at
from pipeline.avro.normal import NotAvroError
from pipeline.contract.model import Product
from pipeline.ingest.transform.coordinate_uuid import coordinate_uuids
from pipeline.ingest.transform.origins import Origins
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import Records
from pipeline.rows.frames import to_series
from pipeline.schemas import wire
from pipeline.schemas.registry import Registry, SchemaNotFoundError
from pipeline.schemas.wire import WireFormatError

RowNumbers = npt.NDArray[np.int64]
Read = Callable[[bytes], Any]
_KEEPS = 100_000
"""Keys that are remembered: those of a batch come again in the next."""


class Tombstones:
    """Reads records without a value as events: their key is the record's, their time its time, all else null.

    A record's key is JSON, Avro in Confluent's framing, or the key's own text, in UTF-8. Schemas are looked
    up once and kept; those that the registry does not know are asked for again by the next batch. Not safe
    for use by several threads.
    """

    def __init__(self, product: Product, registry: Registry, identity: TopicIdentity) -> None:
        self._product = product
        self._registry = registry
        self._identity = identity
        self._known: dict[bytes, str] = {}
        self._readers: dict[int, Read | None] = {}

    def read(
        self, records: Records, rows: RowNumbers, origins: Origins
    ) -> tuple[pl.DataFrame, RowNumbers, list[DeadLetter]]:
        """Return events' own columns of the tombstones numbered `rows`, which have a key, and the others.

        Raises:
            RegistryUnavailableError: the schema of a key could not be looked up.
        """
        keys, kept, dead_letters = [], [], []
        if len(self._known) > _KEEPS:
            self._known.clear()
        self._readers = {number: read for number, read in self._readers.items() if read}
        told = records.text(records.keys[rows]).to_pylist()
        for row, raw in zip(rows.tolist(), told, strict=True):
            raw = raw or b""
            if key := self._known.get(raw) or self._key(raw):
                self._known[raw] = key
                keys.append(key)
                kept.append(row)
            else:
                detail = f"no value, and a key that does not say {self._product.key}"
                dead_letters.append(DeadLetter(records.record(row), Reason.NULL_KEY, detail))
        found = np.array(kept, np.int64)
        partitions, offsets = origins.partition[found], origins.offset[found]
        own = pl.DataFrame(
            {
                "_uuid": to_series(coordinate_uuids(self._identity, partitions, offsets)),
                "_key": pl.Series(keys, dtype=pl.String),
                "_event_time": pl.Series(origins.time[found]).cast(pl.Datetime("us", "UTC")),
                "_schema_version": np.full(
                    len(found), len(self._product.payload_schemas), np.int32
                ),
            }
        )
        return own, found, dead_letters

    def _key(self, key: bytes) -> str | None:
        """Return what a record's key says of the key; None if it does not."""
        if not key:
            return None
        try:
            found = self._of_avro(key) if key[:1] == b"\0" else _of_text(key)
            if isinstance(found, dict) and found.keys() == {"schema", "payload"}:
                found = found["payload"]
            value = value_at(found, self._product.key) if isinstance(found, dict) else found
            # JSON may say half a surrogate pair, which no column of text can hold.
            return None if value is None or isinstance(value, dict | list) else _utf8(str(value))
        except (WireFormatError, ValueError, RecursionError):
            return None

    def _of_avro(self, key: bytes) -> Any:
        schema_id, body = wire.split(key)
        if schema_id not in self._readers:
            self._readers[schema_id] = self._reader(schema_id)
        read = self._readers[schema_id]
        return None if read is None else read(body)

    def _reader(self, schema_id: int) -> Read | None:
        try:
            schema = self._registry.schema(schema_id)
            return reader(schema, schema) if is_bounded(schema) else None
        except (SchemaNotFoundError, NotAvroError):
            return None


def _of_text(key: bytes) -> Any:
    """Return what JSON says, or the text that is none.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    text = key.decode()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _utf8(text: str) -> str:
    text.encode()
    return text
