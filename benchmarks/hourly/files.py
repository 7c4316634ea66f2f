"""The data files of one hour of an Iceberg table."""

from __future__ import annotations

from datetime import datetime

from pipeline.cells import Cell
from pipeline.clock import HOUR
from pipeline.tables.catalog import load_table


def files_of_hour(cell: Cell, identifier: str, hour: datetime) -> list[str]:
    """Return the paths of the files of `hour`, of a table whose partitions are hours."""
    table = load_table(cell, identifier)
    field = table.spec().fields[0]
    column = table.schema().find_column_name(field.source_id) or ""
    begin, end = hour.isoformat(), (hour + HOUR).isoformat()
    within = f"{column} >= '{begin}' and {column} < '{end}'"
    paths = (task.file.file_path for task in table.scan(within).plan_files())
    return sorted(path.removeprefix("file://") for path in paths)
