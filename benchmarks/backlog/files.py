"""The data files that an ingest left, and how much of them a selective query has to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import duckdb
from pyiceberg.table import Table

from benchmarks.exactly_once import local_path
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.tables.catalog import load_table


@dataclass(frozen=True)
class Bound:
    """A condition: `column` is from `low` to `high`, both included."""

    column: str
    low: datetime | str
    high: datetime | str

    @property
    def condition(self) -> str:
        """The condition, as Iceberg and DuckDB both read it."""
        return f"{self.column} >= '{_text(self.low)}' and {self.column} <= '{_text(self.high)}'"

    @property
    def overlap(self) -> str:
        """The row groups that may hold such rows, by the statistics that DuckDB reads."""
        kind = "TIMESTAMPTZ" if isinstance(self.low, datetime) else "VARCHAR"
        return (
            "SELECT file_name, row_group_id FROM parquet_metadata($files) "  # noqa: S608
            f"WHERE path_in_schema = '{self.column}' "
            f"AND stats_min_value::{kind} <= '{_text(self.high)}' "
            f"AND stats_max_value::{kind} >= '{_text(self.low)}'"
        )


@dataclass(frozen=True)
class Reading:
    """What one query has to read.

    Attributes:
        files: data files that the table's statistics leave.
        row_groups: row groups of those that Parquet's statistics leave.
        rows: rows that it finds.
    """

    files: int
    row_groups: int
    rows: int


def files_document(cell: Cell, product: Product) -> dict[str, Any]:
    """Return number and sizes of the data files of events.

    Raises:
        TableMissingError: nothing was ever ingested.
    """
    table = load_table(cell, f"{product.name}.events")
    files = [task.file for task in table.scan().plan_files()]
    sizes = [file.file_size_in_bytes for file in files] or [0]
    return {
        "count": len(files),
        "bytes": sum(sizes),
        "smallest_bytes": min(sizes),
        "median_bytes": median(sizes),
        "largest_bytes": max(sizes),
        "row_groups": sum(len(file.split_offsets or [0]) for file in files),
    }


def skipping_document(cell: Cell, product: Product, minute: datetime) -> dict[str, Any]:
    """Return what queries over `minute`, of an account that has events in it, and of both have to read.

    Raises:
        TableMissingError: nothing was ever ingested.
    """
    table = load_table(cell, f"{product.name}.events")
    within = Bound("_event_time", minute, minute + timedelta(minutes=1, microseconds=-1))
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        account = _some_account(engine, table, within)
        of = Bound("_key", account, account)
        asked = {"minute": (within,), "account": (of,), "account_in_minute": (within, of)}
        return {name: asdict(_reading(engine, table, bounds)) for name, bounds in asked.items()}


def _some_account(engine: duckdb.DuckDBPyConnection, table: Table, within: Bound) -> str:
    files = [local_path(task.file) for task in table.scan(row_filter=within.condition).plan_files()]
    if not files:
        return ""
    query = f"SELECT min(_key) FROM read_parquet($files) WHERE {within.condition}"  # noqa: S608
    found = engine.execute(query, {"files": files}).fetchone()
    return "" if found is None else str(found[0])


def _reading(engine: duckdb.DuckDBPyConnection, table: Table, bounds: tuple[Bound, ...]) -> Reading:
    """Plan by Iceberg; then ask DuckDB for the statistics of row groups, and for the rows."""
    planned = table.scan(row_filter=" and ".join(bound.condition for bound in bounds))
    files = [local_path(task.file) for task in planned.plan_files()]
    if not files:
        return Reading(0, 0, 0)
    groups = " INTERSECT ".join(bound.overlap for bound in bounds)
    rows = " AND ".join(bound.condition for bound in bounds)
    return Reading(
        len(files),
        _count(engine, f"SELECT count(*) FROM ({groups})", files),  # noqa: S608
        _count(engine, f"SELECT count(*) FROM read_parquet($files) WHERE {rows}", files),  # noqa: S608
    )


def _count(engine: duckdb.DuckDBPyConnection, query: str, files: list[str]) -> int:
    found = engine.execute(query, {"files": files}).fetchone()
    return 0 if found is None else int(found[0])


def _text(value: datetime | str) -> str:
    return value.isoformat() if isinstance(value, datetime) else value
