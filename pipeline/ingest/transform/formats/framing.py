"""Values of Avro in another framing than Confluent's, brought into that: ids are the contract's versions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.contract.model import Product
from pipeline.ingest.transform.formats.values import PoisonedError
from pipeline.ingest.transform.records import Reason
from pipeline.kafka.records import RawRecord, Records
from pipeline.native import compiled
from pipeline.schemas import single_object, wire

Bytes = npt.NDArray[np.uint8]
Spans = npt.NDArray[np.int64]


class Framing:
    """What stands before the values of a product's topic."""

    def __init__(self, product: Product) -> None:
        schemas = product.payload_schemas
        self._is_confluent = product.topic.framing == "confluent"
        self._headers = (
            [single_object.header(schema) for schema in schemas]
            if product.topic.framing == "singleObject"
            else [b"" for _ in schemas]
        )
        size = len(self._headers[0])
        self._marks = np.frombuffer(b"".join(self._headers), np.uint8).reshape(len(schemas), size)

    def spans(self, records: Records) -> tuple[Bytes, Spans]:
        """Return values in Confluent's framing, as places in some bytes; -1 long where one has no schema."""
        if self._is_confluent:
            return records.data, records.values
        lengths = np.maximum(records.values[:, 1], 0)
        out = np.empty(int(lengths.sum()) + wire.HEADER_BYTES * len(records), np.uint8)
        spans = np.empty((len(records), 2), np.int64)
        _reframe(records.data, records.values, self._marks, out, spans)
        return out, spans

    def split(self, record: RawRecord) -> tuple[int, bytes]:
        """Return the id of the schema that wrote a record's value, and its Avro.

        Raises:
            PoisonedError: it has no value, or not this framing.
        """
        value = record.value
        if value is None:
            raise PoisonedError(Reason.NO_VALUE, "the record has no value")
        if self._is_confluent:
            try:
                return wire.split(value)
            except wire.WireFormatError as error:
                raise PoisonedError(Reason.BAD_FRAMING, error.what) from None
        for version, header in enumerate(self._headers, 1):
            if value.startswith(header):
                return version, value[len(header) :]
        if len(value) < single_object.HEADER_BYTES or not value.startswith(single_object.MARKER):
            raise PoisonedError(
                Reason.BAD_FRAMING, f"no single object of Avro: it begins with {value[:2].hex()!r}"
            )
        print_ = value[len(single_object.MARKER) : single_object.HEADER_BYTES].hex()
        detail = f"no schema of the contract has the fingerprint {print_}"
        raise PoisonedError(Reason.UNKNOWN_SCHEMA, detail)


@compiled
def _reframe(data: Any, values: Any, marks: Any, out: Any, spans: Any) -> None:
    skip, at = marks.shape[1], 0
    for row in range(len(values)):
        start, size = values[row, 0], values[row, 1]
        spans[row, 0], spans[row, 1] = at, -1
        found = 0
        for version in range(len(marks)):
            same = size >= skip
            for place in range(skip):
                same = same and data[start + place] == marks[version, place]
            if same:
                found = version + 1
                break
        if found == 0:
            continue
        out[at] = 0
        for place in range(4):
            out[at + 1 + place] = (found >> (24 - 8 * place)) & 0xFF
        for place in range(skip, size):
            out[at + 5 + place - skip] = data[start + place]
        spans[row, 1] = size - skip + 5
        at += size - skip + 5
