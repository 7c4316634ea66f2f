"""Decoding the values of a batch into Arrow columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.avro.decoding import kernel
from pipeline.avro.decoding.nodes import Forest, Ints, Memory
from pipeline.avro.decoding.program import Programs

ENVELOPE = pa.schema(
    [
        pa.field("__uuid", pa.string()),
        pa.field("__key", pa.string()),
        pa.field("__timestamp", pa.int64()),
        pa.field("__version", pa.int32()),
    ]
)
"""Columns that an envelope adds before the payload's; `__timestamp` is in microseconds."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Columns:
    """What values decode to.

    Attributes:
        table: one row a value that was read, strings as views into the source.
        row_of: the values that became rows, by number, ascending.
        status: what became of each value: `kernel.READ` and others.
        number: a value's schema id or payload version, where its status or the product asks for it.
    """

    table: pa.Table
    row_of: Ints
    status: Bytes
    number: Ints


class ColumnReader:
    """Reads values in Confluent's wire format, of any number of writer schemas, as one table.

    Learns a schema by `add_schema` and, with an envelope, a payload version by `add_version`; values
    of those it has not learnt are marked, never guessed at. Values it does not vouch for are marked
    `kernel.UNREADABLE`, whether they are valid Avro or not. Not safe for use by several threads.
    """

    def __init__(self, reader: Mapping[str, Any], columns: pa.Schema, *, enveloped: bool) -> None:
        self._reader = reader
        self._enveloped = enveloped
        self._forest = Forest(pa.schema([*(ENVELOPE if enveloped else ()), *columns]))
        self._programs = Programs()
        self._by_id: dict[int, int] = {}
        self._by_version: dict[int, int] = {}
        # Values of a nested node for each value of the batch: grows when it proves too little.
        self._room = np.ones(len(list(self._forest.nodes)))
        self._nested = self._forest.nested
        self._room[self._nested] = 4

    def knows_schema(self, schema_id: int) -> bool:
        """Return whether `add_schema` was told this id."""
        return schema_id in self._by_id

    def knows_version(self, version: int) -> bool:
        """Return whether `add_version` was told this version."""
        return version in self._by_version

    def add_schema(self, schema_id: int, writer: Any) -> None:
        """Learn the schema behind an id: the envelope's, or the payload's where there is none."""
        if self._enveloped:
            names = ("uuid", "key", "timestamp", "schema_version")
            nodes = dict(zip(names, self._forest.columns.values(), strict=False))
            self._by_id[schema_id] = self._programs.envelope(writer, nodes)
        else:
            self._by_id[schema_id] = self._payload(writer)

    def add_version(self, version: int, writer: Any) -> None:
        """Learn the payload schema behind a version."""
        self._by_version[version] = self._payload(writer)

    def slow_reason(self, number: int) -> str | None:
        """Return why values of a schema id, or payload version, are all marked unreadable; None if not.

        The number is a version where there is an envelope and it was learnt as one.
        """
        for programs in (self._by_version, self._by_id):
            if number in programs and programs[number] in self._programs.slow:
                return self._programs.slow[programs[number]]
        return None

    def read(self, data: Bytes, starts: Ints, lengths: Ints, payload_limit: int) -> Columns:
        """Decode the values data[start : start + length]; payloads over the limit are unreadable.

        The result's strings point into `data`, which must not change afterwards.
        """
        status = np.empty(len(starts), np.uint8)
        number = np.zeros(len(starts), np.int64)
        row_of = np.empty(len(starts), np.int64)
        programs = self._programs
        # One buffer, so that a column's views all point into it.
        shift = len(data)
        if len(programs.constants):
            data = np.concatenate([data, programs.constants])
        ids, id_programs = _pairs(self._by_id)
        versions, version_programs = _pairs(self._by_version)
        while True:
            memory = Memory(self._forest, (self._room * (len(starts) + 8)).astype(np.int64))
            rows, full = kernel.decode(
                data,
                shift,
                starts,
                lengths,
                programs.ops,
                programs.tables,
                ids,
                id_programs,
                versions,
                version_programs,
                self._enveloped,
                payload_limit,
                memory.nodes,
                memory.numbers,
                memory.slots,
                memory.valid,
                status,
                number,
                row_of,
            )
            if full < 0:
                break
            self._room[full] *= 2
        arrays = memory.arrays(self._forest, pa.py_buffer(data))
        return Columns(pa.table(arrays), row_of[:rows], status, number)

    def _payload(self, writer: Any) -> int:
        payload = {f["name"]: self._forest.columns[f["name"]] for f in self._reader["fields"]}
        return self._programs.record(writer, self._reader, payload)


def _pairs(programs: Mapping[int, int]) -> tuple[Ints, Ints]:
    return np.array(list(programs), np.int64), np.array(list(programs.values()), np.int64)
