"""Whether every row of a product can be told where it came from, whatever has happened to its tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from pipeline.cells import Cell
from pipeline.completeness.measure import measure_completeness
from pipeline.contract.model import Product
from pipeline.control.publications import read_publications
from pipeline.table_changes.kept import read_changes
from pipeline.tables.catalog import load_table, open_catalog

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def every_change(cell: Cell, product: str) -> list[dict[str, Any]]:
    """All rows of the table of changes, and those that it has not yet."""
    found = read_changes(open_catalog(cell), product)
    kept = [] if found.kept is None else found.kept.scan().to_arrow().to_pylist()
    fresh: list[dict[str, Any]] = found.fresh.to_pylist()
    return kept + fresh


def assert_lineage_whole(cell: Cell, product: Product) -> None:
    """Every offset stands in one commit, every publication leads to its source, no row lacks one."""
    changes = every_change(cell, product.name)
    _assert_every_offset_once(cell, product, changes)
    for one in read_publications(cell, product.name):
        if one.published_snapshot_id is None:
            continue
        (lineage,) = (
            row["lineage"]
            for row in changes
            if (row["snapshot_id"], row["hour"]) == (one.published_snapshot_id, one.hour)
        )
        sources = {source["source"]: source["snapshot_id"] for source in lineage}
        assert sources[f"{product.name}.events"] == one.source_snapshot_id
    for measured in measure_completeness(cell, product, first_hour=EVER):
        assert measured.is_full, measured


def _assert_every_offset_once(cell: Cell, product: Product, changes: list[dict[str, Any]]) -> None:
    said = json.loads(load_table(cell, f"{product.name}.events").properties["headwater.offsets"])
    for partition, end in said["next"].items():
        ranges = sorted(
            (row["first_offset"], row["last_offset"] + 1)
            for row in changes
            if row["table"] == "events" and row["partition"] == int(partition)
        )
        begin = said["first"][partition]
        bounds = [(begin, begin), *ranges, (end, end)]
        assert all(before[1] == after[0] for before, after in pairwise(bounds)), bounds
