"""Decoding values in Confluent's framing of Protobuf into Arrow columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.avro.decoding.nodes import Forest, Ints, Memory
from pipeline.avro.decoding.program import Programs as AvroPrograms
from pipeline.protobuf.decoding import kernel
from pipeline.protobuf.decoding.program import Programs
from pipeline.protobuf.decoding.wire import INDEX_BITS, path_of
from pipeline.protobuf.plan import Plan

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class MessageColumns:
    """What values decode to.

    Attributes:
        table: one row a value that was read, strings as views into the source.
        row_of: the values that became rows, by number, ascending.
        status: what became of each value: `kernel.READ` and others.
        number: a value's schema id; 0 where its framing is none.
        unknown: schemas that `add` was not told, and values have: ids with the indexes of a message.
    """

    table: pa.Table
    row_of: Ints
    status: Bytes
    number: Ints
    unknown: tuple[tuple[int, tuple[int, ...]], ...]


class MessageReader:
    """Reads values of any number of schemas as one table.

    Learns a message of a schema by `add`; values of those that it has not learnt are marked, never guessed
    at. Values that it does not vouch for are marked `kernel.UNREADABLE`, whether they are sound or not. Not
    safe for use by several threads.
    """

    def __init__(self, columns: pa.Schema) -> None:
        self._forest = Forest(columns)
        self._programs = Programs()
        self._powers = AvroPrograms().tables
        self._roots: dict[tuple[int, int], tuple[int, int]] = {}
        # Values of a nested node for each value of the batch: grows when it proves too little.
        self._room = np.ones(len(list(self._forest.nodes)))
        self._room[self._forest.nested] = 4

    def add(self, schema_id: int, indexes: tuple[int, ...], plan: Plan | None) -> str | None:
        """Learn how a schema's message is read; None: not at all. Return why none is, in columns."""
        key = schema_id, _number(indexes)
        self._roots[key] = -1, -1
        if plan is None:
            return None
        self._roots[key] = self._programs.add(plan, self._forest.columns)
        return self._programs.slow or None

    def read(self, data: Bytes, starts: Ints, lengths: Ints, limit: int) -> MessageColumns:
        """Decode the values data[start : start + length]; messages over the limit are unreadable.

        The result's strings point into `data`, which must not change afterwards.
        """
        status = np.empty(len(starts), np.uint8)
        schema_ids, paths = np.zeros(len(starts), np.int64), np.zeros(len(starts), np.int64)
        row_of = np.empty(len(starts), np.int64)
        shift = len(data)
        # One buffer, so that a column's views all point into it.
        data = np.concatenate([data, self._programs.constants])
        known = np.array(list(self._roots), np.int64).reshape(-1, 2)
        roots = np.array(list(self._roots.values()), np.int64).reshape(-1, 2)
        messages, fields, levels, entries, symbols = self._programs.tables()
        while True:
            memory = Memory(self._forest, (self._room * (len(starts) + 8)).astype(np.int64))
            rows, full = kernel.decode(
                data,
                shift,
                starts,
                lengths,
                known[:, 0].copy(),
                known[:, 1].copy(),
                roots,
                limit,
                messages,
                fields,
                levels,
                entries,
                symbols,
                self._powers,
                memory.nodes,
                memory.numbers,
                memory.slots,
                memory.valid,
                status,
                schema_ids,
                paths,
                row_of,
            )
            if full < 0:
                break
            self._room[full] *= 2
        table = pa.table(memory.arrays(self._forest, pa.py_buffer(data)))
        met = np.unique(np.stack([schema_ids, paths], 1)[status == kernel.UNKNOWN], axis=0)
        unknown = tuple((schema_id, path_of(path)) for schema_id, path in met.tolist())
        return MessageColumns(table, row_of[:rows], status, schema_ids, unknown)


def _number(indexes: tuple[int, ...]) -> int:
    found = len(indexes)
    for index in indexes:
        found = found << INDEX_BITS | index
    return found
