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
from pipeline.rows.json_columns import JsonReader
from pipeline.rows.json_value import json_decoder, unframed


class JsonValues:
    """Values that are JSON objects, of the newest version that the contract lists."""

    def __init__(self, product: Product, payload: pa.Schema) -> None:
        self._product = product
        self._reader = JsonReader(product.payload_schema, payload)
        warn_slow(product, "the topic", self._reader.slow_reason)

    def read(self, records: Records) -> Columns:
        """See `Values.read`."""
        starts, lengths = records.values[:, 0], records.values[:, 1]
        read = self._reader.read(records.data, starts, lengths, self._product.gates.payload_bytes)
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
    read, of_fields = json_decoder(product.payload_schema), EventFields(product, identity)

    def of_record(record: RawRecord) -> FoundEvent:
        if record.value is None:
            raise PoisonedError(Reason.NO_VALUE, "the record has no value")
        body = unframed(record.value)
        require_size(product, body)
        return of_fields.event(record, read_body(body, read), len(product.payload_schemas))

    return of_record
