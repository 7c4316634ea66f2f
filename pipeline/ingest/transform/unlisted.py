"""Records whose payload version the contract does not list: what its setting makes of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipeline.avro import compatibility
from pipeline.avro.decoding import kernel
from pipeline.avro.decoding.columns import Columns
from pipeline.contract.model import Product
from pipeline.ingest.transform.payload_versions import PayloadVersions
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.records import Records
from pipeline.rows.frames import to_frame
from pipeline.schemas.registry import Schemas
from pipeline.tables.layout import RECORD_VALUE

RowNumbers = npt.NDArray[np.int64]
_UNKNOWN = {True: kernel.UNKNOWN_VERSION, False: kernel.UNKNOWN_SCHEMA}


class UnlistedVersions:
    """Tells such records by their numbers: payload versions, or schema ids without an envelope.

    Kept ones are rows with their record's value beside them; the others are dead letters.
    """

    def __init__(self, product: Product, schemas: Schemas, versions: PayloadVersions) -> None:
        self._product = product
        self._schemas = schemas
        self._versions = versions
        self._keeps = product.unlisted == "keep"
        self._is_readable: dict[int, bool] = {}

    def refuses(self, number: int) -> bool:
        """Return whether records of this number are dead letters, whatever they hold."""
        return not self._versions.is_listed(number) and not self._keeps

    def refused(self, columns: Columns) -> RowNumbers:
        """Return the numbers of the records that are refused, among those that were read to `columns`."""
        if self._keeps or not self._versions.unlisted:
            return np.empty(0, np.int64)
        unknown = columns.status == _UNKNOWN[self._product.topic.envelope]
        return np.flatnonzero(unknown & np.isin(columns.number, self._versions.unlisted))

    def dead_letter(self, records: Records, row: int, number: int) -> DeadLetter:
        """Return the dead letter of one refused record."""
        detail = self._versions.describe(number)
        return DeadLetter(records.record(row), Reason.UNLISTED_SCHEMA, detail)

    def values(self, records: Records, rows: RowNumbers, numbers: RowNumbers) -> pl.DataFrame:
        """Return the values of the records numbered `rows` that are kept whole; no column if none is."""
        kept = np.isin(numbers, self._versions.unlisted) if self._versions.unlisted else None
        if kept is None or not kept.any():
            return pl.DataFrame()
        spans = records.values[rows].copy()
        spans[~kept, 1] = -1
        return to_frame(pa.table([records.text(spans)], [RECORD_VALUE]))

    def relabelled(self, dead_letter: DeadLetter, number: int) -> DeadLetter:
        """Return `dead_letter`, as unlisted if the contract could not read its schema anyway."""
        if dead_letter.reason is not Reason.UNDECODABLE or number not in self._versions.unlisted:
            return dead_letter
        if number not in self._is_readable:
            subject = self._product.payload_subject
            writer = (
                self._schemas.version(subject, number).schema
                if self._product.topic.envelope
                else self._schemas.schema(number)
            )
            problems = compatibility.check(self._product.payload_schema, writer)
            self._is_readable[number] = not problems
        if self._is_readable[number]:
            return dead_letter
        detail = f"{self._versions.describe(number)} and cannot read: {dead_letter.detail}"
        return DeadLetter(dead_letter.record, Reason.UNLISTED_SCHEMA, detail[:500])
