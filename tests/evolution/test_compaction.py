"""Compaction of a table whose columns have changed: rows stay what they are, null by null."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.maintenance.compact import compact
from pipeline.maintenance.plan import MaintenancePolicy
from tests.decoder.reference import encoded
from tests.evolution.engine import NOW_MS, Engine, write_contract

ID = {"name": "id", "type": "string"}
AT = {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}


def payload(*fields: dict[str, Any]) -> dict[str, Any]:
    item = {"type": "record", "name": "Item", "fields": list(fields)}
    items = [{"type": "array", "items": item}, "null"]
    return {"type": "record", "name": "P", "fields": [ID, AT, {"name": "items", "type": items}]}


FIRST = payload({"name": "size", "type": "int"})
SECOND = payload(
    {"name": "length", "type": "long", "aliases": ["size"]},
    {"name": "unit", "type": ["null", "string"], "default": None},
)


def test_files_of_several_versions_become_one_with_the_same_rows(
    quiet_cell: Cell, tmp_path: Path
) -> None:
    folder = write_contract(tmp_path / "items", [FIRST])
    engine = Engine(quiet_cell, folder)
    product = load_product(folder)
    for items in (None, [], [{"size": 1}]):
        body = encoded(FIRST, {"id": "k", "at": NOW_MS * 1000, "items": items})
        engine.land(product, [FIRST], [(1, body)])
    product = load_product(write_contract(folder, [FIRST, SECOND]))
    longer = [{"length": 2**40, "unit": "mm"}, {"length": 2, "unit": None}]
    body = encoded(SECOND, {"id": "k", "at": NOW_MS * 1000, "items": longer})
    engine.land(product, [FIRST, SECOND], [(2, body)])
    events, _ = ensure_tables(quiet_cell, product)
    assert compact(events, MaintenancePolicy(min_files=2)).into == 1
    (task,) = events.refresh().scan().plan_files()
    # Read without Iceberg, which would make an empty list of a null one.
    rows = pq.read_table(task.file.file_path.removeprefix("file://"))
    held = dict(zip(rows["_offset"].to_pylist(), rows["items"].to_pylist(), strict=True))
    assert held == {0: None, 1: [], 2: [{"length": 1, "unit": None}], 3: longer}
