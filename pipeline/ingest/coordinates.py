"""Which coordinates of some ranges a table holds."""

from __future__ import annotations

from collections.abc import Iterable

from pyiceberg.table import Table

from pipeline.ingest.batch import Coordinate
from pipeline.ingest.plan import Range


def held_coordinates(table: Table, topic_id: str, ranges: Iterable[Range]) -> frozenset[Coordinate]:
    """Return the (partition, offset) pairs of `ranges` that are rows of `table`."""
    found: set[Coordinate] = set()
    for r in ranges:
        wanted = (
            f"_topic_id == '{topic_id}' and _topic_partition == {r.partition} "
            f"and _offset >= {r.start} and _offset < {r.end}"
        )
        offsets = table.scan(row_filter=wanted, selected_fields=("_offset",)).to_arrow()
        found.update((r.partition, offset) for offset in offsets.column("_offset").to_pylist())
    return frozenset(found)
