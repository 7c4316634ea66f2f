"""Which coordinates of some ranges a table has stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
from pyiceberg.table import Table

from pipeline.ingest.model import Range
from pipeline.tables.integrity.reading import reading

Coordinate = tuple[int, int]
"""(partition, offset)"""


def stored_coordinates(
    table: Table, topic_id: str, ranges: Iterable[Range]
) -> frozenset[Coordinate]:
    """Return the (partition, offset) pairs of `ranges` that are rows of `table`."""
    return frozenset(
        (r.partition, offset)
        for r, rows in _rows(table, topic_id, ranges, ("_offset",))
        for offset in rows.column("_offset").to_pylist()
    )


def stored_dead_letters(
    table: Table, topic_id: str, ranges: Iterable[Range]
) -> Mapping[Coordinate, str]:
    """Return the reasons of the dead letters of `ranges` that `table` holds, by their coordinates."""
    return {
        (r.partition, offset): reason
        for r, rows in _rows(table, topic_id, ranges, ("_offset", "reason"))
        for offset, reason in zip(
            rows.column("_offset").to_pylist(), rows.column("reason").to_pylist(), strict=True
        )
    }


def _rows(
    table: Table, topic_id: str, ranges: Iterable[Range], columns: tuple[str, ...]
) -> Iterator[tuple[Range, pa.Table]]:
    for r in ranges:
        wanted = (
            f"_topic_id == '{topic_id}' and _topic_partition == {r.partition} "
            f"and _offset >= {r.start} and _offset < {r.end}"
        )
        with reading(table):
            rows = table.scan(row_filter=wanted, selected_fields=columns).to_arrow()
        yield r, rows
