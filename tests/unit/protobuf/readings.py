"""Both readers of a schema's messages, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.avro import arrow
from pipeline.avro.decoding.single import OutOfRangeError, UnreadableValueError
from pipeline.protobuf.decoding import kernel
from pipeline.protobuf.decoding.columns import MessageReader
from pipeline.protobuf.resolve import resolve
from pipeline.protobuf.schema import ProtoSource, load
from pipeline.protobuf.single import reader
from tests.unit.protobuf.wire import framed

ID = 7


class Readings:
    """What messages of a .proto's first message are, in columns and one by one."""

    def __init__(self, proto: str, fields: Sequence[Mapping[str, Any]]) -> None:
        record = {"type": "record", "name": "Read", "fields": list(fields)}
        plan = resolve(load(ProtoSource(proto)).message([0]), record)
        self._schema = pa.schema(arrow.fields(record))
        self._read = reader(plan)
        self._columns = MessageReader(self._schema)
        self.slow = self._columns.add(ID, (0,), plan)

    def columns(self, bodies: Sequence[bytes]) -> list[dict[str, Any] | None]:
        """Return each message's row, None of those that are not vouched for."""
        values = [framed(ID, body) for body in bodies]
        data = np.frombuffer(b"".join(values), np.uint8)
        lengths = np.array([len(value) for value in values], np.int64)
        read = self._columns.read(data, np.cumsum(lengths) - lengths, lengths, 2**20)
        rows: list[dict[str, Any] | None] = [None] * len(bodies)
        for at, row in zip(read.row_of.tolist(), read.table.to_pylist(), strict=True):
            assert read.status[at] == kernel.READ
            rows[at] = row
        return rows

    def single(self, body: bytes) -> dict[str, Any] | str:
        """Return one message's row, or why it is none."""
        try:
            found = self._read(body)
        except (UnreadableValueError, OutOfRangeError) as error:
            return str(error)
        made = pa.Table.from_pylist([found], schema=self._schema).to_pylist()[0]
        assert isinstance(made, dict)
        return made
