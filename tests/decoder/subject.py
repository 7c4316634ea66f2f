"""The columnar reader under test, fed values as a batch holds them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.avro import arrow
from pipeline.avro.decoding import kernel
from pipeline.avro.decoding.columns import ColumnReader
from pipeline.schemas import wire
from tests.decoder.evolution import Evolved
from tests.decoder.reference import Reference, told

LIMIT = 1 << 20


class Subject:
    """Reads values of an evolved schema; the schema id of a writer is its number."""

    def __init__(self, history: Evolved) -> None:
        columns = pa.schema(arrow.fields(history.reader))
        self._reader = ColumnReader(history.reader, columns, enveloped=False)
        for number, writer in enumerate(history.writers):
            self._reader.add_schema(number, writer)

    def read(self, values: Sequence[tuple[int, bytes]]) -> list[dict[str, Any] | None]:
        """Return what each (writer, Avro binary) is read as; None where it is not vouched for."""
        framed = [wire.encode(number, body) for number, body in values]
        ends = list(itertools.accumulate(len(one) for one in framed))
        lengths = np.array([len(one) for one in framed], np.int64)
        data = np.frombuffer(b"".join(framed), np.uint8)
        found = self._reader.read(data, np.array(ends, np.int64) - lengths, lengths, LIMIT)
        table = found.table.combine_chunks()
        columns = {
            name: told(column.combine_chunks())
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
        rows: list[dict[str, Any] | None] = [None] * len(values)
        for row, number in enumerate(found.row_of.tolist()):
            rows[number] = {name: column[row] for name, column in columns.items()}
        read = np.flatnonzero(found.status == kernel.READ).tolist()
        if read != found.row_of.tolist():
            raise AssertionError("rows are not of the values that were read")
        return rows


def references(history: Evolved) -> list[Reference]:
    """Return the slow reader of each writer's values."""
    return [Reference(writer, history.reader) for writer in history.writers]
