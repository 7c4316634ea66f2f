"""Values that are Avro, in columns: the payload, or the envelope around it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.avro.decoding import kernel
from pipeline.avro.decoding.columns import ColumnReader, Columns
from pipeline.contract.model import Product
from pipeline.contract.targets import avro
from pipeline.ingest.transform.formats.framing import Framing
from pipeline.ingest.transform.formats.values import Numbers, warn_slow
from pipeline.ingest.transform.payload_versions import PayloadVersions
from pipeline.ingest.transform.unlisted import UnlistedVersions
from pipeline.kafka.records import Records
from pipeline.schemas.registry import SchemaNotFoundError, Schemas


class AvroValues:
    """Values of Avro in the topic's framing. Schemas are looked up once; those not known, by every batch."""

    def __init__(
        self,
        product: Product,
        schemas: Schemas,
        payload: pa.Schema,
        versions: PayloadVersions,
        unlisted: UnlistedVersions,
    ) -> None:
        self._product = product
        self._schemas = schemas
        self._framing = Framing(product)
        self._versions = versions
        self._unlisted = unlisted
        self._reader = ColumnReader(
            avro.reader_schema(product), payload, enveloped=product.topic.envelope
        )

    def read(self, records: Records) -> Columns:
        """See `Values.read`."""
        data, spans = self._framing.spans(records)
        limit = self._product.gates.payload_bytes
        while True:
            columns = self._reader.read(data, spans[:, 0], spans[:, 1], limit)
            if not self._learn(columns):
                return columns

    def versions(self, numbers: Numbers) -> npt.NDArray[np.int32]:
        """See `Values.versions`."""
        versions = np.zeros(len(numbers), np.int32)
        for schema_id in np.unique(numbers).tolist():
            versions[numbers == schema_id] = self._versions.of_id(schema_id)
        return versions

    def refuses(self, number: int) -> bool:
        """See `Values.refuses`."""
        return self._unlisted.refuses(number)

    def _learn(self, columns: Columns) -> bool:
        """Look up schemas that were met for the first time; return whether any was found."""
        learnt = False
        bare = not self._product.topic.envelope
        for schema_id in _met(columns, kernel.UNKNOWN_SCHEMA):
            if bare and self._unlisted.refuses(schema_id):
                continue
            try:
                self._reader.add_schema(schema_id, self._schemas.schema(schema_id))
            except SchemaNotFoundError:
                continue
            self._warn_slow(f"schema id {schema_id}", schema_id)
            learnt = True
        for version in _met(columns, kernel.UNKNOWN_VERSION):
            if self._unlisted.refuses(version):
                continue
            try:
                ref = self._schemas.version(self._product.payload_subject, version)
            except SchemaNotFoundError:
                continue
            self._reader.add_version(version, ref.schema)
            self._warn_slow(f"payload version {version}", version)
            learnt = True
        return learnt

    def _warn_slow(self, name: str, number: int) -> None:
        warn_slow(self._product, name, self._reader.slow_reason(number))


def _met(columns: Columns, status: int) -> list[int]:
    met: list[int] = np.unique(columns.number[columns.status == status]).tolist()
    return met
