"""Values that are JSON objects, in columns and one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.avro.decoding import kernel
from pipeline.avro.decoding.columns import Columns
from pipeline.contract.model import Product
from pipeline.ingest.transform.formats.event_fields import EventFields, read_body, require_size
from pipeline.ingest.transform.formats.values import (
    FoundEvent,
    Numbers,
    PoisonedError,
    ReadRecord,
    warn_slow,
)
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord, Records
from pipeline.rows.json_columns import JsonReader, JsonRows
from pipeline.rows.json_value import json_decoder, unframed

WITHIN = "payload"
"""The field that holds a change where Kafka Connect's converter writes its schema beside it."""


class JsonValues:
    """Values that are JSON objects, of the newest version that the contract lists."""

    def __init__(self, product: Product, payload: pa.Schema) -> None:
        self._product = product
        self._readers = [JsonReader(product.payload_schema, payload)]
        if product.topic.debezium:
            self._readers.append(JsonReader(product.payload_schema, payload, within=WITHIN))
        warn_slow(product, "the topic", self._readers[0].slow_reason)

    def read(self, records: Records) -> Columns:
        """See `Values.read`."""
        starts, lengths = records.values[:, 0], records.values[:, 1]
        limit = self._product.gates.payload_bytes
        read = self._readers[0].read(records.data, starts, lengths, limit)
        if len(self._readers) > 1:
            read = _changes(read)
            if not len(read.rows):
                # With a schema beside each value or without: a topic stays with one of both.
                self._readers.reverse()
                read = _changes(self._readers[0].read(records.data, starts, lengths, limit))
        status = np.full(len(records), kernel.UNREADABLE, np.uint8)
        status[read.rows] = kernel.READ
        return Columns(read.table, read.rows, status, np.zeros(len(records), np.int64))

    def versions(self, numbers: Numbers) -> npt.NDArray[np.int32]:
        """See `Values.versions`."""
        return np.full(len(numbers), len(self._product.payload_schemas), np.int32)

    def refuses(self, number: int) -> bool:  # noqa: ARG002 - no record says a version
        """See `Values.refuses`."""
        return False


def json_records(product: Product, identity: TopicIdentity) -> ReadRecord:
    """Return what reads one record whose value is a JSON object, plain or framed."""
    of_fields = EventFields(product, identity)
    read = json_decoder(product.payload_schema, within=WITHIN if product.topic.debezium else None)

    def of_record(record: RawRecord) -> FoundEvent:
        if record.value is None:
            raise PoisonedError(Reason.NO_VALUE, "the record has no value")
        body = unframed(record.value)
        require_size(product, body)
        return of_fields.event(record, read_body(body, read), len(product.payload_schemas))

    return of_record


def _changes(read: JsonRows) -> JsonRows:
    """Return the rows that are changes: an object that is none has nothing of one."""
    sound = read.table.column("op").is_valid()
    return JsonRows(read.table.filter(sound), read.rows[sound.to_numpy()])
