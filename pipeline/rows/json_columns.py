"""Reading the values of a batch that are JSON objects into Arrow columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import json as arrow_json

from pipeline.avro.schema import Schema
from pipeline.rows.json_objects import copy_objects
from pipeline.rows.json_types import NotColumnarError, Reading, Sound, field_reading

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Readings = dict[str, Reading]
"""By the names of fields."""

FEWEST = 16
"""Rows that are given up together where one of them cannot be read; more are read in halves."""
_AT_ONCE = 2
"""Threads that read: another core does what comes before and after."""
_PART = 4_096
"""Rows that are worth a thread."""


@dataclass(frozen=True)
class JsonRows:
    """What values were read to: `table` has a row for each value that `rows` numbers, ascending."""

    table: pa.Table
    rows: Ints


class JsonReader:
    """Reads JSON objects, plain or in Confluent's framing, as rows of one record schema.

    A field is read by its name, what the schema does not have is passed over. Reads less than there is in
    JSON, never more: a value that it does not vouch for is left out, whether it could be read or not, and the
    caller reads it alone. Not safe for use by several threads.
    """

    def __init__(
        self, schema: Mapping[str, Any], columns: pa.Schema, *, within: str | None = None
    ) -> None:
        """Read records of `schema` to `columns`, in their order; `within` names the field that holds them."""
        self.slow_reason: str | None = None
        self._columns = columns
        self._within = within
        self._numbers = False
        self._readings: Readings = {}
        parsed = Schema(schema)
        try:
            fields = {field["name"]: field for field in parsed.root["fields"]}
            self._readings = {name: field_reading(fields[name], parsed) for name in columns.names}
        except NotColumnarError as error:
            self.slow_reason = str(error)
        self._with_numbers = {name: one.of_number or one for name, one in self._readings.items()}

    def read(self, data: Bytes, starts: Ints, lengths: Ints, limit: int) -> JsonRows:
        """Read the values data[start : start + length], of at most `limit` bytes without their framing."""
        if self.slow_reason is not None or not len(starts):
            return JsonRows(self._columns.empty_table(), np.empty(0, np.int64))
        room = int(np.maximum(lengths, 0).sum()) + len(starts)
        lines, edges = np.empty(room, np.uint8), np.zeros(len(starts) + 1, np.int64)
        copy_objects(data, starts, lengths, limit, lines, edges[1:])
        rows = np.flatnonzero(np.diff(edges))
        edges = np.concatenate([[0], edges[1:][rows]])
        found = self._parts(lines, edges)
        if not found:
            return JsonRows(self._columns.empty_table(), np.empty(0, np.int64))
        table = pa.concat_tables([table for table, _ in found])
        return JsonRows(table, rows[np.concatenate([places for _, places in found])])

    def _parts(self, lines: Bytes, edges: Ints) -> list[tuple[pa.Table, Ints]]:
        """Return what can be read of all lines, of many by several threads, with the numbers of its rows."""
        rows = len(edges) - 1
        parts = min(_AT_ONCE, max(1, rows // _PART))
        cuts = [rows * part // parts for part in range(parts + 1)]
        pieces = [
            lambda a=first, b=last: list(self._halves(lines, edges, a, b))
            for first, last in itertools.pairwise(cuts)
        ]
        if len(pieces) == 1:
            return pieces[0]()
        with ThreadPoolExecutor(parts, thread_name_prefix="json") as threads:
            return [one for part in threads.map(lambda piece: piece(), pieces) for one in part]

    def _halves(
        self, lines: Bytes, edges: Ints, first: int, last: int
    ) -> Iterator[tuple[pa.Table, Ints]]:
        """Yield what can be read of the lines `first` to `last`, with the numbers of its rows among them."""
        if first == last:
            return
        block = lines[edges[first] : edges[last]]
        read = self._parsed(block, last - first)
        if read is not None:
            table, sound = self._finished(*read)
            if not sound.all():
                table = table.filter(pa.array(sound))
            yield table, np.flatnonzero(sound) + first
        elif last - first > FEWEST:
            middle = (first + last) // 2
            yield from self._halves(lines, edges, first, middle)
            yield from self._halves(lines, edges, middle, last)

    def _parsed(self, block: Bytes, rows: int) -> tuple[pa.Table, Readings] | None:
        """Return what Arrow reads of whole lines, and how; None if it cannot read one of them."""
        # Times may be numbers in this topic: it stays so until they are not.
        first = self._numbers
        for numbers in (first, not first):
            readings = self._with_numbers if numbers else self._readings
            read = _parse(block, self._schema(readings), rows)
            if read is not None:
                self._numbers = numbers
                return read, readings
            if self._with_numbers == self._readings:
                return None
        return None

    def _schema(self, readings: Readings) -> pa.Schema:
        fields = [pa.field(name, one.type) for name, one in readings.items()]
        return pa.schema(fields if self._within is None else [(self._within, pa.struct(fields))])

    def _finished(self, read: pa.Table, readings: Readings) -> tuple[pa.Table, Sound]:
        made: list[pa.Array] = []
        sound = np.ones(read.num_rows, np.bool_)
        if self._within is not None:
            held = read.column(self._within).combine_chunks()
            sound &= held.is_valid().to_numpy(zero_copy_only=False)
            read = pa.table(held.flatten(), names=list(readings))
        for field in self._columns:
            column = read.column(field.name).combine_chunks()
            array, trusted = readings[field.name].finish(column)
            made.append(array.cast(field.type))
            sound &= trusted
        return pa.table(made, schema=self._columns), sound


def _parse(block: Bytes, schema: pa.Schema, rows: int) -> pa.Table | None:
    try:
        read = arrow_json.read_json(
            pa.BufferReader(pa.py_buffer(block)),
            arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid:
        return None
    # Each line is one object, or Arrow would not have read it as this many.
    return read.select(schema.names) if read.num_rows == rows else None
