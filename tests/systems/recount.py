"""What is in a table, by polars from its data files: the engine's own library names the files alone."""

from __future__ import annotations

from datetime import datetime

import polars as pl

import headwater
from pipeline.tables.catalog import TableMissingError, load_table


def rows_of(cell: headwater.Cell, name: str) -> pl.DataFrame | None:
    """Return all rows of `<product>.<table>`; None where there is no such table, or nothing in it."""
    try:
        table = load_table(cell, name)
    except TableMissingError:
        return None
    tasks = list(table.scan().plan_files())
    assert not any(task.delete_files for task in tasks), "each row of a file is one of the table"
    files = [task.file.file_path.removeprefix("file://") for task in tasks]
    if not files:
        return None
    login = {
        "aws_endpoint_url": cell.s3.get("endpoint", ""),
        "aws_access_key_id": cell.s3.get("access_key_id", ""),
        "aws_secret_access_key": cell.s3.get("secret_access_key", ""),
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    options = login if cell.s3 else None
    # Files of before and after a column came differ in their columns.
    scan = pl.scan_parquet(files, storage_options=options, missing_columns="insert")
    return scan.collect()


def events(cell: headwater.Cell, product: str) -> list[tuple[object, ...]]:
    """Return uuid, sensor, time, value and note of every event, sorted."""
    found = rows_of(cell, f"{product}.events")
    if found is None:
        return []
    return sorted(found.select("_uuid", "sensor", "at", "value", "note").iter_rows(), key=repr)


def published(cell: headwater.Cell, product: str) -> dict[tuple[datetime, str], tuple[int, int]]:
    """Return readings and their sum, by hour and sensor."""
    found = rows_of(cell, f"{product}.readings_hourly")
    if found is None:
        return {}
    columns = found.select("hour", "sensor", "readings", "total")
    by_key = {(hour, sensor): (many, total) for hour, sensor, many, total in columns.iter_rows()}
    assert len(by_key) == found.height, "no sensor stands twice in an hour"
    return by_key


def reasons(cell: headwater.Cell, product: str) -> dict[str, int]:
    """Return how many dead letters there are, by reason."""
    found = rows_of(cell, f"{product}.dead_letters")
    return {} if found is None else dict(found.group_by("reason").len().iter_rows())
